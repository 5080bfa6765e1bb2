//! The loop that carries one projection along the log.
//!
//! Wait for news, read, make ready, and then in one transaction: take the checkpoint, let the
//! effect happen, advance the checkpoint. Whoever stops in between leaves nothing behind, and the
//! next one, here or on another node, starts from the same place with the same code. It must
//! never skip an event.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Transaction;
use eventstore::{
    Feed, LogId, StoreError,
    feed::{Follower, Mark},
    log::chain,
    postgres::{Database, Statement, checkpoint},
};
use schema::Position;
use tokio::{sync::watch, time::Instant};

use super::{
    metrics::ProjectionHandle,
    pace::{self, Pace},
};
use crate::{ApplyError, Batch, Effect, Projection};

/// What a whole batch is written with.
///
/// Commits are not waited for: rows and checkpoint are lost together or not at all, and what is
/// lost is applied again from the log. Batches are arrays whose length the planner does not know;
/// these settings leave it only the plan that is right for every size of table, an index lookup
/// per row in the order of the array, whatever the statistics say.
const SETTINGS: Statement = Statement::new(include_str!("projector/settings.sql"));

/// The most events in one batch.
const BATCH: usize = 2_000;

/// How long nothing may happen before the checkpoint is looked at again. Commits here are not waited
/// for, so a crash of Postgres may have taken the last ones back, checkpoint included, and nobody
/// else would notice until the next event.
const QUIET: Duration = Duration::from_secs(2);

/// One projection on its way.
pub(crate) struct Projector {
    pub(crate) log: LogId,
    pub(crate) database: Database,
    pub(crate) feed: Arc<Feed>,
    /// Its place in the log, as the feed knows it.
    pub(crate) follower: Follower,
    /// Which incarnation of the log the feed reads.
    pub(crate) incarnation: watch::Receiver<u64>,
    pub(crate) projection: Arc<dyn Projection>,
    pub(crate) db_error: &'static str,
    pub(crate) handle: Arc<ProjectionHandle>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) pace: Pace,
    pub(crate) course: Course,
}

/// Where a projector is and how it has been doing.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// Where the checkpoint stood when it was last seen; `None` before the first look.
    at: Option<Position>,
    /// How many events to take at once while looking for the one that cannot be taken.
    narrowed: Option<usize>,
    /// Faults in a row.
    failures: u32,
    /// How often in a row another node held the checkpoint.
    held: u32,
    /// Which incarnation of the log this is about.
    incarnation: u64,
}

impl Course {
    /// How many events to take at once.
    fn length(&self) -> usize {
        self.narrowed.unwrap_or(BATCH)
    }

    /// A batch could not be taken: the next one is half as long. False if it was one event.
    fn narrow(&mut self) -> bool {
        let tried = self.length();
        self.narrowed = Some((tried / 2).max(1));
        tried > 1
    }

    /// A batch was taken: the next one may be twice as long.
    fn widen(&mut self) {
        self.narrowed = self
            .narrowed
            .map(|length| length * 2)
            .filter(|length| *length < BATCH);
    }
}

/// What came of trying to take a batch.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The checkpoint has been moved here.
    Advanced(Position),
    /// The checkpoint stands here, not where it was thought to be: another node moved it.
    Elsewhere(Position),
    /// The log is another one now.
    Replaced,
    /// Another node holds it.
    Held,
    /// There is nothing new after all.
    Nothing,
}

impl Projector {
    /// Runs until it is told to stop, or until it meets an event that cannot be taken in.
    pub(crate) async fn run(mut self) {
        self.handle.set_stopped(false);
        let mut head = self.feed.head();
        while self.wait_for_news(&mut head).await {
            let step = self.step().await;
            let pause = match step {
                Ok(step) => self.arrived(&step),
                Err(error) if error.is_final() => {
                    if self.narrow(&error) {
                        continue;
                    }
                    return self.give_up(&error);
                }
                Err(error) => Some(self.endure(&error)),
            };
            if let Some(pause) = pause
                && !self.sleep_until(Instant::now() + pause).await
            {
                return;
            }
        }
    }

    /// Waits until there is something to take and it is time to take it, or to look whether what was
    /// taken is still there; false means stop.
    async fn wait_for_news(&mut self, head: &mut watch::Receiver<Position>) -> bool {
        let look = Instant::now() + QUIET;
        loop {
            if *self.stop.borrow() {
                return false;
            }
            self.begin_anew_if_replaced();
            // Nobody has looked yet, or not for long; the next step does.
            let Some(at) = self.course.at else {
                return true;
            };
            let (end, now) = (*head.borrow_and_update(), Instant::now());
            let due = if end <= at {
                if now >= look {
                    self.course.at = None;
                    return true;
                }
                Some(look)
            } else {
                let due = self.pace.due(at, end, now);
                if due.is_none() {
                    self.pace.took(end, now);
                    return true;
                }
                due
            };
            tokio::select! {
                changed = head.changed() => if changed.is_err() { return false },
                () = sleep_until_some(due) => {}
                _ = self.stop.changed() => {}
            }
        }
    }

    /// Sleeps; false means stop.
    async fn sleep_until(&mut self, moment: Instant) -> bool {
        tokio::select! {
            () = tokio::time::sleep_until(moment) => true,
            _ = self.stop.changed() => false,
        }
    }

