//! What arrives over NATS: receipts of both forms, good, late, early, for nobody and broken, and
//! settled messages, with a mark in every place that could hold something personal and in many that
//! should not.

use async_nats::HeaderMap;
use bytes::Bytes;
use schema::{AccountId, MessageId, OperatorId, OperatorMessageId, TenantId};
use serde_json::{Value, json};
use tests::orchestrator::OrchestratorRow;
use uuid::Uuid;

use super::{
    marks::Mark,
    stage::{Stage, Trace},
};
use crate::fixture::{eventually, unique};

/// Whose messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose {
    pub(crate) tenant: Uuid,
    pub(crate) account: Uuid,
    pub(crate) operator: Uuid,
}

impl Whose {
    pub(crate) fn somebody() -> Self {
        Self {
            tenant: unique(),
            account: unique(),
            operator: unique(),
        }
    }
}

/// The numbers and words that come over NATS.
pub(crate) struct Private {
    source: Mark,
    dest: Mark,
    to: Mark,
    raw_number: Mark,
    raw_value: Mark,
    raw_key: Mark,
    metadata_number: Mark,
    metadata_value: Mark,
    metadata_key: Mark,
    stranger: Mark,
    refused: Mark,
    refused_word: Mark,
    header: Mark,
}

impl Private {
    pub(crate) fn new() -> Self {
        Self {
            source: Mark::number("sourceAddr"),
            dest: Mark::number("destAddr"),
            to: Mark::number("to"),
            raw_number: Mark::number("a number in rawPayload"),
            raw_value: Mark::word("a value in rawPayload"),
            raw_key: Mark::word("a key in rawPayload"),
            metadata_number: Mark::number("a number in metadata"),
            metadata_value: Mark::word("a value in metadata"),
            metadata_key: Mark::word("a key in metadata"),
            stranger: Mark::word("a field nobody knows"),
            refused: Mark::number("a number in what is refused"),
            refused_word: Mark::word("a word in what is refused"),
            header: Mark::word("a header of a message"),
        }
    }

    pub(crate) fn all(&self) -> Vec<&Mark> {
        let mut all = vec![&self.source, &self.dest, &self.raw_number, &self.raw_value];
        all.extend([&self.raw_key, &self.stranger, &self.refused]);
        all.extend([&self.refused_word, &self.header]);
        all.extend(self.of_webhooks());
        all
    }

    /// What is sealed of a receipt and can be opened for a person.
    pub(crate) fn of_receipts(&self) -> [&Mark; 5] {
        let (number, value) = (&self.raw_number, &self.raw_value);
        [&self.source, &self.dest, number, value, &self.to]
    }

    /// What webhooks carry, and nothing else.
    pub(crate) fn of_webhooks(&self) -> [&Mark; 4] {
        let (number, value) = (&self.metadata_number, &self.metadata_value);
        [&self.to, number, value, &self.metadata_key]
    }

    pub(crate) fn row(&self, of: Whose, message: Uuid) -> OrchestratorRow {
        OrchestratorRow {
            message_id: MessageId(message),
            tenant_id: TenantId(of.tenant),
            account_id: AccountId(of.account),
            operator_id: OperatorId(of.operator),
            operator_message_id: OperatorMessageId::new(&named(message)).expect("short"),
            to_msisdn: self.to.text(),
            segment_count: 2,
            metadata: Some(json!({
                self.metadata_key.text(): self.metadata_value.text(),
                "callback": format!("tel:{}", self.metadata_number.text()),
            })),
            enqueued_at: eventstore::clock::now(),
        }
    }

    /// A receipt in the first form, everything private in it.
    pub(crate) fn receipt(&self, of: Whose, message: Uuid, word: &str) -> Value {
        json!({
            "eventId": unique(), "schemaVersion": "1.0", "operatorId": of.operator,
            "operatorMessageId": named(message), "stat": word,
            "errorCode": self.refused.text(), "deliveredAt": eventstore::clock::now(),
            "sourceAddr": self.source.text(), "destAddr": self.dest.text(),
            "rawPayload": {
                self.raw_key.text(): self.raw_value.text(),
                "short_message": format!("id:7 sub:001 text:{}", self.raw_value.text()),
                "dest": self.raw_number.bare().parse::<u64>().expect("a number"),
                "nested": [[{ self.raw_number.text(): null }]],
            },
            self.stranger.text(): { "of": self.stranger.text() },
        })
    }

