//! Dated versions over REST: they are listed, shown, opened, replaced and closed, whatever they are
//! of.
//!
//! A kind of versions says where it is, what its rows and bodies look like and what else must hold
//! before one is opened ([`VersionResource`]); the five endpoints stand here once.

mod close;
mod list;
mod open;
mod replace;
mod show;

use actors::{
    prices::{
        commands::Amendable,
        decide::{Action, timeline::Refusal},
    },
    runtime::origin::Origin,
};
use projections::{
    Reader,
    prices::versions::{self, Version, VersionTable},
};
use schema::{Position, TenantId, Timestamp, id::derive};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    http::{
        answer::{Found, Tagged},
        endpoint::Endpoint,
        problem::{Code, Problem},
    },
    rest::{cursor::Limit, etag, fault, state::AppState, visible},
};

/// A kind of versions as callers see it.
pub(super) trait VersionResource: VersionTable + Amendable {
    /// The parameter in [`VersionResource::ONE`].
    type Path: DeserializeOwned + JsonSchema + Into<Self::Id> + Send + 'static;
    /// Which versions are listed.
    type Query: DeserializeOwned + JsonSchema + Into<Asked<Self>> + Send + 'static;
    /// The body that opens a version.
    type New: DeserializeOwned + JsonSchema + Send + 'static;
    /// The body that replaces a version: what is to be different.
    type Change: DeserializeOwned + JsonSchema + Send + 'static;
    /// A version.
    type Row: Serialize + JsonSchema + From<Version<Self>> + Send + 'static;

    /// The path of all versions.
    const ALL: &'static str;
    /// The path of one version.
    const ONE: &'static str;
    /// What the operations are called.
    const OPERATIONS: Operations;
    /// How looks at versions are recorded, if they are.
    const LOOKS: Option<Looks<Self>> = None;
    /// What opening is refused for beside [`OPENING`].
    const NOT_OPENED: &'static [Code] = &[];

    /// Where one version is, for its `Location`.
    fn place(id: Self::Id) -> String {
        format!("{}/{id}", Self::ALL)
    }

    /// What a caller wants to be opened.
    ///
    /// # Errors
    /// A field says what cannot be.
    fn opening(new: Self::New) -> Result<Wanted<Self>, Problem>;

    /// The terms that follow from `old`, and from when on.
    ///
    /// # Errors
    /// A field says what cannot be, or nothing would be different.
    fn replacing(
        change: Self::Change,
        old: Self::Terms,
    ) -> Result<(Self::Terms, Option<Timestamp>), Problem>;
}

/// The name and the summary of each operation on a kind of versions.
pub(super) struct Operations {
    pub(super) list: (&'static str, &'static str),
    pub(super) open: (&'static str, &'static str),
    pub(super) show: (&'static str, &'static str),
    pub(super) replace: (&'static str, &'static str),
    pub(super) close: (&'static str, &'static str),
}

/// How looks at a kind of versions are recorded. The right to them is then asked behind the
/// endpoints, because a refusal is recorded too.
pub(super) struct Looks<K: VersionTable> {
    /// The endpoint that lists, as it is documented.
    pub(super) list: &'static str,
    /// The endpoint that shows one.
    pub(super) show: &'static str,
    /// Whose versions a list is of, if it is of one tenant's own.
    pub(super) tenant: fn(&K::Filter) -> Option<TenantId>,
}

/// Which versions a caller asks for.
pub(super) struct Asked<K: VersionTable> {
    pub(super) filter: K::Filter,
    /// Whether only those in effect now.
    pub(super) active_only: bool,
    /// Where the page before ended.
    pub(super) cursor: Option<String>,
    pub(super) limit: Limit,
}

/// The version that a caller wants.
pub(super) struct Wanted<K: VersionTable> {
    pub(super) key: K::Key<TenantId>,
    pub(super) terms: K::Terms,
    /// Now, if they do not say.
    pub(super) effective_from: Option<Timestamp>,
    pub(super) effective_to: Option<Timestamp>,
}

