//! Runs jobs of tasks on a thread, from a bounded queue.

use super::error::StoreError;
use super::lock::lock;
use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::{Semaphore, oneshot};

/// A job for a thread that owns a `W`.
pub(super) type Job<W> = Box<dyn FnOnce(&mut W) + Send>;

/// A handle to a thread. Tasks wait while the queue is full. The thread ends when the last handle is gone.
pub(super) struct Queue<W> {
    jobs: Sender<Job<W>>,
    places: Arc<Semaphore>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl<W: Send + 'static> Queue<W> {
    /// Starts a thread with `run`, which takes jobs until the channel closes.
    pub(super) fn start(
        name: &str,
        places: usize,
        run: impl FnOnce(Receiver<Job<W>>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(waiting))?;
        Ok(Self {
            jobs,
            places: Arc::new(Semaphore::new(places)),
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Runs `work` on the thread.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut W) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = |_| StoreError::Closed;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(closed)?;
        let (answer, answered) = oneshot::channel();
        let job: Job<W> = Box::new(move |worker| {
            let done = work(worker);
            drop(place);
            // The task may be gone.
            let _ = answer.send(done);
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits for the thread to end, which must be about to.
    pub(super) fn join(&self) {
        let thread = lock(&self.thread).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(event = "task_panicked", "a thread of the history panicked; please report this");
        }
    }
}

impl<W> Clone for Queue<W> {
    fn clone(&self) -> Self {
        Self { jobs: self.jobs.clone(), places: Arc::clone(&self.places), thread: Arc::clone(&self.thread) }
    }
}

impl<W> fmt::Debug for Queue<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("places", &self.places.available_permits()).finish_non_exhaustive()
    }
}
