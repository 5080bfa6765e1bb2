//! Sheets of costs.

use schema::{CostKey, Direction, event::CostTerms, versioned::Cost};

use crate::rest::{
    fields::FinalStatuses,
    prices::sheets::{
        Cells, Column, Refused, SheetResource, currency, operator, status_list, unit_price, word,
    },
};

impl SheetResource for Cost {
    const PATH: &'static str = "/v1/admin/cost-sheets/{sheetId}";
    const OPERATION: (&'static str, &'static str) = (
        "applyCostSheet",
        "A sheet of costs, applied as a whole or not at all",
    );
    const DRY_LOOK: Option<&'static str> = None;
    const COLUMNS: &'static [Column] = &[
        Column {
            name: "operatorId",
            needed: true,
            meaning: "what this carrier takes, a UUID",
        },
        Column {
            name: "direction",
            needed: false,
            meaning: "`MT` or `MO`; empty: `MT`",
        },
        Column {
            name: "costPerSegment",
            needed: true,
            meaning: "for one segment, such as `0.02`, with at most six decimal places",
        },
        Column {
            name: "currency",
            needed: true,
            meaning: "in this currency",
        },
        Column {
            name: "dueStatuses",
            needed: false,
            meaning: "the final statuses for which it is taken, separated by spaces or `|`; empty: all",
        },
    ];

    fn line(cells: &mut Cells<'_>) -> Result<(CostKey, CostTerms), Refused> {
        let direction = word(Direction::ALL, Direction::parse, Direction::as_str);
        // Each is read, whatever is wrong with those before it.
        let operator_id = cells.needed("operatorId", operator);
        let direction = cells.optional("direction", direction);
        let cost_per_segment = cells.needed("costPerSegment", unit_price);
        let currency = cells.needed("currency", currency);
        let statuses = cells.optional("dueStatuses", status_list);
        let key = CostKey {
            operator_id: operator_id?,
            direction: direction?.unwrap_or(Direction::Mt),
        };
        let terms = CostTerms {
            cost_per_segment: cost_per_segment?,
            currency: currency?,
            due_statuses: statuses?.unwrap_or_else(|| FinalStatuses::default().0),
        };
        Ok((key, terms))
    }
}
