//! Events of every type, in the kind of stream they belong to.

use std::{fs, path::Path};

use eventstore::{Append, contract::samples};
use schema::{Category, Event, StreamId};
use uuid::Uuid;

/// Every type of event with the role that appends it and the kind of stream it stands in.
pub(crate) const HOMES: [(&str, &str, Category); 16] = [
    ("ReceiptRecorded", "dlr_svc", Category::Message),
    ("MessageSettled", "dlr_svc", Category::Message),
    ("LateReceiptRecorded", "dlr_svc", Category::Message),
    ("ReceiptOrphaned", "dlr_svc", Category::Orphan),
    ("OrphanMatched", "dlr_svc", Category::Orphan),
    ("MessageCharged", "billing_svc", Category::Charge),
    ("ChargeHeld", "billing_svc", Category::Charge),
    ("ChargeConflictRecorded", "billing_svc", Category::Charge),
    ("AccountRegistered", "billing_svc", Category::Account),
    ("AccountChanged", "billing_svc", Category::Account),
    ("PriceOpened", "billing_svc", Category::Price),
    ("PriceClosed", "billing_svc", Category::Price),
    ("CostOpened", "billing_svc", Category::Price),
    ("CostClosed", "billing_svc", Category::Price),
    ("CrossAccountRead", "billing_svc", Category::Audit),
    ("AccessRefused", "billing_svc", Category::Audit),
];

/// The golden sample of this type of event.
pub(crate) fn golden(name: &str) -> Event {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/golden");
    let stored = fs::read_to_string(folder.join(name).join("v1.json")).expect("a golden file");
    Event::from_stored(name, 1, &stored).expect("readable")
}

/// `count` events of a type that belongs to `category`, for the stream of this id, which should be
/// at `expected`.
pub(crate) fn append_in(category: Category, id: Uuid, expected: i32, count: i32) -> Append {
    let (name, ..) = HOMES
        .into_iter()
        .find(|(.., home)| *home == category)
        .expect("a type of event that belongs there");
    of_type(name, StreamId { category, id }, expected, count)
}

/// `count` events of this type for this stream, whether they belong there or not.
pub(crate) fn of_type(name: &str, stream: StreamId, expected: i32, count: i32) -> Append {
    let mut append = samples::append(stream.id.as_u128(), expected, count);
    append.stream = stream;
    for event in &mut append.events {
        event.event = golden(name);
    }
    append
}
