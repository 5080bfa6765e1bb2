//! What is asked of `billing.accounts`. Only the platform's own people ask.

use eventstore::postgres::Statement;
use schema::{
    AccountId, AccountTier, Currency, Position, SealedValue, StreamVersion, TenantId, Timestamp,
};
use uuid::Uuid;

use crate::{ReadError, Reader, Scope, read::Cells};

const TABLE: &str = "billing.accounts";

/// A registered account as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// The tier it has subscribed to.
    pub account_tier: AccountTier,
    /// The currency it pays in.
    pub currency: Currency,
    /// The name on its invoices. It opens in the account's stream at `sealed_version`, in the
    /// field [`schema::Sealed::BILLING_NAME`].
    pub billing_name: Option<SealedValue>,
    /// The address on its invoices, in the field [`schema::Sealed::BILLING_ADDRESS`].
    pub billing_address: Option<SealedValue>,
    /// The version of the event in the account's stream that holds both.
    pub sealed_version: StreamVersion,
    /// The position of its registration in the log.
    pub position: Position,
    /// When its registration was recorded.
    pub created_at: Timestamp,
    /// When it was registered or changed last.
    pub changed_at: Timestamp,
    /// The position of that event in the log.
    pub changed_position: Position,
}

/// The account, whosever it is.
///
/// # Errors
/// See [`ReadError`].
pub async fn find(reader: &Reader, account: AccountId) -> Result<Option<Account>, ReadError> {
    const FIND: Statement = Statement::new(include_str!("find.sql"));
    let rows = reader
        .rows(
            FIND,
            Scope::EveryTenant,
            vec![Box::new(reader.log().0), Box::new(account.0)],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let cells = Cells::new(TABLE, row, account);
    let sealed = |column| {
        let value: Option<String> = cells.get(column)?;
        Ok::<_, ReadError>(value.map(SealedValue))
    };
    Ok(Some(Account {
        tenant: TenantId(cells.get("tenant_id")?),
        account,
        account_tier: cells.word("account_tier", AccountTier::parse)?,
        currency: cells.currency("currency")?,
        billing_name: sealed("billing_name")?,
        billing_address: sealed("billing_address")?,
        sealed_version: StreamVersion(cells.get("sealed_version")?),
        position: cells.position("position")?,
        created_at: cells.time("created_at")?,
        changed_at: cells.time("changed_at")?,
        changed_position: cells.position("changed_position")?,
    }))
}

/// Whose account it is: registered or not, as long as something was charged on it.
///
/// # Errors
/// See [`ReadError`].
pub async fn tenant_of(reader: &Reader, account: AccountId) -> Result<Option<TenantId>, ReadError> {
    const TENANT_OF: Statement = Statement::new(include_str!("tenant_of.sql"));
    let rows = reader
        .rows(
            TENANT_OF,
            Scope::EveryTenant,
            vec![Box::new(reader.log().0), Box::new(account.0)],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let tenant: Option<Uuid> = Cells::new(TABLE, row, account).get("tenant_id")?;
    Ok(tenant.map(TenantId))
}
