//! What the threads of the store know of the database's state together: one that meets damage tells all.

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

/// A connection that its thread may find closed. `None`: to be opened by whoever needs it.
pub(super) type SharedConnection = Arc<Mutex<Option<Connection>>>;

/// See the module.
#[derive(Debug)]
pub(super) struct Health {
    path: PathBuf,
    watch: FileWatch,
    /// The connections of those who read.
    readers: Mutex<Vec<SharedConnection>>,
    /// Why nothing can be written any more, whatever is done while the server runs.
    lasting: Mutex<Option<StoreError>>,
    /// What was found last that keeps messages from being kept.
    hurt: watch::Sender<Option<StoreError>>,
    /// Whether those who read for long should stop.
    is_urgent: AtomicBool,
    check: Mutex<CheckState>,
    changed: Condvar,
}

/// What the background check is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckState {
    Wanted,
    Done,
    Closed,
}

impl Health {
    /// Begins to watch the database at the path.
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

    /// The files.
    pub(super) fn files(&self) -> &FileWatch {
        &self.watch
    }

    /// A place for the connection of a thread that reads.
    pub(super) fn reader(&self) -> SharedConnection {
        let reader = SharedConnection::default();
        lock(&self.readers).push(Arc::clone(&reader));
        reader
    }

    /// Closes what others have open: what is opened next belongs to the files that are there then.
    pub(super) fn close_readers(&self) {
        self.is_urgent.store(true, Ordering::Relaxed);
        for reader in lock(&self.readers).iter() {
            drop(lock(reader).take());
        }
        self.is_urgent.store(false, Ordering::Relaxed);
    }

    /// Whether somebody waits for those who read for long.
    pub(super) fn is_urgent(&self) -> bool {
        self.is_urgent.load(Ordering::Relaxed) || self.is_closed()
    }

    /// Whether the database is where it was, for those who read.
    pub(super) fn may_read(&self) -> Result<(), StoreError> {
        self.watch.place().map(drop).inspect_err(|error| self.tell(error))
    }

    /// The same for the one who writes.
    pub(super) fn look(&self) -> Result<FileState, StoreError> {
        match self.lasting() {
            Some(error) => Err(error),
            None => self.watch.look().inspect_err(|error| self.tell(error)),
        }
    }

    pub(super) fn lasting(&self) -> Option<StoreError> {
        lock(&self.lasting).clone()
    }

    /// Notes an error from the database, if it is one that keeps messages from being kept.
    pub(super) fn tell(&self, error: &StoreError) {
        if error.is_lasting() {
            lock(&self.lasting).get_or_insert_with(|| error.clone());
        }
        if error.is_lasting() || error.is_misplaced() {
            self.hurt.send_if_modified(|hurt| hurt.replace(error.clone()).is_none());
        }
    }

    /// The database works again.
    pub(super) fn mended(&self) {
        self.hurt.send_replace(None);
    }

    /// Waits until somebody has found what keeps messages from being kept.
    pub(super) async fn hurt(&self) -> StoreError {
        let mut hurt = self.hurt.subscribe();
        match hurt.wait_for(Option::is_some).await.map(|hurt| hurt.clone()) {
            Ok(Some(error)) => error,
            // The sender is in this.
            _ => StoreError::Closed,
        }
    }

    /// The database is to be checked through (again).
    pub(super) fn want_check(&self) {
        self.set_check(CheckState::Wanted);
    }

    pub(super) fn check_done(&self) {
        self.set_check(CheckState::Done);
    }

    /// Nothing is to be read any more.
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

    /// Waits until there is something to check; `false`: there will be nothing any more.
    pub(super) fn next_check(&self) -> bool {
        let check = lock(&self.check);
        let wait = self.changed.wait_while(check, |check| *check == CheckState::Done);
        *wait.unwrap_or_else(PoisonError::into_inner) == CheckState::Wanted && self.rest(CHECK_AFTER)
    }

    /// Waits for a time; `false`: it was closed meanwhile.
    pub(super) fn rest(&self, time: Duration) -> bool {
        let check = lock(&self.check);
        let waited = self.changed.wait_timeout_while(check, time, |check| *check != CheckState::Closed);
        *waited.unwrap_or_else(PoisonError::into_inner).0 != CheckState::Closed
    }
}
