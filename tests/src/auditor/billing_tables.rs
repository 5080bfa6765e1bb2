//! Compares the tables of the schema `billing` with what the log says they must show.
//!
//! Every row that is due is worked out first; then the rows come in, in any order.

use schema::Timestamp;
use time::Date;
use uuid::Uuid;

use super::{
    Invariant,
    account_tables::AccountTables,
    adjustments::{self, AdjustmentRow},
    billing_facts::{Assessment, Charged, CostOpened, Held, Looked, PriceOpened},
    charge_checks::Charges,
    facts::{Body, Log, LogEvent},
    findings::Findings,
    rows::Rows,
};
use crate::{money::Millionths, traffic::agreement::Usage};

/// One row of `billing.billing_events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChargeRow {
    pub(super) position: i64,
    pub(super) billing_event_id: Uuid,
    pub(super) message_id: Uuid,
    pub(super) tenant_id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) operator_id: Uuid,
    pub(super) pricing_table_id: Uuid,
    pub(super) operator_cost_id: Option<Uuid>,
    pub(super) times: [Timestamp; 3],
    pub(super) segment_count: i16,
    /// Own price, billed, cost missing, clock skew, late.
    pub(super) flags: [bool; 5],
    /// Currency, tier, direction, status.
    pub(super) words: [String; 4],
    /// Price, cost.
    pub(super) amounts: [Millionths; 2],
    /// Cost in the charge's currency, margin.
    pub(super) known: [Option<Millionths>; 2],
    pub(super) cost_currency: Option<String>,
    pub(super) exchange_rate_id: Option<Uuid>,
    pub(super) assessed_position: i64,
}

/// One row of `billing.held_charges`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeldRow {
    pub(super) position: i64,
    pub(super) message_id: Uuid,
    pub(super) tenant_id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) operator_id: Uuid,
    pub(super) account_tier: Option<String>,
    pub(super) currency: Option<String>,
    /// Direction, status, reason.
    pub(super) words: [String; 3],
    pub(super) segment_count: i16,
    /// Charged, rated, held.
    pub(super) times: [Timestamp; 3],
    pub(super) resolved_at: Option<Timestamp>,
}

/// Whose usage, when (hours since 1970, or a day) and of what.
pub(super) type Bucket<T> = (Uuid, Uuid, Uuid, String, T);

/// One row of `billing.pricing_tables` or `billing.operator_costs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionRow {
    pub(super) id: Uuid,
    pub(super) tenant_id: Option<Uuid>,
    pub(super) operator_id: Uuid,
    /// Tier, direction, currency, pricing model, statuses in order; a cost has no tier and no
    /// model.
    pub(super) words: [String; 5],
    pub(super) unit: Millionths,
    pub(super) from: Timestamp,
    pub(super) to: Option<Timestamp>,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
}

/// One row of `billing.access_log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccessRow {
    pub(super) position: i64,
    pub(super) tenant_id: Option<Uuid>,
    pub(super) account_id: Option<Uuid>,
    pub(super) more_account_ids: Vec<Uuid>,
    pub(super) caller_tenant_id: Uuid,
    pub(super) principal: String,
    pub(super) endpoint: String,
    pub(super) refused_with: Option<String>,
    pub(super) calls: i64,
    pub(super) request_id: Uuid,
    pub(super) created_at: Timestamp,
}

/// All tables of billing.
pub(super) struct Tables {
    pub(super) charges: Rows<Uuid, ChargeRow>,
    pub(super) held: Rows<Uuid, HeldRow>,
    pub(super) hours: Rows<Bucket<i64>, Usage>,
    pub(super) days: Rows<Bucket<Date>, Usage>,
    pub(super) prices: Rows<Uuid, VersionRow>,
    pub(super) costs: Rows<Uuid, VersionRow>,
    pub(super) accounts: AccountTables,
    pub(super) accesses: Rows<i64, AccessRow>,
    pub(super) adjustments: Rows<Uuid, AdjustmentRow>,
    /// All charges, and all rows of each table of usage.
    charged: Usage,
    pub(super) in_hours: Usage,
    pub(super) in_days: Usage,
}

