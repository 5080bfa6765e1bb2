//! How long it takes to seal what a receipt carries, and nothing else.

use std::time::Duration;

use eventstore::{
    LogId,
    seal::{DataKey, KEY_LEN, Place},
};
use schema::{MessageId, Personal, ReceivedReceipt, Sealed, StreamId, StreamVersion};
use tokio::time::Instant;

use crate::{bench::measure::median, traffic::Inbound, world::Fault};

/// How often all of it is sealed; the median is told.
const PASSES: usize = 5;

/// What one receipt has sealed, with the names of the fields: the recipient stands for the number
/// that the orchestrator's row adds.
type Private = Vec<(&'static str, Personal)>;

/// The time per receipt of this traffic.
pub(super) fn per_receipt(inbound: &[Inbound]) -> Result<Duration, Fault> {
    let now = eventstore::clock::now();
    let received = inbound.iter().filter_map(|inbound| {
        let received = ReceivedReceipt::parse(&inbound.payload, now);
        received.ok().map(private)
    });
    let all: Vec<Private> = received.collect();
    let key = DataKey::new(1, &[7; KEY_LEN]);
    let mut nanos = Vec::with_capacity(PASSES);
    for _ in 0..PASSES {
        let began = Instant::now();
        let bytes = seal(&key, &all);
        let took = began.elapsed();
        // The work has a result, so it cannot be left out.
        if bytes == 0 {
            return Err("the traffic carries nothing that is sealed".into());
        }
        let each = took.as_nanos() / u128::try_from(all.len().max(1))?;
        nanos.push(u64::try_from(each)?);
    }
    Ok(Duration::from_nanos(median(&nanos)))
}

fn private(received: ReceivedReceipt) -> Private {
    let ReceivedReceipt { private, .. } = received;
    let to = private.dest_addr.clone();
    let fields = [
        (Sealed::TO, to),
        (Sealed::SOURCE_ADDR, private.source_addr.clone()),
        (Sealed::DEST_ADDR, private.dest_addr.clone()),
        (Sealed::RAW_PAYLOAD, private.raw_payload.clone()),
    ];
    let there = fields.into_iter();
    there
        .filter_map(|(name, field)| Some((name, field?)))
        .collect()
}

/// Seals all of it, each receipt to a stream of its own; how long all results are together.
fn seal(key: &DataKey, all: &[Private]) -> usize {
    let mut bytes = 0;
    for (number, private) in (1..).zip(all) {
        let message = MessageId(uuid::Uuid::from_u128(number));
        for (field, personal) in private {
            let place = Place {
                log: LogId::DEFAULT,
                stream: StreamId::message(message),
                version: StreamVersion(1),
                field,
            };
            bytes += key.seal(&place, personal).0.len();
        }
    }
    bytes
}
