//! What is kept of the chat, in a SQLite database.
//!
//! Five threads own it: one writes, one reads what people missed, one the history that they ask for, one
//! searches, and one checks whether it is whole. A batch is one transaction, and is on the disk when [`Store::commit`] returns: the log is
//! synced with each (`synchronous=FULL`), so that it survives the process and, if the disk keeps its word,
//! a power cut. Knows no sockets and none of the chat's rules: what is to be kept, and who may see what,
//! it is told.

mod api;
mod backup;
mod books;
mod btree;
mod check;
mod checksum;
mod commit;
mod connect;
mod date_correction;
mod duplicates;
mod error;
mod export;
mod file_watch;
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
mod notices;
mod paths;
mod prune;
mod queue;
mod read_thread;
mod repair;
mod rows;
mod schema;
mod search;
mod table_schema;
#[cfg(test)]
mod tests;
mod tokens;
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
pub use notices::Notices;
pub use repair::{Repaired, check_whole, repair};

use crate::chat::{Archive, Lack, Search, View, Wanted};
use crate::clock::Clock;
use crate::limits::{SEARCH_TIME, STORE_QUEUE};
use health::Health;
use notices::NoticeQueue;
use queue::Queue;
use read_thread::ReadThread;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use write_thread::WriteThread;

/// The way to the history; cheap to clone. Who asks while too many wait waits too. Once all of these
/// are dropped the threads end, in order but on their own time.
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
    /// Opens the history at `path`, making it and its directory if there is none, and reads what a chat
    /// begins with.
    ///
    /// # Errors
    /// Why it can't be used, with what to do about it.
    pub fn open(path: &Path, keep: Retention) -> Result<(Self, Archive), StoreError> {
        Self::open_by(path, keep, Arc::new(Clock::new()))
    }

    /// The same, going by that clock, which goes on from the time that the history has kept. It must not
    /// have been read yet.
    ///
    /// # Errors
    /// Why it can't be used, with what to do about it.
    pub fn open_by(path: &Path, keep: Retention, clock: Arc<Clock>) -> Result<(Self, Archive), StoreError> {
        Self::open_as(path, Some(keep), clock)
    }

    /// The same for a chat that keeps names, operators, members, bans and mutes alone: its archive names no
    /// history. Messages, mail and rooms that there are stay as they are.
    ///
    /// # Errors
    /// Why it can't be used, with what to do about it.
    pub fn open_books(path: &Path, clock: Arc<Clock>) -> Result<(Self, Archive), StoreError> {
        Self::open_as(path, None, clock)
    }

    fn open_as(
        path: &Path,
        keep: Option<Retention>,
        clock: Arc<Clock>,
    ) -> Result<(Self, Archive), StoreError> {
        let committed = Arc::new(AtomicU64::new(0));
        let notices = NoticeQueue::default();
        let (writer, archive) =
            WriteThread::open(path, keep, clock, Arc::clone(&committed), notices.clone())?;
        let health = writer.health();
        let failed = |error| StoreError::of_file(path, &error);
        let read = |name| {
            let reader = ReadThread::open(Arc::clone(&health), Arc::clone(&committed))?;
            Queue::start(name, STORE_QUEUE, move |jobs| reader.run(&jobs)).map_err(failed)
        };
        let store = Self {
            writer: Queue::start("history", STORE_QUEUE, move |jobs| writer.run(&jobs)).map_err(failed)?,
            reader: read("history-reader")?,
            lister: read("history-lister")?,
            searcher: read("history-search")?,
            notices,
            health: Arc::clone(&health),
        };
        // Ends with the writer.
        let checking = std::thread::Builder::new().name("history-check".into());
        checking.spawn(move || check::run(&health)).map_err(failed)?;
        Ok((store, archive))
    }

    /// Writes a batch and reads its seams, in one transaction.
    ///
    /// # Errors
    /// Then nothing of the batch is stored; see [`Self::mend`].
    pub async fn commit(&self, batch: impl Into<Arc<WriteBatch>>) -> Result<CommitOutcome, StoreError> {
        let batch = batch.into();
        self.writer.ask(move |writer| writer.commit(&batch)).await
    }

    /// Notes that something was said which could not be stored, so that whoever was away is told of a gap after a
    /// restart, too. Returns once it is noted where a process that ends does not lose it.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn lacks(&self, lacks: Lack) -> Result<(), StoreError> {
        self.writer
            .ask(move |writer| {
                writer.lacks(lacks);
                Ok(())
            })
            .await
    }

    /// Which of a batch's messages their authors have sent before, when the batch can't be written.
    ///
    /// # Errors
    /// When the history can't be read.
    pub async fn known(&self, batch: Arc<WriteBatch>) -> Result<Vec<Duplicate>, StoreError> {
        self.read(move |history, _| duplicates::known(history, &batch.entries)).await
    }

    /// Where somebody begins who has `since` and may be given `view`, `most` messages at most. Mail that
    /// waits, in a view of that, is not looked at: its number says nothing about where to begin.
    ///
    /// # Errors
    /// When the history can't be read.
    pub async fn begin(&self, view: View, since: ResumeFrom, most: usize) -> Result<StartPoint, StoreError> {
        self.read(move |history, _| view::begin(history, &view, since, most)).await
    }

    /// The first of a span's messages, `limit` of them at most, with frames of `bytes` in all; at least
    /// one, if there is any.
    ///
    /// # Errors
    /// When the history can't be read.
    pub async fn page(&self, span: ViewRange, limit: usize, bytes: usize) -> Result<Page, StoreError> {
        self.read(move |history, committed| view::page(history, &span, limit, bytes, committed)).await
    }

    /// The newest messages of a place, with frames of `bytes` in all; at least one, if there is any.
    ///
    /// # Errors
    /// When the history can't be read; [`StoreError::TooSlow`] when it takes too long.
    pub async fn history(&self, wanted: Wanted, bytes: usize) -> Result<QueryResult, StoreError> {
        within(&self.lister, move |history| listing::history(history, &wanted, bytes)).await
    }

    /// The newest messages that a search finds, with frames of `bytes` in all; at least one, if there is
    /// any. What takes too long is an answer as far as it came.
    ///
    /// # Errors
    /// When the history can't be read; [`StoreError::TooSlow`] when it takes too long to find out anything.
    pub async fn search(&self, search: Search, bytes: usize) -> Result<QueryResult, StoreError> {
        within(&self.searcher, move |history| {
            search::search(history, &search, bytes, search::Effort::default())
        })
        .await
    }

    /// Waits for what the store finds out by itself. To be asked by one task.
    pub async fn notices(&self) -> Notices {
        self.notices.next().await
    }

    /// Waits until something is found that keeps messages from being kept: the database is damaged, or its
    /// file gone. Also when nobody says anything.
    pub async fn hurt(&self) -> StoreError {
        self.health.hurt().await
    }

    /// After a failure: opens the database again, and tries whether it can be written.
    ///
    /// # Errors
    /// When it can't.
    pub async fn mend(&self) -> Result<(), StoreError> {
        self.writer.ask(WriteThread::mend).await
    }

    /// Writes what is still in the queue, and closes the database. Other clones get
    /// [`StoreError::Closed`] from then on.
    pub async fn close(self) {
        for reader in [self.searcher, self.lister, self.reader] {
            let closed = reader.ask(|reader| {
                reader.close();
                Ok(())
            });
            // An error is that somebody else has closed it.
            let _ = closed.await;
            reader.join();
        }
        let closed = self.writer.ask(|writer| {
            writer.close();
            Ok(())
        });
        let _ = closed.await;
        self.writer.join();
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection, u64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.reader.ask(move |reader| reader.read(work)).await
    }
}

/// What is asked for is read by its own thread, and given up after a time.
async fn within<T: Send + 'static>(
    reader: &Queue<ReadThread>,
    work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    reader.ask(move |reader| reader.read_within(SEARCH_TIME, |history, _| work(history))).await
}
