//! Books to look into: a log with charges and prices, and the projections of billing over it.

mod adjustments;

use std::{collections::BTreeSet, sync::Arc};

use eventstore::{Append, EventData, EventStore as _, Feed, LogId, Outcome, postgres::PgStore};
use projections::{Deps, Reader, runtime::metrics::ProjectionMetrics};
use schema::{
    AccountId, AccountTier, Amount, CostKey, CountryCode, Currency, Direction, Event, EventId,
    InvoiceLanguage, MessageId, OperatorCostId, OperatorId, PaymentDays, Period, Position,
    PriceKey, PricingModel, PricingTableId, Pseudonym, Sealed, SealedValue, Settlement,
    StatementId, Status, StreamId, StreamVersion, TaxCategory, TenantId, Timestamp,
    event::{
        AccountChanged, AccountFacts, AccountRegistered, AccountTax, AppliedCost, AppliedPrice,
        ChargeConflictRecorded, ChargeHeld, CostAssessment, CostClosed, CostOpened, CostTerms,
        ErasureRequested, FirstSettlement, HoldReason, MessageCharged, PayerSource, PriceClosed,
        PriceOpened, PriceTerms,
    },
};
use tests::world::billing_projections;
use tokio::time::Instant;
use tokio_postgres::Client;
use uuid::Uuid;

pub(super) use self::adjustments::{Then, adjusted};
use crate::fixture::{Base, PATIENCE, base, kinds::golden, unique};

pub(super) const OPERATOR: OperatorId = OperatorId(Uuid::from_u128(0x0b));

/// Whom a charge is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payer {
    /// As tables show it: the pseudonym if it is erased.
    pub(super) tenant: TenantId,
    pub(super) pseudonym: Pseudonym,
    pub(super) account: AccountId,
}

/// A log and what is built from it.
pub(super) struct Books {
    pub(super) base: Base,
    pub(super) reader: Reader,
    pub(super) admin: Client,
    pub(super) log: Arc<PgStore>,
}

/// Midnight, and so many minutes.
pub(super) fn minute(minutes: i64) -> Timestamp {
    let midnight = Timestamp::parse("2026-02-27T00:00:00Z").expect("a time");
    Timestamp::from_micros(midnight.micros() + minutes * 60_000_000).expect("a time")
}

pub(super) fn euro() -> Currency {
    Currency::parse("EUR").expect("a currency")
}

impl Books {
    pub(super) async fn open() -> Self {
        let base = base().await;
        Self {
            base,
            reader: Reader::new(base.pool("billing_svc"), LogId::DEFAULT),
            admin: base.admin().await,
            log: Arc::new(base.log("billing_svc")),
        }
    }

    /// Somebody new.
    pub(super) async fn payer(&self) -> Payer {
        self.payer_known_as(unique()).await
    }

    /// Somebody whose tenant's id is this one.
    pub(super) async fn payer_known_as(&self, tenant: Uuid) -> Payer {
        let pseudonym = unique();
        let sql = "insert into eventlog.tenant (pseudonym, tenant_id) values ($1, $2)";
        let enrolled = self.admin.execute(sql, &[&pseudonym, &tenant]).await;
        assert_eq!(enrolled.expect("a superuser may"), 1);
        Payer {
            tenant: TenantId(tenant),
            pseudonym: Pseudonym(pseudonym),
            account: AccountId(unique()),
        }
    }

    /// Somebody whose name nobody knows any more.
    pub(super) fn erased() -> Payer {
        let pseudonym = unique();
        Payer {
            tenant: TenantId(pseudonym),
            pseudonym: Pseudonym(pseudonym),
            account: AccountId(unique()),
        }
    }

    /// Records these and says where the log ends then.
    pub(super) async fn record(&self, appends: Vec<Append>) -> Position {
        for outcome in self.log.append(appends).await.expect("appends") {
            assert!(matches!(outcome, Outcome::Recorded { .. }), "{outcome:?}");
        }
        self.log.head().await.expect("a head")
    }

    /// Lets the projections come to the end of the log.
    pub(super) async fn show(&self) {
        let head = self.log.head().await.expect("a head");
        let store = Arc::clone(&self.log);
        let feed = Feed::new(store);
        feed.advanced_to(head);
        let projectors = projections::start(Deps {
            log: LogId::DEFAULT,
            database: self.base.pool("billing_svc"),
            feed,
            db_error: "billing.db_error",
            metrics: Arc::new(ProjectionMetrics::default()),
            projections: projections::services::billing::projections(),
        });
        let deadline = Instant::now() + PATIENCE;
        let shown = self
            .reader
            .wait_until(&billing_projections(), head, deadline)
            .await;
        assert!(
            shown.expect("asked"),
            "the projections never came to {head}"
        );
        projectors.stop().await;
    }

