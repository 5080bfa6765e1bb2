//! The words carriers use for a status, and what each means (CONTRACTS 4), written down a second
//! time on purpose: the expected outcome must not come from the table it checks.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use schema::Status;

/// Every word of both producers' forms, and some that nobody knows.
const WORDS: [(&str, Status); 21] = [
    ("DELIVRD", Status::Delivered),
    ("DELIVERED", Status::Delivered),
    ("UNDELIV", Status::Undelivered),
    ("UNDELIVERABLE", Status::Undelivered),
    ("UNDELIVERED", Status::Undelivered),
    ("EXPIRED", Status::Expired),
    ("DELETED", Status::Failed),
    ("FAILED", Status::Failed),
    ("SKIPPED", Status::Failed),
    ("REJECTD", Status::Rejected),
    ("REJECTED", Status::Rejected),
    ("ACCEPTD", Status::Unknown),
    ("ACCEPTED", Status::Unknown),
    ("ENROUTE", Status::Unknown),
    ("SCHEDULED", Status::Unknown),
    ("UNKNOWN", Status::Unknown),
    ("BUFFERED", Status::Unknown),
    ("MQ_7-RETRY", Status::Unknown),
    ("0", Status::Unknown),
    ("DELIVRD_", Status::Unknown),
    ("NULL", Status::Unknown),
];

/// Final statuses as often as real traffic has them, in hundredths.
const FINALS: [(Status, u32); 5] = [
    (Status::Delivered, 88),
    (Status::Undelivered, 5),
    (Status::Expired, 3),
    (Status::Failed, 2),
    (Status::Rejected, 2),
];

/// One word in one spelling: its row in the table, and which letters are small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    row: u8,
    small: u16,
}

impl Word {
    /// Some word for `status`; mostly in capitals, sometimes small, sometimes anything.
    pub(super) fn pick(rng: &mut ChaCha8Rng, status: Status) -> Self {
        let of_status = || {
            (0_u8..)
                .zip(WORDS)
                .filter(|(_, (_, means))| *means == status)
        };
        let nth = rng.random_range(0..of_status().count());
        let row = of_status().nth(nth).map_or(0, |(row, _)| row);
        let small = match rng.random_range(0..10) {
            0..6 => 0,
            6..8 => u16::MAX,
            _ => rng.random(),
        };
        Self { row, small }
    }

    /// What it means.
    #[must_use]
    pub fn status(self) -> Status {
        WORDS[usize::from(self.row)].1
    }

    /// The word as it was sent.
    #[must_use]
    pub fn text(self) -> String {
        let letters = WORDS[usize::from(self.row)].0.chars().enumerate();
        letters
            .map(|(place, letter)| {
                if self.small >> place & 1 == 1 {
                    letter.to_ascii_lowercase()
                } else {
                    letter
                }
            })
            .collect()
    }
}

/// A final status, as often as real traffic has it.
pub(super) fn pick_final(rng: &mut ChaCha8Rng) -> Status {
    let mut draw = rng.random_range(0..100);
    for (status, share) in FINALS {
        if draw < share {
            return status;
        }
        draw -= share;
    }
    Status::Delivered
}

/// A final status other than `settled`.
pub(super) fn pick_contradiction(rng: &mut ChaCha8Rng, settled: Status) -> Status {
    let others = FINALS.map(|(status, _)| status);
    let place = others
        .iter()
        .position(|status| *status == settled)
        .unwrap_or(0);
    others[(place + rng.random_range(1..others.len())) % others.len()]
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn both_tables_of_words_agree() {
        for (word, status) in WORDS {
            assert_eq!(Status::from_word(word), status, "{word}");
            assert!(
                word.len() <= 16,
                "{word}: the mask of small letters has 16 places"
            );
        }
    }

    #[test]
    fn a_word_is_spelled_in_many_ways_and_means_one_thing() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..1_000 {
            for status in Status::ALL {
                let word = Word::pick(&mut rng, status);
                assert_eq!(word.status(), status);
                assert_eq!(Status::from_word(&word.text()), status);
            }
        }
    }

    #[test]
    fn a_contradiction_is_final_and_different() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..1_000 {
            let settled = pick_final(&mut rng);
            let other = pick_contradiction(&mut rng, settled);
            assert!(other.is_final() && other != settled);
        }
    }
}
