//! Prices: the platform's list, and what tenants have agreed to instead.
//!
//! One may begin in the past: so held charges get their price. It may not if it would be a tenant's
//! own for a time that was charged to this tenant by the platform's. Looks at a tenant's own prices
//! are recorded.

mod bodies;
mod sheet;

use projections::prices::pricing_tables::PriceFilter;
use schema::{PriceKey, PricingTableId, Timestamp, event::PriceTerms, versioned::Price};

use self::bodies::{NewPrice, PriceChange, PricePath, PriceQuery, PriceRow};
use super::versions::{Asked, Looks, Operations, VersionResource, Wanted};
use crate::http::problem::{Code, Problem};

impl VersionResource for Price {
    type Path = PricePath;
    type Query = PriceQuery;
    type New = NewPrice;
    type Change = PriceChange;
    type Row = PriceRow;

    const ALL: &'static str = "/v1/admin/pricing";
    const ONE: &'static str = "/v1/admin/pricing/{pricingTableId}";
    const OPERATIONS: Operations = Operations {
        list: (
            "listPrices",
            "Prices, those in effect or all; needs `billing:admin`",
        ),
        open: ("openPrice", "A new price"),
        show: ("showPrice", "One price; needs `billing:admin`"),
        replace: ("replacePrice", "Another price in place of one"),
        close: ("closePrice", "The end of a price"),
    };
    const LOOKS: Option<Looks<Self>> = Some(Looks {
        list: "GET /v1/admin/pricing",
        show: "GET /v1/admin/pricing/{pricingTableId}",
        tenant: |filter| filter.of.flatten(),
    });
    const NOT_OPENED: &'static [Code] = &[Code::WouldReprice];

    fn opening(new: NewPrice) -> Result<Wanted<Self>, Problem> {
        Ok(Wanted {
            terms: PriceTerms {
                pricing_model: new.pricing_model,
                unit_price: new.unit_price.read("/unitPrice")?,
                billable_statuses: new.billable_statuses.unwrap_or_default().0,
            },
            key: PriceKey {
                tenant: new.tenant_id,
                account_tier: new.account_tier,
                operator_id: new.operator_id,
                direction: new.direction,
                currency: new.currency.0,
            },
            effective_from: new.effective_from,
            effective_to: new.effective_to,
        })
    }

    fn replacing(
        change: PriceChange,
        old: PriceTerms,
    ) -> Result<(PriceTerms, Option<Timestamp>), Problem> {
        let at = change.effective_from;
        Ok((change.terms(old)?, at))
    }
}

impl From<PricePath> for PricingTableId {
    fn from(path: PricePath) -> Self {
        path.pricing_table_id
    }
}

impl From<PriceQuery> for Asked<Price> {
    fn from(query: PriceQuery) -> Self {
        Self {
            filter: PriceFilter {
                of: query.tenant_id.map(Some),
                account_tier: query.account_tier,
                operator_id: query.operator_id,
                ..PriceFilter::default()
            },
            active_only: query.active_only,
            cursor: query.cursor,
            limit: query.limit,
        }
    }
}
