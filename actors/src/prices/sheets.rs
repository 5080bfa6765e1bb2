//! Applying sheets: many versions at once, all of them or none, and each sheet once.
//!
//! A sheet is decided here and not by the actors of its streams, because what one of them decides
//! alone cannot be taken back. What it rests on is read, the lines are decided, and all events go into
//! the log in one transaction: each stream at the version that was read, and the sheet's own event, the
//! first of its stream. So a sheet is in the log as a whole or not at all, and once, whoever else
//! changes prices and whatever dies; the actors notice as they notice another node. A process applies
//! one sheet at a time, which bounds the memory that sheets take. See
//! `docs/adr/0047-a-sheet-goes-in-as-a-whole.md`.

mod plan;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use eventstore::{
    RecordedEvent, StoreError, Together,
    keyring::{Keyring, KeyringError, KnownTenant},
};
use schema::{
    Position, Pseudonym, SheetId, StreamId, TenantId, Timestamp, event::SheetFacts, id::derive,
    versioned::Sheeted,
};
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use self::plan::{Plan, read};
use super::{
    commands::{Amendable, PlatformCharges},
    decide::{
        sheet::{End, Line, LineRefusal, Reason, Root, Step, by_stream},
        timeline::Refusal,
    },
};
use crate::runtime::{commands::CommandError, log_handle::LogHandle, origin::Origin};

/// How long whoever comes while the actors are built anew waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a sheet is decided anew because somebody changed what it rests on.
const TRIES: usize = 8;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Sheets {
    keyring: Arc<dyn Keyring>,
    charges: Arc<dyn PlatformCharges>,
    log: Arc<watch::Sender<Option<LogHandle>>>,
    turn: Arc<Semaphore>,
}

/// A sheet that somebody wants applied.
#[derive(Debug, Clone)]
pub struct Sheet<K: Sheeted> {
    /// What its author calls it.
    pub id: SheetId,
    /// SHA-256 over its bytes, in lower-case hexadecimal digits.
    pub content: String,
    /// Its lines.
    pub lines: Vec<Line<K>>,
}

/// A sheet that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What came of it.
    pub facts: SheetFacts,
    /// Who wanted it, by the name that the log keeps.
    pub by: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// The position of its event; what its lines did stands before it.
    pub position: Position,
}

/// What would come of a sheet that was not applied.
#[derive(Debug, Clone)]
pub struct Planned<K: Sheeted> {
    /// What would, if nothing is refused.
    pub facts: SheetFacts,
    /// By line.
    pub steps: Vec<Step<K>>,
    /// Which lines are refused.
    pub refused: Vec<LineRefusal>,
}

/// What became of a sheet, or would.
#[derive(Debug, Clone)]
pub enum Answer<K: Sheeted> {
    /// It is applied, now or before.
    Applied(Applied),
    /// It is not.
    Planned(Planned<K>),
}

/// Why a sheet is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetRefusal {
    /// These lines cannot be.
    Lines(Vec<LineRefusal>),
    /// Another sheet was applied under that id.
    IdReused,
}

type Failed = CommandError<SheetRefusal>;

