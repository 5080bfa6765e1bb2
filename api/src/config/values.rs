//! What a variable's text may say: durations, lists of servers, log levels, shares.
//!
//! The errors say what would have been right and never repeat what was given, which may be a
//! secret in the wrong place.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use async_nats::ServerAddr;
use schema::{
    AccountId, Currency, Day, EventId, MessageId, OperatorId, SheetId, StatementId, TenantId,
    Timestamp,
};

use super::Secret;

/// Ten years.
const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

/// What was expected instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Expected(pub Cow<'static, str>);

impl Expected {
    /// Says so in fixed words.
    #[must_use]
    pub const fn words(words: &'static str) -> Self {
        Self(Cow::Borrowed(words))
    }
}

/// A time span as people write it: a whole number and `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// It is written otherwise, is zero, or is longer than ten years.
pub fn duration(text: &str) -> Result<Duration, Expected> {
    let expected = Expected::words("must be a duration such as 250ms, 5s, 10m, 72h or 30d");
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit())
        .ok_or(expected.clone())?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| expected.clone())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(expected),
    };
    let span = number.checked_mul(millis).map(Duration::from_millis);
    span.filter(|span| !span.is_zero() && *span <= LONGEST)
        .ok_or(Expected::words(
            "must be longer than nothing and shorter than ten years",
        ))
}

/// A whole number from `MIN` to `MAX`.
///
/// # Errors
/// It is something else.
pub fn number<T: TryFrom<u32>, const MIN: u32, const MAX: u32>(text: &str) -> Result<T, Expected> {
    let number = text
        .parse::<u32>()
        .ok()
        .filter(|number| (MIN..=MAX).contains(number));
    let number = number.and_then(|number| T::try_from(number).ok());
    let words = || format!("must be a whole number from {MIN} to {MAX}");
    number.ok_or_else(|| Expected(words().into()))
}

/// A share between 0 and 1.
///
/// # Errors
/// It is something else.
pub fn share(text: &str) -> Result<f64, Expected> {
    let share = text
        .parse::<f64>()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or(Expected::words("must be a share from 0 to 1"))
}

const NO_ID: Expected = Expected::words("must be a UUID, not the nil one");

/// The id of a tenant.
///
/// # Errors
/// It is something else.
pub fn tenant(text: &str) -> Result<TenantId, Expected> {
    TenantId::parse(text).ok_or(NO_ID)
}

/// The id of an account.
///
/// # Errors
/// It is something else.
pub fn account(text: &str) -> Result<AccountId, Expected> {
    AccountId::parse(text).ok_or(NO_ID)
}

/// The id of a message.
///
/// # Errors
/// It is something else.
pub fn message(text: &str) -> Result<MessageId, Expected> {
    MessageId::parse(text).ok_or(NO_ID)
}

/// The id of an event.
///
/// # Errors
/// It is something else.
pub fn event(text: &str) -> Result<EventId, Expected> {
    EventId::parse(text).ok_or(NO_ID)
}

/// What a sheet is called.
///
/// # Errors
/// It is something else.
pub fn sheet(text: &str) -> Result<SheetId, Expected> {
    const WORDS: &str =
        "must be 1 to 64 letters, digits, `.`, `_` and `-`, first a letter or a digit";
    SheetId::parse(text).ok_or(Expected::words(WORDS))
}

/// The id of a carrier.
///
/// # Errors
/// It is something else.
pub fn operator(text: &str) -> Result<OperatorId, Expected> {
    OperatorId::parse(text).ok_or(NO_ID)
}

/// The id of a carrier's statement.
///
/// # Errors
/// It is something else.
pub fn statement(text: &str) -> Result<StatementId, Expected> {
    StatementId::parse(text).ok_or(NO_ID)
}

/// A day.
///
/// # Errors
/// It is something else.
pub fn day(text: &str) -> Result<Day, Expected> {
    Day::parse(text).ok_or(Expected::words("must be a day such as 2026-03-31"))
}

/// A currency.
///
/// # Errors
/// It is something else.
pub fn currency(text: &str) -> Result<Currency, Expected> {
    Currency::parse(text).ok_or(Expected::words("must be a currency code such as EUR"))
}

