//! Sheets on a log in memory: as a whole or not at all, once, whoever else is at work.

use async_trait::async_trait;
use eventstore::{EventStore, memory::MemoryStore};
use schema::{
    AccountTier, Currency, Direction, Event, OperatorId, Period, PriceKey, PricingModel, Status,
    event::PriceTerms, versioned::Price,
};
use uuid::Uuid;

use super::*;
use crate::{
    fixture::{Actors, Keys},
    prices::{commands::Commands, decide::Action},
    runtime::view::ViewError,
};

/// Messages of tenants whose prices begin in the past were charged by the platform's, or not.
struct Charged(bool);

#[async_trait]
impl PlatformCharges for Charged {
    async fn any_charged(
        &self,
        own: Vec<(PriceKey<TenantId>, Period)>,
    ) -> Result<Vec<bool>, ViewError> {
        assert!(own.iter().all(|(key, _)| key.tenant.is_some()));
        Ok(vec![self.0; own.len()])
    }
}

fn at(time: i64) -> Timestamp {
    Timestamp::from_micros(time).expect("a time")
}

fn origin() -> Origin {
    Origin::of_request(1).at(at(100))
}

fn line(number: u32, price: &str, from: i64) -> Line<Price> {
    Line {
        number,
        key: PriceKey {
            tenant: None,
            account_tier: AccountTier::Growth,
            operator_id: OperatorId(Uuid::from_u128(u128::from(number))),
            direction: Direction::Mt,
            currency: Currency::parse("EUR").expect("exists"),
        },
        terms: PriceTerms {
            pricing_model: PricingModel::PerSegment,
            unit_price: price.parse().expect("a price"),
            billable_statuses: [Status::Delivered].into(),
        },
        from: Some(at(from)),
        to: None,
    }
}

fn sheet(id: &str, content: &str, lines: Vec<Line<Price>>) -> Sheet<Price> {
    Sheet {
        id: SheetId::parse(id).expect("an id"),
        content: content.to_owned(),
        lines,
    }
}

/// Actors, sheets and single changes on one log.
struct World {
    store: Arc<MemoryStore>,
    actors: Actors,
    sheets: Sheets,
    commands: Commands,
}

impl World {
    async fn begun(charged: bool) -> Self {
        let store = Arc::new(MemoryStore::default());
        let actors = Actors::on(Arc::clone(&store) as _).await;
        let sheets = Sheets::new(Arc::new(Keys), Arc::new(Charged(charged)));
        sheets.open(&actors.log);
        let commands = Commands::new(Arc::new(Keys), Arc::new(Charged(charged)));
        let opened = commands.open(&actors.log, 10, actors.root());
        opened.await.expect("starts");
        Self {
            store,
            actors,
            sheets,
            commands,
        }
    }

    async fn events(&self) -> Vec<Event> {
        let all = self.store.read_after(Position::BEGINNING, 100_000).await;
        let all = all.expect("reads").whole().expect("readable");
        all.into_iter().map(|event| event.data.event).collect()
    }

    /// Somebody replaces the price of this line by hand.
    async fn open_by_hand(&self, line: &Line<Price>) {
        let action: Action<Price> = Action::Open {
            id: Uuid::from_u128(7).into(),
            terms: line.terms.clone(),
            period: Period {
                effective_from: at(0),
                effective_to: None,
            },
        };
        let amended = self
            .commands
            .amend(Origin::of_request(9), line.key, action, None);
        amended.await.expect("opened");
    }
}

fn counts(facts: &SheetFacts) -> [u32; 4] {
    [facts.lines, facts.opened, facts.closed, facts.unchanged]
}

