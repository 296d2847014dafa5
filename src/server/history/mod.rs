//! What is kept, given back: to who was away, and to who asks.
//!
//! It takes time and so is done beside the turns, by a task of its own for each errand. Only the last
//! step of catching up, the seam, is part of a turn.

mod answer;
mod catch_up;
pub(super) mod frames;

use super::connection::Connection;
use super::hub::Hub;
use crate::chat::{CatchUp, Question, SessionId};
use crate::limits::{ANSWERS, ERRANDS, MAX_ASKED};
use crate::store::Store;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Something to do for a session.
#[derive(Debug)]
pub(super) enum Errand {
    /// It is given what it missed, and then follows.
    CatchUp {
        since: CatchUp,
        /// The latest number when it came in.
        latest: u64,
    },
    /// It is given what it asks for.
    Answer { echo: Option<String>, question: Question },
}

/// Who does the errands.
#[derive(Debug, Clone)]
pub(super) struct History {
    hub: Arc<Hub>,
    store: Store,
    /// One for each that reads: who waits for a slow peer has none.
    permits: Arc<Semaphore>,
    /// The same for answers, so that nobody's questions hold up those who come back.
    answers: Arc<Semaphore>,
    asked: Asked,
}

/// How many questions of each session wait for their answer. No empty entries.
#[derive(Debug, Clone, Default)]
struct Asked(Arc<Mutex<HashMap<SessionId, usize>>>);

/// One of them, while it waits.
#[derive(Debug)]
struct Waiting {
    asked: Asked,
    session: SessionId,
}

impl History {
    pub(super) fn new(hub: Arc<Hub>, store: Store) -> Self {
        let [permits, answers] = [ERRANDS, ANSWERS].map(|most| Arc::new(Semaphore::new(most)));
        Self { hub, store, permits, answers, asked: Asked::default() }
    }

    /// Begins an errand. What was sent to the connection before reaches it before.
    pub(super) fn run(&self, connection: Arc<Connection>, errand: Errand) {
        let history = self.clone();
        match errand {
            Errand::CatchUp { since, latest } => drop(tokio::spawn(async move {
                catch_up::run(&history, &connection, since, latest).await;
            })),
            Errand::Answer { echo, question } => {
                let Some(waiting) = self.asked.one_more(connection.id()) else {
                    return answer::refuse(&connection, echo);
                };
                tokio::spawn(async move {
                    answer::run(&history, &connection, echo, question).await;
                    drop(waiting);
                });
            }
        }
    }

    /// Waits for its turn to read; `None`: never, the server ends.
    async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// The same for an answer.
    async fn answer_permit(&self) -> Option<SemaphorePermit<'_>> {
        self.answers.acquire().await.ok()
    }
}

impl Asked {
    /// `None`: enough of them wait.
    fn one_more(&self, session: SessionId) -> Option<Waiting> {
        let mut all = self.lock();
        let count = all.entry(session).or_default();
        if *count >= MAX_ASKED {
            return None;
        }
        *count += 1;
        drop(all);
        Some(Waiting { asked: self.clone(), session })
    }

    /// Counts stay consistent even if a holder panicked.
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut all = self.asked.lock();
        if let Some(count) = all.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_questions_of_a_session_wait_and_others_are_free_to_ask() {
        let asked = Asked::default();
        let mut waiting: Vec<Waiting> =
            (0..MAX_ASKED).map(|_| asked.one_more(SessionId(1)).expect("a place")).collect();
        assert!(asked.one_more(SessionId(1)).is_none());
        assert!(asked.one_more(SessionId(2)).is_some());
        waiting.pop();
        assert!(asked.one_more(SessionId(1)).is_some());
        waiting.clear();
        assert!(asked.lock().is_empty());
    }
}
