//! JSON as the contracts want it: UTF-8, every key once per object, bounded depth, whole numbers
//! exact however they are written.
//!
//! `serde_json` keeps the last of two equal keys; two readers of one receipt could then disagree
//! about what it said, so here a repeated key makes the text invalid. It also takes `2.0` for
//! something else than `2`, which a JSON Schema does not, and rounds what it cannot hold
//! (ADR 0027). So texts are read here; `serde_json` reads the strings in them.

mod number;

use serde_json::{Map, Number, Value};

/// How deep a text may nest.
const DEPTH_MAX: usize = 128;

/// Why a text is not acceptable JSON. Says nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not UTF-8.
    #[error("not utf-8")]
    NotUtf8,
    /// Not JSON, or nested deeper than 128 levels.
    #[error("not json")]
    Syntax,
    /// An object names a key twice.
    #[error("an object names a key twice")]
    RepeatedKey,
}

/// Reads one JSON value and nothing after it.
///
/// A whole number of 64 bits is exact, whether it is written `2`, `2.0` or `2e0`. Of any other
/// number only its nature is kept: whether it is whole, and about how large. Nobody here needs
/// more; money is text.
///
/// # Errors
/// Says in which of three ways the bytes are not acceptable JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(JsonError::Syntax),
    }
}

/// How deep `value` nests: a scalar is 0, an object or array of scalars 1.
#[must_use]
pub fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

/// A text and how far it has been read.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is not space; it is not taken.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += rest.iter().take_while(|byte| space(byte)).count();
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        match self.peek().ok_or(JsonError::Syntax)? {
            b'{' => self.object(depth + 1).map(Value::Object),
            b'[' => self.array(depth + 1).map(Value::Array),
            b'"' => self.string().map(Value::String),
            b'-' | b'0'..=b'9' => self.number().map(Value::Number),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Map<String, Value>, JsonError> {
        let mut members = Map::new();
        let mut more = self.opens(b'}', depth)?;
        while more {
            if self.peek() != Some(b'"') {
                return Err(JsonError::Syntax);
            }
            let key = self.string()?;
            if self.peek() != Some(b':') {
                return Err(JsonError::Syntax);
            }
            self.at += 1;
            let value = self.value(depth)?;
            if members.insert(key, value).is_some() {
                return Err(JsonError::RepeatedKey);
            }
            more = self.goes_on(b'}')?;
        }
        Ok(members)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, JsonError> {
        let mut items = Vec::new();
        let mut more = self.opens(b']', depth)?;
        while more {
            items.push(self.value(depth)?);
            more = self.goes_on(b']')?;
        }
        Ok(items)
    }

    /// Takes an opening bracket; says whether anything is in it.
    fn opens(&mut self, close: u8, depth: usize) -> Result<bool, JsonError> {
        if depth > DEPTH_MAX {
            return Err(JsonError::Syntax);
        }
        self.at += 1;
        let empty = self.peek() == Some(close);
        self.at += usize::from(empty);
        Ok(!empty)
    }

    /// Takes what stands after an item; says whether another follows.
    fn goes_on(&mut self, close: u8) -> Result<bool, JsonError> {
        let next = self.peek();
        self.at += 1;
        match next {
            Some(b',') => Ok(true),
            Some(byte) if byte == close => Ok(false),
            _ => Err(JsonError::Syntax),
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let begin = self.at;
        self.at += 1;
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            self.at += match byte {
                b'"' => break,
                b'\\' => 2,
                _ => 1,
            };
        }
        self.at += 1;
        let token = self.text.get(begin..self.at).ok_or(JsonError::Syntax)?;
        serde_json::from_str(token).map_err(|_| JsonError::Syntax)
    }

    fn number(&mut self) -> Result<Number, JsonError> {
        let rest = &self.text[self.at..];
        let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.bytes().take_while(|byte| part(byte)).count();
        self.at += length;
        number::read(&rest[..length]).ok_or(JsonError::Syntax)
    }

    fn word(&mut self) -> Result<Value, JsonError> {
        let rest = &self.text[self.at..];
        let words: [(&'a str, Value); 3] = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ];
        let mut words = words.into_iter();
        let found = words.find(|(word, _)| rest.starts_with(word));
        let (word, value) = found.ok_or(JsonError::Syntax)?;
        self.at += word.len();
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
