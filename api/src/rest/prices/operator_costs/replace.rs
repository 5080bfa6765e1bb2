//! `PATCH /v1/admin/operator-costs/{operatorCostId}`: closes a cost and opens its successor, which
//! lasts as long as the old one would have.

use crate::{
    http::{
        answer::{Found, Versioned},
        body::Body,
        endpoint::Endpoint,
        headers::IfMatch,
        params::PathParams,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{
        context::RequestContext,
        etag, fault,
        fields::{self, CurrencyCode, PriceText},
        prices::versions,
        state::AppState,
        visible,
    },
};
use actors::prices::decide::timeline::Wish;
use axum::{extract::State, http::Method};
use schema::{OperatorCostId, Timestamp, event::CostTerms};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CostPath, CostRow, Shown, find, key, written};

/// What is to be different, at least one of the two terms.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("anyOf" = [
    { "required": ["costPerSegment"] },
    { "required": ["currency"] },
]))]
struct CostChange {
    /// For one segment.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "PriceText")]
    cost_per_segment: Option<PriceText>,
    /// In this currency.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "CurrencyCode")]
    currency: Option<CurrencyCode>,
    /// From when on, now or later; now, if none is given, or the old one's beginning if that is
    /// later.
    effective_from: Option<Timestamp>,
}

impl CostChange {
    /// The terms that follow from `old`.
    fn terms(self, old: CostTerms) -> Result<CostTerms, Problem> {
        if self.cost_per_segment.is_none() && self.currency.is_none() {
            let detail = "one of costPerSegment and currency is needed";
            return Err(Problem::new(Code::MissingField).because(detail));
        }
        let cost_per_segment = match self.cost_per_segment {
            Some(text) => text.price("/costPerSegment")?,
            None => old.cost_per_segment,
        };
        Ok(CostTerms {
            cost_per_segment,
            currency: self.currency.map_or(old.currency, |new| new.0),
        })
    }
}

/// The successor of a cost.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReplacedCost {
    /// The successor.
    #[serde(flatten)]
    cost: CostRow,
    /// The version that it replaces.
    replaces: OperatorCostId,
}

const PATH: &str = "/v1/admin/operator-costs/{operatorCostId}";

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::PATCH, PATH, replace)
        .named("replaceCost", "Another cost in place of one")
        .needs(Right::BillingAdmin)
        .may_refuse(versions::AMENDING)
        .may_refuse(visible::CODES)
}

async fn replace(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<CostPath>,
    condition: IfMatch,
    Body(change): Body<CostChange>,
) -> Result<Shown<ReplacedCost>, Problem> {
    let (old, at) = (path.operator_cost_id, change.effective_from);
    let version = find(&shared.reader, old).await?;
    let terms = change.terms(version.terms)?;
    let id = OperatorCostId(versions::id(context.fresh, &old));
    let wish = Wish::Replace {
        old: old.0,
        id: id.0,
        terms,
        at,
    };
    let origin = context.origin(&shared, context.fresh).await?;
    let if_at = etag::insisted(condition);
    let replaced = shared
        .commands
        .prices
        .amend_cost(origin, key(&version), wish, if_at);
    let refused = |refusal| versions::refused(refusal, "/effectiveFrom");
    let replaced = replaced
        .await
        .map_err(|error| fault::undone(error, refused))?;
    let version = written(&shared, id, replaced.position).await?;
    let etag = etag::of(version.changed_position);
    let answer = ReplacedCost {
        cost: version.into(),
        replaces: old,
    };
    Ok(Versioned(etag, Found(answer)))
}

#[cfg(test)]
mod tests {
    use schema::Currency;
    use serde_json::{Value, json};

    use super::*;

    fn old() -> CostTerms {
        CostTerms {
            cost_per_segment: "0.02".parse().expect("a cost"),
            currency: Currency::parse("EUR").expect("a currency"),
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
    }

    #[test]
    fn a_change_that_changes_nothing_is_refused() {
        assert_eq!(terms(json!({})), Err(Some(Code::MissingField)));
        assert_eq!(terms(json!({"currency": null})), Err(None));
    }

    #[test]
    fn what_the_schema_of_a_change_accepts_is_taken_and_nothing_else() {
        crate::http::body::keeps_to_its_schema(|change: CostChange| change.terms(old()).is_ok());
    }
}
