//! What carriers take of us. No customer ever sees it.

mod bodies;
mod sheet;

use projections::prices::operator_costs::CostFilter;
use schema::{CostKey, OperatorCostId, Timestamp, event::CostTerms, versioned::Cost};

use self::bodies::{CostChange, CostPath, CostQuery, CostRow, NewCost};
use super::versions::{Asked, Operations, VersionResource, Wanted};
use crate::http::problem::Problem;

impl VersionResource for Cost {
    type Path = CostPath;
    type Query = CostQuery;
    type New = NewCost;
    type Change = CostChange;
    type Row = CostRow;

    const ALL: &'static str = "/v1/admin/operator-costs";
    const ONE: &'static str = "/v1/admin/operator-costs/{operatorCostId}";
    const OPERATIONS: Operations = Operations {
        list: ("listCosts", "Costs, those in effect or all"),
        open: ("openCost", "A new cost"),
        show: ("showCost", "One cost"),
        replace: ("replaceCost", "Another cost in place of one"),
        close: ("closeCost", "The end of a cost"),
    };

    fn opening(new: NewCost) -> Result<Wanted<Self>, Problem> {
        Ok(Wanted {
            terms: CostTerms {
                cost_per_segment: new.cost_per_segment.read("/costPerSegment")?,
                currency: new.currency.0,
                due_statuses: new.due_statuses.unwrap_or_default().0,
            },
            key: CostKey {
                operator_id: new.operator_id,
                direction: new.direction,
            },
            effective_from: new.effective_from,
            effective_to: new.effective_to,
        })
    }

    fn replacing(
        change: CostChange,
        old: CostTerms,
    ) -> Result<(CostTerms, Option<Timestamp>), Problem> {
        let at = change.effective_from;
        Ok((change.terms(old)?, at))
    }
}

impl From<CostPath> for OperatorCostId {
    fn from(path: CostPath) -> Self {
        path.operator_cost_id
    }
}

impl From<CostQuery> for Asked<Cost> {
    fn from(query: CostQuery) -> Self {
        Self {
            filter: CostFilter {
                operator_id: query.operator_id,
                ..CostFilter::default()
            },
            active_only: query.active_only,
            cursor: query.cursor,
            limit: query.limit,
        }
    }
}