#[tokio::test]
async fn a_sheet_is_recorded_as_a_whole_with_its_own_event_last() {
    let world = World::begun(false).await;
    world.open_by_hand(&line(2, "0.01", 0)).await;
    world.open_by_hand(&line(3, "0.02", 0)).await;
    let lines = vec![
        line(2, "0.05", 200),
        line(3, "0.02", 200),
        line(4, "0.07", 200),
    ];
    let wanted = sheet("s", "c", lines);
    let Ok(Answer::Planned(planned)) = world.sheets.plan(origin(), wanted.clone()).await else {
        panic!("it was not applied yet");
    };
    assert_eq!(world.events().await.len(), 2, "a plan changes nothing");
    let applied = world
        .sheets
        .apply(origin(), wanted.clone())
        .await
        .expect("applied");
    assert_eq!(counts(&applied.facts), [3, 2, 1, 1]);
    assert_eq!(applied.facts, planned.facts);
    let events = world.events().await;
    assert!(matches!(
        &events[2..],
        [
            Event::PriceClosed(_),
            Event::PriceOpened(_),
            Event::PriceOpened(_),
            Event::PriceSheetApplied(_)
        ]
    ));
    assert_eq!(applied.position, Position(6));
    // The same again is answered as the first time, whoever asks, and changes nothing.
    for later in [origin(), Origin::of_request(2).at(at(900))] {
        let again = world.sheets.apply(later.clone(), wanted.clone()).await;
        assert_eq!(again.expect("applied before"), applied);
        let again = world
            .sheets
            .plan(later, wanted.clone())
            .await
            .expect("applied before");
        assert!(matches!(again, Answer::Applied(known) if known == applied));
    }
    let other = sheet("s", "d", vec![line(9, "1", 200)]);
    for refused in [
        world.sheets.apply(origin(), other.clone()).await.map(drop),
        world.sheets.plan(origin(), other).await.map(drop),
    ] {
        assert!(matches!(
            refused,
            Err(CommandError::Refused(SheetRefusal::IdReused))
        ));
    }
    assert_eq!(world.events().await.len(), 6);
    world.actors.stop().await;
}

#[tokio::test]
async fn one_line_that_is_refused_keeps_all_out() {
    let world = World::begun(false).await;
    world.open_by_hand(&line(3, "0.02", 0)).await;
    let lines = vec![line(2, "0.05", 200), line(3, "0.03", 50)];
    let refused = world.sheets.apply(origin(), sheet("s", "c", lines)).await;
    let Err(CommandError::Refused(SheetRefusal::Lines(refused))) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        refused,
        [LineRefusal {
            line: 3,
            end: End::From,
            reason: Reason::Rule(Refusal::InThePast)
        }]
    );
    assert_eq!(world.events().await.len(), 1);
    // The id was not used up.
    let lines = vec![line(2, "0.05", 200)];
    assert!(
        world
            .sheets
            .apply(origin(), sheet("s", "d", lines))
            .await
            .is_ok()
    );
    world.actors.stop().await;
}

#[tokio::test]
async fn no_line_reprices_what_was_charged() {
    for (charged, own, from, refused) in [
        (true, true, 50, true),
        (true, true, 100, false),
        (true, false, 50, false),
        (false, true, 50, false),
    ] {
        let world = World::begun(charged).await;
        let mut line = line(2, "0.05", from);
        line.key.tenant = own.then_some(TenantId(Uuid::from_u128(5)));
        let applied = world
            .sheets
            .apply(origin(), sheet("s", "c", vec![line]))
            .await;
        match applied {
            Err(CommandError::Refused(SheetRefusal::Lines(lines))) => {
                assert!(refused);
                assert_eq!(lines[0].reason, Reason::Rule(Refusal::WouldReprice));
            }
            Ok(_) => assert!(!refused),
            Err(other) => panic!("{other:?}"),
        }
        world.actors.stop().await;
    }
}

#[tokio::test]
async fn sheets_and_single_changes_at_once_leave_each_whole() {
    let world = World::begun(false).await;
    for round in 0..20 {
        let lines: Vec<_> = (2..40)
            .map(|number| line(number, "0.05", 200 + round))
            .collect();
        let lines: Vec<_> = lines
            .into_iter()
            .map(|mut line| {
                line.terms.unit_price = format!("0.{}", 100 + round).parse().expect("a price");
                line
            })
            .collect();
        let id = format!("s{round}");
        let wanted = sheet(&id, "c", lines);
        // A second node is a second set of sheets on the same log.
        let other = Sheets::new(Arc::new(Keys), Arc::new(Charged(false)));
        other.open(&world.actors.log);
        let (first, second) = tokio::join!(
            world.sheets.apply(origin(), wanted.clone()),
            other.apply(origin(), wanted)
        );
        assert_eq!(first.expect("applied"), second.expect("applied"));
    }
    let events = world.events().await;
    let applied = events
        .iter()
        .filter(|event| matches!(event, Event::PriceSheetApplied(_)));
    assert_eq!(applied.count(), 20);
    let mut since = (0, 0);
    for event in &events {
        match event {
            Event::PriceOpened(_) => since.0 += 1,
            Event::PriceClosed(_) => since.1 += 1,
            Event::PriceSheetApplied(applied) => {
                assert_eq!(since, (applied.sheet.opened, applied.sheet.closed));
                since = (0, 0);
            }
            other => panic!("{other:?}"),
        }
    }
    world.actors.stop().await;
}
