//! The time that decides what a message costs: neither carriers nor clocks ahead of ours choose it.

use schema::{MessageId, StreamId, Timestamp};
use serde_json::{Value, json};
use tests::{
    traffic::{Announced, agreement::Price},
    world::WorldOptions,
};

use super::fixture::{Customer, market, minutes_ago};
use crate::{
    fixture::{eventually, place, run},
    receipts::fixture::{Desk, receipt, sms},
};

/// So many microseconds from now.
fn ahead(micros: i64) -> Timestamp {
    let at = eventstore::clock::now().micros() + micros;
    Timestamp::from_micros(at).expect("in range")
}

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().expect("a text")).expect("a time")
}

#[test]
fn no_version_is_used_that_is_not_in_effect_when_its_message_arrives() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        // The clock of whoever settles it is ahead of ours, but not so far that it is flagged.
        let turn = ahead(4_000_000);
        let now = Price {
            to: Some(turn),
            ..customer.price(20_000)
        };
        let then = Price {
            from: turn,
            ..customer.price(70_000)
        };
        market.open_price(&now).await;
        market.open_price(&then).await;
        let message = Announced {
            charged_at: ahead(4_900_000).max(turn),
            ..customer.message()
        };
        market.announce(&[message]).await;
        let [charge] = market.becomes(message.message, ["MessageCharged"]).await;
        let arrived = time(&charge["settlement"]["receivedAt"]);
        assert_eq!(time(&charge["ratedAt"]), arrived.min(message.charged_at));
        let unit = if arrived < turn {
            "0.040000"
        } else {
            "0.140000"
        };
        assert_eq!(charge["customerPrice"], unit);
        assert_eq!(charge["clockSkew"], false);
        market.balances().await;
    });
}

#[test]
fn what_a_carrier_dates_to_2006_is_charged_on_the_day_it_was_handed_in() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let dlr = place.world.service(&[]).await.expect("a service");
        let billing = place.world.billing(&[]).await.expect("a service");
        let rest = place.world.rest(&billing).await.expect("rest");
        let desk = Desk::of(place.world, dlr).await;
        let sms = sms();
        let customer = Customer {
            tenant: schema::TenantId(sms.tenant),
            account: schema::AccountId(sms.account),
            operator: schema::OperatorId(sms.operator),
        };
        let admin = rest.as_billing_admin();
        let account = customer.registration();
        let registered = admin.register(customer.account, &account).await;
        registered.expect("an answer").made().expect("registered");
        let opened = admin.open_price(&customer.price(30_000)).await;
        opened.expect("an answer").made().expect("opened");
        desk.enqueue(&sms).await;
        let stated = "2006-05-04T03:02:01Z";
        desk.receives(&receipt(&sms).with("deliveredAt", json!(stated)))
            .await;

        let sql = "select payload::text from eventlog.event where category = $1
            and stream_id = $2 and type = any ($3)";
        let told = async |stream: StreamId, category: &str| {
            eventually("it is in the log", async || {
                let types = ["MessageSettled", "MessageCharged"];
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
                    [&category, &stream.id, &&types[..]];
                let row = desk.database.query_opt(sql, &values).await;
                let row = row.expect("reads")?;
                let text: String = row.get(0);
                Some(serde_json::from_str::<Value>(&text).expect("JSON"))
            })
            .await
        };
        let message = MessageId(sms.id);
        let settled = told(StreamId::message(message), "message").await;
        let kept = time(&settled["receipt"]["statedDeliveredAt"]);
        assert_eq!(
            Some(kept),
            Timestamp::parse(stated),
            "what was said is kept"
        );
        let charge = told(StreamId::charge(message), "charge").await;
        assert_eq!(time(&charge["ratedAt"]), sms.enqueued);
        assert!(sms.enqueued > minutes_ago(24 * 60));
        assert_eq!(charge["customerPrice"], "0.060000");
        let counted = desk.service.metric("dlr_implausible_time_total").await;
        assert_eq!(counted, Some(1), "and it is flagged");
    });
}
