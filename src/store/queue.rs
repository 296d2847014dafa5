//! A thread that works for tasks: what they ask for waits in a bounded queue.

use super::error::StoreError;
use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::{Semaphore, oneshot};

/// Work for a thread that owns a `W`.
pub(super) type Job<W> = Box<dyn FnOnce(&mut W) + Send>;

/// The way to a thread. Who asks while the queue is full waits for a place. The thread ends once all
/// of these are gone.
pub(super) struct Queue<W> {
    jobs: Sender<Job<W>>,
    places: Arc<Semaphore>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl<W: Send + 'static> Queue<W> {
    /// Starts a thread that does `run`, which takes jobs until there can be no more.
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

    /// Has `work` done by the thread.
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
            // Who asked may be gone.
            let _ = answer.send(done);
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits for the thread, which must be about to end.
    pub(super) fn join(&self) {
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a thread of the history has panicked");
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
