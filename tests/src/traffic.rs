//! Receipts as real carriers send them: mostly sound, sometimes twice, contradictory, early,
//! late, for nobody, or broken.
//!
//! A [`Shape`] and its seed determine every byte. What must come of it is in [`Expected`],
//! counted while sending and never by asking the code under test.
//!
//! ```text
//! let mut generator = Generator::new(&Shape::new(seed, 20_000, now));
//! while let Some(chunk) = generator.next_chunk() {
//!     orchestrator::enqueue(&client, &chunk.rows).await?;
//!     traffic::publish(&jetstream, &chunk.inbound, None).await?;
//!     // then, in its own time, chunk.later
//! }
//! let expected = generator.into_expected();
//! ```

pub mod agreement;
pub mod announce;
mod cast;
mod expected;
mod generator;
mod invalid;
mod life;
mod publish;
#[cfg(test)]
mod tests;
mod wire;
mod words;

use bytes::Bytes;
use schema::Timestamp;

pub use self::{
    agreement::Agreement,
    announce::Announced,
    expected::{Counts, Expected, Message, RowComes, Sent},
    generator::Generator,
    publish::{PublishError, Published, publish, publish_on},
    words::Word,
};
use crate::orchestrator::OrchestratorRow;

/// In every metadata and raw payload of the traffic, so that it is easy to find in the clear.
pub const PRIVATE_MARK: &str = "tb-private";

/// What every phone number of the traffic begins with; eleven digits follow.
pub const PHONE_PREFIX: &str = "999";

/// Places in the order of sending between one message and the next.
const PACE: u64 = 16;

/// What a traffic is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The same seed makes the same traffic.
    pub seed: u64,
    /// Messages of the orchestrator; with the default mix there are about 1.25 receipts for each.
    pub messages: u64,
    /// When sending begins. Receipts tell of the hour before it; it must not be more than some
    /// hours off the servers' clock, or plausible times become implausible ones.
    pub start: Timestamp,
    /// Tenants, with one to five accounts each.
    pub tenants: usize,
    /// Carriers.
    pub operators: usize,
    /// How far receipts are shuffled, in messages.
    pub window: u64,
    /// Messages per [`Chunk`].
    pub chunk: u64,
    /// What happens how often.
    pub mix: Mix,
}

impl Shape {
    /// The traffic of the issue: 200 tenants, 40 carriers, shuffled by 500 messages, chunks of
    /// 10 000 messages.
    #[must_use]
    pub const fn new(seed: u64, messages: u64, start: Timestamp) -> Self {
        Self {
            seed,
            messages,
            start,
            tenants: 200,
            operators: 40,
            window: 500,
            chunk: 10_000,
            mix: Mix::REAL,
        }
    }

    /// The same with another mix.
    #[must_use]
    pub const fn with_mix(self, mix: Mix) -> Self {
        Self { mix, ..self }
    }
}

/// What happens how often, in ten-thousandths of all messages (of all receipts where it says so).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// An intermediate receipt comes first.
    pub intermediate: u32,
    /// There is an intermediate receipt and never a final one.
    pub unfinished: u32,
    /// A receipt is repeated, half of them byte for byte.
    pub repeat: u32,
    /// A second final receipt contradicts the first.
    pub late_final: u32,
    /// There are 2 to 4 parts, each with an id of its own that only a hint ties to the message.
    pub multi_part: u32,
    /// The orchestrator's row comes after the first receipt.
    pub ahead: u32,
    /// No receipt ever comes.
    pub silent: u32,
    /// The operator's id was another message's some weeks ago.
    pub reused: u32,
    /// Beside the message, a receipt comes that belongs to nothing.
    pub orphan: u32,
    /// Beside the message, a receipt comes that must be refused.
    pub invalid: u32,
    /// Of all receipts: the stated time is implausible.
    pub implausible: u32,
    /// Of all receipts in the connector's form: no time is stated.
    pub on_arrival: u32,
}

impl Mix {
    /// As the issue describes it.
    pub const REAL: Self = Self {
        intermediate: 1_500,
        unfinished: 100,
        repeat: 500,
        late_final: 200,
        multi_part: 300,
        ahead: 100,
        silent: 50,
        reused: 100,
        orphan: 50,
        invalid: 50,
        implausible: 50,
        on_arrival: 500,
    };

    /// One sound final receipt per message, for measuring.
    pub const PLAIN: Self = Self {
        intermediate: 0,
        unfinished: 0,
        repeat: 0,
        late_final: 0,
        multi_part: 0,
        ahead: 0,
        silent: 0,
        reused: 0,
        orphan: 0,
        invalid: 0,
        implausible: 0,
        on_arrival: 0,
    };

    /// The real mix with every row there in time and nothing that waits for the grace period.
    pub const PUNCTUAL: Self = Self {
        ahead: 0,
        orphan: 0,
        ..Self::REAL
    };
}

/// One message for `sms.dlr.inbound`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The body, mostly JSON.
    pub payload: Bytes,
    /// The header `traceparent`.
    pub traceparent: Option<String>,
}

/// A row that comes after its message's first receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterRow {
    /// The row.
    pub row: OrchestratorRow,
    /// How much later; never [`RowComes::Before`].
    pub when: RowComes,
}

/// A piece of traffic. Insert `rows`, publish `inbound` in order, insert `later` in their time.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// Rows to be there before any of `inbound`.
    pub rows: Vec<OrchestratorRow>,
    /// Rows that come after their receipts.
    pub later: Vec<LaterRow>,
    /// What is published, in order.
    pub inbound: Vec<Inbound>,
}

/// A whole traffic in memory; for more than some 100 000 receipts take a [`Generator`].
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// Everything that is done, in one piece.
    pub all: Chunk,
    /// What must come of it.
    pub expected: Expected,
}

impl Traffic {
    /// Makes all of it.
    #[must_use]
    pub fn generate(shape: &Shape) -> Self {
        let mut generator = Generator::new(shape);
        let mut all = Chunk::default();
        while let Some(chunk) = generator.next_chunk() {
            all.rows.extend(chunk.rows);
            all.later.extend(chunk.later);
            all.inbound.extend(chunk.inbound);
        }
        Self {
            all,
            expected: generator.into_expected(),
        }
    }
}
