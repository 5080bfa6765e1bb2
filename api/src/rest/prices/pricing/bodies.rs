//! What callers send and see of prices.

use projections::prices::versions::Version;
use schema::{
    AccountTier, Currency, Direction, OperatorId, PricingModel, PricingTableId, TenantId,
    Timestamp, UnitPrice, event::PriceTerms, versioned::Price,
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

/// Where one price is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct PricePath {
    /// The version.
    pub(super) pricing_table_id: PricingTableId,
}

/// Which prices.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::rest) struct PriceQuery {
    /// Only this tenant's own.
    pub(super) tenant_id: Option<TenantId>,
    /// Only for accounts of this tier.
    pub(super) account_tier: Option<AccountTier>,
    /// Only for messages through this carrier.
    pub(super) operator_id: Option<OperatorId>,
    /// Only those in effect now; `false` tells the history, withdrawn versions included.
    #[serde(default = "fields::yes")]
    pub(super) active_only: bool,
    /// Where the page before ended.
    pub(super) cursor: Option<String>,
    /// The most prices of a page.
    #[serde(default)]
    pub(super) limit: Limit,
}

/// A new price.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::rest) struct NewPrice {
    /// Whose own price it is; without one, the platform's.
    pub(super) tenant_id: Option<TenantId>,
    /// For accounts of this tier.
    pub(super) account_tier: AccountTier,
    /// For messages through this carrier.
    pub(super) operator_id: OperatorId,
    /// Going this way.
    #[serde(default = "fields::to_handsets")]
    pub(super) direction: Direction,
    /// What the unit price is multiplied with.
    pub(super) pricing_model: PricingModel,
    /// The price of one.
    pub(super) unit_price: PriceText,
    /// For accounts that pay in this currency.
    pub(super) currency: CurrencyCode,
    /// The first instant at which it is in effect; now, if none is given.
    pub(super) effective_from: Option<Timestamp>,
    /// The first instant at which it is not in effect any more; without one it is open.
    pub(super) effective_to: Option<Timestamp>,
    /// The final statuses that are charged for; all, if none are given.
    pub(super) billable_statuses: Option<FinalStatuses>,
}

/// What is to be different, at least one of the three terms.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
// Not `anyOf` by itself: generators would make a choice of types of it.
#[schemars(extend("if" = { "type": "object" }, "then" = { "anyOf": [
    { "required": ["pricingModel"] },
    { "required": ["unitPrice"] },
    { "required": ["billableStatuses"] },
] }))]
pub(in crate::rest) struct PriceChange {
    /// What the unit price is multiplied with.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "PricingModel")]
    pub(super) pricing_model: Option<PricingModel>,
    /// The price of one.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "PriceText")]
    pub(super) unit_price: Option<PriceText>,
    /// The final statuses that are charged for.
    #[serde(default, deserialize_with = "fields::present")]
    #[schemars(with = "FinalStatuses")]
    pub(super) billable_statuses: Option<FinalStatuses>,
    /// From when on, now or later; now, if none is given, or the old one's beginning if that is
    /// later.
    pub(super) effective_from: Option<Timestamp>,
}

impl PriceChange {
    /// The terms that follow from `old`.
    pub(super) fn terms(self, old: PriceTerms) -> Result<PriceTerms, Problem> {
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
            Some(text) => text.read("/unitPrice")?,
            None => old.unit_price,
        };
        Ok(PriceTerms {
            pricing_model: pricing_model.unwrap_or(old.pricing_model),
            unit_price,
            billable_statuses: billable_statuses.map_or(old.billable_statuses, |new| new.0),
        })
    }
}

/// A version of a price.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct PriceRow {
    /// The version.
    pub(super) pricing_table_id: PricingTableId,
    /// Whose own price it is; null: the platform's.
    pub(super) tenant_id: Option<TenantId>,
    /// For accounts of this tier.
    pub(super) account_tier: AccountTier,
    /// For messages through this carrier.
    pub(super) operator_id: OperatorId,
    /// Going this way.
    pub(super) direction: Direction,
    /// What the unit price is multiplied with.
    pub(super) pricing_model: PricingModel,
    /// The price of one.
    pub(super) unit_price: UnitPrice,
    /// For accounts that pay in this currency.
    pub(super) currency: Currency,
    /// The final statuses that are charged for.
    pub(super) billable_statuses: FinalStatuses,
    /// The first instant at which it is in effect.
    pub(super) effective_from: Timestamp,
    /// The first instant at which it is not any more; null: open.
    pub(super) effective_to: Option<Timestamp>,
    /// Who opened it.
    pub(super) created_by: String,
    /// When that was recorded.
    pub(super) created_at: Timestamp,
}

impl From<Version<Price>> for PriceRow {
    fn from(version: Version<Price>) -> Self {
        let Version { id, key, terms, .. } = version;
        Self {
            pricing_table_id: id,
            tenant_id: key.tenant,
            account_tier: key.account_tier,
            operator_id: key.operator_id,
            direction: key.direction,
            pricing_model: terms.pricing_model,
            unit_price: terms.unit_price,
            currency: key.currency,
            billable_statuses: FinalStatuses(terms.billable_statuses),
            effective_from: version.period.effective_from,
            effective_to: version.period.effective_to,
            created_by: version.created_by,
            created_at: version.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::body::keeps_to_its_schema;

    fn old() -> PriceTerms {
        PriceTerms {
            pricing_model: PricingModel::PerSegment,
            unit_price: "0.045".parse().expect("a price"),
            billable_statuses: FinalStatuses::default().0,
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
        keeps_to_its_schema(|change: PriceChange| change.terms(old()).is_ok());
    }

    #[test]
    fn what_the_schema_of_a_new_price_accepts_is_taken_and_nothing_else() {
        keeps_to_its_schema(|new: NewPrice| new.unit_price.read("").is_ok());
    }
}
