//! Makes a traffic piece by piece, so that a million receipts need not be in memory at once.

use std::collections::HashMap;

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::{MessageId, OperatorId, OperatorMessageId, Timestamp};
use serde_json::Value;

use super::{
    Chunk, Inbound, LaterRow, PACE, Shape,
    cast::{Cast, Role, ordered_uuid, random_uuid},
    expected::{Expected, Message, RowComes, Sent},
    invalid::{self, Sound, WAYS_COUNT},
    life::{Life, Teller},
    wire::{self, Envelope},
};
use crate::orchestrator::OrchestratorRow;

const SECOND_MICROS: i64 = 1_000_000;
/// How long before the start the first message was handed in.
const SPAN_MICROS: i64 = 3_600 * SECOND_MICROS;
const DAY_MICROS: i64 = 24 * 3_600 * SECOND_MICROS;

/// A traffic in the making.
pub struct Generator {
    shape: Shape,
    rng: ChaCha8Rng,
    cast: Cast,
    made: u64,
    /// The message made last, and through whom it was sent.
    latest: Option<(MessageId, OperatorId)>,
    invalid_ways: usize,
    /// Made but not sent yet, because their place in the order is in a later chunk.
    pending: Vec<(u64, Inbound)>,
    expected: Expected,
}

/// Where the receipts of a life go.
struct Address {
    operator: OperatorId,
    to: u64,
    message: Option<MessageId>,
    names: Vec<OperatorMessageId>,
}

