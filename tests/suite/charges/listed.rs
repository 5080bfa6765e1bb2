//! Charges as callers look at them: page by page, one of them, and all as a table (CONTRACTS 8).
//!
//! Most rows are written as the projection would, below the first position, so that there are as
//! many as a rule needs.

mod slow;

use std::collections::BTreeSet;

use schema::{AccountId, OperatorId};
use serde_json::Value;
use tests::world::rest::RestClient;
use uuid::Uuid;

use crate::{
    fixture::{run, unique},
    rest::fixture::{Customer, Desk, desk},
};

const CHARGES: &str = "/v1/billing/charges";

/// Writes `count` charges of an account; says the carriers.
async fn seed(desk: &Desk, of: Customer, count: i64) -> [OperatorId; 2] {
    let operators = [of.operator, OperatorId(unique())];
    let sql = include_str!("listed/seed.sql");
    let [one, other] = operators.map(|operator| operator.0);
    // Each call has positions of its own.
    let first = i64::from_be_bytes(*unique().as_bytes().last_chunk().expect("8 bytes"));
    let first = -(first.unsigned_abs() >> 2).cast_signed() - count;
    let (tenant, account) = (of.tenant.0, of.account.0);
    let written = desk
        .database
        .execute(sql, &[&tenant, &account, &one, &other, &count, &first])
        .await;
    assert_eq!(written.expect("a superuser may"), count.cast_unsigned());
    operators
}

async fn page(caller: &RestClient, query: &str) -> Value {
    let answer = caller.get(&format!("{CHARGES}?{query}")).await;
    answer.expect("an answer").made().expect("a page")
}

fn rows(page: &Value) -> Vec<Value> {
    page["data"].as_array().expect("a list").clone()
}

/// All pages from `cursor` on, and how many there are.
async fn pages(
    caller: &RestClient,
    query: &str,
    mut cursor: Option<String>,
) -> (Vec<Value>, usize) {
    let (mut all, mut count) = (Vec::new(), 0);
    loop {
        let from = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let page = page(caller, &format!("{query}{from}")).await;
        all.extend(rows(&page));
        count += 1;
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return (all, count);
        }
    }
}

/// The table that `query` asks for: its head and its rows.
async fn table(caller: &RestClient, query: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let caller = caller.clone().saying("accept", "text/csv");
    let answer = caller
        .get(&format!("{CHARGES}?{query}"))
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text);
    let kind = answer.header("content-type").expect("a type");
    assert!(kind.starts_with("text/csv"), "{kind}");
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = answer.text.split_terminator("\r\n").map(cells);
    let head = lines.next().expect("a head");
    (head, lines.collect())
}

fn ids(rows: &[Value]) -> Vec<String> {
    let id = |row: &Value| row["messageId"].as_str().expect("an id").to_owned();
    rows.iter().map(id).collect()
}

#[test]
fn pages_go_on_where_they_ended_whatever_is_charged_meanwhile() {
    run(async {
        let (desk, of) = (desk().await, Customer::nobody());
        seed(desk, of, 40).await;
        let caller = desk.rest.as_customer(of.tenant, of.account);
        let first = page(&caller, "limit=7").await;
        let before = rows(&page(&caller, "limit=50").await);
        let cursor = first["nextCursor"].as_str().map(str::to_owned);
        // The same times again: some of them stand before the cursor, others behind it.
        seed(desk, of, 40).await;
        let (rest, _) = pages(&caller, "limit=7", cursor).await;
        let seen = [rows(&first), rest].concat();
        let distinct: BTreeSet<_> = ids(&seen).into_iter().collect();
        assert_eq!(distinct.len(), seen.len(), "none comes twice");
        assert!(
            ids(&before).iter().all(|id| distinct.contains(id)),
            "none is left out"
        );
        let times: Vec<_> = seen.iter().map(|row| row["ratedAt"].as_str()).collect();
        assert!(times.is_sorted(), "{times:?}");
        desk.is_calm();
    });
}

/// Whether a filter lets a charge through.
type Sought<'a> = &'a dyn Fn(&Value) -> bool;

