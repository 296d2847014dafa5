//! Random numbers that can be repeated.

use std::time::Duration;

/// The environment variable that repeats a run.
const SEED: &str = "LANCHAT_SEED";

/// A generator (splitmix64): the same seed gives the same throws.
#[derive(Debug, Clone)]
pub struct Dice(u64);

/// The seed that `LANCHAT_SEED` asks for, else a new one; printed, so that a failure can be repeated.
pub fn seed() -> u64 {
    let asked = std::env::var(SEED).ok().map(|seed| seed.parse().expect("LANCHAT_SEED is a number"));
    let seed = asked.unwrap_or_else(|| u64::from(getrandom::u32().expect("random bytes")));
    eprintln!("{SEED}={seed}");
    seed
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another one, whose throws tell nothing of this one's.
    pub fn fork(&mut self) -> Self {
        Self(self.throw())
    }

    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least `from`, less than `to`.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.throw() % (to - from).max(1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.throw() % bound.max(1) as u64).expect("less than the bound")
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.throw() % 100 < percent
    }

    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.between(from, to))
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
