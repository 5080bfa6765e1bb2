//! NATS: each user says what it may, and causes nothing else to be said.
//!
//! The attacker has a user's login. A server writes to any reply subject it is handed, so each
//! user is tried in two ways: what it publishes, and what it lets the server publish for it.

use std::{collections::BTreeMap, time::Duration};

use api::nats::plan::STREAMS;
use async_nats::{Client, jetstream};
use futures::StreamExt as _;
use tests::world::{World, WorldOptions};
use tokio::time::{sleep, timeout};

use crate::{
    fixture::{PATIENCE, place, run},
    receipts::fixture::Desk,
};

/// How long what must not happen is given to happen.
const A_WHILE: Duration = Duration::from_millis(300);

/// A user, the subjects of ours it may publish on, and everything else it may ask of the server.
struct Rights {
    user: &'static str,
    says: &'static [&'static str],
    asks: &'static [&'static str],
}

/// CONTRACTS 2.
const RIGHTS: [Rights; 6] = [
    Rights {
        user: "dlr-processor",
        says: &["billing.events", "webhook.dispatch", "sms.dlr.unmatched"],
        asks: &[
            "$JS.API.CONSUMER.MSG.NEXT.SMS_DLR.dlr-processor",
            "$JS.API.CONSUMER.INFO.SMS_DLR.dlr-processor",
        ],
    },
    Rights {
        user: "billing-service",
        says: &["billing.invoice.generated"],
        asks: &[
            "$JS.API.CONSUMER.MSG.NEXT.BILLING_EVENTS.billing-consumer",
            "$JS.API.CONSUMER.INFO.BILLING_EVENTS.billing-consumer",
            "$JS.API.CONSUMER.MSG.NEXT.TENANT_EVENTS.billing-tenant-consumer",
            "$JS.API.CONSUMER.INFO.TENANT_EVENTS.billing-tenant-consumer",
        ],
    },
    Rights {
        user: "smpp-connector",
        says: &["sms.dlr.inbound"],
        asks: &[],
    },
    Rights {
        user: "identity",
        says: &["tenant.erased"],
        asks: &[],
    },
    Rights {
        user: "tollbook-operator",
        says: &[],
        asks: &[
            "$JS.API.STREAM.NAMES",
            "$JS.API.STREAM.INFO.SMS_DLR",
            "$JS.API.CONSUMER.INFO.SMS_DLR.dlr-processor",
        ],
    },
    Rights {
        user: "tollbook-admin",
        says: &[],
        asks: &[
            "$JS.API.INFO",
            "$JS.API.STREAM.INFO.SMS_DLR",
            "$JS.API.CONSUMER.INFO.SMS_DLR.dlr-processor",
        ],
    },
];

/// What an attacker would like to see published.
const FORGED: &str = r#"{"forged":true}"#;

/// How many messages each of our subjects holds.
async fn held(world: &World) -> BTreeMap<&'static str, u64> {
    let observer = world.jetstream("observer").await.expect("nats");
    let mut held = BTreeMap::new();
    for plan in STREAMS {
        let stream = observer.get_stream(plan.name).await.expect("the stream");
        held.insert(plan.subject, stream.cached_info().state.messages);
    }
    held
}

/// The subjects that hold more than `before`.
async fn grown(world: &World, before: &BTreeMap<&'static str, u64>) -> Vec<&'static str> {
    let after = held(world).await;
    let more = after
        .iter()
        .filter(|(subject, count)| before[*subject] < **count);
    more.map(|(subject, _)| *subject).collect()
}

async fn client(world: &World, user: &str) -> Client {
    let options = world.nats.connect_options(user);
    options
        .connect(world.nats.url(user))
        .await
        .expect("connects")
}

/// One message on every subject, so that there is something to be handed out.
async fn fill(world: &World) {
    for Rights { user, says, .. } in &RIGHTS {
        let jetstream = world.jetstream(user).await.expect("nats");
        for subject in *says {
            for _ in 0..30 {
                let ack = jetstream
                    .publish(*subject, FORGED.into())
                    .await
                    .expect("sent");
                ack.await.expect("the user may say this");
            }
        }
    }
}

#[test]
fn a_user_publishes_what_it_may_and_nothing_else() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        for Rights { user, says, .. } in &RIGHTS {
            let client = client(world, user).await;
            let before = held(world).await;
            for plan in STREAMS {
                client
                    .publish(plan.subject, FORGED.into())
                    .await
                    .expect("sent");
            }
            client.flush().await.expect("flushed");
            sleep(A_WHILE).await;
            let mut said: Vec<&str> = says.to_vec();
            said.sort_unstable();
            assert_eq!(grown(world, &before).await, said, "{user}");
        }
    });
}

