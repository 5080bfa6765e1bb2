//! `billing.pricing_tables`: every version of every price, the platform's and tenants' own.

use eventstore::postgres::Statement;
use schema::{
    AccountTier, Currency, Direction, OperatorId, PriceKey, PricingModel, TenantId,
    event::PriceTerms,
    versioned::{Opening, Price},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    statuses::{join, statuses},
    versions::{Columns, Opened, Statements, VersionTable},
};
use crate::{
    ReadError,
    read::{Cells, Parameters},
};

/// Which versions; a field that is not given leaves nothing out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PriceFilter {
    /// `Some(None)`: only the platform's. `Some(tenant)`: only this tenant's own.
    pub of: Option<Option<TenantId>>,
    /// For this tier.
    pub account_tier: Option<AccountTier>,
    /// For this carrier.
    pub operator_id: Option<OperatorId>,
    /// For this direction.
    pub direction: Option<Direction>,
    /// For this currency.
    pub currency: Option<Currency>,
}

impl VersionTable for Price {
    type Filter = PriceFilter;

    const PROJECTION: &'static str = "pricing_tables";
    const TABLE: &'static str = "billing.pricing_tables";
    const ID: &'static str = "pricing_table_id";
    const STATEMENTS: Statements = Statements {
        open: Statement::new(include_str!("pricing_tables/open.sql")),
        close: Statement::new(include_str!("pricing_tables/close.sql")),
        list: Statement::new(include_str!("pricing_tables/list.sql")),
        one: Statement::new(include_str!("pricing_tables/one.sql")),
        by_request: Statement::new(include_str!("pricing_tables/by_request.sql")),
    };

    fn columns<'a>(opened: &'a [Opened<'_, Self>]) -> Columns<'a> {
        let price = |version: &Opening<Self>| version.terms.unit_price.amount().decimal();
        vec![
            Opened::column(opened, |version| version.key.tenant.map(|tenant| tenant.0)),
            Opened::column(opened, |version| version.key.account_tier.as_str()),
            Opened::column(opened, |version| version.key.operator_id.0),
            Opened::column(opened, |version| version.key.direction.as_str()),
            Opened::column(opened, |version| version.key.currency.as_str()),
            Opened::column(opened, |version| version.terms.pricing_model.as_str()),
            Opened::column(opened, price),
            Opened::column(opened, |version| join(&version.terms.billable_statuses)),
        ]
    }

    fn filter(filter: PriceFilter) -> Parameters {
        vec![
            Box::new(filter.of.flatten().map(|tenant| tenant.0)),
            Box::new(filter.of == Some(None)),
            Box::new(filter.account_tier.map(AccountTier::as_str)),
            Box::new(filter.operator_id.map(|operator| operator.0)),
            Box::new(filter.direction.map(Direction::as_str)),
            Box::new(filter.currency.map(|currency| currency.to_string())),
        ]
    }

    fn key(cells: &Cells<'_, Uuid>) -> Result<PriceKey<TenantId>, ReadError> {
        let tenant: Option<Uuid> = cells.get("tenant_id")?;
        Ok(PriceKey {
            tenant: tenant.map(TenantId),
            account_tier: cells.word("account_tier", AccountTier::parse)?,
            operator_id: OperatorId(cells.get("operator_id")?),
            direction: cells.word("direction", Direction::parse)?,
            currency: cells.currency("currency")?,
        })
    }

    fn terms(cells: &Cells<'_, Uuid>) -> Result<PriceTerms, ReadError> {
        Ok(PriceTerms {
            pricing_model: cells.word("pricing_model", PricingModel::parse)?,
            unit_price: cells.unit_price("unit_price")?,
            billable_statuses: statuses(cells, "billable_statuses")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture::{PSEUDONYM, batch, recorded},
        prices::versions::fixture,
    };

    #[test]
    fn a_price_is_a_row_with_its_terms_and_the_tenant_whose_own_it_is() {
        let mut of_the_platform = recorded((&"PriceOpened", 2));
        of_the_platform.data.tenant = None;
        let columns = fixture::columns::<Price>(&batch([
            recorded((&"PriceOpened", 1)),
            of_the_platform,
            recorded((&"CostOpened", 3)),
        ]));
        assert_eq!(columns[0], format!("[Some({:?}), None]", PSEUDONYM.0));
        assert_eq!(columns[6], "[0.045000, 0.045000]");
        let statuses = r#""DELIVERED,UNDELIVERED""#;
        assert_eq!(columns[7], format!("[{statuses}, {statuses}]"));
    }
}
