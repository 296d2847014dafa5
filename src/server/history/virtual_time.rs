//! Fair queueing by virtual time: the next one is whichever has used least.
//!
//! Pure: callers pass in how long each use took; it does not know what they use. A newcomer starts level with
//! those that had their share all along, except that its first turn comes before theirs, because half of them
//! are about to have one. So nobody saves up by staying away, and a stream of new keys does not starve the
//! others.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Duration;

/// Below this number, nothing is forgotten, as there is little to gain.
const FEW: usize = 16;

/// Bounded by the keys that wait, and those that had more than their share a moment ago.
#[derive(Debug)]
pub(super) struct VirtualTimeQueue<K, V> {
    /// The use of a key that had its share all along.
    level: Duration,
    /// The longest recent turn.
    turn: Duration,
    all: HashMap<K, Share<V>>,
    /// Keys that wait, by use, then by arrival.
    line: BTreeSet<(Duration, u64, K)>,
    came: u64,
    sweep_at: usize,
}

#[derive(Debug)]
struct Share<V> {
    used: Duration,
    /// Its head start until its first turn; then counts as used.
    ahead: Duration,
    /// Its number of arrival while it waits.
    place: Option<u64>,
    held: V,
}

impl<K, V> Default for VirtualTimeQueue<K, V> {
    fn default() -> Self {
        let (all, line) = (HashMap::new(), BTreeSet::new());
        Self { level: Duration::ZERO, turn: Duration::ZERO, all, line, came: 0, sweep_at: FEW }
    }
}

impl<K: Copy + Ord + Hash, V: Default> VirtualTimeQueue<K, V> {
    /// Lets a key wait, if it does not yet.
    pub(super) fn enter(&mut self, key: K) -> &mut V {
        let new = || Share { used: self.level, ahead: Duration::ZERO, place: None, held: V::default() };
        let share = self.all.entry(key).or_insert_with(new);
        if share.place.is_none() {
            if share.used <= self.level {
                share.ahead = self.turn.min(self.level);
                share.used = self.level - share.ahead;
            }
            self.came += 1;
            share.place = Some(self.came);
            self.line.insert((share.used, self.came, key));
        }
        &mut share.held
    }

    /// Stops waiting.
    pub(super) fn leave(&mut self, key: K) {
        if let Some(share) = self.all.get_mut(&key)
            && let Some(place) = share.place.take()
        {
            self.line.remove(&(share.used, place, key));
        }
    }

    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.all.get_mut(&key).map(|share| &mut share.held)
    }

    /// The keys that wait, in order.
    pub(super) fn line(&self) -> impl Iterator<Item = (K, &V)> {
        self.line.iter().filter_map(|(_, _, key)| Some((*key, &self.all.get(key)?.held)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Charges a key for a turn; if it waits, it moves behind all with less use.
    pub(super) fn charge(&mut self, key: K, took: Duration) {
        let Some(share) = self.all.get_mut(&key) else { return };
        let place = share.place.take();
        if let Some(place) = place {
            self.line.remove(&(share.used, place, key));
        }
        share.used += took + std::mem::take(&mut share.ahead);
        self.turn = took.max(self.turn - self.turn / 16);
        // The others will have had that share, too, after their next turns.
        self.level += took / u32::try_from(self.line.len() + 1).unwrap_or(u32::MAX);
        if place.is_some() {
            self.came += 1;
            share.place = Some(self.came);
            self.line.insert((share.used, self.came, key));
        }
    }

    /// Forgets keys that would start like newcomers anyway, unless `keep`. Walks through all keys, so it waits
    /// until their number has doubled since the last walk.
    pub(super) fn forget(&mut self, keep: impl Fn(&V) -> bool) {
        if self.all.len() > self.sweep_at {
            let level = self.level;
            self.all.retain(|_, share| share.place.is_some() || share.used > level || keep(&share.held));
            self.sweep_at = FEW.max(self.all.len() * 2);
            self.all.shrink_to(self.sweep_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_millis(10);

    type Names = VirtualTimeQueue<&'static str, ()>;

    /// The next one has a turn of that time, and waits for another.
    fn turn(shares: &mut Names, took: Duration) -> &'static str {
        let (next, ()) = shares.line().next().expect("one that waits");
        shares.charge(next, took);
        next
    }

    #[test]
    fn all_have_the_same_time_whatever_they_take_at_a_time() {
        let mut shares = Names::default();
        let mut had = HashMap::from([("quick", Duration::ZERO), ("slow", Duration::ZERO)]);
        shares.enter("quick");
        shares.enter("slow");
        for _ in 0..600 {
            let (next, ()) = shares.line().next().expect("one that waits");
            let took = if next == "slow" { TURN * 5 } else { TURN };
            shares.charge(next, took);
            *had.get_mut(next).expect("one of them") += took;
        }
        assert!(had["quick"].abs_diff(had["slow"]) <= TURN * 5, "{had:?}");
    }

    #[test]
    fn a_newcomer_is_before_those_who_had_a_turn_and_saves_up_nothing() {
        let mut shares = Names::default();
        shares.enter("old");
        for _ in 0..100 {
            turn(&mut shares, TURN);
        }
        // It comes while the old one has its turn.
        shares.enter("new");
        shares.charge("old", TURN);
        // Not a hundred turns in a row.
        let next: Vec<_> = (0..6).map(|_| turn(&mut shares, TURN)).collect();
        assert_eq!(next, ["new", "old", "new", "old", "new", "old"]);
    }

    #[test]
    fn a_newcomer_is_before_most_of_those_who_wait_for_their_next_turn() {
        let mut shares: VirtualTimeQueue<u32, ()> = VirtualTimeQueue::default();
        shares.enter(0);
        for number in 0..1100 {
            // They too were newcomers once.
            if number == 50 {
                (1..100).for_each(|name| *shares.enter(name) = ());
            }
            let next = shares.line().next().expect("one that waits").0;
            shares.charge(next, TURN + Duration::from_micros(number % 7));
        }
        shares.enter(100);
        let before = shares.line().position(|(name, ())| name == 100).expect("it waits");
        assert!(before <= 5, "{before}");
    }

    #[test]
    fn a_stream_of_new_keys_does_not_starve_an_old_one() {
        let mut shares: VirtualTimeQueue<u32, ()> = VirtualTimeQueue::default();
        let mut turns = 0;
        shares.enter(0);
        for name in 1..100 {
            shares.enter(name);
            let next = shares.line().next().expect("one that waits").0;
            shares.charge(next, TURN);
            turns += u32::from(next == 0);
            if next != 0 {
                shares.leave(next);
            }
        }
        assert!(turns >= 10, "{turns}");
    }

    #[test]
    fn keys_that_left_are_forgotten() {
        let mut shares: VirtualTimeQueue<u32, ()> = VirtualTimeQueue::default();
        for name in 0..10_000 {
            shares.enter(name);
            shares.charge(name, TURN);
            shares.leave(name);
            shares.forget(|()| false);
        }
        assert!(shares.all.len() <= FEW + 1, "{}", shares.all.len());
        assert!(shares.is_empty());
    }
}
