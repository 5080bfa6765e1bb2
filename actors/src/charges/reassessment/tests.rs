//! What one look does: a log in memory, and a view that shows what a test lets it show.

use std::sync::Mutex;

use eventstore::{EventStore as _, memory::MemoryStore};
use schema::{
    Event, OperatorId, Period, Timestamp, Versioned as _,
    event::{AssessmentAdvanced, CostTerms},
    versioned::Cost,
};
use uuid::Uuid;

use super::*;
use crate::{
    fixture::Actors,
    prices::decide::{Action, Amendment, VersionDecider},
    runtime::{
        decider::{Decider as _, folded, version_of},
        origin::Origin,
    },
};

const OPERATOR: OperatorId = OperatorId(Uuid::from_u128(2));

fn key() -> CostKey {
    CostKey {
        operator_id: OPERATOR,
        direction: Direction::Mt,
    }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

/// The charges of a view, and how far the stream of assessments is shown.
struct View {
    charges: Vec<ChargedMessage>,
    pending: Mutex<Pending>,
}

#[async_trait]
impl ReassessmentView for View {
    async fn pending(&self, limit: usize) -> Result<Pending, ViewError> {
        let mut pending = self.pending.lock().expect("not poisoned").clone();
        pending.changes.truncate(limit);
        Ok(pending)
    }

    async fn page(
        &self,
        _: &CostChange,
        after: Option<AssessmentCursor>,
        limit: usize,
    ) -> Result<Vec<ChargedMessage>, ViewError> {
        let behind = |charge: &&ChargedMessage| after.is_none_or(|after| charge.cursor > after);
        Ok(self
            .charges
            .iter()
            .filter(behind)
            .take(limit)
            .copied()
            .collect())
    }
}

/// A message of one segment for 0.05 EUR, of this tenant, that had no cost.
fn charge(number: u128, tenant: u128) -> ChargedMessage {
    let position = i64::try_from(number).expect("small");
    ChargedMessage {
        message: MessageId(Uuid::from_u128(number)),
        tenant: Pseudonym(Uuid::from_u128(tenant)),
        account: AccountId(Uuid::from_u128(4)),
        cursor: AssessmentCursor {
            operator_id: OPERATOR,
            rated_at: at(10),
            position: Position(position),
        },
        direction: Direction::Mt,
        status: Status::Delivered,
        segments: 1,
        customer_price: Amount::from_millionths(50_000),
        currency: Currency::parse("EUR").expect("exists"),
        shown: ShownCost {
            cost: None,
            exchange: None,
            operator_cost: Amount::ZERO,
            converted_cost: Some(Amount::ZERO),
            margin: Some(Amount::from_millionths(50_000)),
        },
    }
}

fn change(concerns: bool) -> CostChange {
    CostChange {
        position: Position(5_000),
        of: Changed::Cost(key()),
        period: Period {
            effective_from: at(0),
            effective_to: None,
        },
        concerns,
        progress: Progress::default(),
    }
}

struct World {
    store: Arc<MemoryStore>,
    actors: Actors,
    view: Arc<View>,
    reassessment: Reassessment,
}

impl World {
    async fn of(messages: Vec<ChargedMessage>, changes: Vec<CostChange>) -> Self {
        let store = Arc::new(MemoryStore::default());
        let actors = Actors::on(Arc::clone(&store) as _).await;
        let view = Arc::new(View {
            charges: messages,
            pending: Mutex::new(Pending {
                version: StreamVersion::NONE,
                waiting: 1,
                shown: Position(9_000),
                changes,
            }),
        });
        let reassessment = Reassessment {
            view: Arc::clone(&view) as _,
            log: actors.log.clone(),
            feed: Feed::new(Arc::clone(&store) as _),
            prices: Arc::new(PriceCache::new(Arc::clone(&store) as _)),
            metrics: Arc::default(),
        };
        Self {
            store,
            actors,
            view,
            reassessment,
        }
    }

    /// What the carrier takes from the beginning of time on.
    async fn open_cost(&self, cost: &str) {
        let id = OperatorCostId(Uuid::from_u128(30));
        let amendment = Amendment::<Cost> {
            key: key(),
            action: Action::Open {
                id,
                terms: CostTerms {
                    cost_per_segment: cost.parse().expect("a price"),
                    currency: Currency::parse("EUR").expect("exists"),
                    due_statuses: [Status::Delivered].into(),
                },
                period: change(true).period,
            },
            if_at: None,
            origin: Origin::of_request(1),
        };
        let stream = Cost::stream(&key());
        let history = self.store.read_streams(&[stream]).await.expect("reads");
        let known = folded::<VersionDecider<Cost>>(&history[0]);
        let decision = VersionDecider::<Cost>::decide(&known, &amendment).expect("decided");
        let append = decision.append(
            self.actors.log.log,
            stream,
            version_of(&history[0]),
            &amendment,
        );
        self.actors
            .log
            .append(vec![append])
            .await
            .expect("appended");
    }

    /// The events of the stream of assessments: how many charges each is about, or how far it is.
    async fn told(&self) -> Vec<Result<usize, AssessmentAdvanced>> {
        let streams = [StreamId::assessments()];
        let history = self.store.read_streams(&streams).await.expect("reads");
        let told = |event: &eventstore::RecordedEvent| match &event.data.event {
            Event::CostsAssessed(assessed) => Ok(assessed.charges.len()),
            Event::AssessmentAdvanced(advanced) => Err(*advanced),
            other => panic!("{other:?}"),
        };
        history[0].iter().map(told).collect()
    }
}

const fn done(examined: i64, changed: i64) -> AssessmentAdvanced {
    AssessmentAdvanced {
        cause: Position(5_000),
        through: None,
        examined,
        changed,
    }
}

#[tokio::test]
async fn charges_that_cost_something_else_are_told_by_tenant_and_in_pieces() {
    let charges = (1..=302).map(|number| charge(number, if number > 300 { 8 } else { 7 }));
    let world = World::of(charges.collect(), vec![change(true)]).await;
    world.open_cost("0.02").await;
    world.reassessment.look().await.expect("looks");
    let told = world.told().await;
    assert_eq!(told, [Ok(250), Ok(50), Ok(2), Err(done(302, 302))]);
    assert_eq!(world.reassessment.metrics.reassessed.get(), 302);
    world.actors.stop().await;
}

#[tokio::test]
async fn what_costs_what_it_is_shown_to_is_not_told_again() {
    let world = World::of(vec![charge(1, 7)], vec![change(true)]).await;
    world.reassessment.look().await.expect("looks");
    assert_eq!(world.told().await, [Err(done(1, 0))]);
    world.actors.stop().await;
}

#[tokio::test]
async fn a_long_pass_goes_on_page_after_page() {
    let many = u128::try_from(PAGE).expect("small") + 10;
    let charges = (1..=many).map(|number| charge(number, 7)).collect();
    let world = World::of(charges, vec![change(true)]).await;
    world.open_cost("0.02").await;
    world.reassessment.look().await.expect("looks");
    let all = i64::try_from(many).expect("small");
    assert_eq!(world.told().await.last(), Some(&Err(done(all, all))));
    world.actors.stop().await;
}

#[tokio::test]
async fn a_view_that_is_behind_records_nothing() {
    let world = World::of(vec![charge(1, 7)], vec![change(true)]).await;
    world.open_cost("0.02").await;
    for _ in 0..2 {
        // The second look does not see what the first one recorded.
        world.reassessment.look().await.expect("looks");
    }
    assert_eq!(world.told().await, [Ok(1), Err(done(1, 1))]);
    world.actors.stop().await;
}

#[tokio::test]
async fn changes_that_concern_no_charge_are_finished_together() {
    let idle = |position| CostChange {
        position: Position(position),
        ..change(false)
    };
    let world = World::of(Vec::new(), vec![idle(1), idle(2), change(true)]).await;
    world.reassessment.look().await.expect("looks");
    let causes = world.told().await.into_iter().map(|told| match told {
        Err(advanced) => advanced.cause,
        Ok(charges) => panic!("{charges} charges"),
    });
    let causes: Vec<_> = causes.collect();
    assert_eq!(causes, [Position(1), Position(2)]);
    world
        .view
        .pending
        .lock()
        .expect("not poisoned")
        .changes
        .clear();
    let done = world.reassessment.look().await.expect("looks");
    assert_eq!(done, Some(Position(9_000)));
    world.actors.stop().await;
}
