//! Compares the tables of accounts with what the log says they must show.

use std::collections::HashMap;

use schema::Timestamp;
use uuid::Uuid;

use super::{Invariant, billing_facts::Account, facts::LogEvent, findings::Findings, rows::Rows};

/// One row of `billing.accounts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountRow {
    pub(super) tenant_id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) created_at: Timestamp,
    pub(super) changed_at: Timestamp,
}

/// One row of `billing.account_versions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountVersionRow {
    pub(super) position: i64,
    pub(super) tenant_id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) from: Timestamp,
    /// Tier, currency, language; tax category, rate and country.
    pub(super) words: [String; 6],
    pub(super) payment_terms_days: i16,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
    pub(super) replaced: Option<i64>,
}

/// The rows that both tables must have.
pub(super) struct AccountTables {
    pub(super) accounts: Rows<(Uuid, Uuid), AccountRow>,
    pub(super) versions: Rows<i64, AccountVersionRow>,
    /// The version that was told last, by account and beginning in microseconds.
    latest: HashMap<(Uuid, i64), i64>,
}

impl AccountTables {
    pub(super) fn new() -> Self {
        let rows = Invariant::AccountRowsMatchLog;
        Self {
            accounts: Rows::new(rows, "billing.accounts"),
            versions: Rows::new(rows, "billing.account_versions"),
            latest: HashMap::new(),
        }
    }

    /// Takes in a version of an account of this tenant.
    pub(super) fn tell(&mut self, tenant: Uuid, event: &LogEvent, told: &Account) {
        let id = told.account.account_id;
        let due = self.accounts.due.entry((tenant, id));
        let row = AccountRow {
            tenant_id: tenant,
            account_id: id,
            created_at: event.recorded_at,
            changed_at: event.recorded_at,
        };
        let (known, _) = due.or_insert_with(|| (row.clone(), false));
        let created_at = known.created_at;
        *known = AccountRow { created_at, ..row };
        let beginning = (id, told.from.micros());
        let before = self.latest.insert(beginning, event.position);
        if let Some((row, _)) = before.and_then(|it| self.versions.due.get_mut(&it)) {
            row.replaced = Some(event.position);
        }
        let row = (account_version_row(tenant, event, told), false);
        self.versions.due.insert(event.position, row);
    }

    /// After the last row of both.
    pub(super) fn end(&self, findings: &mut Findings) {
        self.accounts.end(findings);
        self.versions.end(findings);
    }
}

fn account_version_row(tenant_id: Uuid, event: &LogEvent, told: &Account) -> AccountVersionRow {
    let account = &told.account;
    AccountVersionRow {
        position: event.position,
        tenant_id,
        account_id: account.account_id,
        from: told.from,
        words: [
            account.account_tier.to_string(),
            account.currency.to_string(),
            account.invoice_language.to_string(),
            account.tax.category.to_string(),
            account.tax.rate.to_string(),
            account.tax.country.to_string(),
        ],
        payment_terms_days: account.payment_terms_days,
        created_by: event.principal.as_deref().unwrap_or_default().to_owned(),
        created_at: event.recorded_at,
        replaced: None,
    }
}
