//! `PUT` of a sheet: many versions of prices or costs at once, as people keep them in tables.
//!
//! All of a sheet is applied or nothing, and once: its id is what makes a repeat one. A dry run says
//! what would be done, and refuses no line without saying which cell and why.

mod answer;
mod cells;
mod table;

use actors::{
    prices::sheets::{self, Answer, Sheet, SheetRefusal},
    runtime::commands::CommandError,
};
use axum::{extract::State, http::Method};
use ring::digest;
use schema::{SheetId, TenantId, versioned::Sheeted};
use schemars::JsonSchema;
use serde::Deserialize;

use self::answer::{SheetAnswer, refusal, told};
pub(super) use self::{
    cells::{Cells, Refused, currency, operator, status_list, tenant, unit_price, word},
    table::Column,
};
use super::versions::VersionResource;
use crate::{
    http::{
        answer::Found,
        csv_body::{Csv, CsvContent},
        endpoint::Endpoint,
        params::{Params, PathParams},
        problem::{Code, LineRefusal, Problem},
    },
    identity::Right,
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        fault,
        state::AppState,
        visible,
    },
};

/// A kind of versions that sheets are taken of.
pub(super) trait SheetResource: VersionResource + Sheeted {
    /// Where sheets are.
    const PATH: &'static str;
    /// The name and the summary of the operation.
    const OPERATION: (&'static str, &'static str);
    /// The endpoint in looks at tenants' own versions, where there are such.
    const DRY_LOOK: Option<&'static str>;
    /// The columns, but for those of the period.
    const COLUMNS: &'static [Column];

    /// What a line is about and says.
    ///
    /// # Errors
    /// A cell is refused.
    fn line(cells: &mut Cells<'_>) -> Result<(Self::Key<TenantId>, Self::Terms), Refused>;
}

/// A sheet of `K` as a body.
struct SheetOf<K>(std::marker::PhantomData<K>);

impl<K: SheetResource> CsvContent for SheetOf<K> {
    const BYTES_MAX: usize = 4 * 1024 * 1024;

    fn description() -> String {
        table::description::<K>()
    }
}

/// Which sheet.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SheetPath {
    /// What its author calls it. The same sheet under the same id again changes nothing.
    sheet_id: SheetId,
}

/// How.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SheetQuery {
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
}

pub(super) fn endpoint<K: SheetResource>() -> Endpoint<AppState> {
    let (id, summary) = K::OPERATION;
    let endpoint = Endpoint::new(Method::PUT, K::PATH, put::<K>)
        .named(id, summary)
        .needs(Right::BillingAdmin)
        .may_refuse(&[Code::SheetRefused, Code::SheetIdReused, Code::SheetTooLong])
        .may_refuse(visible::CODES);
    match K::DRY_LOOK {
        Some(_) => endpoint.may_refuse(look::CODES),
        None => endpoint,
    }
}

async fn put<K: SheetResource>(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<SheetPath>,
    Params(query): Params<SheetQuery>,
    csv: Csv<SheetOf<K>>,
) -> Result<Found<SheetAnswer>, Problem> {
    // Reading megabytes is no work for the threads that answer calls.
    let bytes = csv.0;
    let reading = tokio::task::spawn_blocking(move || {
        let digest = hexadecimal(digest::digest(&digest::SHA256, &bytes).as_ref());
        table::read::<K>(&bytes).map(|table| (table, digest))
    });
    let read = reading.await.map_err(|_| Problem::new(Code::Internal))?;
    let (table, digest) = read?;
    let sheet = Sheet {
        id: path.sheet_id,
        content: digest,
        lines: table.lines,
    };
    let origin = context.origin(&shared, context.fresh).await?;
    let commands = &shared.commands.sheets;
    if !query.dry_run && table.refused.is_empty() {
        let applied = commands.apply::<K>(origin, sheet).await;
        return applied_as(&shared, applied.map_err(undone)?, K::PROJECTION).await;
    }
    if query.dry_run {
        seen::<K>(&shared, &context, &sheet).await?;
    }
    match commands
        .plan::<K>(origin, sheet.clone())
        .await
        .map_err(undone)?
    {
        Answer::Applied(applied) => applied_as(&shared, applied, K::PROJECTION).await,
        Answer::Planned(planned) => {
            let rules = planned.refused.iter().map(refusal);
            let mut refused: Vec<_> = table.refused.into_iter().chain(rules).collect();
            refused.sort_by_key(|refused| refused.line);
            if query.dry_run {
                Ok(Found(SheetAnswer::planned(planned, table.count, refused)))
            } else {
                Err(not_applied(refused))
            }
        }
    }
}

/// The answer about a sheet that is applied, once its versions are shown.
async fn applied_as(
    shared: &AppState,
    applied: sheets::Applied,
    projection: &str,
) -> Result<Found<SheetAnswer>, Problem> {
    visible::shown(shared, projection, applied.position).await?;
    Ok(Found(SheetAnswer::applied(applied)))
}

/// A dry run looks at tenants' own versions, so it is recorded as a look.
async fn seen<K: SheetResource>(
    shared: &AppState,
    context: &RequestContext,
    sheet: &Sheet<K>,
) -> Result<(), Problem> {
    let mut tenants = sheet.lines.iter().filter_map(|line| K::tenant(&line.key));
    let (Some(endpoint), Some(first)) = (K::DRY_LOOK, tenants.next()) else {
        return Ok(());
    };
    let look = Look {
        endpoint,
        // Of several tenants it is a look at all.
        tenant: tenants.all(|tenant| tenant == first).then_some(first),
        account: None,
    };
    look::allowed(shared, context, look).await
}

/// What it is called that a sheet was not applied.
fn undone(error: CommandError<SheetRefusal>) -> Problem {
    fault::undone(error, |refused| match refused {
        SheetRefusal::IdReused => Problem::new(Code::SheetIdReused).at("sheetId"),
        SheetRefusal::Lines(lines) => not_applied(lines.iter().map(refusal).collect()),
    })
}

fn not_applied(refused: Vec<LineRefusal>) -> Problem {
    let problem = Problem::new(Code::SheetRefused).because(told(refused.len()));
    problem.lines(refused)
}

/// As lower-case digits.
fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
