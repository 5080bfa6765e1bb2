//! The log as the auditor reads it: its own picture, made from SQL and JSON alone.

use std::collections::HashMap;

use schema::{Category, Status, StreamId, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    adjustment_facts::Adjustment,
    billing_facts::{
        Account, Advanced, Assessed, Charged, Closed, Conflict, CostOpened, Disclosed, Held,
        Looked, PriceOpened, RateOpened, SheetApplied,
    },
    statement_facts::Compared,
};

/// One row of `eventlog.event`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogEvent {
    pub(super) position: i64,
    /// The category as stored, if it is a known one.
    pub(super) category: Option<Category>,
    pub(super) stream: Uuid,
    pub(super) version: i32,
    pub(super) event_id: Uuid,
    /// The tenant's pseudonym.
    pub(super) tenant: Option<Uuid>,
    pub(super) account: Option<Uuid>,
    pub(super) recorded_at: Timestamp,
    /// Who caused it, where a table shows that.
    pub(super) principal: Option<Box<str>>,
    pub(super) body: Body,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    Recorded {
        receipt: Receipt,
        changed_status: bool,
    },
    Settled {
        receipt: Receipt,
        segments: i16,
    },
    Late {
        receipt: Receipt,
        settled_as: Status,
    },
    Orphaned {
        receipt: Receipt,
    },
    Matched(Match),
    Charged(Box<Charged>),
    Held(Box<Held>),
    Conflict(Box<Conflict>),
    Account(Box<Account>),
    PriceOpened(Box<PriceOpened>),
    PriceClosed(Closed),
    CostOpened(Box<CostOpened>),
    CostClosed(Closed),
    /// A sheet of prices or costs was applied.
    SheetApplied(Box<SheetApplied>),
    Adjustment(Box<Adjustment>),
    RateOpened(Box<RateOpened>),
    RateClosed(Closed),
    /// What charges cost was assessed again.
    Assessed(Box<Assessed>),
    /// How far that is for a change.
    Advanced(Advanced),
    /// Somebody looked, or wanted to look, at data that is not theirs.
    Looked(Box<Looked>),
    /// A tenant is to be erased, by the announcement of this id.
    ErasureRequested(Uuid),
    /// A tenant is erased.
    Erased,
    /// A carrier's statement was compared.
    Compared(Box<Compared>),
    /// Somebody was shown what is sealed.
    Revealed(Box<Disclosed>),
    /// Of a category this auditor does not follow.
    Elsewhere,
    /// Its type or its payload is not understood.
    Unreadable,
}

/// What a receipt's event says of the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub(super) source_event_id: Uuid,
    pub(super) operator_id: Uuid,
    pub(super) operator_message_id: Box<str>,
    pub(super) raw_stat: Box<str>,
    pub(super) dlr_status: Status,
    pub(super) error_code: Option<Box<str>>,
    pub(super) delivered_at: Timestamp,
    pub(super) stated_delivered_at: Option<Timestamp>,
    pub(super) received_at: Timestamp,
}

/// That an orphan found its message, each by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Match {
    #[serde(rename = "orphanId")]
    pub(super) orphan: Uuid,
    #[serde(rename = "messageId")]
    pub(super) message: Uuid,
    #[serde(rename = "receiptId")]
    pub(super) receipt: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    receipt: Receipt,
    changed_status: Option<bool>,
    segment_count: Option<i16>,
    settled_as: Option<Status>,
}

impl Body {
    /// Reads what is stored under `name` in a stream of `category`.
    pub(super) fn read(category: Option<Category>, name: &str, payload: &str) -> Self {
        let read = match (category, name) {
            (Some(Category::Message | Category::Orphan), "OrphanMatched") => {
                serde_json::from_str(payload).ok().map(Self::Matched)
            }
            (Some(Category::Message | Category::Orphan), _) => serde_json::from_str(payload)
                .ok()
                .and_then(|payload| Self::of(name, payload)),
            (Some(category), _) => Self::of_billing(category, name, payload),
            (None, _) => None,
        };
        read.unwrap_or(Self::Unreadable)
    }

    fn of(name: &str, payload: Payload) -> Option<Self> {
        let receipt = payload.receipt;
        Some(match name {
            "ReceiptRecorded" => Self::Recorded {
                receipt,
                changed_status: payload.changed_status?,
            },
            "MessageSettled" => Self::Settled {
                receipt,
                segments: payload.segment_count?,
            },
            "LateReceiptRecorded" => Self::Late {
                receipt,
                settled_as: payload.settled_as?,
            },
            "ReceiptOrphaned" => Self::Orphaned { receipt },
            _ => return None,
        })
    }

