//! The same small world with billing: accounts and prices first, then a charge or a hold for
//! every settlement, then what was missing, then the charges that had waited for it.

use schema::{Category, EventId, MessageId, StreamId, Timestamp};
use time::Date;
use uuid::Uuid;

use super::{
    super::{
        account_tables::{AccountRow, AccountVersionRow},
        adjustments::AdjustmentRow,
        billing_facts::{
            Account, AccountFacts, AppliedCost, AppliedPrice, Assessment, Charged, Conflict,
            CostOpened, CostTerms, FirstSettlement, Held, Looked, PriceOpened, PriceTerms,
            Settlement, SheetApplied, Tax,
        },
        billing_tables::{AccessRow, Bucket, ChargeRow, HeldRow, Tables, VersionRow},
        charge_checks,
        conflict_rows::{self, ConflictRow},
        facts::{Body, LogEvent},
        findings::Findings,
        judge::Judge,
        margins::{Group, Margins},
        rows::Rows,
    },
    world::{World, pseudonym, start},
};
use crate::traffic::{
    Agreement, Announced, Shape,
    agreement::{self, Charge, Comes, Cost, Outcome, Price, Settled, Usage},
};

/// What the tables of billing show.
#[derive(Clone, Default)]
pub(super) struct Shown {
    pub(super) charges: Vec<ChargeRow>,
    pub(super) held: Vec<HeldRow>,
    pub(super) conflicts: Vec<ConflictRow>,
    pub(super) hours: Vec<(Bucket<i64>, Usage)>,
    pub(super) days: Vec<(Bucket<Date>, Usage)>,
    pub(super) prices: Vec<VersionRow>,
    pub(super) costs: Vec<VersionRow>,
    pub(super) accounts: Vec<AccountRow>,
    pub(super) account_versions: Vec<AccountVersionRow>,
    pub(super) accesses: Vec<AccessRow>,
    pub(super) adjustments: Vec<AdjustmentRow>,
    pub(super) margins: Vec<(Group, Usage)>,
}

impl World {
    /// A world at rest in which everything is charged by the traffic's agreement.
    pub(super) fn charged(messages: u64) -> Self {
        let mut world = Self::at_rest(messages);
        let mut agreement = Agreement::draw(&Shape::new(Self::SEED, messages, start()));
        let running = agreement.running().expect("an open price");
        let unit = agreement.prices[running].unit.times(2);
        agreement.change(running, start(), unit);
        world.agree(&agreement, Comes::First);
        world.look();
        for cost in &agreement.costs {
            world.open_cost(cost);
        }
        world.apply_sheet(agreement.costs.len());
        let settled = world.settled();
        let mut waiting = Vec::new();
        for settlement in settled {
            if !world.charge(&agreement, &settlement, Comes::First) {
                waiting.push(settlement);
            }
        }
        world.agree(&agreement, Comes::Later);
        for settlement in waiting {
            world.charge(&agreement, &settlement, Comes::Later);
        }
        world.expected.agreement = Some(agreement);
        world.finish();
        world
    }

    /// Somebody looks at an account of a tenant's, and is refused to look at others, twice.
    fn look(&mut self) {
        let account = self.events.iter().find_map(|event| match &event.body {
            Body::Account(told) => Some((event.tenant, told.account.account_id)),
            _ => None,
        });
        let (tenant, account) = account.expect("an account");
        let look = |request, code: Option<&str>, calls| Looked {
            endpoint: "GET /v1/billing/usage".into(),
            account_id: Some(account),
            caller_tenant: Uuid::from_u128(0xca11),
            request_id: Uuid::from_u128(request),
            code: code.map(Into::into),
            calls,
            more_account_ids: Vec::new(),
        };
        let read = Body::Looked(Box::new(look(0xa1, None, 1)));
        self.say(tenant, Some(account), read);
        for calls in [1, 7] {
            let refused = Body::Looked(Box::new(look(0xa2, Some("right_missing"), calls)));
            self.say(None, Some(account), refused);
        }
    }

