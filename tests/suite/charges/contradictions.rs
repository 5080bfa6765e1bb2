//! Settlements that contradict the first of their message: kept once per content, counted, and
//! without any effect (CONTRACTS 7).

use schema::{AccountId, OperatorId, Status, TenantId};
use serde_json::{Value, json};
use tests::{
    traffic::Announced,
    world::{PLATFORM, Service},
};

use super::fixture::{Customer, Market, market, minutes_ago};
use crate::fixture::{eventually, run, unique};

/// The same message settled otherwise, and the fields that say so.
fn contradictions(first: Announced) -> Vec<(Announced, Vec<&'static str>)> {
    let all = [
        (
            Announced {
                segments: 3,
                ..first
            },
            vec!["segmentCount"],
        ),
        (
            Announced {
                status: Status::Failed,
                ..first
            },
            vec!["dlrStatus"],
        ),
        (
            Announced {
                operator: OperatorId(unique()),
                ..first
            },
            vec!["operatorId"],
        ),
        (
            Announced {
                account: AccountId(unique()),
                ..first
            },
            vec!["accountId"],
        ),
        (
            Announced {
                tenant: TenantId(unique()),
                ..first
            },
            vec!["tenantId"],
        ),
        (
            Announced {
                charged_at: minutes_ago(7),
                ..first
            },
            vec!["chargedAt", "occurredAt"],
        ),
    ];
    Vec::from(all)
}

/// The same message with other words for who pays, which counts only where nobody is registered.
fn of_another_payer(first: Announced) -> Announced {
    Announced {
        tier: Some("CUSTOM"),
        currency: Some("USD"),
        ..first
    }
}

fn again(announced: Announced) -> Announced {
    Announced {
        event_id: unique(),
        ..announced
    }
}

#[test]
fn each_content_is_kept_once_however_often_it_comes_and_the_first_stays() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        market.open_price(&customer.price(30_000)).await;
        let charged = customer.message();
        let waits = Announced {
            operator: OperatorId(unique()),
            ..customer.message()
        };
        market.announce(&[charged, waits]).await;
        market.becomes(charged.message, ["MessageCharged"]).await;
        market.becomes(waits.message, ["ChargeHeld"]).await;
        let conflicts = market.ingested("conflict").await;
        let repeats = market.ingested("duplicate").await;
        for (first, event) in [(charged, "MessageCharged"), (waits, "ChargeHeld")] {
            let all = contradictions(first);
            // Each three times, one after the other and all of them again.
            let mut told: Vec<_> = all.iter().map(|(it, _)| *it).collect();
            told.extend(all.iter().flat_map(|(it, _)| [again(*it), again(*it)]));
            market.announce(&told).await;
            market.rest().await;
            let history = market.history(first.message).await;
            assert_eq!(history[0].0, event, "the first stays");
            let mut kept = Vec::new();
            for (kind, payload) in &history[1..] {
                assert_eq!(kind, "ChargeConflictRecorded");
                let mut fields: Vec<_> = payload["differs"].as_array().expect("fields").clone();
                fields.sort_unstable_by_key(ToString::to_string);
                kept.push(fields);
            }
            let mut due: Vec<_> = all.into_iter().map(|(_, fields)| fields).collect();
            kept.sort_unstable_by_key(|fields| format!("{fields:?}"));
            due.sort_unstable_by_key(|fields| format!("{fields:?}"));
            assert_eq!(serde_json::json!(kept), serde_json::json!(due));
        }
        assert_eq!(market.ingested("conflict").await - conflicts, 12);
        assert_eq!(market.ingested("duplicate").await - repeats, 24);

        // What waits is still charged as it was told first.
        let price = Customer {
            operator: waits.operator,
            ..customer
        };
        market.open_price(&price.price(50_000)).await;
        let charge = eventually("what waited is charged", async || {
            let last = market.history(waits.message).await.pop();
            last.filter(|(kind, _)| kind == "MessageCharged")
        })
        .await;
        assert_eq!(charge.1["customerPrice"], "0.100000");
        let log: String = market.nodes.iter().map(Service::log).collect();
        assert!(log.contains("billing.conflict"), "nobody is told");
        market.balances().await;
    });
}

