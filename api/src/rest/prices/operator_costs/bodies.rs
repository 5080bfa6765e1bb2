//! What callers send and see of costs.

use projections::prices::versions::Version;
use schema::{
    Currency, Direction, OperatorCostId, OperatorId, Timestamp, UnitPrice, event::CostTerms,
    versioned::Cost,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    http::problem::{Code, Problem},
    rest::{
        cursor::Limit,
        fields::{self, CurrencyCode, FinalStatuses, PriceText},
    },
};

/// Where one cost is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct CostPath {
    /// The version.
    pub(super) operator_cost_id: OperatorCostId,
}

/// Which costs.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::rest) struct CostQuery {
    /// Only of this carrier.
    pub(super) operator_id: Option<OperatorId>,
    /// Only those in effect now; `false` tells the history, withdrawn versions included.
    #[serde(default = "fields::yes")]
    pub(super) active_only: bool,
    /// Where the page before ended.
    pub(super) cursor: Option<String>,
    /// The most costs of a page.
    #[serde(default)]
    pub(super) limit: Limit,
}

/// A new cost.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::rest) struct NewCost {
    /// What this carrier takes.
    pub(super) operator_id: OperatorId,
    /// For messages going this way.
    #[serde(default = "fields::to_handsets")]
    pub(super) direction: Direction,
    /// For one segment.
    pub(super) cost_per_segment: PriceText,
    /// In this currency.
    pub(super) currency: CurrencyCode,
    /// The final statuses for which it is taken; all of them, if none are given.
    pub(super) due_statuses: Option<FinalStatuses>,
    /// The first instant at which it is in effect; now, if none is given.
    pub(super) effective_from: Option<Timestamp>,
    /// The first instant at which it is not in effect any more; without one it is open.
    pub(super) effective_to: Option<Timestamp>,
}

/// What is to be different, at least one of the three terms.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
// Not `anyOf` by itself: generators would make a choice of types of it.
#[schemars(extend("if" = { "type": "object" }, "then" = { "anyOf": [
    { "required": ["costPerSegment"] },
    { "required": ["currency"] },
    { "required": ["dueStatuses"] },
] }))]
pub(in crate::rest) struct CostChange {
    /// For one segment.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "PriceText")]
    pub(super) cost_per_segment: Option<PriceText>,
    /// In this currency.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "CurrencyCode")]
    pub(super) currency: Option<CurrencyCode>,
    /// The final statuses for which it is taken.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "FinalStatuses")]
    pub(super) due_statuses: Option<FinalStatuses>,
    /// From when on, at any time since the old one's beginning; now, if none is given, or that
    /// beginning if it is later. What messages of a time gone by cost is assessed again.
    pub(super) effective_from: Option<Timestamp>,
}

impl CostChange {
    /// The terms that follow from `old`.
    pub(super) fn terms(self, old: CostTerms) -> Result<CostTerms, Problem> {
        let Self {
            cost_per_segment,
            currency,
            due_statuses,
            effective_from: _,
        } = self;
        if cost_per_segment.is_none() && currency.is_none() && due_statuses.is_none() {
            let detail = "one of costPerSegment, currency and dueStatuses is needed";
            return Err(Problem::new(Code::MissingField).because(detail));
        }
        let cost_per_segment = match cost_per_segment {
            Some(text) => text.read("/costPerSegment")?,
            None => old.cost_per_segment,
        };
        Ok(CostTerms {
            cost_per_segment,
            currency: currency.map_or(old.currency, |new| new.0),
            due_statuses: due_statuses.map_or(old.due_statuses, |new| new.0),
        })
    }
}

/// A version of a cost.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct CostRow {
    /// The version.
    pub(super) operator_cost_id: OperatorCostId,
    /// What this carrier takes.
    pub(super) operator_id: OperatorId,
    /// For messages going this way.
    pub(super) direction: Direction,
    /// For one segment.
    pub(super) cost_per_segment: UnitPrice,
    /// In this currency.
    pub(super) currency: Currency,
    /// The final statuses for which it is taken.
    pub(super) due_statuses: FinalStatuses,
    /// The first instant at which it is in effect.
    pub(super) effective_from: Timestamp,
    /// The first instant at which it is not any more; null: open.
    pub(super) effective_to: Option<Timestamp>,
    /// Who opened it.
    pub(super) created_by: String,
    /// When that was recorded.
    pub(super) created_at: Timestamp,
}

impl From<Version<Cost>> for CostRow {
    fn from(version: Version<Cost>) -> Self {
        Self {
            operator_cost_id: version.id,
            operator_id: version.key.operator_id,
            direction: version.key.direction,
            cost_per_segment: version.terms.cost_per_segment,
            currency: version.terms.currency,
            due_statuses: FinalStatuses(version.terms.due_statuses),
            effective_from: version.period.effective_from,
            effective_to: version.period.effective_to,
            created_by: version.created_by,
            created_at: version.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::Currency;
    use serde_json::{Value, json};

    use super::*;
    use crate::http::body::keeps_to_its_schema;

    fn old() -> CostTerms {
        CostTerms {
            cost_per_segment: "0.02".parse().expect("a cost"),
            currency: Currency::parse("EUR").expect("a currency"),
            due_statuses: FinalStatuses::default().0,
        }
    }

    fn terms(change: Value) -> Result<(String, String), Option<Code>> {
        let change: CostChange = serde_json::from_value(change).map_err(|_| None)?;
        let new = change
            .terms(old())
            .map_err(|problem| Some(problem.code()))?;
        Ok((new.cost_per_segment.to_string(), new.currency.to_string()))
    }

    #[test]
    fn what_is_not_named_stays_as_it_was() {
        let told = |cost: &str, currency: &str| Ok((cost.to_owned(), currency.to_owned()));
        let change = json!({"costPerSegment": "0.03"});
        assert_eq!(terms(change), told("0.030000", "EUR"));
        let change = json!({"currency": "USD"});
        assert_eq!(terms(change), told("0.020000", "USD"));
        let change = serde_json::from_value(json!({"dueStatuses": ["DELIVERED"]}));
        let change: CostChange = change.expect("good");
        let Ok(new) = change.terms(old()) else {
            panic!("refused");
        };
        assert_eq!(new.due_statuses.len(), 1);
        assert_eq!(new.cost_per_segment, old().cost_per_segment);
    }

    #[test]
    fn a_change_that_changes_nothing_is_refused() {
        assert_eq!(terms(json!({})), Err(Some(Code::MissingField)));
        assert_eq!(terms(json!({"currency": null})), Err(None));
    }

    #[test]
    fn what_the_schema_of_a_change_accepts_is_taken_and_nothing_else() {
        keeps_to_its_schema(|change: CostChange| change.terms(old()).is_ok());
    }

    #[test]
    fn what_the_schema_of_a_new_cost_accepts_is_taken_and_nothing_else() {
        keeps_to_its_schema(|new: NewCost| new.cost_per_segment.read("").is_ok());
    }
}
