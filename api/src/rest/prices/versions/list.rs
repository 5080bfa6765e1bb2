//! `GET` of all versions: those in effect now, or all there ever were.

use axum::{extract::State, http::Method};
use eventstore::clock;
use projections::prices::versions;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Asked, VersionResource};
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::Params,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        cursor::List,
        fault,
        state::AppState,
    },
};

/// One page of versions in the order in which they were opened.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", bound = "")]
#[schemars(
    rename = "{K}List",
    description = format!("{}s in the order in which they were opened.", K::schema_name())
)]
struct Listed<K: VersionResource> {
    /// One page of them.
    data: Vec<K::Row>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

pub(super) fn endpoint<K: VersionResource>() -> Endpoint<AppState> {
    let (id, summary) = K::OPERATIONS.list;
    let endpoint = Endpoint::new(Method::GET, K::ALL, list::<K>)
        .named(id, summary)
        .may_refuse(&[Code::InvalidCursor, Code::Unavailable]);
    match K::LOOKS {
        Some(_) => endpoint.may_refuse(look::CODES),
        None => endpoint.needs(Right::BillingAdmin),
    }
}

async fn list<K: VersionResource>(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<K::Query>,
) -> Result<Found<Listed<K>>, Problem> {
    let asked: Asked<K> = query.into();
    let look = K::LOOKS.map(|looks| Look {
        endpoint: looks.list,
        tenant: (looks.tenant)(&asked.filter),
        account: None,
    });
    if let Some(look) = look {
        look::needs(&shared, &context, Right::BillingAdmin, look).await?;
    }
    let list = List::new(K::ALL, &(asked.filter, asked.active_only), asked.limit);
    let page = list.page(asked.cursor.as_deref())?;
    if let Some(look) = look {
        look::allowed(&shared, &context, look).await?;
    }
    let active_at = asked.active_only.then(clock::now);
    let rows = versions::list::<K>(&shared.questions, asked.filter, active_at, page).await;
    let (rows, next_cursor) = list.shown(rows.map_err(fault::unread)?, |row| row.position);
    let data = rows.into_iter().map(K::Row::from).collect();
    Ok(Found(Listed { data, next_cursor }))
}
