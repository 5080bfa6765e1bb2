//! `POST /v1/admin/operator-costs`: a new cost for a period in which there is none. It may begin in
//! the past; what is recorded already keeps the cost it has.

use crate::{
    http::{
        answer::{Created, Located, Versioned},
        body::Body,
        endpoint::Endpoint,
        headers::IdempotencyKey,
        problem::Problem,
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
use eventstore::clock;
use projections::prices::operator_costs::{self, CostVersion};
use schema::{CostKey, Direction, OperatorCostId, OperatorId, Timestamp, event::CostTerms};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{CostRow, written};

/// A new cost.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewCost {
    /// What this carrier takes.
    operator_id: OperatorId,
    /// For messages going this way.
    #[serde(default = "fields::to_handsets")]
    direction: Direction,
    /// For one segment.
    cost_per_segment: PriceText,
    /// In this currency.
    currency: CurrencyCode,
    /// The first instant at which it is in effect; now, if none is given.
    effective_from: Option<Timestamp>,
    /// The first instant at which it is not in effect any more; without one it is open.
    effective_to: Option<Timestamp>,
}

type Answer = Located<Versioned<Created<CostRow>>>;

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::POST, "/v1/admin/operator-costs", open)
        .named("openCost", "A new cost")
        .needs(Right::BillingAdmin)
        .may_refuse(versions::OPENING)
        .may_refuse(visible::CODES)
}

async fn open(
    State(shared): State<AppState>,
    context: RequestContext,
    idempotency: IdempotencyKey,
    Body(new): Body<NewCost>,
) -> Result<Answer, Problem> {
    let terms = CostTerms {
        cost_per_segment: new.cost_per_segment.price("/costPerSegment")?,
        currency: new.currency.0,
    };
    let key = CostKey {
        operator_id: new.operator_id,
        direction: new.direction,
    };
    let request = context.request("openCost", &idempotency);
    let wanted = (
        (key.operator_id, key.direction, terms),
        (new.effective_from, new.effective_to),
    );
    let id = OperatorCostId(versions::id(request, &wanted));
    if idempotency.0.is_some() {
        let found = operator_costs::by_request(&shared.reader, request).await;
        match found.map_err(fault::unread)? {
            Some(version) if version.operator_cost_id == id => return Ok(answer(version)),
            Some(_) => return Err(versions::reused()),
            None => {}
        }
    }

    let period = versions::period(new.effective_from, new.effective_to, clock::now())?;
    let wish = Wish::Open {
        id: id.0,
        terms,
        period,
    };
    let origin = context.origin(&shared, request).await?;
    let opened = shared
        .commands
        .prices
        .amend_cost(origin, key, wish, None)
        .await;
    let refused = |refusal| versions::refused(refusal, "/effectiveTo");
    let opened = opened.map_err(|error| fault::undone(error, refused))?;
    written(&shared, id, opened.position).await.map(answer)
}

fn answer(version: CostVersion) -> Answer {
    let place = format!("/v1/admin/operator-costs/{}", version.operator_cost_id);
    let etag = etag::of(version.changed_position);
    Located(place, Versioned(etag, Created(version.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::body::keeps_to_its_schema;

    #[test]
    fn what_the_schema_of_a_new_cost_accepts_is_taken_and_nothing_else() {
        keeps_to_its_schema(|new: NewCost| new.cost_per_segment.price("").is_ok());
    }
}
