//! The thread that writes: batches as they come, and between them the removal of what is old.

mod removal;

use super::api::{CommitOutcome, Retention, WriteBatch};
use super::error::StoreError;
use super::file_watch::FileState;
use super::health::Health;
use super::index_tail::{self, IndexTail};
use super::last::{self, LastFile};
use super::notices::NoticeQueue;
use super::queue::Job;
use super::writer_clock::WriterClock;
use super::{commit, indexing, lack, legacy_files, load, prune, schema};
use crate::chat::{Archive, Entry, Lack};
use crate::clock::Clock;
use crate::limits::{INDEX_PAUSE, PRUNE_EVERY, PRUNE_PATIENCE, WATCH_EVERY};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Bytes that must find room before a store that failed counts as mended: as many as a big turn has.
const PROBE_BYTES: u32 = 256 * 1024;

/// What the thread owns.
pub(super) struct WriteThread {
    path: PathBuf,
    keep: Retention,
    /// `None` after a failure to open it again, and once it is closed.
    connection: Option<Connection>,
    /// Which history this is.
    log: String,
    last_file: LastFile,
    /// The latest number that was given.
    seq: u64,
    /// The latest number of a message that is in the database, or was until it was pruned.
    last: u64,
    /// After a crash, counting goes on from here.
    reserved: u64,
    /// The last that was said and could not be stored; `None`: that is noted in the database.
    lacks: Option<Lack>,
    /// What is committed, for those who read. Raised after the commit, so that who reads it first finds
    /// all up to there.
    committed: Arc<AtomicU64>,
    health: Arc<Health>,
    time: WriterClock,
    notices: NoticeQueue,
    /// Whether mail that waits takes all the room that it may.
    is_full_of_mail: bool,
    /// Bytes of mail that may come until it is looked whether there is room for more; `None`: any number.
    mail_room: Option<u64>,
    next_prune: Instant,
    tail: IndexTail,
    /// `None`: all messages of an older database are in the index.
    next_index: Option<Instant>,
    is_closed: bool,
}

impl WriteThread {
    /// Opens the database, and reads what a chat begins with; without `keep` the books alone.
    pub(super) fn open(
        path: &Path,
        keep: Option<Retention>,
        clock: Arc<Clock>,
        committed: Arc<AtomicU64>,
        notices: NoticeQueue,
    ) -> Result<(Self, Archive), StoreError> {
        let of = |error: rusqlite::Error| StoreError::of(path, &error);
        let (before, is_gone) = (last::load(path), !path.exists());
        let (mut connection, health) = schema::open_watched(path)?;
        legacy_files::run(&mut connection, path)?;
        let (archive, reserved) = match keep {
            Some(_) => load::read(&mut connection, before.as_ref()).map_err(of)?,
            // No number is given, and so none is reserved.
            None => (load::read_books(&mut connection).map_err(of)?, u64::MAX),
        };
        let (log, last) = load::found(&connection).map_err(of)?;
        match before {
            Some(_) if is_gone => last::warn_gone(path),
            Some(before) if archive.is_put_back() => last::warn(path, &before),
            _ => {}
        }
        // Only now: whatever is there is true, even if this process ends here.
        let last_file = match archive.lineage {
            Some(_) => LastFile::begin(path, &log, archive.seq),
            None => LastFile::none(),
        };
        let mut time = WriterClock::new(clock);
        time.begin(&mut connection, archive.seq).map_err(of)?;
        committed.store(archive.seq, Ordering::Release);
        let tail = IndexTail::of(&connection).map_err(of)?;
        let writer = Self {
            path: path.into(),
            keep: keep.unwrap_or_default(),
            connection: Some(connection),
            log,
            last_file,
            seq: archive.seq,
            last,
            reserved,
            lacks: None,
            committed,
            health: Arc::new(health),
            time,
            notices,
            is_full_of_mail: false,
            mail_room: Some(0),
            next_prune: Instant::now(),
            tail,
            next_index: keep.map(|_| Instant::now()),
            is_closed: false,
        };
        writer.health.files().note(|| None);
        Ok((writer, archive))
    }