impl Generator {
    /// Nothing is made yet.
    #[must_use]
    pub fn new(shape: &Shape) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(shape.seed);
        let cast = Cast::draw(&mut rng, shape.tenants, shape.operators);
        Self {
            shape: *shape,
            invalid_ways: rng.random_range(0..WAYS_COUNT),
            rng,
            cast,
            made: 0,
            latest: None,
            pending: Vec::new(),
            expected: Expected::default(),
        }
    }

    /// The next messages and the receipts whose turn it is; `None` when all is made and sent.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        let upto = self.shape.messages.min(self.made + self.shape.chunk.max(1));
        if self.made == upto && self.pending.is_empty() {
            return None;
        }
        let mut chunk = Chunk::default();
        while self.made < upto {
            self.message(&mut chunk);
            self.made += 1;
        }
        // Everything made from here on has its place at or after this.
        let turn = if upto == self.shape.messages {
            u64::MAX
        } else {
            self.made * PACE
        };
        self.pending.sort_by_key(|(key, _)| *key);
        let sent = self.pending.partition_point(|(key, _)| *key < turn);
        chunk
            .inbound
            .extend(self.pending.drain(..sent).map(|(_, inbound)| inbound));
        self.expected.counts.sent += u64::try_from(sent).unwrap_or(0);
        Some(chunk)
    }

    /// What is expected of all that was made.
    #[must_use]
    pub fn into_expected(self) -> Expected {
        self.expected
    }

    /// What is expected of all that was made so far.
    #[must_use]
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    fn message(&mut self, chunk: &mut Chunk) {
        let began = self.began();
        let (row, life) = {
            let mut teller = self.teller(began);
            (teller.row(), teller.message())
        };
        let role = self.cast.role(&mut self.rng);
        let id = MessageId(ordered_uuid(
            &mut self.rng,
            u64::try_from(began.micros() / 1_000).unwrap_or(0),
        ));
        let message = self.new_message(role, row, &life, began);
        let names = (0..life.parts)
            .map(|part| message.operator_message(part))
            .collect();
        let (operator, to) = (message.operator, message.to);
        let written = orchestrator_row(id, &message);
        if self.happens(self.shape.mix.reused) {
            self.former_life(&message, chunk);
        }
        match row {
            RowComes::Before => chunk.rows.push(written),
            when => chunk.later.push(LaterRow { row: written, when }),
        }
        self.send(
            &life,
            &Address {
                operator,
                to,
                message: Some(id),
                names,
            },
        );
        self.count_message(&life, &message);
        self.latest = Some((id, operator));
        self.expected.messages.insert(
            id,
            Message {
                sent: life.sent,
                ..message
            },
        );
        if self.happens(self.shape.mix.orphan) {
            self.orphan(began);
        }
        if self.happens(self.shape.mix.invalid) {
            self.invalid(began);
        }
    }

    /// A share of the mix, in ten-thousandths.
    fn happens(&mut self, share: u32) -> bool {
        self.rng.random_ratio(share.min(10_000), 10_000)
    }

    /// The message that carried the operator's id before, some weeks ago: the receipts of today
    /// are none of its.
    fn former_life(&mut self, message: &Message, chunk: &mut Chunk) {
        let days = self.rng.random_range(8..60);
        let enqueued = Timestamp::from_micros(message.enqueued.micros() - days * DAY_MICROS);
        let former = Message {
            enqueued: enqueued.unwrap_or(message.enqueued),
            segments: self.rng.random_range(1..=10),
            row: RowComes::Before,
            sent: Vec::new(),
            ..message.clone()
        };
        let millis = u64::try_from(former.enqueued.micros() / 1_000).unwrap_or(0);
        let id = MessageId(ordered_uuid(&mut self.rng, millis));
        chunk.rows.push(orchestrator_row(id, &former));
        let counts = &mut self.expected.counts;
        counts.messages += 1;
        counts.silent += 1;
        counts.former_lives += 1;
        self.expected.messages.insert(id, former);
    }

    fn began(&self) -> Timestamp {
        let share = i128::from(self.made) * i128::from(SPAN_MICROS)
            / i128::from(self.shape.messages.max(1));
        let micros = self.shape.start.micros() - SPAN_MICROS + i64::try_from(share).unwrap_or(0);
        Timestamp::from_micros(micros).unwrap_or(self.shape.start)
    }

    fn teller(&mut self, began: Timestamp) -> Teller<'_> {
        Teller {
            shape: &self.shape,
            rng: &mut self.rng,
            began,
            key: self.made * PACE,
        }
    }

    fn new_message(
        &mut self,
        role: Role,
        row: RowComes,
        life: &Life,
        enqueued: Timestamp,
    ) -> Message {
        Message {
            tenant: role.tenant,
            account: role.account,
            operator: self.cast.operator_id(role.operator),
            operator_message: self.cast.next_message(role.operator),
            segments: i16::from(life.parts.max(self.rng.random_range(1..=10))),
            enqueued,
            to: phone_number(&mut self.rng),
            reference: self.rng.random_ratio(1, 4).then(|| self.rng.random()),
            row,
            sent: Vec::new(),
        }
    }

    fn orphan(&mut self, began: Timestamp) {
        let life = self.teller(began).orphan();
        let role = self.cast.role(&mut self.rng);
        let operator = self.cast.operator_id(role.operator);
        let name = self.cast.next_message(role.operator);
        let to = phone_number(&mut self.rng);
        self.send(
            &life,
            &Address {
                operator,
                to,
                message: None,
                names: vec![name.clone()],
            },
        );
        let counts = &mut self.expected.counts;
        let statuses = distinct(&life.sent);
        counts.orphans += statuses;
        self.count_repeats(&life, statuses);
        self.expected.orphans.insert((operator, name), life.sent);
    }

    fn invalid(&mut self, began: Timestamp) {
        let role = self.cast.role(&mut self.rng);
        let operator = self.cast.operator_id(role.operator);
        let (reason, bytes) = invalid::receipt(
            self.invalid_ways,
            &Sound {
                event_id: &random_uuid(&mut self.rng).to_string(),
                operator_id: &operator.to_string(),
                operator_message_id: &format!("refuse-me-{}", self.made),
                delivered_at: &began.to_string(),
            },
        );
        self.invalid_ways += 1;
        *self
            .expected
            .counts
            .invalid
            .entry(reason.as_str())
            .or_default() += 1;
        let key = self.made * PACE + self.rng.random_range(0..self.shape.window.max(1) * PACE);
        let traceparent = trace(&mut self.rng);
        self.pending.push((
            key,
            Inbound {
                payload: Bytes::from(bytes),
                traceparent,
            },
        ));
    }

    fn send(&mut self, life: &Life, address: &Address) {
        let mut written: HashMap<usize, Bytes> = HashMap::new();
        for sending in &life.sendings {
            let sent = &life.sent[sending.what];
            let payload = match written.get(&sending.what) {
                Some(same) => same.clone(),
                None => self.write(sent, address),
            };
            if life.exact_repeats > 0 {
                written.insert(sending.what, payload.clone());
            }
            let traceparent = trace(&mut self.rng);
            self.pending.push((
                sending.key,
                Inbound {
                    payload,
                    traceparent,
                },
            ));
        }
    }

    fn write(&mut self, sent: &Sent, address: &Address) -> Bytes {
        // A further part is known by its hint alone. Anything else finds its message (or none)
        // without, so there a right hint changes nothing and a wrong one must not either.
        let wrong = sent.part == 0 && self.rng.random_ratio(1, 100);
        let hint = match address.message {
            Some(message) if sent.part > 0 => Some(message),
            _ if wrong => {
                self.expected.counts.wrong_hints += 1;
                Some(self.wrong_hint(address.operator))
            }
            right => right.filter(|_| sent.connector && self.rng.random_ratio(1, 5)),
        };
        let operator_message = &address.names[usize::from(sent.part)];
        let Address { operator, to, .. } = *address;
        wire::receipt(
            &mut self.rng,
            sent,
            &Envelope {
                operator,
                operator_message,
                to,
                hint,
            },
        )
    }

    /// A message that never was, or, if there is one at hand, a message of another operator.
    fn wrong_hint(&mut self, operator: OperatorId) -> MessageId {
        match self.latest {
            Some((message, of)) if of != operator => message,
            _ => {
                let millis = u64::try_from(self.shape.start.micros() / 1_000).unwrap_or(0);
                MessageId(ordered_uuid(&mut self.rng, millis))
            }
        }
    }

    fn count_message(&mut self, life: &Life, message: &Message) {
        let receipts = distinct(&life.sent);
        let counts = &mut self.expected.counts;
        counts.messages += 1;
        counts.receipts += receipts;
        counts.settled += u64::from(life.sent.iter().any(|sent| sent.word.status().is_final()));
        counts.with_intermediate += u64::from(life.intermediate);
        counts.contradicted += u64::from(life.contradicted);
        counts.multi_part += u64::from(life.sent.iter().any(|sent| sent.part > 0));
        counts.within_grace += u64::from(message.row == RowComes::WithinGrace);
        counts.past_grace += u64::from(message.row == RowComes::PastGrace);
        counts.silent += u64::from(life.sent.is_empty());
        self.count_repeats(life, receipts);
    }

    fn count_repeats(&mut self, life: &Life, receipts: u64) {
        let counts = &mut self.expected.counts;
        counts.exact_repeats += life.exact_repeats;
        counts.other_repeats += u64::try_from(life.sent.len()).unwrap_or(0) - receipts;
        counts.implausible += life.implausible;
    }
}

