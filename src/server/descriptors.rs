//! How many sockets this process may open.

use crate::limits::RESERVED_DESCRIPTORS;

/// OPEN_MAX on macOS.
#[cfg(unix)]
const OPEN_MAX: u64 = 10_240;

/// Raises the soft limit on open files to the hard one. Returns how many clients fit; `None`: the system has no
/// such limit.
#[cfg(unix)]
pub(super) fn clients_that_fit() -> Option<usize> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let whole = limit.maximum;
    limit.current = whole;
    // macOS reports no limit, and then accepts none above OPEN_MAX.
    if setrlimit(Resource::Nofile, limit).is_err() {
        limit.current = Some(whole.unwrap_or(OPEN_MAX).min(OPEN_MAX));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(event = "descriptors_few", %error, "cannot raise the limit on open files");
        }
    }
    // Read again, because the granted limit counts.
    let files = getrlimit(Resource::Nofile).current?;
    Some(usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(RESERVED_DESCRIPTORS))
}

/// How many clients fit beside transfers: a connection for a file takes two descriptors, and is a client itself.
/// Where descriptors are few, most are for the chat.
pub(super) fn less_those_of_files(fit: usize, transfers: usize) -> usize {
    fit - (2 * transfers).min(fit / 8)
}

/// Windows limits sockets by memory alone.
#[cfg(not(unix))]
pub(super) fn clients_that_fit() -> Option<usize> {
    let _ = RESERVED_DESCRIPTORS;
    None
}
