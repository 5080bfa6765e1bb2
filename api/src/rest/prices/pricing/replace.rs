//! `PATCH /v1/admin/pricing/{pricingTableId}`: closes a price and opens its successor, which lasts
//! as long as the old one would have.

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
        fields::{self, BillableStatuses, PriceText},
        prices::versions,
        state::AppState,
        visible,
    },
};
use actors::prices::decide::timeline::Wish;
use axum::{extract::State, http::Method};
use schema::{PricingModel, PricingTableId, Timestamp, event::PriceTerms};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PricePath, PriceRow, Shown, find, key, written};

/// What is to be different, at least one of the three terms.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("anyOf" = [
    { "required": ["pricingModel"] },
    { "required": ["unitPrice"] },
    { "required": ["billableStatuses"] },
]))]
struct PriceChange {
    /// What the unit price is multiplied with.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "PricingModel")]
    pricing_model: Option<PricingModel>,
    /// The price of one.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "PriceText")]
    unit_price: Option<PriceText>,
    /// The final statuses that are charged for.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "BillableStatuses")]
    billable_statuses: Option<BillableStatuses>,
    /// From when on, now or later; now, if none is given, or the old one's beginning if that is
    /// later.
    effective_from: Option<Timestamp>,
}

impl PriceChange {
    /// The terms that follow from `old`.
    fn terms(self, old: PriceTerms) -> Result<PriceTerms, Problem> {
        let Self {
            pricing_model,
            unit_price,
            billable_statuses,
            effective_from: _,
        } = self;
        if pricing_model.is_none() && unit_price.is_none() && billable_statuses.is_none() {
            let detail = "one of pricingModel, unitPrice and billableStatuses is needed";
            return Err(Problem::new(Code::MissingField).because(detail));
        }
        let unit_price = match unit_price {
            Some(text) => text.price("/unitPrice")?,
            None => old.unit_price,
        };
        Ok(PriceTerms {
            pricing_model: pricing_model.unwrap_or(old.pricing_model),
            unit_price,
            billable_statuses: billable_statuses.map_or(old.billable_statuses, |new| new.0),
        })
    }
}

/// The successor of a price.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReplacedPrice {
    /// The successor.
    #[serde(flatten)]
    price: PriceRow,
    /// The version that it replaces.
    replaces: PricingTableId,
}

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::PATCH, "/v1/admin/pricing/{pricingTableId}", replace)
        .named("replacePrice", "Another price in place of one")
        .needs(Right::BillingAdmin)
        .may_refuse(versions::AMENDING)
        .may_refuse(visible::CODES)
}

async fn replace(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<PricePath>,
    condition: IfMatch,
    Body(change): Body<PriceChange>,
) -> Result<Shown<ReplacedPrice>, Problem> {
    let (old, at) = (path.pricing_table_id, change.effective_from);
    let version = find(&shared.reader, old).await?;
    let price = key(&version);
    let terms = change.terms(version.terms)?;
    let id = PricingTableId(versions::id(context.fresh, &old));
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
        .amend_price(origin, price, wish, if_at)
        .await;
    let refused = |refusal| versions::refused(refusal, "/effectiveFrom");
    let replaced = replaced.map_err(|error| fault::undone(error, refused))?;
    let version = written(&shared, id, replaced.position).await?;
    let etag = etag::of(version.changed_position);
    let answer = ReplacedPrice {
        price: version.into(),
        replaces: old,
    };
    Ok(Versioned(etag, Found(answer)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn old() -> PriceTerms {
        PriceTerms {
            pricing_model: PricingModel::PerSegment,
            unit_price: "0.045".parse().expect("a price"),
            billable_statuses: BillableStatuses::default().0,
        }
    }

    fn terms(change: Value) -> Result<PriceTerms, Option<Code>> {
        let change: PriceChange = serde_json::from_value(change).map_err(|_| None)?;
        change.terms(old()).map_err(|problem| Some(problem.code()))
    }

    #[test]
    fn what_is_not_named_stays_as_it_was() {
        let new = terms(json!({"unitPrice": "0.05"})).expect("good");
        assert_eq!(new.unit_price.to_string(), "0.050000");
        assert_eq!(new.pricing_model, PricingModel::PerSegment);
        let new = terms(json!({"billableStatuses": ["DELIVERED"]})).expect("good");
        assert_eq!(new.billable_statuses.len(), 1);
        assert_eq!(new.unit_price.to_string(), "0.045000");
    }

    #[test]
    fn a_change_that_changes_nothing_is_refused() {
        let at = json!({"effectiveFrom": "2030-01-01T00:00:00Z"});
        assert_eq!(terms(json!({})), Err(Some(Code::MissingField)));
        assert_eq!(terms(at), Err(Some(Code::MissingField)));
        assert_eq!(terms(json!({"unitPrice": null})), Err(None));
        assert_eq!(
            terms(json!({"unitPrice": "-1"})),
            Err(Some(Code::InvalidField))
        );
    }

    #[test]
    fn what_the_schema_of_a_change_accepts_is_taken_and_nothing_else() {
        crate::http::body::keeps_to_its_schema(|change: PriceChange| change.terms(old()).is_ok());
    }
}