/// A person's words of `MIN` to `MAX` characters that are kept for ever. A long number may be
/// somebody's, so there is none in them.
///
/// # Errors
/// It is something else.
pub fn words<const MIN: usize, const MAX: usize>(text: &str) -> Result<String, Expected> {
    let text = text.trim();
    let mut digits = text.split(|c: char| !c.is_ascii_digit());
    let good = (MIN..=MAX).contains(&text.chars().count())
        && !text.contains(char::is_control)
        && digits.all(|digits| digits.len() < 9);
    let words = || {
        format!(
            "must be {MIN} to {MAX} characters, without control characters and without a number \
             of nine digits or more, which could be somebody's"
        )
    };
    good.then(|| text.to_owned())
        .ok_or_else(|| Expected(words().into()))
}

/// A moment.
///
/// # Errors
/// It is something else.
pub fn moment(text: &str) -> Result<Timestamp, Expected> {
    Timestamp::parse(text).ok_or(Expected::words("must be RFC 3339 with an offset"))
}

/// The NATS servers of one cluster. The logins that addresses may hold are kept apart.
#[derive(Clone)]
pub struct NatsServers {
    /// Without logins.
    pub addresses: Vec<ServerAddr>,
    /// From the first address that has one.
    pub login: Option<(String, Secret)>,
}

impl NatsServers {
    /// Whether no address leaves this machine.
    #[must_use]
    pub fn are_here(&self) -> bool {
        self.addresses
            .iter()
            .all(|address| is_this_machine(address.host()))
    }

    /// Whether every address asks for TLS.
    #[must_use]
    pub fn ask_for_tls(&self) -> bool {
        self.addresses.iter().all(ServerAddr::tls_required)
    }
}

impl FromStr for NatsServers {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        let expected =
            Expected::words("must be a list such as tls://nats-0:4222,tls://nats-1:4222");
        let mut login = None;
        let mut addresses = Vec::new();
        for part in text.split(',').map(str::trim) {
            let given: ServerAddr = part.parse().map_err(|_| expected.clone())?;
            if let (Some(user), Some(password)) = (given.username(), given.password()) {
                login.get_or_insert_with(|| (user.to_owned(), Secret::new(password.to_owned())));
            }
            let host = given.host();
            if host.is_empty() || !["nats", "tls"].contains(&given.scheme()) {
                return Err(expected);
            }
            let host = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.to_owned()
            };
            let bare = format!("{}://{host}:{}", given.scheme(), given.port());
            addresses.push(bare.parse().map_err(|_| expected.clone())?);
        }
        Ok(Self { addresses, login })
    }
}

impl fmt::Debug for NatsServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.addresses.iter().map(ServerAddr::as_url_str))
            .finish()
    }
}

/// Whether a host name or address is this machine's own.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_people_do() {
        for (text, millis) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("10m", 600_000),
            ("72h", 259_200_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(duration("30d"), Ok(Duration::from_hours(720)));
        for wrong in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "0s",
            "1.5s",
            "5w",
            "99999999999999999999s",
        ] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
        assert!(duration("4000d").is_err());
    }

    #[test]
    fn a_share_is_between_none_and_all() {
        assert!(share("0").is_ok() && share("0.01").is_ok() && share("1").is_ok());
        for wrong in ["", "-0.1", "1.1", "NaN", "half"] {
            assert!(share(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_number_is_within_its_bounds() {
        assert_eq!(number::<u16, 2, 500>("2"), Ok(2));
        for wrong in ["", "1", "501", "-3", "2.5", "many"] {
            let error = number::<u16, 2, 500>(wrong)
                .expect_err("refused")
                .to_string();
            assert_eq!(error, "must be a whole number from 2 to 500", "{wrong:?}");
        }
    }

    #[test]
    fn logins_are_taken_out_of_addresses() {
        let servers: NatsServers = "nats://dlr:hunter2@127.0.0.1:4222,tls://[::1]:4223"
            .parse()
            .expect("two addresses");
        assert!(servers.are_here());
        assert!(!servers.ask_for_tls());
        assert!(!format!("{servers:?}").contains("hunter2"));
        let (user, password) = servers.login.expect("a login");
        assert_eq!((user.as_str(), password.expose()), ("dlr", "hunter2"));
        assert!(
            servers
                .addresses
                .iter()
                .all(|address| !address.has_user_pass())
        );
        for wrong in ["", ",", "http://x", "nats://a,,nats://b", "ws://x"] {
            assert!(wrong.parse::<NatsServers>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn other_machines_are_told_from_this_one() {
        for here in ["localhost", "127.0.0.1", "::1", "[::1]"] {
            assert!(is_this_machine(here), "{here}");
        }
        for there in ["nats", "10.0.0.1", "localhost.example.org"] {
            assert!(!is_this_machine(there), "{there}");
        }
    }
}
