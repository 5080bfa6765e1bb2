//! The NATS users of CONTRACTS 2, as `k8s/nats/accounts.conf` has them.
//!
//! Tests run with the file that operators include; only what a test needs besides is put in: the
//! users' passwords where there are no certificates, and an observer.

use serde_json::json;

/// The file that each server of a deployment includes.
const COMMITTED: &str = include_str!("../../../k8s/nats/accounts.conf");
/// Where the account of the streams says that nobody logs in there.
const NOBODY: &str = "users: []";
/// What begins a user.
const USER: &str = "user: \"";

/// A user and the prefix of its inboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct User {
    /// The name in the certificate, or of the login.
    pub(super) name: &'static str,
    /// The prefix of its inboxes.
    pub(super) inbox: &'static str,
}

/// For tests alone: may do everything within the account of the streams.
const OBSERVER: User = User {
    name: "observer",
    inbox: "_INBOX_observer",
};

/// Everybody who connects.
pub(super) const USERS: [User; 7] = [
    User {
        name: "dlr-processor",
        inbox: "_INBOX_dlr",
    },
    User {
        name: "billing-service",
        inbox: "_INBOX_billing",
    },
    User {
        name: "smpp-connector",
        inbox: "_INBOX_connector",
    },
    User {
        name: "identity",
        inbox: "_INBOX_identity",
    },
    User {
        name: "tollbook-operator",
        inbox: "_INBOX_operator",
    },
    User {
        name: "tollbook-admin",
        inbox: "_INBOX_admin",
    },
    OBSERVER,
];

/// The accounts for a server of the tests; without certificates everybody has this password.
pub(super) fn config(password: Option<&str>) -> String {
    let observed = COMMITTED.replacen(NOBODY, &format!("users: [{{ {} }}]", observer()), 1);
    let Some(password) = password else {
        return observed;
    };
    let mut config = String::new();
    for line in observed.lines() {
        config.push_str(line);
        if line.trim_start().starts_with(USER) {
            config.push_str("\n        password: ");
            config.push_str(&json!(password).to_string());
        }
        config.push('\n');
    }
    config.replacen(
        &observer(),
        &format!("{}, password: {}", observer(), json!(password)),
        1,
    )
}

fn observer() -> String {
    format!("{USER}{}\"", OBSERVER.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words between quotes, comments left out.
    fn quoted() -> impl Iterator<Item = &'static str> {
        let code = COMMITTED
            .lines()
            .filter(|line| !line.trim().starts_with('#'));
        code.flat_map(|line| line.split('"').skip(1).step_by(2))
    }

    #[test]
    fn nothing_in_the_accounts_holds_a_full_wildcard() {
        assert!(quoted().count() > 100);
        for subject in quoted() {
            assert!(!subject.contains('>'), "{subject}");
        }
    }

    #[test]
    fn the_accounts_know_these_users_and_no_others() {
        let users: Vec<&str> = COMMITTED
            .lines()
            .filter_map(|line| line.trim().strip_prefix(USER)?.strip_suffix('"'))
            .collect();
        let expected: Vec<&str> = USERS
            .iter()
            .filter(|user| **user != OBSERVER)
            .map(|user| user.name)
            .collect();
        assert_eq!(users, expected);
        for user in USERS.iter().filter(|user| **user != OBSERVER) {
            let inbox = format!("\"{0}.*\", \"{0}.*.*\"", user.inbox);
            assert!(COMMITTED.contains(&inbox), "{}", user.name);
        }
    }

    #[test]
    fn no_account_may_delete_or_purge() {
        for subject in quoted() {
            for word in ["DELETE", "PURGE"] {
                assert!(!subject.contains(word), "{subject}");
            }
        }
    }

    #[test]
    fn every_user_has_the_password_and_the_observer_lives_with_the_streams() {
        let config = config(Some("secret"));
        assert_eq!(config.matches("password: \"secret\"").count(), USERS.len());
        let (_, messaging) = config.split_once("MESSAGING {").expect("the account");
        let (messaging, _) = messaging.split_once("exports:").expect("its exports");
        assert!(messaging.contains("user: \"observer\", password: \"secret\""));
    }
}