    /// What it shares with those who read.
    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// Works until it is closed, or nobody can ask any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job<Self>>) {
        while !self.is_closed {
            let next = self.next_index.map_or(self.next_prune, |next| next.min(self.next_prune));
            let pause = match self.tail.is_due(true) {
                true => Duration::ZERO,
                false => next.saturating_duration_since(Instant::now()).min(WATCH_EVERY),
            };
            // Under load there is always a job.
            let patience = match jobs.recv_timeout(pause) {
                Ok(job) => {
                    job(&mut self);
                    self.follow(false);
                    PRUNE_PATIENCE
                }
                Err(RecvTimeoutError::Timeout) => {
                    if pause.is_zero() {
                        self.follow(true);
                    } else if Instant::now() < next {
                        // Whether the files are still there: an error is told to all.
                        let _ = self.attempt(|_, _| Ok(()));
                    }
                    Duration::ZERO
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.close();
                    break;
                }
            };
            let due = Instant::now().checked_sub(patience);
            if due.is_some_and(|due| due >= self.next_prune) {
                self.prune();
            }
            if due.is_some_and(|due| self.next_index.is_some_and(|next| due >= next)) {
                self.index();
            }
        }
    }

    /// Writes a batch, or nothing of it.
    pub(super) fn commit(&mut self, batch: &WriteBatch) -> Result<CommitOutcome, StoreError> {
        let (seq, reserved, lacks) = (self.seq, self.reserved, self.lacks);
        let (outcome, reserved, is_datable) = self.attempt(|connection, time| {
            let (dates, is_datable) = time.look(connection, seq)?;
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            lacks.map_or(Ok(()), |lacks| lack::note(&change, lacks))?;
            let (outcome, reserved) = commit::commit(change, batch, reserved, dates)?;
            Ok((outcome, reserved, is_datable))
        })?;
        if is_datable {
            self.next_prune = Instant::now();
        }
        self.reserved = reserved;
        self.last = self.last.max(last_stored(batch, &outcome));
        for entry in &batch.entries {
            if let Entry::Message(message) = entry {
                self.tail.add(&message.text);
            }
        }
        let lacked = self.lacks.take().is_some();
        if batch.seq > self.seq || lacked {
            self.seq = self.seq.max(batch.seq);
            self.last_file.note(self.seq, false);
        }
        self.committed.fetch_max(batch.seq, Ordering::AcqRel);
        self.count_mail(batch);
        Ok(outcome)
    }

    /// Something was passed on that could not be stored. It goes into the database with the next batch; until
    /// then it is noted beside it.
    pub(super) fn lacks(&mut self, lacks: Lack) {
        if self.lacks.replace(lacks).is_none() {
            self.last_file.note(self.seq, true);
        }
    }

    /// Opens the database again after a failure, and tries whether it can be written.
    pub(super) fn mend(&mut self) -> Result<(), StoreError> {
        // What is gone may come back, and then all that was written is in it and what is open.
        if self.health.look()? == FileState::LogMissing {
            self.save_log()?;
        }
        // What a connection remembers of a disk that failed is worth nothing.
        self.reopen()?;
        self.attempt(|connection, _| {
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
        let opened =
            schema::open_again(self.health.path(), self.health.files().file()).and_then(|connection| {
                let found = load::found(&connection).map_err(|error| StoreError::of(&self.path, &error))?;
                if found.0 == self.log && found.1 >= self.last {
                    return Ok(connection);
                }
                forego_checkpoint(&connection);
                Err(StoreError::Overwritten(self.path.clone()))
            });
        self.connection = Some(opened.inspect_err(|error| self.health.tell(error))?);
        self.health.files().note(|| None);
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
            FileState::Unchanged => return Ok(()),
            FileState::Changed => {
                tracing::warn!(
                    "another program has written to {}; leave it to the server",
                    self.path.display()
                );
            }
            FileState::LogMissing => {
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
        if seen == Ok(FileState::LogMissing)
            && let Err(error) = self.save_log()
        {
            tracing::warn!("the log of the history is lost: {error}");
        }
        if seen != Ok(FileState::Unchanged) {
            return self.leave();
        }
        let Some(connection) = self.connection.take() else { return };
        let lacks = self.lacks.map_or(Ok(()), |lacks| lack::note(&connection, lacks));
        let noted = lacks.and_then(|()| self.time.keep(&connection));
        let noted = noted.and_then(|()| commit::set_last(&connection, self.seq, self.reserved));
        if noted.is_ok() && self.reserved != u64::MAX {
            last::save(&self.path, &self.log, self.seq);
        }
        if let Err(error) = noted.and_then(|()| connection.close().map_err(|(_, error)| error)) {
            tracing::warn!(
                "the history could not be closed in order: {}",
                StoreError::of(&self.path, &error)
            );
        }
    }

    fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Connection, &mut WriterClock) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.take_care()?;
        let Some(connection) = &mut self.connection else {
            return Err(StoreError::Unusable(self.path.clone(), "it could not be opened again".into()));
        };
        let done = work(connection, &mut self.time).map_err(|error| {
            let error = StoreError::of(&self.path, &error);
            self.health.tell(&error);
            error
        });
        self.health.files().note(|| prune::size(connection).ok());
        done
    }

    /// Leaves no room for more than `pages`, until the database is opened again.
    #[cfg(test)]
    pub(super) fn fill_disk(&mut self, pages: u32) -> Result<(), StoreError> {
        self.attempt(|connection, _| {
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        })
    }

    /// Does whatever a test needs done.
    #[cfg(test)]
    pub(super) fn run_sql(&mut self, sql: &str) -> Result<(), StoreError> {
        self.attempt(|connection, _| connection.execute_batch(sql))
    }

    /// Writes what follows from the newest messages, if they are many.
    fn follow(&mut self, is_idle: bool) {
        if !self.tail.is_due(is_idle) {
            return;
        }
        let done = self.attempt(|connection, _| {
            index_tail::step(connection)?;
            IndexTail::of(connection)
        });
        // Where it fails, it is tried again with the next ones.
        self.tail = done.unwrap_or_else(|error| {
            tracing::debug!("new messages can't be put into the index: {error}");
            IndexTail::default()
        });
    }

    /// Puts messages of an older database into the index.
    fn index(&mut self) {
        let pause = match self.attempt(|connection, _| indexing::step(connection)) {
            Ok(true) => Some(INDEX_PAUSE),
            Ok(false) => None,
            Err(error) => {
                tracing::debug!("old messages can't be put into the index: {error}");
                Some(PRUNE_EVERY)
            }
        };
        self.next_index = pause.map(|pause| Instant::now() + pause);
    }
}

/// The latest number of a message of the batch that was stored; 0: there was none.
fn last_stored(batch: &WriteBatch, outcome: &CommitOutcome) -> u64 {
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
