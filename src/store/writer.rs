//! The thread that writes: batches as they come, and between them the removal of what is old.

use super::error::StoreError;
use super::health::Health;
use super::question::{Batch, Keep, Outcome};
use super::queue::Job;
use super::watch::Seen;
use super::{commit, opening, prune, schema};
use crate::chat::{Archive, Entry};
use crate::limits::{PRUNE_EVERY, PRUNE_PATIENCE, PRUNE_PAUSE, WATCH_EVERY};
use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

/// Bytes that must find room before a store that failed counts as mended: as many as a big turn has.
const PROBE_BYTES: u32 = 256 * 1024;

/// What the thread owns.
pub(super) struct Writer {
    path: PathBuf,
    keep: Keep,
    /// `None` after a failure to open it again, and once it is closed.
    connection: Option<Connection>,
    /// Which history this is.
    log: String,
    /// The latest number that was given.
    seq: u64,
    /// The latest number of a message that is in the database, or was until it was pruned.
    last: u64,
    /// After a crash, counting goes on from here.
    reserved: u64,
    /// What is committed, for those who read. Raised after the commit, so that who reads it first finds
    /// all up to there.
    committed: Arc<AtomicU64>,
    health: Arc<Health>,
    next_prune: Instant,
    is_closed: bool,
}

impl Writer {
    /// Opens the database, and reads what a chat begins with.
    pub(super) fn open(
        path: &Path,
        keep: Keep,
        committed: Arc<AtomicU64>,
    ) -> Result<(Self, Archive), StoreError> {
        let (mut connection, health) = schema::open_watched(path)?;
        let (archive, reserved) =
            opening::read(&mut connection).map_err(|error| StoreError::of(path, &error))?;
        let (_, last) = opening::found(&connection).map_err(|error| StoreError::of(path, &error))?;
        committed.store(archive.seq, Ordering::Release);
        let writer = Self {
            path: path.into(),
            keep,
            connection: Some(connection),
            log: archive.id.clone().unwrap_or_default(),
            seq: archive.seq,
            last,
            reserved,
            committed,
            health: Arc::new(health),
            next_prune: Instant::now(),
            is_closed: false,
        };
        writer.health.files().note();
        Ok((writer, archive))
    }

