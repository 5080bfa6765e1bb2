//! Sheets of prices.

use schema::{
    AccountTier, Direction, PriceKey, PricingModel, TenantId, event::PriceTerms, versioned::Price,
};

use crate::rest::{
    fields::FinalStatuses,
    prices::sheets::{
        Cells, Column, Refused, SheetResource, currency, operator, status_list, tenant, unit_price,
        word,
    },
};

impl SheetResource for Price {
    const PATH: &'static str = "/v1/admin/price-sheets/{sheetId}";
    const OPERATION: (&'static str, &'static str) = (
        "applyPriceSheet",
        "A sheet of prices, applied as a whole or not at all",
    );
    const DRY_LOOK: Option<&'static str> = Some("PUT /v1/admin/price-sheets/{sheetId}");
    const COLUMNS: &'static [Column] = &[
        Column {
            name: "accountTier",
            needed: true,
            meaning: "for accounts of this tier",
        },
        Column {
            name: "operatorId",
            needed: true,
            meaning: "for messages through this carrier, a UUID",
        },
        Column {
            name: "direction",
            needed: false,
            meaning: "`MT` or `MO`; empty: `MT`",
        },
        Column {
            name: "currency",
            needed: true,
            meaning: "for accounts that pay in this currency",
        },
        Column {
            name: "tenantId",
            needed: false,
            meaning: "whose own price it is, a UUID; empty: the platform's list",
        },
        Column {
            name: "pricingModel",
            needed: true,
            meaning: "`PER_SEGMENT` or `FLAT_PER_MESSAGE`",
        },
        Column {
            name: "unitPrice",
            needed: true,
            meaning: "the price of one, such as `0.045`, with at most six decimal places",
        },
        Column {
            name: "billableStatuses",
            needed: false,
            meaning: "the final statuses that are charged for, separated by spaces or `|`; \
                empty: all",
        },
    ];

    fn line(cells: &mut Cells<'_>) -> Result<(PriceKey<TenantId>, PriceTerms), Refused> {
        let tier = word(AccountTier::ALL, AccountTier::parse, AccountTier::as_str);
        let direction = word(Direction::ALL, Direction::parse, Direction::as_str);
        let model = word(PricingModel::ALL, PricingModel::parse, PricingModel::as_str);
        // Each is read, whatever is wrong with those before it.
        let account_tier = cells.needed("accountTier", tier);
        let operator_id = cells.needed("operatorId", operator);
        let direction = cells.optional("direction", direction);
        let currency = cells.needed("currency", currency);
        let tenant = cells.optional("tenantId", tenant);
        let pricing_model = cells.needed("pricingModel", model);
        let unit_price = cells.needed("unitPrice", unit_price);
        let statuses = cells.optional("billableStatuses", status_list);
        let key = PriceKey {
            tenant: tenant?,
            account_tier: account_tier?,
            operator_id: operator_id?,
            direction: direction?.unwrap_or(Direction::Mt),
            currency: currency?,
        };
        let all = || FinalStatuses::default().0;
        let terms = PriceTerms {
            pricing_model: pricing_model?,
            unit_price: unit_price?,
            billable_statuses: statuses?.unwrap_or_else(all),
        };
        Ok((key, terms))
    }
}
