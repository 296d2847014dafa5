//! Tasks that report what they notice.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A task and its reports. Dropping it ends the task.
pub(crate) struct Background<T> {
    reports: mpsc::Receiver<T>,
    task: JoinHandle<()>,
}

impl<T: Send + 'static> Background<T> {
    /// Starts the task. If `queue` reports wait, the task waits until one is taken.
    pub(crate) fn start<F>(queue: usize, run: impl FnOnce(mpsc::Sender<T>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, reports) = mpsc::channel(queue);
        Self { reports, task: tokio::spawn(run(sender)) }
    }

    /// The next report; none after the last. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<T> {
        self.reports.recv().await
    }
}

impl<T> Drop for Background<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits for the next value of a source; without a source, waits forever.
pub(crate) async fn next_of<S, R>(source: &mut Option<S>, next: impl AsyncFnOnce(&mut S) -> R) -> R {
    match source {
        Some(source) => next(source).await,
        None => std::future::pending().await,
    }
}
