//! What the traffic's messages are to cost: accounts, prices and costs as they are agreed before
//! anything is sent, and what must be charged by them.
//!
//! The arithmetic is the simplest there is, a search through all versions, and asks nothing of
//! the services. Drawn from the traffic's seed (see [`Agreement::draw`]), it is set over REST and
//! then compared with the log.

mod draw;
mod reckon;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use schema::{AccountId, MessageId, OperatorId, Status, TenantId, Timestamp};

pub use self::reckon::{Reckoning, Usage};
use crate::money::Millionths;

/// Everything that was agreed.
#[derive(Debug, Clone, Default)]
pub struct Agreement {
    /// Every account that sends.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Versions of prices.
    pub prices: Vec<Price>,
    /// Versions of costs.
    pub costs: Vec<Cost>,
    by_key: HashMap<Key, Vec<usize>>,
}

type Key = (Option<TenantId>, &'static str, OperatorId, &'static str);

/// An account and who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose account.
    pub tenant: TenantId,
    /// `STARTER`, `GROWTH`, `ENTERPRISE` or `CUSTOM`.
    pub tier: &'static str,
    /// What it pays in.
    pub currency: &'static str,
    /// The name on its invoices: personal data, with the traffic's mark.
    pub name: String,
    /// The address on its invoices, the same.
    pub address: String,
    /// From when on it is like this; from when it is registered, if nothing is said.
    pub from: Option<Timestamp>,
    /// What it becomes afterwards, in order of time.
    pub becomes: Vec<Standing>,
    /// When it is registered.
    pub comes: Comes,
}

/// What an account pays by, from an instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The first instant.
    pub from: Timestamp,
    /// Its tier from then on.
    pub tier: &'static str,
    /// What it pays in from then on.
    pub currency: &'static str,
}

impl Account {
    /// The tier and the currency it pays by at a time; nothing before it is registered.
    #[must_use]
    pub fn pays_by(&self, at: Timestamp) -> Option<(&'static str, &'static str)> {
        let later = self.becomes.iter().rfind(|it| it.from <= at);
        let later = later.map(|it| (it.tier, it.currency));
        let first = || self.from.is_none_or(|from| from <= at);
        later.or_else(|| first().then_some((self.tier, self.currency)))
    }

    /// Each of its versions, as an account that stays like that.
    pub fn versions(&self) -> impl Iterator<Item = Self> {
        let alone = Self {
            becomes: Vec::new(),
            ..self.clone()
        };
        let later = self.becomes.iter().map({
            let alone = alone.clone();
            move |it| Self {
                from: Some(it.from),
                tier: it.tier,
                currency: it.currency,
                ..alone.clone()
            }
        });
        std::iter::once(alone).chain(later)
    }
}

/// One version of a price for messages to handsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Whose own; `None` for the platform's.
    pub tenant: Option<TenantId>,
    /// For accounts of this tier.
    pub tier: &'static str,
    /// Through this carrier.
    pub operator: OperatorId,
    /// For accounts that pay in it.
    pub currency: &'static str,
    /// `PER_SEGMENT` or `FLAT_PER_MESSAGE`.
    pub model: &'static str,
    /// The price of one.
    pub unit: Millionths,
    /// What is charged for; `None`: all five final statuses.
    pub billable: Option<&'static [Status]>,
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it; `None` while it is open.
    pub to: Option<Timestamp>,
    /// When it is opened.
    pub comes: Comes,
}

/// One version of what a carrier takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The carrier.
    pub operator: OperatorId,
    /// In this currency.
    pub currency: &'static str,
    /// For one segment.
    pub per_segment: Millionths,
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it; `None` while it is open.
    pub to: Option<Timestamp>,
}

/// When something is made known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comes {
    /// Before anything is sent.
    First,
    /// After everything is charged or held.
    Later,
    /// Not at all.
    Never,
}

/// A settled message, as far as its price depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The message.
    pub message: MessageId,
    /// Whose.
    pub tenant: TenantId,
    /// On which account.
    pub account: AccountId,
    /// Through which carrier.
    pub operator: OperatorId,
    /// SMS segments.
    pub segments: i16,
    /// Its final status.
    pub status: Status,
    /// What decides the price.
    pub charged_at: Timestamp,
    /// When its settlement reached billing.
    pub received_at: Timestamp,
    /// The tier its settlement names: it serves only while nobody has registered the account.
    pub tier: Option<&'static str>,
    /// The currency its settlement names; the same.
    pub currency: Option<&'static str>,
}

