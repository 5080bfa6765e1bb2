//! Reads what the auditor compares, with plain SQL.
//!
//! The connection must see every row: a superuser's.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use schema::{Category, Timestamp};
use time::OffsetDateTime;
use tokio_postgres::{
    Client, Row,
    types::{FromSql, ToSql},
};

use super::{
    AuditError,
    facts::{Body, Log, LogEvent},
    private::{Leak, shows_private_sql},
    table_checks::{OrphanRow, ReceiptRow, ResolutionRow, StatusRow},
};

pub(super) type Result<T> = std::result::Result<T, AuditError>;

/// The log of the deployment.
pub(super) const LOG_ID: i16 = 1;

/// The whole log and what stands beside it.
pub(super) async fn log(client: &Client) -> Result<Log> {
    let mut events = Vec::new();
    each(
        client,
        "the log",
        include_str!("events.sql"),
        &[&LOG_ID],
        |row| {
            events.push(log_event(row)?);
            Ok(())
        },
    )
    .await?;
    let mut log = Log::new(events);
    each(
        client,
        "the head",
        include_str!("head.sql"),
        &[&LOG_ID],
        |row| {
            let at: Option<OffsetDateTime> = row.try_get(1)?;
            log.head = Some((row.try_get(0)?, at.map(Timestamp::from_datetime)));
            Ok(())
        },
    )
    .await?;
    each(
        client,
        "the tenants",
        include_str!("tenants.sql"),
        &[],
        |row| {
            log.tenants.insert(row.try_get(0)?, row.try_get(1)?);
            Ok(())
        },
    )
    .await?;
    each(
        client,
        "the checkpoints",
        include_str!("checkpoints.sql"),
        &[&LOG_ID],
        |row| {
            log.checkpoints.push((row.try_get(0)?, row.try_get(1)?));
            Ok(())
        },
    )
    .await?;
    Ok(log)
}

/// Hands over every row of `dlr.delivery_receipts`.
pub(super) async fn receipts(client: &Client, mut see: impl FnMut(ReceiptRow)) -> Result<()> {
    each(
        client,
        "the delivery receipts",
        include_str!("receipts.sql"),
        &[&LOG_ID],
        |row| {
            see(ReceiptRow {
                position: row.try_get(0)?,
                receipt_id: row.try_get(1)?,
                message_id: row.try_get(2)?,
                tenant_id: row.try_get(3)?,
                account_id: row.try_get(4)?,
                operator_id: row.try_get(5)?,
                operator_message_id: row.try_get(6)?,
                raw_stat: row.try_get(7)?,
                dlr_status: row.try_get(8)?,
                error_code: row.try_get(9)?,
                delivered_at: timestamp(row, 10)?,
                correlated_at: timestamp(row, 11)?,
            });
            Ok(())
        },
    )
    .await
}

/// Hands over every row of `dlr.orphaned_receipts`.
pub(super) async fn orphans(client: &Client, mut see: impl FnMut(OrphanRow)) -> Result<()> {
    each(
        client,
        "the orphans",
        include_str!("orphans.sql"),
        &[&LOG_ID],
        |row| {
            see(OrphanRow {
                position: row.try_get(0)?,
                orphan_id: row.try_get(1)?,
                operator_id: row.try_get(2)?,
                operator_message_id: row.try_get(3)?,
                raw_stat: row.try_get(4)?,
                dlr_status: row.try_get(5)?,
                delivered_at: timestamp(row, 6)?,
                received_at: timestamp(row, 7)?,
            });
            Ok(())
        },
    )
    .await
}

/// Hands over every row of `dlr.orphan_resolutions`.
pub(super) async fn resolutions(client: &Client, mut see: impl FnMut(ResolutionRow)) -> Result<()> {
    each(
        client,
        "the resolutions",
        include_str!("resolutions.sql"),
        &[&LOG_ID],
        |row| {
            see(ResolutionRow {
                position: row.try_get(0)?,
                orphan_id: row.try_get(1)?,
                resolved_receipt_id: row.try_get(2)?,
                message_id: row.try_get(3)?,
            });
            Ok(())
        },
    )
    .await
}

