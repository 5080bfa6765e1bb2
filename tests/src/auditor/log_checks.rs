//! Checks that the log alone can fail: its order, its ids, its checkpoints.

use std::collections::HashSet;

use schema::{Category, EventId, OperatorId, OperatorMessageId, StreamId};
use uuid::Uuid;

use super::{
    Invariant,
    facts::{Body, Log, LogEvent, Receipt},
    findings::Findings,
};

pub(super) fn check(log: &Log, projections: &[&str], findings: &mut Findings) {
    positions(log, findings);
    streams(log, findings);
    ids(log, findings);
    erasures(log, findings);
    checkpoints(log, projections, findings);
}

fn positions(log: &Log, findings: &mut Findings) {
    let mut next = 1;
    let mut latest = None;
    for event in &log.events {
        let LogEvent {
            position,
            recorded_at,
            ..
        } = *event;
        if position > next {
            findings.lost(Invariant::LogDense, || {
                format!("positions {next} to {}", position - 1)
            });
        } else if position < next {
            findings.doubled(Invariant::LogDense, || format!("position {position}"));
        }
        next = position + 1;
        findings.hold(
            Invariant::RecordedAtMonotone,
            latest <= Some(recorded_at),
            || {
                format!(
                    "position {position} was recorded at {recorded_at}, before the one before it"
                )
            },
        );
        latest = latest.max(Some(recorded_at));
    }
    let (head, at) = log.head.unwrap_or((0, None));
    findings.hold(Invariant::LogDense, head == next - 1, || {
        format!("the head says {head}, the last event is {}", next - 1)
    });
    findings.hold(
        Invariant::RecordedAtMonotone,
        at.is_none() || at >= latest,
        || "the head is older than the last event".into(),
    );
}

fn streams(log: &Log, findings: &mut Findings) {
    for stream in log.streams() {
        for (expected, event) in (1..).zip(&stream) {
            let LogEvent {
                version,
                position,
                stream,
                ..
            } = event;
            findings.hold(Invariant::VersionsDense, *version == expected, || {
                format!("stream {stream}: version {version} at {position}, not {expected}")
            });
        }
    }
}

fn ids(log: &Log, findings: &mut Findings) {
    let mut seen = HashSet::with_capacity(log.events.len());
    for event in &log.events {
        let LogEvent {
            position, event_id, ..
        } = *event;
        if !seen.insert(event_id) {
            findings.doubled(Invariant::IdsDerived, || format!("event id {event_id}"));
        }
        let misplaced = match event.body {
            Body::Unreadable => true,
            Body::Elsewhere => false,
            _ => event.body.belongs_to() != event.category,
        };
        if misplaced {
            findings.wrong(Invariant::EventsReadable, || format!("position {position}"));
        } else if let Some((stream, id)) = derived(event) {
            findings.hold(
                Invariant::IdsDerived,
                (stream, id) == (event.stream, event_id),
                || format!("position {position}: stream {stream} and event id {id} were due"),
            );
        }
    }
}

fn erasures(log: &Log, findings: &mut Findings) {
    let mut requested = HashSet::new();
    for event in &log.events {
        match event.body {
            Body::ErasureRequested(_) => {
                requested.insert(event.stream);
            }
            Body::Erased => {
                let forgotten = !log.tenants.contains_key(&event.stream);
                let asked = requested.contains(&event.stream);
                findings.hold(Invariant::ErasedForgotten, asked && forgotten, || {
                    format!("position {}: tenant {}", event.position, event.stream)
                });
            }
            _ => {}
        }
    }
}

/// Stream and event id as they follow from what happened.
fn derived(event: &LogEvent) -> Option<(Uuid, Uuid)> {
    match &event.body {
        Body::Recorded { receipt, .. }
        | Body::Settled { receipt, .. }
        | Body::Late { receipt, .. } => {
            let stream = StreamId {
                category: Category::Message,
                id: event.stream,
            };
            Some((event.stream, receipt_id(stream, receipt)?))
        }
        Body::Orphaned { receipt } => {
            let name = OperatorMessageId::new(&receipt.operator_message_id)?;
            let operator = OperatorId(receipt.operator_id);
            let stream = StreamId::orphan(operator, &name);
            let (status, arrived) = (receipt.dlr_status, receipt.received_at);
            let id = EventId::of_orphan(operator, &name, status, arrived);
            Some((stream.id, id.0))
        }
        Body::Matched(matched) => Some((
            event.stream,
            EventId::of_orphan_match(EventId(matched.orphan)).0,
        )),
        _ => event.derived_in_billing(),
    }
}

fn receipt_id(stream: StreamId, receipt: &Receipt) -> Option<Uuid> {
    let name = OperatorMessageId::new(&receipt.operator_message_id)?;
    let operator = OperatorId(receipt.operator_id);
    Some(EventId::of_receipt(stream, operator, &name, receipt.dlr_status).0)
}

fn checkpoints(log: &Log, projections: &[&str], findings: &mut Findings) {
    let (head, _) = log.head.unwrap_or((0, None));
    for (name, position) in &log.checkpoints {
        findings.hold(Invariant::CheckpointsAtHead, *position == head, || {
            format!("{name} is at {position}, the head at {head}")
        });
    }
    for name in projections {
        if !log.checkpoints.iter().any(|(there, _)| there == name) {
            findings.lost(Invariant::CheckpointsAtHead, || {
                format!("{name} has no checkpoint")
            });
        }
    }
}
