//! Reads stored messages for clients that catch up or ask.
//!
//! Reading takes time, so it happens beside the batches. Three workers read: for catch-ups, for the history and
//! for searches. Each serves all clients in a fair order, with a thread of the store for itself. Only the last
//! step of a catch-up, the cutover, is part of a batch.

mod catch_up;
mod failure_log;
mod fair_queue;
mod query;
mod query_limits;
mod read_worker;
mod virtual_time;

use super::connection::Connection;
use super::hub::Hub;
use crate::chat::{CatchUp, Question};
use crate::limits::{ASKED_REST, ASKED_SPARED, CUTOVERS, MAX_ASKED, MAX_SEARCHES};
use crate::store::Store;
use failure_log::FailureLog;
use fair_queue::{Cooldown, Requester};
use query::HistoryQuery;
use query_limits::QueryLimits;
use read_worker::ReadWorker;
use std::sync::Arc;
use tokio::sync::Semaphore;

#[derive(Debug, Clone)]
pub(super) struct History {
    hub: Arc<Hub>,
    store: Store,
    /// Reads for catch-ups.
    missed: ReadWorker,
    listings: QueryQueue,
    searches: QueryQueue,
    cutovers: Arc<Semaphore>,
    failures: FailureLog,
}

/// One kind of question: its limits and its worker.
#[derive(Debug, Clone)]
struct QueryQueue {
    limits: QueryLimits,
    worker: ReadWorker,
}

impl QueryQueue {
    fn new(most: usize) -> Self {
        let cooldown = Cooldown { factor: ASKED_REST, allowance: ASKED_SPARED };
        Self { limits: QueryLimits::new(most), worker: ReadWorker::new(Some(cooldown)) }
    }
}

impl History {
    /// Its workers run until the hub is closed.
    pub(super) fn new(hub: Arc<Hub>, store: Store) -> Self {
        let history = Self {
            hub,
            store,
            missed: ReadWorker::new(None),
            listings: QueryQueue::new(MAX_ASKED),
            searches: QueryQueue::new(MAX_SEARCHES),
            cutovers: Arc::new(Semaphore::new(CUTOVERS)),
            failures: FailureLog::default(),
        };
        for worker in history.workers() {
            let (worker, hub) = (worker.clone(), Arc::clone(&history.hub));
            tokio::spawn(async move { worker.run(hub.closed()).await });
        }
        history
    }

    /// Starts to send a session what it missed. The caller has sent it everything up to now.
    pub(super) fn catch_up(&self, connection: Arc<Connection>, since: CatchUp, latest: u64) {
        let history = self.clone();
        tokio::spawn(async move { catch_up::run(&history, &connection, since, latest).await });
    }

    /// Starts to answer a question about the history, or refuses it if too many wait.
    pub(super) fn ask(&self, connection: Arc<Connection>, echo: Option<String>, question: Question) {
        match self.queue(&question).limits.admit(Requester::of(&connection)) {
            Ok(permit) => self.answer(HistoryQuery { connection, echo, question, permit }),
            Err(why) => query::refuse(&connection, echo, why),
        }
    }

    /// Drops a session's pending reads.
    pub(super) fn gone(&self, connection: &Connection) {
        let requester = Requester::of(connection);
        self.workers().into_iter().for_each(|worker| worker.gone(requester));
    }

    fn answer(&self, query: HistoryQuery) {
        let (requester, worker) = (Requester::of(&query.connection), &self.queue(&query.question).worker);
        worker.ask(requester, query::run(self.clone(), query));
    }

    fn queue(&self, question: &Question) -> &QueryQueue {
        match question {
            Question::History(_) | Question::Change(_) => &self.listings,
            Question::Search(_) => &self.searches,
        }
    }

    fn workers(&self) -> [&ReadWorker; 3] {
        [&self.missed, &self.listings.worker, &self.searches.worker]
    }
}
