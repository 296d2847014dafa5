//! A thread that reads, so that what somebody missed or looks for holds up no messages.

use super::error::StoreError;
use super::queue::Job;
use super::schema;
use crate::limits::SEARCH_STEPS;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// What the thread owns.
pub(super) struct Reader {
    path: PathBuf,
    /// `None` after a failure, until the next question.
    connection: Option<Connection>,
    committed: Arc<AtomicU64>,
    is_closed: bool,
}

impl Reader {
    /// Opens a further connection to a database that is open.
    pub(super) fn open(path: &Path, committed: Arc<AtomicU64>) -> Result<Self, StoreError> {
        let connection = Some(schema::open_reader(path)?);
        Ok(Self { path: path.into(), connection, committed, is_closed: false })
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
        // Before the reading begins: what is committed later may not be in it.
        let committed = self.committed.load(Ordering::Acquire);
        let connection = self.connection()?;
        // One state of the history for all that one answer is made of.
        let read = connection.transaction().and_then(|snapshot| work(&snapshot, committed));
        read.map_err(|error| {
            let error = StoreError::of(&self.path, &error);
            // What took too long is no failure of the file.
            if error != StoreError::TooSlow {
                self.connection = None;
            }
            error
        })
    }

    /// The same, and gives it up after that time.
    pub(super) fn read_within<T>(
        &mut self,
        time: Duration,
        work: impl FnOnce(&Connection, u64) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let until = Instant::now() + time;
        self.watch(Some(move || Instant::now() > until))?;
        let read = self.read(work);
        self.watch(None::<fn() -> bool>)?;
        read
    }

    /// Has what is read given up once `is_over`.
    fn watch(&mut self, is_over: Option<impl FnMut() -> bool + Send + 'static>) -> Result<(), StoreError> {
        let path = self.path.clone();
        let set = self.connection()?.progress_handler(SEARCH_STEPS, is_over);
        set.map_err(|error| StoreError::of(&path, &error))
    }

    fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        Ok(match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(schema::open_reader(&self.path)?),
        })
    }

    /// Gives the file up.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.connection = None;
    }
}
