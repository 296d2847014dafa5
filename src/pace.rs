//! Rate limits: token buckets, and bounded tables of them.
//!
//! Knows neither what they limit nor for whom.

use crate::limits::{DEFAULT_RATE_BURST, DEFAULT_RATE_PER_SECOND};
use std::fmt;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::str::FromStr;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

/// The fastest pace, and the largest burst.
const MOST: u32 = 10_000;

/// A pace with a burst.
///
/// As text, it is `RATE[:BURST]`, in messages per second and messages: `5:20`. The default burst is four
/// seconds' worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The cost of one, in nanoseconds.
    each: u64,
    burst: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected messages per second and how many at once, such as 5:20")]
pub struct InvalidRate;

/// How much of a rate is used up: the time at which the bucket will be full again, as an uptime in
/// nanoseconds. In the past: it is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bucket(u64);

/// `N` buckets for each of many people. It forgets people whose buckets are all full.
///
/// Each person has a few possible places in the table, so no operation scans all of it.
#[derive(Debug)]
pub(crate) struct Buckets<const N: usize = 1> {
    /// Each at one of [`WINDOW`] places, starting at its hash. Two people who share a hash would be limited
    /// together, once in 2^64.
    places: Vec<(u64, [Bucket; N])>,
    /// Randomly keyed, because people choose what is hashed.
    hasher: RandomState,
    most: usize,
}

/// Possible places per person.
const WINDOW: usize = 16;

/// The initial size of a table.
const FEWEST: usize = 64;

impl Rate {
    /// `None` unless both are between 1 and 10,000.
    pub fn per_second(number: u32, burst: u32) -> Option<Self> {
        let fits = |value: u32| (1..=MOST).contains(&value);
        (fits(number) && fits(burst)).then(|| Self::every(1, number, burst))
    }

    /// A rate per `seconds`; both numbers must be at least 1.
    pub(crate) const fn every(seconds: u64, number: u32, burst: u32) -> Self {
        Self { each: seconds * SECOND / number as u64, burst }
    }

    /// The burst as the time that it takes at this pace.
    pub(crate) fn ahead(self) -> Duration {
        Duration::from_nanos(self.each * u64::from(self.burst))
    }

    /// Multiplies the pace and the burst.
    pub(crate) fn times(self, times: u32, bursts: u32) -> Self {
        Self { each: self.each / u64::from(times), burst: self.burst.saturating_mul(bursts) }
    }

    /// A percentage of the pace, with a quarter of the burst.
    pub(crate) fn slower(self, percent: u64) -> Self {
        Self { each: self.each * 100 / percent, burst: self.burst.div_ceil(4) }
    }

    /// The same with another burst.
    pub(crate) fn at_once(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    pub(crate) fn number(self) -> u64 {
        SECOND / self.each
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self::every(1, DEFAULT_RATE_PER_SECOND, DEFAULT_RATE_BURST)
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (number, burst) = match text.split_once(':') {
            Some((number, burst)) => (number, Some(burst.trim().parse().map_err(|_| InvalidRate)?)),
            None => (text, None),
        };
        let number: u32 = number.trim().parse().map_err(|_| InvalidRate)?;
        let burst = burst.unwrap_or_else(|| number.saturating_mul(4).min(MOST));
        Self::per_second(number, burst).ok_or(InvalidRate)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number(), self.burst)
    }
}

impl Bucket {
    /// How long until one more is allowed; zero: now.
    pub(crate) fn wait(self, rate: Rate, uptime: Duration) -> Duration {
        let ahead = rate.each * u64::from(rate.burst - 1);
        Duration::from_nanos(self.0.saturating_sub(nanos(uptime)).saturating_sub(ahead))
    }

    /// Takes `number`, allowed or not: an excess delays what follows.
    pub(crate) fn spend(&mut self, number: u64, rate: Rate, uptime: Duration) {
        self.0 = self.0.max(nanos(uptime)).saturating_add(rate.each.saturating_mul(number));
    }

    /// Returns one that did not count after all.
    pub(crate) fn give_back(&mut self, rate: Rate) {
        self.0 = self.0.saturating_sub(rate.each);
    }

    /// Takes `number`, or what is left, so it adds no debt.
    pub(crate) fn drain(&mut self, number: u64, rate: Rate, uptime: Duration) {
        let before = self.0;
        self.spend(number, rate, uptime);
        let empty = nanos(uptime).saturating_add(rate.each * u64::from(rate.burst));
        self.0 = self.0.min(empty).max(before);
    }

