//! Marks: numbers and words that stand nowhere but where a test put them, and all the forms in
//! which one of them could be written down.

use std::fmt::Write as _;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use ring::digest;

/// What every marked number begins with. The country code 999 is assigned to nobody.
const NUMBER: u64 = 999_860_000_000_000;
/// What every marked word begins with.
const WORD: &str = "Qzxleak";

/// A number or a word that must not be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Where it was put, so that a finding says whence it came.
    pub(crate) place: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Number(u64),
    Word(String),
}

/// Where a mark was found, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) place: &'static str,
    pub(crate) form: &'static str,
    /// What stands around it.
    pub(crate) near: String,
}

impl Mark {
    /// The number of this place: fifteen digits, spread by a hash of the place's name.
    pub(crate) fn number(place: &'static str) -> Self {
        let own = digest::digest(&digest::SHA256, place.as_bytes());
        let spread = own.as_ref()[..5].iter();
        let spread = spread.fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let kind = Kind::Number(NUMBER + spread % 10_000_000_000);
        Self { place, kind }
    }

    /// The word of this place.
    pub(crate) fn word(place: &'static str) -> Self {
        let own = digest::digest(&digest::SHA256, place.as_bytes());
        let spread = hex(&own.as_ref()[..5]);
        let kind = Kind::Word(format!("{WORD}{spread}"));
        Self { place, kind }
    }

    /// As it is sent: a number in E.164 with its plus, a word as it is.
    pub(crate) fn text(&self) -> String {
        match &self.kind {
            Kind::Number(number) => format!("+{number}"),
            Kind::Word(word) => word.clone(),
        }
    }

    /// A number without its plus; a word as it is.
    pub(crate) fn bare(&self) -> String {
        self.text().trim_start_matches('+').to_owned()
    }

    /// Every form, by name.
    fn forms(&self) -> Vec<Form> {
        let bare = self.bare();
        let bytes = bare.as_bytes();
        let mut forms = vec![
            Form::any_case("plain", &bare),
            Form::any_case("hex", &hex(bytes)),
            Form::any_case("percent", &each(bytes, "", |byte| format!("%{byte:02x}"))),
            Form::any_case("unicode escapes", &each(bytes, "", escaped)),
            Form::any_case(
                "hex escapes",
                &each(bytes, "", |byte| format!("\\x{byte:02x}")),
            ),
            Form::any_case("list of bytes", &each(bytes, ", ", |byte| byte.to_string())),
            Form::any_case(
                "dense list of bytes",
                &each(bytes, ",", |byte| byte.to_string()),
            ),
            Form::any_case("backwards", &bare.chars().rev().collect::<String>()),
        ];
        for text in [bare.clone(), self.text()] {
            let hash = digest::digest(&digest::SHA256, text.as_bytes());
            forms.push(Form::any_case("hash in hex", &hex(hash.as_ref())));
            forms.push(Form::exact(
                "hash in base64",
                STANDARD_NO_PAD.encode(hash.as_ref()),
            ));
            forms.push(Form::exact(
                "hash in url-safe base64",
                URL_SAFE_NO_PAD.encode(hash.as_ref()),
            ));
        }
        for before in 0..3 {
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let text = within_base64(bytes, before, |bytes| engine.encode(bytes));
                forms.push(Form::exact("base64", text));
            }
        }
        if let Kind::Number(number) = self.kind {
            forms.push(Form::squeezed("spaced", bare.clone()));
            forms.push(Form::any_case("hex of the integer", &format!("{number:x}")));
            forms.push(Form::any_case("semi-octets", &semi_octets(bytes)));
        }
        forms
    }
}

/// One way to write a mark down.
struct Form {
    name: &'static str,
    text: String,
    within: Within,
}

/// In which reading of a text a form is looked for.
#[derive(Clone, Copy)]
enum Within {
    AsItIs,
    LowerCase,
    /// Without what people write between digits.
    Squeezed,
}

impl Form {
    const fn exact(name: &'static str, text: String) -> Self {
        let within = Within::AsItIs;
        Self { name, text, within }
    }

    fn any_case(name: &'static str, text: &str) -> Self {
        let (text, within) = (text.to_lowercase(), Within::LowerCase);
        Self { name, text, within }
    }

    const fn squeezed(name: &'static str, text: String) -> Self {
        let within = Within::Squeezed;
        Self { name, text, within }
    }
}

