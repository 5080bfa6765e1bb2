//! Compares the projections' tables with the log, row by row as they come in.

use schema::{Category, MessageId, Status, StreamId, Timestamp};
use uuid::Uuid;

use super::{
    Invariant,
    facts::{Body, Log, LogEvent},
    findings::Findings,
};
use crate::{orchestrator::SENT, traffic::Expected};

/// One row of `dlr.delivery_receipts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReceiptRow {
    pub(super) position: i64,
    pub(super) receipt_id: Uuid,
    pub(super) message_id: Uuid,
    pub(super) tenant_id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) operator_id: String,
    pub(super) operator_message_id: String,
    pub(super) raw_stat: String,
    pub(super) dlr_status: String,
    pub(super) error_code: Option<String>,
    pub(super) delivered_at: Timestamp,
    pub(super) correlated_at: Timestamp,
}

/// One row of `dlr.orphaned_receipts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrphanRow {
    pub(super) position: i64,
    pub(super) orphan_id: Uuid,
    pub(super) operator_id: String,
    pub(super) operator_message_id: String,
    pub(super) raw_stat: String,
    pub(super) dlr_status: String,
    pub(super) delivered_at: Timestamp,
    pub(super) received_at: Timestamp,
}

/// One row of `dlr.orphan_resolutions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolutionRow {
    pub(super) position: i64,
    pub(super) orphan_id: Uuid,
    pub(super) resolved_receipt_id: Option<Uuid>,
    pub(super) message_id: Uuid,
}

/// One row of `orch.sms_messages`, as far as we write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatusRow {
    pub(super) message_id: Uuid,
    pub(super) status: String,
    pub(super) dlr_status: Option<String>,
    pub(super) received: bool,
    pub(super) processed: bool,
}

/// Which events of the log a table has shown so far.
pub(super) struct Shown {
    invariant: Invariant,
    table: &'static str,
    seen: Vec<bool>,
}

impl Shown {
    pub(super) fn new(log: &Log, invariant: Invariant, table: &'static str) -> Self {
        Self {
            invariant,
            table,
            seen: vec![false; log.events.len()],
        }
    }

    /// Notes one row; `holds` compares it with the event and its place in `log`.
    pub(super) fn row(
        &mut self,
        log: &Log,
        position: i64,
        findings: &mut Findings,
        holds: impl FnOnce(&LogEvent) -> bool,
    ) {
        let table = self.table;
        let Some((place, event)) = log.at_position(position) else {
            findings.wrong(self.invariant, || {
                format!("{table} {position}: no such event")
            });
            return;
        };
        if std::mem::replace(&mut self.seen[place], true) {
            findings.doubled(self.invariant, || format!("{table} {position}"));
        }
        findings.hold(self.invariant, holds(event), || {
            format!("{table} {position}: the log says something else")
        });
    }

    /// After the last row: what the table should have shown and did not.
    pub(super) fn end(&self, log: &Log, findings: &mut Findings, due: impl Fn(&LogEvent) -> bool) {
        for (event, seen) in log.events.iter().zip(&self.seen) {
            if !seen && due(event) {
                findings.lost(self.invariant, || {
                    format!("{} {}", self.table, event.position)
                });
            }
        }
    }
}

/// Whether a row of `dlr.delivery_receipts` says what its event says.
pub(super) fn receipt_row_holds(log: &Log, event: &LogEvent, row: &ReceiptRow) -> bool {
    let tenant = event
        .tenant
        .and_then(|pseudonym| log.tenants.get(&pseudonym))
        .copied();
    event.message_receipt().is_some_and(|receipt| {
        row.receipt_id == event.event_id
            && row.message_id == event.stream
            && Some(row.tenant_id) == tenant
            && Some(row.account_id) == event.account
            && row.operator_id == receipt.operator_id.to_string()
            && *row.operator_message_id == *receipt.operator_message_id
            && *row.raw_stat == *receipt.raw_stat
            && row.dlr_status == receipt.dlr_status.as_str()
            && row.error_code.as_deref() == receipt.error_code.as_deref()
            && row.delivered_at == receipt.delivered_at
            && row.correlated_at == event.recorded_at
    })
}

/// Whether a row of `dlr.orphaned_receipts` says what its event says.
pub(super) fn orphan_row_holds(event: &LogEvent, row: &OrphanRow) -> bool {
    let Body::Orphaned { receipt } = &event.body else {
        return false;
    };
    row.orphan_id == event.event_id
        && row.operator_id == receipt.operator_id.to_string()
        && *row.operator_message_id == *receipt.operator_message_id
        && *row.raw_stat == *receipt.raw_stat
        && row.dlr_status == receipt.dlr_status.as_str()
        && row.delivered_at == receipt.delivered_at
        && row.received_at == receipt.received_at
}

/// Whether a row of `dlr.orphan_resolutions` says what its event says.
pub(super) fn resolution_row_holds(event: &LogEvent, row: &ResolutionRow) -> bool {
    let Body::Matched(matched) = &event.body else {
        return false;
    };
    row.orphan_id == matched.orphan
        && row.resolved_receipt_id == matched.receipt
        && row.message_id == matched.message
}

/// Compares one row of the orchestrator's table with the message's stream.
pub(super) fn check_status(log: &Log, row: &StatusRow, findings: &mut Findings) {
    let stream = log.stream(StreamId::message(MessageId(row.message_id)));
    let settled = stream.iter().find_map(|event| match &event.body {
        Body::Settled { receipt, .. } => Some(receipt.dlr_status),
        _ => None,
    });
    let heard = stream.iter().any(|event| event.is_in(Category::Message));
    let (status, dlr_status) = match settled {
        Some(status) => (status.as_str(), Some(status.as_str())),
        None => (SENT, heard.then_some(Status::Unknown.as_str())),
    };
    let StatusRow {
        message_id,
        received,
        processed,
        ..
    } = *row;
    let holds = row.status == status
        && row.dlr_status.as_deref() == dlr_status
        && received == heard
        && processed == settled.is_some();
    if holds {
        return;
    }
    let shown = row.dlr_status.as_deref();
    let late = |shown: &str| {
        let other = |it: &Status| it.is_final() && Some(*it) != settled;
        let statuses = stream
            .iter()
            .filter_map(|event| event.receipt())
            .map(|it| it.dlr_status);
        statuses.filter(other).any(|other| other.as_str() == shown)
    };
    if settled.is_some() && shown.is_some_and(|it| it == Status::Unknown.as_str() || late(it)) {
        findings.wrong(Invariant::StatusNeverBack, || {
            format!("message {message_id} was {status} and is {shown:?}")
        });
    } else if heard && !received {
        findings.lost(Invariant::StatusMatchesLog, || {
            format!("message {message_id}")
        });
    } else {
        findings.wrong(Invariant::StatusMatchesLog, || {
            format!("message {message_id} is {shown:?}, the log says {dlr_status:?}")
        });
    }
}

/// Counts the rows of the orchestrator's table that the traffic was to bring.
pub(super) fn check_rows_there(rows: u64, expected: &Expected, findings: &mut Findings) {
    let wanted = u64::try_from(expected.messages.len()).unwrap_or(u64::MAX);
    findings.hold(Invariant::StatusMatchesLog, rows >= wanted, || {
        format!("{rows} rows in orch.sms_messages, {wanted} were to be inserted")
    });
}

/// Messages whose final status was overwritten at some time.
pub(super) fn check_went_back(messages: &[Uuid], findings: &mut Findings) {
    for message in messages {
        findings.wrong(Invariant::StatusNeverBack, || {
            format!("message {message}, at some time")
        });
    }
}