    /// Takes one if allowed.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn take(&mut self, rate: Rate, uptime: Duration) -> Result<(), Duration> {
        let wait = self.wait(rate, uptime);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.spend(1, rate, uptime);
        Ok(())
    }

    /// Whether it is full, so it can be forgotten.
    pub(crate) fn is_full(self, uptime: Duration) -> bool {
        self.0 <= nanos(uptime)
    }
}

impl<const N: usize> Buckets<N> {
    pub(crate) fn new(most: usize) -> Self {
        Self { places: Vec::new(), hasher: RandomState::new(), most }
    }

    pub(crate) fn get(&self, who: &impl Hash) -> [Bucket; N] {
        let hash = self.hasher.hash_one(who);
        let own = self.window(hash).find(|at| self.places[*at].0 == hash);
        own.map_or([Bucket::default(); N], |at| self.places[at].1)
    }

    /// The same, to change them.
    pub(crate) fn row(&mut self, who: &impl Hash, uptime: Duration) -> &mut [Bucket; N] {
        let hash = self.hasher.hash_one(who);
        let at = self.place(hash, uptime);
        &mut self.places[at].1
    }

    /// The place for that hash: its own; else one whose buckets are full, so they can be forgotten. Otherwise
    /// the table grows up to its limit; then the fullest buckets give way.
    fn place(&mut self, hash: u64, uptime: Duration) -> usize {
        if self.places.is_empty() {
            self.grow(uptime);
        }
        loop {
            if let Some(own) = self.window(hash).find(|at| self.places[*at].0 == hash) {
                return own;
            }
            let fullest = self.fullest(hash);
            let is_full = emptiest(&self.places[fullest].1).is_full(uptime);
            if !is_full && 2 * self.places.len() <= self.most {
                self.grow(uptime);
                continue;
            }
            self.places[fullest] = (hash, [Bucket::default(); N]);
            return fullest;
        }
    }

    fn window(&self, hash: u64) -> impl Iterator<Item = usize> + use<N> {
        let most = self.places.len();
        let first = usize::try_from(hash % most.max(1) as u64).unwrap_or_default();
        (first..first + WINDOW.min(most)).map(move |at| if at < most { at } else { at - most })
    }

    /// The place with the fullest buckets in a hash's window.
    fn fullest(&self, hash: u64) -> usize {
        self.window(hash).min_by_key(|at| emptiest(&self.places[*at].1)).unwrap_or_default()
    }

    fn grow(&mut self, uptime: Duration) {
        let most = (2 * self.places.len()).max(FEWEST).min(self.most);
        let old = std::mem::replace(&mut self.places, vec![(0, [Bucket::default(); N]); most]);
        for (hash, row) in old.into_iter().filter(|(_, row)| !emptiest(row).is_full(uptime)) {
            let fullest = self.fullest(hash);
            self.places[fullest] = (hash, row);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.places.iter().filter(|(_, row)| emptiest(row) != Bucket::default()).count()
    }
}

impl Buckets {
    /// Takes one from the bucket of `who` if allowed.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn take(&mut self, who: &impl Hash, rate: Rate, uptime: Duration) -> Result<(), Duration> {
        let [bucket] = self.row(who, uptime);
        bucket.take(rate, uptime)
    }
}

/// The bucket that will be full last.
fn emptiest<const N: usize>(row: &[Bucket; N]) -> Bucket {
    row.iter().max().copied().unwrap_or_default()
}

