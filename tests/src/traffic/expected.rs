//! What must have come out of a traffic once everything has settled.
//!
//! Computed while the traffic is made, by counting what was sent: no rule of the services is
//! asked. Where the order of arrival decides (which of two finals settles, whether a receipt
//! that raced its row became an orphan first), this says what was sent and no more.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use schema::{AccountId, MessageId, OperatorId, OperatorMessageId, Status, TenantId, Timestamp};
use uuid::Uuid;

use super::{Agreement, Announced, PRIVATE_MARK, words::Word};

/// Everything the auditor needs to know of what was sent.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// Every message of the orchestrator, those without any receipt included.
    pub messages: HashMap<MessageId, Message>,
    /// Receipts whose message never comes to be.
    pub orphans: HashMap<(OperatorId, OperatorMessageId), Vec<Sent>>,
    /// Settlements that were announced to billing without any receipt.
    pub announced: HashMap<MessageId, Vec<Announced>>,
    /// Where the stream of settlements holds something that nobody announced: what billing has to
    /// refuse.
    pub strange: HashSet<u64>,
    /// What was agreed to be charged, if everything is charged by it.
    pub agreement: Option<Agreement>,
    /// How much there was of everything.
    pub counts: Counts,
}

/// One message and the receipts that were sent for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whose message.
    pub tenant: TenantId,
    /// On which account.
    pub account: AccountId,
    /// Through which carrier.
    pub operator: OperatorId,
    /// What the carrier calls its first part.
    pub operator_message: OperatorMessageId,
    /// SMS segments.
    pub segments: i16,
    /// When the customer handed it in.
    pub enqueued: Timestamp,
    /// The recipient's number, without the leading `+`.
    pub to: u64,
    /// The customer's reference in the metadata, if there is any.
    pub reference: Option<u32>,
    /// When its row comes to the orchestrator's table.
    pub row: RowComes,
    /// Every receipt sent for it, exact repeats once.
    pub sent: Vec<Sent>,
}

/// When a message's row is in the orchestrator's table, relative to its first receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowComes {
    /// Before any receipt.
    Before,
    /// After the first receipt, within the grace period.
    WithinGrace,
    /// After the grace period of the first receipt; its receipts become orphans and heal.
    PastGrace,
}

/// One receipt, as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The producer's id of it.
    pub event_id: Uuid,
    /// Which part of the message, 0 for the first.
    pub part: u8,
    /// Whether it is sent in the connector's form.
    pub connector: bool,
    /// The carrier's word.
    pub word: Word,
    /// When it really happened, which it says unless it says something implausible; `None`: it
    /// says nothing.
    pub delivered: Option<Timestamp>,
    /// The implausible time it states instead.
    pub implausible: Option<Timestamp>,
}

impl Sent {
    /// When it counts as happened, if it arrived at `arrived` and its message was handed in at
    /// `enqueued`; and what it says, where that is another time.
    #[must_use]
    pub fn happened(
        &self,
        enqueued: Timestamp,
        arrived: Timestamp,
    ) -> (Timestamp, Option<Timestamp>) {
        let stated = self.implausible.or(self.delivered);
        let said = stated.unwrap_or(arrived);
        let counts = if said > arrived {
            arrived
        } else if said < enqueued {
            enqueued
        } else {
            said
        };
        (counts, stated.filter(|&said| said != counts))
    }
}

impl Message {
    /// What the carrier calls part `part`.
    ///
    /// # Panics
    /// Never, for the parts and names of a traffic.
    #[must_use]
    pub fn operator_message(&self, part: u8) -> OperatorMessageId {
        let first = self.operator_message.as_str();
        let text = if part == 0 {
            first.to_owned()
        } else {
            format!("{first}.{part}")
        };
        // Unwrap safety: the carrier's id is printable and leaves room for a dot and a digit.
        OperatorMessageId::new(&text).expect("printable and short")
    }

    /// The part that the carrier calls `text`, if it is one for which a receipt was sent.
    #[must_use]
    pub fn part_called(&self, text: &str) -> Option<u8> {
        self.sent
            .iter()
            .map(|sent| sent.part)
            .find(|&part| self.operator_message(part).as_str() == text)
    }

