//! A world with both services, a carrier with messages in it, and the words to bring its statements.

use std::fmt::Write as _;

use hyper::Method;
use schema::{TenantId, Timestamp};
use serde_json::{Value, json};
use tests::world::{Rest, Service, WorldOptions, rest::Answer};
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    fixture::{eventually, place, unique},
    receipts::fixture::{Desk, Sms, receipt, sms},
    rest::fixture::{BEGIN, account_body, done},
};

/// The servers, both services, and what was sent through them.
pub(super) struct Carriers {
    pub(super) desk: Desk,
    pub(super) billing: Service,
    pub(super) rest: Rest,
    pub(super) database: Client,
}

/// The world that the tests here share; each has a carrier of its own.
pub(super) async fn carriers() -> &'static Carriers {
    static CARRIERS: OnceCell<Carriers> = OnceCell::const_new();
    CARRIERS.get_or_init(Carriers::open).await
}

/// A carrier and a customer who sends through it.
#[derive(Debug, Clone)]
pub(super) struct Carrier {
    pub(super) operator: Uuid,
    tenant: Uuid,
    account: Uuid,
}

impl Carrier {
    /// One through whom nothing was ever sent, and a customer who never sent anything.
    pub(super) fn nobody() -> Self {
        Self {
            operator: unique(),
            tenant: unique(),
            account: unique(),
        }
    }
}

impl Carriers {
    /// A world of its own.
    pub(super) async fn open() -> Self {
        let world = place(WorldOptions::default()).await.world;
        let billing = world.billing(&[]).await.expect("a service");
        Self {
            rest: world.rest(&billing).await.expect("reached"),
            database: world.admin().await.expect("postgres"),
            billing,
            desk: Box::pin(Desk::in_world(world)).await,
        }
    }

    /// A carrier that takes 0.02 EUR for a segment, and an account that pays 0.045 EUR.
    pub(super) async fn carrier(&self) -> Carrier {
        let carrier = self.without_cost().await;
        let cost = json!({
            "operatorId": carrier.operator, "costPerSegment": "0.02", "currency": "EUR",
            "effectiveFrom": BEGIN,
        });
        done(
            &self.rest,
            Method::POST,
            "/v1/admin/operator-costs",
            Some(&cost),
        )
        .await;
        carrier
    }

    /// The same, of whose cost we know nothing.
    pub(super) async fn without_cost(&self) -> Carrier {
        let carrier = Carrier::nobody();
        let account = account_body(TenantId(carrier.tenant));
        let path = format!("/v1/admin/accounts/{}", carrier.account);
        done(&self.rest, Method::PUT, &path, Some(&account)).await;
        let price = json!({
            "accountTier": "GROWTH", "operatorId": carrier.operator, "unitPrice": "0.045",
            "pricingModel": "PER_SEGMENT", "currency": "EUR", "effectiveFrom": BEGIN,
        });
        done(&self.rest, Method::POST, "/v1/admin/pricing", Some(&price)).await;
        carrier
    }

    /// Messages of two segments through the carrier, delivered and charged.
    pub(super) async fn delivered(&self, carrier: &Carrier, count: usize) -> Vec<Sms> {
        let mut all = Vec::new();
        for _ in 0..count {
            let message = Sms {
                tenant: carrier.tenant,
                account: carrier.account,
                operator: carrier.operator,
                ..sms()
            };
            self.desk.enqueue(&message).await;
            self.desk.send(&receipt(&message)).await;
            all.push(message);
        }
        self.charged(carrier, count).await;
        all
    }

    /// Until so many messages through the carrier are charged and their receipts shown.
    pub(super) async fn charged(&self, carrier: &Carrier, count: usize) {
        let sql = "select count(distinct b.message_id) from billing.billing_events b
            join dlr.delivery_receipts r on r.message_id = b.message_id
            where b.operator_id = $1";
        eventually("all are charged and shown", async || {
            let row = self.database.query_one(sql, &[&carrier.operator]).await;
            let charged: i64 = row.expect("reads").get(0);
            (usize::try_from(charged) == Ok(count)).then_some(())
        })
        .await;
    }

    /// Brings a statement about the last days under this id.
    pub(super) async fn bring(&self, carrier: &Carrier, id: Uuid, file: &[u8]) -> Answer {
        let (operator, days) = (carrier.operator, three_days());
        let path = format!("{PATH}/{id}?operatorId={operator}&{days}&currency=EUR");
        let file = ("text/csv", file.to_vec().into());
        let caller = self
            .rest
            .as_role("platform.finance", tests::world::PLATFORM, None);
        let answer = caller.send(Method::PUT, &path, Some(file)).await;
        answer.expect("an answer")
    }

    /// Brings a statement, which is compared.
    pub(super) async fn compare(&self, carrier: &Carrier, file: &str) -> Value {
        let answer = self.bring(carrier, unique(), file.as_bytes()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.body
    }

    /// Nothing of any comparison is left where statements are compared.
    pub(super) async fn cleared(&self) {
        let sql = "select (select count(*) from billing.operator_statement_uploads)
            + (select count(*) from billing.operator_statement_lines)
            + (select count(*) from billing.operator_statement_charges)
            + (select count(*) from billing.operator_statement_matches)";
        eventually("nothing is left behind", async || {
            let row = self.database.query_one(sql, &[]).await.expect("reads");
            (row.get::<_, i64>(0) == 0).then_some(())
        })
        .await;
    }
}

pub(super) const PATH: &str = "/v1/admin/operator-statements";

/// The days from yesterday to tomorrow, as a query names them: midnight may pass meanwhile.
pub(super) fn three_days() -> String {
    const DAY: i64 = 86_400_000_000;
    let now = eventstore::clock::now().micros();
    let [from, to] = [now - DAY, now + DAY].map(|micros| {
        let at = Timestamp::from_micros(micros).expect("a time").to_string();
        at[..10].to_owned()
    });
    format!("from={from}&to={to}")
}

/// A statement of these lines: id, word, segments, cost.
pub(super) fn statement(lines: &[(&str, &str, u32, &str)]) -> String {
    let mut file = "operatorMessageId,status,segments,cost\n".to_owned();
    for (id, word, segments, cost) in lines {
        writeln!(file, "{id},{word},{segments},{cost}").expect("written");
    }
    file
}

/// What a class holds: messages, segments and the sum in euros, theirs and ours.
pub(super) fn class(report: &Value, name: &str) -> [(i64, i64, String); 2] {
    let sums = report["sums"].as_array().expect("sums");
    let class = sums.iter().find(|sums| sums["class"] == name).expect(name);
    ["theirs", "ours"].map(|side| {
        let side = &class[side];
        let number = |name: &str| side[name].as_i64().expect("a number");
        let costs = side["costs"].as_array().expect("costs");
        assert!(costs.len() <= 1 && costs.iter().all(|sum| sum["currency"] == "EUR"));
        let amount = costs
            .first()
            .map_or("", |sum| sum["amount"].as_str().expect("a sum"));
        (number("messages"), number("segments"), amount.to_owned())
    })
}

/// The same, as it is written down.
pub(super) fn due(theirs: (i64, i64, &str), ours: (i64, i64, &str)) -> [(i64, i64, String); 2] {
    [theirs, ours].map(|(messages, segments, sum)| (messages, segments, sum.to_owned()))
}
