//! How many sockets this process may open.

use crate::limits::RESERVED_DESCRIPTORS;

/// What macOS calls OPEN_MAX.
#[cfg(unix)]
const OPEN_MAX: u64 = 10_240;

/// Raises the soft limit of open files to the hard one and returns how many clients fit, or
/// `None` where the system has no such limit.
#[cfg(unix)]
pub(super) fn clients_that_fit() -> Option<usize> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let whole = limit.maximum;
    limit.current = whole;
    // macOS says that there is no bound and then takes none but OPEN_MAX.
    if setrlimit(Resource::Nofile, limit).is_err() {
        limit.current = Some(whole.unwrap_or(OPEN_MAX).min(OPEN_MAX));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files could not be raised");
        }
    }
    // Read again: what counts is what was granted.
    let files = getrlimit(Resource::Nofile).current?;
    Some(usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(RESERVED_DESCRIPTORS))
}

/// Windows bounds sockets by memory alone.
#[cfg(not(unix))]
pub(super) fn clients_that_fit() -> Option<usize> {
    let _ = RESERVED_DESCRIPTORS;
    None
}
