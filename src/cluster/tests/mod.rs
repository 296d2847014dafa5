//! Three nodes on a log in memory, with everything that can go wrong between them.

mod single;
mod world;

use proptest::prelude::*;
use world::World;

/// Events of a run, before all faults end.
const EVENTS: usize = 2500;

proptest! {
    // 64 runs of 2,500 events. `PROPTEST_CASES` sets how many there are.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn whatever_fails_all_nodes_agree_and_nothing_is_lost_or_doubled(seed in any::<u64>()) {
        let mut world = World::new(seed);
        world.go_wrong(EVENTS);
        world.heal();
        if let Err(fault) = world.judge() {
            return Err(TestCaseError::fail(format!("seed {seed}: {fault}")));
        }
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64)
}
