//! What endpoints belong to, by their path: `/v1/billing/usage` to `usage`.
//!
//! What customers ask stands below `/v1/billing`; they may name themselves by an API key.

use super::state::AppState;
use crate::http::{endpoint::Endpoint, openapi::Tag};

/// What is told of each; another name stands for itself.
const TAGS: [(&str, &str); 16] = [
    ("usage", "What accounts used, added up."),
    ("charges", "Messages that were charged, one by one."),
    ("invoices", "What is to be paid."),
    ("accounts", "Who pays, and by which tier and currency."),
    ("pricing", "Prices, in dated versions."),
    ("price-sheets", "Many prices at once."),
    ("operator-costs", "What carriers take, in dated versions."),
    ("cost-sheets", "Many costs at once."),
    ("exchange-rates", "Between currencies, in dated versions."),
    (
        "adjustments",
        "What is charged or credited besides, by two people.",
    ),
    ("margins", "What is left of the price."),
    ("held-charges", "What waits for a price."),
    ("charge-conflicts", "What was settled twice, differently."),
    (
        "operator-statements",
        "What carriers say, beside what we recorded.",
    ),
    ("audit", "The history."),
    ("other", "Anything else."),
];

/// The endpoint with its tag.
pub(super) fn tagged(endpoint: Endpoint<AppState>) -> Endpoint<AppState> {
    let path = endpoint.operation().path();
    let tag = tag(path);
    let endpoint = endpoint.tagged(tag);
    if path.starts_with("/v1/billing/") {
        endpoint.for_keys()
    } else {
        endpoint
    }
}

fn tag(path: &'static str) -> Tag {
    let mut parts = path.split('/').skip(2);
    let name = match (parts.next(), parts.next()) {
        (Some("billing" | "admin"), Some(name)) | (Some(name), _) => name,
        _ => "other",
    };
    let known = TAGS.iter().find(|(tag, _)| *tag == name);
    Tag {
        name,
        description: known.map_or(name, |(_, description)| *description),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_belongs_to_what_its_path_says() {
        assert_eq!(tag("/v1/billing/usage").name, "usage");
        assert_eq!(tag("/v1/admin/pricing/{pricingTableId}").name, "pricing");
        assert_eq!(tag("/v1/audit/history").name, "audit");
        assert_eq!(tag("/v1/admin/novelties").description, "novelties");
    }
}
