//! `billing.usage_summaries` and `billing.usage_days`: charges added up by hour and by day. What they
//! cost is what is known now: when it is assessed again, the sums lose what they had and get that.
//!
//! Sums are added to, so nothing may be added twice: `billing.usage_counted` moves with them in
//! one transaction, and charges up to there are left out, whatever the checkpoint says.

mod queries;

pub use self::queries::{Bucket, CurrencyUsage, Figures, Granularity, UsageOf, usage};

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{LogId, RecordedEvent, postgres::Statement};
use rust_decimal::Decimal;
use schema::{
    Amount, Currency, Event, EventType, Position, Timestamp,
    event::{CostAssessment, ReplacedAssessment},
};
use time::{Date, OffsetDateTime};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{ApplyError, Batch, Scope, Table};

const COUNTED: Statement = Statement::new(include_str!("usage_summaries/counted.sql"));
const ADD_HOURS: Statement = Statement::new(include_str!("usage_summaries/add_hours.sql"));
const ADD_DAYS: Statement = Statement::new(include_str!("usage_summaries/add_days.sql"));
const COUNT: Statement = Statement::new(include_str!("usage_summaries/count.sql"));

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;

/// The usage of every account.
#[derive(Debug, Clone, Copy)]
pub struct UsageSummaries;

#[async_trait]
impl Table for UsageSummaries {
    const NAME: &'static str = "usage_summaries";
    const READS: &'static [EventType] = &[EventType::MessageCharged, EventType::CostsAssessed];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let Some(last) = batch.last().map(|event| event.position) else {
            return Ok(());
        };
        Scope::EveryTenant.enter(transaction).await?;
        let (log, counted) = (batch.log, counted(transaction, batch.log).await?);
        if last <= counted {
            return Ok(());
        }
        let new = batch.partition_point(|event| event.position <= counted);
        let hours = by_hour(&batch[new..]);
        let days = by_day(&hours);
        add(transaction, log, ADD_HOURS, &hours).await?;
        add(transaction, log, ADD_DAYS, &days).await?;
        Ok(COUNT.execute(transaction, &[&log.0, &last.0]).await?)
    }
}

/// How far the usage of `log` is counted.
async fn counted(transaction: &Transaction<'_>, log: LogId) -> Result<Position, ApplyError> {
    let row = COUNTED.query_one(transaction, &[&log.0]).await?;
    Ok(Position(row.get(0)))
}

/// What is added up: the charges of one account in one period, currency and carrier. In the order
/// of the tables' keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SumKey<P> {
    /// The pseudonym.
    tenant: Option<Uuid>,
    account: Option<Uuid>,
    period: P,
    currency: Currency,
    operator: Uuid,
}

/// Sums over charges, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum {
    messages: i64,
    segments: i64,
    price: Amount,
    /// What is known of costs, in this currency.
    cost: Amount,
    /// What is known of margins.
    margin: Amount,
    cost_missing: i64,
    margin_unknown: i64,
    /// Of the last event.
    position: Position,
}

type Sums<P> = BTreeMap<SumKey<P>, Sum>;

fn by_hour(events: &[Arc<RecordedEvent>]) -> Sums<OffsetDateTime> {
    let mut sums = Sums::new();
    for event in events {
        match &event.data.event {
            Event::MessageCharged(charged) => {
                let key = SumKey {
                    tenant: event.data.tenant.map(|tenant| tenant.0),
                    account: event.data.account.map(|account| account.0),
                    period: hour(charged.rated_at),
                    currency: charged.currency,
                    operator: charged.settlement.operator_id.0,
                };
                let sum = Sum {
                    messages: 1,
                    segments: i64::from(charged.settlement.segment_count),
                    price: charged.customer_price,
                    ..Sum::of(known(&charged.assessment), event.position)
                };
                count(&mut sums, key, sum);
            }
            Event::CostsAssessed(assessed) => {
                for charge in &assessed.charges {
                    let key = SumKey {
                        tenant: event.data.tenant.map(|tenant| tenant.0),
                        account: Some(charge.account_id.0),
                        period: hour(charge.rated_at),
                        currency: assessed.currency,
                        operator: assessed.operator_id.0,
                    };
                    let now = Sum::of(known(&charge.assessment), event.position);
                    count(&mut sums, key, now.less(charge.replaced));
                }
            }
            _ => {}
        }
    }
    sums
}

