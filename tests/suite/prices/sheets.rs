//! Sheets of prices and costs: what they come to, once, and what keeps a whole sheet out.

use bytes::Bytes;
use futures::future::join_all;
use hyper::Method;
use schema::OperatorId;
use serde_json::{Value, json};
use tests::world::{Rest, rest::Answer};
use uuid::Uuid;

use crate::{
    fixture::{eventually, run, unique},
    rest::fixture::{
        BEGIN, Customer, MARK, calm, cost_body, desk, done, list_price_body, opened, price_body,
        problem,
    },
};

const PRICES: &str = "/v1/admin/pricing";
const COSTS: &str = "/v1/admin/operator-costs";
const COLUMNS: &str = "accountTier,operatorId,direction,currency,tenantId,pricingModel,unitPrice,\
    billableStatuses,effectiveFrom,effectiveTo";
/// Not yet.
const FUTURE: &str = "2100-01-01T00:00:00Z";

/// Sends a sheet; `query` begins with `?` where there is one.
async fn put(rest: &Rest, kind: &str, id: &str, query: &str, sheet: &str) -> Answer {
    let path = format!("/v1/admin/{kind}-sheets/{id}{query}");
    let body = Some(("text/csv", Bytes::from(sheet.to_owned())));
    let answer = rest.as_billing_admin().send(Method::PUT, &path, body).await;
    answer.expect("an answer")
}

fn sheet(lines: &[String]) -> String {
    format!("{COLUMNS}\n{}\n", lines.join("\n"))
}

/// A line of the platform's list for the tier GROWTH.
fn line(operator: impl std::fmt::Display, price: &str, from: &str) -> String {
    format!("GROWTH,{operator},MT,EUR,,PER_SEGMENT,{price},,{from},")
}

/// All versions for a carrier, as they are shown.
async fn versions(rest: &Rest, path: &str, operator: impl std::fmt::Display) -> Vec<Value> {
    let list = format!("{path}?operatorId={operator}&activeOnly=false&limit=50");
    let page = done(rest, Method::GET, &list, None).await;
    page["data"].as_array().expect("a list").clone()
}

fn fresh() -> String {
    format!("sheet-{}", unique().simple())
}

