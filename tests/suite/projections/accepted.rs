//! What a decider accepts its projection takes: whatever is wished of prices, costs and charges,
//! in whatever order, no projection ever meets an event that its table refuses.
//!
//! Wishes are drawn from a seed, over few keys and few minutes, so that most of them touch one
//! another; the ends of every range are drawn as often as its middle.

use actors::{
    accounts::decide::Account,
    charges::decide::{
        charge::{Charge, ChargeRequest, Comparison, rated},
        rating::{Guarded, Payer, Prices, Tariff, payer},
    },
    prices::decide::{Action, Amendment, VersionDecider, timeline::Timeline},
    runtime::{
        decider::{Command, Decider, Decision, folded, version_of},
        origin::Origin,
    },
};
use eventstore::{EventStore as _, Guard, LogId, Outcome, RecordedEvent};
use rand::{RngExt, SeedableRng, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use schema::{
    AccountTier, CostKey, Currency, Direction, MessageId, OperatorId, Period, PriceKey,
    PricingModel, Pseudonym, Settlement, Status, StreamId, StreamVersion, Timestamp, Versioned,
    event::{CostTerms, PriceTerms},
    versioned::{Cost, Price},
};
use uuid::Uuid;

use super::fixture::{self, Books, minute};
use crate::fixture::{run, unique};

/// How many wishes each seed makes.
const WISHES: usize = 400;

/// Who wishes, and everything they have opened so far.
struct Wishes {
    rng: ChaCha8Rng,
    payers: Vec<fixture::Payer>,
    operators: Vec<OperatorId>,
    versions: Vec<Uuid>,
    messages: Vec<MessageId>,
    accepted: usize,
}

impl Wishes {
    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        *all.choose(&mut self.rng).expect("some")
    }

    /// Some minute of this hour, or the first or the last instant there is.
    fn time(&mut self) -> Timestamp {
        match self.rng.random_range(0..40) {
            0 => Timestamp::parse("0000-01-01T00:00:00Z").expect("a time"),
            1 => Timestamp::parse("9999-12-31T23:59:59.999999Z").expect("a time"),
            _ => minute(self.rng.random_range(0..60)),
        }
    }

    fn perhaps_time(&mut self) -> Option<Timestamp> {
        self.rng.random_bool(0.5).then(|| self.time())
    }

    fn currency(&mut self) -> Currency {
        let code = self.one_of(&["EUR", "USD"]);
        Currency::parse(code).expect("a currency")
    }

    fn direction(&mut self) -> Direction {
        self.one_of(Direction::ALL)
    }

    fn operator(&mut self) -> OperatorId {
        let operators = self.operators.clone();
        self.one_of(&operators)
    }

    fn price_key(&mut self) -> PriceKey {
        let payers = self.payers.clone();
        let own = self.rng.random_bool(0.5).then(|| self.one_of(&payers));
        PriceKey {
            tenant: own.map(|payer| payer.pseudonym),
            account_tier: self.one_of(&[AccountTier::Growth, AccountTier::Custom]),
            operator_id: self.operator(),
            direction: self.direction(),
            currency: self.currency(),
        }
    }

    fn amount(&mut self) -> &'static str {
        self.one_of(&["0", "0.000001", "0.045", "99999.999999"])
    }

    fn price_terms(&mut self) -> PriceTerms {
        let finals = Status::ALL.into_iter().filter(|status| status.is_final());
        let mut billable: Vec<_> = finals.collect();
        let kept = self.rng.random_range(1..=billable.len());
        billable.truncate(kept);
        PriceTerms {
            pricing_model: self.one_of(PricingModel::ALL),
            unit_price: self.amount().parse().expect("a price"),
            billable_statuses: billable.into_iter().collect(),
        }
    }

    fn cost_terms(&mut self) -> CostTerms {
        CostTerms {
            cost_per_segment: self.amount().parse().expect("a price"),
            currency: self.currency(),
            due_statuses: [Status::Delivered].into(),
        }
    }

    /// Something about a new version or one that was opened before, of this key or another.
    fn amendment<K: Versioned>(&mut self, key: K::Key<Pseudonym>, terms: K::Terms) -> Amendment<K> {
        let known = self.versions.choose(&mut self.rng).copied();
        let old = known.unwrap_or_else(unique).into();
        let request = unique();
        self.versions.push(request);
        let id = request.into();
        let action = match self.rng.random_range(0..4) {
            0 => Action::Close {
                id: old,
                at: self.perhaps_time(),
            },
            1 => Action::Replace {
                old,
                id,
                terms,
                at: self.perhaps_time(),
            },
            _ => Action::Open {
                id,
                terms,
                period: Period {
                    effective_from: self.time(),
                    effective_to: self.perhaps_time(),
                },
            },
        };
        Amendment {
            key,
            action,
            if_at: None,
            origin: Origin {
                request,
                time: self.time(),
                principal: self.one_of(&["anna", "bert – \u{202e}"]).into(),
                trace: None,
            },
        }
    }

    /// A message that is settled, for the first time or once more.
    fn request(&mut self) -> ChargeRequest {
        let payers = self.payers.clone();
        let payer = self.one_of(&payers);
        let known = self.messages.choose(&mut self.rng).copied();
        let fresh = MessageId(unique());
        let message = known.filter(|_| self.rng.random_bool(0.3)).unwrap_or(fresh);
        self.messages.push(message);
        let at = self.time();
        let settlement = Settlement {
            source_event_id: unique(),
            message_id: message,
            operator_id: self.operator(),
            direction: self.direction(),
            segment_count: self.one_of(&[1, 2, 10]),
            dlr_status: self.one_of(&[Status::Delivered, Status::Rejected]),
            occurred_at: at,
            charged_at: at,
            stated_tier: self.one_of(&[None, Some(AccountTier::Growth)]),
            stated_currency: self.one_of(&[None, Currency::parse("EUR")]),
            received_at: self.time(),
        };
        ChargeRequest::new(payer.pseudonym, payer.account, settlement, None)
    }
}

