//! Accounts, prices, costs and exchange rates as the log has told of them so far, and what a
//! settlement comes to by them. Versions are searched one after the other: slow, and hard to get wrong.

use std::collections::HashMap;

use schema::Timestamp;
use uuid::Uuid;

use super::{
    Invariant,
    billing_facts::{
        Account, AccountFacts, AppliedCost, AppliedRate, Assessment, Charged, Closed, CostOpened,
        CostTerms, PriceOpened, PriceTerms, RateOpened, RateTerms, Settlement,
    },
    facts::{Body, LogEvent},
    findings::Findings,
};
use crate::money::Millionths;

/// A `chargedAt` that is further ahead of its arrival is flagged.
const SKEW_MICROS: i64 = 5_000_000;
/// A settlement that arrives longer after its `chargedAt` is late.
const LATE_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// The registration of the account says who pays, not the settlement.
pub(super) const REGISTERED: &str = "REGISTERED";

/// One version of a price or a cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<T> {
    pub(super) id: Uuid,
    pub(super) terms: T,
    pub(super) from: Timestamp,
    pub(super) to: Option<Timestamp>,
    /// The stream that tells of it.
    stream: Uuid,
}

impl<T> Version<T> {
    fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// Whether some instant is in both.
    fn meets(&self, other: &Self) -> bool {
        let ends = [self.to, other.to].into_iter().flatten().min();
        ends.is_none_or(|end| self.from.max(other.from) < end)
    }
}

/// Whose, tier, operator, direction, currency.
type PriceKey = (Option<Uuid>, Box<str>, Uuid, Box<str>, Box<str>);
/// Operator, direction.
type CostKey = (Uuid, Box<str>);
/// From which currency, to which.
type RateKey = (Box<str>, Box<str>);

/// All that a charge rests on.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// By account: whose it is, and what was told of it, in that order.
    accounts: HashMap<Uuid, (Uuid, Vec<Account>)>,
    prices: HashMap<PriceKey, Vec<Version<PriceTerms>>>,
    costs: HashMap<CostKey, Vec<Version<CostTerms>>>,
    rates: HashMap<RateKey, Vec<Version<RateTerms>>>,
    /// Where to find the version with an id.
    price_keys: HashMap<Uuid, PriceKey>,
    cost_keys: HashMap<Uuid, CostKey>,
    rate_keys: HashMap<Uuid, RateKey>,
}

/// What a settlement comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rating<'a> {
    Charge {
        payer: &'static str,
        tier: &'a str,
        currency: &'a str,
        price: &'a Version<PriceTerms>,
        own: bool,
    },
    Hold {
        payer: &'static str,
        tier: Option<&'a str>,
        currency: Option<&'a str>,
        reason: &'static str,
    },
}

/// The time that decides, and whether a clock is off.
pub(super) fn rated_at(settlement: &Settlement) -> (Timestamp, bool) {
    let Settlement {
        charged_at,
        received_at,
        ..
    } = *settlement;
    let ahead = charged_at.micros() - received_at.micros();
    let at = if ahead > 0 { received_at } else { charged_at };
    (at, ahead > SKEW_MICROS)
}

/// Whether a settlement came long after the fact.
pub(super) fn is_late(settlement: &Settlement) -> bool {
    settlement.received_at.micros() - settlement.charged_at.micros() > LATE_MICROS
}