/// Hands over every row of `orch.sms_messages`.
pub(super) async fn statuses(client: &Client, mut see: impl FnMut(StatusRow)) -> Result<()> {
    each(
        client,
        "the statuses",
        include_str!("statuses.sql"),
        &[],
        |row| {
            see(StatusRow {
                message_id: row.try_get(0)?,
                status: row.try_get(1)?,
                dlr_status: row.try_get(2)?,
                received: row.try_get(3)?,
                processed: row.try_get(4)?,
            });
            Ok(())
        },
    )
    .await
}

/// Messages whose final status was taken away, if the table is watched
/// ([`crate::orchestrator::watch`]).
pub(super) async fn went_back(client: &Client) -> Result<Vec<uuid::Uuid>> {
    let mut watched = false;
    each(
        client,
        "the watch",
        "SELECT to_regclass('orch.went_back') IS NOT NULL",
        &[],
        |row| {
            watched = row.try_get(0)?;
            Ok(())
        },
    )
    .await?;
    let mut messages = Vec::new();
    if watched {
        each(
            client,
            "the watch",
            "SELECT message_id FROM orch.went_back",
            &[],
            |row| {
                messages.push(row.try_get(0)?);
                Ok(())
            },
        )
        .await?;
    }
    Ok(messages)
}

/// Searches every readable column of ours for personal data of the traffic.
pub(super) async fn leaks(client: &Client) -> Result<Vec<Leak>> {
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    each(
        client,
        "the text columns",
        include_str!("text_columns.sql"),
        &[],
        |row| {
            let (table, column): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            match tables.last_mut() {
                Some((last, columns)) if *last == table => columns.push(column),
                _ => tables.push((table, vec![column])),
            }
            Ok(())
        },
    )
    .await?;
    let mut leaks = Vec::new();
    for (table, columns) in tables {
        let counts: Vec<_> = columns
            .iter()
            .map(|column| format!("count(*) FILTER (WHERE {})", shows_private_sql(column)))
            .collect();
        let sql = format!("SELECT {} FROM {table}", counts.join(", "));
        each(client, "the text columns", &sql, &[], |row| {
            for (place, column) in columns.iter().enumerate() {
                let (table, column) = (table.clone(), column.clone());
                leaks.push(Leak {
                    table,
                    column,
                    rows: row.try_get(place)?,
                });
            }
            Ok(())
        })
        .await?;
    }
    Ok(leaks)
}

fn log_event(row: &Row) -> std::result::Result<LogEvent, tokio_postgres::Error> {
    let category: &str = row.try_get(1)?;
    let category = Category::parse(category);
    Ok(LogEvent {
        position: row.try_get(0)?,
        category,
        stream: row.try_get(2)?,
        version: row.try_get(3)?,
        event_id: row.try_get(4)?,
        tenant: row.try_get(6)?,
        account: row.try_get(7)?,
        recorded_at: timestamp(row, 8)?,
        principal: row.try_get::<_, Option<&str>>(10)?.map(Into::into),
        body: Body::read(category, row.try_get(5)?, row.try_get(9)?),
    })
}

pub(super) fn timestamp(
    row: &Row,
    column: usize,
) -> std::result::Result<Timestamp, tokio_postgres::Error> {
    get::<OffsetDateTime>(row, column).map(Timestamp::from_datetime)
}

fn get<'a, T: FromSql<'a>>(
    row: &'a Row,
    column: usize,
) -> std::result::Result<T, tokio_postgres::Error> {
    row.try_get(column)
}

/// Runs `sql` and hands over its rows one by one, so that they are never all in memory.
pub(super) async fn each(
    client: &Client,
    what: &'static str,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
    mut see: impl FnMut(&Row) -> std::result::Result<(), tokio_postgres::Error>,
) -> Result<()> {
    let fault = |source| AuditError::Database { what, source };
    let rows = client
        .query_raw(sql, parameters.iter().copied())
        .await
        .map_err(fault)?;
    let mut rows = pin!(rows.into_stream());
    while let Some(row) = rows.next().await {
        row.and_then(|row| see(&row)).map_err(fault)?;
    }
    Ok(())
}