    /// Every table, as a line each; none may be empty.
    pub(super) async fn shown(&self) -> Vec<String> {
        let sql = include_str!("fixture/shown.sql");
        let row = self.admin.query_one(sql, &[]).await.expect("reads");
        row.get(0)
    }
}

fn said(id: EventId, event: Event, payer: Option<Payer>) -> EventData {
    EventData {
        id,
        event,
        tenant: payer.map(|payer| payer.pseudonym),
        account: payer.map(|payer| payer.account),
        occurred_at: minute(0),
        cause: None,
        trace: None,
        principal: "somebody".to_owned(),
        sealed: Sealed::default(),
    }
}

fn append(stream: StreamId, expected: i32, events: Vec<EventData>) -> Append {
    Append {
        stream,
        expected: StreamVersion(expected),
        events,
        guards: Vec::new(),
    }
}

fn settlement(message: MessageId, operator: OperatorId, at: Timestamp) -> Settlement {
    Settlement {
        source_event_id: message.0,
        message_id: message,
        operator_id: operator,
        direction: Direction::Mt,
        segment_count: 2,
        dlr_status: Status::Delivered,
        occurred_at: at,
        charged_at: at,
        stated_tier: None,
        stated_currency: None,
        received_at: at,
    }
}

/// A charge and what tells it from others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charge {
    pub(super) payer: Payer,
    pub(super) operator: OperatorId,
    pub(super) currency: Currency,
    pub(super) at: Timestamp,
    /// In millionths.
    pub(super) price: i64,
    pub(super) own: bool,
}

/// `charge` is made of `message`, whose stream is at `version`.
pub(super) fn charged(message: MessageId, version: i32, charge: Charge) -> Append {
    let (price, cost) = (charge.price, 1_000);
    let unit = |millionths| {
        let amount = Amount::from_millionths(millionths);
        amount.try_into().expect("a unit price")
    };
    let event = Event::MessageCharged(MessageCharged {
        settlement: settlement(message, charge.operator, charge.at),
        payer: PayerSource::Registered,
        account_tier: AccountTier::Growth,
        currency: charge.currency,
        rated_at: charge.at,
        price: AppliedPrice {
            pricing_table_id: PricingTableId(Uuid::from_u128(1)),
            own: charge.own,
            pricing_model: PricingModel::PerSegment,
            unit_price: unit(price / 2),
        },
        billed: true,
        customer_price: Amount::from_millionths(price),
        assessment: CostAssessment {
            cost: Some(AppliedCost {
                operator_cost_id: OperatorCostId(Uuid::from_u128(2)),
                cost_per_segment: unit(cost / 2),
                currency: charge.currency,
            }),
            due: true,
            operator_cost: Amount::from_millionths(cost),
            exchange: None,
            converted_cost: Some(Amount::from_millionths(cost)),
            margin: Some(Amount::from_millionths(price - cost)),
        },
        clock_skew: false,
        late: false,
    });
    let fact = said(EventId::of_charge(message), event, Some(charge.payer));
    append(StreamId::charge(message), version, vec![fact])
}

/// The charge of `message` has to wait.
pub(super) fn held(message: MessageId, payer: Payer, at: Timestamp) -> Append {
    let event = Event::ChargeHeld(ChargeHeld {
        settlement: settlement(message, OPERATOR, at),
        payer: PayerSource::Registered,
        account_tier: Some(AccountTier::Growth),
        currency: Some(euro()),
        rated_at: at,
        reason: HoldReason::NoPrice,
    });
    let fact = said(EventId::of_held_charge(message), event, Some(payer));
    append(StreamId::charge(message), 0, vec![fact])
}

/// The charge of `message`, whose stream is at `version`, is contradicted.
pub(super) fn contradicted(
    message: MessageId,
    version: i32,
    payer: Payer,
    at: Timestamp,
) -> Append {
    let first = settlement(message, OPERATOR, at);
    let second = Settlement {
        segment_count: first.segment_count + 1,
        ..first.clone()
    };
    let event = Event::ChargeConflictRecorded(ChargeConflictRecorded {
        settlement: second,
        first: FirstSettlement {
            tenant: payer.pseudonym,
            account_id: payer.account,
            settlement: first,
        },
        differs: vec!["segmentCount".to_owned()],
    });
    let fact = said(EventId(unique()), event, Some(payer));
    append(StreamId::charge(message), version, vec![fact])
}

