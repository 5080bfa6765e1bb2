//! Points in time: UTC, to the microsecond, which is what Postgres keeps.
//!
//! Nothing here reads a clock; a time comes in with the command it belongs to.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::{Date, Month, OffsetDateTime, Time, UtcOffset, format_description::well_known::Rfc3339};

/// Microseconds since 1970-01-01T00:00:00Z; from year 0 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// Cuts `at` to the microsecond and moves it to UTC.
    #[must_use]
    pub fn from_datetime(at: OffsetDateTime) -> Self {
        let utc = at.to_offset(UtcOffset::UTC);
        let micros = utc.microsecond();
        // Unwrap safety: a microsecond count taken from a time is below one million.
        Self(
            utc.replace_microsecond(micros)
                .expect("a microsecond of a valid time"),
        )
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
            .ok()
            .map(Self)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub fn micros(self) -> i64 {
        let micros = self.0.unix_timestamp_nanos() / 1_000;
        // Unwrap safety: years 0 to 9999 in microseconds fit an i64 thirty times over.
        i64::try_from(micros).expect("years 0 to 9999 fit")
    }

    /// Reads RFC 3339 with an offset; without one it is refused. What an offset pushes out of the
    /// years 0 to 9999 counts as their first or last instant, a leap second as the one before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(ours) = parse_ours(text.as_bytes()) {
            return Some(ours);
        }
        // The general parser takes other separators, too.
        if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
            return None;
        }
        let leap = text.get(17..19) == Some("60");
        let plain = if leap {
            Cow::Owned(format!("{}59{}", &text[..17], &text[19..]))
        } else {
            Cow::Borrowed(text)
        };
        let at = OffsetDateTime::parse(&plain, &Rfc3339).ok()?;
        let utc = at.checked_to_offset(UtcOffset::UTC);
        // A leap second ends a day in UTC.
        if leap && utc.is_none_or(|utc| (utc.hour(), utc.minute()) != (23, 59)) {
            return None;
        }
        let utc = utc.filter(|utc| (0..=9999).contains(&utc.year()));
        Some(utc.map_or_else(|| end_of_time(at), Self::from_datetime))
    }

    /// The same instant as the `time` crate tells it.
    #[must_use]
    pub const fn datetime(self) -> OffsetDateTime {
        self.0
    }

    /// The UTC day.
    #[must_use]
    pub const fn date(self) -> Date {
        self.0.date()
    }

    /// Seconds from `earlier` to `self`; negative if `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).whole_seconds()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand: every event and every published message tells several times, and the general
        // formatter takes ten times as long.
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let (month, day) = (u8::from(self.0.month()), self.0.day());
        digits(&mut text[0..4], self.0.year().unsigned_abs());
        digits(&mut text[5..7], u32::from(month));
        digits(&mut text[8..10], u32::from(day));
        digits(&mut text[11..13], u32::from(self.0.hour()));
        digits(&mut text[14..16], u32::from(self.0.minute()));
        digits(&mut text[17..19], u32::from(self.0.second()));
        digits(&mut text[20..26], self.0.microsecond());
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// The end of the years 0 to 9999 that `at` lies beyond.
fn end_of_time(at: OffsetDateTime) -> Timestamp {
    let (year, month, day, time) = match at.year() {
        ..=0 => (0, Month::January, 1, Time::MIDNIGHT),
        _ => (9999, Month::December, 31, Time::MAX),
    };
    // Unwrap safety: both days are in every calendar.
    let date = Date::from_calendar_date(year, month, day).expect("a day");
    Timestamp::from_datetime(OffsetDateTime::new_utc(date, time))
}

/// Reads the one form that [`Timestamp`] writes, which is what the log is full of. Anything else
/// is left to the general parser.
fn parse_ours(text: &[u8]) -> Option<Timestamp> {
    let separators = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (26, b'Z'),
    ];
    if text.len() != 27 || separators.iter().any(|&(at, byte)| text[at] != byte) {
        return None;
    }
    let small = |from, to| u8::try_from(number(&text[from..to])?).ok();
    let year = i32::try_from(number(&text[0..4])?).ok()?;
    let month = Month::try_from(small(5, 7)?).ok()?;
    let date = Date::from_calendar_date(year, month, small(8, 10)?).ok()?;
    let (hour, minute, second) = (small(11, 13)?, small(14, 16)?, small(17, 19)?);
    let time = Time::from_hms_micro(hour, minute, second, number(&text[20..26])?).ok()?;
    Some(Timestamp(OffsetDateTime::new_utc(date, time)))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    })
}

