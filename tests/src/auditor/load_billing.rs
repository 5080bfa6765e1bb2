//! Reads the tables of the schema `billing`, with plain SQL. Amounts come as text, so that no
//! other type of money is in between.

use schema::Timestamp;
use tokio_postgres::{Client, Error, Row, types::ToSql};

use super::{
    account_tables::{AccountRow, AccountVersionRow},
    billing_tables::{AccessRow, Bucket, ChargeRow, HeldRow, VersionRow},
    load::{LOG_ID, Result, each, timestamp},
};
use crate::{money::Millionths, traffic::agreement::Usage};

/// Hands over every row of `billing.billing_events`.
pub(super) async fn charges(client: &Client, mut see: impl FnMut(ChargeRow)) -> Result<()> {
    let sql = include_str!("charges.sql");
    each(client, "the charges", sql, &[&LOG_ID], |row| {
        see(ChargeRow {
            position: row.try_get(0)?,
            billing_event_id: row.try_get(1)?,
            message_id: row.try_get(2)?,
            tenant_id: row.try_get(3)?,
            account_id: row.try_get(4)?,
            operator_id: row.try_get(5)?,
            pricing_table_id: row.try_get(6)?,
            operator_cost_id: row.try_get(7)?,
            times: [timestamp(row, 8)?, timestamp(row, 9)?, timestamp(row, 10)?],
            segment_count: row.try_get(11)?,
            flags: [
                row.try_get(12)?,
                row.try_get(13)?,
                row.try_get(14)?,
                row.try_get(15)?,
                row.try_get(16)?,
            ],
            words: [
                row.try_get(17)?,
                row.try_get(18)?,
                row.try_get(19)?,
                row.try_get(20)?,
            ],
            amounts: [amount(row, 21)?, amount(row, 22)?],
            known: [amount_if_any(row, 23)?, amount_if_any(row, 24)?],
            cost_currency: row.try_get(25)?,
            exchange_rate_id: row.try_get(26)?,
            assessed_position: row.try_get(27)?,
        });
        Ok(())
    })
    .await
}

/// Hands over every row of `billing.held_charges`.
pub(super) async fn held(client: &Client, mut see: impl FnMut(HeldRow)) -> Result<()> {
    let sql = include_str!("held.sql");
    each(client, "the held charges", sql, &[&LOG_ID], |row| {
        see(HeldRow {
            position: row.try_get(0)?,
            message_id: row.try_get(1)?,
            tenant_id: row.try_get(2)?,
            account_id: row.try_get(3)?,
            operator_id: row.try_get(4)?,
            account_tier: row.try_get(5)?,
            currency: row.try_get(6)?,
            words: [row.try_get(7)?, row.try_get(8)?, row.try_get(9)?],
            segment_count: row.try_get(10)?,
            times: [
                timestamp(row, 11)?,
                timestamp(row, 12)?,
                timestamp(row, 13)?,
            ],
            resolved_at: optional(row, 14)?,
        });
        Ok(())
    })
    .await
}

/// Hands over every row of `billing.usage_summaries`; the hour counts from 1970.
pub(super) async fn hours(client: &Client, mut see: impl FnMut(Bucket<i64>, Usage)) -> Result<()> {
    let sql = include_str!("usage_hours.sql");
    each(client, "the usage by hour", sql, &[], |row| {
        see(bucket(row, row.try_get(4)?)?, usage(row)?);
        Ok(())
    })
    .await
}

/// Hands over every row of `billing.usage_days`.
pub(super) async fn days(
    client: &Client,
    mut see: impl FnMut(Bucket<time::Date>, Usage),
) -> Result<()> {
    let sql = include_str!("usage_days.sql");
    each(client, "the usage by day", sql, &[], |row| {
        see(bucket(row, row.try_get(4)?)?, usage(row)?);
        Ok(())
    })
    .await
}

/// Hands over every row of `billing.pricing_tables`.
pub(super) async fn prices(client: &Client, see: impl FnMut(VersionRow)) -> Result<()> {
    versions(client, "the prices", include_str!("prices.sql"), see).await
}

/// Hands over every row of `billing.operator_costs`.
pub(super) async fn costs(client: &Client, see: impl FnMut(VersionRow)) -> Result<()> {
    versions(client, "the costs", include_str!("costs.sql"), see).await
}

