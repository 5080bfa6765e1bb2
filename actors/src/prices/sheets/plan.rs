//! What a try to apply a sheet rests on, and what follows from it.

use eventstore::{Append, Guard};
use schema::{
    Period, StreamId, StreamVersion, TenantId, Versioned, event::SheetFacts, versioned::Sheeted,
};

use super::{Failed, Planned, histories};
use crate::{
    prices::decide::{
        VersionDecider,
        sheet::{Keyed, OfKey, Root, counted},
    },
    runtime::{
        decider::{folded, version_of},
        log_handle::LogHandle,
    },
};

/// How many streams are read with one statement.
const READ_AT_ONCE: usize = 2_500;

/// What a try rests on and what follows from it.
pub(super) struct Plan<K: Sheeted> {
    pub(super) planned: Planned<K>,
    /// What is to be recorded, the sheet's own event last.
    pub(super) appends: Vec<Append>,
}

/// A version that begins in the past, with its line.
pub(super) type Backdated<K> = (u32, (<K as Versioned>::Key<TenantId>, Period));

impl<K: Sheeted> Plan<K> {
    /// What the lines come to, and which of them open something that begins in the past.
    pub(super) fn of(
        mut keyed: Vec<Read<K>>,
        facts: SheetFacts,
        root: &Root,
    ) -> (Self, Vec<Backdated<K>>) {
        let (mut steps, mut refused, mut backdated) = (Vec::new(), Vec::new(), Vec::new());
        let (mut appends, mut guards) = (Vec::with_capacity(keyed.len() + 1), Vec::new());
        for Read {
            stream,
            version,
            keyed,
        } in &mut keyed
        {
            let mut events = Vec::new();
            let done = keyed.steps(root);
            for (line, step) in keyed.lines.iter().zip(done) {
                match step {
                    Ok(step) => {
                        let period = step.backdated(root);
                        backdated.extend(period.map(|past| (line.number, (line.key, past))));
                        events.extend(step.events(&keyed.key, root));
                        steps.push(step);
                    }
                    Err(refusal) => refused.push(refusal),
                }
            }
            let (stream, expected) = (*stream, *version);
            if events.is_empty() {
                // That nothing is to be done rests on what the stream says.
                guards.push(Guard {
                    stream,
                    version: expected,
                });
            } else {
                appends.push(Append {
                    stream,
                    expected,
                    events,
                    guards: Vec::new(),
                });
            }
        }
        steps.sort_by_key(|step| step.line);
        let facts = counted(facts, &steps);
        let id = root.event();
        appends.push(Append {
            stream: root.stream,
            expected: StreamVersion::NONE,
            events: vec![root.origin.record(id, K::applied(facts.clone()))],
            guards,
        });
        let planned = Planned {
            facts,
            steps,
            refused,
        };
        (Self { planned, appends }, backdated)
    }
}

/// The lines of one key, with what its stream says.
pub(super) struct Read<K: Sheeted> {
    stream: StreamId,
    version: StreamVersion,
    keyed: Keyed<K>,
}

/// Reads the streams of all keys.
pub(super) async fn read<K: Sheeted>(
    log: &LogHandle,
    lines: Vec<OfKey<K>>,
) -> Result<Vec<Read<K>>, Failed> {
    let mut all = Vec::with_capacity(lines.len());
    let mut lines = lines.into_iter().peekable();
    while lines.peek().is_some() {
        let chunk: Vec<_> = lines.by_ref().take(READ_AT_ONCE).collect();
        let streams: Vec<_> = chunk.iter().map(|(stream, ..)| *stream).collect();
        let histories = histories(log, &streams).await?;
        for ((stream, key, lines), history) in chunk.into_iter().zip(histories) {
            all.push(Read {
                stream,
                version: version_of(&history),
                keyed: Keyed {
                    key,
                    timeline: folded::<VersionDecider<K>>(&history),
                    lines,
                },
            });
        }
    }
    Ok(all)
}
