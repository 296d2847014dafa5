//! Where the client keeps what it remembers between runs.

use std::path::PathBuf;

/// The directory for what the client remembers between runs, in the platform's place for it; none for a user
/// without a home directory.
pub(super) fn state_dir() -> Option<PathBuf> {
    use etcetera::BaseStrategy as _;
    let strategy = etcetera::choose_base_strategy().ok()?;
    // Windows has the local application data, which do not move to other machines, and calls them a cache.
    let dir = strategy.state_dir().unwrap_or_else(|| strategy.cache_dir());
    Some(dir.join("lanchat"))
}