impl Tables {
    /// What the tables must show.
    pub(super) fn due(log: &Log, known: &Charges<'_>) -> Self {
        let (usage, prices) = (Invariant::UsageMatchesLog, Invariant::PriceRowsMatchLog);
        let mut tables = Self {
            charges: Rows::new(Invariant::ChargeRowsMatchLog, "billing.billing_events"),
            held: Rows::new(Invariant::HeldRowsMatchLog, "billing.held_charges"),
            hours: Rows::new(usage, "billing.usage_summaries"),
            days: Rows::new(usage, "billing.usage_days"),
            prices: Rows::new(prices, "billing.pricing_tables"),
            costs: Rows::new(prices, "billing.operator_costs"),
            accounts: AccountTables::new(),
            accesses: Rows::new(Invariant::AccessRowsMatchLog, "billing.access_log"),
            adjustments: Rows::new(Invariant::AdjustmentRowsMatchLog, "billing.adjustments"),
            charged: Usage::default(),
            in_hours: Usage::default(),
            in_days: Usage::default(),
        };
        for event in &log.events {
            tables.take(log, known, event);
        }
        tables
    }

    fn take(&mut self, log: &Log, known: &Charges<'_>, event: &LogEvent) {
        match &event.body {
            Body::Charged(charged) => {
                let last = known.by_message.get(&charged.settlement.message_id);
                let last = last.and_then(|charge| charge.assessed);
                let last = last.unwrap_or((&charged.assessment, event.position));
                self.count(log, event, charged, last.0);
                let row = charge_row(log, event, charged, last);
                self.charges.due.insert(row.message_id, (row, false));
            }
            Body::Held(held) => {
                let row = held_row(log, known, event, held);
                self.held.due.insert(row.message_id, (row, false));
            }
            Body::PriceOpened(opened) => {
                let row = price_row(log, known, event, opened);
                self.prices.due.insert(row.id, (row, false));
            }
            Body::CostOpened(opened) => {
                let row = cost_row(known, event, opened);
                self.costs.due.insert(row.id, (row, false));
            }
            Body::Looked(looked) => {
                let row = access_row(log, event, looked);
                self.accesses.due.insert(row.position, (row, false));
            }
            Body::Adjustment(adjustment) => {
                let id = adjustment.facts.adjustment_id;
                let before = self.adjustments.due.get(&id).map(|(row, _)| row);
                let row = adjustments::row(tenant_of(log, event), event, adjustment, before);
                self.adjustments.due.insert(id, (row, false));
            }
            Body::Account(told) => self.accounts.tell(tenant_of(log, event), event, told),
            _ => {}
        }
    }

    fn count(&mut self, log: &Log, event: &LogEvent, charged: &Charged, last: &Assessment) {
        let settlement = &charged.settlement;
        let (tenant, account) = (tenant_of(log, event), event.account.unwrap_or_default());
        let operator = settlement.operator_id;
        let currency = charged.currency.to_string();
        let hour = charged.rated_at.micros().div_euclid(3_600_000_000);
        let day = charged.rated_at.date();
        let hours = (tenant, account, operator, currency.clone(), hour);
        let days = (tenant, account, operator, currency, day);
        for sum in [
            &mut self.hours.due.entry(hours).or_default().0,
            &mut self.days.due.entry(days).or_default().0,
            &mut self.charged,
        ] {
            sum.add(
                settlement.segment_count,
                charged.customer_price,
                last.converted_cost,
                last.cost.is_none(),
            );
        }
    }

    /// After the last row of the last table.
    pub(super) fn end(&self, findings: &mut Findings) {
        self.charges.end(findings);
        self.held.end(findings);
        self.hours.end(findings);
        self.days.end(findings);
        self.prices.end(findings);
        self.costs.end(findings);
        self.accounts.end(findings);
        self.accesses.end(findings);
        self.adjustments.end(findings);
        for (table, sum) in [("hours", self.in_hours), ("days", self.in_days)] {
            findings.hold(Invariant::UsageMatchesLog, sum == self.charged, || {
                format!(
                    "the {table} add up to {sum:?}, the charges to {:?}",
                    self.charged
                )
            });
        }
    }
}

/// Whose event it is: the tenant or, once that is erased, its pseudonym.
pub(super) fn tenant_of(log: &Log, event: &LogEvent) -> Uuid {
    let pseudonym = event.tenant.unwrap_or_default();
    log.tenants.get(&pseudonym).copied().unwrap_or(pseudonym)
}

