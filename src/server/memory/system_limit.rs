//! The memory that the system grants this process: the limit of its control group, or a share of the machine.

use crate::limits::{MEMORY_ELSEWHERE_BYTES, MEMORY_OF_MACHINE_PERCENT};
use std::fs;
use std::path::Path;

/// Where Linux shows its control groups.
const GROUPS: &str = "/sys/fs/cgroup";

/// The limit in bytes: a service's or container's control group, or else a share of the machine's memory,
/// because other processes need some, too.
pub(super) fn system_limit() -> u64 {
    let machine = machine().map(|bytes| bytes / 100 * MEMORY_OF_MACHINE_PERCENT);
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = by_groups(Path::new(GROUPS), &groups);
    match (group, machine) {
        // Without a limit, a version 1 group reports a number beyond all memory.
        (Some(group), Some(machine)) => group.min(machine * 100 / MEMORY_OF_MACHINE_PERCENT),
        (group, machine) => group.or(machine).unwrap_or(MEMORY_ELSEWHERE_BYTES),
    }
}

/// The lowest limit of this process's control groups and those above. `groups` is the content of
/// `/proc/self/cgroup` (cgroups(7)).
fn by_groups(root: &Path, groups: &str) -> Option<u64> {
    let bounds = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match controllers {
            "" => bounds_along(root, path, &["memory.max", "memory.high"]),
            names if names.split(',').any(|name| name == "memory") => {
                bounds_along(&root.join("memory"), path, &["memory.limit_in_bytes"])
            }
            _ => Vec::new(),
        }
    });
    bounds.filter(|bytes| *bytes < NO_BOUND).min()
}

/// Version 1 reports no limit as the largest number of whole pages.
const NO_BOUND: u64 = i64::MAX as u64 / 2;

/// The values of these files in the group at `path` and in those above it. A container sees its own group as
/// the root, whatever the path, so the root counts as well.
fn bounds_along(root: &Path, path: &str, files: &[&str]) -> Vec<u64> {
    let path = Path::new(path.trim_start_matches('/'));
    let read =
        |dir: &Path, file: &str| fs::read_to_string(root.join(dir).join(file)).ok()?.trim().parse().ok();
    path.ancestors().flat_map(|dir| files.iter().filter_map(move |file| read(dir, file))).collect()
}

/// The machine's memory, in bytes.
#[cfg(target_os = "linux")]
fn machine() -> Option<u64> {
    let info = rustix::system::sysinfo();
    #[allow(clippy::useless_conversion, reason = "it has 32 bits on some machines")]
    let total = u64::try_from(info.totalram).ok()?;
    total.checked_mul(u64::from(info.mem_unit)).filter(|bytes| *bytes > 0)
}

#[cfg(not(target_os = "linux"))]
fn machine() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of control groups with these files in it.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        root
    }

    #[test]
    fn the_least_of_a_group_and_those_above_it_counts() {
        let root = tree(&[
            ("system.slice/memory.max", "300000000\n"),
            ("system.slice/lanchat.service/memory.max", "536870912\n"),
            ("system.slice/lanchat.service/memory.high", "max\n"),
        ]);
        assert_eq!(by_groups(root.path(), "0::/system.slice/lanchat.service\n"), Some(300_000_000));
    }

    #[test]
    fn the_older_kind_of_group_counts_as_well() {
        let root = tree(&[
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/a/b/memory.limit_in_bytes", "536870912\n"),
        ]);
        let groups = "9:name=systemd:/\n4:memory:/a/b\n1:cpu,cpuacct:/a\n0::/\n";
        assert_eq!(by_groups(root.path(), groups), Some(536_870_912));
        assert_eq!(by_groups(root.path(), "4:hugetlb,memory:/a/b\n"), Some(536_870_912));
        assert_eq!(by_groups(root.path(), "4:memory:/\n"), None, "no bound is none");
    }

    #[test]
    fn a_container_that_does_not_see_its_path_is_bounded_by_its_root() {
        let root = tree(&[("memory.max", "67108864\n")]);
        assert_eq!(by_groups(root.path(), "0::/docker/4f1c\n"), Some(67_108_864));
        assert_eq!(by_groups(root.path(), ""), None);
    }

    #[test]
    fn the_system_always_grants_something() {
        assert!(system_limit() > 0);
    }
}
