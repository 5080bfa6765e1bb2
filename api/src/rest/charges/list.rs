//! `GET /v1/billing/charges`: what an account was charged, message by message; page by page as JSON,
//! or all of it as a table.

use axum::{extract::State, http::Method};
use projections::charges::billing_events::{
    self, ChargeFilter, ChargePlace, ChargeStretch, ChargesOf,
};
use schema::{AccountId, MessageId, OperatorId, Position, Status, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{access, charge::Charge, export};
use crate::{
    http::{
        accept::Accepted,
        answer::FoundOrTable,
        endpoint::Endpoint,
        params::Params,
        problem::{Code, Problem},
    },
    rest::{
        context::RequestContext,
        cursor::{Limit, List, Place},
        fault,
        state::AppState,
    },
};

const PATH: &str = "/v1/billing/charges";
/// What the log is told of looks at others' charges.
const ENDPOINT: &str = "GET /v1/billing/charges";
/// The most charges that are looked at for one page.
const LOOKED_AT: i64 = 10_000;

/// Which charges.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// From this time (`ratedAt`) on; by default from the first.
    from: Option<Timestamp>,
    /// Before this time; by default to the last.
    to: Option<Timestamp>,
    /// Only through this carrier.
    operator_id: Option<OperatorId>,
    /// Only with this final status.
    status: Option<Status>,
    /// Only those whose price charges for their status, or only the others.
    billed: Option<bool>,
    /// Only that of this message.
    message_id: Option<MessageId>,
    /// On which account; by default that of the token.
    account_id: Option<AccountId>,
    /// Where the page before ended; not for a table.
    cursor: Option<String>,
    /// The most charges of a page; a table has all.
    #[serde(default)]
    limit: Limit,
}

/// Charges in the order of `ratedAt`, those of one instant in the order they were recorded.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Charges {
    /// One page of them. It may be short, even empty, before the last: for one page only so many
    /// charges are looked at.
    data: Vec<Charge>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

impl Place for ChargePlace {
    fn bytes(self) -> Vec<u8> {
        let time = self.rated_at.micros().to_be_bytes();
        [time, self.position.0.to_be_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (time, position) = bytes.split_first_chunk()?;
        Some(Self {
            rated_at: Timestamp::from_micros(i64::from_be_bytes(*time))?,
            position: Position::read(position)?,
        })
    }
}

/// The right to read is looked at in [`access`], because a refusal may have to be recorded.
pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, list)
        .named(
            "listCharges",
            "What an account was charged for each message; needs `billing:read`",
        )
        .may_refuse(&[
            Code::PeriodReversed,
            Code::InvalidCursor,
            Code::Unavailable,
            Code::Contended,
        ])
        .may_refuse(access::CODES)
}

async fn list(
    State(shared): State<AppState>,
    context: RequestContext,
    accepted: Accepted,
    Params(query): Params<Query>,
) -> Result<FoundOrTable<Charges>, Problem> {
    let filter = query.filter()?;
    let account = query.account_id.or(context.caller.account);
    let list = List::new("charges", &(account, query.filters()), query.limit);
    let after = list.after(query.cursor.as_deref())?;
    if accepted == Accepted::Csv && after.is_some() {
        let whole = Problem::new(Code::InvalidParameter).at("cursor");
        return Err(whole.because("a table is not sent in pages"));
    }
    let whose = access::whose(&shared, &context, query.account_id, ENDPOINT).await?;
    let ours = context.caller.is_platform();
    let mut of = ChargesOf {
        tenant: whose.tenant,
        account: whose.account,
        filter,
        through: Position(i64::MAX),
    };
    match accepted {
        Accepted::Json => {
            let page = page(&shared, of, &list, after, ours).await?;
            Ok(FoundOrTable::Page(page))
        }
        Accepted::Csv => {
            let export = shared.exports.begin(context.caller.tenant())?;
            let shown = billing_events::shown(&shared.questions).await;
            of.through = shown.map_err(fault::unread)?;
            let table = export::table(&shared.questions, of, ours, export).await?;
            Ok(FoundOrTable::Table(table))
        }
    }
}

/// The page behind a place.
async fn page(
    shared: &AppState,
    of: ChargesOf,
    list: &List,
    after: Option<ChargePlace>,
    ours: bool,
) -> Result<Charges, Problem> {
    let stretch = ChargeStretch {
        after,
        limit: list.rows(),
        looked_at: LOOKED_AT,
    };
    let found = billing_events::list(&shared.questions, of, stretch).await;
    let found = found.map_err(fault::unread)?;
    let (charges, next) = list.shown(found.charges, |charge| charge.place);
    let stopped_at = || found.stopped_at.map(|place| list.cursor(place));
    Ok(Charges {
        data: charges
            .iter()
            .map(|charge| Charge::shown(charge, ours))
            .collect(),
        next_cursor: next.or_else(stopped_at),
    })
}

impl Query {
    fn filter(&self) -> Result<ChargeFilter, Problem> {
        if self.from.zip(self.to).is_some_and(|(from, to)| to <= from) {
            return Err(Problem::new(Code::PeriodReversed).at("to"));
        }
        Ok(ChargeFilter {
            from: self.from,
            to: self.to,
            operator: self.operator_id,
            status: self.status,
            billed: self.billed,
            message: self.message_id,
        })
    }

    /// What a cursor belongs to, beside the account.
    fn filters(&self) -> impl Serialize {
        (
            (self.from, self.to),
            (self.operator_id, self.status, self.billed, self.message_id),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_from_its_bytes() {
        for at in ["0000-01-01T00:00:00Z", "2026-03-01T12:00:00.000001Z"] {
            let place = ChargePlace {
                rated_at: Timestamp::parse(at).expect("a time"),
                position: Position(7),
            };
            assert_eq!(ChargePlace::read(&place.bytes()), Some(place));
        }
        for wrong in [&[][..], &[0; 8], &[0; 17], &[0xff; 15]] {
            assert_eq!(ChargePlace::read(wrong), None);
        }
    }
}
