//! Where asynchronous work runs, and how it ends: at once.

use std::io;
use tokio::runtime::{Builder, Runtime};

/// A runtime for what talks with one server.
pub(super) fn small() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// A runtime for a server, or for a client that may become one.
pub(super) fn full() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

/// Runs `work` to its end. What is still under way on other threads is left behind: a resolver whose
/// name server is silent would hold up the program, and with it what it has to say, for many seconds.
pub(super) fn finish<T>(runtime: Runtime, work: impl Future<Output = T>) -> T {
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_end_does_not_wait_for_what_hangs_on_another_thread() {
        let (release, held) = mpsc::channel::<()>();
        let runtime = small().unwrap();
        let done = finish(runtime, async {
            tokio::task::spawn_blocking(move || held.recv());
            7
        });
        assert_eq!(done, 7);
        // Reached while the other thread still hangs.
        drop(release);
    }
}
