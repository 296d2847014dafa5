//! The thread that writes batches, and in between removes old messages and updates the index.

mod removal;

use super::api::{CommitOutcome, Retention, WriteBatch};
use super::commit::{self, KnownIds};
use super::error::{AtPath as _, StoreError};
use super::file_watch::FileState;
use super::health::{CheckState, Health};
use super::index_tail::{self, IndexTail};
use super::last::{self, LastFile};
use super::notices::NoticeQueue;
use super::queue::Job;
use super::shared::ReplicaState;
use super::writer_clock::WriterClock;
use super::{indexing, lack, legacy_files, load, prune, schema, shared};
use crate::chat::{Entry, Lack};
use crate::clock::Clock;
use crate::limits::{INDEX_ALONG, INDEX_PAUSE, PRUNE_EVERY, PRUNE_PATIENCE, TAIL_REST, WATCH_EVERY};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Bytes that must fit before a failed store counts as working again: the size of a big batch.
const PROBE_BYTES: u32 = 256 * 1024;

/// The state of the writing thread.
pub(super) struct WriteThread {
    path: PathBuf,
    keep: Retention,
    /// `None` after a failure to reopen it, and once it is closed.
    connection: Option<Connection>,
    /// The id of this run's incarnation.
    log: String,
    last_file: LastFile,
    /// The latest number that the rules assigned.
    seq: u64,
    /// The highest number of a message that is or was in the database.
    last: u64,
    /// After a crash, numbering continues here.
    reserved: u64,
    /// Messages that could not be stored, until the database records that.
    lacks: Option<Lack>,
    /// The last committed number. Raised after the commit, so that a reader who loads it first sees all
    /// messages up to there.
    committed: Arc<AtomicU64>,
    health: Arc<Health>,
    time: WriterClock,
    notices: NoticeQueue,
    /// Whether waiting mail has used up its share of the room.
    is_full_of_mail: bool,
    /// Bytes of mail to accept before looking again; `None` without a limit.
    mail_room: Option<u64>,
    next_prune: Instant,
    ids: KnownIds,
    tail: IndexTail,
    /// When to index some of it although batches come without a rest.
    next_follow: Instant,
    /// Whether no batch has come for [`TAIL_REST`].
    is_resting: bool,
    /// When to index more messages of an older database; `None` when done.
    next_index: Option<Instant>,
    is_closed: bool,
}

