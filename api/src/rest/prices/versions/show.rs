//! `GET` of one version, with the `ETag` that a change may name.

use axum::{extract::State, http::Method};

use super::{Shown, VersionResource, find, shown};
use crate::{
    http::{
        endpoint::Endpoint,
        params::PathParams,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        state::AppState,
    },
};

pub(super) fn endpoint<K: VersionResource>() -> Endpoint<AppState> {
    let (id, summary) = K::OPERATIONS.show;
    let endpoint = Endpoint::new(Method::GET, K::ONE, show::<K>)
        .named(id, summary)
        .may_refuse(&[Code::NotFound, Code::Unavailable]);
    match K::LOOKS {
        Some(_) => endpoint.may_refuse(look::CODES),
        None => endpoint.needs(Right::BillingAdmin),
    }
}

async fn show<K: VersionResource>(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<K::Path>,
) -> Result<Shown<K::Row>, Problem> {
    let look = K::LOOKS.map(|looks| Look {
        endpoint: looks.show,
        tenant: None,
        account: None,
    });
    if let Some(look) = look {
        look::needs(&shared, &context, Right::BillingAdmin, look).await?;
    }
    let version = find::<K>(&shared.questions, path.into()).await?;
    let tenant = K::tenant(&version.key);
    if let Some(look) = look.filter(|_| tenant.is_some()) {
        look::allowed(&shared, &context, Look { tenant, ..look }).await?;
    }
    Ok(shown(version))
}
