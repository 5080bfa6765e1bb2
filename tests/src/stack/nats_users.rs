//! The NATS users and what each may say and hear (CONTRACTS 2). No permission holds a `>`.

use serde_json::{Value, json};

/// A user and its permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    /// The name in the certificate, or of the login.
    pub(super) name: &'static str,
    /// The prefix of its inboxes.
    pub(super) inbox: &'static str,
    publish: Vec<String>,
    subscribe: Vec<String>,
}

impl User {
    fn new(name: &'static str, inbox: &'static str) -> Self {
        let subscribe = vec![format!("{inbox}.*"), format!("{inbox}.*.*")];
        Self {
            name,
            inbox,
            publish: Vec::new(),
            subscribe,
        }
    }

    fn says(mut self, subjects: &[&str]) -> Self {
        self.publish
            .extend(subjects.iter().map(ToString::to_string));
        self
    }

    fn hears(mut self, subjects: &[&str]) -> Self {
        self.subscribe
            .extend(subjects.iter().map(ToString::to_string));
        self
    }

    /// What a pull consumer needs: ask for messages, look at itself, acknowledge (both forms).
    fn pulls(mut self, stream: &str, consumer: &str) -> Self {
        self.publish.extend([
            format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"),
            format!("$JS.ACK.{stream}.{consumer}.*.*.*.*.*"),
            // With domain and account hash in front.
            format!("$JS.ACK.*.*.{stream}.{consumer}.*.*.*.*.*"),
        ]);
        self
    }

    /// The user in the server's configuration; with certificates there is no password.
    pub(super) fn to_config(&self, password: Option<&str>) -> Value {
        let permissions = json!({
            "publish": { "allow": self.publish },
            "subscribe": { "allow": self.subscribe },
        });
        match password {
            Some(password) => {
                json!({ "user": self.name, "password": password, "permissions": permissions })
            }
            None => json!({ "user": self.name, "permissions": permissions }),
        }
    }
}

/// Subjects of our six streams.
const SUBJECTS: [&str; 6] = [
    "sms.dlr.inbound",
    "billing.events",
    "webhook.dispatch",
    "sms.dlr.unmatched",
    "billing.invoice.generated",
    "tenant.erased",
];

/// Making, looking at and removing consumers; a consumer with a filter carries the filter's words.
const CONSUMERS: [&str; 9] = [
    "$JS.API.CONSUMER.CREATE.*",
    "$JS.API.CONSUMER.CREATE.*.*",
    "$JS.API.CONSUMER.CREATE.*.*.*.*",
    "$JS.API.CONSUMER.CREATE.*.*.*.*.*",
    "$JS.API.CONSUMER.DURABLE.CREATE.*.*",
    "$JS.API.CONSUMER.INFO.*.*",
    "$JS.API.CONSUMER.DELETE.*.*",
    "$JS.API.CONSUMER.NAMES.*",
    "$JS.API.CONSUMER.LIST.*",
];

/// Everybody who connects.
pub(super) fn all() -> Vec<User> {
    vec![
        User::new("dlr-processor", "_INBOX_dlr")
            .says(&["billing.events", "webhook.dispatch", "sms.dlr.unmatched"])
            .pulls("SMS_DLR", "dlr-processor")
            .hears(&["sms.dlr.inbound"]),
        User::new("billing-service", "_INBOX_billing")
            .says(&["billing.invoice.generated"])
            .pulls("BILLING_EVENTS", "billing-consumer")
            .pulls("TENANT_EVENTS", "billing-tenant-consumer"),
        User::new("smpp-connector", "_INBOX_connector").says(&["sms.dlr.inbound"]),
        User::new("tollbook-admin", "_INBOX_admin")
            .says(&CONSUMERS)
            .says(&[
                "$JS.API.INFO",
                "$JS.API.STREAM.NAMES",
                "$JS.API.STREAM.LIST",
                "$JS.API.STREAM.INFO.*",
                "$JS.API.STREAM.CREATE.*",
                "$JS.API.STREAM.UPDATE.*",
                "$JS.API.STREAM.DELETE.*",
                "$JS.API.STREAM.PURGE.*",
            ]),
        // For tests alone: reads every stream and makes consumers of its own to do so.
        User::new("observer", "_INBOX_observer")
            .says(&CONSUMERS)
            .hears(&SUBJECTS)
            .says(&[
                "$JS.API.INFO",
                "$JS.API.STREAM.NAMES",
                "$JS.API.STREAM.LIST",
                "$JS.API.STREAM.INFO.*",
                "$JS.API.STREAM.MSG.GET.*",
                "$JS.API.DIRECT.GET.*",
                "$JS.API.CONSUMER.MSG.NEXT.*.*",
                "$JS.ACK.*.*.*.*.*.*.*",
                "$JS.ACK.*.*.*.*.*.*.*.*.*",
                "$JS.FC.*.*.*",
            ]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_permission_holds_a_full_wildcard() {
        for user in all() {
            let config = user.to_config(None).to_string();
            assert!(!config.contains('>'), "{}: {config}", user.name);
        }
    }
}
