//! What a carrier's word about a message means (CONTRACTS 4).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fate of a message as Tollbook tells it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// On the handset.
    Delivered,
    /// The carrier gave up.
    Undelivered,
    /// Its validity period ran out.
    Expired,
    /// Deleted, failed or skipped on the way.
    Failed,
    /// Refused by the carrier.
    Rejected,
    /// On its way, or a word nobody knows. The only status that is not final.
    Unknown,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Delivered,
        Self::Undelivered,
        Self::Expired,
        Self::Failed,
        Self::Rejected,
        Self::Unknown,
    ];

    /// The status a carrier's word stands for; case does not matter, an unknown word is `Unknown`.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_uppercase().as_str() {
            "DELIVRD" | "DELIVERED" => Self::Delivered,
            "UNDELIV" | "UNDELIVERABLE" | "UNDELIVERED" => Self::Undelivered,
            "EXPIRED" => Self::Expired,
            "DELETED" | "FAILED" | "SKIPPED" => Self::Failed,
            "REJECTD" | "REJECTED" => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    /// The name used on the wire, in the log and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "DELIVERED",
            Self::Undelivered => "UNDELIVERED",
            Self::Expired => "EXPIRED",
            Self::Failed => "FAILED",
            Self::Rejected => "REJECTED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The status of this name, as Tollbook writes it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether the message's fate is sealed by it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_the_contract_says_in_any_case() {
        let table = [
            ("DELIVRD", Status::Delivered),
            ("DELIVERED", Status::Delivered),
            ("UNDELIV", Status::Undelivered),
            ("UNDELIVERABLE", Status::Undelivered),
            ("UNDELIVERED", Status::Undelivered),
            ("EXPIRED", Status::Expired),
            ("DELETED", Status::Failed),
            ("FAILED", Status::Failed),
            ("SKIPPED", Status::Failed),
            ("REJECTD", Status::Rejected),
            ("REJECTED", Status::Rejected),
            ("ACCEPTD", Status::Unknown),
            ("ACCEPTED", Status::Unknown),
            ("ENROUTE", Status::Unknown),
            ("SCHEDULED", Status::Unknown),
            ("UNKNOWN", Status::Unknown),
            ("no-such_word", Status::Unknown),
        ];
        for (word, status) in table {
            assert_eq!(Status::from_word(word), status, "{word}");
            assert_eq!(Status::from_word(&word.to_lowercase()), status, "{word}");
        }
    }

    #[test]
    fn only_unknown_is_not_final() {
        let open: Vec<_> = Status::ALL
            .into_iter()
            .filter(|status| !status.is_final())
            .collect();
        assert_eq!(open, [Status::Unknown]);
    }
}
