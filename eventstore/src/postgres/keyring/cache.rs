//! What the keyring of a process has learned, so that a batch of known tenants costs no query.
//!
//! Only keys that opened are kept. Of those that did not, only the numbers are, to be told and
//! tried again. A destroyed key must not stay here.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use schema::{Pseudonym, TenantId};
use time::Date;
use uuid::Uuid;

use super::TellLocked;
use crate::{
    keyring::{KnownTenant, Locked},
    seal::DataKey,
};

/// How many days' keys are kept in memory: enough for everything that may still find its message.
const DAYS: usize = 32;

/// See the module.
pub(super) struct KeyCache {
    known: Mutex<CachedKeys>,
    tell: TellLocked,
}

#[derive(Default)]
pub(super) struct CachedKeys {
    pub(super) tenants: HashMap<TenantId, (Pseudonym, DataKey)>,
    pub(super) pseudonyms: HashMap<Pseudonym, TenantId>,
    days: HashMap<Date, DataKey>,
    keys: HashMap<i64, DataKey>,
    locked: BTreeSet<i64>,
}

impl CachedKeys {
    pub(super) fn keep_day(&mut self, day: Date, key: DataKey) {
        if self.days.len() >= DAYS {
            self.days.clear();
        }
        self.days.insert(day, key);
    }
}

impl KeyCache {
    pub(super) fn new(tell: TellLocked) -> Self {
        Self {
            known: Mutex::default(),
            tell,
        }
    }

    fn known(&self) -> MutexGuard<'_, CachedKeys> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what came of opening a key; `keep` adds what else is known about it.
    pub(super) fn learn(
        &self,
        opened: Result<&DataKey, &Locked>,
        keep: impl FnOnce(&mut CachedKeys, Option<DataKey>),
    ) {
        let mut known = self.known();
        match opened {
            Ok(key) => {
                known.keys.insert(key.id(), key.clone());
                if known.locked.remove(&key.id()) {
                    tracing::info!(event = "keyring.key_opened", key = key.id());
                }
            }
            Err(&Locked { key, master_key }) => {
                if known.locked.insert(key) {
                    tracing::error!(event = "keyring.key_locked", key, masterKey = master_key);
                }
            }
        }
        keep(&mut known, opened.ok().cloned());
        (self.tell)(known.locked.len());
    }

    pub(super) fn learn_pseudonyms(&self, found: &HashMap<Pseudonym, TenantId>) {
        self.known().pseudonyms.extend(found);
    }

    /// The keys that did not open when they were last tried.
    pub(super) fn locked(&self) -> Vec<i64> {
        self.known().locked.iter().copied().collect()
    }

    pub(super) fn forget(&self) {
        *self.known() = CachedKeys::default();
        (self.tell)(0);
    }

    pub(super) fn forget_destroyed(&self, destroyed: &[i64]) {
        let mut known = self.known();
        let known = &mut *known;
        for key in destroyed {
            known.locked.remove(key);
            if known.keys.remove(key).is_some() {
                tracing::info!(event = "keyring.key_forgotten", key);
                known.days.retain(|_, day| day.id() != *key);
                let pseudonyms = &mut known.pseudonyms;
                known.tenants.retain(|_, (pseudonym, of_tenant)| {
                    let stays = of_tenant.id() != *key;
                    if !stays {
                        pseudonyms.remove(pseudonym);
                    }
                    stays
                });
            }
        }
        (self.tell)(known.locked.len());
    }

    pub(super) fn of_day(&self, day: Date) -> Option<DataKey> {
        self.known().days.get(&day).cloned()
    }

    /// Those that are known, and those that are not.
    pub(super) fn tenants(
        &self,
        tenants: &[TenantId],
    ) -> (HashMap<TenantId, KnownTenant>, Vec<TenantId>) {
        let known = self.known();
        split(tenants, |tenant| {
            let (pseudonym, key) = known.tenants.get(tenant)?.clone();
            let key = Ok(Some(key));
            Some(KnownTenant { pseudonym, key })
        })
    }

    /// Those that are known, and those that are not.
    pub(super) fn keys(&self, keys: &[i64]) -> (HashMap<i64, Result<DataKey, Locked>>, Vec<i64>) {
        let known = self.known();
        split(keys, |key| known.keys.get(key).cloned().map(Ok))
    }

    /// Those that are known, and the ids of those that are not.
    pub(super) fn pseudonyms(
        &self,
        pseudonyms: &[Pseudonym],
    ) -> (HashMap<Pseudonym, TenantId>, Vec<Uuid>) {
        let known = self.known();
        let (found, missing) = split(pseudonyms, |name| known.pseudonyms.get(name).copied());
        (found, missing.into_iter().map(|name| name.0).collect())
    }
}

fn split<K: Copy + Eq + std::hash::Hash, V>(
    asked: &[K],
    find: impl Fn(&K) -> Option<V>,
) -> (HashMap<K, V>, Vec<K>) {
    let mut found = HashMap::with_capacity(asked.len());
    let mut missing = Vec::new();
    for key in asked {
        match find(key) {
            Some(value) => {
                found.insert(*key, value);
            }
            None => missing.push(*key),
        }
    }
    (found, missing)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::seal::KEY_LEN;

    fn memory() -> (KeyCache, Arc<AtomicUsize>) {
        let told = Arc::new(AtomicUsize::new(0));
        let tell = Arc::clone(&told);
        let memory = KeyCache::new(Arc::new(move |locked| {
            tell.store(locked, Ordering::Relaxed);
        }));
        (memory, told)
    }

    #[test]
    fn a_destroyed_key_is_forgotten_with_its_tenant_and_no_other() {
        let (memory, _) = memory();
        let named = |number| TenantId(Uuid::from_u128(number));
        for number in [1, 2] {
            let key = DataKey::new(number, &[1; KEY_LEN]);
            let number = number.unsigned_abs().into();
            let pseudonym = Pseudonym(Uuid::from_u128(100 + number));
            memory.learn(Ok(&key), |known, key| {
                let key = key.expect("it opened");
                known.pseudonyms.insert(pseudonym, named(number));
                known.tenants.insert(named(number), (pseudonym, key));
            });
        }
        memory.forget_destroyed(&[1, 99]);
        let (found, missing) = memory.tenants(&[named(1), named(2)]);
        assert!(found.contains_key(&named(2)));
        assert_eq!(missing, [named(1)]);
        assert_eq!(memory.keys(&[1, 2]).1, [1]);
        let pseudonym = Pseudonym(Uuid::from_u128(101));
        assert_eq!(memory.pseudonyms(&[pseudonym]).1.len(), 1);
    }

    #[test]
    fn a_locked_key_is_told_until_it_opens_or_goes() {
        let (memory, told) = memory();
        let locked = |key| Locked { key, master_key: 1 };
        memory.learn(Err(&locked(1)), |_, _| {});
        memory.learn(Err(&locked(2)), |_, _| {});
        assert_eq!(
            (memory.locked(), told.load(Ordering::Relaxed)),
            (vec![1, 2], 2)
        );
        memory.learn(Ok(&DataKey::new(1, &[1; KEY_LEN])), |_, _| {});
        assert_eq!(
            (memory.locked(), told.load(Ordering::Relaxed)),
            (vec![2], 1)
        );
        memory.forget_destroyed(&[2]);
        assert_eq!((memory.locked(), told.load(Ordering::Relaxed)), (vec![], 0));
    }
}