    /// Says the settlement of the first charge once more, with another number of segments.
    pub(super) fn contradict(&mut self) {
        let charged = self.events.iter();
        let charged = charged.filter(|event| matches!(event.body, Body::Charged(_)));
        let first = charged.clone().next().expect("a charge").clone();
        let mut settlement = first.settlement().expect("one").clone();
        settlement.segment_count = settlement.segment_count % 10 + 1;
        settlement.source_event_id = Uuid::from_u128(77);
        let message = MessageId(settlement.message_id);
        let announced = Announced {
            event_id: settlement.source_event_id,
            message,
            tenant: schema::TenantId(self.tenants[&first.tenant.expect("a tenant")]),
            account: schema::AccountId(first.account.expect("an account")),
            operator: schema::OperatorId(settlement.operator_id),
            segments: settlement.segment_count,
            status: settlement.dlr_status,
            charged_at: settlement.charged_at,
            tier: None,
            currency: None,
        };
        self.expected.announced.insert(message, vec![announced]);
        let body = Body::Conflict(Box::new(Conflict {
            first: FirstSettlement {
                tenant: first.tenant.expect("a tenant"),
                account_id: first.account.expect("an account"),
                settlement: first.settlement().expect("one").clone(),
            },
            settlement,
            differs: vec!["segmentCount".into()],
        }));
        self.say(first.tenant, first.account, body);
        self.finish();
    }

    /// Brings head, checkpoints and tables up to date.
    pub(super) fn finish(&mut self) {
        self.head = self.events.last().map_or(0, |event| event.position);
        for (_, position) in &mut self.checkpoints {
            *position = self.head;
        }
        let log = self.log();
        let mut findings = Findings::default();
        let charges = charge_checks::check(&log, &self.expected, false, &mut findings);
        let tables = Tables::due(&log, &charges);
        self.billing = Some(Shown {
            charges: rows(&tables.charges),
            held: rows(&tables.held),
            conflicts: rows(&conflict_rows::due(&log)),
            hours: buckets(&tables.hours),
            days: buckets(&tables.days),
            prices: rows(&tables.prices),
            costs: rows(&tables.costs),
            accounts: rows(&tables.accounts.accounts),
            account_versions: rows(&tables.accounts.versions),
            accesses: rows(&tables.accesses),
            adjustments: rows(&tables.adjustments),
            margins: buckets(&Margins::due(&log, &charges).groups),
        });
    }

    /// Registers the accounts and opens the prices that come then.
    fn agree(&mut self, agreement: &Agreement, comes: Comes) {
        let accounts = agreement.accounts.iter();
        for (id, account) in accounts.filter(|(_, account)| account.comes == comes) {
            let tenant = pseudonym(account.tenant.0);
            self.tenants.insert(tenant, account.tenant.0);
            for version in account.versions() {
                let body = Body::Account(Box::new(Account {
                    from: version.from.unwrap_or_else(start),
                    account: account_facts(id.0, &version),
                }));
                self.say(Some(tenant), Some(id.0), body);
            }
        }
        let prices = (0..).zip(&agreement.prices);
        for (number, price) in prices.filter(|(_, price)| price.comes == comes) {
            self.open_price(number, price);
        }
    }

    fn open_price(&mut self, number: u128, price: &Price) {
        let all = schema::Status::ALL.into_iter().filter(|it| it.is_final());
        let statuses = price.billable.map_or_else(|| all.collect(), <[_]>::to_vec);
        let tenant = price.tenant.map(|tenant| pseudonym(tenant.0));
        let body = Body::PriceOpened(Box::new(PriceOpened {
            pricing_table_id: Uuid::from_u128(1_000_000 + number),
            account_tier: price.tier.into(),
            operator_id: price.operator.0,
            direction: "MT".into(),
            currency: price.currency.into(),
            terms: PriceTerms {
                pricing_model: price.model.into(),
                unit_price: price.unit,
                billable_statuses: statuses,
            },
            effective_from: price.from,
            effective_to: price.to,
        }));
        self.say(tenant, None, body);
    }

    fn open_cost(&mut self, cost: &Cost) {
        let number = u128::try_from(self.events.len()).expect("small");
        let body = Body::CostOpened(Box::new(CostOpened {
            operator_cost_id: Uuid::from_u128(2_000_000 + number),
            operator_id: cost.operator.0,
            direction: "MT".into(),
            terms: CostTerms {
                cost_per_segment: cost.per_segment,
                currency: cost.currency.into(),
                due_statuses: schema::Status::ALL
                    .into_iter()
                    .filter(|it| it.is_final())
                    .collect(),
            },
            effective_from: cost.from,
            effective_to: cost.to,
        }));
        self.say(None, None, body);
    }

