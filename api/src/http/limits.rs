//! How often one caller may call, and all callers of one tenant together.
//!
//! A caller is whom [`Principal`] tells apart: an `anna` of one tenant takes nothing from
//! another's. Whoever is not known is counted by address, so that guessing at tokens is slow; the
//! gateway's own address cannot use up what its callers have, because only calls that named nobody
//! are counted there. Calls beyond a limit leave one line a second in the log, however many they
//! are.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, clock::Clock};

use schema::TenantId;

use super::problem::{Code, Problem};
use crate::identity::principal::Principal;

/// How often the log is told of calls beyond the limits.
const TELL: Duration = Duration::from_secs(1);
/// After how many such times callers that were quiet for long are forgotten.
const FORGET: u32 = 60;

/// How often somebody may call, in the long run and at once.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Calls per second in the long run.
    pub rate: NonZeroU32,
    /// Calls at once after a quiet time.
    pub burst: NonZeroU32,
}

impl Allowance {
    fn quota(self) -> Quota {
        Quota::per_second(self.rate).allow_burst(self.burst)
    }
}

/// What everybody has left.
#[derive(Debug)]
pub struct RateLimits {
    known: DefaultKeyedRateLimiter<Principal>,
    tenants: DefaultKeyedRateLimiter<TenantId>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
    beyond: Beyond,
}

/// Calls beyond each limit of which the log was not told yet.
#[derive(Debug, Default)]
struct Beyond {
    callers: AtomicU64,
    tenants: AtomicU64,
    strangers: AtomicU64,
}

impl Beyond {
    fn tell(&self) {
        let all = [&self.callers, &self.tenants, &self.strangers];
        let [callers, tenants, strangers] = all.map(|count| count.swap(0, Ordering::Relaxed));
        if callers + tenants + strangers > 0 {
            tracing::warn!(event = "http.beyond_limit", callers, tenants, strangers);
        }
    }
}

impl RateLimits {
    /// So much for each caller, and so much for each tenant; everybody begins with a whole burst.
    #[must_use]
    pub fn new(caller: Allowance, tenant: Allowance) -> Self {
        Self {
            known: DefaultKeyedRateLimiter::keyed(caller.quota()),
            tenants: DefaultKeyedRateLimiter::keyed(tenant.quota()),
            strangers: DefaultKeyedRateLimiter::keyed(caller.quota()),
            beyond: Beyond::default(),
        }
    }

    /// Counts a call of a known caller. What is too much of theirs takes nothing from their tenant.
    ///
    /// # Errors
    /// There was one too many.
    pub fn known(&self, caller: &Principal) -> Result<(), Problem> {
        count(&self.known, caller, &self.beyond.callers)?;
        count(&self.tenants, &caller.tenant, &self.beyond.tenants)
    }

    /// Counts a call that named nobody.
    ///
    /// # Errors
    /// There was one too many.
    pub fn stranger(&self, address: IpAddr) -> Result<(), Problem> {
        let address = neighbourhood(address);
        count(&self.strangers, &address, &self.beyond.strangers)
    }

    /// For ever tells the log of calls beyond the limits, and forgets who was quiet for long;
    /// otherwise addresses would fill the memory.
    pub async fn look_after(&self) -> std::convert::Infallible {
        loop {
            for _ in 0..FORGET {
                tokio::time::sleep(TELL).await;
                self.beyond.tell();
            }
            self.known.retain_recent();
            self.tenants.retain_recent();
            self.strangers.retain_recent();
        }
    }
}

fn count<K: Hash + Eq + Clone>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
    beyond: &AtomicU64,
) -> Result<(), Problem> {
    limiter.check_key(key).map_err(|early| {
        beyond.fetch_add(1, Ordering::Relaxed);
        let wait = early.wait_time_from(limiter.clock().now());
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Problem::new(Code::TooManyRequests).retry_after(seconds.max(1))
    })
}

/// Whom an address stands for: whoever has one IPv6 address has 2^64 of them.
pub(super) fn neighbourhood(address: IpAddr) -> IpAddr {
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

    use uuid::Uuid;

    use super::*;
    use crate::identity::principal::Kind;

    fn limits() -> RateLimits {
        let at_once = |burst| Allowance {
            rate: NonZeroU32::MIN,
            burst: NonZeroU32::new(burst).expect("not zero"),
        };
        RateLimits::new(at_once(2), at_once(3))
    }

    fn somebody(kind: Kind, tenant: u128, subject: &str) -> Principal {
        Principal {
            kind,
            issuer: "issuer".into(),
            tenant: TenantId(Uuid::from_u128(tenant)),
            subject: subject.to_owned(),
        }
    }

    #[test]
    fn each_caller_has_an_allowance_of_its_own() {
        let limits = limits();
        let anna = somebody(Kind::Token, 1, "anna");
        assert!(limits.known(&anna).is_ok() && limits.known(&anna).is_ok());
        let problem = limits.known(&anna).expect_err("the third at once");
        assert_eq!(problem.code(), Code::TooManyRequests);
        let response = problem.into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        let key = somebody(Kind::ApiKey, 1, "anna");
        assert!(limits.known(&key).is_ok(), "a key of that name");
        let other = somebody(Kind::Token, 2, "anna");
        assert!(limits.known(&other).is_ok(), "another tenant's anna");
    }

    #[test]
    fn the_callers_of_a_tenant_share_an_allowance_above_their_own() {
        let limits = limits();
        let many = ["a", "b", "c", "d"].map(|name| somebody(Kind::Token, 1, name));
        let counted = many.each_ref().map(|it| limits.known(it).is_ok());
        assert_eq!(counted, [true, true, true, false]);
        assert!(limits.known(&somebody(Kind::Token, 2, "d")).is_ok());
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