#[test]
fn a_user_causes_nothing_to_be_published_by_the_reply_subject_it_hands_the_server() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        fill(world).await;
        for Rights { user, says, asks } in &RIGHTS {
            let client = client(world, user).await;
            let before = held(world).await;
            for request in says.iter().chain(*asks) {
                for plan in STREAMS.iter().filter(|plan| !says.contains(&plan.subject)) {
                    // Nobody may say this, so nobody may have it said.
                    let sent = client.publish_with_reply(*request, plan.subject, "".into());
                    sent.await.expect("sent");
                }
            }
            client.flush().await.expect("flushed");
            sleep(A_WHILE).await;
            let others: Vec<&str> = grown(world, &before)
                .await
                .into_iter()
                .filter(|subject| !says.contains(subject))
                .collect();
            assert!(others.is_empty(), "{user} had {others:?} published");
        }
    });
}

#[test]
fn a_user_hears_and_fills_no_inbox_but_its_own() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let dlr = client(world, "dlr-processor").await;
        let mut inbox = dlr.subscribe("_INBOX_dlr.mine.*").await.expect("its own");
        let mut tapped = Vec::new();
        for Rights { user, says, .. } in &RIGHTS[1..] {
            let other = client(world, user).await;
            let tap = other.subscribe("_INBOX_dlr.mine.*").await.expect("sent");
            for subject in says.iter().chain(&["_INBOX_dlr.mine.2"]) {
                let sent = other.publish_with_reply(*subject, "_INBOX_dlr.mine.1", FORGED.into());
                sent.await.expect("sent");
            }
            other.flush().await.expect("flushed");
            tapped.push((user, other, tap));
        }
        let asked = dlr.publish_with_reply(
            "$JS.API.CONSUMER.INFO.SMS_DLR.dlr-processor",
            "_INBOX_dlr.mine.3",
            "".into(),
        );
        asked.await.expect("sent");
        dlr.flush().await.expect("flushed");
        let first = timeout(PATIENCE, inbox.next()).await.expect("an answer");
        assert_eq!(first.expect("open").subject.as_str(), "_INBOX_dlr.mine.3");
        assert!(
            timeout(A_WHILE, inbox.next()).await.is_err(),
            "and no other"
        );
        for (user, _client, mut tap) in tapped {
            assert!(
                timeout(A_WHILE, tap.next()).await.is_err(),
                "{user} heard it"
            );
        }
    });
}

#[test]
fn nobody_acknowledges_for_another() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        fill(world).await;
        let dlr = world.jetstream("dlr-processor").await.expect("nats");
        let consumer: jetstream::consumer::PullConsumer = dlr
            .get_consumer_from_stream("dlr-processor", "SMS_DLR")
            .await
            .expect("its consumer");
        let mut batch = consumer
            .fetch()
            .max_messages(1)
            .messages()
            .await
            .expect("asked");
        let message = timeout(PATIENCE, batch.next()).await.expect("in time");
        let message = message.expect("one").expect("readable");
        let ack = message.reply.clone().expect("to be acknowledged");
        for Rights { user, says, asks } in &RIGHTS[1..] {
            let other = client(world, user).await;
            let _ = other.publish(ack.clone(), "+ACK".into()).await;
            for request in says.iter().chain(*asks) {
                let sent = other.publish_with_reply(*request, ack.clone(), "+TERM".into());
                sent.await.expect("sent");
            }
            other.flush().await.expect("flushed");
        }
        sleep(A_WHILE).await;
        let pending = consumer.get_info().await.expect("looks").num_ack_pending;
        assert_eq!(pending, 1, "still with the one it was handed to");
    });
}

#[test]
fn who_makes_the_streams_deletes_and_purges_none() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        fill(world).await;
        let before = held(world).await;
        for user in ["tollbook-admin", "tollbook-operator", "dlr-processor"] {
            let client = client(world, user).await;
            for request in [
                "$JS.API.STREAM.PURGE.SMS_DLR",
                "$JS.API.STREAM.DELETE.SMS_DLR",
                "$JS.API.STREAM.MSG.DELETE.SMS_DLR",
                "$JS.API.CONSUMER.DELETE.SMS_DLR.dlr-processor",
            ] {
                client
                    .publish(request, r#"{"seq":1}"#.into())
                    .await
                    .expect("sent");
            }
            client.flush().await.expect("flushed");
        }
        sleep(A_WHILE).await;
        assert_eq!(held(world).await, before);
        let observer = world.jetstream("observer").await.expect("nats");
        let consumer: Result<jetstream::consumer::PullConsumer, _> = observer
            .get_consumer_from_stream("dlr-processor", "SMS_DLR")
            .await;
        assert!(consumer.is_ok(), "the consumer is still there");
    });
}

#[test]
fn empty_messages_hold_up_nothing_that_is_handed_out_with_them() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let connector = place.world.jetstream("smpp-connector").await.expect("nats");
        let mut last = 0;
        for number in 0..600 {
            let message = if number % 3 == 0 { "" } else { FORGED };
            let sent = connector.publish("sms.dlr.inbound", message.into());
            last = sent.await.expect("sent").await.expect("stored").sequence;
        }
        // All of it waits when the service comes.
        let desk = Desk::in_world(place.world).await;
        desk.answered(last).await;
        let consumer = desk.consumer().await;
        assert_eq!(consumer.delivered.consumer_sequence, last, "each once");
        assert_eq!((consumer.num_ack_pending, consumer.num_redelivered), (0, 0));
    });
}