/// The account is registered, or changed in a stream that is at `version`: each second version
/// takes the place of the one before.
pub(super) fn account(payer: Payer, version: i32, account_tier: AccountTier) -> Append {
    let account = AccountFacts {
        account_id: payer.account,
        account_tier,
        currency: euro(),
        payment_terms_days: PaymentDays::default(),
        invoice_language: InvoiceLanguage::default(),
        tax: AccountTax {
            category: TaxCategory::S,
            rate: "19".parse().expect("a rate"),
            country: CountryCode::parse("DE").expect("exists"),
        },
    };
    let effective_from = minute(i64::from(version / 2));
    let event = match version {
        0 => Event::AccountRegistered(AccountRegistered {
            account,
            effective_from,
        }),
        _ => Event::AccountChanged(AccountChanged {
            account,
            effective_from,
        }),
    };
    let mut fact = said(EventId(unique()), event, Some(payer));
    let name = SealedValue(format!("1.name-{version}"));
    let sealed = [(Sealed::LEGAL_NAME.to_owned(), name)];
    fact.sealed = Sealed(sealed.into());
    append(StreamId::account(payer.account), version, vec![fact])
}

/// A carrier's statement was compared.
pub(super) fn statement() -> Append {
    let Event::OperatorStatementCompared(mut compared) = golden("OperatorStatementCompared") else {
        panic!("another golden event");
    };
    compared.statement_id = StatementId(unique());
    let stream = StreamId::statement(compared.statement_id);
    let event = Event::OperatorStatementCompared(compared);
    append(stream, 0, vec![said(EventId(unique()), event, None)])
}

/// Somebody wants a tenant erased that nothing else is about.
pub(super) fn erasure() -> Append {
    let (tenant, at) = (Pseudonym(unique()), minute(0));
    let asked = ErasureRequested {
        source_event_id: unique(),
        erased_at: at,
        received_at: at,
    };
    let fact = said(EventId(unique()), Event::ErasureRequested(asked), None);
    append(StreamId::tenant(tenant), 0, vec![fact])
}

/// The key of the prices in these tests, the platform's or somebody's own.
pub(super) fn key(payer: Option<Payer>) -> PriceKey {
    PriceKey {
        tenant: payer.map(|payer| payer.pseudonym),
        account_tier: AccountTier::Growth,
        operator_id: OPERATOR,
        direction: Direction::Mt,
        currency: euro(),
    }
}

/// A version of a price is opened.
pub(super) fn opened(version: PricingTableId, payer: Option<Payer>, period: Period) -> EventData {
    let key = key(payer);
    let unit_price = Amount::from_millionths(45_000);
    let event = Event::PriceOpened(PriceOpened {
        pricing_table_id: version,
        account_tier: key.account_tier,
        operator_id: key.operator_id,
        direction: key.direction,
        currency: key.currency,
        terms: PriceTerms {
            pricing_model: PricingModel::PerSegment,
            unit_price: unit_price.try_into().expect("a unit price"),
            billable_statuses: BTreeSet::from([Status::Delivered, Status::Failed]),
        },
        period,
        request: version.0,
    });
    EventData {
        account: None,
        ..said(EventId(unique()), event, payer)
    }
}

/// It is closed.
pub(super) fn closed(version: PricingTableId, payer: Option<Payer>, at: Timestamp) -> EventData {
    let event = Event::PriceClosed(PriceClosed {
        pricing_table_id: version,
        effective_to: at,
    });
    EventData {
        account: None,
        ..said(EventId(unique()), event, payer)
    }
}

/// What happens to the price of a key whose stream is at `version`.
pub(super) fn price(payer: Option<Payer>, version: i32, events: Vec<EventData>) -> Append {
    append(StreamId::price(&key(payer)), version, events)
}

/// A cost is opened and closed again at once.
pub(super) fn cost(version: OperatorCostId) -> Append {
    let key = CostKey {
        operator_id: OPERATOR,
        direction: Direction::Mt,
    };
    let terms = CostTerms {
        cost_per_segment: Amount::from_millionths(500)
            .try_into()
            .expect("a unit price"),
        currency: euro(),
        due_statuses: [Status::Delivered].into(),
    };
    let opened = Event::CostOpened(CostOpened {
        operator_cost_id: version,
        operator_id: key.operator_id,
        direction: key.direction,
        terms,
        period: Period {
            effective_from: minute(0),
            effective_to: None,
        },
        request: version.0,
    });
    let closed = Event::CostClosed(CostClosed {
        operator_cost_id: version,
        effective_to: minute(9),
    });
    let events = [opened, closed].map(|event| said(EventId(unique()), event, None));
    append(StreamId::cost(&key), 0, events.into())
}
