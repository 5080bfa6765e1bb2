//! `billing.exchange_rates`: every version of what one unit of a currency is in another. It belongs to
//! no tenant.

use eventstore::postgres::Statement;
use schema::{
    Currency, ExchangeRateKey, Rate,
    event::RateTerms,
    versioned::{ExchangeRate, Opening},
};
use serde::Serialize;
use uuid::Uuid;

use super::versions::{Columns, Opened, Statements, VersionTable};
use crate::{
    ReadError,
    read::{Cells, Parameters},
};

/// Which versions; a field that is not given leaves nothing out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RateFilter {
    /// From this currency.
    pub base: Option<Currency>,
    /// To this one.
    pub quote: Option<Currency>,
}

impl VersionTable for ExchangeRate {
    type Filter = RateFilter;

    const PROJECTION: &'static str = "exchange_rates";
    const TABLE: &'static str = "billing.exchange_rates";
    const ID: &'static str = "exchange_rate_id";
    const STATEMENTS: Statements = Statements {
        open: Statement::new(include_str!("exchange_rates/open.sql")),
        close: Statement::new(include_str!("exchange_rates/close.sql")),
        list: Statement::new(include_str!("exchange_rates/list.sql")),
        one: Statement::new(include_str!("exchange_rates/one.sql")),
        by_request: Statement::new(include_str!("exchange_rates/by_request.sql")),
    };

    fn columns<'a>(opened: &'a [Opened<'_, Self>]) -> Columns<'a> {
        let rate = |version: &Opening<Self>| version.terms.rate.decimal();
        vec![
            Opened::column(opened, |version| version.key.base.as_str()),
            Opened::column(opened, |version| version.key.quote.as_str()),
            Opened::column(opened, rate),
        ]
    }

    fn filter(filter: RateFilter) -> Parameters {
        let code = |currency: Option<Currency>| currency.map(|currency| currency.to_string());
        vec![Box::new(code(filter.base)), Box::new(code(filter.quote))]
    }

    fn key(cells: &Cells<'_, Uuid>) -> Result<ExchangeRateKey, ReadError> {
        Ok(ExchangeRateKey {
            base: cells.currency("base_currency")?,
            quote: cells.currency("quote_currency")?,
        })
    }

    fn terms(cells: &Cells<'_, Uuid>) -> Result<RateTerms, ReadError> {
        let rate = Rate::try_from(cells.get::<rust_decimal::Decimal>("rate")?);
        Ok(RateTerms {
            rate: cells.known("rate", rate.ok())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture::{batch, recorded},
        prices::versions::fixture,
    };

    #[test]
    fn an_exchange_rate_is_a_row_with_its_currencies_and_a_cost_is_none() {
        let opened = recorded((&"ExchangeRateOpened", 1));
        let events = [opened, recorded((&"CostOpened", 2))];
        let columns = fixture::columns::<ExchangeRate>(&batch(events));
        assert_eq!(columns, [r#"["USD"]"#, r#"["EUR"]"#, "[0.92]"]);
    }
}