    /// What it shares with those who read.
    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// Works until it is closed, or nobody can ask any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job<Self>>) {
        while !self.is_closed {
            let pause = self.next_prune.saturating_duration_since(Instant::now());
            match jobs.recv_timeout(pause.min(WATCH_EVERY)) {
                Ok(job) => job(&mut self),
                Err(RecvTimeoutError::Timeout) if Instant::now() >= self.next_prune => self.prune(),
                // An error is told to all.
                Err(RecvTimeoutError::Timeout) => drop(self.attempt(|_| Ok(()))),
                Err(RecvTimeoutError::Disconnected) => self.close(),
            }
            // Under load there is always a job.
            if Instant::now() > self.next_prune + PRUNE_PATIENCE {
                self.prune();
            }
        }
    }

    /// Writes a batch, or nothing of it.
    pub(super) fn commit(&mut self, batch: &Batch) -> Result<Outcome, StoreError> {
        let reserved = self.reserved;
        let (outcome, reserved) = self.attempt(|connection| {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            commit::commit(change, batch, reserved)
        })?;
        self.reserved = reserved;
        self.last = self.last.max(last_stored(batch, &outcome));
        self.seq = self.seq.max(batch.seq);
        self.committed.fetch_max(batch.seq, Ordering::AcqRel);
        Ok(outcome)
    }

    /// Opens the database again after a failure, and tries whether it can be written.
    pub(super) fn mend(&mut self) -> Result<(), StoreError> {
        // What is gone may come back, and then all that was written is in it and what is open.
        if self.health.look()? == Seen::Bare {
            self.save_log()?;
        }
        // What a connection remembers of a disk that failed is worth nothing.
        self.reopen()?;
        self.attempt(|connection| {
            let fill = "INSERT OR REPLACE INTO meta VALUES ('probe', zeroblob(?1))";
            connection.execute(fill, [PROBE_BYTES])?;
            connection.execute("DELETE FROM meta WHERE key = 'probe'", []).map(drop)
        })?;
        self.health.mended();
        Ok(())
    }

    /// Closes all that is open, and opens the database as it is now, which must be this one.
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.health.close_readers();
        self.leave();
        self.health.files().forget();
        self.health.files().place()?;
        let opened = schema::open_again(&self.path, self.health.files().file()).and_then(|connection| {
            let found = opening::found(&connection).map_err(|error| StoreError::of(&self.path, &error))?;
            if found.0 == self.log && found.1 >= self.last {
                return Ok(connection);
            }
            forego_checkpoint(&connection);
            Err(StoreError::Overwritten(self.path.clone()))
        });
        self.connection = Some(opened.inspect_err(|error| self.health.tell(error))?);
        self.health.files().note();
        Ok(())
    }

    /// Closes the connection without writing anything more to the database.
    fn leave(&mut self) {
        if let Some(connection) = self.connection.take() {
            forego_checkpoint(&connection);
        }
    }

    /// Sees to it that what is written next goes to files that are there.
    fn take_care(&mut self) -> Result<(), StoreError> {
        match self.health.look()? {
            Seen::Same => return Ok(()),
            Seen::Written => {
                tracing::warn!(
                    "another program has written to {}; leave it to the server",
                    self.path.display()
                );
            }
            Seen::Bare => {
                tracing::warn!(
                    "the log of {} was removed while the server runs; what is in it is saved",
                    self.path.display()
                );
                self.save_log()?;
            }
        }
        self.reopen()?;
        self.health.want_check();
        Ok(())
    }

    /// Brings into the database what is in a log that has no name any more.
    fn save_log(&mut self) -> Result<(), StoreError> {
        self.health.close_readers();
        let Some(connection) = &self.connection else { return Ok(()) };
        let saved = connection.pragma_update_and_check(None, "wal_checkpoint", "truncate", |row| row.get(0));
        match saved.map_err(|error| StoreError::of(&self.path, &error))? {
            0_i64 => Ok(()),
            _ => Err(StoreError::InUse(self.path.clone())),
        }
    }

    /// Notes which number was the last, and brings all into one file.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.health.close();
        self.health.close_readers();
        let seen = self.health.look();
        if seen == Ok(Seen::Bare)
            && let Err(error) = self.save_log()
        {
            tracing::warn!("the log of the history is lost: {error}");
        }
        if seen != Ok(Seen::Same) {
            return self.leave();
        }
        let Some(connection) = self.connection.take() else { return };
        let noted = commit::set_last(&connection, self.seq, self.reserved);
        if let Err(error) = noted.and_then(|()| connection.close().map_err(|(_, error)| error)) {
            tracing::warn!(
                "the history could not be closed in order: {}",
                StoreError::of(&self.path, &error)
            );
        }
    }

    fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.take_care()?;
        let Some(connection) = &mut self.connection else {
            return Err(StoreError::Unusable(self.path.clone(), "it could not be opened again".into()));
        };
        let done = work(connection).map_err(|error| {
            let error = StoreError::of(&self.path, &error);
            self.health.tell(&error);
            error
        });
        self.health.files().note();
        done
    }

    /// Leaves no room for more than `pages`, until the database is opened again.
    #[cfg(test)]
    pub(super) fn fill_disk(&mut self, pages: u32) -> Result<(), StoreError> {
        self.attempt(|connection| {
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        })
    }

    fn prune(&mut self) {
        let keep = self.keep;
        let pause = match self.attempt(|connection| prune::step(connection, keep, Timestamp::now())) {
            Ok(true) => PRUNE_PAUSE,
            Ok(false) => PRUNE_EVERY,
            Err(error) => {
                tracing::debug!("old messages can't be removed: {error}");
                PRUNE_EVERY
            }
        };
        self.next_prune = Instant::now() + pause;
    }
}

/// The latest number of a message of the batch that was stored; 0: there was none.
fn last_stored(batch: &Batch, outcome: &Outcome) -> u64 {
    let is_known = |place: usize| outcome.duplicates.iter().any(|known| known.entry == place);
    let stored = batch.entries.iter().enumerate().rev().find_map(|(place, entry)| match entry {
        Entry::Message(message) if !is_known(place) => Some(message.seq),
        _ => None,
    });
    stored.unwrap_or(0)
}

/// Has nothing written to the database when the connection is closed.
fn forego_checkpoint(connection: &Connection) {
    if let Err(error) = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
        tracing::debug!(%error, "the log may be copied into the database");
    }
}
