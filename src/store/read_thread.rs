//! A thread that reads, so that reading never delays new messages.

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

/// The state of a reading thread.
pub(super) struct ReadThread {
    health: Arc<Health>,
    /// `None` after a failure, or after the writer has closed it, until the next request.
    connection: SharedConnection,
    committed: Arc<AtomicU64>,
    is_closed: bool,
}

impl ReadThread {
    /// Opens another connection to an open database.
    pub(super) fn open(health: Arc<Health>, committed: Arc<AtomicU64>) -> Result<Self, StoreError> {
        let connection = health.reader();
        *lock(&connection) = Some(connect::open_reader(health.path(), health.files().file())?);
        Ok(Self { health, connection, committed, is_closed: false })
    }

    /// Works until it is closed or the last handle is gone.
    pub(super) fn run(mut self, jobs: &Receiver<Job<Self>>) {
        while !self.is_closed {
            match jobs.recv() {
                Ok(job) => job(&mut self),
                Err(_) => self.close(),
            }
        }
    }

    /// Runs `work`, and interrupts it at the time limit. `work` gets the number up to which it sees all
    /// messages.
    pub(super) fn read<T>(
        &mut self,
        limit: Option<Duration>,
        work: impl FnOnce(&Connection, u64) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.health.may_read()?;
        let until = limit.map(|limit| Instant::now() + limit);
        // Loaded before reading begins: the snapshot may lack what is committed later.
        let committed = self.committed.load(Ordering::Acquire);
        let mut own = lock(&self.connection);
        let connection = match &mut *own {
            Some(connection) => connection,
            none => none.insert(connect::open_reader(self.health.path(), self.health.files().file())?),
        };
        // One snapshot for the whole answer.
        let read = connection
            .progress_handler(SEARCH_STEPS, until.map(|until| move || Instant::now() > until))
            .and_then(|()| connection.transaction())
            .and_then(|snapshot| work(&snapshot, committed));
        read.map_err(|error| {
            let error = StoreError::of(self.health.path(), &error);
            // A time limit says nothing about the file.
            if error != StoreError::TooSlow {
                *own = None;
            }
            self.health.tell(&error);
            error
        })
    }

    pub(super) fn close(&mut self) {
        self.is_closed = true;
        *lock(&self.connection) = None;
    }
}
