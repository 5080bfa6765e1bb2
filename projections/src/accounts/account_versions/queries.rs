//! What is asked of `billing.account_versions`. Only the platform's own people ask.

use eventstore::postgres::Statement;
use schema::{
    AccountId, AccountTier, CountryCode, InvoiceLanguage, PaymentDays, Position, Sealed,
    SealedValue, StreamVersion, TaxCategory, TaxRate, TenantId, Timestamp,
    event::{AccountFacts, AccountTax},
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::SEALED;
use crate::{
    Page, ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

const TABLE: &str = "billing.account_versions";

/// A version of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountVersion {
    /// The tenant the account belongs to.
    pub tenant: TenantId,
    /// What it says.
    pub facts: AccountFacts,
    /// What it says of persons. It opens in the account's stream at `sealed_version`.
    pub sealed: Sealed,
    /// The version of the event in the account's stream that holds all that.
    pub sealed_version: StreamVersion,
    /// The first instant at which it is in effect.
    pub effective_from: Timestamp,
    /// The first instant at which it is not any more; nothing while none comes after it.
    pub effective_to: Option<Timestamp>,
    /// Whether another one with the same beginning took its place, so that it is never in effect.
    pub replaced: bool,
    /// The principal who told it.
    pub created_by: String,
    /// When that was recorded.
    pub created_at: Timestamp,
    /// Where in the log; its place in the account's history.
    pub position: Position,
    /// Where in the log the account was registered; its place in lists of accounts.
    pub registered_position: Position,
    /// Where in the log a version of the account was told last.
    pub changed_position: Position,
}

/// Which accounts; a field that is not given leaves nothing out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// This tenant's.
    pub tenant: Option<TenantId>,
    /// Those of this tier.
    pub tier: Option<AccountTier>,
}

/// What the account is at `at`, whosever it is; nothing if nobody registered it for then.
///
/// # Errors
/// See [`ReadError`].
pub async fn in_effect(
    reader: &Reader,
    account: AccountId,
    at: Timestamp,
) -> Result<Option<AccountVersion>, ReadError> {
    const IN_EFFECT: Statement = Statement::new(include_str!("in_effect.sql"));
    let asked: Parameters = vec![Box::new(account.0), Box::new(at.datetime())];
    let found = versions(reader, IN_EFFECT, asked).await?;
    Ok(found.into_iter().next())
}

/// The version that was told at `position`.
///
/// # Errors
/// See [`ReadError`].
pub async fn told_at(
    reader: &Reader,
    position: Position,
) -> Result<Option<AccountVersion>, ReadError> {
    const TOLD_AT: Statement = Statement::new(include_str!("told_at.sql"));
    let found = versions(reader, TOLD_AT, vec![Box::new(position.0)]).await?;
    Ok(found.into_iter().next())
}

/// All that was told of an account, in the order it was told.
///
/// # Errors
/// See [`ReadError`].
pub async fn history(
    reader: &Reader,
    account: AccountId,
    page: Page,
) -> Result<Vec<AccountVersion>, ReadError> {
    const HISTORY: Statement = Statement::new(include_str!("history.sql"));
    let asked: Parameters = vec![
        Box::new(account.0),
        Box::new(page.after.unwrap_or_default().0),
        Box::new(page.limit),
    ];
    versions(reader, HISTORY, asked).await
}

/// The accounts that are something at `at`, as they are then, in the order they were registered.
///
/// # Errors
/// See [`ReadError`].
pub async fn list(
    reader: &Reader,
    filter: AccountFilter,
    at: Timestamp,
    page: Page,
) -> Result<Vec<AccountVersion>, ReadError> {
    const LIST: Statement = Statement::new(include_str!("list.sql"));
    let asked: Parameters = vec![
        Box::new(page.after.unwrap_or_default().0),
        Box::new(page.limit),
        Box::new(at.datetime()),
        Box::new(filter.tenant.map(|tenant| tenant.0)),
        Box::new(filter.tier.map(AccountTier::as_str)),
    ];
    versions(reader, LIST, asked).await
}

async fn versions(
    reader: &Reader,
    statement: Statement,
    asked: Parameters,
) -> Result<Vec<AccountVersion>, ReadError> {
    let mut parameters: Parameters = vec![Box::new(reader.log().0)];
    parameters.extend(asked);
    let rows = reader
        .rows(statement, Scope::EveryTenant, parameters)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<AccountVersion, ReadError> {
    let account: Uuid = Cells::new(TABLE, row, "?").get("account_id")?;
    let cells = Cells::new(TABLE, row, account);
    Ok(AccountVersion {
        tenant: TenantId(cells.get("tenant_id")?),
        facts: facts(account, &cells)?,
        sealed: sealed(&cells)?,
        sealed_version: StreamVersion(cells.get("sealed_version")?),
        effective_from: cells.time("effective_from")?,
        effective_to: cells.time_if_any("effective_to")?,
        replaced: cells.get("replaced")?,
        created_by: cells.get("created_by")?,
        created_at: cells.time("created_at")?,
        position: cells.position("position")?,
        registered_position: cells.position("registered_position")?,
        changed_position: cells.position("changed_position")?,
    })
}

fn facts(account: Uuid, cells: &Cells<'_, Uuid>) -> Result<AccountFacts, ReadError> {
    let days: i16 = cells.get("payment_terms_days")?;
    let days = u16::try_from(days).ok().and_then(PaymentDays::new);
    let rate = TaxRate::of_percent(cells.get("tax_rate")?);
    Ok(AccountFacts {
        account_id: AccountId(account),
        account_tier: cells.word("account_tier", AccountTier::parse)?,
        currency: cells.currency("currency")?,
        payment_terms_days: cells.known("payment_terms_days", days)?,
        invoice_language: cells.word("invoice_language", InvoiceLanguage::parse)?,
        tax: AccountTax {
            category: cells.word("tax_category", TaxCategory::parse)?,
            rate: cells.known("tax_rate", rate)?,
            country: cells.word("tax_country", CountryCode::parse)?,
        },
    })
}

fn sealed(cells: &Cells<'_, Uuid>) -> Result<Sealed, ReadError> {
    const COLUMNS: [&str; SEALED.len()] = [
        "legal_name",
        "contact_name",
        "billing_address",
        "vat_id",
        "purchase_order",
    ];
    let mut sealed = Sealed::default();
    for (field, column) in SEALED.into_iter().zip(COLUMNS) {
        let value: Option<String> = cells.get(column)?;
        if let Some(value) = value {
            sealed.0.insert(field.to_owned(), SealedValue(value));
        }
    }
    Ok(sealed)
}
