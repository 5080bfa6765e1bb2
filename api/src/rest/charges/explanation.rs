//! `GET /v1/billing/charges/{messageId}/explanation`: everything in the log that decided what a message
//! was charged and what it costs, each event as it was recorded.
//!
//! It repeats events and concludes nothing: whoever doubts a charge sees what it rests on, and where
//! that stands. Personal data is not in it: it is sealed beside what an event says.

mod rated;

use std::collections::BTreeSet;

use axum::{extract::State, http::Method};
use eventstore::RecordedEvent;
use projections::{
    Page,
    adjustments::adjustments,
    charges::{billing_events, cost_assessments, held_charges},
};
use schema::{
    AccountId, Event, ExchangeRateKey, MessageId, Position, StreamId, TenantId, Timestamp,
    versioned::{Cost, ExchangeRate},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use self::rated::Rated;
use super::{charge::Charge, show::ChargePath};
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::PathParams,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        fault,
        state::AppState,
    },
};

const PATH: &str = "/v1/billing/charges/{messageId}/explanation";
/// What the log is told of such a look.
const ENDPOINT: &str = "GET /v1/billing/charges/{messageId}/explanation";
/// Who may look.
const RIGHTS: &[Right] = &[Right::ReadAnyAccount, Right::BillingAdmin, Right::Audit];

/// Why a message was charged what it was charged, or why it waits.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChargeExplanation {
    /// The message.
    message_id: MessageId,
    /// Whose message.
    tenant_id: TenantId,
    /// On which account.
    account_id: AccountId,
    /// The charge as it is shown; null while it waits.
    charge: Option<Charge>,
    /// The log that the positions are of.
    log_id: i16,
    /// What decided it, in the order of the log.
    events: Vec<ExplainingEvent>,
}

/// An event that decided what a message was charged or what it costs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ExplainingEvent {
    /// Where it stands in that log.
    position: i64,
    /// What it is about.
    about: About,
    /// Its type.
    event_type: &'static str,
    /// When it was recorded.
    recorded_at: Timestamp,
    /// Who recorded it.
    principal: String,
    /// What it says, as the schema of its type has it.
    #[schemars(with = "Map<String, Value>")]
    payload: Value,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum About {
    /// The settlement: that it was charged or held, and contradictions.
    Charge,
    /// The account's version that said who pays by what.
    Account,
    /// The version of the price.
    Price,
    /// A version of the carrier's cost that was or is in effect for its time.
    Cost,
    /// The same of an exchange rate that such a cost is converted with.
    Rate,
    /// What it was found to cost later, when a cost or an exchange rate was corrected.
    Assessment,
    /// What the account pays more or less because of it.
    Adjustment,
}

/// Who may look is asked within, because a refusal is recorded.
pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, show)
        .named(
            "explainCharge",
            "Why a message was charged what it was; needs `billing:read-any`, `billing:admin` or \
             `billing:audit`",
        )
        .may_refuse(&[Code::NotFound])
        .may_refuse(look::CODES)
}

async fn show(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<ChargePath>,
) -> Result<Found<ChargeExplanation>, Problem> {
    let mut look = Look {
        endpoint: ENDPOINT,
        tenant: None,
        account: None,
    };
    look::needs_one_of(&shared, &context, RIGHTS, look).await?;
    let message = path.message_id;
    let Some((whose, charge)) = find(&shared, message).await? else {
        let absent = Problem::new(Code::NotFound);
        return Err(look::refused(&shared, &context, look, absent).await);
    };
    (look.tenant, look.account) = (Some(whose.0), Some(whose.1));
    look::allowed(&shared, &context, look).await?;
    let mut events = events(&shared, message, whose.1).await?;
    if let Some(charge) = &charge {
        events.extend(assessed(&shared, charge.place.position, message).await?);
    }
    let charge = charge.map(|charge| Charge::shown(&charge, true));
    events.extend(adjusted(&shared, whose, message).await?);
    events.sort_by_key(|event| event.position);
    Ok(Found(ChargeExplanation {
        message_id: message,
        tenant_id: whose.0,
        account_id: whose.1,
        charge,
        log_id: shared.questions.log().0,
        events,
    }))
}

/// Whose a message is, and its charge if it has one.
async fn find(
    shared: &AppState,
    message: MessageId,
) -> Result<Option<((TenantId, AccountId), Option<billing_events::Charge>)>, Problem> {
    let charge = billing_events::find(&shared.questions, message, None, None).await;
    if let Some(charge) = charge.map_err(fault::unread)? {
        let whose = (charge.tenant, charge.account);
        return Ok(Some((whose, Some(charge))));
    }
    let held = held_charges::find(&shared.questions, message).await;
    let held = held.map_err(fault::unread)?;
    Ok(held.map(|held| ((held.tenant, held.account), None)))
}