#[test]
fn where_the_registration_says_who_pays_a_stated_tier_or_currency_contradicts_nothing() {
    run(async {
        let mut market = market().await;
        let (known, stranger) = (Customer::new(), Customer::new());
        market.register(known, &known.registration()).await;
        let registered = known.message();
        let stated = Announced {
            tier: Some("GROWTH"),
            currency: Some("EUR"),
            ..stranger.message()
        };
        for customer in [known, stranger] {
            market.open_price(&customer.price(30_000)).await;
        }
        market.announce(&[registered, stated]).await;
        market.becomes(registered.message, ["MessageCharged"]).await;
        market.becomes(stated.message, ["MessageCharged"]).await;
        let conflicts = market.ingested("conflict").await;
        let other = [registered, stated].map(of_another_payer).map(again);
        market.announce(&other).await;
        market.rest().await;
        assert_eq!(market.ingested("conflict").await - conflicts, 1);
        assert_eq!(market.history(registered.message).await.len(), 1);
        let history = market.history(stated.message).await;
        let (kind, contradiction) = &history[1];
        assert_eq!(kind, "ChargeConflictRecorded");
        let fields = serde_json::json!(["accountTier", "currency"]);
        assert_eq!(contradiction["differs"], fields);
        market.balances().await;
    });
}

const LIST: &str = "/v1/admin/charge-conflicts";

/// Every contradiction under these filters, two a page.
async fn listed(market: &Market, filters: &str) -> Vec<Value> {
    let finance = market.rests[0].as_role("platform.finance", PLATFORM, None);
    let (mut all, mut path) = (Vec::new(), format!("{LIST}?limit=2&{filters}"));
    loop {
        let page = finance.get(&path).await.expect("an answer").made();
        let page = page.expect("a page");
        let rows = page["data"].as_array().expect("a list");
        assert!(rows.len() <= 2);
        all.extend(rows.iter().cloned());
        let Some(cursor) = page["nextCursor"].as_str() else {
            return all;
        };
        path = format!("{LIST}?limit=2&{filters}&cursor={cursor}");
    }
}

#[test]
fn finance_sees_what_counts_and_what_was_said_of_each_contradiction() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        let first = customer.message();
        market.announce(&[first]).await;
        market.becomes(first.message, ["ChargeHeld"]).await;
        for (other, _) in contradictions(first) {
            market.announce(&[again(other)]).await;
        }
        market.announce(&[again(of_another_payer(first))]).await;
        market.rest().await;
        let of_tenant = format!("tenantId={}", customer.tenant);
        let all = listed(&market, &of_tenant).await;
        assert_eq!(all.len(), 6, "one says it is another tenant's");
        for row in &all {
            assert_eq!(row["messageId"], json!(first.message));
            assert_eq!(row["first"]["eventId"], json!(first.event_id));
            for field in row["differs"].as_array().expect("fields") {
                let field = field.as_str().expect("a name");
                assert_ne!(row["first"][field], row["second"][field], "{field}");
            }
            let same = row["first"].as_object().expect("fields").iter();
            let same = same.filter(|(name, value)| row["second"][*name] == **value);
            let differing = row["differs"].as_array().map_or(0, Vec::len);
            // All but its id and what is named.
            assert_eq!(same.count(), 11 - 1 - differing, "{row}");
        }
        let of_account = format!("{of_tenant}&accountId={}", customer.account);
        assert_eq!(listed(&market, &of_account).await.len(), 5);
        let [begin, end] = [0, 5].map(|row| all[row]["recordedAt"].as_str().expect("a time"));
        let before = format!("{of_tenant}&to={begin}");
        assert_eq!(listed(&market, &before).await, [] as [Value; 0]);
        let since = format!("{of_tenant}&from={end}");
        assert_eq!(listed(&market, &since).await.last(), all.last());

        let finance = market.rests[0].as_role("platform.finance", PLATFORM, None);
        let reversed = format!("{LIST}?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z");
        let refused = finance.get(&reversed).await.expect("an answer");
        assert_eq!(
            (refused.status, refused.code()),
            (400, Some("period_reversed"))
        );
        market.balances().await;
    });
}