impl Book {
    /// Takes in one event; what is no account, price or cost changes nothing.
    pub(super) fn learn(&mut self, event: &LogEvent, findings: &mut Findings) {
        let sound = match &event.body {
            Body::Account(account) => {
                let stays = self.put_account(event, account);
                findings.hold(Invariant::AccountOfOneTenant, stays, || {
                    format!("position {}", event.position)
                });
                true
            }
            Body::PriceOpened(opened) => self.open_price(event, opened),
            Body::CostOpened(opened) => self.open_cost(event, opened),
            Body::PriceClosed(closed) => {
                let versions = self.price_keys.get(&closed.id);
                let versions = versions.and_then(|key| self.prices.get_mut(key));
                versions.is_some_and(|versions| close(versions, event.stream, *closed))
            }
            Body::CostClosed(closed) => {
                let versions = self.cost_keys.get(&closed.id);
                let versions = versions.and_then(|key| self.costs.get_mut(key));
                versions.is_some_and(|versions| close(versions, event.stream, *closed))
            }
            Body::RateOpened(opened) => self.open_rate(event, opened),
            Body::RateClosed(closed) => {
                let versions = self.rate_keys.get(&closed.id);
                let versions = versions.and_then(|key| self.rates.get_mut(key));
                versions.is_some_and(|versions| close(versions, event.stream, *closed))
            }
            _ => true,
        };
        findings.hold(Invariant::OnePriceAtATime, sound, || {
            format!("position {}", event.position)
        });
    }

    /// Takes in an account; `false` if it is not that of the tenant that registered it.
    fn put_account(&mut self, event: &LogEvent, told: &Account) -> bool {
        let tenant = event.tenant.unwrap_or_default();
        let id = told.account.account_id;
        let known = self.accounts.entry(id).or_insert((tenant, Vec::new()));
        known.1.push(told.clone());
        known.0 == tenant && event.tenant.is_some() && event.account == Some(id)
    }

    fn open_price(&mut self, event: &LogEvent, opened: &PriceOpened) -> bool {
        let PriceOpened {
            account_tier,
            operator_id,
            direction,
            currency,
            ..
        } = opened.clone();
        let key = (event.tenant, account_tier, operator_id, direction, currency);
        self.price_keys.insert(opened.pricing_table_id, key.clone());
        let version = Version {
            id: opened.pricing_table_id,
            terms: opened.terms.clone(),
            from: opened.effective_from,
            to: opened.effective_to,
            stream: event.stream,
        };
        open(self.prices.entry(key).or_default(), version)
    }

    fn open_cost(&mut self, event: &LogEvent, opened: &CostOpened) -> bool {
        let key = (opened.operator_id, opened.direction.clone());
        self.cost_keys.insert(opened.operator_cost_id, key.clone());
        let version = Version {
            id: opened.operator_cost_id,
            terms: opened.terms.clone(),
            from: opened.effective_from,
            to: opened.effective_to,
            stream: event.stream,
        };
        event.tenant.is_none() && open(self.costs.entry(key).or_default(), version)
    }

    fn open_rate(&mut self, event: &LogEvent, opened: &RateOpened) -> bool {
        let key = (opened.base_currency.clone(), opened.quote_currency.clone());
        self.rate_keys.insert(opened.exchange_rate_id, key.clone());
        let version = Version {
            id: opened.exchange_rate_id,
            terms: opened.terms,
            from: opened.effective_from,
            to: opened.effective_to,
            stream: event.stream,
        };
        event.tenant.is_none() && open(self.rates.entry(key).or_default(), version)
    }

    /// What a charge costs.
    pub(super) fn assess(&self, charged: &Charged) -> Assessment {
        let settlement = &charged.settlement;
        let key = (settlement.operator_id, settlement.direction.clone());
        let cost = in_effect(self.costs.get(&key), charged.rated_at);
        let due = cost.is_some_and(|cost| cost.terms.due_statuses.contains(&settlement.dlr_status));
        let taken = match cost {
            Some(cost) if due => cost.terms.cost_per_segment.times(settlement.segment_count),
            _ => Millionths::default(),
        };
        let foreign = cost.map(|cost| &cost.terms.currency);
        let foreign = foreign.filter(|own| **own != charged.currency && taken.0 != 0);
        let rate = foreign.and_then(|base| {
            let key = (base.clone(), charged.currency.clone());
            in_effect(self.rates.get(&key), charged.rated_at)
        });
        let converted_cost = match (foreign, rate) {
            (None, _) => Some(taken),
            (Some(_), rate) => rate.and_then(|rate| rate.terms.rate.of(taken)),
        };
        Assessment {
            cost: cost.map(|cost| AppliedCost {
                operator_cost_id: cost.id,
                cost_per_segment: cost.terms.cost_per_segment,
                currency: cost.terms.currency.clone(),
            }),
            due,
            operator_cost: taken,
            exchange: rate.map(|rate| AppliedRate {
                exchange_rate_id: rate.id,
                rate: rate.terms.rate,
            }),
            converted_cost,
            margin: converted_cost.map(|cost| charged.customer_price - cost),
        }
    }

