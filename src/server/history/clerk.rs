//! Who reads what is asked for, one thing after the other, in the order of a fair [`Line`].
//!
//! One task, whoever and however many ask: it sleeps while there is nothing to do, or until the first of
//! those who rest is ready again.

use super::line::{Asker, Line, Rest};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;
use tokio::time::sleep_until;

/// What is to be done for somebody: as long as it takes, its asker is charged with.
pub(super) type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(super) struct Clerk {
    /// `None`: it has ended, and takes nothing more.
    line: Arc<Mutex<Option<Line<Job>>>>,
    more: Arc<Notify>,
}

impl Clerk {
    pub(super) fn new(rest: Option<Rest>) -> Self {
        Self { line: Arc::new(Mutex::new(Some(Line::new(rest)))), more: Arc::default() }
    }

    /// Has it done when it is their turn. It is dropped, and with it whatever waits for its result, when
    /// the session or the clerk ends.
    pub(super) fn ask(&self, asker: Asker, job: impl Future<Output = ()> + Send + 'static) {
        if let Some(line) = &mut *self.lock() {
            line.enter(asker, Box::pin(job));
            self.more.notify_one();
        }
    }

    /// A session is over.
    pub(super) fn gone(&self, asker: Asker) {
        let gone = self.lock().as_mut().map(|line| line.gone(asker));
        // Not under the lock: they own what has locks of its own.
        drop(gone);
    }

    /// Works until `end`.
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
                (Some(job), _) => {
                    job.await;
                    if let Some(line) = &mut *self.lock() {
                        line.done(Instant::now());
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

    /// What is done now, or when to look again.
    fn next(&self) -> Option<(Option<Job>, Option<Instant>)> {
        let mut line = self.lock();
        let line = line.as_mut()?;
        let next = line.next(Instant::now());
        let due = if next.is_none() { line.due() } else { None };
        Some((next, due))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Line<Job>>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Clerk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clerk").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Person;
    use super::*;
    use crate::chat::{Net, SessionId};
    use std::net::IpAddr;
    use std::time::Duration;
    use tokio::sync::mpsc::{self, UnboundedSender};
    use tokio::sync::oneshot;

    fn asker(address: u8) -> Asker {
        let session = SessionId(address.into());
        let address = Net::counted(IpAddr::from([192, 168, 1, address]));
        Asker { address, person: Person::Session(session), session }
    }

    /// Takes some time, and then says its number.
    async fn job(number: u32, said: UnboundedSender<u32>) {
        std::thread::sleep(Duration::from_millis(1));
        said.send(number).expect("the test listens");
    }

    #[tokio::test]
    async fn a_question_among_many_of_another_is_answered_after_the_one_that_runs() {
        let clerk = Clerk::new(None);
        let (said, mut answers) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel::<()>();
        let ((begins, begun), (go, going)) = (oneshot::channel(), oneshot::channel::<()>());
        let work = tokio::spawn(clerk.clone().run(async { drop(ended.await) }));
        clerk.ask(asker(1), async {
            begins.send(()).expect("the test waits");
            drop(going.await);
            std::thread::sleep(Duration::from_millis(1));
        });
        begun.await.expect("it runs");
        (1..=16).for_each(|number| clerk.ask(asker(1), job(number, said.clone())));
        clerk.ask(asker(2), job(100, said.clone()));
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
    async fn what_is_asked_of_a_clerk_that_has_ended_is_dropped() {
        let clerk = Clerk::new(None);
        let (answer, answered) = oneshot::channel::<()>();
        clerk.clone().run(async {}).await;
        clerk.ask(asker(1), async { drop(answer) });
        assert!(answered.await.is_err());
    }

    #[tokio::test]
    async fn an_address_that_rests_is_answered_when_it_has_rested() {
        let clerk = Clerk::new(Some(Rest { times: 3, spared: Duration::ZERO }));
        let (said, mut answers) = mpsc::unbounded_channel();
        let (_end, ended) = oneshot::channel::<()>();
        tokio::spawn(clerk.clone().run(async { drop(ended.await) }));
        (1..=2).for_each(|number| clerk.ask(asker(1), job(number, said.clone())));
        assert_eq!((answers.recv().await, answers.recv().await), (Some(1), Some(2)));
    }
}
