//! What must be charged for many messages, and the sums of it.

use std::collections::{BTreeMap, HashMap};

use schema::{AccountId, MessageId};
use serde::Serialize;
use time::Date;

use super::{Agreement, Comes, Outcome, Settled};
use crate::money::Millionths;

/// A sum of charges in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Messages charged.
    pub messages: u64,
    /// Their segments.
    pub segments: u64,
    /// What customers pay.
    pub price: Millionths,
    /// What carriers take, as far as it is known in this currency.
    pub cost: Millionths,
    /// What is left, as far as that is known.
    pub margin: Millionths,
    /// Messages whose carrier has no cost.
    pub cost_missing: u64,
    /// Messages whose margin is not known.
    pub margin_unknown: u64,
}

impl Usage {
    /// Takes in one message; what it costs, if that is known in the currency of its price.
    pub fn add(
        &mut self,
        segments: i16,
        price: Millionths,
        cost: Option<Millionths>,
        cost_missing: bool,
    ) {
        self.absorb(Self {
            messages: 1,
            segments: u64::try_from(segments).unwrap_or_default(),
            price,
            cost: cost.unwrap_or_default(),
            margin: cost.map(|cost| price - cost).unwrap_or_default(),
            cost_missing: u64::from(cost_missing),
            margin_unknown: u64::from(cost.is_none()),
        });
    }

    /// Takes in another sum.
    pub fn absorb(&mut self, other: Self) {
        self.messages += other.messages;
        self.segments += other.segments;
        self.price += other.price;
        self.cost += other.cost;
        self.margin += other.margin;
        self.cost_missing += other.cost_missing;
        self.margin_unknown += other.margin_unknown;
    }
}

/// What must come of many messages.
#[derive(Debug, Clone, Default)]
pub struct Reckoning {
    /// Each of them.
    pub outcomes: HashMap<MessageId, Outcome>,
    /// What is charged, by account, currency and day (UTC) of the time that decided.
    pub usage: BTreeMap<(AccountId, &'static str, Date), Usage>,
}

impl Reckoning {
    /// How many wait.
    #[must_use]
    pub fn held(&self) -> usize {
        let held = |outcome: &&Outcome| matches!(outcome, Outcome::Held(_));
        self.outcomes.values().filter(held).count()
    }

    /// What one account is charged, over all days.
    #[must_use]
    pub fn of_account(&self, account: AccountId) -> BTreeMap<&'static str, Usage> {
        let mut sums: BTreeMap<_, Usage> = BTreeMap::new();
        for ((of, currency, _), usage) in &self.usage {
            if *of == account {
                sums.entry(*currency).or_default().absorb(*usage);
            }
        }
        sums
    }
}

impl Agreement {
    /// What must come of all of `settled`, once everything up to `known` is made known.
    pub fn reckon<'a>(
        &self,
        settled: impl IntoIterator<Item = &'a Settled>,
        known: Comes,
    ) -> Reckoning {
        let mut reckoning = Reckoning::default();
        for each in settled {
            let outcome = self.outcome(each, known);
            if let Outcome::Charged(charge) = outcome {
                let key = (each.account, charge.currency, charge.rated_at.date());
                let usage = reckoning.usage.entry(key).or_default();
                let missing = !charge.cost_known;
                usage.add(each.segments, charge.price, charge.converted, missing);
            }
            reckoning.outcomes.insert(each.message, outcome);
        }
        reckoning
    }
}
