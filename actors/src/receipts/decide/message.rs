//! What a receipt does to its message.
//!
//! Every accepted receipt is exactly one event. The first final receipt settles the message;
//! whatever comes after it is kept and changes nothing. The same receipt again (operator, operator
//! message id, status) is a duplicate and adds nothing. An intermediate receipt never stands in
//! the way of a final one.
//!
//! A message keeps at most six receipts per segment, one of each status: whoever can send receipts
//! could otherwise let one stream grow without end. The last place is kept for the receipt that
//! settles.

use std::collections::BTreeSet;

use eventstore::{EventData, RecordedEvent, keyring::TenantKey};
use schema::{
    AccountId, Event, EventId, MessageId, OperatorId, OperatorMessageId, Personal, ReceiptFacts,
    ReceiptPrivate, ReceivedReceipt, Sealed, Status, Timestamp,
    event::{LateReceiptRecorded, MessageSettled, ReceiptRecorded},
};

use super::origin;
use crate::runtime::{
    decider::{Command, Decider, Decision, EventPlace},
    origin::Origin,
};

/// The most receipts a message keeps for each of its segments: one of each status.
const RECEIPTS_PER_SEGMENT: usize = Status::ALL.len();

/// The refusal of a receipt whose message keeps no more of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepsNoMore;

/// A receipt's identity within its message.
type Identity = (OperatorId, OperatorMessageId, Status);

/// The receipts of a message, and whether one of them settled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// No final receipt yet.
    Open {
        /// The receipts recorded so far, all of them intermediate.
        receipts: BTreeSet<Identity>,
    },
    /// A final receipt came: its status is what the message is billed and shown as.
    Settled {
        /// The status of the first final receipt.
        status: Status,
        /// All receipts recorded.
        receipts: BTreeSet<Identity>,
    },
}

impl Default for Message {
    fn default() -> Self {
        Self::Open {
            receipts: BTreeSet::new(),
        }
    }
}

impl Message {
    /// Whether a message of so many segments keeps this receipt beside those it has.
    fn has_place_for(&self, receipt: &ReceiptFacts, segments: i16) -> bool {
        let places = usize::from(segments.unsigned_abs()) * RECEIPTS_PER_SEGMENT;
        match self {
            Self::Open { .. } if receipt.dlr_status.is_final() => true,
            Self::Open { receipts } => receipts.len() + 1 < places,
            Self::Settled { receipts, .. } => receipts.len() < places,
        }
    }
}

/// The message a receipt belongs to, as the orchestrator knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedMessage {
    /// The message.
    pub id: MessageId,
    /// On which account.
    pub account: AccountId,
    /// SMS segments to bill.
    pub segment_count: i16,
    /// When the customer handed it in.
    pub enqueued_at: Timestamp,
    /// The recipient, E.164.
    pub to: Personal,
    /// What the customer attached, JSON.
    pub metadata: Option<Personal>,
}

/// Record this receipt of this message.
#[derive(Debug, Clone)]
pub struct RecordReceipt {
    /// Operator, ids, status and times of the receipt.
    pub receipt: ReceiptFacts,
    /// Phone numbers and payload of the receipt.
    pub private: ReceiptPrivate,
    /// The message it belongs to.
    pub message: MatchedMessage,
    /// The tenant's pseudonym and key.
    pub tenant: TenantKey,
    /// The message that brought it.
    pub origin: Origin,
}

/// Decides for the streams of category `message`.
#[derive(Debug)]
pub struct MessageDecider;

impl Decider for MessageDecider {
    type State = Message;
    type Command = RecordReceipt;
    type Refusal = KeepsNoMore;

    fn fold(state: &mut Message, event: &RecordedEvent) {
        let event = &event.data.event;
        let Some(receipt) = event.receipt() else {
            return;
        };
        let (Message::Open { receipts } | Message::Settled { receipts, .. }) = &mut *state;
        receipts.insert(identity(receipt));
        if matches!(event, Event::MessageSettled(_)) {
            let receipts = std::mem::take(receipts);
            *state = Message::Settled {
                status: receipt.dlr_status,
                receipts,
            };
        }
    }

    fn decide(state: &Message, command: &RecordReceipt) -> Result<Decision, KeepsNoMore> {
        let message = &command.message;
        let receipt = command.receipt.clone().not_before(message.enqueued_at);
        let (Message::Open { receipts } | Message::Settled { receipts, .. }) = state;
        if receipts.contains(&identity(&receipt)) {
            return Ok(Decision::NOTHING);
        }
        if !state.has_place_for(&receipt, message.segment_count) {
            return Err(KeepsNoMore);
        }
        let event = match state {
            Message::Settled { status, .. } => Event::LateReceiptRecorded(LateReceiptRecorded {
                receipt,
                settled_as: *status,
            }),
            Message::Open { .. } if receipt.dlr_status.is_final() => {
                let segment_count = message.segment_count;
                Event::MessageSettled(MessageSettled {
                    receipt,
                    segment_count,
                })
            }
            Message::Open { receipts } => {
                let changed_status = receipts.is_empty();
                Event::ReceiptRecorded(ReceiptRecorded {
                    receipt,
                    changed_status,
                })
            }
        };
        Ok(Decision::record([event]))
    }

    fn is_finished(state: &Message) -> bool {
        matches!(state, Message::Settled { .. })
    }
}

fn identity(receipt: &ReceiptFacts) -> Identity {
    (
        receipt.operator_id,
        receipt.operator_message_id.clone(),
        receipt.dlr_status,
    )
}

impl RecordReceipt {
    /// The command to record what was received with the message it was found to belong to.
    #[must_use]
    pub fn new(
        received: ReceivedReceipt,
        message: MatchedMessage,
        tenant: TenantKey,
        trace: Option<String>,
    ) -> Self {
        Self {
            origin: origin(&received.facts, trace),
            receipt: received.facts,
            private: received.private,
            message,
            tenant,
        }
    }
}

impl Command for RecordReceipt {
    fn record(&self, place: EventPlace, event: Event) -> EventData {
        let receipt = event.receipt().unwrap_or(&self.receipt);
        let id = EventId::of_receipt(
            place.stream,
            receipt.operator_id,
            &receipt.operator_message_id,
            receipt.dlr_status,
        );
        let occurred_at = receipt.delivered_at;
        // Only what changes the status is announced to the customer and needs their number.
        let announced = match &event {
            Event::ReceiptRecorded(event) => event.changed_status,
            Event::MessageSettled(_) => true,
            _ => false,
        };
        let fields = [
            (Sealed::TO, announced.then_some(&self.message.to)),
            (
                Sealed::METADATA,
                self.message.metadata.as_ref().filter(|_| announced),
            ),
            (Sealed::SOURCE_ADDR, self.private.source_addr.as_ref()),
            (Sealed::DEST_ADDR, self.private.dest_addr.as_ref()),
            (Sealed::RAW_PAYLOAD, self.private.raw_payload.as_ref()),
        ];
        let sealed = fields.into_iter().filter_map(|(field, personal)| {
            let sealed = self.tenant.seal(&place.of_field(field), personal?)?;
            Some((field.to_owned(), sealed))
        });
        EventData {
            tenant: Some(self.tenant.pseudonym),
            account: Some(self.message.account),
            occurred_at,
            sealed: Sealed(sealed.collect()),
            ..self.origin.record(id, event)
        }
    }
}

#[cfg(test)]
mod tests;