/// What the log says of the charge, and of what it rests on.
async fn events(
    shared: &AppState,
    message: MessageId,
    account: AccountId,
) -> Result<Vec<ExplainingEvent>, Problem> {
    let streams = [StreamId::charge(message), StreamId::account(account)];
    let [charge, account] = read(shared, streams).await?;
    let mut told: Vec<_> = charge.iter().map(|it| tell(About::Charge, it)).collect();
    let Some(rated) = Rated::of(&charge) else {
        return Ok(told);
    };
    told.extend(rated.account(&account).map(|it| tell(About::Account, it)));
    if let Some((key, version)) = &rated.price {
        let [prices] = read(shared, [StreamId::price(key)]).await?;
        let of_version = prices
            .iter()
            .filter(|it| payload(it)["pricingTableId"] == *version);
        told.extend(of_version.map(|it| tell(About::Price, it)));
    }
    told.extend(costs(shared, &rated).await?);
    Ok(told)
}

/// What the carrier takes for a message of that time, and what it is converted with.
async fn costs(shared: &AppState, rated: &Rated) -> Result<Vec<ExplainingEvent>, Problem> {
    let [costs] = read(shared, [StreamId::cost(&rated.cost)]).await?;
    let costs = rated.versions::<Cost>(&costs);
    let mut told: Vec<_> = costs.iter().map(|it| tell(About::Cost, it)).collect();
    let Some((price, _)) = &rated.price else {
        return Ok(told);
    };
    let currencies: BTreeSet<_> = costs
        .iter()
        .filter_map(|it| match &it.data.event {
            Event::CostOpened(opened) => Some(opened.terms.currency),
            _ => None,
        })
        .filter(|currency| *currency != price.currency)
        .collect();
    for base in currencies {
        let key = ExchangeRateKey {
            base,
            quote: price.currency,
        };
        let [of_currency] = read(shared, [StreamId::exchange_rate(&key)]).await?;
        let versions = rated.versions::<ExchangeRate>(&of_currency);
        told.extend(versions.into_iter().map(|it| tell(About::Rate, it)));
    }
    Ok(told)
}

/// What a charge was found to cost after it was recorded. Such an event is about many charges; here it
/// is told of the one.
async fn assessed(
    shared: &AppState,
    charge: Position,
    message: MessageId,
) -> Result<Vec<ExplainingEvent>, Problem> {
    let places = cost_assessments::of_a_charge(&shared.questions, charge).await;
    let mut told = Vec::new();
    for place in places.map_err(fault::unread)? {
        let stretch = shared.store.read_after(place.plus(-1), 1).await;
        let stretch = stretch.map_err(|error| fault::unreachable(&error))?;
        for event in stretch
            .whole()
            .map_err(|error| fault::unreachable(&error))?
        {
            let mut event = tell(About::Assessment, &event);
            if let Some(charges) = event.payload["charges"].as_array_mut() {
                charges.retain(|charge| charge["messageId"] == message.to_string());
            }
            told.push(event);
        }
    }
    Ok(told)
}

/// The adjustments that name the message.
async fn adjusted(
    shared: &AppState,
    (tenant, account): (TenantId, AccountId),
    message: MessageId,
) -> Result<Vec<ExplainingEvent>, Problem> {
    let filter = adjustments::Filter {
        tenant: Some(tenant),
        account: Some(account),
        ..adjustments::Filter::default()
    };
    let all = adjustments::list(&shared.questions, filter, Page::WHOLE).await;
    let all = all.map_err(fault::unread)?;
    let about = all.iter().filter(|it| it.message == Some(message));
    let mut told = Vec::new();
    for adjustment in about {
        let [events] = read(shared, [StreamId::adjustment(adjustment.id)]).await?;
        told.extend(events.iter().map(|it| tell(About::Adjustment, it)));
    }
    Ok(told)
}

async fn read<const N: usize>(
    shared: &AppState,
    streams: [StreamId; N],
) -> Result<[Vec<RecordedEvent>; N], Problem> {
    let read = shared.store.read_streams(&streams).await;
    let read = read.map_err(|error| fault::unreachable(&error))?;
    // The answers are as many as the questions.
    read.try_into().map_err(|_| Problem::new(Code::Internal))
}

fn tell(about: About, event: &RecordedEvent) -> ExplainingEvent {
    ExplainingEvent {
        position: event.position.0,
        about,
        event_type: event.data.event.type_and_version().0,
        recorded_at: event.recorded_at,
        principal: event.data.principal.clone(),
        payload: payload(event),
    }
}

fn payload(event: &RecordedEvent) -> Value {
    serde_json::from_str(&event.data.event.payload()).unwrap_or_default()
}
