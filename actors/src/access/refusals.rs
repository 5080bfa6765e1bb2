//! Refused calls that are repeated: one fact with a count, not a fact for each.
//!
//! Anybody with a valid token may be refused as often as they like, and facts stay for ever. So the
//! first refusal of a caller is a fact before it is answered, like every other access, and opens a
//! window of a minute. What the same caller is refused at the same endpoint for the same reason in
//! that minute is counted here, and becomes one more fact when the window closes. A caller so leaves
//! at most two facts a minute, endpoint, reason and process, and the calls of these facts add up to
//! all that were refused.
//!
//! A window that closes stays until the log has it; a process that stops in order closes all of its
//! windows first. One that is killed loses the counts of its open windows, never their first calls.
//! See `docs/adr/0029-what-is-kept-of-accesses.md`. There is no I/O in here.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use schema::{AccountId, Timestamp, event::AccessRefused};
use uuid::Uuid;

use super::decide::{Access, RecordAccess};
use crate::runtime::origin::Origin;

/// How long a window is open, in microseconds.
const WINDOW: i64 = 60 * 1_000_000;
/// How many accounts a fact names beside the first.
const ACCOUNTS_MAX: usize = 20;
/// How many windows there are at most, open or waiting for the log. While there are so many, every
/// refusal is a fact of its own and waits for the log like any other. About 1 kB each.
const WINDOWS_MAX: usize = 10_000;

/// The refusals that are counted. Shared by all calls of a process.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Windows>);

#[derive(Default)]
struct Windows {
    open: HashMap<Refused, Window>,
    /// Closed, and not yet in the log.
    closed: Vec<RecordAccess>,
}

/// What is the same in calls that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Refused {
    principal: Cow<'static, str>,
    endpoint: String,
    code: String,
}

/// The calls after the first.
struct Window {
    /// The first, as it is recorded by itself.
    first: AccessRefused,
    trace: Option<String>,
    opened: Timestamp,
    calls: u32,
    until: Timestamp,
    accounts: Vec<AccountId>,
}

/// What is to be done about a refused call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// It is to be recorded by itself.
    First,
    /// It is counted with those before it.
    Again,
}

impl Refusals {
    /// Counts the call if it repeats one of the last minute.
    pub(crate) fn note(&self, origin: &Origin, refused: &AccessRefused) -> Noted {
        let mut windows = self.windows();
        let Windows { open, closed } = &mut *windows;
        let full = open.len() + closed.len() >= WINDOWS_MAX;
        match open.entry(Refused::of(origin, refused)) {
            Entry::Occupied(known) if known.get().contains(refused.until) => {
                known.into_mut().count(refused);
                Noted::Again
            }
            Entry::Occupied(mut known) => {
                let over = known.insert(Window::of(origin, refused));
                closed.extend(over.closed(known.key()));
                Noted::First
            }
            Entry::Vacant(_) if full => Noted::First,
            Entry::Vacant(vacant) => {
                vacant.insert(Window::of(origin, refused));
                Noted::First
            }
        }
    }

    /// Closes the windows that were opened a minute before `now`, or all; says what is to be
    /// recorded, this and what was not recorded before.
    pub(crate) fn close(&self, now: Option<Timestamp>) -> Vec<RecordAccess> {
        let mut windows = self.windows();
        let Windows { open, closed } = &mut *windows;
        let over = |window: &Window| now.is_none_or(|now| !window.contains(now));
        let ended = open.extract_if(|_, window| over(window));
        closed.extend(ended.filter_map(|(key, window)| window.closed(&key)));
        closed.clone()
    }

