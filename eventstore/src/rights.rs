//! What each of our roles may do in Postgres, declared once.
//!
//! The declaration is a file of `GRANT` statements per schema (`eventstore/rights/`,
//! `projections/rights/`). `migrate` makes the catalog say exactly that, the services compare the
//! two, and the tests try every right that is declared and every one that is not. Nothing is
//! granted anywhere else.

use std::{collections::BTreeSet, fmt::Write as _};

use ring::digest;
use tokio_postgres::types::ToSql;

use crate::postgres::Statement;

mod parse;

pub use parse::{RightsError, parse};

/// The login roles, and everybody. What they may do in our schemas is what is declared.
pub const ROLES: [&str; 5] = [
    "dlr_svc",
    "billing_svc",
    "auditor",
    "tollbook_admin",
    "public",
];

/// What is declared for the schema `eventlog`.
pub const EVENTLOG: &str = include_str!("../rights/eventlog.sql");
/// What is declared for the schema `tollbook_guard`.
pub const GUARD: &str = include_str!("../rights/tollbook_guard.sql");

/// What our roles may do otherwise than is declared: columns `fault`, `remedy` and `missing`. `$1`
/// to `$4` are what is declared ([`Declared`]), `$5` the schemas, `$6` the roles.
pub const DIFFERING: Statement = Statement::new(include_str!("rights/differing.sql"));

/// What a right is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A schema.
    Schema,
    /// A table or a view.
    Table,
    /// One column of a table or a view.
    Column,
    /// A function.
    Function,
}

impl Kind {
    /// As statements and messages call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Table => "table",
            Self::Column => "column",
            Self::Function => "function",
        }
    }
}

/// One right of one role on one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right {
    /// Who has it.
    pub role: String,
    /// What kind of thing it is on.
    pub kind: Kind,
    /// Its name: a schema's, or with its schema; a column's with its table's.
    pub name: String,
    /// As the catalog writes it: `SELECT`, `INSERT`, `EXECUTE`, …
    pub verb: String,
}

impl Right {
    /// The schema that it is about.
    #[must_use]
    pub fn schema(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }
}

/// What is declared for the schema `eventlog`.
///
/// # Panics
/// The declaration cannot be read; a test holds that it can.
#[must_use]
pub fn eventlog() -> BTreeSet<Right> {
    parse(EVENTLOG).expect("the declaration is read by a test")
}

/// What is declared for the schema `tollbook_guard`, which belongs to a superuser.
///
/// # Panics
/// The declaration cannot be read; a test holds that it can.
#[must_use]
pub fn guard() -> BTreeSet<Right> {
    parse(GUARD).expect("the declaration is read by a test")
}

/// A short text that is another for every other declaration.
#[must_use]
pub fn fingerprint(rights: &BTreeSet<Right>) -> String {
    let mut text = String::new();
    for right in rights {
        let Right {
            role,
            kind,
            name,
            verb,
        } = right;
        // Writing to a string does not fail.
        let _ = writeln!(text, "{role} {verb} {} {name}", kind.as_str());
    }
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The parameters of a statement that is told what is declared: roles, verbs, kinds, names.
#[derive(Debug)]
pub struct Declared<'a> {
    roles: Vec<&'a str>,
    verbs: Vec<&'a str>,
    kinds: Vec<&'static str>,
    names: Vec<&'a str>,
}

impl<'a> Declared<'a> {
    /// Of these rights.
    pub fn new(rights: impl IntoIterator<Item = &'a Right>) -> Self {
        let mut declared = Self {
            roles: Vec::new(),
            verbs: Vec::new(),
            kinds: Vec::new(),
            names: Vec::new(),
        };
        for right in rights {
            declared.roles.push(&right.role);
            declared.verbs.push(&right.verb);
            declared.kinds.push(right.kind.as_str());
            declared.names.push(&right.name);
        }
        declared
    }

    /// As `$1` to `$4`.
    #[must_use]
    pub fn parameters(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.roles, &self.verbs, &self.kinds, &self.names]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_of_the_log_can_be_read_and_names_only_roles_of_ours() {
        for (schema, rights) in [("eventlog", eventlog()), ("tollbook_guard", guard())] {
            assert!(rights.len() > 20, "{rights:?}");
            for right in rights {
                assert!(ROLES.contains(&right.role.as_str()), "{right:?}");
                assert_eq!(right.schema(), schema, "{right:?}");
            }
        }
    }

    #[test]
    fn another_declaration_has_another_fingerprint() {
        let all = fingerprint(&eventlog());
        assert_eq!(all, fingerprint(&eventlog()));
        let mut fewer = eventlog();
        fewer.pop_last();
        assert_ne!(all, fingerprint(&fewer));
    }

    #[test]
    fn nobody_may_touch_a_recorded_event() {
        let event = |right: &Right| {
            right.name == "eventlog.event" || right.name.starts_with("eventlog.event.")
        };
        let mut on_events = eventlog();
        on_events.retain(event);
        assert!(!on_events.is_empty());
        assert!(on_events.iter().all(|right| right.verb == "SELECT"));
    }
}
