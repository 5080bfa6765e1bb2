//! Margins by what finance asks for (CONTRACTS 8).
//!
//! The sums of days are the auditor's matter; here it is how they are grouped.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::world::{PLATFORM, rest::RestClient};
use tokio_postgres::types::ToSql;

use crate::{
    fixture::run,
    rest::fixture::{Customer, Desk, desk},
};

/// All groups of March 1998, page by page: group and currency, and what is told of them.
async fn margins(caller: &RestClient, by: &str) -> BTreeMap<(String, String), Value> {
    let all = format!("/v1/admin/margins?groupBy={by}&from=1998-03-01&to=1998-03-31&limit=2");
    let (mut found, mut path) = (BTreeMap::new(), all.clone());
    loop {
        let page = caller.get(&path).await.expect("an answer").made();
        let page = page.expect("a page");
        for row in page["data"].as_array().expect("a list") {
            let word = |name: &str| row[name].as_str().expect("a word").to_owned();
            let before = found.insert((word("group"), word("currency")), row.clone());
            assert_eq!(before, None, "each group comes once");
        }
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("{all}&cursor={cursor}"),
            None => return found,
        }
    }
}

/// What is told of `times` times three charges of one, two and three segments: one without a cost,
/// one that costs 0.02, one whose margin nobody knows.
fn told(times: i64) -> Value {
    let money = |thousandths: i64| {
        let millionths = thousandths * 1_000 * times;
        format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
    };
    json!({
        "messageCount": 3 * times, "segmentCount": 6 * times, "costMissingCount": times,
        "marginUnknownCount": times, "totalCustomerPrice": money(270),
        "totalOperatorCost": money(20), "margin": money(115),
    })
}

/// Charges of two accounts of the first's tenant and one of the other's, through the carriers of the
/// first and the last.
async fn seed(desk: &Desk, [one, beside, other]: [Customer; 3]) {
    let sql = include_str!("margins/seed.sql");
    let parameters: [&(dyn ToSql + Sync); 7] = [
        &one.tenant.0,
        &other.tenant.0,
        &one.account.0,
        &beside.account.0,
        &other.account.0,
        &one.operator.0,
        &other.operator.0,
    ];
    let written = desk.database.execute(sql, &parameters).await;
    written.expect("a superuser may");
}

#[test]
fn margins_are_added_up_by_whatever_finance_asks_for() {
    run(async {
        let desk = desk().await;
        let [one, beside, other] = [(); 3].map(|()| Customer::nobody());
        seed(desk, [one, beside, other]).await;
        let finance = desk.rest.as_role("platform.finance", PLATFORM, None);
        let word = |id: uuid::Uuid| id.to_string();
        let both = |groups: Vec<(String, i64)>| {
            let in_each = |(group, times): (String, i64)| {
                ["EUR", "USD"].map(|currency| ((group.clone(), currency.to_owned()), told(times)))
            };
            groups
                .into_iter()
                .flat_map(in_each)
                .collect::<BTreeMap<_, _>>()
        };
        for (by, groups) in [
            (
                "tenant",
                vec![(word(one.tenant.0), 8), (word(other.tenant.0), 4)],
            ),
            (
                "account",
                vec![
                    (word(one.account.0), 4),
                    (word(beside.account.0), 4),
                    (word(other.account.0), 4),
                ],
            ),
            (
                "operator",
                vec![(word(one.operator.0), 6), (word(other.operator.0), 6)],
            ),
            (
                "tier",
                vec![("GROWTH".to_owned(), 6), ("CUSTOM".to_owned(), 6)],
            ),
        ] {
            let found = margins(&finance, by)
                .await
                .into_iter()
                .map(|(group, mut row)| {
                    let fields = row.as_object_mut().expect("an object");
                    fields.retain(|name, _| name != "group" && name != "currency");
                    (group, row)
                });
            assert_eq!(found.collect::<BTreeMap<_, _>>(), both(groups), "by {by}");
        }
        let admin = desk.rest.as_billing_admin();
        let by_currency = margins(&admin, "currency").await;
        for currency in ["EUR", "USD"] {
            let row = &by_currency[&(currency.to_owned(), currency.to_owned())];
            assert_eq!(row["margin"], told(12)["margin"]);
        }
        assert_eq!(by_currency.len(), 2);
        // Both days are included, and no other is.
        for (from, to, messages) in [(2, 12, 12), (12, 12, 12), (13, 22, 0), (1, 22, 24)] {
            for by in ["currency", "tier"] {
                let days = format!("from=1998-03-{from:02}&to=1998-03-{to:02}");
                let path = format!("/v1/admin/margins?groupBy={by}&{days}&limit=50");
                let page = finance.get(&path).await.expect("an answer").made();
                let page = page.expect("a page");
                let rows = page["data"].as_array().expect("a list");
                let of_euro = rows.iter().filter(|row| row["currency"] == "EUR");
                let counts = of_euro.map(|row| row["messageCount"].as_i64().expect("a count"));
                assert_eq!(counts.sum::<i64>(), messages, "by {by}, {days}");
            }
        }
        desk.is_calm();
    });
}
