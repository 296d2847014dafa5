//! The state of the database, shared by the store's threads: what one finds counts for all.

use super::error::StoreError;
use super::file_watch::{FileState, FileWatch};
use super::lock::lock;
use crate::limits::CHECK_AFTER;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A connection that another thread may close; its own thread then reopens it.
pub(super) type SharedConnection = Arc<Mutex<Option<Connection>>>;

#[derive(Debug)]
pub(super) struct Health {
    path: PathBuf,
    watch: FileWatch,
    readers: Mutex<Vec<SharedConnection>>,
    /// Why nothing can be written until a restart.
    permanent: Mutex<Option<StoreError>>,
    /// The latest problem that prevents messages from being stored.
    problem: watch::Sender<Option<StoreError>>,
    is_urgent: AtomicBool,
    check: Mutex<CheckState>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckState {
    Wanted,
    Done,
    Closed,
}

impl Health {
    /// Starts to watch the database at the path.
    pub(super) fn watch(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.into(),
            watch: FileWatch::open(path)?,
            readers: Mutex::default(),
            permanent: Mutex::default(),
            problem: watch::Sender::new(None),
            is_urgent: AtomicBool::new(false),
            check: Mutex::new(CheckState::Wanted),
            changed: Condvar::new(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn files(&self) -> &FileWatch {
        &self.watch
    }

    /// Registers a reading thread.
    pub(super) fn reader(&self) -> SharedConnection {
        let reader = SharedConnection::default();
        lock(&self.readers).push(Arc::clone(&reader));
        reader
    }

    /// Closes the readers' connections, so that they reopen the files that exist then.
    pub(super) fn close_readers(&self) {
        self.is_urgent.store(true, Ordering::Relaxed);
        for reader in lock(&self.readers).iter() {
            drop(lock(reader).take());
        }
        self.is_urgent.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_urgent(&self) -> bool {
        self.is_urgent.load(Ordering::Relaxed) || self.is_closed()
    }

    /// Checks that the path still leads to the database, before a read.
    pub(super) fn may_read(&self) -> Result<(), StoreError> {
        self.watch.check_path().map(drop).inspect_err(|error| self.tell(error))
    }

    /// Compares the files with those the writer left, before a write.
    pub(super) fn look(&self) -> Result<FileState, StoreError> {
        match self.permanent() {
            Some(error) => Err(error),
            None => self.watch.look().inspect_err(|error| self.tell(error)),
        }
    }

    pub(super) fn permanent(&self) -> Option<StoreError> {
        lock(&self.permanent).clone()
    }

    /// Notes an error that prevents messages from being stored; ignores others.
    pub(super) fn tell(&self, error: &StoreError) {
        if error.is_permanent() {
            lock(&self.permanent).get_or_insert_with(|| error.clone());
        }
        if error.is_permanent() || error.is_misplaced() {
            self.problem.send_if_modified(|problem| problem.replace(error.clone()).is_none());
        }
    }

    /// Forgets the last problem.
    pub(super) fn mended(&self) {
        self.problem.send_replace(None);
    }

    /// Waits for a problem that prevents messages from being stored.
    pub(super) async fn problem(&self) -> StoreError {
        let mut problem = self.problem.subscribe();
        match problem.wait_for(Option::is_some).await.map(|problem| problem.clone()) {
            Ok(Some(error)) => error,
            // The sender lives as long as `self`.
            _ => StoreError::Closed,
        }
    }

    /// Sets the state of the background check. Nothing follows [`CheckState::Closed`].
    pub(super) fn set_check(&self, state: CheckState) {
        let mut check = lock(&self.check);
        if *check != CheckState::Closed {
            *check = state;
        }
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        *lock(&self.check) == CheckState::Closed
    }

    /// Waits until a check is wanted; `false` once closed.
    pub(super) fn next_check(&self) -> bool {
        let check = lock(&self.check);
        let wait = self.changed.wait_while(check, |check| *check == CheckState::Done);
        *wait.unwrap_or_else(PoisonError::into_inner) == CheckState::Wanted && self.rest(CHECK_AFTER)
    }

    /// Waits for a time; `false` once closed.
    pub(super) fn rest(&self, time: Duration) -> bool {
        let check = lock(&self.check);
        let waited = self.changed.wait_timeout_while(check, time, |check| *check != CheckState::Closed);
        *waited.unwrap_or_else(PoisonError::into_inner).0 != CheckState::Closed
    }
}
