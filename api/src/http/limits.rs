//! How often one caller may call.
//!
//! A caller is known by subject or API key. Whoever is not known is counted by address, so that
//! guessing at tokens is slow; the gateway's own address cannot use up what its callers have,
//! because only calls that named nobody are counted there.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, clock::Clock};

use super::problem::{Code, Problem};

/// How often callers that were quiet for long are forgotten.
const FORGET: Duration = Duration::from_mins(1);

/// How much is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Calls per second in the long run.
    pub rate: NonZeroU32,
    /// Calls at once after a quiet time.
    pub burst: NonZeroU32,
}

/// What everybody has left.
#[derive(Debug)]
pub struct RateLimits {
    known: DefaultKeyedRateLimiter<String>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
}

impl RateLimits {
    /// Everybody begins with a whole burst.
    #[must_use]
    pub fn new(allowance: Allowance) -> Self {
        let quota = Quota::per_second(allowance.rate).allow_burst(allowance.burst);
        Self {
            known: DefaultKeyedRateLimiter::keyed(quota),
            strangers: DefaultKeyedRateLimiter::keyed(quota),
        }
    }

    /// Counts a call of a known caller.
    ///
    /// # Errors
    /// There was one too many.
    pub fn known(&self, caller: &str) -> Result<(), Problem> {
        count(&self.known, &caller.to_owned())
    }

    /// Counts a call that named nobody.
    ///
    /// # Errors
    /// There was one too many.
    pub fn stranger(&self, address: IpAddr) -> Result<(), Problem> {
        count(&self.strangers, &neighbourhood(address))
    }

    /// Forgets, for ever, who was quiet for long; otherwise addresses would fill the memory.
    pub async fn look_after(&self) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(FORGET).await;
            self.known.retain_recent();
            self.strangers.retain_recent();
        }
    }
}

fn count<K: Hash + Eq + Clone>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
) -> Result<(), Problem> {
    limiter.check_key(key).map_err(|early| {
        let wait = early.wait_time_from(limiter.clock().now());
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Problem::new(Code::TooManyRequests).retry_after(seconds.max(1))
    })
}

/// Whoever has one IPv6 address has 2^64 of them.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{http::header::RETRY_AFTER, response::IntoResponse};

    use super::*;

    fn limits() -> RateLimits {
        let number = |number| NonZeroU32::new(number).expect("not zero");
        RateLimits::new(Allowance {
            rate: number(1),
            burst: number(2),
        })
    }

    #[test]
    fn each_caller_has_an_allowance_of_its_own() {
        let limits = limits();
        assert!(limits.known("a").is_ok() && limits.known("a").is_ok());
        let problem = limits.known("a").expect_err("the third at once");
        assert_eq!(problem.code(), Code::TooManyRequests);
        let response = problem.into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert!(limits.known("b").is_ok());
    }

    #[test]
    fn neighbours_in_one_network_share_an_allowance() {
        let limits = limits();
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(limits.stranger(address("2001:db8::1")).is_ok());
        assert!(limits.stranger(address("2001:db8::2")).is_ok());
        assert!(limits.stranger(address("2001:db8::3")).is_err());
        assert!(limits.stranger(address("2001:db8:0:1::1")).is_ok());
        assert!(limits.stranger(address("192.0.2.1")).is_ok());
        assert!(limits.stranger(address("192.0.2.2")).is_ok());
    }
}