/// What must come of a settled message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is charged.
    Charged(Charge),
    /// It waits, for this reason.
    Held(&'static str),
}

/// What must be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// What is paid in.
    pub currency: &'static str,
    /// What the customer pays.
    pub price: Millionths,
    /// What the carrier takes, in its own currency.
    pub cost: Millionths,
    /// The same in `currency`; nothing where that is another, for no exchange rate is agreed.
    pub converted: Option<Millionths>,
    /// Whether the carrier has a cost.
    pub cost_known: bool,
    /// Whether the price charges for the status.
    pub billed: bool,
    /// Whether it is the tenant's own price.
    pub own: bool,
    /// The time that decided.
    pub rated_at: Timestamp,
}

impl Agreement {
    /// Takes in one more version of a price.
    pub fn add(&mut self, price: Price) {
        let key = (price.tenant, price.tier, price.operator, price.currency);
        self.by_key.entry(key).or_default().push(self.prices.len());
        self.prices.push(price);
    }

    /// What must come of `settled`, once everything up to `known` is made known.
    #[must_use]
    pub fn outcome(&self, settled: &Settled, known: Comes) -> Outcome {
        let account = self.accounts.get(&settled.account);
        if settled.segments > 10 {
            return Outcome::Held("SEGMENTS_OUT_OF_RANGE");
        }
        let rated_at = settled.charged_at.min(settled.received_at);
        let registered = account.filter(|it| it.comes <= known && it.comes != Comes::Never);
        let named = registered.and_then(|it| it.pays_by(rated_at));
        let Some(payer) = named.or_else(|| settled.tier.zip(settled.currency)) else {
            return Outcome::Held("ACCOUNT_UNKNOWN");
        };
        let price = |tenant| self.price((tenant, payer), settled.operator, rated_at, known);
        let own = price(Some(settled.tenant));
        let platform = || price(None);
        let Some(price) = own.or_else(platform) else {
            return Outcome::Held("NO_PRICE");
        };
        let cost = self.costs.iter().find(|cost| {
            cost.operator == settled.operator && contains(cost.from, cost.to, rated_at)
        });
        let count = match price.model {
            "PER_SEGMENT" => settled.segments,
            _ => 1,
        };
        let billed = price
            .billable
            .is_none_or(|statuses| statuses.contains(&settled.status));
        let cost_of = |cost: &Cost| cost.per_segment.times(settled.segments);
        let foreign = cost.is_some_and(|cost| cost.currency != price.currency);
        let taken = cost.map(cost_of).unwrap_or_default();
        Outcome::Charged(Charge {
            currency: price.currency,
            price: price.unit.times(if billed { count } else { 0 }),
            cost: taken,
            converted: (!foreign || taken == Millionths::default()).then_some(taken),
            cost_known: cost.is_some(),
            billed,
            own: price.tenant.is_some(),
            rated_at,
        })
    }

    fn price(
        &self,
        (tenant, (tier, currency)): (Option<TenantId>, (&'static str, &'static str)),
        operator: OperatorId,
        at: Timestamp,
        known: Comes,
    ) -> Option<&Price> {
        let key = (tenant, tier, operator, currency);
        let versions = self.by_key.get(&key)?.iter();
        let mut versions = versions.map(|&place| &self.prices[place]);
        versions.find(|price| price.comes <= known && contains(price.from, price.to, at))
    }

    /// A version of the platform's that is in effect and has no end, of the largest carrier.
    #[must_use]
    pub fn running(&self) -> Option<usize> {
        let running =
            |it: &Price| it.tenant.is_none() && it.to.is_none() && it.comes == Comes::First;
        self.prices.iter().position(running)
    }

    /// From `at` on, the version at `place` is followed by one with another unit price, as
    /// `PATCH` does it.
    pub fn change(&mut self, place: usize, at: Timestamp, unit: Millionths) {
        let old = &mut self.prices[place];
        let new = Price {
            unit,
            from: at,
            ..old.clone()
        };
        old.to = Some(at);
        self.add(new);
    }
}

/// A tier or a currency of tariffs, as they keep it.
#[must_use]
pub fn word(text: Option<&str>) -> Option<&'static str> {
    let words = ["STARTER", "GROWTH", "ENTERPRISE", "CUSTOM", "EUR", "USD"];
    words.into_iter().find(|word| Some(*word) == text)
}

/// Whether `at` is in a period; its end is not.
fn contains(from: Timestamp, to: Option<Timestamp>, at: Timestamp) -> bool {
    from <= at && to.is_none_or(|to| at < to)
}