    /// What was opened last came from a sheet.
    fn apply_sheet(&mut self, opened: usize) {
        let body = Body::SheetApplied(Box::new(SheetApplied {
            of_prices: false,
            sheet_id: "carriers".into(),
            lines: opened + 1,
            opened,
            closed: 0,
            unchanged: 1,
        }));
        self.say(None, None, body);
    }

    fn settled(&self) -> Vec<(Uuid, Uuid, Settlement)> {
        let settlement = |event: &LogEvent| {
            let Body::Settled { receipt, segments } = &event.body else {
                return None;
            };
            let settlement = Settlement {
                source_event_id: EventId(event.event_id).announced_on("billing.events"),
                message_id: event.stream,
                operator_id: receipt.operator_id,
                direction: "MT".into(),
                segment_count: *segments,
                dlr_status: receipt.dlr_status,
                occurred_at: receipt.delivered_at,
                charged_at: receipt.delivered_at,
                stated_tier: None,
                stated_currency: None,
                received_at: start(),
            };
            Some((event.tenant?, event.account?, settlement))
        };
        self.events.iter().filter_map(settlement).collect()
    }

    /// Charges a settlement by what is known, or holds it; whether it is charged.
    fn charge(
        &mut self,
        agreement: &Agreement,
        (tenant, account, settlement): &(Uuid, Uuid, Settlement),
        known: Comes,
    ) -> bool {
        let settled = Settled {
            message: MessageId(settlement.message_id),
            tenant: schema::TenantId(self.tenants[tenant]),
            account: schema::AccountId(*account),
            operator: schema::OperatorId(settlement.operator_id),
            segments: settlement.segment_count,
            status: settlement.dlr_status,
            charged_at: settlement.charged_at,
            received_at: settlement.received_at,
            tier: None,
            currency: None,
        };
        let said = agreement.accounts.get(&settled.account);
        let said = said.filter(|account| account.comes <= known && account.comes < Comes::Never);
        let rated_at = settled.charged_at.min(settled.received_at);
        let said = said.and_then(|account| account.pays_by(rated_at));
        let body = match agreement.outcome(&settled, known) {
            Outcome::Charged(charge) => {
                let (tier, _) = said.expect("charged accounts are known");
                let charged = self.charged_by(*tenant, tier, &charge, settlement);
                Body::Charged(Box::new(charged))
            }
            Outcome::Held(_) if known == Comes::Later => return false,
            Outcome::Held(reason) => Body::Held(Box::new(Held {
                settlement: settlement.clone(),
                payer: if said.is_some() {
                    "REGISTERED"
                } else {
                    "STATED"
                }
                .into(),
                account_tier: said.map(|(tier, _)| tier.into()),
                currency: said.map(|(_, currency)| currency.into()),
                rated_at,
                reason: reason.into(),
            })),
        };
        let charged = matches!(body, Body::Charged(_));
        self.say(Some(*tenant), Some(*account), body);
        charged
    }

    /// The charge, with the versions it rests on looked up by what they say.
    fn charged_by(
        &self,
        tenant: Uuid,
        tier: &str,
        charge: &Charge,
        settlement: &Settlement,
    ) -> Charged {
        let at = charge.rated_at;
        let covers =
            |from: Timestamp, to: Option<Timestamp>| from <= at && to.is_none_or(|to| at < to);
        let owner = charge.own.then_some(tenant);
        let price = self.events.iter().find_map(|event| match &event.body {
            Body::PriceOpened(price)
                if event.tenant == owner
                    && price.operator_id == settlement.operator_id
                    && *price.account_tier == *tier
                    && *price.currency == *charge.currency
                    && covers(price.effective_from, price.effective_to) =>
            {
                Some(price)
            }
            _ => None,
        });
        let price = price.expect("a price of its time");
        let cost = self.events.iter().find_map(|event| match &event.body {
            Body::CostOpened(cost)
                if cost.operator_id == settlement.operator_id
                    && covers(cost.effective_from, cost.effective_to) =>
            {
                Some(AppliedCost {
                    operator_cost_id: cost.operator_cost_id,
                    cost_per_segment: cost.terms.cost_per_segment,
                    currency: cost.terms.currency.clone(),
                })
            }
            _ => None,
        });
        Charged {
            settlement: settlement.clone(),
            payer: "REGISTERED".into(),
            account_tier: tier.into(),
            currency: charge.currency.into(),
            rated_at: at,
            price: AppliedPrice {
                pricing_table_id: price.pricing_table_id,
                own: charge.own,
                pricing_model: price.terms.pricing_model.clone(),
                unit_price: price.terms.unit_price,
            },
            billed: charge.billed,
            customer_price: charge.price,
            assessment: Assessment {
                due: cost.is_some(),
                cost,
                operator_cost: charge.cost,
                exchange: None,
                converted_cost: charge.converted,
                margin: charge.converted.map(|cost| charge.price - cost),
            },
            clock_skew: is_skewed(settlement),
            late: false,
        }
    }

