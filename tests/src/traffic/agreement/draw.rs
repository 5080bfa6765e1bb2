//! Draws an agreement from the seed of a traffic.
//!
//! Everything that can happen to a price happens: versions that change within the hour the
//! receipts tell of, prices of a tenant's own, statuses that are not charged for, a carrier that
//! takes more than it brings, one without a known cost, one paid in another currency, a price
//! that is missing at first, accounts nobody registered yet or ever.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::{OperatorId, Status, Timestamp};

use super::{Account, Agreement, Comes, Cost, Price, Standing};
use crate::{
    money::Millionths,
    traffic::{PRIVATE_MARK, Shape, cast::Cast},
};

const MINUTE_MICROS: i64 = 60_000_000;
/// Keeps the draws of an agreement apart from those of its traffic.
const APART: u64 = 0x7a21_ff00;

/// Tiers, each as often as its share, in hundredths.
const TIERS: [(&str, u32); 4] = [
    ("STARTER", 45),
    ("GROWTH", 30),
    ("ENTERPRISE", 20),
    ("CUSTOM", 5),
];
const HOME: &str = "EUR";
const ABROAD: &str = "USD";
/// Carriers by their place in the cast, the largest first: what is special about them.
const MISSING_PRICE: usize = 2;
const LOSS: usize = 3;
const NO_COST: usize = 5;
const PAID_ABROAD: usize = 9;
/// The largest carriers change their prices.
const CHANGING: usize = 6;
/// The tier whose price through [`MISSING_PRICE`] is missing at first.
const MISSING_TIER: &str = "ENTERPRISE";

impl Agreement {
    /// The agreement of a traffic: the same shape draws the same one.
    #[must_use]
    pub fn draw(shape: &Shape) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(shape.seed);
        let cast = Cast::draw(&mut rng, shape.tenants, shape.operators);
        let mut draw = Draw {
            rng: ChaCha8Rng::seed_from_u64(shape.seed ^ APART),
            start: shape.start,
            agreement: Self::default(),
        };
        draw.accounts(&cast);
        for (place, operator) in cast.operators().enumerate() {
            draw.platform_prices(place, operator);
            draw.cost(place, operator);
        }
        draw.own_prices(&cast);
        draw.agreement
    }
}

struct Draw {
    rng: ChaCha8Rng,
    start: Timestamp,
    agreement: Agreement,
}

impl Draw {
    fn accounts(&mut self, cast: &Cast) {
        for (place, (tenant, accounts)) in cast.tenants().enumerate() {
            let comes = match (place % 40, place % 80) {
                (17, 57) => Comes::Never,
                (17, _) => Comes::Later,
                _ => Comes::First,
            };
            for account in accounts {
                let abroad = self.rng.random_ratio(1, 25);
                let drawn = Account {
                    tenant,
                    tier: self.tier(),
                    currency: if abroad { ABROAD } else { HOME },
                    name: format!("{PRIVATE_MARK} Trading {place} Ltd"),
                    address: format!("{} {PRIVATE_MARK} Street", self.rng.random_range(1..99)),
                    from: Some(self.minutes(-180)),
                    becomes: self.becomes(abroad),
                    comes,
                };
                self.agreement.accounts.insert(*account, drawn);
            }
        }
    }

