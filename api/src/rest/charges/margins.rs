//! `GET /v1/admin/margins`: what is left once carriers are paid, over all tenants.

use axum::{extract::State, http::Method};
use projections::charges::margins::{self, Grouping, Margin, MarginGroup, MarginsOf};
use schema::{Amount, Currency, Day};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
        cursor::{Limit, List, Place},
        fault,
        state::AppState,
    },
};

const PATH: &str = "/v1/admin/margins";
/// What the log is told of such a look.
const ENDPOINT: &str = "GET /v1/admin/margins";
/// Who may look.
const RIGHTS: &[Right] = &[Right::Finance, Right::BillingAdmin];
/// The most days of one answer.
const DAYS_MAX: i32 = 400;
/// The same by tier: no sums are kept by it, so each charge is looked at.
const DAYS_MAX_BY_TIER: i32 = 31;

/// Which charges, and by what they are added up.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// By what.
    group_by: GroupBy,
    /// The first day, in UTC.
    from: Day,
    /// The last day; it is included. At most 400 days with the first, 31 by tier.
    to: Day,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most groups of a page.
    #[serde(default)]
    limit: Limit,
}

/// By what charges are added up; by currency besides, always.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum GroupBy {
    Operator,
    Account,
    Tenant,
    Tier,
    Currency,
}

impl From<GroupBy> for Grouping {
    fn from(by: GroupBy) -> Self {
        match by {
            GroupBy::Operator => Self::Operator,
            GroupBy::Account => Self::Account,
            GroupBy::Tenant => Self::Tenant,
            GroupBy::Tier => Self::Tier,
            GroupBy::Currency => Self::Currency,
        }
    }
}

/// Margins in the order of their groups and currencies.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Margins {
    /// By what they are added up.
    group_by: GroupBy,
    /// The first day.
    from: Day,
    /// The last day.
    to: Day,
    /// One page of them; groups without charges are left out.
    data: Vec<GroupMargin>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

/// The margin of one group in one currency.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GroupMargin {
    /// The id of the carrier, the account or the tenant, the tier, or the currency.
    group: String,
    /// The currency of all amounts.
    currency: Currency,
    /// Charged messages.
    message_count: i64,
    /// Their SMS segments.
    segment_count: i64,
    /// What the customers pay.
    total_customer_price: Amount,
    /// What the carriers take, as far as it is known in this currency.
    total_operator_cost: Amount,
    /// The sum of price less cost over the messages whose cost is known. May be negative.
    margin: Amount,
    /// Messages whose carrier has no cost: they count as costing nothing.
    cost_missing_count: i64,
    /// Messages in neither cost nor margin: their cost is in another currency, and nobody entered
    /// an exchange rate.
    margin_unknown_count: i64,
}

impl From<Margin> for GroupMargin {
    fn from(margin: Margin) -> Self {
        Self {
            group: margin.group.key,
            currency: margin.group.currency,
            message_count: margin.messages,
            segment_count: margin.segments,
            total_customer_price: margin.customer_price,
            total_operator_cost: margin.operator_cost,
            margin: margin.margin,
            cost_missing_count: margin.cost_missing,
            margin_unknown_count: margin.margin_unknown,
        }
    }
}

impl Place for MarginGroup {
    fn bytes(self) -> Vec<u8> {
        [self.currency.as_str(), &self.key].concat().into_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (currency, key) = std::str::from_utf8(bytes).ok()?.split_at_checked(3)?;
        Some(Self {
            key: key.to_owned(),
            currency: Currency::parse(currency)?,
        })
    }
}

/// Who may look is asked within, because a refusal is recorded.
pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, list)
        .named(
            "listMargins",
            "What is left once carriers are paid; needs `billing:finance` or `billing:admin`",
        )
        .may_refuse(&[Code::PeriodReversed, Code::SpanTooLong, Code::InvalidCursor])
        .may_refuse(look::CODES)
}

async fn list(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<Query>,
) -> Result<Found<Margins>, Problem> {
    let look = Look {
        endpoint: ENDPOINT,
        tenant: None,
        account: None,
    };
    look::needs_one_of(&shared, &context, RIGHTS, look).await?;
    span(&query)?;
    let list = List::new(
        "margins",
        &(query.group_by, query.from, query.to),
        query.limit,
    );
    let after: Option<MarginGroup> = list.after(query.cursor.as_deref())?;
    look::allowed(&shared, &context, look).await?;
    let of = MarginsOf {
        by: query.group_by.into(),
        from: query.from.0,
        to: query.to.0,
    };
    let rows = margins::margins(&shared.questions, of, after.as_ref(), list.rows()).await;
    let rows = rows.map_err(fault::unread)?;
    let (rows, next_cursor) = list.shown(rows, |row| row.group.clone());
    Ok(Found(Margins {
        group_by: query.group_by,
        from: query.from,
        to: query.to,
        data: rows.into_iter().map(GroupMargin::from).collect(),
        next_cursor,
    }))
}

/// Refuses days that are not in order, and too many of them.
fn span(query: &Query) -> Result<(), Problem> {
    let days = query.to.0.to_julian_day() - query.from.0.to_julian_day() + 1;
    let most = match query.group_by {
        GroupBy::Tier => DAYS_MAX_BY_TIER,
        _ => DAYS_MAX,
    };
    if days < 1 {
        Err(Problem::new(Code::PeriodReversed).at("to"))
    } else if days > most {
        Err(Problem::new(Code::SpanTooLong).at("to"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_comes_back_from_its_bytes() {
        let group = MarginGroup {
            key: "GROWTH".to_owned(),
            currency: Currency::parse("EUR").expect("a currency"),
        };
        let read = MarginGroup::read(&group.clone().bytes());
        assert_eq!(read, Some(group));
        for wrong in [&b""[..], b"EU", b"eurGROWTH", b"\xff\xff\xff\xff"] {
            assert_eq!(MarginGroup::read(wrong), None);
        }
    }

    #[test]
    fn by_tier_a_month_is_the_longest_span() {
        let code = |group_by, to| {
            let day = |text: &str| Day::parse(text).expect("a day");
            let query = Query {
                group_by,
                from: day("2026-01-01"),
                to: day(to),
                cursor: None,
                limit: Limit::default(),
            };
            span(&query).map_err(|problem| problem.code())
        };
        assert_eq!(code(GroupBy::Tier, "2026-01-31"), Ok(()));
        assert_eq!(code(GroupBy::Tier, "2026-02-01"), Err(Code::SpanTooLong));
        assert_eq!(code(GroupBy::Account, "2027-02-04"), Ok(()));
        assert_eq!(code(GroupBy::Account, "2027-02-05"), Err(Code::SpanTooLong));
        assert_eq!(
            code(GroupBy::Tenant, "2025-12-31"),
            Err(Code::PeriodReversed)
        );
    }
}