/// What of an assessment is in sums.
fn known(assessment: &CostAssessment) -> ReplacedAssessment {
    ReplacedAssessment {
        cost_missing: assessment.cost.is_none(),
        converted_cost: assessment.converted_cost,
        margin: assessment.margin,
    }
}

impl Sum {
    /// That of one charge's cost, by the event at `position`.
    fn of(cost: ReplacedAssessment, position: Position) -> Self {
        Self {
            messages: 0,
            segments: 0,
            price: Amount::ZERO,
            cost: cost.converted_cost.unwrap_or(Amount::ZERO),
            margin: cost.margin.unwrap_or(Amount::ZERO),
            cost_missing: i64::from(cost.cost_missing),
            margin_unknown: i64::from(cost.margin.is_none()),
            position,
        }
    }

    /// Without what one charge was taken to cost before.
    fn less(self, before: ReplacedAssessment) -> Self {
        let before = Self::of(before, self.position);
        Self {
            cost: self.cost - before.cost,
            margin: self.margin - before.margin,
            cost_missing: self.cost_missing - before.cost_missing,
            margin_unknown: self.margin_unknown - before.margin_unknown,
            ..self
        }
    }
}

fn by_day(hours: &Sums<OffsetDateTime>) -> Sums<Date> {
    let mut sums = Sums::new();
    for (hour, sum) in hours {
        let key = SumKey {
            tenant: hour.tenant,
            account: hour.account,
            period: hour.period.date(),
            currency: hour.currency,
            operator: hour.operator,
        };
        count(&mut sums, key, *sum);
    }
    sums
}

fn count<P: Ord>(sums: &mut Sums<P>, key: SumKey<P>, more: Sum) {
    let add = |sum: &mut Sum| {
        *sum = Sum {
            messages: sum.messages + more.messages,
            segments: sum.segments + more.segments,
            price: sum.price + more.price,
            cost: sum.cost + more.cost,
            margin: sum.margin + more.margin,
            cost_missing: sum.cost_missing + more.cost_missing,
            margin_unknown: sum.margin_unknown + more.margin_unknown,
            position: sum.position.max(more.position),
        }
    };
    sums.entry(key).and_modify(add).or_insert(more);
}

/// When the hour of `at` began.
fn hour(at: Timestamp) -> OffsetDateTime {
    let micros = at.micros();
    // Unwrap safety: the first year there is begins with a whole hour, so no hour begins before.
    let began = Timestamp::from_micros(micros - micros.rem_euclid(HOUR)).expect("an hour");
    began.datetime()
}