    /// Some change their tier within the hour of the traffic, and some of these back again.
    fn becomes(&mut self, abroad: bool) -> Vec<Standing> {
        let currency = if abroad { ABROAD } else { HOME };
        let changes = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2][self.rng.random_range(0..10)];
        let minutes = [-30, -10].into_iter().take(changes);
        minutes
            .map(|minutes| Standing {
                from: self.minutes(minutes),
                tier: self.tier(),
                currency,
            })
            .collect()
    }

    fn tier(&mut self) -> &'static str {
        let mut draw = self.rng.random_range(0..100);
        for (tier, share) in TIERS {
            if draw < share {
                return tier;
            }
            draw -= share;
        }
        TIERS[0].0
    }

    /// One price list per tier and currency; of the large carriers, three versions of it.
    fn platform_prices(&mut self, place: usize, operator: OperatorId) {
        for (rank, (tier, _)) in TIERS.into_iter().enumerate() {
            for currency in [HOME, ABROAD] {
                let missing = (place, tier, currency) == (MISSING_PRICE, MISSING_TIER, HOME);
                let price = Price {
                    tenant: None,
                    tier,
                    operator,
                    currency,
                    model: model(place.is_multiple_of(5) && place > 0),
                    unit: self.unit(90_000 - 15_000 * i128::try_from(rank).unwrap_or(0)),
                    billable: billable(tier),
                    from: self.minutes(-180),
                    to: None,
                    comes: if missing { Comes::Later } else { Comes::First },
                };
                if place < CHANGING && !missing {
                    self.changing(&price);
                } else {
                    self.agreement.add(price);
                }
            }
        }
    }

    /// Three versions, one after the other, within the hour of the traffic.
    fn changing(&mut self, first: &Price) {
        let bounds = [self.minutes(-40), self.minutes(-15)];
        let (mut from, mut unit) = (first.from, first.unit);
        for to in [Some(bounds[0]), Some(bounds[1]), None] {
            let version = Price {
                unit,
                from,
                to,
                ..first.clone()
            };
            self.agreement.add(version);
            from = to.unwrap_or(from);
            unit = self.unit(unit.0 + 7_000);
        }
    }

    fn cost(&mut self, place: usize, operator: OperatorId) {
        if place == NO_COST {
            return;
        }
        let about = if place == LOSS { 250_000 } else { 18_000 };
        let mut cost = Cost {
            operator,
            currency: if place == PAID_ABROAD { ABROAD } else { HOME },
            per_segment: self.unit(about),
            from: self.minutes(-180),
            to: None,
        };
        if place.is_multiple_of(4) {
            let bound = self.minutes(-25);
            self.agreement.costs.push(Cost {
                to: Some(bound),
                ..cost.clone()
            });
            cost.from = bound;
            cost.per_segment = self.unit(about + 2_000);
        }
        self.agreement.costs.push(cost);
    }

    /// Some tenants have agreed on prices of their own with the two largest carriers, half of
    /// these only for the first part of the hour.
    fn own_prices(&mut self, cast: &Cast) {
        let operators: Vec<_> = cast.operators().take(2).collect();
        for (place, (tenant, accounts)) in cast.tenants().enumerate() {
            if place % 10 != 3 {
                continue;
            }
            let mut kinds: Vec<_> = accounts
                .iter()
                .flat_map(|account| self.agreement.accounts[account].versions())
                .map(|account| (account.tier, account.currency))
                .collect();
            kinds.sort_unstable();
            kinds.dedup();
            for (tier, currency) in kinds {
                for &operator in &operators {
                    let price = Price {
                        tenant: Some(tenant),
                        tier,
                        operator,
                        currency,
                        model: model(place % 20 == 3),
                        unit: self.unit(30_000),
                        billable: Some(&[Status::Delivered, Status::Undelivered]),
                        from: self.minutes(-120),
                        to: (place % 20 == 13).then(|| self.minutes(-20)),
                        comes: Comes::First,
                    };
                    self.agreement.add(price);
                }
            }
        }
    }

    /// A unit price of about so many millionths, to the last place.
    fn unit(&mut self, about: i128) -> Millionths {
        Millionths(about + self.rng.random_range(0..5_000))
    }

    fn minutes(&self, minutes: i64) -> Timestamp {
        let micros = self.start.micros() + minutes * MINUTE_MICROS;
        Timestamp::from_micros(micros).unwrap_or(self.start)
    }
}

const fn model(flat: bool) -> &'static str {
    if flat {
        "FLAT_PER_MESSAGE"
    } else {
        "PER_SEGMENT"
    }
}

/// What is charged for: the larger the account, the less.
fn billable(tier: &str) -> Option<&'static [Status]> {
    match tier {
        "GROWTH" => Some(&[Status::Delivered, Status::Undelivered, Status::Expired]),
        "ENTERPRISE" => Some(&[Status::Delivered]),
        _ => None,
    }
}
