//! What a settled message costs: a pure function of its settlement, the account and the versions
//! of prices and costs.
//!
//! The time that chooses the versions is the smaller of `chargedAt` and the arrival, so that no
//! version is used that had ended when it arrived. The tenant's own price precedes the platform's.
//! Without a payer or a price the charge is held; nothing is guessed. A message of more segments
//! than are charged is held, whatever the prices are. What the carrier takes holds up no charge
//! ([`assessment`](super::assessment)). Everything the answer rests on is named as a guard, so that
//! it is recorded only while that is still so.

use eventstore::Guard;
use schema::{
    AccountTier, Amount, Currency, PricingModel, Pseudonym, Settlement, Timestamp,
    event::{AppliedPrice, ChargeHeld, CostAssessment, HoldReason, MessageCharged, PayerSource},
    settlement::SEGMENTS_MAX,
    versioned::{Cost, ExchangeRate, Price},
};

use super::assessment::{Assessable, assess, foreign};
use crate::{
    accounts::decide::Account,
    prices::decide::timeline::{Timeline, Version},
};

/// How far ahead of its arrival `chargedAt` may lie without being flagged, in seconds.
const SKEW_SECONDS: i64 = 5;
/// How long after `chargedAt` a settlement may arrive without being late, in seconds.
const LATE_SECONDS: i64 = 24 * 60 * 60;

/// Who pays: what chooses a price, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Payer {
    /// What says it.
    pub source: PayerSource,
    /// The account's tier.
    pub tier: Option<AccountTier>,
    /// The account's currency.
    pub currency: Option<Currency>,
}

/// The state of a stream, and the version it has.
#[derive(Debug)]
pub struct Guarded<'a, T> {
    /// Its state at that version.
    pub state: &'a T,
    /// Holds while the stream is at that version.
    pub guard: Guard,
}

/// Everything a charge is rated with.
#[derive(Debug)]
pub struct Tariff<'a> {
    /// The tier and the currency of whoever pays.
    pub payer: Payer,
    /// What said who pays: the account.
    pub account: Guard,
    /// The prices for this payer; absent while the payer is not known.
    pub prices: Option<Prices<'a>>,
    /// The costs of the carrier, by time.
    pub cost: Guarded<'a, Timeline<Cost>>,
    /// The exchange rates from the cost's currency to the payer's, where they differ.
    pub rate: Option<Guarded<'a, Timeline<ExchangeRate>>>,
}

/// The prices for one payer.
#[derive(Debug)]
pub struct Prices<'a> {
    /// The tenant's own.
    pub own: Guarded<'a, Timeline<Price>>,
    /// The platform's.
    pub platform: Guarded<'a, Timeline<Price>>,
    /// The tier they are for.
    pub tier: AccountTier,
    /// The currency they are in.
    pub currency: Currency,
}

/// A rated settlement: a charge, or the reason why there is none yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rating {
    /// A price covers it: this is its charge.
    Charged(MessageCharged),
    /// Nothing is charged before something is known that is not known now.
    Held(ChargeHeld),
}

impl<T> Clone for Guarded<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Guarded<'_, T> {}

/// Who pays for `settlement` of this tenant: the account as the tenant registered it for the time
/// that chooses the versions, or who the settlement names where nobody registered it for then.
/// Nobody pays on another tenant's account, whatever the time.
#[must_use]
pub fn payer(settlement: &Settlement, tenant: Pseudonym, account: &Account) -> Payer {
    let registered = account.registered();
    if registered.is_some_and(|known| known.tenant != tenant) {
        return Payer {
            source: PayerSource::Registered,
            tier: None,
            currency: None,
        };
    }
    match registered.and_then(|known| known.timeline.at(rated_at(settlement))) {
        Some(version) => Payer {
            source: PayerSource::Registered,
            tier: Some(version.facts.account_tier),
            currency: Some(version.facts.currency),
        },
        None => Payer {
            source: PayerSource::Stated,
            tier: settlement.stated_tier,
            currency: settlement.stated_currency,
        },
    }
}

/// The time that chooses the versions.
#[must_use]
pub fn rated_at(settlement: &Settlement) -> Timestamp {
    settlement.charged_at.min(settlement.received_at)
}

