//! Reads a declaration: `GRANT` statements and comments, and of those only the plain ones.
//!
//! A right of a column counts for each table that the statement names.

use std::collections::BTreeSet;

use super::{Kind, Right};

/// Why a declaration cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a plain grant: {statement}")]
pub struct RightsError {
    /// The statement, on one line.
    pub statement: String,
}

/// The rights that the statements of `text` grant.
///
/// # Errors
/// A statement is not `grant RIGHTS on [schema|function] NAMES to ROLES`.
pub fn parse(text: &str) -> Result<BTreeSet<Right>, RightsError> {
    let without_comments: String = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .fold(String::new(), |all, line| all + line + " ");
    let mut rights = BTreeSet::new();
    for statement in without_comments.split(';') {
        let words: Vec<_> = statement.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let statement = words.join(" ");
        let granted = grant(&statement).ok_or(RightsError { statement })?;
        rights.extend(granted);
    }
    Ok(rights)
}

/// The rights of one statement; `None` where it is anything else.
fn grant(statement: &str) -> Option<Vec<Right>> {
    let (verbs, rest) = statement.strip_prefix("grant ")?.split_once(" on ")?;
    let (things, roles) = rest.split_once(" to ")?;
    let (kind, things) = match things.split_once(' ') {
        Some(("schema", names)) => (Kind::Schema, names),
        Some(("function", names)) => (Kind::Function, names),
        _ => (Kind::Table, things),
    };
    let mut rights = Vec::new();
    for (verb, columns) in verbs_of(verbs)? {
        for thing in names(things, kind != Kind::Schema)? {
            for role in names(roles, false)? {
                let right = |kind, name: String| Right {
                    role: role.to_owned(),
                    verb: verb.to_uppercase(),
                    kind,
                    name,
                };
                match &columns {
                    None => rights.push(right(kind, thing.to_owned())),
                    Some(columns) if kind == Kind::Table => {
                        let named = columns.iter().map(|column| format!("{thing}.{column}"));
                        rights.extend(named.map(|name| right(Kind::Column, name)));
                    }
                    Some(_) => return None,
                }
            }
        }
    }
    Some(rights)
}

/// A verb, and the columns it is for; for all of the table where none are named.
type Verb<'a> = (&'a str, Option<Vec<&'a str>>);

/// `select (a, b), insert` as verbs.
fn verbs_of(text: &str) -> Option<Vec<Verb<'_>>> {
    let mut verbs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['(', ',']).unwrap_or(rest.len());
        let (verb, after) = rest.split_at(end);
        let (columns, after) = match after.strip_prefix('(') {
            None => (None, after),
            Some(inside) => {
                let (columns, after) = inside.split_once(')')?;
                (Some(names(columns.trim(), false)?), after)
            }
        };
        let verb = verb.trim();
        if verb.is_empty() || !verb.chars().all(|letter| letter.is_ascii_lowercase()) {
            return None;
        }
        verbs.push((verb, columns));
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        if rest.is_empty() && after.starts_with(',') || rest == after && !rest.is_empty() {
            return None;
        }
    }
    (!verbs.is_empty()).then_some(verbs)
}

/// Plain names between commas, each with its schema if it is to have one.
fn names(text: &str, qualified: bool) -> Option<Vec<&str>> {
    let plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let names: Vec<_> = text.split(',').map(str::trim).collect();
    let fits = names.iter().all(|name| match name.split_once('.') {
        Some((schema, thing)) => qualified && plain(schema) && plain(thing),
        None => !qualified && plain(name),
    });
    fits.then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let rights = parse(text).expect("a declaration").into_iter();
        rights
            .map(|right| {
                let Right {
                    role, verb, name, ..
                } = &right;
                format!("{role} {verb} {} {name}", right.kind.as_str())
            })
            .collect()
    }

    #[test]
    fn each_right_of_a_statement_is_for_each_thing_and_each_role() {
        let text = "-- who; may what\ngrant usage on schema s to a;\n
            grant select, update (x, y)\n on s.t, s.u to a, b; -- and so on
            grant execute on function s.f to b;";
        assert_eq!(
            told(text),
            [
                "a USAGE schema s",
                "a SELECT table s.t",
                "a SELECT table s.u",
                "a UPDATE column s.t.x",
                "a UPDATE column s.t.y",
                "a UPDATE column s.u.x",
                "a UPDATE column s.u.y",
                "b SELECT table s.t",
                "b SELECT table s.u",
                "b UPDATE column s.t.x",
                "b UPDATE column s.t.y",
                "b UPDATE column s.u.x",
                "b UPDATE column s.u.y",
                "b EXECUTE function s.f",
            ]
        );
    }

    #[test]
    fn whatever_is_not_a_plain_grant_is_refused() {
        for text in [
            "revoke select on s.t from a",
            "grant select on t to a",
            "grant select on s.t",
            "grant select on s.t to a with grant option",
            "grant select (x on s.t to a",
            "grant select (x) update on s.t to a",
            "grant select, on s.t to a",
            "grant on s.t to a",
            "grant select (x) on schema s to a",
            "grant select on s.\"T\" to a",
            "grant all privileges on s.t to a",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
