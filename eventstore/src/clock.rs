//! The clock. Deciders never see it: a time comes in with the command, and this is where the
//! edge takes it from.

use schema::Timestamp;
use time::OffsetDateTime;

/// Now.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub fn now() -> Timestamp {
    Timestamp::from_datetime(OffsetDateTime::now_utc())
}