impl WriteThread {
    /// Opens the database and reads the state from which a chat starts; without `keep`, only the records.
    pub(super) fn open(
        path: &Path,
        (keep, log_id): (Option<Retention>, Option<&str>),
        clock: Arc<Clock>,
        committed: Arc<AtomicU64>,
        notices: NoticeQueue,
    ) -> Result<(Self, ReplicaState), StoreError> {
        let (before, is_gone) = (last::load(path), !path.exists());
        let (mut connection, health) = schema::open_watched(path)?;
        legacy_files::run(&mut connection, path)?;
        if keep.is_some() {
            shared::check(&connection, log_id, path)?;
        }
        let (state, reserved) =
            load::state(&mut connection, (keep.is_some(), log_id), before.as_ref()).at(path)?;
        let archive = &state.archive;
        let (log, last) = load::found(&connection).at(path)?;
        match before {
            Some(_) if is_gone => last::warn_gone(path),
            // With several servers, the same incarnation goes on.
            Some(before) if archive.is_put_back() && before.log != log => last::warn(path, &before),
            _ => {}
        }
        // Only now, so that what the file says is true even if this process ends earlier.
        let last_file = match archive.lineage {
            Some(_) => LastFile::begin(path, &log, archive.seq),
            None => LastFile::none(),
        };
        let mut time = WriterClock::new(clock);
        time.begin(&mut connection, archive.seq).at(path)?;
        committed.store(archive.seq, Ordering::Release);
        index_tail::prepare(&mut connection).at(path)?;
        let tail = IndexTail::of(&connection).at(path)?;
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
            ids: KnownIds::default(),
            tail,
            next_follow: Instant::now(),
            is_resting: false,
            next_index: keep.map(|_| Instant::now()),
            is_closed: false,
        };
        writer.health.files().note(|| None);
        Ok((writer, state))
    }

    /// The state after the last batch, of a server that shares its chat.
    pub(super) fn shared_state(&mut self) -> Result<ReplicaState, StoreError> {
        let log = self.log.clone();
        self.attempt(|connection, _| load::read_shared(connection, &log))
    }

    pub(super) fn keep(&mut self, keep: Retention) {
        self.keep = keep;
        self.next_prune = Instant::now();
    }

    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// Works until it is closed or the last handle is gone.
    pub(super) fn run(mut self, jobs: &Receiver<Job<Self>>) {
        while !self.is_closed {
            let next = self.next_index.map_or(self.next_prune, |next| next.min(self.next_prune));
            let pause = match (self.tail.is_worth_a_step(), self.is_resting) {
                (true, true) => Duration::ZERO,
                (true, false) => TAIL_REST,
                (false, _) => next.saturating_duration_since(Instant::now()).min(WATCH_EVERY),
            };
            // Under load, there is always a job, so pruning cannot wait for a pause.
            let patience = match jobs.recv_timeout(pause) {
                Ok(job) => {
                    job(&mut self);
                    self.is_resting = false;
                    self.follow_along();
                    PRUNE_PATIENCE
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.tail.is_worth_a_step() {
                        self.is_resting = true;
                        self.follow();
                    } else if Instant::now() < next {
                        // Checks that the files still exist; `Health` passes an error on.
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

    /// Writes a whole batch, or nothing.
    pub(super) fn commit(&mut self, batch: &WriteBatch) -> Result<CommitOutcome, StoreError> {
        let (seq, reserved, lacks) = (self.seq, self.reserved, self.lacks);
        // Dropped if the transaction fails.
        let mut ids = std::mem::take(&mut self.ids);
        let (outcome, reserved, is_datable) = self.attempt(|connection, time| {
            let (dates, is_datable) = time.look(connection, seq)?;
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            lacks.map_or(Ok(()), |lacks| lack::note(&change, lacks))?;
            let (outcome, reserved) = commit::commit(change, batch, &mut ids, reserved, dates)?;
            Ok((outcome, reserved, is_datable))
        })?;
        if is_datable {
            self.next_prune = Instant::now();
        }
        self.ids = ids;
        self.reserved = reserved;
        self.last = self.last.max(commit::last_stored(batch, &outcome));
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

    /// Records that messages were passed on but not stored: in the file beside the database, until the next
    /// batch records it in the database.
    pub(super) fn lacks(&mut self, lacks: Lack) {
        if self.lacks.replace(lacks).is_none() {
            self.last_file.note(self.seq, true);
        }
    }

    /// Reopens the database after a failure, and tests whether it is writable.
    pub(super) fn mend(&mut self) -> Result<(), StoreError> {
        // A file that was moved away may be back; the open log has everything written since.
        if self.health.look()? == FileState::LogMissing {
            self.save_log()?;
        }
        // A connection's cache is unreliable after a disk failure.
        self.reopen()?;
        self.tail = self.attempt(|connection, _| IndexTail::of(connection))?;
        self.attempt(|connection, _| {
            let fill = "INSERT OR REPLACE INTO meta VALUES ('probe', zeroblob(?1))";
            connection.execute(fill, [PROBE_BYTES])?;
            connection.execute("DELETE FROM meta WHERE key = 'probe'", []).map(drop)
        })?;
        self.health.mended();
        Ok(())
    }

    /// Closes all connections, and opens the database as it is now; fails if it is another history.
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.health.close_readers();
        self.leave();
        self.health.files().forget();
        self.health.files().check_path()?;
        let opened =
            schema::open_again(self.health.path(), self.health.files().file()).and_then(|connection| {
                let found = load::found(&connection).at(&self.path)?;
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

    /// Closes the connection without a checkpoint.
    fn leave(&mut self) {
        self.ids.clear();
        if let Some(connection) = self.connection.take() {
            forego_checkpoint(&connection);
        }
    }

    /// Makes sure that the next write goes to the files at the path.
    fn take_care(&mut self) -> Result<(), StoreError> {
        match self.health.look()? {
            FileState::Unchanged => return Ok(()),
            FileState::Changed => {
                tracing::warn!(
                    event = "history_foreign_write",
                    "another program wrote to {}; while the server runs, only the server may write to it",
                    self.path.display()
                );
            }
            FileState::LogMissing => {
                tracing::warn!(
                    event = "history_log_removed",
                    "the log of {} was removed while the server was running; copying its messages into the database",
                    self.path.display()
                );
                self.save_log()?;
            }
        }
        self.reopen()?;
        self.health.set_check(CheckState::Wanted);
        Ok(())
    }

    /// Checkpoints a log that was deleted but is still open.
    fn save_log(&mut self) -> Result<(), StoreError> {
        self.health.close_readers();
        let Some(connection) = &self.connection else { return Ok(()) };
        let saved = connection.pragma_update_and_check(None, "wal_checkpoint", "truncate", |row| row.get(0));
        match saved.at(&self.path)? {
            0_i64 => Ok(()),
            _ => Err(StoreError::InUse(self.path.clone())),
        }
    }

    /// Records the last number, and checkpoints the log.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.health.set_check(CheckState::Closed);
        self.health.close_readers();
        let seen = self.health.look();
        if seen == Ok(FileState::LogMissing)
            && let Err(error) = self.save_log()
        {
            tracing::warn!(
                event = "history_log_removed",
                "cannot save the log of the history, so its messages are lost: {error}"
            );
        }
        if seen != Ok(FileState::Unchanged) {
            return self.leave();
        }
        let Some(connection) = self.connection.take() else { return };
        let lacks = self.lacks.map_or(Ok(()), |lacks| lack::note(&connection, lacks));
        let noted = lacks.and_then(|()| self.time.keep(&connection));
        let noted = noted.and_then(|()| commit::set_last(&connection, self.seq, self.reserved));
        if noted.is_ok() && self.reserved != u64::MAX {
            // Not every system replaces a file that is open.
            self.last_file = LastFile::none();
            last::save(&self.path, &self.log, self.seq);
        }
        if let Err(error) = noted.and_then(|()| connection.close().map_err(|(_, error)| error)) {
            tracing::warn!(
                event = "history_not_closed",
                "cannot close the history cleanly: {}",
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
            return Err(StoreError::Unusable(self.path.clone(), "it could not be reopened".into()));
        };
        let done = work(connection, &mut self.time).map_err(|error| {
            let error = StoreError::of(&self.path, &error);
            self.health.tell(&error);
            error
        });
        self.health.files().note(|| prune::size(connection).ok());
        done
    }

    /// Limits the database to `pages` until it is reopened.
    #[cfg(test)]
    pub(super) fn fill_disk(&mut self, pages: u32) -> Result<(), StoreError> {
        self.attempt(|connection, _| {
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        })
    }

    #[cfg(test)]
    pub(super) fn run_sql(&mut self, sql: &str) -> Result<(), StoreError> {
        self.attempt(|connection, _| connection.execute_batch(sql))
    }

    /// Indexes new messages between batches: now and then, and always if too many are not indexed. The last batch
    /// has its answer, so only the next one waits.
    fn follow_along(&mut self) {
        while self.tail.is_full() {
            self.follow();
        }
        let now = Instant::now();
        if now < self.next_follow {
            return;
        }
        self.next_follow = now + INDEX_ALONG;
        if !self.tail.is_flooded() && self.tail.is_worth_a_step() {
            self.follow();
        }
    }

    /// Indexes some of the newest messages.
    fn follow(&mut self) {
        match self.attempt(|connection, _| index_tail::step(connection)) {
            Ok(indexed) => self.tail.take(indexed),
            // The next messages trigger another attempt.
            Err(error) => {
                tracing::debug!(event = "indexing_failed", "cannot index new messages: {error}");
                self.tail = IndexTail::default();
            }
        }
    }

    fn index(&mut self) {
        let pause = match self.attempt(|connection, _| indexing::step(connection)) {
            Ok(true) => Some(INDEX_PAUSE),
            Ok(false) => None,
            Err(error) => {
                tracing::debug!(event = "indexing_failed", "cannot index old messages: {error}");
                Some(PRUNE_EVERY)
            }
        };
        self.next_index = pause.map(|pause| Instant::now() + pause);
    }
}

/// Closing this connection will not checkpoint the log.
fn forego_checkpoint(connection: &Connection) {
    if let Err(error) = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
        tracing::debug!(event = "history_not_closed", %error, "cannot turn off the checkpoint at closing");
    }
}