fn counts(answer: &Value) -> [u64; 4] {
    ["lines", "opened", "closed", "unchanged"].map(|name| answer[name].as_u64().expect("a number"))
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_the_real_call_then_does() {
    run(async {
        let desk = desk().await;
        let [same, other, new] = [(); 3].map(|()| Customer::nobody());
        opened(&desk.rest, PRICES, &list_price_body(same.operator)).await;
        let old = opened(&desk.rest, PRICES, &list_price_body(other.operator)).await;
        let lines = [
            line(same.operator, "0.045", BEGIN),
            line(other.operator, "0.05", FUTURE),
            line(new.operator, "0.06", BEGIN),
        ];
        let (id, sheet) = (fresh(), sheet(&lines));
        let dry = put(&desk.rest, "price", &id, "?dryRun=true", &sheet).await;
        let dry = dry.made().expect("planned");
        assert_eq!(
            (counts(&dry), &dry["applied"]),
            ([3, 2, 1, 1], &json!(false))
        );
        assert_eq!(
            versions(&desk.rest, PRICES, new.operator).await,
            [] as [Value; 0]
        );
        let shown = done(&desk.rest, Method::GET, &format!("{PRICES}/{old}"), None).await;
        assert_eq!(shown["effectiveTo"], Value::Null);

        let real = put(&desk.rest, "price", &id, "", &sheet)
            .await
            .made()
            .expect("applied");
        assert_eq!(
            (counts(&real), &real["applied"]),
            (counts(&dry), &json!(true))
        );
        for (change, of) in [(1, other), (2, new)] {
            let change = &dry["changes"][change]["opened"];
            let id: Uuid = serde_json::from_value(change["versionId"].clone()).expect("an id");
            let shown = done(&desk.rest, Method::GET, &format!("{PRICES}/{id}"), None).await;
            assert_eq!(shown["operatorId"], json!(of.operator));
            for end in ["effectiveFrom", "effectiveTo"] {
                assert_eq!(shown[end], change[end]);
            }
        }
        assert_eq!(dry["changes"][1]["closed"]["versionId"], json!(old));
        let shown = done(&desk.rest, Method::GET, &format!("{PRICES}/{old}"), None).await;
        assert_eq!(
            shown["effectiveTo"],
            dry["changes"][1]["closed"]["effectiveTo"]
        );
        assert_eq!(versions(&desk.rest, PRICES, same.operator).await.len(), 1);
        // The same lines under another id say what is in effect.
        let again = put(&desk.rest, "price", &fresh(), "", &sheet)
            .await
            .made()
            .expect("applied");
        assert_eq!(counts(&again), [3, 0, 0, 3]);
        desk.is_calm();
    });
}

#[test]
fn a_sheet_is_applied_once_whoever_repeats_it_and_wherever() {
    run(async {
        let desk = desk().await;
        let (node, other) = desk.node(&[]).await;
        for _ in 0..5 {
            let operator = Customer::nobody().operator;
            let (id, sheet) = (fresh(), sheet(&[line(operator, "0.05", BEGIN)]));
            let both = [&desk.rest, &other, &desk.rest, &other];
            let answers = both.map(|rest| put(rest, "price", &id, "", &sheet));
            let answers = join_all(answers).await;
            let first = answers[0].clone().made().expect("applied");
            for answer in answers {
                assert_eq!(answer.made().expect("applied"), first);
            }
            assert_eq!(versions(&other, PRICES, operator).await.len(), 1);
            for query in ["", "?dryRun=true"] {
                let again = put(&other, "price", &id, query, &sheet).await;
                assert_eq!(again.made().expect("applied before"), first);
                let changed = sheet.replace("0.05", "0.06");
                let answer = put(&desk.rest, "price", &id, query, &changed).await;
                assert_eq!(problem(&answer), (409, "sheet_id_reused", "sheetId"));
            }
            // A sheet of costs is another sheet.
            let costs = format!("operatorId,costPerSegment,currency\n{operator},0.02,EUR\n");
            let applied = put(&desk.rest, "cost", &id, "", &costs).await;
            assert_eq!(counts(&applied.made().expect("applied")), [1, 1, 0, 0]);
            assert_eq!(versions(&desk.rest, COSTS, operator).await.len(), 1);
        }
        desk.is_calm();
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn a_byte_order_mark_and_semicolons_are_taken() {
    run(async {
        let desk = desk().await;
        let operator = Customer::nobody().operator;
        let lines = sheet(&[line(operator, "0.05", "2026-01-01")]);
        let excel = format!("\u{feff}{}", lines.replace(',', ";").replace('\n', "\r\n"));
        let applied = put(&desk.rest, "price", &fresh(), "", &excel).await;
        assert_eq!(counts(&applied.made().expect("applied")), [1, 1, 0, 0]);
        let shown = versions(&desk.rest, PRICES, operator).await;
        assert_eq!(shown[0]["unitPrice"], "0.050000");
        assert_eq!(shown[0]["effectiveFrom"], "2026-01-01T00:00:00.000000Z");
        desk.is_calm();
    });
}

/// Lines of which one cannot be, further down than line 2: the lines, which one, its column, why. For
/// `taken` there is a version until June and one that begins in the future.
fn wrong(
    good: OperatorId,
    taken: OperatorId,
) -> Vec<(Vec<String>, u32, &'static str, &'static str)> {
    let line_of = line(good, "0.05", BEGIN);
    let one = |line: String, column, reason| (vec![line], 3, column, reason);
    let with = |from: &str, to: &str| line_of.replace(from, to);
    vec![
        one(with("0.05", "0.045000001"), "unitPrice", "invalid_value"),
        one(with("0.05", "-0.05"), "unitPrice", "invalid_value"),
        one(with("GROWTH", "=cmd()"), "accountTier", "formula"),
        one(with("EUR", MARK), "currency", "invalid_value"),
        one(with("PER_SEGMENT", ""), "pricingModel", "missing_value"),
        (
            vec![line_of.clone(), line(good, "0.06", FUTURE)],
            4,
            "effectiveFrom",
            "lines_overlap",
        ),
        one(
            line(taken, "0.05", "2026-05-01"),
            "effectiveFrom",
            "period_in_past",
        ),
        one(
            line(taken, "0.05", "2026-07-01"),
            "effectiveTo",
            "period_overlaps",
        ),
        one(
            line_of.clone() + "2025-01-01",
            "effectiveTo",
            "period_reversed",
        ),
    ]
}

#[test]
fn one_wrong_line_keeps_a_sheet_out_and_is_told_by_line_and_column() {
    run(async {
        let desk = desk().await;
        let [good, taken] = [(); 2].map(|()| Customer::nobody().operator);
        let mut body = list_price_body(taken);
        body["effectiveTo"] = json!("2026-06-01T00:00:00Z");
        opened(&desk.rest, PRICES, &body).await;
        let mut body = list_price_body(taken);
        body["effectiveFrom"] = json!(FUTURE);
        opened(&desk.rest, PRICES, &body).await;
        for (lines, number, column, reason) in wrong(good, taken) {
            let operator = Customer::nobody().operator;
            let lines = [&[line(operator, "1", BEGIN)][..], &lines].concat();
            let (id, sheet) = (fresh(), sheet(&lines));
            let answer = put(&desk.rest, "price", &id, "", &sheet).await;
            assert_eq!(problem(&answer), (422, "sheet_refused", ""), "{lines:?}");
            let refusals = answer.body["refusals"].as_array().expect("refusals");
            assert_eq!(refusals.len(), 1, "{}", answer.text);
            let told = ["line", "column", "reason"].map(|name| refusals[0][name].clone());
            assert_eq!(told, [json!(number), json!(column), json!(reason)]);
            let dry = put(&desk.rest, "price", &id, "?dryRun=true", &sheet).await;
            let dry = dry.made().expect("planned");
            let told = (&dry["refused"], &dry["refusals"]);
            assert_eq!(told, (&json!(1), &answer.body["refusals"]));
            assert_eq!(versions(&desk.rest, PRICES, operator).await.len(), 0);
        }
        assert_eq!(versions(&desk.rest, PRICES, good).await.len(), 0);
        assert_eq!(versions(&desk.rest, PRICES, taken).await.len(), 2);
        desk.is_calm();
    });
}

#[test]
fn a_sheet_of_ten_thousand_and_one_lines_is_refused_and_many_wrong_ones_are_told_in_part() {
    run(async {
        let desk = desk().await;
        let operator = Customer::nobody().operator;
        let lines = vec![line(operator, "0.05", BEGIN); 10_001];
        let answer = put(&desk.rest, "price", &fresh(), "", &sheet(&lines)).await;
        assert_eq!(problem(&answer), (413, "sheet_too_long", ""));
        assert!(answer.text.contains("10000"), "{}", answer.text);
        // They all overlap.
        let answer = put(&desk.rest, "price", &fresh(), "", &sheet(&lines[..500])).await;
        assert_eq!(problem(&answer), (422, "sheet_refused", ""));
        assert_eq!(answer.body["refusals"].as_array().map(Vec::len), Some(100));
        assert!(answer.text.contains("499 refusals"), "{}", answer.text);
        assert_eq!(
            versions(&desk.rest, PRICES, operator).await,
            [] as [Value; 0]
        );
        desk.is_calm();
    });
}

#[test]
fn a_sheet_that_would_reprice_what_was_charged_is_refused() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let list = opened(&desk.rest, PRICES, &list_price_body(customer.operator)).await;
        let message = desk.settle(customer).await;
        assert_eq!(desk.charge(message).await.2, list);
        let own = |from: &str| {
            let line = line(customer.operator, "0.01", from);
            line.replace("EUR,,", &format!("EUR,{},", customer.tenant))
        };
        let answer = put(&desk.rest, "price", &fresh(), "", &sheet(&[own(BEGIN)])).await;
        assert_eq!(problem(&answer), (422, "sheet_refused", ""));
        let told = &answer.body["refusals"][0];
        let told = (&told["line"], &told["column"], &told["reason"]);
        assert_eq!(
            told,
            (&json!(2), &json!("effectiveFrom"), &json!("would_reprice"))
        );
        // From now on it is no history.
        let applied = put(&desk.rest, "price", &fresh(), "", &sheet(&[own("")])).await;
        assert_eq!(counts(&applied.made().expect("applied")), [1, 1, 0, 0]);
        let message = desk.settle(customer).await;
        let (price, ..) = desk.charge(message).await;
        assert_eq!(price, "0.020000");
        desk.is_calm();
    });
}

#[test]
fn a_look_at_tenants_own_prices_by_a_dry_run_is_recorded() {
    run(async {
        let desk = desk().await;
        let customer = Customer::nobody();
        opened(&desk.rest, PRICES, &price_body(customer)).await;
        let own = line(customer.operator, "0.045", BEGIN);
        let own = own.replace("EUR,,", &format!("EUR,{},", customer.tenant));
        for (line, looks) in [(own, 1), (line(customer.operator, "0.045", BEGIN), 0)] {
            let answer = put(
                &desk.rest,
                "price",
                &fresh(),
                "?dryRun=true",
                &sheet(&[line]),
            )
            .await;
            let request = answer.header("x-request-id").expect("an id").to_owned();
            answer.made().expect("planned");
            let sql = include_str!("sheets/looks.sql");
            let row = desk.database.query_one(sql, &[&request]).await;
            let recorded: i64 = row.expect("reads").get(0);
            assert_eq!(recorded, looks);
        }
        desk.is_calm();
    });
}

#[test]
fn costs_come_by_sheets_too() {
    run(async {
        let desk = desk().await;
        let [old, new] = [(); 2].map(|()| Customer::nobody().operator);
        opened(&desk.rest, COSTS, &cost_body(old)).await;
        let sheet = format!(
            "operatorId;costPerSegment;currency;effectiveFrom\n\
             {old};0.03;EUR;{FUTURE}\n{new};0.01;USD;2026-01-01\n"
        );
        let id = fresh();
        let dry = put(&desk.rest, "cost", &id, "?dryRun=true", &sheet).await;
        assert_eq!(counts(&dry.made().expect("planned")), [2, 2, 1, 0]);
        let applied = put(&desk.rest, "cost", &id, "", &sheet).await;
        assert_eq!(counts(&applied.made().expect("applied")), [2, 2, 1, 0]);
        let shown = versions(&desk.rest, COSTS, old).await;
        assert_eq!(shown.len(), 2);
        assert_eq!(shown[0]["effectiveTo"], shown[1]["effectiveFrom"]);
        assert_eq!(versions(&desk.rest, COSTS, new).await[0]["currency"], "USD");
        let wrong = sheet.replace("0.03", "0.0300000001");
        let answer = put(&desk.rest, "cost", &fresh(), "", &wrong).await;
        assert_eq!(answer.body["refusals"][0]["column"], "costPerSegment");
        desk.is_calm();
    });
}

#[test]
fn a_sheet_of_costs_corrects_a_month_gone_by_and_its_charges_are_assessed_again() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let operator = customer.operator;
        opened(&desk.rest, PRICES, &list_price_body(operator)).await;
        let old = opened(&desk.rest, COSTS, &cost_body(operator)).await;
        let message = desk.settle(customer).await;
        assert_eq!(desk.charge(message).await.1, "0.040000");
        // For what was delivered it is more, and for nothing else is anything due.
        let sheet = format!(
            "operatorId,costPerSegment,currency,dueStatuses,effectiveFrom\n\
             {operator},0.03,EUR,DELIVERED,{BEGIN}\n"
        );
        let applied = put(&desk.rest, "cost", &fresh(), "", &sheet).await;
        assert_eq!(counts(&applied.made().expect("applied")), [1, 1, 1, 0]);
        let shown = done(&desk.rest, Method::GET, &format!("{COSTS}/{old}"), None).await;
        assert_eq!(
            shown["effectiveTo"], shown["effectiveFrom"],
            "it is withdrawn"
        );
        eventually("it is assessed again", async || {
            (desk.charge(message).await.1 == "0.060000").then_some(())
        })
        .await;
        let shown = versions(&desk.rest, COSTS, operator).await;
        assert_eq!(shown[1]["dueStatuses"], json!(["DELIVERED"]));
        // What the customer paid stays.
        assert_eq!(desk.charge(message).await.0, "0.090000");
        desk.is_calm();
    });
}
