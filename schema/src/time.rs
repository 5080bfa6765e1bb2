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

    /// Reads RFC 3339 with an offset; without one it is refused.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(ours) = parse_ours(text.as_bytes()) {
            return Some(ours);
        }
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let utc = at.checked_to_offset(UtcOffset::UTC)?;
        (0..=9999)
            .contains(&utc.year())
            .then(|| Self::from_datetime(utc))
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
    fn an_offset_cannot_push_a_time_out_of_range() {
        for text in ["0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
