//! How many sockets this process may open.

use crate::limits::{DEFAULT_MAX_CLIENTS, RESERVED_DESCRIPTORS};

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

/// Returns the smaller of the wanted number (or the default) and what the file descriptors allow.
pub(super) fn max_clients(wanted: Option<usize>, fit: Option<usize>) -> usize {
    let fit = fit.unwrap_or(usize::MAX);
    match wanted {
        Some(wanted) if wanted > fit => {
            tracing::warn!(
                event = "descriptors_few",
                "--max-clients {wanted} is too high: this process may open files for {fit} clients only, so the limit \
                                 is {fit}; for more, raise the limit on open files (ulimit -Hn, LimitNOFILE=)"
            );
            fit
        }
        Some(wanted) => wanted,
        None => DEFAULT_MAX_CLIENTS.min(fit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_does_not_fit_is_cut_to_what_does() {
        assert_eq!(max_clients(Some(50_000), Some(19_936)), 19_936);
        assert_eq!(max_clients(Some(100), Some(19_936)), 100);
        assert_eq!(max_clients(None, Some(960)), 960);
        assert_eq!(max_clients(None, None), DEFAULT_MAX_CLIENTS);
    }
}