async fn add<P>(
    transaction: &Transaction<'_>,
    log: LogId,
    add: Statement,
    sums: &Sums<P>,
) -> Result<(), ApplyError>
where
    P: Copy + ToSql + Sync,
{
    let tenants: Vec<Option<Uuid>> = sums.keys().map(|bucket| bucket.tenant).collect();
    let accounts: Vec<Option<Uuid>> = sums.keys().map(|bucket| bucket.account).collect();
    let periods: Vec<P> = sums.keys().map(|bucket| bucket.period).collect();
    let currencies: Vec<&str> = sums.keys().map(|bucket| bucket.currency.as_str()).collect();
    let operators: Vec<Uuid> = sums.keys().map(|bucket| bucket.operator).collect();
    let messages: Vec<i64> = sums.values().map(|sum| sum.messages).collect();
    let segments: Vec<i64> = sums.values().map(|sum| sum.segments).collect();
    let prices: Vec<Decimal> = sums.values().map(|sum| sum.price.decimal()).collect();
    let costs: Vec<Decimal> = sums.values().map(|sum| sum.cost.decimal()).collect();
    let margins: Vec<Decimal> = sums.values().map(|sum| sum.margin.decimal()).collect();
    let missing: Vec<i64> = sums.values().map(|sum| sum.cost_missing).collect();
    let unknown: Vec<i64> = sums.values().map(|sum| sum.margin_unknown).collect();
    let positions: Vec<i64> = sums.values().map(|sum| sum.position.0).collect();
    let parameters: [&(dyn ToSql + Sync); 14] = [
        &log.0,
        &tenants,
        &accounts,
        &periods,
        &currencies,
        &operators,
        &messages,
        &segments,
        &prices,
        &costs,
        &margins,
        &missing,
        &unknown,
        &positions,
    ];
    Ok(add.execute(transaction, &parameters).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn charged(position: i64, rated_at: &str, price: i64) -> RecordedEvent {
        let mut event = fixture::recorded((&"MessageCharged", position));
        if let Event::MessageCharged(charged) = &mut event.data.event {
            charged.rated_at = Timestamp::parse(rated_at).expect("a time");
            charged.customer_price = Amount::from_millionths(price);
        }
        event
    }

    #[test]
    fn charges_are_added_up_in_the_hour_and_the_day_they_were_rated_for() {
        let events = fixture::batch([
            charged(1, "2026-03-01T22:59:59.999999Z", 1),
            charged(2, "2026-03-01T23:00:00Z", 10),
            fixture::recorded((&"ChargeHeld", 3)),
            charged(4, "2026-03-01T22:00:00Z", 100),
            charged(5, "2026-03-02T00:00:00Z", 1_000),
        ]);
        let hours = by_hour(&events);
        let told: Vec<_> = hours
            .iter()
            .map(|(bucket, sum)| {
                (
                    bucket.period.hour(),
                    sum.messages,
                    sum.price,
                    sum.position.0,
                )
            })
            .collect();
        let price = Amount::from_millionths;
        assert_eq!(
            told,
            [
                (22, 2, price(101), 4),
                (23, 1, price(10), 2),
                (0, 1, price(1_000), 5)
            ]
        );
        let days = by_day(&hours);
        let told: Vec<_> = days
            .iter()
            .map(|(bucket, sum)| (bucket.period.day(), sum.messages, sum.segments, sum.price))
            .collect();
        assert_eq!(told, [(1, 3, 6, price(111)), (2, 1, 2, price(1_000))]);
    }

    #[test]
    fn what_is_assessed_again_takes_the_place_of_what_was_known_before() {
        let events = fixture::batch([
            charged(7, "2026-03-01T11:59:58Z", 90_000),
            fixture::recorded((&"CostsAssessed", 9)),
        ]);
        let hours = by_hour(&events);
        let told: Vec<_> = hours.values().copied().collect();
        let [charge, assessed] = &told[..] else {
            panic!("another account's: {told:?}");
        };
        assert_eq!((charge.messages, assessed.messages), (1, 0));
        let amount = Amount::from_millionths;
        // It had no cost and a margin of 0.09.
        assert_eq!(
            (assessed.cost, assessed.margin),
            (amount(36_800), amount(-36_800))
        );
        assert_eq!((assessed.cost_missing, assessed.margin_unknown), (-1, 0));
    }

    #[test]
    fn an_hour_before_1970_is_whole_too() {
        let at = Timestamp::parse("1969-12-31T23:59:59.5Z").expect("a time");
        let began = Timestamp::parse("1969-12-31T23:00:00Z").expect("a time");
        assert_eq!(hour(at), began.datetime());
        let first = Timestamp::parse("0000-01-01T00:59:00Z").expect("a time");
        assert_eq!(hour(first).hour(), 0);
    }
}
