//! `POST /v1/admin/pricing`: a new price for a period in which there is none.
//!
//! It may begin in the past: so held charges get their price. It may not if it would be a tenant's own
//! for a time that was charged to this tenant by the platform's.

use crate::{
    http::{
        answer::{Created, Located, Versioned},
        body::Body,
        endpoint::Endpoint,
        headers::IdempotencyKey,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{
        context::RequestContext,
        etag, fault,
        fields::{self, BillableStatuses, CurrencyCode, PriceText},
        prices::versions,
        state::AppState,
        visible,
    },
};
use actors::{prices::commands::PriceFor, prices::decide::timeline::Wish};
use axum::{extract::State, http::Method};
use eventstore::clock;
use projections::{
    charges::billing_events::{Charges, ChargesOfKey, charged_by_the_platform},
    prices::pricing_tables::{self, PriceVersion},
};
use schema::{
    AccountTier, Direction, OperatorId, Period, PricingModel, PricingTableId, TenantId, Timestamp,
    event::PriceTerms,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{PriceRow, written};

/// A new price.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewPrice {
    /// Whose own price it is; without one, the platform's.
    tenant_id: Option<TenantId>,
    /// For accounts of this tier.
    account_tier: AccountTier,
    /// For messages through this carrier.
    operator_id: OperatorId,
    /// Going this way.
    #[serde(default = "fields::to_handsets")]
    direction: Direction,
    /// What the unit price is multiplied with.
    pricing_model: PricingModel,
    /// The price of one.
    unit_price: PriceText,
    /// For accounts that pay in this currency.
    currency: CurrencyCode,
    /// The first instant at which it is in effect; now, if none is given.
    effective_from: Option<Timestamp>,
    /// The first instant at which it is not in effect any more; without one it is open.
    effective_to: Option<Timestamp>,
    /// The final statuses that are charged for; all, if none are given.
    billable_statuses: Option<BillableStatuses>,
}

type Answer = Located<Versioned<Created<PriceRow>>>;

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::POST, "/v1/admin/pricing", open)
        .named("openPrice", "A new price")
        .needs(Right::BillingAdmin)
        .may_refuse(versions::OPENING)
        .may_refuse(&[Code::WouldReprice])
        .may_refuse(visible::CODES)
}

async fn open(
    State(shared): State<AppState>,
    context: RequestContext,
    idempotency: IdempotencyKey,
    Body(new): Body<NewPrice>,
) -> Result<Answer, Problem> {
    let terms = PriceTerms {
        pricing_model: new.pricing_model,
        unit_price: new.unit_price.price("/unitPrice")?,
        billable_statuses: new.billable_statuses.unwrap_or_default().0,
    };
    let price = PriceFor {
        tenant: new.tenant_id,
        account_tier: new.account_tier,
        operator_id: new.operator_id,
        direction: new.direction,
        currency: new.currency.0,
    };
    let request = context.request("openPrice", &idempotency);
    let wanted = (
        (price.tenant, price.account_tier, price.operator_id),
        (price.direction, price.currency, &terms),
        (new.effective_from, new.effective_to),
    );
    let id = PricingTableId(versions::id(request, &wanted));
    if idempotency.0.is_some() {
        let found = pricing_tables::by_request(&shared.reader, request).await;
        match found.map_err(fault::unread)? {
            Some(version) if version.pricing_table_id == id => return Ok(answer(version)),
            Some(_) => return Err(versions::reused()),
            None => {}
        }
    }

    let now = clock::now();
    let period = versions::period(new.effective_from, new.effective_to, now)?;
    if period.effective_from < now {
        refuse_to_reprice(&shared, price, period).await?;
    }
    let wish = Wish::Open {
        id: id.0,
        terms,
        period,
    };
    let origin = context.origin(&shared, request).await?;
    let opened = shared
        .commands
        .prices
        .amend_price(origin, price, wish, None)
        .await;
    let refused = |refusal| versions::refused(refusal, "/effectiveTo");
    let opened = opened.map_err(|error| fault::undone(error, refused))?;
    written(&shared, id, opened.position).await.map(answer)
}

fn answer(version: PriceVersion) -> Answer {
    let place = format!("/v1/admin/pricing/{}", version.pricing_table_id);
    let etag = etag::of(version.changed_position);
    Located(place, Versioned(etag, Created(version.into())))
}

/// What was charged stays as it is. Only a tenant's own price can come before one that was used.
async fn refuse_to_reprice(
    shared: &AppState,
    price: PriceFor,
    period: Period,
) -> Result<(), Problem> {
    let Some(tenant) = price.tenant else {
        return Ok(());
    };
    visible::caught_up(shared, Charges::NAME).await?;
    let key = ChargesOfKey {
        tenant,
        account_tier: price.account_tier,
        operator_id: price.operator_id,
        direction: price.direction,
        currency: price.currency,
    };
    let charged = charged_by_the_platform(&shared.reader, key, period).await;
    if charged.map_err(fault::unread)? {
        Err(Problem::new(Code::WouldReprice).at("/effectiveFrom"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::body::keeps_to_its_schema;

    #[test]
    fn what_the_schema_of_a_new_price_accepts_is_taken_and_nothing_else() {
        keeps_to_its_schema(|new: NewPrice| new.unit_price.price("").is_ok());
    }
}