impl Sheets {
    /// Sheets that are applied once the log is [`open`](Self::open).
    #[must_use]
    pub fn new(keyring: Arc<dyn Keyring>, charges: Arc<dyn PlatformCharges>) -> Self {
        Self {
            keyring,
            charges,
            log: Arc::default(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// From now on they are recorded in `log`.
    pub(crate) fn open(&self, log: &LogHandle) {
        self.log.send_replace(Some(log.clone()));
    }

    /// What would come of `sheet`. Nothing is changed.
    ///
    /// # Errors
    /// Another sheet was applied under that id, or a fault.
    pub async fn plan<K: Sheeted + Amendable>(
        &self,
        origin: Origin,
        sheet: Sheet<K>,
    ) -> Result<Answer<K>, Failed> {
        let (_turn, log) = self.turn().await?;
        let root = root(&sheet, origin);
        if let Some(applied) = applied(&log, &sheet, &root).await? {
            return Ok(Answer::Applied(applied));
        }
        let known = self.known(&sheet.lines, false).await?;
        let plan = self.decide(&log, &sheet, &root, &known).await?;
        Ok(Answer::Planned(plan.planned))
    }

    /// Applies `sheet`: all of it or nothing. The same sheet again is applied already.
    ///
    /// # Errors
    /// A refusal, or a fault; after a fault it may be applied all the same.
    pub async fn apply<K: Sheeted + Amendable>(
        &self,
        origin: Origin,
        sheet: Sheet<K>,
    ) -> Result<Applied, Failed> {
        let (_turn, log) = self.turn().await?;
        let root = root(&sheet, origin);
        if let Some(applied) = applied(&log, &sheet, &root).await? {
            return Ok(applied);
        }
        let known = self.known(&sheet.lines, true).await?;
        for _ in 0..TRIES {
            let Plan { planned, appends } = self.decide(&log, &sheet, &root, &known).await?;
            if !planned.refused.is_empty() {
                return Err(CommandError::Refused(SheetRefusal::Lines(planned.refused)));
            }
            let together = log.append_together(appends).await;
            match together.map_err(CommandError::Store)? {
                // All of it is on disk. If we stop here, the same sheet again finds its event.
                Together::Recorded {
                    last, recorded_at, ..
                } => {
                    return Ok(Applied {
                        facts: planned.facts,
                        by: root.origin.principal.into_owned(),
                        at: recorded_at,
                        position: last,
                    });
                }
                // Somebody changed what it rests on, or applied it.
                Together::AlreadyRecorded | Together::Prevented(_) => {
                    if let Some(applied) = applied(&log, &sheet, &root).await? {
                        return Ok(applied);
                    }
                }
                Together::Refused => {
                    let never = StoreError::Misuse("the log will never take it");
                    return Err(CommandError::Store(Arc::new(never)));
                }
            }
        }
        Err(CommandError::Contended)
    }
}

impl Sheets {
    /// The one place there is, and the log.
    async fn turn(&self) -> Result<(tokio::sync::OwnedSemaphorePermit, LogHandle), Failed> {
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let turn = turn.map_err(|_| CommandError::Away)?;
        let mut log = self.log.subscribe();
        let open = timeout(PATIENCE, log.wait_for(Option::is_some)).await;
        let open = open.map_err(|_| CommandError::Away)?;
        let open = open.map_err(|_| CommandError::Away)?.clone();
        open.map(|log| (turn, log)).ok_or(CommandError::Away)
    }

    /// What stands for the tenants of `lines` in the log. Who is new to it is enrolled only if
    /// something is to be written; else it is given a name that the log does not have.
    async fn known<K: Sheeted>(
        &self,
        lines: &[Line<K>],
        enrol: bool,
    ) -> Result<HashMap<TenantId, Pseudonym>, Failed> {
        let tenants: BTreeSet<_> = lines
            .iter()
            .filter_map(|line| K::tenant(&line.key))
            .collect();
        let tenants: Vec<_> = tenants.into_iter().collect();
        if tenants.is_empty() {
            return Ok(HashMap::new());
        }
        if !enrol {
            let mut known = self
                .keyring
                .known(&tenants)
                .await
                .map_err(CommandError::Keyring)?;
            for tenant in tenants {
                let nobody = || Pseudonym(derive("nobody", &[tenant.0.as_bytes()]));
                known.entry(tenant).or_insert_with(nobody);
            }
            return Ok(known);
        }
        let known = self
            .keyring
            .of_tenants(&tenants)
            .await
            .map_err(CommandError::Keyring)?;
        if known.len() < tenants.len() {
            return Err(CommandError::Keyring(KeyringError::Absent));
        }
        let pseudonym = |(tenant, known): (TenantId, KnownTenant)| (tenant, known.pseudonym);
        Ok(known.into_iter().map(pseudonym).collect())
    }

    /// What follows from the lines, by what the log says now.
    async fn decide<K: Sheeted + Amendable>(
        &self,
        log: &LogHandle,
        sheet: &Sheet<K>,
        root: &Root,
        known: &HashMap<TenantId, Pseudonym>,
    ) -> Result<Plan<K>, Failed> {
        let name = |tenant| known.get(&tenant).copied().unwrap_or(Pseudonym(tenant.0));
        let keyed = read(log, by_stream(sheet.lines.clone(), name)).await?;
        let facts = SheetFacts {
            sheet_id: sheet.id.clone(),
            content: sheet.content.clone(),
            lines: u32::try_from(sheet.lines.len()).unwrap_or(u32::MAX),
            opened: 0,
            closed: 0,
            unchanged: 0,
        };
        let of = root.clone();
        // Ten thousand lines are no work for the threads that answer calls.
        let deciding = tokio::task::spawn_blocking(move || Plan::of(keyed, facts, &of));
        let (mut plan, backdated) = deciding.await.map_err(|_| CommandError::Away)?;
        let (lines, opened): (Vec<_>, Vec<_>) = backdated.into_iter().unzip();
        let reprices = K::reprice(&*self.charges, opened).await;
        for (line, reprices) in lines.into_iter().zip(reprices.map_err(CommandError::View)?) {
            if reprices {
                plan.planned.refused.push(LineRefusal {
                    line,
                    end: End::From,
                    reason: Reason::Rule(Refusal::WouldReprice),
                });
            }
        }
        plan.planned.refused.sort_by_key(|refused| refused.line);
        Ok(plan)
    }
}

/// The events of streams.
async fn histories(
    log: &LogHandle,
    streams: &[StreamId],
) -> Result<Vec<Vec<RecordedEvent>>, Failed> {
    let read = log.store.read_streams(streams).await;
    read.map_err(|fault| CommandError::Store(Arc::new(fault)))
}

fn root<K: Sheeted>(sheet: &Sheet<K>, origin: Origin) -> Root {
    Root {
        stream: StreamId::sheet(K::SHEET, &sheet.id),
        content: sheet.content.clone(),
        origin,
    }
}

/// The sheet as it was applied, if it was.
async fn applied<K: Sheeted>(
    log: &LogHandle,
    sheet: &Sheet<K>,
    root: &Root,
) -> Result<Option<Applied>, Failed> {
    let read = histories(log, &[root.stream]).await?;
    let Some(event) = read.first().and_then(|history| history.first()) else {
        return Ok(None);
    };
    match K::sheet(&event.data.event) {
        Some(facts) if facts.content == sheet.content => Ok(Some(Applied {
            facts: facts.clone(),
            by: event.data.principal.clone(),
            at: event.recorded_at,
            position: event.position,
        })),
        _ => Err(CommandError::Refused(SheetRefusal::IdReused)),
    }
}

#[cfg(test)]
mod tests;