    /// What `settlement` of this tenant and account comes to.
    pub(super) fn rate<'a>(
        &'a self,
        tenant: Uuid,
        account: Uuid,
        settlement: &'a Settlement,
    ) -> Rating<'a> {
        let (at, _) = rated_at(settlement);
        let known = self.accounts.get(&account);
        let registered = known.map(|(owner, told)| (*owner == tenant, account_at(told, at)));
        let (payer, tier, currency) = match registered {
            Some((true, Some(account))) => {
                let (tier, currency) = (&*account.account_tier, &*account.currency);
                (REGISTERED, Some(tier), Some(currency))
            }
            Some((false, _)) => (REGISTERED, None, None),
            None | Some((true, None)) => (
                "STATED",
                settlement.stated_tier.as_deref(),
                settlement.stated_currency.as_deref(),
            ),
        };
        let hold = |reason| Rating::Hold {
            payer,
            tier,
            currency,
            reason,
        };
        if settlement.segment_count > 10 {
            return hold("SEGMENTS_OUT_OF_RANGE");
        }
        let (Some(tier), Some(currency)) = (tier, currency) else {
            return hold("ACCOUNT_UNKNOWN");
        };
        let price = |tenant| {
            let key = (
                tenant,
                tier.into(),
                settlement.operator_id,
                settlement.direction.clone(),
                currency.into(),
            );
            in_effect(self.prices.get(&key), at)
        };
        let own = price(Some(tenant));
        let Some(price) = own.or_else(|| price(None)) else {
            return hold("NO_PRICE");
        };
        Rating::Charge {
            payer,
            tier,
            currency,
            price,
            own: own.is_some(),
        }
    }

    /// Every version of a price, with whose it is.
    pub(super) fn price(&self, id: Uuid) -> Option<&Version<PriceTerms>> {
        let versions = self.prices.get(self.price_keys.get(&id)?)?;
        versions.iter().find(|version| version.id == id)
    }

    /// Every version of a cost.
    pub(super) fn cost(&self, id: Uuid) -> Option<&Version<CostTerms>> {
        let versions = self.costs.get(self.cost_keys.get(&id)?)?;
        versions.iter().find(|version| version.id == id)
    }
}

/// What an account is at a time: of what begins until then, what begins last and was told last.
fn account_at(told: &[Account], at: Timestamp) -> Option<&AccountFacts> {
    let begun = told.iter().filter(|version| version.from <= at);
    let last = begun.max_by_key(|version| version.from)?;
    Some(&last.account)
}

fn in_effect<T>(versions: Option<&Vec<Version<T>>>, at: Timestamp) -> Option<&Version<T>> {
    versions?.iter().find(|version| version.contains(at))
}

/// Adds a version; `false` if that is not in order.
fn open<T>(versions: &mut Vec<Version<T>>, version: Version<T>) -> bool {
    let forward = version.to.is_none_or(|to| version.from < to);
    let alone = !versions
        .iter()
        .any(|other| other.id == version.id || other.meets(&version));
    versions.push(version);
    forward && alone
}

/// Ends a version; `false` if that is not in order.
fn close<T>(versions: &mut [Version<T>], stream: Uuid, closed: Closed) -> bool {
    let version = versions.iter_mut().find(|version| version.id == closed.id);
    let Some(version) = version else {
        return false;
    };
    let sooner = version.to.is_none_or(|to| closed.effective_to <= to);
    let sound = version.stream == stream && sooner && closed.effective_to >= version.from;
    version.to = Some(closed.effective_to);
    sound
}