#[test]
fn filters_leave_out_what_is_not_asked_for() {
    run(async {
        let (desk, of) = (desk().await, Customer::nobody());
        let [one, _] = seed(desk, of, 45).await;
        let caller = desk.rest.as_customer(of.tenant, of.account);
        let all = rows(&page(&caller, "limit=50").await);
        assert_eq!(all.len(), 45);
        let (from, to) = ("2026-02-01T00:00:03Z", "2026-02-01T00:00:06Z");
        let whole = |text: &str| text.replace('Z', ".000000Z");
        let message = all[20]["messageId"].as_str().expect("an id").to_owned();
        let asked: [(String, Sought<'_>); 7] = [
            (format!("from={from}"), &|it| {
                it["ratedAt"].as_str() >= Some(&whole(from))
            }),
            (format!("to={to}"), &|it| {
                it["ratedAt"].as_str() < Some(&whole(to))
            }),
            (format!("operatorId={one}"), &|it| {
                it["operatorId"] == one.to_string()
            }),
            ("status=REJECTED".to_owned(), &|it| {
                it["dlrStatus"] == "REJECTED"
            }),
            ("billed=false".to_owned(), &|it| it["billed"] == false),
            (format!("messageId={message}"), &|it| {
                it["messageId"] == message
            }),
            (format!("messageId={message}&to={from}"), &|_| false),
        ];
        for (query, sought) in asked {
            let due: Vec<_> = all.iter().filter(|it| sought(it)).cloned().collect();
            let found = rows(&page(&caller, &format!("limit=50&{query}")).await);
            assert_eq!(ids(&found), ids(&due), "{query}");
            let (_, rows) = table(&caller, &query).await;
            let listed: Vec<_> = rows.iter().map(|row| row[0].clone()).collect();
            assert_eq!(listed, ids(&due), "{query} as a table");
        }
        desk.is_calm();
    });
}

#[test]
fn what_is_rare_is_found_without_looking_at_all_of_it_at_once() {
    run(async {
        let (desk, of) = (desk().await, Customer::nobody());
        seed(desk, of, 25_000).await;
        let caller = desk.rest.as_customer(of.tenant, of.account);
        let (found, pages) = pages(&caller, "status=EXPIRED", None).await;
        assert_eq!((found.len(), pages), (2, 3));
        let (_, rows) = table(&caller, "status=EXPIRED").await;
        assert_eq!(rows.len(), 2);
        let (_, rows) = table(&caller, "").await;
        let distinct: BTreeSet<_> = rows.iter().map(|row| &row[0]).collect();
        assert_eq!((rows.len(), distinct.len()), (25_000, 25_000));
        desk.is_calm();
    });
}

#[test]
fn a_table_says_what_the_pages_say_and_review_is_for_the_platform() {
    run(async {
        let desk = desk().await;
        let of = desk.customer().await;
        seed(desk, of, 60).await;
        let named = format!("accountId={}", of.account);
        let whole = desk.rest.as_role("account.admin", of.tenant, None);
        let customer = desk.rest.as_customer(of.tenant, of.account);
        same(&customer, "", 60, false).await;
        same(&whole, &named, 60, false).await;
        same(&desk.rest.as_platform_admin(), &named, 60, true).await;
        desk.is_calm();
    });
}

/// Pages and table hold the same, and what is for review if it is to be shown.
async fn same(caller: &RestClient, query: &str, count: usize, review: bool) {
    let (all, _) = pages(caller, &format!("limit=50&{query}"), None).await;
    let (head, rows) = table(caller, query).await;
    assert_eq!((all.len(), rows.len()), (count, count));
    for (charge, row) in all.iter().zip(&rows) {
        assert_eq!(charge.get("review").is_some(), review);
        for (name, cell) in head.iter().zip(row) {
            let field = charge.get(name).unwrap_or(&charge["review"][name]);
            let text = match field {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            assert_eq!(*cell, text, "{name}");
        }
    }
    let for_review = ["position", "operatorCost", "margin", "late"];
    for column in for_review {
        assert_eq!(head.iter().any(|name| name == column), review, "{column}");
    }
}

#[test]
fn nobody_sees_the_charges_of_another_tenant() {
    run(async {
        let (desk, of) = (desk().await, Customer::nobody());
        seed(desk, of, 5).await;
        let charge = rows(&page(&desk.rest.as_customer(of.tenant, of.account), "").await);
        let charge = format!("{CHARGES}/{}", ids(&charge)[0]);
        let stranger = Customer::nobody();
        let absent = format!("{CHARGES}/{}", Uuid::from_u128(77));
        let theirs = format!("{CHARGES}?accountId={}", of.account);
        for account in [None, Some(stranger.account)] {
            let caller = desk
                .rest
                .as_role("account.viewer", stranger.tenant, account);
            for path in [&charge, &absent] {
                let answer = caller.get(path).await.expect("an answer");
                assert_eq!((answer.status, answer.code()), (404, Some("not_found")));
            }
            let caller = caller.saying("accept", "text/csv");
            let answer = caller.get(&theirs).await.expect("an answer");
            let due = account.map_or("not_found", |_| "account_mismatch");
            assert_eq!(answer.code(), Some(due), "{}", answer.text);
        }
        // Another account of the same tenant does not see them either.
        let beside = desk.rest.as_customer(of.tenant, AccountId(unique()));
        let answer = beside.get(&charge).await.expect("an answer");
        assert_eq!(answer.code(), Some("not_found"));
        desk.is_calm();
    });
}