async fn history(books: &Books, stream: StreamId) -> Vec<RecordedEvent> {
    let read = books.log.read_streams(&[stream]).await;
    read.expect("reads").pop().expect("one stream")
}

/// Has a decider decide; what it accepts is recorded.
async fn ask<D: Decider>(books: &Books, stream: StreamId, command: &D::Command) -> usize {
    let history = history(books, stream).await;
    let Ok(decision) = D::decide(&folded::<D>(&history), command) else {
        return 0;
    };
    record(books, stream, &history, decision, command).await
}

async fn record<C: Command>(
    books: &Books,
    stream: StreamId,
    history: &[RecordedEvent],
    decision: Decision,
    command: &C,
) -> usize {
    if decision.events.is_empty() {
        return 0;
    }
    // Nothing else writes here, so that nothing needs to be guarded.
    let decision = decision.guarded(Vec::new());
    let expected = version_of(history);
    let append = decision.append(LogId::DEFAULT, stream, expected, command);
    let outcomes = books.log.append(vec![append]).await.expect("appends");
    assert!(matches!(outcomes[..], [Outcome::Recorded { .. }]));
    1
}

/// Rates a message with the prices as they are, held or not, or keeps the contradiction.
async fn settle(books: &Books, request: &ChargeRequest) -> usize {
    let stream = StreamId::charge(request.message());
    let before = history(books, stream).await;
    let charge = Charge::folded(&before);
    let (request, decision) = match (&charge, charge.compare(request)) {
        (_, Comparison::Contradiction(decision)) => (request, decision),
        (Charge::Charged(_), _) => return 0,
        (Charge::Held(settled), _) => {
            let first = &settled.first;
            let again = with_tariff(books, first, |tariff| charge.rated_again(tariff));
            (first, again.await)
        }
        (Charge::Unsettled, _) => {
            let first = with_tariff(books, request, |tariff| rated(&request.settlement, tariff));
            (request, first.await)
        }
    };
    record(books, stream, &before, decision, request).await
}

/// What follows from the prices as they are.
async fn with_tariff(
    books: &Books,
    request: &ChargeRequest,
    decide: impl Fn(&Tariff<'_>) -> Decision,
) -> Decision {
    let settlement = &request.settlement;
    let payer = payer(settlement, request.tenant, &Account::default());
    let Payer { tier, currency, .. } = payer;
    let key = |tenant, tier, currency| PriceKey {
        tenant,
        account_tier: tier,
        operator_id: settlement.operator_id,
        direction: settlement.direction,
        currency,
    };
    let cost = CostKey {
        operator_id: settlement.operator_id,
        direction: settlement.direction,
    };
    let costs: Timeline<Cost> =
        folded::<VersionDecider<Cost>>(&history(books, StreamId::cost(&cost)).await);
    let (mut own, mut platforms) = (Timeline::default(), Timeline::default());
    let priced = tier.zip(currency);
    if let Some((tier, currency)) = priced {
        for (timeline, tenant) in [(&mut own, Some(request.tenant)), (&mut platforms, None)] {
            let stream = StreamId::price(&key(tenant, tier, currency));
            *timeline = folded::<VersionDecider<Price>>(&history(books, stream).await);
        }
    }
    decide(&Tariff {
        payer,
        account: nothing(),
        prices: priced.map(|(tier, currency)| Prices {
            own: guarded(&own),
            platform: guarded(&platforms),
            tier,
            currency,
        }),
        cost: guarded(&costs),
        rate: None,
    })
}

fn guarded<T>(state: &T) -> Guarded<'_, T> {
    let guard = nothing();
    Guarded { state, guard }
}

/// A guard that is not looked at: nothing else writes here.
fn nothing() -> Guard {
    Guard {
        stream: StreamId::charge(MessageId(Uuid::from_u128(1))),
        version: StreamVersion::NONE,
    }
}

async fn all_are_taken(seed: u64) {
    let books = Books::open().await;
    let mut wishes = Wishes {
        rng: ChaCha8Rng::seed_from_u64(seed),
        // Nobody comes in as nobody; a table would take them all the same.
        payers: vec![
            books.payer().await,
            books.payer_known_as(Uuid::nil()).await,
            Books::erased(),
        ],
        operators: vec![OperatorId(unique()), OperatorId(unique())],
        versions: Vec::new(),
        messages: Vec::new(),
        accepted: 0,
    };
    for _ in 0..WISHES {
        let accepted = match wishes.rng.random_range(0..4) {
            0 => settle(&books, &wishes.request()).await,
            1 => {
                let terms = wishes.cost_terms();
                let key = CostKey {
                    operator_id: wishes.operator(),
                    direction: wishes.direction(),
                };
                let command = wishes.amendment::<Cost>(key, terms);
                ask::<VersionDecider<Cost>>(&books, command.stream(), &command).await
            }
            _ => {
                let (key, terms) = (wishes.price_key(), wishes.price_terms());
                let command = wishes.amendment::<Price>(key, terms);
                ask::<VersionDecider<Price>>(&books, command.stream(), &command).await
            }
        };
        wishes.accepted += accepted;
    }
    assert!(wishes.accepted > WISHES / 4, "most are accepted");
    // A projection that refused one would never come to the end of the log.
    books.show().await;
}

#[test]
fn whatever_a_decider_accepts_its_projection_takes() {
    run(async {
        for seed in 0..3 {
            all_are_taken(seed).await;
        }
    });
}