    /// The category of the streams it belongs to.
    pub(super) const fn belongs_to(&self) -> Option<Category> {
        match self {
            Self::Recorded { .. } | Self::Settled { .. } | Self::Late { .. } => {
                Some(Category::Message)
            }
            Self::Orphaned { .. } | Self::Matched(_) => Some(Category::Orphan),
            Self::Charged(_) | Self::Held(_) | Self::Conflict(_) => Some(Category::Charge),
            Self::Account(_) => Some(Category::Account),
            Self::PriceOpened(_)
            | Self::PriceClosed(_)
            | Self::CostOpened(_)
            | Self::CostClosed(_)
            | Self::RateOpened(_)
            | Self::RateClosed(_) => Some(Category::Price),
            Self::SheetApplied(_) => Some(Category::Sheet),
            Self::Adjustment(_) => Some(Category::Adjustment),
            Self::Assessed(_) | Self::Advanced(_) => Some(Category::Assessment),
            Self::Looked(_) | Self::Revealed(_) => Some(Category::Audit),
            Self::Compared(_) => Some(Category::Statement),
            Self::ErasureRequested(_) | Self::Erased => Some(Category::Tenant),
            Self::Elsewhere | Self::Unreadable => None,
        }
    }
}

impl LogEvent {
    /// The receipt it records, if it records one.
    pub(super) const fn receipt(&self) -> Option<&Receipt> {
        match &self.body {
            Body::Recorded { receipt, .. }
            | Body::Settled { receipt, .. }
            | Body::Late { receipt, .. }
            | Body::Orphaned { receipt } => Some(receipt),
            _ => None,
        }
    }

    /// The receipt it records in the stream of a message.
    pub(super) fn message_receipt(&self) -> Option<&Receipt> {
        self.receipt().filter(|_| self.is_in(Category::Message))
    }

    pub(super) fn is_in(&self, category: Category) -> bool {
        self.category == Some(category)
    }

    /// Whether it changed its message's status, by its place: a settlement, or the first of all.
    pub(super) fn changes_status(&self) -> bool {
        match self.body {
            Body::Settled { .. } => true,
            Body::Recorded { .. } => self.version == 1,
            _ => false,
        }
    }
}

/// A log, ordered by position.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) events: Vec<LogEvent>,
    /// Places in `events`, ordered by stream, within a stream by position.
    by_stream: Vec<usize>,
    /// The head's position and time, if there is a head.
    pub(super) head: Option<(i64, Option<Timestamp>)>,
    /// Tenants by pseudonym.
    pub(super) tenants: HashMap<Uuid, Uuid>,
    /// Positions that projections have applied, by name.
    pub(super) checkpoints: Vec<(String, i64)>,
}

impl Log {
    pub(super) fn new(events: Vec<LogEvent>) -> Self {
        let mut by_stream: Vec<_> = (0..events.len()).collect();
        by_stream.sort_by_key(|&place| (events[place].category, events[place].stream, place));
        Self {
            events,
            by_stream,
            ..Self::default()
        }
    }

    /// All streams, each with its events in order.
    pub(super) fn streams(&self) -> impl Iterator<Item = Vec<&LogEvent>> {
        let same = |&one: &usize, &two: &usize| {
            let (one, two) = (&self.events[one], &self.events[two]);
            (one.category, one.stream) == (two.category, two.stream)
        };
        self.by_stream.chunk_by(same).map(|places| self.at(places))
    }

    /// The events of one stream in order; none if there is no such stream.
    pub(super) fn stream(&self, stream: StreamId) -> Vec<&LogEvent> {
        let key = (Some(stream.category), stream.id);
        let of = |&place: &usize| (self.events[place].category, self.events[place].stream);
        let from = self.by_stream.partition_point(|place| of(place) < key);
        let rest = &self.by_stream[from..];
        self.at(&rest[..rest.partition_point(|place| of(place) == key)])
    }

    /// The event at a position and its place in `events`.
    pub(super) fn at_position(&self, position: i64) -> Option<(usize, &LogEvent)> {
        let place = self
            .events
            .binary_search_by_key(&position, |event| event.position)
            .ok()?;
        Some((place, &self.events[place]))
    }

    fn at(&self, places: &[usize]) -> Vec<&LogEvent> {
        places.iter().map(|&place| &self.events[place]).collect()
    }
}
