//! Runs asynchronous work, and ends it without delay.

use std::io;
use tokio::runtime::{Builder, Runtime};

/// Creates a runtime for a client of one server.
pub(super) fn small() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Creates a runtime for a server, or for a client that may start one.
pub(super) fn full() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

/// Runs `work` to its end, without waiting for its other threads: a lookup whose name server is silent would
/// delay the program's end for many seconds.
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
    fn the_end_does_not_wait_for_a_hanging_thread() {
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
