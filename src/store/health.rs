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
    /// The connections of reading threads.
    readers: Mutex<Vec<SharedConnection>>,
    /// Why nothing can be written until a restart.
    lasting: Mutex<Option<StoreError>>,
    /// The latest problem that prevents messages from being stored.
    hurt: watch::Sender<Option<StoreError>>,
    /// Whether long reads should stop.
    is_urgent: AtomicBool,
    check: Mutex<CheckState>,
    changed: Condvar,
}

/// The state of the background check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckState {
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
            lasting: Mutex::default(),
            hurt: watch::Sender::new(None),
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

    /// Whether long reads should stop.
    pub(super) fn is_urgent(&self) -> bool {
        self.is_urgent.load(Ordering::Relaxed) || self.is_closed()
    }

    /// Checks that the path still leads to the database, before a read.
    pub(super) fn may_read(&self) -> Result<(), StoreError> {
        self.watch.place().map(drop).inspect_err(|error| self.tell(error))
    }

    /// Compares the files with those the writer left, before a write.
    pub(super) fn look(&self) -> Result<FileState, StoreError> {
        match self.lasting() {
            Some(error) => Err(error),
            None => self.watch.look().inspect_err(|error| self.tell(error)),
        }
    }

    pub(super) fn lasting(&self) -> Option<StoreError> {
        lock(&self.lasting).clone()
    }

    /// Notes an error that prevents messages from being stored; ignores others.
    pub(super) fn tell(&self, error: &StoreError) {
        if error.is_lasting() {
            lock(&self.lasting).get_or_insert_with(|| error.clone());
        }
        if error.is_lasting() || error.is_misplaced() {
            self.hurt.send_if_modified(|hurt| hurt.replace(error.clone()).is_none());
        }
    }

    /// Forgets the last problem.
    pub(super) fn mended(&self) {
        self.hurt.send_replace(None);
    }

    /// Waits for a problem that prevents messages from being stored.
    pub(super) async fn hurt(&self) -> StoreError {
        let mut hurt = self.hurt.subscribe();
        match hurt.wait_for(Option::is_some).await.map(|hurt| hurt.clone()) {
            Ok(Some(error)) => error,
            // The sender lives as long as `self`.
            _ => StoreError::Closed,
        }
    }

    /// Starts the background check again.
    pub(super) fn want_check(&self) {
        self.set_check(CheckState::Wanted);
    }

    pub(super) fn check_done(&self) {
        self.set_check(CheckState::Done);
    }

    /// Ends the background check for good.
    pub(super) fn close(&self) {
        self.set_check(CheckState::Closed);
    }

    fn set_check(&self, wanted: CheckState) {
        let mut check = lock(&self.check);
        if *check != CheckState::Closed {
            *check = wanted;
        }
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        *lock(&self.check) == CheckState::Closed
    }

    /// Waits until a check is wanted; `false` after [`Self::close`].
    pub(super) fn next_check(&self) -> bool {
        let check = lock(&self.check);
        let wait = self.changed.wait_while(check, |check| *check == CheckState::Done);
        *wait.unwrap_or_else(PoisonError::into_inner) == CheckState::Wanted && self.rest(CHECK_AFTER)
    }

    /// Waits for a time; `false` after [`Self::close`].
    pub(super) fn rest(&self, time: Duration) -> bool {
        let check = lock(&self.check);
        let waited = self.changed.wait_timeout_while(check, time, |check| *check != CheckState::Closed);
        *waited.unwrap_or_else(PoisonError::into_inner).0 != CheckState::Closed
    }
}
