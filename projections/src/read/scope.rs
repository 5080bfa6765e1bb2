//! For whom a transaction works.
//!
//! The tables of billing show no row to a transaction that has not said so, and take rows only
//! from one that works for all tenants (their policies see to that). Besides, every query names
//! the tenant it asks about. What is said holds until the end of the transaction; it must never
//! be said for a session, because sessions are pooled.

use deadpool_postgres::Transaction;
use eventstore::{StoreError, postgres::Statement};
use schema::TenantId;

/// The rows that a transaction may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One tenant's: what its own people are shown.
    Tenant(TenantId),
    /// Everybody's, and the platform's prices: projections and the platform's own people.
    EveryTenant,
}

impl Scope {
    /// Puts the transaction under it.
    ///
    /// # Errors
    /// A fault of Postgres.
    pub async fn enter(self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        const ENTER: Statement = Statement::new(include_str!("scope/enter.sql"));
        let (tenant, every) = self.settings();
        ENTER.execute(transaction, &[&tenant, &every]).await
    }

    /// What `app.tenant_id` and `app.every_tenant` are set to.
    fn settings(self) -> (String, &'static str) {
        match self {
            Self::Tenant(tenant) => (tenant.to_string(), ""),
            Self::EveryTenant => (String::new(), "on"),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_transaction_works_for_one_tenant_or_for_all_and_never_for_both() {
        let (tenant, every) = Scope::Tenant(TenantId(Uuid::from_u128(7))).settings();
        assert_eq!(
            (tenant.as_str(), every),
            ("00000000-0000-0000-0000-000000000007", "")
        );
        assert_eq!(Scope::EveryTenant.settings(), (String::new(), "on"));
    }
}
