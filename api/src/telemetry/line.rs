//! One log line: a flat JSON object (CONTRACTS 11).
//!
//! `time`, `level`, `service` and `event` come first, then the event's own fields with their
//! names in camel case (`message_id` becomes `messageId`), then `traceId` and `spanId`. A line
//! break or a quote in a value cannot end the line: values are escaped byte by byte.

use std::fmt::{self, Write as _};

use opentelemetry::trace::SpanContext;
use schema::Timestamp;
use tracing::{
    Level,
    field::{Field, Visit},
};

/// A line under construction. Kept per thread and used again, so that a line allocates nothing.
#[derive(Debug, Default)]
pub struct Line {
    event: String,
    fields: String,
    /// The finished line with its newline.
    pub text: String,
    has_trace: bool,
}

impl Line {
    /// Forgets the line before.
    pub fn clear(&mut self) {
        self.event.clear();
        self.fields.clear();
        self.text.clear();
        self.has_trace = false;
    }

    /// Puts the line together. `service` is escaped already. An event without a name gets its
    /// target's.
    pub fn finish(
        &mut self,
        time: Timestamp,
        level: Level,
        service: &str,
        target: &str,
        span: Option<&SpanContext>,
    ) {
        let text = &mut self.text;
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{{\"time\":\"{time}\",\"level\":\"{level}\",\"service\":\"{service}\""
        );
        text.push_str(",\"event\":\"");
        if self.event.is_empty() {
            escape(text, target);
        } else {
            text.push_str(&self.event);
        }
        text.push('"');
        text.push_str(&self.fields);
        if let Some(span) = span.filter(|_| !self.has_trace) {
            let (trace, span) = (span.trace_id(), span.span_id());
            let _ = write!(text, ",\"traceId\":\"{trace}\",\"spanId\":\"{span}\"");
        }
        text.push_str("}\n");
    }

    fn key(&mut self, name: &str) {
        self.has_trace |= name == "trace_id";
        self.fields.push_str(",\"");
        let mut upper = false;
        for c in name.strip_prefix("r#").unwrap_or(name).chars() {
            match c {
                '_' => upper = true,
                _ if upper => {
                    self.fields.push(c.to_ascii_uppercase());
                    upper = false;
                }
                '"' | '\\' | '\0'..='\x1f' => self.fields.push('?'),
                _ => self.fields.push(c),
            }
        }
        // Our own keys stay the only ones of their name.
        if matches!(name, "time" | "level" | "service") {
            self.fields.push_str("Field");
        }
        self.fields.push_str("\":");
    }

    fn bare(&mut self, field: &Field, value: impl fmt::Display) {
        self.key(field.name());
        let _ = write!(self.fields, "{value}");
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" {
            escape(&mut self.event, value);
            return;
        }
        self.key(field.name());
        self.fields.push('"');
        escape(&mut self.fields, value);
        self.fields.push('"');
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "event" {
            let _ = write!(Escaping(&mut self.event), "{value:?}");
            return;
        }
        self.key(field.name());
        self.fields.push('"');
        let _ = write!(Escaping(&mut self.fields), "{value:?}");
        self.fields.push('"');
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.bare(field, value);
        } else {
            self.record_str(field, "not a number");
        }
    }
}

/// Escapes what is written through it.
struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

/// Appends `text` as the inside of a JSON string.
pub fn escape(line: &mut String, text: &str) {
    let special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0x7f;
    let mut rest = text;
    while let Some(at) = rest.bytes().position(special) {
        // A special byte is ASCII, so both sides of it are whole characters.
        line.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => line.push_str("\\\""),
            b'\\' => line.push_str("\\\\"),
            b'\n' => line.push_str("\\n"),
            byte => {
                let _ = write!(line, "\\u{byte:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
    line.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_can_end_its_string() {
        let mut line = String::from("\"");
        let nasty = "a\"b\\c\nd\r\te\0f\u{7f}g é\u{1b}[31m";
        escape(&mut line, nasty);
        line.push('"');
        assert_eq!(
            serde_json::from_str::<String>(&line).expect("valid JSON"),
            nasty
        );
        assert!(line.bytes().all(|byte| byte >= 0x20 && byte != 0x7f));
    }
}