    async fn step(&mut self) -> Result<Step, ApplyError> {
        let Some(at) = self.course.at else {
            return Ok(Step::Elsewhere(self.look().await?));
        };
        let shared = self.follower.after(at).await?;
        if shared.through <= at {
            return Ok(Step::Nothing);
        }
        // The newest event known to be in the log that this batch is from.
        let Some(seen) = self.feed.seen(self.course.incarnation) else {
            return Ok(Step::Replaced);
        };
        let (types, length) = (self.projection.reads(), self.course.length());
        let (batch, through) = Batch::first_of(self.log, &shared, types, length)?;
        let effect = self.projection.prepare(&batch).await?;
        let (log, name) = (self.log, self.projection.name());
        self.database
            .transaction(name, move |transaction| {
                Box::pin(advance(transaction, log, name, effect, (at, through), seen))
            })
            .await
    }

    /// Where the checkpoint stands, without taking it.
    async fn look(&self) -> Result<Position, StoreError> {
        const STANDING: Statement = Statement::new(include_str!("projector/standing.sql"));
        let name = self.projection.name();
        let row = self
            .database
            .query_one(STANDING, &[&self.log.0, &name])
            .await?;
        let position = Position(row.get(0));
        if row.get(1) {
            // What is recorded there next would be passed over.
            return Err(StoreError::BeyondHead {
                projection: name,
                position,
            });
        }
        Ok(position)
    }

    /// Notes the outcome of a step and says how long to pause.
    fn arrived(&mut self, step: &Step) -> Option<Duration> {
        self.course.failures = 0;
        match *step {
            Step::Advanced(at) | Step::Elsewhere(at) => {
                if matches!(step, Step::Advanced(_)) {
                    self.course.held = 0;
                    self.course.widen();
                }
                self.course.at = Some(at);
                self.handle.advanced_to(at);
                None
            }
            Step::Held => {
                self.course.held += 1;
                // Where the other node leaves it is found out before the next try.
                self.course.at = None;
                let chance = self.pace.chance(Instant::now());
                Some(pace::held(self.course.held, chance))
            }
            Step::Nothing => Some(pace::BEAT),
            Step::Replaced => None,
        }
    }

    /// Where the log is another one, nothing that was known of it counts any more, the place of
    /// the checkpoint included.
    fn begin_anew_if_replaced(&mut self) {
        let incarnation = *self.incarnation.borrow_and_update();
        if incarnation != self.course.incarnation {
            self.course = Course {
                incarnation,
                ..Course::default()
            };
            self.handle.begins_anew();
        }
    }

    /// A fault that will pass. Nothing is lost: the same events come again.
    fn endure(&mut self, error: &ApplyError) -> Duration {
        if matches!(error, ApplyError::Store(StoreError::Replaced { .. })) {
            self.feed.replaced(self.course.incarnation);
        }
        self.course.failures = self.course.failures.saturating_add(1);
        let pause = pace::backoff(self.course.failures);
        let event = match error {
            ApplyError::Publish(_) => "dlr.nats_publish_error",
            _ => self.db_error,
        };
        tracing::error!(
            event,
            projection = self.projection.name(),
            failures = self.course.failures,
            retry_in_ms = pause.as_millis(),
            error = %chain(error)
        );
        pause
    }

    /// A batch that cannot be taken: takes a smaller one, so that everything before the one event
    /// at fault is taken and that event is known. False if the batch was one event already, or
    /// could not even be read.
    fn narrow(&mut self, error: &ApplyError) -> bool {
        let unread = matches!(error, ApplyError::Store(StoreError::Unreadable(_)));
        !unread && self.course.narrow()
    }

    /// Stops for good: a person has to look. The other projections go on.
    fn give_up(&self, error: &ApplyError) {
        self.handle.set_stopped(true);
        let at = self.course.at.unwrap_or_default();
        tracing::error!(
            event = "projection.stopped",
            projection = self.projection.name(),
            position = error.position().unwrap_or(at.next()).0,
            applied_through = at.0,
            error = %chain(error)
        );
    }
}

/// One batch, in one transaction.
async fn advance(
    transaction: &Transaction<'_>,
    log: LogId,
    name: &'static str,
    mut effect: Box<dyn Effect>,
    (at, through): (Position, Position),
    seen: Mark,
) -> Result<Step, ApplyError> {
    // Sent together: one round trip.
    let settings = SETTINGS.batch_execute(transaction);
    let (set, taken) = futures::join!(settings, checkpoint::take(transaction, log, name));
    set?;
    match taken? {
        None => return Ok(Step::Held),
        Some(found) if found != at => return Ok(Step::Elsewhere(found)),
        Some(_) => {}
    }
    effect.apply(transaction).await?;
    // Refused if this database holds another log than the one the batch was read from.
    checkpoint::advance(transaction, log, name, at, through, seen).await?;
    // Until the commit nothing has happened in any table. What has been published is published
    // again, under the same ids, if the commit does not come about.
    Ok(Step::Advanced(through))
}

async fn sleep_until_some(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes through `count` events of which the one at `bad` cannot be taken; tells how many were
    /// taken before giving up.
    fn taken_before(bad: usize, count: usize) -> usize {
        let (mut course, mut at) = (Course::default(), 0);
        while at < count {
            let length = course.length().min(count - at);
            if (at..at + length).contains(&bad) {
                if !course.narrow() {
                    return at;
                }
            } else {
                at += length;
                course.widen();
            }
        }
        at
    }

    #[test]
    fn everything_before_an_event_that_cannot_be_taken_is_taken() {
        for bad in [0, 1, 2, 999, 1_000, 1_999, 2_000, 4_321, 9_999] {
            assert_eq!(taken_before(bad, 10_000), bad);
        }
    }

    #[test]
    fn after_a_while_without_trouble_batches_are_long_again() {
        let mut course = Course::default();
        assert!(course.narrow() && course.narrow());
        assert_eq!(course.length(), BATCH / 4);
        course.widen();
        course.widen();
        assert_eq!((course.length(), course.narrowed), (BATCH, None));
    }
}
