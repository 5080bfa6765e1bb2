//! Who is awake, who has nothing to do, and who is let go: plain bookkeeping, without actors.
//!
//! Whoever is awake is given things one after the other and says after each how many it has
//! handled. Because nobody else gives it anything, it has nothing to do exactly if it has handled
//! all it was given, and only then may it be let go: nothing is under way there. Of those that
//! have nothing to do the longest idle are let go first, once there are too many.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// Everyone awake, by key; `A` is what is known of one.
pub(crate) struct Awake<K, A> {
    members: HashMap<K, Member<A>>,
    /// Those that had nothing to do, with how much they had handled then, longest idle first.
    /// Whoever was given something since is skipped when met.
    idle: VecDeque<(K, u64)>,
    /// The most that may be idle.
    idle_max: usize,
}

struct Member<A> {
    who: A,
    /// How much it has been given.
    given: u64,
}

impl<K: Copy + Eq + Hash, A> Awake<K, A> {
    /// Nobody; later on at most `idle_max` that have nothing to do.
    pub(crate) fn new(idle_max: usize) -> Self {
        Self {
            members: HashMap::new(),
            idle: VecDeque::new(),
            idle_max,
        }
    }

    /// `key` is awake, and has been given so much.
    pub(crate) fn wake(&mut self, key: K, who: A, given: u64) {
        self.members.insert(key, Member { who, given });
    }

    /// Whoever is awake under `key`.
    pub(crate) fn get(&mut self, key: &K) -> Option<&mut A> {
        Some(&mut self.members.get_mut(key)?.who)
    }

    /// Whoever is awake under `key`, who is being given one thing more.
    pub(crate) fn give(&mut self, key: &K) -> Option<&mut A> {
        let member = self.members.get_mut(key)?;
        member.given += 1;
        Some(&mut member.who)
    }

    /// `key` has handled so much, and waits. Gives back those that are let go for it.
    #[must_use]
    pub(crate) fn rest(&mut self, key: K, handled: u64) -> Vec<A> {
        self.idle.push_back((key, handled));
        let mut gone = Vec::new();
        while self.idle.len() > self.idle_max {
            if let Some((key, handled)) = self.idle.pop_front() {
                gone.extend(self.let_go(&key, handled));
            }
        }
        gone
    }

    /// Gives `key` back, which is not awake any more, if it has nothing to do: it was given
    /// nothing since it had handled so much.
    #[must_use]
    pub(crate) fn let_go(&mut self, key: &K, handled: u64) -> Option<A> {
        let member = self.members.get(key)?;
        if member.given != handled {
            return None;
        }
        self.forget(key)
    }

    /// Gives `key` back, whatever it has to do; it is not awake any more.
    pub(crate) fn forget(&mut self, key: &K) -> Option<A> {
        self.members.remove(key).map(|member| member.who)
    }

    /// Forgets all but those that are to stay.
    pub(crate) fn retain(&mut self, stays: impl Fn(&A) -> bool) {
        self.members.retain(|_, member| stays(&member.who));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everyone of these is awake and was given one thing.
    fn awake(idle_max: usize, all: &[u8]) -> Awake<u8, u8> {
        let mut awake = Awake::new(idle_max);
        for one in all {
            awake.wake(*one, *one, 0);
            assert_eq!(awake.give(one), Some(one).copied().as_mut());
        }
        awake
    }

    #[test]
    fn the_longest_idle_is_let_go_when_there_are_too_many() {
        let mut awake = awake(2, &[1, 2, 3]);
        assert!(awake.rest(2, 1).is_empty());
        assert!(awake.rest(1, 1).is_empty());
        assert_eq!(awake.rest(3, 1), [2]);
        assert_eq!(awake.get(&2), None);
        assert!(awake.get(&1).is_some());
    }

    #[test]
    fn whoever_was_given_something_since_is_not_let_go() {
        let mut awake = awake(1, &[1, 2]);
        assert!(awake.rest(1, 1).is_empty());
        assert!(awake.give(&1).is_some());
        assert!(awake.rest(2, 1).is_empty(), "1 has something to do");
        assert!(awake.get(&1).is_some());
        assert_eq!(awake.let_go(&1, 1), None);
        assert_eq!(awake.let_go(&1, 2), Some(1));
    }

    #[test]
    fn whoever_died_is_forgotten_and_may_wake_again() {
        let mut awake = awake(2, &[1, 2]);
        assert!(awake.rest(1, 1).is_empty());
        awake.retain(|one| *one != 1);
        assert_eq!(awake.give(&1), None);
        awake.wake(1, 7, 0);
        assert_eq!(awake.forget(&1), Some(7));
    }
}
