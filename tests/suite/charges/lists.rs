//! Price lists and settlements drawn from a seed: anything that may happen, often.
//!
//! Every list is cut at random; each piece has a price from the start, gets one later, or never
//! has one. What must come of it is [`Agreement`]'s arithmetic.

use rand::{RngExt as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use schema::{AccountId, MessageId, OperatorId, Status, TenantId, Timestamp};
use tests::{
    money::Millionths,
    traffic::{
        Agreement, Announced,
        agreement::{Account, Comes, Cost, Price, Standing},
    },
};
use uuid::Uuid;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
/// Lists begin so long ago, and settlements tell of the time since.
const HOURS: i64 = 60;
const TIERS: [&str; 2] = ["STARTER", "ENTERPRISE"];
const CURRENCIES: [&str; 2] = ["EUR", "USD"];
const STATUSES: [Status; 5] = [
    Status::Delivered,
    Status::Undelivered,
    Status::Expired,
    Status::Failed,
    Status::Rejected,
];
const SOME: &[Status] = &[Status::Delivered, Status::Undelivered];
const ONE: &[Status] = &[Status::Failed];
const OPERATORS: usize = 5;
const TENANTS: usize = 6;
const ACCOUNTS: usize = 2;

/// What is agreed and what is announced.
pub(crate) struct Lists {
    pub(crate) agreement: Agreement,
    /// In the order it is sent.
    pub(crate) announced: Vec<Announced>,
}

impl Lists {
    /// About two announcements for each of `messages`.
    pub(crate) fn draw(seed: u64, messages: usize) -> Self {
        let mut draw = Draw {
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: eventstore::clock::now().micros(),
            agreement: Agreement::default(),
            operators: Vec::new(),
            tenants: Vec::new(),
            bounds: Vec::new(),
        };
        draw.operators = (0..OPERATORS).map(|_| OperatorId(draw.id())).collect();
        draw.accounts();
        draw.prices();
        draw.costs();
        let announced = draw.announced(messages);
        Self {
            agreement: draw.agreement,
            announced,
        }
    }

    /// The same with everything known from the start.
    pub(crate) fn all_first(mut self) -> Self {
        for account in self.agreement.accounts.values_mut() {
            account.comes = account.comes.min_first();
        }
        for price in &mut self.agreement.prices {
            price.comes = price.comes.min_first();
        }
        self
    }
}

/// What comes later comes first.
trait Earlier {
    fn min_first(self) -> Self;
}

impl Earlier for Comes {
    fn min_first(self) -> Self {
        match self {
            Self::Later => Self::First,
            other => other,
        }
    }
}

struct Draw {
    rng: ChaCha8Rng,
    now: i64,
    agreement: Agreement,
    operators: Vec<OperatorId>,
    tenants: Vec<(TenantId, Vec<AccountId>)>,
    /// Where something changes.
    bounds: Vec<Timestamp>,
}

/// From, to, and when it is made known.
type Piece = (Timestamp, Option<Timestamp>, Comes);

impl Draw {
    fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.random_range(0..of.len())]
    }

    fn percent(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    fn at(&self, micros: i64) -> Timestamp {
        Timestamp::from_micros(self.now + micros).expect("in range")
    }

    fn comes(&mut self) -> Comes {
        match self.rng.random_range(0..10) {
            0..6 => Comes::First,
            6..8 => Comes::Later,
            _ => Comes::Never,
        }
    }

    fn accounts(&mut self) {
        for _ in 0..TENANTS {
            let tenant = TenantId(self.id());
            let accounts: Vec<_> = (0..ACCOUNTS).map(|_| AccountId(self.id())).collect();
            for account in &accounts {
                // Each fourth is registered from an hour ago on only.
                let since = [1, HOURS + 100, HOURS + 100, HOURS + 100];
                let since = since[self.agreement.accounts.len() % since.len()];
                let from = self.at(-since * HOUR);
                let becomes = self.becomes(from);
                let drawn = Account {
                    tenant,
                    tier: self.one(&TIERS),
                    currency: self.one(&CURRENCIES),
                    name: "Quillon Ltd".to_owned(),
                    address: "1 Quillon Street".to_owned(),
                    from: Some(from),
                    becomes,
                    comes: self.comes(),
                };
                self.agreement.accounts.insert(*account, drawn);
            }
            self.tenants.push((tenant, accounts));
        }
    }

    /// Up to three changes of what it pays by after it is registered, some of them to come.
    fn becomes(&mut self, registered: Timestamp) -> Vec<Standing> {
        let changes = self.rng.random_range(0..4);
        let mut from: Vec<_> = (0..changes)
            .map(|_| {
                let micros = self.rng.random_range(-HOURS * HOUR..HOUR);
                self.at(micros)
            })
            .filter(|at| *at > registered)
            .collect();
        from.sort_unstable();
        from.dedup();
        self.bounds.extend(&from);
        let standing = |from| Standing {
            from,
            tier: self.one(&TIERS),
            currency: self.one(&CURRENCIES),
        };
        from.into_iter().map(standing).collect()
    }

    /// Pieces from the beginning to the end of time.
    fn pieces(&mut self) -> Vec<Piece> {
        let cuts = self.rng.random_range(0..5);
        let mut cuts: Vec<_> = (0..cuts)
            .map(|_| {
                let micros = self.rng.random_range(-HOURS * HOUR..HOUR);
                self.at(micros)
            })
            .collect();
        cuts.push(self.at(-HOURS * HOUR));
        cuts.sort_unstable();
        cuts.dedup();
        self.bounds.extend(&cuts);
        let ends = cuts.clone().into_iter().skip(1).map(Some).chain([None]);
        let pieces: Vec<_> = cuts.into_iter().zip(ends).collect();
        let comes = |(from, to)| (from, to, self.comes());
        pieces.into_iter().map(comes).collect()
    }

    /// From nothing to the dearest there is, to the last place.
    fn unit(&mut self) -> Millionths {
        Millionths(match self.rng.random_range(0..20) {
            0 => 0,
            1 => 1,
            2 => 99_999_999_999,
            _ => self.rng.random_range(0..200_000),
        })
    }

    fn prices(&mut self) {
        for operator in self.operators.clone() {
            for tier in TIERS {
                for currency in CURRENCIES {
                    self.list(None, tier, operator, currency);
                }
            }
        }
        for (tenant, _) in self.tenants.clone() {
            for operator in self.operators.clone() {
                if self.percent(30) {
                    let (tier, currency) = (self.one(&TIERS), self.one(&CURRENCIES));
                    self.list(Some(tenant), tier, operator, currency);
                }
            }
        }
    }

    fn list(
        &mut self,
        tenant: Option<TenantId>,
        tier: &'static str,
        operator: OperatorId,
        currency: &'static str,
    ) {
        for (from, to, comes) in self.pieces() {
            let price = Price {
                tenant,
                tier,
                operator,
                currency,
                model: self.one(&["PER_SEGMENT", "FLAT_PER_MESSAGE"]),
                unit: self.unit(),
                billable: self.one(&[None, Some(SOME), Some(ONE)]),
                from,
                to,
                // One's own price may not re-price what was charged by the platform's.
                comes: match (tenant, comes) {
                    (Some(_), Comes::Later) => Comes::Never,
                    _ => comes,
                },
            };
            if price.comes != Comes::Never {
                self.agreement.add(price);
            }
        }
    }

    fn costs(&mut self) {
        for operator in self.operators.clone() {
            for (from, to, comes) in self.pieces() {
                let currency = self.one(&["EUR", "EUR", "EUR", "USD"]);
                let per_segment = self.unit();
                if comes != Comes::Never {
                    self.agreement.costs.push(Cost {
                        operator,
                        currency,
                        per_segment,
                        from,
                        to,
                    });
                }
            }
        }
    }

    /// Settlements, repeats and contradictions, in any order.
    fn announced(&mut self, messages: usize) -> Vec<Announced> {
        let mut all = Vec::new();
        for _ in 0..messages {
            let message = MessageId(self.id());
            let (tenant, accounts) = {
                let place = self.rng.random_range(0..self.tenants.len());
                self.tenants[place].clone()
            };
            let contents = match self.rng.random_range(0..20) {
                0 => 3,
                1..3 => 2,
                _ => 1,
            };
            for _ in 0..contents {
                let account = self.one(&accounts);
                let first = self.settlement(message, tenant, account);
                all.push(first);
                while self.percent(40) {
                    let mut again = first;
                    if self.percent(50) {
                        again.event_id = self.id();
                    }
                    all.push(again);
                }
            }
        }
        all.shuffle(&mut self.rng);
        all
    }

    fn settlement(
        &mut self,
        message: MessageId,
        tenant: TenantId,
        account: AccountId,
    ) -> Announced {
        // Of an account that is registered later it would depend on the moment which tier counts.
        let names = self.agreement.accounts[&account].comes != Comes::Later;
        let tier = self.one(&TIERS);
        let currency = self.one(&CURRENCIES);
        let operators = self.operators.clone();
        Announced {
            event_id: self.id(),
            message,
            tenant,
            account,
            operator: self.one(&operators),
            segments: self.rng.random_range(1..=10),
            status: self.one(&STATUSES),
            charged_at: self.charged_at(),
            tier: (names && self.percent(70)).then_some(tier),
            currency: (names && self.percent(70)).then_some(currency),
        }
    }

    /// Mostly in the past, often late, sometimes to come, and sometimes just when a price changes.
    fn charged_at(&mut self) -> Timestamp {
        let bounds = self.bounds.clone();
        let micros = match self.rng.random_range(0..20) {
            0..3 => return self.one(&bounds),
            3..5 => self.rng.random_range(HOUR..48 * HOUR),
            5 => self.rng.random_range(0..4 * SECOND),
            // Before all lists.
            6 => -(HOURS + 1) * HOUR,
            7..10 => self.rng.random_range(-HOURS * HOUR..-24 * HOUR),
            _ => self.rng.random_range(-24 * HOUR..0),
        };
        self.at(micros)
    }
}
