//! What callers send and see of exchange rates.

use projections::prices::versions::Version;
use schema::{Currency, ExchangeRateId, Rate, Timestamp, versioned::ExchangeRate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rest::{
    cursor::Limit,
    fields::{self, CurrencyCode, RateText},
};

/// Where one exchange rate is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct RatePath {
    /// The version.
    pub(super) exchange_rate_id: ExchangeRateId,
}

/// Which exchange rates.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::rest) struct RateQuery {
    /// Only from this currency.
    pub(super) base_currency: Option<CurrencyCode>,
    /// Only to this one.
    pub(super) quote_currency: Option<CurrencyCode>,
    /// Only those in effect now; `false` tells the history, withdrawn versions included.
    #[serde(default = "fields::yes")]
    pub(super) active_only: bool,
    /// Where the page before ended.
    pub(super) cursor: Option<String>,
    /// The most exchange rates of a page.
    #[serde(default)]
    pub(super) limit: Limit,
}

/// A new exchange rate.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::rest) struct NewRate {
    /// What is converted: the currency of costs.
    pub(super) base_currency: CurrencyCode,
    /// What it is converted to: the currency of prices; another one.
    pub(super) quote_currency: CurrencyCode,
    /// So much of the quote currency is one unit of the base currency.
    pub(super) rate: RateText,
    /// The first instant at which it is in effect; now, if none is given.
    pub(super) effective_from: Option<Timestamp>,
    /// The first instant at which it is not in effect any more; without one it is open.
    pub(super) effective_to: Option<Timestamp>,
}

/// Another rate in place of one.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::rest) struct RateChange {
    /// So much of the quote currency is one unit of the base currency.
    pub(super) rate: RateText,
    /// From when on, at any time since the old one's beginning; now, if none is given, or that
    /// beginning if it is later. What messages of a time gone by cost is assessed again.
    pub(super) effective_from: Option<Timestamp>,
}

/// A version of an exchange rate.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct RateRow {
    /// The version.
    pub(super) exchange_rate_id: ExchangeRateId,
    /// What is converted.
    pub(super) base_currency: Currency,
    /// What it is converted to.
    pub(super) quote_currency: Currency,
    /// So much of the quote currency is one unit of the base currency.
    pub(super) rate: Rate,
    /// The first instant at which it is in effect.
    pub(super) effective_from: Timestamp,
    /// The first instant at which it is not any more; null: open.
    pub(super) effective_to: Option<Timestamp>,
    /// Who opened it.
    pub(super) created_by: String,
    /// When that was recorded.
    pub(super) created_at: Timestamp,
}

impl From<Version<ExchangeRate>> for RateRow {
    fn from(version: Version<ExchangeRate>) -> Self {
        Self {
            exchange_rate_id: version.id,
            base_currency: version.key.base,
            quote_currency: version.key.quote,
            rate: version.terms.rate,
            effective_from: version.period.effective_from,
            effective_to: version.period.effective_to,
            created_by: version.created_by,
            created_at: version.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::body::keeps_to_its_schema;

    #[test]
    fn what_the_schema_of_a_new_rate_accepts_is_taken_and_nothing_else() {
        keeps_to_its_schema(|new: NewRate| new.rate.read("").is_ok());
    }

    #[test]
    fn what_the_schema_of_another_rate_accepts_is_taken_and_nothing_else() {
        keeps_to_its_schema(|change: RateChange| change.rate.read("").is_ok());
    }
}