fn nanos(uptime: Duration) -> u64 {
    u64::try_from(uptime.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_pace_holds() {
        let rate = Rate::per_second(5, 20).expect("a rate");
        let mut bucket = Bucket::default();
        for _ in 0..20 {
            assert_eq!(bucket.take(rate, ms(1000)), Ok(()));
        }
        assert_eq!(bucket.take(rate, ms(1000)), Err(ms(200)));
        assert_eq!(bucket.take(rate, ms(1200)), Ok(()));
        assert_eq!(bucket.take(rate, ms(1300)), Err(ms(100)));
        // Never more than the burst, however long the pause was.
        let taken = (0..100).filter(|_| bucket.take(rate, ms(3_600_000)).is_ok()).count();
        assert_eq!(taken, 20);
    }

    #[test]
    fn what_costs_more_than_there_is_delays_the_next() {
        let rate = Rate::per_second(5, 10).expect("a rate");
        let mut bucket = Bucket::default();
        bucket.spend(20, rate, ms(0));
        assert_eq!(bucket.wait(rate, ms(0)), ms(2200));
        assert_eq!(bucket.wait(rate, ms(2200)), ms(0));
    }

    #[test]
    fn whoever_waits_has_a_place_in_the_line() {
        let rate = Rate::per_second(5, 20).expect("a rate");
        let mut bucket = Bucket::default();
        let waits: Vec<Duration> = (0..25)
            .map(|_| {
                let wait = bucket.wait(rate, ms(0));
                bucket.spend(1, rate, ms(0));
                wait
            })
            .collect();
        assert!(waits[..20].iter().all(Duration::is_zero));
        assert_eq!(waits[20..], [ms(200), ms(400), ms(600), ms(800), ms(1000)]);
        assert!(bucket.wait(rate, ms(100_000)).is_zero() && bucket.is_full(ms(100_000)));
    }

    #[test]
    fn what_is_drained_is_empty_and_owes_nothing() {
        let rate = Rate::every(1, 5, 20);
        let mut bucket = Bucket::default();
        bucket.drain(1000, rate, ms(0));
        assert_eq!(bucket.wait(rate, ms(0)), ms(200));
        assert!(bucket.is_full(ms(4000)));
        bucket.spend(10, rate, ms(0));
        bucket.drain(1000, rate, ms(0));
        assert_eq!(bucket.wait(rate, ms(0)), ms(2200), "a debt stays");
    }

    #[test]
    fn a_multiple_of_a_rate_has_that_many_times_of_both() {
        let rate = Rate::every(1, 5, 20).times(10, 20);
        let mut bucket = Bucket::default();
        let taken = (0..3000).filter(|n| bucket.take(rate, ms(*n)).is_ok()).count();
        assert_eq!((rate.number(), taken), (50, 400 + 149));
    }

    #[test]
    fn a_table_is_as_big_as_those_who_have_spent_something_lately_need() {
        let rate = Rate::every(1, 5, 20);
        let mut table: Buckets<2> = Buckets::new(100_000);
        for n in 0..50_000_u64 {
            table.row(&n, ms(n))[1].spend(1, rate, ms(n));
        }
        assert!(table.places.len() <= 1024, "{}", table.places.len());
        assert!(!table.get(&49_999_u64)[1].is_full(ms(50_000)) && table.get(&0_u64)[1].is_full(ms(50_000)));
    }

    #[test]
    fn rates_are_read_and_written() {
        for (text, written) in [("5:20", "5:20"), (" 7 ", "7:28"), ("1000:1", "1000:1")] {
            assert_eq!(text.parse::<Rate>().map(|rate| rate.to_string()), Ok(written.to_owned()));
        }
        for text in ["", "0", "5:0", "5:", ":5", "-1", "2.5", "5:20:3", "10001", "off", "99999999999"] {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate), "{text}");
        }
        assert_eq!(Rate::default().to_string(), "5:20");
    }

    #[test]
    fn a_table_forgets_the_full_first_and_stays_within_its_bound() {
        let rate = Rate::every(60, 6, 2);
        let mut table = Buckets::new(10);
        for _ in 0..2 {
            assert!(table.take(&"busy", rate, ms(0)).is_ok());
        }
        for n in 0..1000 {
            assert!(table.take(&n, rate, ms(0)).is_ok());
            assert!(table.len() <= 10);
        }
        assert!(table.take(&"busy", rate, ms(0)).is_err(), "the busiest is remembered longest");
        assert!(table.take(&"busy", rate, ms(10_000)).is_ok());
    }

    proptest! {
        #[test]
        fn nobody_is_ever_above_the_rate(
            number in 1..50_u32, burst in 1..50_u32, pauses in proptest::collection::vec(0..2000_u64, 1..200)
        ) {
            let rate = Rate::per_second(number, burst).expect("a rate");
            let (mut bucket, mut at, mut taken) = (Bucket::default(), 0, 0_u64);
            for pause in pauses {
                at += pause;
                taken += u64::from(bucket.take(rate, ms(at)).is_ok());
                prop_assert!(taken <= u64::from(burst) + at * 1_000_000 / rate.each);
            }
        }
    }
}