    /// The receipts that must be recorded: one per part and status.
    #[must_use]
    pub fn identities(&self) -> BTreeSet<(u8, Status)> {
        self.sent
            .iter()
            .map(|sent| (sent.part, sent.word.status()))
            .collect()
    }

    /// The final statuses that were sent; one of them settles the message.
    #[must_use]
    pub fn finals(&self) -> BTreeSet<Status> {
        self.sent
            .iter()
            .map(|sent| sent.word.status())
            .filter(|status| status.is_final())
            .collect()
    }

    /// The recipient's number as the webhook carries it.
    #[must_use]
    pub fn to_msisdn(&self) -> String {
        format!("+{}", self.to)
    }

    /// What the customer attached to the message.
    #[must_use]
    pub fn metadata(&self) -> Option<BTreeMap<String, String>> {
        let reference = self.reference?;
        Some(
            [(
                "reference".to_owned(),
                format!("{PRIVATE_MARK}-{reference}"),
            )]
            .into(),
        )
    }
}

impl Expected {
    /// Takes in what another traffic expects; both went through the same services.
    pub fn absorb(&mut self, other: Self) {
        self.messages.extend(other.messages);
        self.orphans.extend(other.orphans);
        for (message, announced) in other.announced {
            self.announced.entry(message).or_default().extend(announced);
        }
        self.strange.extend(other.strange);
        self.agreement = self.agreement.take().or(other.agreement);
        self.counts.absorb(&other.counts);
    }
}

/// How much there was of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Messages with a row in the orchestrator's table, sooner or later.
    pub messages: u64,
    /// Everything published to `sms.dlr.inbound`.
    pub sent: u64,
    /// Distinct receipts of messages: each becomes one event in a message's stream.
    pub receipts: u64,
    /// Distinct receipts that stay orphans: each becomes one event in an orphan's stream.
    pub orphans: u64,
    /// Receipts that say again what another said, byte for byte.
    pub exact_repeats: u64,
    /// Receipts that say again what another said, in other words or at another time.
    pub other_repeats: u64,
    /// Messages that reach a final status.
    pub settled: u64,
    /// Messages with an intermediate receipt.
    pub with_intermediate: u64,
    /// Messages with a second, contradicting final receipt.
    pub contradicted: u64,
    /// Messages of several parts with receipts of their own.
    pub multi_part: u64,
    /// Messages whose row comes after the first receipt, within the grace period.
    pub within_grace: u64,
    /// Messages whose row comes after the grace period.
    pub past_grace: u64,
    /// Messages without any receipt.
    pub silent: u64,
    /// Messages of weeks ago whose operator's id a message of today has again; silent, too.
    pub former_lives: u64,
    /// Receipts with an implausible time, repeats included.
    pub implausible: u64,
    /// Receipts that name a message which never existed, or another operator's.
    pub wrong_hints: u64,
    /// Receipts to be refused, by the metric's reason.
    pub invalid: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// All receipts to be refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.invalid.values().sum()
    }

    fn absorb(&mut self, other: &Self) {
        let pairs = [
            (&mut self.messages, other.messages),
            (&mut self.sent, other.sent),
            (&mut self.receipts, other.receipts),
            (&mut self.orphans, other.orphans),
            (&mut self.exact_repeats, other.exact_repeats),
            (&mut self.other_repeats, other.other_repeats),
            (&mut self.settled, other.settled),
            (&mut self.with_intermediate, other.with_intermediate),
            (&mut self.contradicted, other.contradicted),
            (&mut self.multi_part, other.multi_part),
            (&mut self.within_grace, other.within_grace),
            (&mut self.past_grace, other.past_grace),
            (&mut self.silent, other.silent),
            (&mut self.former_lives, other.former_lives),
            (&mut self.implausible, other.implausible),
            (&mut self.wrong_hints, other.wrong_hints),
        ];
        for (sum, more) in pairs {
            *sum += more;
        }
        for (reason, count) in &other.invalid {
            *self.invalid.entry(reason).or_default() += count;
        }
    }
}
