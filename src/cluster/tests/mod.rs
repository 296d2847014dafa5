//! Three nodes on a log in memory, with everything that can go wrong between them.

mod chat;
mod clients;
mod dice;
mod doubles;
mod faults;
mod judge;
mod records;
mod single;
mod strangers;
mod verdict;
mod world;

use proptest::prelude::*;
use std::collections::BTreeMap;
use world::World;

/// Events of a run, before all faults end.
const EVENTS: usize = 2500;

/// Runs whose seeds are always the same.
const FIXED: u64 = 40;

/// Events that a few runs must meet, or they would prove little.
const MET: [&str; 11] = [
    "a crash",
    "an old disk",
    "a leader",
    "a part of a turn",
    "a turn without its last part",
    "an append without an answer",
    "a full window",
    "the end of a run before",
    "the end of a silent run",
    "another run of the same process",
    "an outsider's record",
];

/// One run: how often it met something, or what is wrong.
fn storm(seed: u64) -> Result<BTreeMap<&'static str, u32>, String> {
    let mut world = World::new(seed);
    world.go_wrong(EVENTS);
    world.heal();
    let fault = world.judge.faults.first().cloned();
    fault.map_or_else(|| world.judge_end(), Err).map_err(|fault| format!("seed {seed}: {fault}"))?;
    Ok(world.judge.met)
}

#[test]
fn the_runs_meet_what_they_are_for() {
    let mut met = BTreeMap::new();
    for (what, times) in (0..FIXED).flat_map(|seed| storm(seed).unwrap()) {
        *met.entry(what).or_insert(0) += times;
    }
    let missing: Vec<_> = MET.iter().filter(|what| !met.contains_key(**what)).collect();
    assert!(missing.is_empty(), "no {missing:?} among {met:?}");
}

proptest! {
    // `PROPTEST_CASES` sets how many runs there are.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn whatever_fails_all_nodes_agree_and_nothing_is_lost_or_doubled(seed in any::<u64>()) {
        storm(seed).map_err(TestCaseError::fail)?;
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}
