//! What each user of NATS may say and hear, read out of `k8s/nats/accounts.conf` itself, and what
//! a server must make of it.
//!
//! It reads the form that file is written in and no other: a word it does not know is a fault.

/// The file that each server of the hub includes.
pub const COMMITTED: &str = include_str!("../../../k8s/nats/accounts.conf");

/// A user, and what the file lets it do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// Its name.
    pub user: String,
    /// Its account.
    pub account: String,
    /// The patterns it may publish on, after the mappings.
    pub publish: Vec<String>,
    /// The patterns it may subscribe to.
    pub subscribe: Vec<String>,
    /// What its account turns into what: subjects asked for and subjects judged.
    pub mappings: Vec<(String, String)>,
    /// What its account imports: the subject in the account of the streams, and its name here.
    pub imports: Vec<(String, String)>,
}

/// Every user of the file.
#[must_use]
pub fn committed() -> Vec<Rights> {
    parse(COMMITTED)
}

/// Every user of `text`, which has the form of `accounts.conf`.
///
/// # Panics
/// It has another form.
#[must_use]
pub fn parse(text: &str) -> Vec<Rights> {
    let mut all: Vec<Rights> = Vec::new();
    let mut rights = Rights::default();
    let mut part = Part::Other;
    for line in text.lines().map(str::trim) {
        let words = quoted(line);
        if line.is_empty() || line.starts_with('#') {
        } else if line == "]" || line == "] }" || line == "}" {
            part = part.closed(line);
        } else if let Some(account) = line.strip_suffix(" {").filter(|name| is_account(name)) {
            all.extend(finished(&mut rights));
            account.clone_into(&mut rights.account);
        } else if line.starts_with("user:") {
            rights.user.clone_from(&words[0]);
        } else if let Some(begun) = Part::begun_by(line) {
            part = begun;
            if line.ends_with('}') {
                rights.take(part, words, line);
                part = Part::Other;
            }
        } else {
            rights.take(part, words, line);
        }
    }
    all.extend(finished(&mut rights));
    all
}

/// The list a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Other,
    Publish,
    Subscribe,
    Mappings,
    Imports,
    /// Of the account of the streams; says nothing that imports do not say.
    Exports,
}

impl Part {
    fn begun_by(line: &str) -> Option<Self> {
        let parts = [
            ("publish: { allow: [", Self::Publish),
            ("subscribe: { allow: [", Self::Subscribe),
            ("mappings: {", Self::Mappings),
            ("imports: [", Self::Imports),
            ("exports: [", Self::Exports),
        ];
        let mut begun = parts.into_iter();
        begun.find_map(|(word, part)| line.starts_with(word).then_some(part))
    }

    fn closed(self, by: &str) -> Self {
        let ends = match self {
            Self::Publish | Self::Subscribe => by == "] }",
            Self::Mappings => by == "}",
            Self::Imports | Self::Exports => by == "]",
            Self::Other => true,
        };
        assert!(ends, "{by} does not end {self:?}");
        Self::Other
    }
}

impl Rights {
    fn take(&mut self, part: Part, words: Vec<String>, line: &str) {
        match (part, words.as_slice()) {
            (Part::Publish, _) => self.publish.extend(words),
            (Part::Subscribe, _) => self.subscribe.extend(words),
            (Part::Mappings, [from, to]) => self.mappings.push((from.clone(), to.clone())),
            (Part::Imports, [subject]) => self.imports.push((subject.clone(), subject.clone())),
            (Part::Imports, [subject, to]) => self.imports.push((subject.clone(), to.clone())),
            (Part::Exports, [_, ..]) => {}
            (Part::Other, []) if KNOWN.contains(&line) => {}
            _ => panic!("not a line of accounts.conf: {line}"),
        }
    }

    /// Whether the server lets the user publish on `subject`.
    #[must_use]
    pub fn may_publish(&self, subject: &str) -> bool {
        let judged = self.mapped(subject);
        self.publish.iter().any(|allowed| matches(allowed, &judged))
    }

    /// Whether the server lets the user subscribe to `subject`, which may hold wildcards: each
    /// stands for itself, so that one `*` of a list covers it too, as any other word.
    #[must_use]
    pub fn may_subscribe(&self, subject: &str) -> bool {
        self.subscribe
            .iter()
            .any(|allowed| matches(allowed, subject))
    }

    /// Where in the account of the streams a message for `subject` comes out.
    #[must_use]
    pub fn arrives_as(&self, subject: &str) -> Option<String> {
        let here = self.mapped(subject);
        let mut imports = self.imports.iter();
        imports.find_map(|(there, name)| {
            let caught = captures(name, &here)?;
            Some(filled(there, &caught))
        })
    }