/// Rates `settlement`; says also what must not have moved when that is recorded.
#[must_use]
pub fn rate(settlement: &Settlement, tariff: &Tariff<'_>) -> (Rating, Vec<Guard>) {
    if settlement.segment_count > SEGMENTS_MAX {
        let held = held(settlement, tariff, HoldReason::SegmentsOutOfRange);
        return (held, Vec::new());
    }
    let mut guards = Vec::with_capacity(5);
    guards.push(tariff.account);
    let Some(prices) = &tariff.prices else {
        return (held(settlement, tariff, HoldReason::AccountUnknown), guards);
    };
    let at = rated_at(settlement);
    let Some((price, own)) = prices.at(at, &mut guards) else {
        return (held(settlement, tariff, HoldReason::NoPrice), guards);
    };
    let source = tariff.payer.source;
    let assess = |of: &Assessable| tariff.assess(of, at, &mut guards);
    let charged = charged(settlement, source, prices, price, own, assess);
    (Rating::Charged(charged), guards)
}

impl Tariff<'_> {
    /// What this costs at `at`.
    fn assess(&self, of: &Assessable, at: Timestamp, guards: &mut Vec<Guard>) -> CostAssessment {
        guards.push(self.cost.guard);
        let cost = self.cost.state.at(at);
        let rate = foreign(of, cost).and(self.rate);
        guards.extend(rate.map(|rate| rate.guard));
        assess(of, cost, rate.and_then(|rate| rate.state.at(at)))
    }
}

impl Prices<'_> {
    /// The version that is in effect at `at` and whether it is the tenant's own.
    fn at(&self, at: Timestamp, guards: &mut Vec<Guard>) -> Option<(&Version<Price>, bool)> {
        guards.push(self.own.guard);
        if let Some(own) = self.own.state.at(at) {
            return Some((own, true));
        }
        guards.push(self.platform.guard);
        Some((self.platform.state.at(at)?, false))
    }
}

fn held(settlement: &Settlement, tariff: &Tariff<'_>, reason: HoldReason) -> Rating {
    Rating::Held(ChargeHeld {
        settlement: settlement.clone(),
        payer: tariff.payer.source,
        account_tier: tariff.payer.tier,
        currency: tariff.payer.currency,
        rated_at: rated_at(settlement),
        reason,
    })
}

fn charged(
    settlement: &Settlement,
    payer: PayerSource,
    prices: &Prices<'_>,
    price: &Version<Price>,
    own: bool,
    assess: impl FnOnce(&Assessable) -> CostAssessment,
) -> MessageCharged {
    let terms = &price.terms;
    let billed = terms.billable_statuses.contains(&settlement.dlr_status);
    let customer_price = match terms.pricing_model {
        _ if !billed => Amount::ZERO,
        PricingModel::PerSegment => terms.unit_price.times(settlement.segment_count),
        PricingModel::FlatPerMessage => terms.unit_price.amount(),
    };
    let assessment = assess(&Assessable {
        status: settlement.dlr_status,
        segments: settlement.segment_count,
        customer_price,
        currency: prices.currency,
    });
    MessageCharged {
        settlement: settlement.clone(),
        payer,
        account_tier: prices.tier,
        currency: prices.currency,
        rated_at: rated_at(settlement),
        price: AppliedPrice {
            pricing_table_id: price.id,
            own,
            pricing_model: terms.pricing_model,
            unit_price: terms.unit_price,
        },
        billed,
        customer_price,
        assessment,
        clock_skew: is_skewed(settlement),
        late: is_late(settlement),
    }
}

/// Whether `chargedAt` is further ahead of the arrival than clocks may be apart.
fn is_skewed(settlement: &Settlement) -> bool {
    // To the microsecond: a whole number of seconds would let almost one more pass.
    let ahead = settlement.charged_at.micros() - settlement.received_at.micros();
    ahead > SKEW_SECONDS * 1_000_000
}

fn is_late(settlement: &Settlement) -> bool {
    let behind = settlement.received_at.micros() - settlement.charged_at.micros();
    behind > LATE_SECONDS * 1_000_000
}

#[cfg(test)]
mod tests;
