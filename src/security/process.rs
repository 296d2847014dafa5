//! Protects this process's memory, which holds keys and passphrases: against core dumps, and against other
//! programs of the same user. Not against administrators.

/// Disables core dumps and, on Linux, keeps the user's other processes from reading the memory. Call it once at
/// the start. Where that fails, the program runs without it.
pub fn protect_memory() {
    #[cfg(unix)]
    forbid_dumps();
    #[cfg(target_os = "linux")]
    forbid_reading();
}

#[cfg(unix)]
fn forbid_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        tracing::debug!(event = "process_unprotected", "cannot disable core dumps: {error}");
    }
}

#[cfg(target_os = "linux")]
fn forbid_reading() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::debug!(
            event = "process_unprotected",
            "cannot protect the memory from the user's other processes: {error}"
        );
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_is_protected_and_stays_so_when_asked_again() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        for _ in 0..2 {
            super::protect_memory();
            assert_eq!(getrlimit(Resource::Core).current, Some(0));
            assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        }
    }
}