    /// Records a fact of billing at the end of its stream and of the log.
    pub(super) fn say(&mut self, tenant: Option<Uuid>, account: Option<Uuid>, body: Body) {
        let number = u128::try_from(self.events.len()).expect("small") + 1;
        let mut event = LogEvent {
            position: i64::try_from(number).expect("small"),
            category: body.belongs_to(),
            stream: Uuid::nil(),
            version: 0,
            event_id: Uuid::from_u128(5_000_000 + number),
            tenant,
            account,
            recorded_at: start(),
            principal: Some("an-admin".into()),
            body,
        };
        (event.stream, event.event_id) = event.derived_in_billing().expect("a stream");
        let category = event.category.expect("of billing");
        let stream = StreamId {
            category,
            id: event.stream,
        };
        let shown = [
            Category::Account,
            Category::Price,
            Category::Sheet,
            Category::Audit,
            Category::Adjustment,
        ];
        if !shown.contains(&category) {
            event.principal = None;
        }
        event.version = self.next_version(stream);
        self.events.push(event);
    }

    /// Lets the auditor see the tables.
    pub(super) fn show(&self, judge: &mut Judge<'_>) {
        let Some(shown) = &self.billing else {
            return;
        };
        shown.charges.iter().for_each(|row| judge.charge_row(row));
        shown.held.iter().for_each(|row| judge.held_row(row));
        shown
            .conflicts
            .iter()
            .for_each(|row| judge.conflict_row(row));
        for (bucket, usage) in &shown.hours {
            judge.hour(bucket.clone(), *usage);
        }
        for (bucket, usage) in &shown.days {
            judge.day(bucket.clone(), *usage);
        }
        shown.prices.iter().for_each(|row| judge.price_row(row));
        shown.costs.iter().for_each(|row| judge.cost_row(row));
        shown.accounts.iter().for_each(|row| judge.account_row(row));
        let versions = shown.account_versions.iter();
        versions.for_each(|row| judge.account_version_row(row));
        shown.accesses.iter().for_each(|row| judge.access_row(row));
        let adjustments = shown.adjustments.iter();
        adjustments.for_each(|row| judge.adjustment_row(row));
        for (group, sum) in &shown.margins {
            judge.margin(group.clone(), *sum);
        }
    }
}

fn is_skewed(settlement: &Settlement) -> bool {
    settlement.charged_at.micros() - settlement.received_at.micros() > 5_000_000
}

fn rows<K: Clone, R: Clone>(rows: &Rows<K, R>) -> Vec<R> {
    rows.due.values().map(|(row, _)| row.clone()).collect()
}

fn buckets<K: Clone, R: Clone>(rows: &Rows<K, R>) -> Vec<(K, R)> {
    let due = rows.due.iter();
    due.map(|(key, (row, _))| (key.clone(), row.clone()))
        .collect()
}

fn account_facts(account_id: Uuid, version: &agreement::Account) -> AccountFacts {
    AccountFacts {
        account_id,
        account_tier: version.tier.into(),
        currency: version.currency.into(),
        payment_terms_days: 30,
        invoice_language: "en".into(),
        tax: Tax {
            category: "S".into(),
            rate: "19.00".into(),
            country: "DE".into(),
        },
    }
}