/// How many receipts `sent` holds: one per part and status.
fn distinct(sent: &[Sent]) -> u64 {
    let mut seen: Vec<_> = sent
        .iter()
        .map(|sent| (sent.part, sent.word.status()))
        .collect();
    seen.sort_unstable();
    seen.dedup();
    u64::try_from(seen.len()).unwrap_or(0)
}

/// Fourteen digits that begin with 999, a country code nobody has: easy to find where they must
/// not be.
fn phone_number(rng: &mut ChaCha8Rng) -> u64 {
    99_900_000_000_000 + rng.random_range(0..100_000_000_000)
}

fn trace(rng: &mut ChaCha8Rng) -> Option<String> {
    rng.random_ratio(4, 5).then(|| {
        format!(
            "00-{:032x}-{:016x}-01",
            rng.random::<u128>() | 1,
            rng.random::<u64>() | 1
        )
    })
}

fn orchestrator_row(id: MessageId, message: &Message) -> OrchestratorRow {
    OrchestratorRow {
        message_id: id,
        tenant_id: message.tenant,
        account_id: message.account,
        operator_id: message.operator,
        operator_message_id: message.operator_message.clone(),
        to_msisdn: message.to_msisdn(),
        segment_count: message.segments,
        metadata: message.metadata().map(|metadata| {
            let members = metadata
                .into_iter()
                .map(|(key, text)| (key, Value::String(text)));
            Value::Object(members.collect())
        }),
        enqueued_at: message.enqueued,
    }
}