/// Finds any of these marks in any form.
pub(crate) struct Search {
    forms: Vec<(&'static str, Form)>,
}

impl Search {
    pub(crate) fn for_all<'a>(marks: impl IntoIterator<Item = &'a Mark>) -> Self {
        let forms = marks.into_iter().flat_map(|mark| {
            let forms = mark.forms().into_iter();
            forms.map(|form| (mark.place, form))
        });
        Self {
            forms: forms.collect(),
        }
    }

    /// Each mark and form that `bytes` show, once.
    pub(crate) fn within(&self, bytes: &[u8]) -> Vec<Found> {
        let text = String::from_utf8_lossy(bytes);
        let lower = text.to_lowercase();
        let squeezed: String = text.chars().filter(|c| !between_digits(*c)).collect();
        let mut found = Vec::new();
        for (place, form) in &self.forms {
            let text = match form.within {
                Within::AsItIs => &text,
                Within::LowerCase => &*lower,
                Within::Squeezed => &squeezed,
            };
            if let Some(at) = text.find(&form.text) {
                found.push(Found {
                    place,
                    form: form.name,
                    near: around(text, at),
                });
            }
        }
        found
    }
}

fn between_digits(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '_' | '\t')
}

fn around(text: &str, at: usize) -> String {
    let (from, to) = (text.floor_char_boundary(at.saturating_sub(120)), at + 120);
    text[from..text.floor_char_boundary(to)].to_owned()
}

fn hex(bytes: &[u8]) -> String {
    each(bytes, "", |byte| format!("{byte:02x}"))
}

fn each(bytes: &[u8], between: &str, written: impl Fn(u8) -> String) -> String {
    let all: Vec<String> = bytes.iter().map(|byte| written(*byte)).collect();
    all.join(between)
}

fn escaped(byte: u8) -> String {
    format!("\\u{byte:04x}")
}

/// The letters of base64 that only these bytes decide, where `before` bytes stand before them.
fn within_base64(bytes: &[u8], before: usize, encode: impl Fn(&[u8]) -> String) -> String {
    let padded = [&[0; 2][..before], bytes].concat();
    let text = encode(&padded);
    let first = (before * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    text[first..last].to_owned()
}

/// As short messages carry numbers: two digits to a byte, the second one first.
fn semi_octets(digits: &[u8]) -> String {
    let mut text = String::new();
    for pair in digits.chunks(2) {
        let second = pair.get(1).copied().unwrap_or(b'f');
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{}", char::from(second), char::from(pair[0]));
    }
    text
}

#[test]
fn a_mark_is_found_in_every_form_and_at_every_place_in_base64() {
    let (number, word) = (Mark::number("a number"), Mark::word("a word"));
    let search = Search::for_all([&number, &word]);
    let form_of = |text: &str| {
        search
            .within(text.as_bytes())
            .first()
            .map(|found| found.form)
    };
    let bare = number.bare();
    let grouped = format!("+{} {}-{}", &bare[..3], &bare[3..8], &bare[8..]);
    assert_eq!(form_of(&format!("to {}", number.text())), Some("plain"));
    assert_eq!(form_of(&format!("to={bare}")), Some("plain"));
    assert_eq!(form_of(&format!("tel:%2B{bare}")), Some("plain"));
    assert_eq!(form_of(&grouped), Some("spaced"));
    assert_eq!(form_of(&word.text().to_uppercase()), Some("plain"));
    assert_eq!(form_of(&hex(bare.as_bytes()).to_uppercase()), Some("hex"));
    assert_eq!(
        form_of(&format!("{:?}", bare.as_bytes())),
        Some("list of bytes")
    );
    for mark in [&number, &word] {
        for before in ["", "x", "xy", "xyz"] {
            let text = format!("{before}{}, and more", mark.bare());
            let encoded = STANDARD_NO_PAD.encode(text);
            assert_eq!(form_of(&encoded), Some("base64"), "{before}");
        }
        let hash = digest::digest(&digest::SHA256, mark.text().as_bytes());
        assert_eq!(form_of(&hex(hash.as_ref())), Some("hash in hex"));
        for form in mark.forms() {
            let found = search.within(format!("a {} b", form.text).as_bytes());
            let named = |it: &Found| it.place == mark.place;
            assert!(found.iter().any(named), "{}", form.name);
        }
    }
    assert_ne!(Mark::number("a").text(), Mark::number("b").text());
    assert_eq!(
        form_of("999 and Qzx and a uuid 99986000-0000-4000-8000-000000000000"),
        None
    );
}
