//! Performs reads one at a time, in the order of a [`FairQueue`].
//!
//! A worker is one task, however many clients ask. It sleeps while there is nothing to do, or until the first
//! address has cooled down.

use super::fair_queue::{Cooldown, FairQueue, Requester};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;
use tokio::time::sleep_until;

/// A read; its requester is charged with the time that it takes.
type BoxedRead = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct ReadWorker {
    /// `None` after the end: the worker takes nothing more.
    queue: Arc<Mutex<Option<FairQueue<BoxedRead>>>>,
    more: Arc<Notify>,
}

impl ReadWorker {
    pub(super) fn new(cooldown: Option<Cooldown>) -> Self {
        Self { queue: Arc::new(Mutex::new(Some(FairQueue::new(cooldown)))), more: Arc::default() }
    }

    /// Queues a read. It is dropped, and with it the sender of its result, when the session or the worker ends.
    pub(super) fn ask(&self, requester: Requester, read: impl Future<Output = ()> + Send + 'static) {
        if let Some(queue) = &mut *self.lock() {
            queue.enter(requester, Box::pin(read));
            self.more.notify_one();
        }
    }

    /// Drops a session's reads.
    pub(super) fn gone(&self, requester: Requester) {
        let gone = self.lock().as_mut().map(|queue| queue.gone(requester));
        // Dropped outside the lock: reads own things that have locks.
        drop(gone);
    }

    /// Works until `end` resolves.
    pub(super) async fn run(self, end: impl Future<Output = ()>) {
        tokio::select! {
            () = self.work() => {}
            () = end => {}
        }
        let left = self.lock().take();
        drop(left);
    }

    async fn work(&self) {
        loop {
            let Some((next, due)) = self.next() else { return };
            match (next, due) {
                (Some(read), _) => {
                    read.await;
                    if let Some(queue) = &mut *self.lock() {
                        queue.done(Instant::now());
                    }
                }
                (None, Some(due)) => tokio::select! {
                    () = self.more.notified() => {}
                    () = sleep_until(due.into()) => {}
                },
                (None, None) => self.more.notified().await,
            }
        }
    }

    /// The next read, or when to look again.
    fn next(&self) -> Option<(Option<BoxedRead>, Option<Instant>)> {
        let mut queue = self.lock();
        let queue = queue.as_mut()?;
        let next = queue.next(Instant::now());
        let due = if next.is_none() { queue.due() } else { None };
        Some((next, due))
    }

    fn lock(&self) -> MutexGuard<'_, Option<FairQueue<BoxedRead>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ReadWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadWorker").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fair_queue::Person;
    use super::*;
    use crate::chat::{Net, SessionId};
    use std::net::IpAddr;
    use std::time::Duration;
    use tokio::sync::mpsc::{self, UnboundedSender};
    use tokio::sync::oneshot;

    fn requester(address: u8) -> Requester {
        let session = SessionId(address.into());
        let address = Net::counted(IpAddr::from([192, 168, 1, address]));
        Requester { address, person: Person::Session(session), session }
    }

    /// Takes some time, and then says its number.
    async fn read(number: u32, said: UnboundedSender<u32>) {
        std::thread::sleep(Duration::from_millis(1));
        said.send(number).expect("the test listens");
    }

    #[tokio::test]
    async fn a_question_among_many_of_another_is_answered_after_the_one_that_runs() {
        let worker = ReadWorker::new(None);
        let (said, mut answers) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel::<()>();
        let ((begins, begun), (go, going)) = (oneshot::channel(), oneshot::channel::<()>());
        let work = tokio::spawn(worker.clone().run(async { drop(ended.await) }));
        worker.ask(requester(1), async {
            begins.send(()).expect("the test waits");
            drop(going.await);
            std::thread::sleep(Duration::from_millis(1));
        });
        begun.await.expect("it runs");
        (1..=16).for_each(|number| worker.ask(requester(1), read(number, said.clone())));
        worker.ask(requester(2), read(100, said.clone()));
        go.send(()).expect("it waits for that");
        let mut first = Vec::new();
        while first.len() < 3 {
            first.extend(answers.recv().await);
        }
        assert_eq!(first, [100, 1, 2]);
        drop(end);
        work.await.expect("it ends");
    }

    #[tokio::test]
    async fn a_worker_that_has_ended_drops_reads() {
        let worker = ReadWorker::new(None);
        let (answer, answered) = oneshot::channel::<()>();
        worker.clone().run(async {}).await;
        worker.ask(requester(1), async { drop(answer) });
        assert!(answered.await.is_err());
    }

    #[tokio::test]
    async fn an_address_that_rests_is_answered_when_it_has_rested() {
        let worker = ReadWorker::new(Some(Cooldown { factor: 3, allowance: Duration::ZERO }));
        let (said, mut answers) = mpsc::unbounded_channel();
        let (_end, ended) = oneshot::channel::<()>();
        tokio::spawn(worker.clone().run(async { drop(ended.await) }));
        (1..=2).for_each(|number| worker.ask(requester(1), read(number, said.clone())));
        assert_eq!((answers.recv().await, answers.recv().await), (Some(1), Some(2)));
    }
}
