//! Persists the chat in a SQLite database.
//!
//! Five threads share it: one writes, one reads what people missed, one lists history, one searches, and one
//! checks that the database is intact. A batch is one transaction, and is on the disk when [`Store::commit`]
//! returns: SQLite syncs the log with each commit (`synchronous=FULL`), so it survives a crash, and a power
//! cut if the disk honours flushes. This module knows neither sockets nor the chat's rules, which decide what
//! is kept and who may read it.

mod api;
mod backup;
mod btree;
mod changes;
mod check;
mod checksum;
mod commit;
mod connect;
mod date_correction;
mod duplicates;
mod error;
mod export;
mod file_watch;
mod forget;
mod health;
mod hours;
mod image;
mod incarnations;
mod index_tail;
mod indexing;
mod lack;
mod last;
mod legacy_files;
mod listing;
mod load;
mod lock;
mod names_in_use;
mod notices;
mod paths;
mod prune;
mod queue;
mod read_thread;
mod records;
mod repair;
mod rows;
mod schema;
mod search;
mod shared;
mod table_schema;
#[cfg(test)]
mod tests;
mod tokens;
mod upgrade_copy;
mod view;
mod weight;
mod write_thread;
mod writer_clock;

pub use api::{
    CommitOutcome, Duplicate, Page, QueryResult, ResumeFrom, Retention, StartPoint, ViewRange, WriteBatch,
};
pub use backup::{Backup, BackupFile, BackupSummary, ChecksumState, backup, parts};
pub use error::StoreError;
pub use export::{Export, ExportFilter};
pub use forget::{PersonData, PersonQuery, forget};
pub use names_in_use::NamesInUse;
pub use notices::Notices;
pub use paths::on_disk;
pub use repair::{Repaired, check_whole, repair};
pub use shared::{ReplicaState, leave_log};
pub use upgrade_copy::all as upgrade_copies;

use crate::chat::{Archive, Lack, Message, Search, View, Wanted};
use crate::clock::Clock;
use crate::limits::{SEARCH_TIME, STORE_QUEUE};
use error::AtPath as _;
use health::Health;
use notices::NoticeQueue;
use queue::Queue;
use read_thread::ReadThread;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use write_thread::WriteThread;

/// A handle to the history; cheap to clone. Calls wait while the queues are full. When the last handle is
/// dropped, the threads finish their work and end.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Queue<WriteThread>,
    reader: Queue<ReadThread>,
    lister: Queue<ReadThread>,
    searcher: Queue<ReadThread>,
    notices: NoticeQueue,
    health: Arc<Health>,
}

impl Store {
    /// Opens the history at `path`, creates it and its directory if necessary, and reads the state from which
    /// a chat starts.
    pub fn open(path: &Path, keep: Retention) -> Result<(Self, Archive), StoreError> {
        Self::open_by(path, keep, Arc::new(Clock::new()))
    }

    /// Like [`Self::open`], with a clock that nobody has read yet; it continues from the time stored in the
    /// history.
    pub fn open_by(path: &Path, keep: Retention, clock: Arc<Clock>) -> Result<(Self, Archive), StoreError> {
        Self::open_alone(path, Some(keep), clock)
    }

    /// Like [`Self::open`], for a server that shares its chat with others, and the incarnation `log`.
    pub fn open_shared(
        path: &Path,
        keep: Retention,
        clock: Arc<Clock>,
        log: &str,
    ) -> Result<(Self, ReplicaState), StoreError> {
        Self::open_as(path, (Some(keep), Some(log)), clock)
    }

    /// Like [`Self::open`], for a chat that keeps only names, operators, members, bans and mutes: its archive
    /// names no history. Messages, mail and rooms in the database remain as they are.
    pub fn open_records(path: &Path, clock: Arc<Clock>) -> Result<(Self, Archive), StoreError> {
        Self::open_alone(path, None, clock)
    }

    fn open_alone(
        path: &Path,
        keep: Option<Retention>,
        clock: Arc<Clock>,
    ) -> Result<(Self, Archive), StoreError> {
        let (store, state) = Self::open_as(path, (keep, None), clock)?;
        Ok((store, state.archive))
    }

    fn open_as(
        path: &Path,
        keep: (Option<Retention>, Option<&str>),
        clock: Arc<Clock>,
    ) -> Result<(Self, ReplicaState), StoreError> {
        let committed = Arc::new(AtomicU64::new(0));
        let notices = NoticeQueue::default();
        let (writer, state) = WriteThread::open(path, keep, clock, Arc::clone(&committed), notices.clone())?;
        let health = writer.health();
        let read = |name| {
            let reader = ReadThread::open(Arc::clone(&health), Arc::clone(&committed))?;
            Queue::start(name, STORE_QUEUE, move |jobs| reader.run(&jobs)).at(path)
        };
        let store = Self {
            writer: Queue::start("history", STORE_QUEUE, move |jobs| writer.run(&jobs)).at(path)?,
            reader: read("history-reader")?,
            lister: read("history-lister")?,
            searcher: read("history-search")?,
            notices,
            health: Arc::clone(&health),
        };
        // This thread ends with the writer.
        let checking = std::thread::Builder::new().name("history-check".into());
        checking.spawn(move || check::run(&health)).at(path)?;
        Ok((store, state))
    }