    /// Forgets what the log has.
    pub(crate) fn recorded(&self, request: Uuid) {
        let closed = &mut self.windows().closed;
        closed.retain(|access| access.origin.request != request);
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refused {
    fn of(origin: &Origin, refused: &AccessRefused) -> Self {
        Self {
            principal: origin.principal.clone(),
            endpoint: refused.endpoint.clone(),
            code: refused.code.clone(),
        }
    }
}

impl Window {
    fn of(origin: &Origin, first: &AccessRefused) -> Self {
        Self {
            first: first.clone(),
            trace: origin.trace.clone(),
            opened: first.until,
            calls: 0,
            until: first.until,
            accounts: Vec::new(),
        }
    }

    fn contains(&self, time: Timestamp) -> bool {
        time.micros() - self.opened.micros() < WINDOW
    }

    fn count(&mut self, refused: &AccessRefused) {
        self.calls = self.calls.saturating_add(1);
        self.until = self.until.max(refused.until);
        let Some(account) = refused.account_id else {
            return;
        };
        let known = self.first.account_id == Some(account) || self.accounts.contains(&account);
        if !known && self.accounts.len() < ACCOUNTS_MAX {
            self.accounts.push(account);
        }
    }

    /// What it comes to, if anything was counted.
    fn closed(mut self, key: &Refused) -> Option<RecordAccess> {
        if self.calls == 0 {
            return None;
        }
        let again = AccessRefused {
            calls: self.calls,
            until: self.until,
            more_account_ids: mem::take(&mut self.accounts),
            ..self.first
        };
        Some(RecordAccess {
            origin: Origin {
                request: again.request_id,
                time: self.opened,
                principal: key.principal.clone(),
                trace: self.trace,
            },
            access: Access::RefusedAgain(again),
            tenant: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use schema::Pseudonym;

    use super::*;

    fn caller(name: &str) -> Origin {
        Origin {
            principal: name.to_owned().into(),
            ..Origin::of_request(1)
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).expect("a time")
    }

    fn refused(request: u128, account: u128, seconds: i64) -> AccessRefused {
        AccessRefused {
            endpoint: "GET /v1/billing/usage".to_owned(),
            account_id: Some(AccountId(Uuid::from_u128(account))),
            caller_tenant: Pseudonym(Uuid::from_u128(8)),
            request_id: Uuid::from_u128(request),
            code: "right_missing".to_owned(),
            calls: 1,
            until: at(seconds),
            more_account_ids: Vec::new(),
        }
    }

    fn facts(accesses: &[RecordAccess]) -> Vec<&AccessRefused> {
        accesses
            .iter()
            .map(|access| match &access.access {
                Access::RefusedAgain(refused) => refused,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_a_caller_repeats_within_a_minute_is_one_fact_with_a_count() {
        let (refusals, anna) = (Refusals::default(), caller("anna"));
        assert_eq!(refusals.note(&anna, &refused(1, 1, 0)), Noted::First);
        for number in 2..=100 {
            let noted = refusals.note(&anna, &refused(number, number, 59));
            assert_eq!(noted, Noted::Again);
        }
        assert!(refusals.close(Some(at(59))).is_empty(), "it is still open");
        let closed = refusals.close(Some(at(60)));
        let [fact] = facts(&closed)[..] else {
            panic!("{closed:?}");
        };
        assert_eq!((fact.calls, fact.until), (99, at(59)));
        assert_eq!(fact.more_account_ids.len(), ACCOUNTS_MAX);
        assert_eq!(
            closed[0].origin.request,
            Uuid::from_u128(1),
            "beside the first"
        );
        assert_eq!(refusals.note(&anna, &refused(101, 1, 61)), Noted::First);
    }

    #[test]
    fn what_differs_in_caller_endpoint_or_code_is_counted_apart() {
        let refusals = Refusals::default();
        let mut other = refused(2, 1, 0);
        other.code = "not_found".to_owned();
        for (caller, refused) in [
            (caller("anna"), refused(1, 1, 0)),
            (caller("bela"), refused(3, 1, 0)),
            (caller("anna"), other),
        ] {
            assert_eq!(refusals.note(&caller, &refused), Noted::First);
        }
        assert!(refusals.close(None).is_empty(), "nothing was repeated");
    }

    #[test]
    fn a_count_stays_until_the_log_has_it() {
        let (refusals, anna) = (Refusals::default(), caller("anna"));
        for _ in 0..3 {
            refusals.note(&anna, &refused(1, 1, 0));
        }
        for _ in 0..2 {
            assert_eq!(facts(&refusals.close(None))[0].calls, 2);
        }
        refusals.recorded(Uuid::from_u128(1));
        assert!(refusals.close(None).is_empty());
    }

    #[test]
    fn the_next_minute_does_not_swallow_the_count_of_the_last() {
        let (refusals, anna) = (Refusals::default(), caller("anna"));
        refusals.note(&anna, &refused(1, 1, 0));
        refusals.note(&anna, &refused(2, 1, 1));
        assert_eq!(refusals.note(&anna, &refused(3, 1, 61)), Noted::First);
        refusals.note(&anna, &refused(4, 1, 62));
        let closed = refusals.close(None);
        let calls: Vec<_> = facts(&closed).iter().map(|fact| fact.calls).collect();
        assert_eq!(calls, [1, 1]);
    }

    #[test]
    fn while_there_are_too_many_windows_every_refusal_is_a_fact_of_its_own() {
        let refusals = Refusals::default();
        for number in 0..WINDOWS_MAX {
            refusals.note(&caller(&number.to_string()), &refused(1, 1, 0));
        }
        for _ in 0..2 {
            let noted = refusals.note(&caller("anna"), &refused(2, 1, 0));
            assert_eq!(noted, Noted::First);
        }
        let noted = refusals.note(&caller("0"), &refused(3, 1, 0));
        assert_eq!(noted, Noted::Again, "what is open still counts");
    }
}
