//! `billing.operator_costs`: every version of what every carrier takes. It belongs to no tenant.

use eventstore::postgres::Statement;
use schema::{
    CostKey, Direction, OperatorId,
    event::CostTerms,
    versioned::{Cost, Opening},
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
pub struct CostFilter {
    /// Of this carrier.
    pub operator_id: Option<OperatorId>,
    /// For this direction.
    pub direction: Option<Direction>,
}

impl VersionTable for Cost {
    type Filter = CostFilter;

    const PROJECTION: &'static str = "operator_costs";
    const TABLE: &'static str = "billing.operator_costs";
    const ID: &'static str = "operator_cost_id";
    const STATEMENTS: Statements = Statements {
        open: Statement::new(include_str!("operator_costs/open.sql")),
        close: Statement::new(include_str!("operator_costs/close.sql")),
        list: Statement::new(include_str!("operator_costs/list.sql")),
        one: Statement::new(include_str!("operator_costs/one.sql")),
        by_request: Statement::new(include_str!("operator_costs/by_request.sql")),
    };

    fn columns<'a>(opened: &'a [Opened<'_, Self>]) -> Columns<'a> {
        let cost = |version: &Opening<Self>| version.terms.cost_per_segment.amount().decimal();
        vec![
            Opened::column(opened, |version| version.key.operator_id.0),
            Opened::column(opened, |version| version.key.direction.as_str()),
            Opened::column(opened, cost),
            Opened::column(opened, |version| version.terms.currency.as_str()),
            Opened::column(opened, |version| join(&version.terms.due_statuses)),
        ]
    }

    fn filter(filter: CostFilter) -> Parameters {
        vec![
            Box::new(filter.operator_id.map(|operator| operator.0)),
            Box::new(filter.direction.map(Direction::as_str)),
        ]
    }

    fn key(cells: &Cells<'_, Uuid>) -> Result<CostKey, ReadError> {
        Ok(CostKey {
            operator_id: OperatorId(cells.get("operator_id")?),
            direction: cells.word("direction", Direction::parse)?,
        })
    }

    fn terms(cells: &Cells<'_, Uuid>) -> Result<CostTerms, ReadError> {
        Ok(CostTerms {
            cost_per_segment: cells.unit_price("cost_per_segment")?,
            currency: cells.currency("currency")?,
            due_statuses: statuses(cells, "due_statuses")?,
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
    fn a_cost_is_a_row_with_its_terms_and_a_price_is_none() {
        let events = [recorded((&"PriceOpened", 1)), recorded((&"CostOpened", 2))];
        let columns = fixture::columns::<Cost>(&batch(events));
        assert_eq!(
            columns[1..],
            [
                r#"["MT"]"#,
                "[0.020000]",
                r#"["USD"]"#,
                r#"["DELIVERED,FAILED"]"#
            ]
        );
    }
}
