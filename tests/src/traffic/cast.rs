//! Who takes part: tenants with their accounts, and carriers with their habits of naming messages.
//!
//! A few are large and many are small: the weight of the k-th is proportional to 1/k.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use schema::{AccountId, OperatorId, OperatorMessageId, TenantId};
use uuid::{Builder, Uuid};

/// Everybody, drawn once per traffic.
pub(super) struct Cast {
    tenants: Vec<Tenant>,
    operators: Vec<Operator>,
    tenant_weights: Weights,
    operator_weights: Weights,
    /// Keeps the ids of one traffic apart from those of another in the same database.
    mark: u16,
}

struct Tenant {
    id: TenantId,
    accounts: Vec<AccountId>,
}

struct Operator {
    id: OperatorId,
    /// Counts its messages, as every carrier does: so their ids repeat between carriers.
    next: u64,
}

/// Where a message comes from and through whom it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Role {
    pub(super) tenant: TenantId,
    pub(super) account: AccountId,
    pub(super) operator: usize,
}

impl Cast {
    pub(super) fn draw(rng: &mut ChaCha8Rng, tenants: usize, operators: usize) -> Self {
        let tenant = |rng: &mut ChaCha8Rng| Tenant {
            id: TenantId(random_uuid(rng)),
            accounts: (0..rng.random_range(1..=5))
                .map(|_| AccountId(random_uuid(rng)))
                .collect(),
        };
        Self {
            tenants: (0..tenants.max(1)).map(|_| tenant(rng)).collect(),
            operators: (0..operators.max(1))
                .map(|_| Operator {
                    id: OperatorId(random_uuid(rng)),
                    next: 0,
                })
                .collect(),
            tenant_weights: Weights::power_law(tenants.max(1)),
            operator_weights: Weights::power_law(operators.max(1)),
            mark: rng.random(),
        }
    }

    pub(super) fn role(&self, rng: &mut ChaCha8Rng) -> Role {
        let tenant = &self.tenants[self.tenant_weights.pick(rng)];
        let account = tenant.accounts[rng.random_range(0..tenant.accounts.len())];
        Role {
            tenant: tenant.id,
            account,
            operator: self.operator_weights.pick(rng),
        }
    }

    /// Every tenant with its accounts, the largest first.
    pub(super) fn tenants(&self) -> impl Iterator<Item = (TenantId, &[AccountId])> {
        let tenants = self.tenants.iter();
        tenants.map(|tenant| (tenant.id, tenant.accounts.as_slice()))
    }

    /// Every carrier, the largest first.
    pub(super) fn operators(&self) -> impl Iterator<Item = OperatorId> {
        self.operators.iter().map(|operator| operator.id)
    }

    pub(super) fn operator_id(&self, operator: usize) -> OperatorId {
        self.operators[operator].id
    }

    /// The carrier's next id. Every carrier counts from 1, a third of them each in decimal, in
    /// hexadecimal and with characters that are allowed though nobody expects them.
    pub(super) fn next_message(&mut self, operator: usize) -> OperatorMessageId {
        let mark = self.mark;
        let count = &mut self.operators[operator].next;
        *count += 1;
        let text = match operator % 3 {
            0 => format!("{mark:04x}-{count}"),
            1 => format!("{mark:04X}{count:08X}"),
            _ => format!("{mark:04x} '{count}\";--\\%s~"),
        };
        // Unwrap safety: all three spellings are printable ASCII of at most 34 characters.
        OperatorMessageId::new(&text).expect("printable and short")
    }
}

/// Cumulated weights, so that drawing is one search.
struct Weights(Vec<u64>);

impl Weights {
    fn power_law(count: usize) -> Self {
        let mut sum = 0;
        let cumulated = (1_u64..).take(count).map(|rank| {
            sum += 1_000_000 / rank;
            sum
        });
        Self(cumulated.collect())
    }

    fn pick(&self, rng: &mut ChaCha8Rng) -> usize {
        let total = self.0.last().copied().unwrap_or(1);
        let draw = rng.random_range(0..total);
        self.0.partition_point(|&upto| upto <= draw)
    }
}

/// A UUID of version 4 from the seeded source.
pub(super) fn random_uuid(rng: &mut ChaCha8Rng) -> Uuid {
    Builder::from_random_bytes(rng.random::<u128>().to_be_bytes()).into_uuid()
}

/// A UUID of version 7 from the seeded source: ordered by time.
pub(super) fn ordered_uuid(rng: &mut ChaCha8Rng, unix_millis: u64) -> Uuid {
    let random: [u8; 10] = rng.random();
    Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_few_are_large_and_many_are_small() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let cast = Cast::draw(&mut rng, 100, 20);
        let mut messages: HashMap<TenantId, u32> = HashMap::new();
        for _ in 0..20_000 {
            *messages.entry(cast.role(&mut rng).tenant).or_default() += 1;
        }
        let mut counts: Vec<_> = messages.into_values().collect();
        counts.sort_unstable();
        assert_eq!(counts.len(), 100, "nobody is left out");
        assert!(counts[99] > 20 * counts[0], "{counts:?}");
    }

    #[test]
    fn ids_repeat_between_carriers_and_not_at_one() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut cast = Cast::draw(&mut rng, 1, 9);
        let mut at_one = HashSet::new();
        let mut anywhere = HashSet::new();
        for operator in 0..9 {
            for _ in 0..100 {
                let id = cast.next_message(operator);
                assert!(at_one.insert((operator, id.clone())));
                anywhere.insert(id);
            }
        }
        assert_eq!((at_one.len(), anywhere.len()), (900, 300));
    }
}
