//! What is asked of `billing.accounts`.

use eventstore::postgres::Statement;
use schema::{AccountId, TenantId};
use uuid::Uuid;

use crate::{
    ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

const TABLE: &str = "billing.accounts";

/// Who registered the account, if anybody did.
///
/// # Errors
/// See [`ReadError`].
pub async fn owner(reader: &Reader, account: AccountId) -> Result<Option<TenantId>, ReadError> {
    const OWNER: Statement = Statement::new(include_str!("owner.sql"));
    tenant(reader, OWNER, account).await
}

/// Whose account it is: registered or not, as long as something was charged on it.
///
/// # Errors
/// See [`ReadError`].
pub async fn tenant_of(reader: &Reader, account: AccountId) -> Result<Option<TenantId>, ReadError> {
    const TENANT_OF: Statement = Statement::new(include_str!("tenant_of.sql"));
    tenant(reader, TENANT_OF, account).await
}

async fn tenant(
    reader: &Reader,
    statement: Statement,
    account: AccountId,
) -> Result<Option<TenantId>, ReadError> {
    let asked: Parameters = vec![Box::new(reader.log().0), Box::new(account.0)];
    let rows = reader.rows(statement, Scope::EveryTenant, asked).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let tenant: Option<Uuid> = Cells::new(TABLE, row, account).get("tenant_id")?;
    Ok(tenant.map(TenantId))
}
