//! The share of orphans among the receipts of the last five minutes.
//!
//! Counted in slots of ten seconds; what is older is forgotten as it is overwritten.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

/// How many slots the last five minutes are counted in.
const SLOTS: usize = 30;
/// The length of one.
const SLOT: Duration = Duration::from_secs(10);

/// Receipts and orphans of the last five minutes.
#[derive(Debug)]
pub(super) struct Recent {
    start: Instant,
    slots: Mutex<[Slot; SLOTS]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Which ten seconds since the start; what an older number counted is forgotten.
    number: u64,
    matched: u64,
    orphaned: u64,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            slots: Mutex::default(),
        }
    }
}

impl Recent {
    /// Counts outcomes: all of them, and how many of them are orphans.
    pub(super) fn note(&self, all: u64, orphaned: u64) {
        self.note_in(self.slot_number(), all - orphaned, orphaned);
    }

    fn slot_number(&self) -> u64 {
        self.start.elapsed().as_secs() / SLOT.as_secs()
    }

    fn note_in(&self, number: u64, matched: u64, orphaned: u64) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        // The remainder is below SLOTS, so it fits whatever a usize is.
        let slot = &mut slots[usize::try_from(number % SLOTS as u64).unwrap_or_default()];
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        slot.matched += matched;
        slot.orphaned += orphaned;
    }

    /// The share of orphans among everything of the five minutes before `number`; 0 without any.
    #[expect(clippy::float_arithmetic, reason = "a share for a gauge; no money")]
    #[expect(
        clippy::cast_precision_loss,
        reason = "five minutes' counts are far below 2^52"
    )]
    fn rate(&self, number: u64) -> f64 {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let young = slots
            .iter()
            .filter(|slot| number - slot.number.min(number) < SLOTS as u64);
        let (matched, orphaned) = young.fold((0, 0), |(matched, orphaned), slot| {
            (matched + slot.matched, orphaned + slot.orphaned)
        });
        match matched + orphaned {
            0 => 0.0,
            all => orphaned as f64 / all as f64,
        }
    }
}

/// Computes `dlr_orphan_rate` when it is asked for.
#[derive(Debug)]
pub(super) struct OrphanRate(pub(super) Arc<Recent>);

impl Collector for OrphanRate {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let rate = ConstGauge::new(self.0.rate(self.0.slot_number()));
        let help = "share of orphans among the receipts of the last five minutes";
        let kind = MetricType::Gauge;
        rate.encode(encoder.encode_descriptor("dlr_orphan_rate", help, None, kind)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_orphan_rate_forgets_after_five_minutes() {
        let recent = Recent::default();
        recent.note_in(0, 0, 10);
        recent.note_in(20, 10, 0);
        let close = |left: f64, right: f64| left.total_cmp(&right).is_eq();
        assert!(close(recent.rate(20), 0.5));
        assert!(close(recent.rate(29), 0.5));
        assert!(close(recent.rate(30), 0.0), "slot 0 is too old");
        recent.note_in(30, 1, 3);
        assert!(close(recent.rate(60), 0.0), "everything is too old");
    }
}