    /// The connector's form, which has no place for numbers; they stand where nobody looks.
    fn connector_receipt(&self, of: Whose, message: Uuid) -> Value {
        json!({
            "eventId": unique(), "version": self.stranger.text(), "operatorId": of.operator,
            "operatorMessageId": named(message), "status": "DELIVERED",
            "smppErrorCode": self.refused.text(), "deliveredAt": null,
            "occurredAt": eventstore::clock::now(), "to": self.refused.text(),
        })
    }

    /// Headers as an attacker would send them, one of them good.
    fn headers(&self, traceparent: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", traceparent);
        let word = self.header.text();
        for name in ["tracestate", "baggage", "X-Tenant-Id", &format!("X-{word}")] {
            headers.insert(name, format!("who={word}").as_str());
        }
        headers
    }

    /// Receipts that must be refused, each for another reason.
    fn broken(&self, of: Whose, message: Uuid) -> Vec<Vec<u8>> {
        let (number, word) = (self.refused.text(), self.refused_word.text());
        let with = |field: &str, value: Value| {
            let mut receipt = self.receipt(of, message, "DELIVRD");
            receipt[field] = value;
            receipt.to_string().into_bytes()
        };
        let sound = self.receipt(of, message, "DELIVRD").to_string();
        let open = &sound[..sound.len() - 1];
        let long = "9".repeat(16 * 1024);
        vec![
            with("eventId", json!(number)),
            with("operatorId", json!(number)),
            with("messageId", json!(format!("tel:{number}"))),
            with("operatorMessageId", json!(format!("{number}\u{e9}"))),
            with(
                "operatorMessageId",
                json!(format!("{number}{number}").repeat(3)),
            ),
            with("operatorMessageId", json!({ word.clone(): number })),
            with("stat", json!(format!("DELIVRD {number}"))),
            with("stat", json!({ word.clone(): number })),
            with("errorCode", json!(number.repeat(3))),
            with("sourceAddr", json!(number.repeat(3))),
            with("destAddr", json!([number])),
            with("deliveredAt", json!(number)),
            with("occurredAt", json!({ "at": number })),
            with("rawPayload", json!(number)),
            with(
                "rawPayload",
                json!({ word.clone(): format!("{number}{long}") }),
            ),
            with(
                "rawPayload",
                json!({ "a": [[[[[[[{ word.clone(): number }]]]]]]] }),
            ),
            format!("{open},\"{word}\":\"{number}\",\"{word}\":1}}").into_bytes(),
            format!("{open},\"destAddr\":\"{number}\"").into_bytes(),
            format!("[{sound}]").into_bytes(),
            format!("\"{number}\"").into_bytes(),
            number.clone().into_bytes(),
            format!("to={number}&text={word}").into_bytes(),
            [number.as_bytes(), b"\xff", word.as_bytes()].concat(),
            format!("{word} {number} ").repeat(1_900).into_bytes(),
        ]
    }

    /// A settled message as it is announced, with what should not be there.
    fn settlement(&self, of: Whose, message: Uuid) -> Value {
        let now = eventstore::clock::now();
        json!({
            "eventId": unique(), "eventType": "DLR_TERMINAL", "schemaVersion": "1.0",
            "messageId": message, "tenantId": of.tenant, "accountId": of.account,
            "operatorId": of.operator, "direction": "MT", "segmentCount": 2,
            "dlrStatus": "DELIVERED", "occurredAt": now, "chargedAt": now,
            "accountTier": self.stranger.text(), "currency": self.stranger.text(),
            "to": self.refused.text(), self.stranger.text(): { "from": self.refused.text() },
        })
    }

    /// Settlements that must be refused.
    fn broken_settlements(&self, of: Whose) -> Vec<Vec<u8>> {
        let (number, word) = (self.refused.text(), self.refused_word.text());
        let fields = [
            "messageId",
            "tenantId",
            "accountId",
            "operatorId",
            "direction",
            "segmentCount",
            "dlrStatus",
            "occurredAt",
            "chargedAt",
            "eventType",
            "eventId",
            "currency",
        ];
        let with = |field: &&str| {
            let mut settlement = self.settlement(of, unique());
            settlement[*field] = json!({ word.clone(): number });
            settlement.to_string().into_bytes()
        };
        let mut broken: Vec<_> = fields.iter().map(with).collect();
        broken.push(number.clone().into_bytes());
        broken.push(format!("{{\"to\":\"{number}\"").into_bytes());
        broken
    }
}