/// Writes `number` in decimal, right-aligned, over the zeros of `place`.
fn digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time with an offset"))
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339, UTC, microseconds."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_kept_to_the_microsecond_in_utc() {
        let at = Timestamp::parse("2026-03-01T02:00:00.1234567+02:00").expect("valid");
        assert_eq!(at.to_string(), "2026-03-01T00:00:00.123456Z");
        assert_eq!(Timestamp::from_micros(at.micros()), Some(at));
    }

    #[test]
    fn a_time_is_written_as_the_general_formatter_writes_it() {
        for micros in [
            0,
            1,
            999_999,
            951_782_400_000_000,
            1_798_761_599_123_456,
            -62_135_596_800_000_000,
        ] {
            let at = Timestamp::from_micros(micros).expect("valid");
            assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
            let general = at.datetime().format(&Rfc3339).expect("formats");
            assert_eq!(Timestamp::parse(&general), Some(at));
            assert_eq!(at.to_string().len(), 27);
        }
    }

    #[test]
    fn a_time_without_offset_or_sense_is_refused() {
        for text in [
            "2026-02-30T00:00:00.000000Z",
            "2026-13-01T00:00:00.000000Z",
            "2026-01-01T24:00:00.000000Z",
            "2026-01-01T00:00:00.00000xZ",
            "2026-03-01T02:00:00",
            "2026-02-30T00:00:00Z",
            "yesterday",
            "",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_an_offset_pushes_out_of_the_years_counts_as_their_end() {
        for (text, end) in [
            ("0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999999Z"),
        ] {
            let at = Timestamp::parse(text).expect("a time");
            assert_eq!(at.to_string(), end, "{text}");
        }
    }

    #[test]
    fn a_leap_second_ends_a_day_and_counts_as_the_one_before() {
        for text in ["2016-12-31T23:59:60Z", "2017-01-01T00:59:60.5+01:00"] {
            let at = Timestamp::parse(text).expect("a time").to_string();
            assert!(at.starts_with("2016-12-31T23:59:59"), "{text}: {at}");
        }
        for text in ["2016-12-31T23:58:60Z", "2016-12-31T23:59:60+01:00"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    /// Whether a text has its digits, and all else, where RFC 3339 has them.
    fn is_shaped(text: &str) -> bool {
        let shape = |c: char| if c.is_ascii_digit() { '9' } else { c };
        let shape: String = text.chars().map(shape).collect();
        let shape = shape.to_uppercase();
        let Some(rest) = shape.strip_prefix("9999-99-99T99:99:99") else {
            return false;
        };
        let fraction = rest.strip_prefix(".9");
        let offset = fraction.map_or(rest, |more| more.trim_start_matches('9'));
        matches!(offset, "Z" | "+99:99" | "-99:99")
    }

    #[test]
    fn what_is_a_date_time_to_json_schema_is_a_time_and_nothing_else() {
        let schema = serde_json::json!({ "type": "string", "format": "date-time" });
        let options = jsonschema::options().should_validate_formats(true);
        let format = options.build(&schema).expect("a schema");
        let pieces = b"0123456789TtZz:+-. ";
        let mut seed = 1_u64;
        let mut next = |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).expect("31 bits") % below
        };
        for sound in [
            "2026-03-01T12:00:00.123456Z",
            "2024-02-29t00:00:59.5+01:30",
            "0001-01-01T00:00:00-00:00",
        ] {
            for _ in 0..20_000 {
                let mut text = sound.as_bytes().to_vec();
                for _ in 0..=next(2) {
                    let (at, piece) = (next(text.len()), pieces[next(pieces.len())]);
                    match next(4) {
                        0 => drop(text.remove(at)),
                        1 => text.insert(at, piece),
                        _ => text[at] = piece,
                    }
                }
                let text = String::from_utf8(text).expect("ASCII");
                // Of other shapes, and of leap seconds, the validator says yes too often.
                if !is_shaped(&text) || text.get(17..19) == Some("60") {
                    assert_eq!(Timestamp::parse(&text), None, "{text}");
                    continue;
                }
                let accepts = format.is_valid(&text.as_str().into());
                assert_eq!(Timestamp::parse(&text).is_some(), accepts, "{text}");
            }
        }
    }
}
