//! What is kept, given back: to who was away, and to who asks.
//!
//! It takes time and so is done beside the turns: what is to be read goes to one of three clerks, for
//! what was missed, for the history and for searches. Each serves all in fair turns, by a thread of the
//! store that has nothing else to do. Only the last step of catching up, the seam, is part of a turn.

mod answer;
mod asked;
mod catch_up;
mod clerk;
mod line;
mod shares;
mod trouble;

use super::connection::Connection;
use super::hub::Hub;
use super::turn::Errand;
use crate::chat::Question;
use crate::limits::{ASKED_REST, ASKED_SPARED, MAX_ASKED, MAX_SEARCHES, SEAMS};
use crate::store::{Store, StoreError};
use answer::Asking;
use asked::Asked;
use clerk::Clerk;
use line::{Asker, Rest};
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};
use trouble::Trouble;

/// Who does the errands.
#[derive(Debug, Clone)]
pub(super) struct History {
    hub: Arc<Hub>,
    store: Store,
    /// For those who come back.
    missed: Clerk,
    listings: Counter,
    searches: Counter,
    seams: Arc<Semaphore>,
    trouble: Trouble,
}

/// Where questions of a kind are asked.
#[derive(Debug, Clone)]
struct Counter {
    asked: Asked,
    clerk: Clerk,
}

impl Counter {
    fn new(most: usize) -> Self {
        let rest = Rest { times: ASKED_REST, spared: ASKED_SPARED };
        Self { asked: Asked::new(most), clerk: Clerk::new(Some(rest)) }
    }
}

impl History {
    /// Its clerks work until the hub is closed.
    pub(super) fn new(hub: Arc<Hub>, store: Store) -> Self {
        let history = Self {
            hub,
            store,
            missed: Clerk::new(None),
            listings: Counter::new(MAX_ASKED),
            searches: Counter::new(MAX_SEARCHES),
            seams: Arc::new(Semaphore::new(SEAMS)),
            trouble: Trouble::default(),
        };
        for clerk in history.clerks() {
            let (clerk, hub) = (clerk.clone(), Arc::clone(&history.hub));
            tokio::spawn(async move { clerk.run(hub.closed()).await });
        }
        history
    }

    /// Begins an errand. What was sent to the connection before reaches it before.
    pub(super) fn run(&self, connection: Arc<Connection>, errand: Errand) {
        match errand {
            Errand::CatchUp { since, latest } => {
                let history = self.clone();
                tokio::spawn(async move { catch_up::run(&history, &connection, since, latest).await });
            }
            Errand::Answer { echo, question } => {
                match self.counter(&question).asked.one_more(Asker::of(&connection)) {
                    Ok(waiting) => self.answer(Asking { connection, echo, question, waiting }),
                    Err(why) => answer::refuse(&connection, echo, why),
                }
            }
        }
    }

    /// A session is over: nothing that it waits for is read.
    pub(super) fn gone(&self, connection: &Connection) {
        let asker = Asker::of(connection);
        self.clerks().into_iter().for_each(|clerk| clerk.gone(asker));
    }

    fn answer(&self, asking: Asking) {
        let (asker, clerk) = (Asker::of(&asking.connection), &self.counter(&asking.question).clerk);
        clerk.ask(asker, answer::run(self.clone(), asking));
    }

    /// Reads something for somebody who was away, when it is their turn; `None`: the session or the server
    /// is over.
    async fn read<T: Send + 'static>(
        &self,
        connection: &Connection,
        read: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Option<Result<T, StoreError>> {
        let (answer, answered) = oneshot::channel();
        self.missed.ask(Asker::of(connection), async {
            // Who asked may be gone.
            let _ = answer.send(read.await);
        });
        answered.await.ok()
    }

    fn counter(&self, question: &Question) -> &Counter {
        match question {
            Question::History(_) => &self.listings,
            Question::Search(_) => &self.searches,
        }
    }

    fn clerks(&self) -> [&Clerk; 3] {
        [&self.missed, &self.listings.clerk, &self.searches.clerk]
    }
}
