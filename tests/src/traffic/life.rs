//! The life of one message as its carrier tells it: which receipts are sent, and when.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use schema::{Status, Timestamp};

use super::{
    Shape,
    cast::random_uuid,
    expected::{RowComes, Sent},
    words::{Word, pick_contradiction, pick_final},
};

const SECOND_MICROS: i64 = 1_000_000;
const DAY_MICROS: i64 = 24 * 3_600 * SECOND_MICROS;

/// One receipt on its way: what it says and when it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending {
    /// Which of [`Life::sent`].
    pub(super) what: usize,
    /// Place in the order of sending; one message later is [`super::PACE`] more.
    pub(super) key: u64,
}

/// All that is sent for one message or one orphan.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    /// Distinct receipts, byte for byte.
    pub(super) sent: Vec<Sent>,
    /// In what order; a receipt that is sent again, byte for byte, is here twice.
    pub(super) sendings: Vec<Sending>,
    pub(super) parts: u8,
    pub(super) intermediate: bool,
    pub(super) contradicted: bool,
    pub(super) exact_repeats: u64,
    pub(super) implausible: u64,
}

/// Draws lives by the shares of a shape.
pub(super) struct Teller<'a> {
    pub(super) shape: &'a Shape,
    pub(super) rng: &'a mut ChaCha8Rng,
    /// When the message was handed in.
    pub(super) began: Timestamp,
    /// Place of the first receipt in the order of sending.
    pub(super) key: u64,
}

impl Teller<'_> {
    /// A share of the mix, in ten-thousandths.
    pub(super) fn happens(&mut self, share: u32) -> bool {
        self.rng.random_ratio(share.min(10_000), 10_000)
    }

    /// When the message's row comes.
    pub(super) fn row(&mut self) -> RowComes {
        let mix = self.shape.mix;
        if !self.happens(mix.ahead) {
            RowComes::Before
        } else if self.rng.random() {
            RowComes::WithinGrace
        } else {
            RowComes::PastGrace
        }
    }

    /// The receipts of a message that exists, or will.
    pub(super) fn message(&mut self) -> Life {
        let mix = self.shape.mix;
        let mut life = Life {
            parts: 1,
            ..Life::default()
        };
        if self.happens(mix.silent) {
            return life;
        }
        if self.happens(mix.multi_part) {
            life.parts = self.rng.random_range(2..=4);
        }
        let settled = pick_final(self.rng);
        let unfinished = self.happens(mix.unfinished);
        life.intermediate = unfinished || self.happens(mix.intermediate);
        if life.intermediate {
            self.send(&mut life, 0, Status::Unknown, 0);
        }
        if !unfinished {
            self.finals(&mut life, settled);
        }
        if self.happens(mix.repeat) {
            self.repeat(&mut life);
        }
        life
    }

    /// The receipts of something nobody knows.
    pub(super) fn orphan(&mut self) -> Life {
        let mut life = Life {
            parts: 1,
            ..Life::default()
        };
        if self.rng.random_ratio(1, 4) {
            self.send(&mut life, 0, Status::Unknown, 0);
        }
        let status = pick_final(self.rng);
        self.send(&mut life, 0, status, 1);
        if self.rng.random_ratio(1, 8) {
            self.repeat(&mut life);
        }
        life
    }

    fn finals(&mut self, life: &mut Life, settled: Status) {
        for part in 0..life.parts {
            // Parts mostly share their message's fate.
            let agrees = part == 0 || self.rng.random_ratio(9, 10);
            let status = if agrees {
                settled
            } else {
                pick_final(self.rng)
            };
            self.send(life, part, status, 1);
        }
        let late = self.shape.mix.late_final;
        if self.happens(late) {
            life.contradicted = true;
            let status = pick_contradiction(self.rng, settled);
            self.send(life, 0, status, 3);
        }
    }

    /// Half of the repeats are byte for byte; the others have the same meaning in another
    /// message: a new event id, often another word, another time.
    fn repeat(&mut self, life: &mut Life) {
        let what = self.rng.random_range(0..life.sent.len());
        if self.rng.random() {
            life.exact_repeats += 1;
            let implausible = life.sent[what].implausible.is_some();
            life.implausible += u64::from(implausible);
            let key = self.key_of_stage(2);
            life.sendings.push(Sending { what, key });
        } else {
            let Sent { part, word, .. } = life.sent[what];
            self.send(life, part, word.status(), 2);
        }
    }

    fn send(&mut self, life: &mut Life, part: u8, status: Status, stage: u64) {
        let seconds = i64::try_from(stage).unwrap_or(0) * 20 + self.rng.random_range(1..20);
        let micros = self.began.micros() + seconds * SECOND_MICROS;
        let micros = micros + self.rng.random_range(0..SECOND_MICROS);
        let at = Timestamp::from_micros(micros);
        let mix = self.shape.mix;
        // Further parts come with a hint, which only the connector gives.
        let connector = part > 0 || self.rng.random();
        let implausible = self
            .happens(mix.implausible)
            .then(|| self.implausible(micros))
            .flatten();
        let on_arrival = match implausible {
            Some(_) => !connector || self.rng.random(),
            None => connector && self.happens(mix.on_arrival),
        };
        life.implausible += u64::from(implausible.is_some());
        life.sent.push(Sent {
            event_id: random_uuid(self.rng),
            part,
            connector,
            word: Word::pick(self.rng, status),
            delivered: at.filter(|_| !on_arrival),
            implausible,
        });
        let key = self.key_of_stage(stage);
        life.sendings.push(Sending {
            what: life.sent.len() - 1,
            key,
        });
    }

    /// Years before 2000, or far more than a day ahead: either is replaced, on any clock that is
    /// not a week off.
    fn implausible(&mut self, micros: i64) -> Option<Timestamp> {
        let days = if self.rng.random() { 30 } else { -20_000 };
        Timestamp::from_micros(micros + self.rng.random_range(1..9) * days * DAY_MICROS)
            .or_else(|| Timestamp::parse("1999-12-31T23:59:59Z"))
    }

    /// Stages follow each other, half a window apart, and are shuffled by up to a whole one: so
    /// later ones overtake now and then.
    fn key_of_stage(&mut self, stage: u64) -> u64 {
        let window = self.shape.window.max(2) * super::PACE;
        self.key + stage * window / 2 + self.rng.random_range(0..window)
    }
}