    /// Writes a batch and reads its cutovers, in one transaction.
    ///
    /// # Errors
    /// If it fails, nothing of the batch is stored; see [`Self::mend`].
    pub async fn commit(&self, batch: impl Into<Arc<WriteBatch>>) -> Result<CommitOutcome, StoreError> {
        let batch = batch.into();
        self.writer.ask(move |writer| writer.commit(&batch)).await
    }

    /// The state after the last batch, of a server that shares its chat with others.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn shared_state(&self) -> Result<ReplicaState, StoreError> {
        self.writer.ask(WriteThread::shared_state).await
    }

    /// Replaces how long messages are kept. The next removal of old messages is then due at once.
    ///
    /// # Errors
    /// If the store is closed.
    pub async fn keep(&self, keep: Retention) -> Result<(), StoreError> {
        self.writer
            .ask(move |writer| {
                writer.keep(keep);
                Ok(())
            })
            .await
    }

    /// Records that the server passed messages on without storing them, so that people who were away learn of
    /// the gap even after a restart. Returns once a crash of the process can no longer lose that record.
    pub async fn lacks(&self, lacks: Lack) -> Result<(), StoreError> {
        self.writer
            .ask(move |writer| {
                writer.lacks(lacks);
                Ok(())
            })
            .await
    }

    /// Finds the messages of a batch that are already stored, for a batch that cannot be written.
    pub async fn known(&self, batch: Arc<WriteBatch>) -> Result<Vec<Duplicate>, StoreError> {
        self.read(move |history, _| duplicates::known(history, &batch.entries)).await
    }

    /// Finds where a client that has everything up to `since` starts to read `view`, so that it gets at most
    /// `most` messages. Ignores a view of waiting mail, whose numbers do not tell where to start.
    pub async fn begin(&self, view: View, since: ResumeFrom, most: usize) -> Result<StartPoint, StoreError> {
        self.read(move |history, _| view::begin(history, &view, since, most)).await
    }

    /// Reads the first messages of a range: at most `limit`, with frames of `bytes` in total, but at least
    /// one.
    pub async fn page(&self, span: ViewRange, limit: usize, bytes: usize) -> Result<Page, StoreError> {
        self.read(move |history, committed| view::page(history, &span, limit, bytes, committed)).await
    }

    /// Reads the newest messages of a room or a conversation, with frames of `bytes` in total, but at least
    /// one.
    ///
    /// # Errors
    /// If the history cannot be read; [`StoreError::TooSlow`] after the time limit.
    pub async fn history(&self, wanted: Wanted, bytes: usize) -> Result<QueryResult, StoreError> {
        within(&self.lister, move |history| listing::history(history, &wanted, bytes)).await
    }

    /// Reads one message, with its mail; `None`: it is gone, or never was.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub async fn message(&self, seq: u64) -> Result<Option<Message>, StoreError> {
        within(&self.lister, move |history| changes::message(history, seq)).await
    }

    /// Counts the stored messages, with changes and notices of delivery: that reads only an index.
    ///
    /// # Errors
    /// If the history cannot be read; [`StoreError::TooSlow`] after the time limit.
    pub async fn count(&self) -> Result<u64, StoreError> {
        within(&self.lister, |history| {
            history
                .query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0))
                .map(i64::unsigned_abs)
        })
        .await
    }

    /// Reads the newest messages that match a search, with frames of `bytes` in total, but at least one.
    /// After the time limit, returns what it has found so far.
    ///
    /// # Errors
    /// If the history cannot be read; [`StoreError::TooSlow`] if the time limit passes before it has looked at any
    /// message.
    pub async fn search(&self, search: Search, bytes: usize) -> Result<QueryResult, StoreError> {
        within(&self.searcher, move |history| {
            search::search(history, &search, bytes, search::Effort::default())
        })
        .await
    }

    /// Waits for events that no request causes. For one task only.
    pub async fn notices(&self) -> Notices {
        self.notices.next().await
    }

    /// Waits until a thread finds that messages cannot be stored because the database is damaged or its file
    /// is gone, even if no one is sending any.
    pub async fn problem(&self) -> StoreError {
        self.health.problem().await
    }

    /// Reopens the database after a failure, and tests whether it is writable.
    pub async fn mend(&self) -> Result<(), StoreError> {
        self.writer.ask(WriteThread::mend).await
    }

    /// Completes the queued writes and closes the database. From then on, other clones get
    /// [`StoreError::Closed`].
    pub async fn close(self) {
        for reader in [self.searcher, self.lister, self.reader] {
            close(&reader, ReadThread::close).await;
        }
        close(&self.writer, WriteThread::close).await;
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection, u64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.reader.ask(move |reader| reader.read(None, work)).await
    }
}

/// Reads in another thread, and gives up after the time limit for searches.
async fn within<T: Send + 'static>(
    reader: &Queue<ReadThread>,
    work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    reader.ask(move |reader| reader.read(Some(SEARCH_TIME), |history, _| work(history))).await
}

async fn close<W: Send + 'static>(queue: &Queue<W>, close: fn(&mut W)) {
    let closed = queue.ask(move |worker| {
        close(worker);
        Ok(())
    });
    // Fails only if another clone has closed it.
    let _ = closed.await;
    queue.join();
}
