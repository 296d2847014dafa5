//! Whether this process may grow: what the service manager or container grants it, and what it has.

use crate::limits::MEMORY_FULL_PERCENT;
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How often the system is asked.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks at most once a second, however often it is asked.
#[derive(Debug)]
pub(super) struct Meter {
    /// In bytes; `None` where nothing is set.
    granted: Option<u64>,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Meter {
    /// A meter against the limit that holds for this process.
    pub(super) fn new() -> Self {
        Self { granted: granted(), last: Mutex::new(None) }
    }

    /// Whether so much of it is used that no more clients should come.
    pub(super) fn is_full(&self) -> bool {
        let Some(granted) = self.granted else { return false };
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match *last {
            Some((when, is_full)) if when.elapsed() < PAUSE => is_full,
            _ => {
                let is_full = used().is_some_and(|used| used > granted / 100 * MEMORY_FULL_PERCENT);
                *last = Some((Instant::now(), is_full));
                is_full
            }
        }
    }
}

/// The limit of the process's control group (cgroup v2), in bytes.
fn granted() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    // A container sees its own group as the root.
    ["/sys/fs/cgroup/".to_owned() + group, "/sys/fs/cgroup".into()]
        .iter()
        .find_map(|path| fs::read_to_string(format!("{path}/memory.max")).ok()?.trim().parse().ok())
}

/// Resident memory, in bytes.
fn used() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_over_its_share_is_full_and_one_without_a_limit_never() {
        let meter = |granted| Meter { granted, last: Mutex::new(None) };
        assert!(!meter(None).is_full());
        assert!(!meter(Some(u64::MAX)).is_full());
        #[cfg(target_os = "linux")]
        assert!(meter(Some(100_000)).is_full());
    }
}