/// The row of a charge, with what it costs by its last assessment.
fn charge_row(
    log: &Log,
    event: &LogEvent,
    charged: &Charged,
    (last, assessed_position): (&Assessment, i64),
) -> ChargeRow {
    let settlement = &charged.settlement;
    let cost = last.cost.as_ref();
    ChargeRow {
        position: event.position,
        billing_event_id: event.event_id,
        message_id: settlement.message_id,
        tenant_id: tenant_of(log, event),
        account_id: event.account.unwrap_or_default(),
        operator_id: settlement.operator_id,
        pricing_table_id: charged.price.pricing_table_id,
        operator_cost_id: cost.map(|cost| cost.operator_cost_id),
        times: [settlement.charged_at, charged.rated_at, event.recorded_at],
        segment_count: settlement.segment_count,
        flags: [
            charged.price.own,
            charged.billed,
            cost.is_none(),
            charged.clock_skew,
            charged.late,
        ],
        words: [
            charged.currency.to_string(),
            charged.account_tier.to_string(),
            settlement.direction.to_string(),
            settlement.dlr_status.as_str().to_owned(),
        ],
        amounts: [charged.customer_price, last.operator_cost],
        known: [last.converted_cost, last.margin],
        cost_currency: cost.map(|cost| cost.currency.to_string()),
        exchange_rate_id: last.exchange.as_ref().map(|rate| rate.exchange_rate_id),
        assessed_position,
    }
}

fn held_row(log: &Log, known: &Charges<'_>, event: &LogEvent, held: &Held) -> HeldRow {
    let settlement = &held.settlement;
    let charge = known.by_message.get(&settlement.message_id);
    let resolved = charge.and_then(|charge| charge.charged);
    HeldRow {
        position: event.position,
        message_id: settlement.message_id,
        tenant_id: tenant_of(log, event),
        account_id: event.account.unwrap_or_default(),
        operator_id: settlement.operator_id,
        account_tier: held.account_tier.as_deref().map(str::to_owned),
        currency: held.currency.as_deref().map(str::to_owned),
        words: [
            settlement.direction.to_string(),
            settlement.dlr_status.as_str().to_owned(),
            held.reason.to_string(),
        ],
        segment_count: settlement.segment_count,
        times: [settlement.charged_at, held.rated_at, event.recorded_at],
        resolved_at: resolved.map(|event| event.recorded_at),
    }
}

fn access_row(log: &Log, event: &LogEvent, looked: &Looked) -> AccessRow {
    let named = |pseudonym: Uuid| log.tenants.get(&pseudonym).copied().unwrap_or(pseudonym);
    AccessRow {
        position: event.position,
        tenant_id: event.tenant.map(named),
        account_id: looked.account_id,
        more_account_ids: looked.more_account_ids.clone(),
        caller_tenant_id: named(looked.caller_tenant),
        principal: principal(event),
        endpoint: looked.endpoint.to_string(),
        refused_with: looked.code.as_deref().map(str::to_owned),
        calls: looked.calls,
        request_id: looked.request_id,
        created_at: event.recorded_at,
    }
}

fn price_row(log: &Log, known: &Charges<'_>, event: &LogEvent, opened: &PriceOpened) -> VersionRow {
    let version = known.book.price(opened.pricing_table_id);
    let statuses = opened.terms.billable_statuses.iter();
    let mut statuses: Vec<_> = statuses.map(|status| status.as_str()).collect();
    statuses.sort_unstable();
    VersionRow {
        id: opened.pricing_table_id,
        tenant_id: event.tenant.map(|_| tenant_of(log, event)),
        operator_id: opened.operator_id,
        words: [
            opened.account_tier.to_string(),
            opened.direction.to_string(),
            opened.currency.to_string(),
            opened.terms.pricing_model.to_string(),
            statuses.join(","),
        ],
        unit: opened.terms.unit_price,
        from: opened.effective_from,
        to: version.and_then(|version| version.to),
        created_by: principal(event),
        created_at: event.recorded_at,
    }
}

fn cost_row(known: &Charges<'_>, event: &LogEvent, opened: &CostOpened) -> VersionRow {
    let version = known.book.cost(opened.operator_cost_id);
    let none = String::new;
    let statuses = opened.terms.due_statuses.iter();
    let mut statuses: Vec<_> = statuses.map(|status| status.as_str()).collect();
    statuses.sort_unstable();
    VersionRow {
        id: opened.operator_cost_id,
        tenant_id: None,
        operator_id: opened.operator_id,
        words: [
            none(),
            opened.direction.to_string(),
            opened.terms.currency.to_string(),
            none(),
            statuses.join(","),
        ],
        unit: opened.terms.cost_per_segment,
        from: opened.effective_from,
        to: version.and_then(|version| version.to),
        created_by: principal(event),
        created_at: event.recorded_at,
    }
}

fn principal(event: &LogEvent) -> String {
    event.principal.as_deref().unwrap_or_default().to_owned()
}
