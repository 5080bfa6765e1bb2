//! Healing: orphans whose message has appeared get the effects an on-time receipt has.
//!
//! A look takes the youngest orphans (the projection `orphaned_receipts`) and the next page of a
//! sweep over all that are still matched in the background, correlates them with one query and
//! records those that found their message together ([`matching`]). So a look costs the same
//! however many orphans there are; an old one is looked at the less often, the more there are.
//! Looking twice, or on two nodes at once, does no harm.

mod matching;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use eventstore::{
    EventStore, LogId, StoreError, clock,
    keyring::{Keyring, KeyringError},
    log::chain,
    postgres::{Database, Statement},
};
use schema::{EventId, MessageId, OperatorId, OperatorMessageId, StreamId, Timestamp};
use tokio::sync::watch;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{
    correlate::{Correlator, Wanted},
    decide::{message::MessageDecider, orphan::OrphanDecider},
    metrics::DlrMetrics,
};
use crate::runtime::directory::DirectoryRef;

/// The pause between two looks; a look that took long is followed by a pause as long.
const PAUSE: Duration = Duration::from_secs(1);
/// How many of the youngest orphans each look takes.
const YOUNGEST: i64 = 1_000;
/// How many more each step of a sweep takes.
const PAGE: i64 = 1_000;

/// What healing works with. Cheap to clone.
#[derive(Clone)]
pub struct Healing {
    /// Where the projection of orphans is.
    pub database: Database,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Which log.
    pub log: LogId,
    /// Finds messages.
    pub correlator: Correlator,
    /// Opens what was sealed for the orphan and gives the tenant's key.
    pub keyring: Arc<dyn Keyring>,
    /// Where receipts of messages go.
    pub messages: DirectoryRef<MessageDecider>,
    /// Where orphans go.
    pub orphans: DirectoryRef<OrphanDecider>,
    /// What is counted.
    pub metrics: Arc<DlrMetrics>,
}

/// What kept a look from finishing. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum HealingError {
    /// The store failed.
    #[error("healing orphans")]
    Store(#[from] StoreError),
    /// The keyring failed.
    #[error("healing orphans")]
    Keyring(#[from] KeyringError),
}

/// Where an orphan stands in the order of arrival: when it was received, and its position.
type Place = (Timestamp, i64);

/// An open orphan as the projection shows it.
struct Open {
    orphan: EventId,
    stream: StreamId,
    wanted: Wanted,
}

/// What was looked at: the open ones in the order of arrival, and where the
/// last of all stands.
#[derive(Default)]
struct Page {
    open: BTreeMap<Place, Open>,
    last: Option<Place>,
}

impl Healing {
    /// Heals orphans received within the last `keep`, look after look, until `stop` turns true.
    pub async fn run(self, keep: Duration, mut stop: watch::Receiver<bool>) {
        let mut sweep = None;
        loop {
            let began = clock::now();
            let since = Timestamp::from_datetime(began.datetime() - keep);
            if let Err(fault) = self.look(since, &mut sweep, &stop).await {
                self.metrics.db_error("heal");
                tracing::error!(event = "dlr.db_error", operation = "heal", error = %chain(&fault));
            }
            let took = Duration::try_from(clock::now().datetime() - began.datetime());
            let pause = PAUSE.max(took.unwrap_or_default());
            if tokio::time::timeout(pause, stop.wait_for(|stop| *stop))
                .await
                .is_ok()
            {
                return;
            }
        }
    }

    /// Looks at the youngest orphans and at the page of the sweep after `sweep`, which begins
    /// with those received at `since` and starts over when it is through.
    async fn look(
        &self,
        since: Timestamp,
        sweep: &mut Option<Place>,
        stop: &watch::Receiver<bool>,
    ) -> Result<usize, HealingError> {
        let mut youngest = self.youngest(since).await?;
        let after = sweep.unwrap_or((since, 0)).max((since, 0));
        let next = self.next(after).await?;
        youngest.open.extend(next.open);
        let healed = self.heal(youngest.open, stop).await?;
        *sweep = next.last;
        Ok(healed)
    }

    /// Looks once at every open orphan, unless `stop` turns true before the end; says how many
    /// were healed.
    ///
    /// # Errors
    /// The store or the keyring failed; what was healed before stays healed.
    pub async fn pass(&self, stop: &watch::Receiver<bool>) -> Result<usize, HealingError> {
        // Unwrap safety: the epoch is a time.
        let ever = Timestamp::from_micros(0).expect("the epoch");
        let (mut after, mut healed) = (Some((ever, 0)), 0);
        while let Some(place) = after.filter(|_| !*stop.borrow()) {
            let page = self.next(place).await?;
            healed += self.heal(page.open, stop).await?;
            after = page.last;
        }
        Ok(healed)
    }

    async fn youngest(&self, since: Timestamp) -> Result<Page, StoreError> {
        const YOUNGEST_ORPHANS: Statement =
            Statement::new(include_str!("reconciliation/youngest.sql"));
        self.read(
            YOUNGEST_ORPHANS,
            &[&self.log.0, &since.datetime(), &YOUNGEST],
        )
        .await
    }

    async fn next(&self, (received_at, position): Place) -> Result<Page, StoreError> {
        const NEXT: Statement = Statement::new(include_str!("reconciliation/next.sql"));
        let after: [&(dyn ToSql + Sync); 4] =
            [&self.log.0, &received_at.datetime(), &position, &PAGE];
        self.read(NEXT, &after).await
    }

    async fn read(
        &self,
        statement: Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Page, StoreError> {
        let rows = self.database.query(statement, parameters).await?;
        Ok(Page::of(&rows))
    }
}

impl Page {
    fn of(rows: &[Row]) -> Self {
        let mut page = Self::default();
        for row in rows {
            let place = (Timestamp::from_datetime(row.get(5)), row.get(0));
            page.last = Some(place);
            if let Some(open) = open(row, place.0) {
                page.open.insert(place, open);
            }
        }
        page
    }
}

/// An orphan that is open, as the projection wrote it.
fn open(row: &Row, arrived: Timestamp) -> Option<Open> {
    if !row.get::<_, bool>(6) {
        return None;
    }
    let operator = OperatorId(Uuid::parse_str(row.get(2)).ok()?);
    let operator_message = OperatorMessageId::new(row.get(3))?;
    Some(Open {
        orphan: EventId(row.get(1)),
        stream: StreamId::orphan(operator, &operator_message),
        wanted: Wanted {
            operator,
            operator_message,
            hint: row.get::<_, Option<Uuid>>(4).map(MessageId),
            arrived,
        },
    })
}