    /// What the account's mappings make of a subject.
    fn mapped(&self, subject: &str) -> String {
        let found = self.mappings.iter().find_map(|(from, to)| {
            let caught = captures(from, subject)?;
            let mut judged = to.clone();
            for (number, word) in (1..).zip(caught) {
                judged = judged.replace(&format!("{{{{wildcard({number})}}}}"), word);
            }
            Some(judged)
        });
        found.unwrap_or_else(|| subject.to_owned())
    }
}

/// Lines that hold nothing for a user.
const KNOWN: [&str; 6] = [
    "accounts {",
    "jetstream: enabled",
    "users: []",
    "users: [",
    "permissions: {",
    "{",
];

fn is_account(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_uppercase())
}

/// The user that is complete; the account of the streams has none.
fn finished(rights: &mut Rights) -> Option<Rights> {
    let done = std::mem::take(rights);
    (!done.user.is_empty()).then_some(done)
}

/// The words between quotes.
fn quoted(line: &str) -> Vec<String> {
    let words = line.split('"').skip(1).step_by(2);
    words.map(ToOwned::to_owned).collect()
}

fn matches(pattern: &str, subject: &str) -> bool {
    captures(pattern, subject).is_some()
}

/// The words of `subject` that stand where `pattern` has a `*`, if it matches.
fn captures<'a>(pattern: &str, subject: &'a str) -> Option<Vec<&'a str>> {
    let (pattern, subject): (Vec<_>, Vec<_>) =
        (pattern.split('.').collect(), subject.split('.').collect());
    if pattern.len() != subject.len() {
        return None;
    }
    let mut caught = Vec::new();
    for (allowed, word) in pattern.into_iter().zip(subject) {
        match allowed {
            "*" if !word.is_empty() => caught.push(word),
            _ if allowed == word => {}
            _ => return None,
        }
    }
    Some(caught)
}

/// A pattern with these words in place of its `*`.
fn filled(pattern: &str, words: &[&str]) -> String {
    let mut words = words.iter();
    let filled = pattern.split('.').map(|word| match word {
        "*" => words.next().copied().unwrap_or("*"),
        word => word,
    });
    filled.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a leaf node includes.
    const LEAF: &str = include_str!("../../../k8s/nats/leaf.conf");

    #[test]
    fn the_file_is_read_with_its_mappings_and_imports() {
        let all = committed();
        let admin = all.iter().find(|rights| rights.user == "tollbook-admin");
        let admin = admin.expect("the admin");
        let asked = "$JS.API.CONSUMER.INFO.SMS_DLR.mine";
        assert!(admin.may_publish(asked));
        assert_eq!(admin.arrives_as(asked).as_deref(), Some(asked));
        assert!(!admin.may_publish("$JS.API.STREAM.PURGE.SMS_DLR"));
        let dlr = all.iter().find(|rights| rights.user == "dlr-processor");
        let dlr = dlr.expect("the receipt processor");
        assert_eq!((dlr.account.as_str(), dlr.publish.len()), ("DLR", 7));
        assert!(dlr.may_subscribe("_INBOX_dlr.x.y"));
        assert!(!dlr.may_subscribe("_INBOX_billing.x.y"));
    }

    #[test]
    fn whatever_may_be_published_is_imported_and_the_reverse() {
        for rights in committed() {
            let imported = rights.imports.iter().map(|(_, name)| name);
            assert_eq!(
                imported.collect::<Vec<_>>(),
                rights.publish.iter().collect::<Vec<_>>(),
                "{}",
                rights.user
            );
        }
    }

    #[test]
    fn no_permission_is_a_full_wildcard_and_every_inbox_is_its_users_alone() {
        let mut prefixes = Vec::new();
        for rights in committed() {
            for pattern in rights.publish.iter().chain(&rights.subscribe) {
                assert!(!pattern.contains('>'), "{pattern}");
                assert!(!pattern.starts_with('*'), "{pattern}");
            }
            let inboxes = rights.subscribe.iter().filter(|p| p.starts_with("_INBOX"));
            let inboxes: Vec<_> = inboxes.filter_map(|p| p.split_once('.')).collect();
            assert_eq!(inboxes.len(), 2, "{}", rights.user);
            assert_eq!(inboxes[0].0, inboxes[1].0);
            assert!(!prefixes.contains(&inboxes[0].0.to_owned()));
            prefixes.push(inboxes[0].0.to_owned());
        }
    }

    #[test]
    fn a_leaf_node_has_the_lists_of_the_hub_for_those_it_links_and_links_nobody_else() {
        let (_, accounts) = LEAF.split_once("\naccounts {").expect("accounts");
        let leaf = parse(accounts);
        assert_eq!(leaf.len(), 2);
        for mut here in leaf {
            let mut hub = committed().into_iter();
            let there = hub.find(|there| there.user == here.user).expect("known");
            here.imports.clone_from(&there.imports);
            assert_eq!(here, there);
        }
    }
}