/// What the carrier calls a message.
fn named(message: Uuid) -> String {
    format!("op-{}", message.simple())
}

/// Receipts of every kind for a registered account, and an orphan whose message is never written.
/// The second message is written down after its receipt has become an orphan.
/// Says what one of the messages is, and what the last good receipt is traced by.
pub(crate) async fn receive(stage: &Stage, private: &Private, of: Whose) -> (Uuid, Trace) {
    let (traceparent, last) = (|| Trace::fresh().parent(), Trace::fresh());
    let [plain, late, connector, early, nobody] = [(); 5].map(|()| unique());
    let rows = [plain, late, connector].map(|message| private.row(of, message));
    stage.enqueue(&rows).await;
    let stranger = private.header.text();
    for (receipt, trace) in [
        (private.receipt(of, early, "DELIVRD"), traceparent()),
        (private.receipt(of, nobody, "EXPIRED"), stranger),
        (private.receipt(of, plain, "ENROUTE"), traceparent()),
        (private.receipt(of, plain, "DELIVRD"), traceparent()),
        (private.receipt(of, plain, "DELIVRD"), traceparent()),
        (private.receipt(of, late, "DELIVRD"), traceparent()),
        (private.receipt(of, late, "UNDELIV"), traceparent()),
        (private.connector_receipt(of, connector), last.parent()),
    ] {
        let payload = Bytes::from(receipt.to_string());
        stage.receive(private.headers(&trace), payload).await;
    }
    for payload in private.broken(of, plain) {
        let headers = private.headers(&traceparent());
        stage.receive(headers, payload.into()).await;
    }
    eventually("both are orphans", async || {
        let sql = "select count(*) from dlr.orphaned_receipts";
        let row = stage.database.query_one(sql, &[]).await.ok()?;
        (row.get::<_, i64>(0) == 2).then_some(())
    })
    .await;
    stage.enqueue(&[private.row(of, early)]).await;
    (plain, last)
}

/// Settlements that another service announced: one of them twice with other content, and broken
/// ones.
pub(crate) async fn announce(stage: &Stage, private: &Private, of: Whose) {
    let good = private.settlement(of, unique());
    let mut other = good.clone();
    other["segmentCount"] = json!(3);
    other["eventId"] = json!(unique());
    for settlement in [&good, &good, &other] {
        let headers = private.headers(&Trace::fresh().parent());
        let payload = Bytes::from(settlement.to_string());
        stage.announce(headers, payload).await;
    }
    for payload in private.broken_settlements(of) {
        let headers = private.headers(&private.header.text());
        stage.announce(headers, payload.into()).await;
    }
}

/// A tenant is to be forgotten, with a reason that names somebody, after announcements that are
/// broken; waits until that is recorded.
pub(crate) async fn erase(stage: &Stage, private: &Private, of: Whose) {
    let (number, word) = (private.refused.text(), private.refused_word.text());
    let good = json!({
        "eventId": unique(), "tenantId": of.tenant, "erasedAt": eventstore::clock::now(),
        "reason": format!("{word} asked, {number}"), private.stranger.text(): number,
    });
    let mut all = vec![
        number.clone().into_bytes(),
        format!("{{\"{word}\":").into_bytes(),
    ];
    for field in ["eventId", "tenantId", "erasedAt"] {
        let mut broken = good.clone();
        broken[field] = json!({ word.clone(): number });
        all.push(broken.to_string().into_bytes());
    }
    all.push(good.to_string().into_bytes());
    for payload in all {
        let headers = private.headers(&Trace::fresh().parent());
        stage.erase(headers, payload.into()).await;
    }
    eventually("the erasure is recorded", async || {
        let sql = "select count(*) from eventlog.event where category = 'tenant'";
        let row = stage.database.query_one(sql, &[]).await.ok()?;
        (row.get::<_, i64>(0) > 0).then_some(())
    })
    .await;
}
