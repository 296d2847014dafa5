//! Claims about time on machines that are shared.

use super::peer::DEADLINE;
use std::time::{Duration, Instant};

/// How often a claim is tried.
const ATTEMPTS: usize = 3;

/// Asserts that `attempt`, which returns how long it took, can take less than `bound`. An attempt
/// may be held up by what else the machine does; what is slow by itself is slow each time. `None`
/// ends it: the attempt was skipped.
#[track_caller]
pub fn takes_less_than(bound: Duration, mut attempt: impl FnMut() -> Option<Duration>) {
    let mut took = Vec::new();
    while took.len() < ATTEMPTS {
        match attempt() {
            None => return,
            Some(time) if time < bound => return,
            Some(time) => took.push(time),
        }
    }
    panic!("it took {took:?}, each time more than {bound:?}");
}

/// Looks until there is something; fails after the usual deadline.
#[track_caller]
pub fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < DEADLINE, "nothing was seen within {DEADLINE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn one_attempt_in_time_is_enough_and_none_is_not() {
    let (bound, slow) = (Duration::from_millis(2), Duration::from_millis(3));
    let mut times = [slow, slow, Duration::ZERO].into_iter();
    takes_less_than(bound, || times.next());
    let never = std::panic::catch_unwind(|| takes_less_than(bound, || Some(slow)));
    assert!(never.is_err());
}
