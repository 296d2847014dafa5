//! The threads that pass files on. They have a lower priority than the chat's where the system lets a thread have
//! its own: on Linux.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use tokio::runtime::{Builder, Handle, Runtime};

/// How much lower the priority is, as nice(1) counts: about a tenth of the chat's share of a busy core.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// A runtime of its own; `None` only while it is dropped.
#[derive(Debug)]
pub(super) struct RelayThreads(Option<Runtime>, Handle);

impl RelayThreads {
    /// Half as many threads as there are cores.
    pub(super) fn start() -> io::Result<Self> {
        let cores = available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(1);
        let runtime = Builder::new_multi_thread()
            .worker_threads((cores / 2).max(1))
            .thread_name_fn(move || format!("transfer-{}", next.fetch_add(1, Ordering::Relaxed)))
            .on_thread_start(lower_priority)
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        Ok(Self(Some(runtime), handle))
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.1
    }
}

impl Drop for RelayThreads {
    /// Ends all transfers. Waits for nothing.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn lower_priority() {
    // On Linux, this is the calling thread's alone (setpriority(2)).
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(event = "thread_priority", %error, "cannot lower a transfer thread's priority");
    }
}
