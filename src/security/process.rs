//! What keeps this process's memory, where keys and passphrases are, to itself.
//!
//! Not against whoever may act as this user's administrator: against crash dumps that lie around, and
//! against other programs of the same user looking in.

/// Makes sure that no crash writes memory to a file, and, on Linux, that no other process of the user
/// may read it. To be called once at the start; where it can't be done, the program runs without.
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
        tracing::debug!("core dumps can't be turned off: {error}");
    }
}

#[cfg(target_os = "linux")]
fn forbid_reading() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::debug!("the memory can't be hidden from the user's other processes: {error}");
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
