//! A thread that reads, so that what somebody missed or looks for holds up no messages.

use super::connect;
use super::error::StoreError;
use super::health::{Health, SharedConnection};
use super::lock::lock;
use super::queue::Job;
use crate::limits::SEARCH_STEPS;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// What the thread owns.
pub(super) struct ReadThread {
    health: Arc<Health>,
    /// `None` after a failure, and where the writer has closed it, until the next question.
    connection: SharedConnection,
    committed: Arc<AtomicU64>,
    is_closed: bool,
}

impl ReadThread {
    /// Opens a further connection to a database that is open.
    pub(super) fn open(health: Arc<Health>, committed: Arc<AtomicU64>) -> Result<Self, StoreError> {
        let connection = health.reader();
        *lock(&connection) = Some(connect::open_reader(health.path(), health.files().file())?);
        Ok(Self { health, connection, committed, is_closed: false })
    }

    /// Works until it is closed, or nobody can ask any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job<Self>>) {
        while !self.is_closed {
            match jobs.recv() {
                Ok(job) => job(&mut self),
                Err(_) => self.close(),
            }
        }
    }

    /// Reads something; `work` is told up to which number all is committed that it will find.
    pub(super) fn read<T>(
        &mut self,
        work: impl FnOnce(&Connection, u64) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.read_until(None, work)
    }

    /// The same, and gives it up after that time.
    pub(super) fn read_within<T>(
        &mut self,
        time: Duration,
        work: impl FnOnce(&Connection, u64) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.read_until(Some(Instant::now() + time), work)
    }

    fn read_until<T>(
        &self,
        until: Option<Instant>,
        work: impl FnOnce(&Connection, u64) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.health.may_read()?;
        // Before the reading begins: what is committed later may not be in it.
        let committed = self.committed.load(Ordering::Acquire);
        let mut own = lock(&self.connection);
        let connection = match &mut *own {
            Some(connection) => connection,
            none => none.insert(connect::open_reader(self.health.path(), self.health.files().file())?),
        };
        // One state of the history for all that one answer is made of.
        let read = watch(connection, until)
            .and_then(|()| connection.transaction())
            .and_then(|snapshot| work(&snapshot, committed));
        read.map_err(|error| {
            let error = StoreError::of(self.health.path(), &error);
            // What took too long is no failure of the file.
            if error != StoreError::TooSlow {
                *own = None;
            }
            self.health.tell(&error);
            error
        })
    }

    /// Gives the file up.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        *lock(&self.connection) = None;
    }
}

/// Has what is read given up after that instant.
fn watch(connection: &mut Connection, until: Option<Instant>) -> rusqlite::Result<()> {
    connection.progress_handler(SEARCH_STEPS, until.map(|until| move || Instant::now() > until))
}