async fn versions(
    client: &Client,
    what: &'static str,
    sql: &str,
    mut see: impl FnMut(VersionRow),
) -> Result<()> {
    let parameters: &[&(dyn ToSql + Sync)] = &[&LOG_ID];
    each(client, what, sql, parameters, |row| {
        see(VersionRow {
            id: row.try_get(0)?,
            tenant_id: row.try_get(1)?,
            operator_id: row.try_get(2)?,
            words: [
                row.try_get(3)?,
                row.try_get(4)?,
                row.try_get(5)?,
                row.try_get(6)?,
                row.try_get(7)?,
            ],
            unit: amount(row, 8)?,
            from: timestamp(row, 9)?,
            to: optional(row, 10)?,
            created_by: row.try_get(11)?,
            created_at: timestamp(row, 12)?,
        });
        Ok(())
    })
    .await
}

/// Hands over every row of `billing.accounts`.
pub(super) async fn accounts(client: &Client, mut see: impl FnMut(AccountRow)) -> Result<()> {
    let sql = include_str!("accounts.sql");
    each(client, "the accounts", sql, &[&LOG_ID], |row| {
        see(AccountRow {
            tenant_id: row.try_get(0)?,
            account_id: row.try_get(1)?,
            created_at: timestamp(row, 2)?,
            changed_at: timestamp(row, 3)?,
        });
        Ok(())
    })
    .await
}

/// Hands over every row of `billing.account_versions`.
pub(super) async fn account_versions(
    client: &Client,
    mut see: impl FnMut(AccountVersionRow),
) -> Result<()> {
    let sql = include_str!("account_versions.sql");
    each(client, "the versions of accounts", sql, &[&LOG_ID], |row| {
        see(AccountVersionRow {
            position: row.try_get(0)?,
            tenant_id: row.try_get(1)?,
            account_id: row.try_get(2)?,
            from: timestamp(row, 3)?,
            words: [
                row.try_get(4)?,
                row.try_get(5)?,
                row.try_get(6)?,
                row.try_get(7)?,
                row.try_get(8)?,
                row.try_get(9)?,
            ],
            payment_terms_days: row.try_get(10)?,
            created_by: row.try_get(11)?,
            created_at: timestamp(row, 12)?,
            replaced: row.try_get(13)?,
        });
        Ok(())
    })
    .await
}

/// Hands over every row of `billing.access_log`.
pub(super) async fn accesses(client: &Client, mut see: impl FnMut(AccessRow)) -> Result<()> {
    let sql = include_str!("accesses.sql");
    each(client, "the accesses", sql, &[&LOG_ID], |row| {
        see(AccessRow {
            position: row.try_get(0)?,
            tenant_id: row.try_get(1)?,
            account_id: row.try_get(2)?,
            more_account_ids: row.try_get(3)?,
            caller_tenant_id: row.try_get(4)?,
            principal: row.try_get(5)?,
            endpoint: row.try_get(6)?,
            refused_with: row.try_get(7)?,
            calls: row.try_get(8)?,
            request_id: row.try_get(9)?,
            created_at: timestamp(row, 10)?,
        });
        Ok(())
    })
    .await
}

fn bucket<T>(row: &Row, when: T) -> std::result::Result<Bucket<T>, Error> {
    Ok((
        row.try_get(0)?,
        row.try_get(1)?,
        row.try_get(2)?,
        row.try_get(3)?,
        when,
    ))
}

fn usage(row: &Row) -> std::result::Result<Usage, Error> {
    // A negative count is as wrong as one that nobody can have.
    let count = |column| Ok(u64::try_from(row.try_get::<_, i64>(column)?).unwrap_or(u64::MAX));
    Ok(Usage {
        messages: count(5)?,
        segments: count(6)?,
        price: amount(row, 7)?,
        cost: amount(row, 8)?,
        margin: amount(row, 9)?,
        cost_missing: count(10)?,
        margin_unknown: count(11)?,
    })
}

fn optional(row: &Row, column: usize) -> std::result::Result<Option<Timestamp>, Error> {
    let at: Option<time::OffsetDateTime> = row.try_get(column)?;
    Ok(at.map(Timestamp::from_datetime))
}

fn amount_if_any(row: &Row, column: usize) -> std::result::Result<Option<Millionths>, Error> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|_| amount(row, column)).transpose()
}

/// An amount; one that cannot be read is one that nobody can have.
fn amount(row: &Row, column: usize) -> std::result::Result<Millionths, Error> {
    let text: &str = row.try_get(column)?;
    Ok(Millionths::parse(text).unwrap_or(Millionths(i128::from(i64::MIN))))
}