/// One version with its `ETag`.
type Shown<T> = Tagged<Found<T>>;

/// What opening may be refused for.
const OPENING: &[Code] = &[Code::PeriodReversed, Code::PeriodOverlaps];
/// What replacing and closing may be refused for.
const AMENDING: &[Code] = &[
    Code::NotFound,
    Code::PeriodReversed,
    Code::PeriodInPast,
    Code::AlreadyClosed,
];

/// The endpoints of a kind.
pub(super) fn endpoints<K: VersionResource>() -> [Endpoint<AppState>; 5] {
    [
        list::endpoint::<K>(),
        open::endpoint::<K>(),
        show::endpoint::<K>(),
        replace::endpoint::<K>(),
        close::endpoint::<K>(),
    ]
}

/// The version, if there is one.
async fn find<K: VersionTable>(reader: &Reader, id: K::Id) -> Result<Version<K>, Problem> {
    let found = versions::one(reader, id).await;
    found
        .map_err(fault::unread)?
        .ok_or(Problem::new(Code::NotFound))
}

/// The version as it was written at `position`.
async fn written<K: VersionTable>(
    shared: &AppState,
    id: K::Id,
    position: Position,
) -> Result<Version<K>, Problem> {
    visible::shown(shared, K::PROJECTION, position).await?;
    let found = versions::one(&shared.reader, id).await;
    // It is not there only while the table is built anew.
    found
        .map_err(fault::unread)?
        .ok_or(Problem::new(Code::NotYetVisible))
}

/// The word for one thing of a kind, as in "the price".
fn word<K: VersionResource>() -> String {
    K::schema_name().to_lowercase()
}

fn shown<K: VersionResource>(version: Version<K>) -> Shown<K::Row> {
    let etag = etag::of(version.changed_position);
    Tagged(etag, Found(version.into()))
}

/// Has `action` carried out; `end` is the field that says until when. Says the position at which
/// it is written.
///
/// # Errors
/// A refusal, or a fault.
async fn amend<K: VersionResource>(
    shared: &AppState,
    origin: Origin,
    key: K::Key<TenantId>,
    action: Action<K>,
    if_at: Option<Position>,
    end: &'static str,
) -> Result<Position, Problem> {
    let prices = &shared.commands.prices;
    let written = prices.amend::<K>(origin, key, action, if_at).await;
    let written = written.map_err(|error| fault::undone(error, |refusal| refused(refusal, end)))?;
    Ok(written.position)
}

/// What a refusal is called; `end` is the field that says until when.
fn refused(refusal: Refusal, end: &'static str) -> Problem {
    match refusal {
        Refusal::NotFound => Problem::new(Code::NotFound),
        Refusal::Overlap { with } => {
            Problem::new(Code::PeriodOverlaps).because(format!("with version {with}"))
        }
        Refusal::Reversed => Problem::new(Code::PeriodReversed).at(end),
        Refusal::AlreadyClosed => Problem::new(Code::AlreadyClosed),
        Refusal::InThePast => Problem::new(Code::PeriodInPast).at(end),
        Refusal::Changed { .. } => Problem::new(Code::PreconditionFailed).at("If-Match"),
        Refusal::WouldReprice => Problem::new(Code::WouldReprice).at("/effectiveFrom"),
        Refusal::KeyReused => reused(),
    }
}

/// The key came with something else before.
fn reused() -> Problem {
    Problem::new(Code::IdempotencyKeyReused).at("Idempotency-Key")
}

/// The id of the version that `request` opens with `content`.
fn id<K: VersionTable>(request: Uuid, content: &impl Serialize) -> K::Id {
    // Unwrap safety: what endpoints ask for is made of words, numbers and times.
    let content = serde_json::to_vec(content).expect("content is JSON");
    derive("version", &[request.as_bytes(), &content]).into()
}
