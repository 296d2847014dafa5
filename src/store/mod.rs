//! What is kept of the chat, in a SQLite database.
//!
//! Five threads own it: one writes, one reads what people missed, one the history that they ask for, one
//! searches, and one checks whether it is whole. A batch is one transaction, and is on the disk when [`Store::commit`] returns: the log is
//! synced with each (`synchronous=FULL`), so that it survives the process and, if the disk keeps its word,
//! a power cut. Knows no sockets and none of the chat's rules: what is to be kept, and who may see what,
//! it is told.

mod again;
mod backup;
mod books;
mod check;
mod commit;
mod connect;
mod dating;
mod error;
mod export;
mod health;
mod held;
mod hours;
mod image;
mod incarnations;
mod indexing;
mod lack;
mod last;
mod listing;
mod news;
mod opening;
mod place;
mod prune;
mod question;
mod queue;
mod reader;
mod repair;
mod rows;
mod salvage;
mod schema;
mod seal;
mod search;
mod shape;
mod tail;
mod takeover;
#[cfg(test)]
mod tests;
mod time;
mod view;
mod watch;
mod weight;
mod words;
mod writer;

pub use backup::{KeptFile, Made, Saved, Seal, backup, parts};
pub use error::StoreError;
pub use export::{Export, Filter};
pub use news::News;
pub use question::{Batch, Duplicate, Keep, Listing, Outcome, Page, Since, Span, Start};
pub use repair::{Repaired, check_whole, repair};

use crate::chat::{Archive, Lack, Search, View, Wanted};
use crate::clock::Clock;
use crate::limits::{SEARCH_TIME, STORE_QUEUE};
use health::Health;
use news::Board;
use queue::Queue;
use reader::Reader;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use writer::Writer;

/// The way to the history; cheap to clone. Who asks while too many wait waits too. Once all of these
/// are dropped the threads end, in order but on their own time.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Queue<Writer>,
    reader: Queue<Reader>,
    lister: Queue<Reader>,
    searcher: Queue<Reader>,
    board: Board,
    health: Arc<Health>,
}

impl Store {
    /// Opens the history at `path`, making it and its directory if there is none, and reads what a chat
    /// begins with.
    ///
    /// # Errors
    /// Why it can't be used, with what to do about it.
    pub fn open(path: &Path, keep: Keep) -> Result<(Self, Archive), StoreError> {
        Self::open_by(path, keep, Arc::new(Clock::new()))
    }

    /// The same, going by that clock, which goes on from the time that the history has kept. It must not
    /// have been read yet.
    ///
    /// # Errors
    /// Why it can't be used, with what to do about it.
    pub fn open_by(path: &Path, keep: Keep, clock: Arc<Clock>) -> Result<(Self, Archive), StoreError> {
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

    fn open_as(path: &Path, keep: Option<Keep>, clock: Arc<Clock>) -> Result<(Self, Archive), StoreError> {
        let committed = Arc::new(AtomicU64::new(0));
        let board = Board::default();
        let (writer, archive) = Writer::open(path, keep, clock, Arc::clone(&committed), board.clone())?;
        let health = writer.health();
        let failed = |error| StoreError::of_file(path, &error);
        let read = |name| {
            let reader = Reader::open(Arc::clone(&health), Arc::clone(&committed))?;
            Queue::start(name, STORE_QUEUE, move |jobs| reader.run(&jobs)).map_err(failed)
        };
        let store = Self {
            writer: Queue::start("history", STORE_QUEUE, move |jobs| writer.run(&jobs)).map_err(failed)?,
            reader: read("history-reader")?,
            lister: read("history-lister")?,
            searcher: read("history-search")?,
            board,
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
    pub async fn commit(&self, batch: impl Into<Arc<Batch>>) -> Result<Outcome, StoreError> {
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
    pub async fn known(&self, batch: Arc<Batch>) -> Result<Vec<Duplicate>, StoreError> {
        self.read(move |history, _| again::known(history, &batch.entries)).await
    }

    /// Where somebody begins who has `since` and may be given `view`, `most` messages at most. Mail that
    /// waits, in a view of that, is not looked at: its number says nothing about where to begin.
    ///
    /// # Errors
    /// When the history can't be read.
    pub async fn begin(&self, view: View, since: Since, most: usize) -> Result<Start, StoreError> {
        self.read(move |history, _| view::begin(history, &view, since, most)).await
    }

    /// The first of a span's messages, `limit` of them at most, with frames of `bytes` in all; at least
    /// one, if there is any.
    ///
    /// # Errors
    /// When the history can't be read.
    pub async fn page(&self, span: Span, limit: usize, bytes: usize) -> Result<Page, StoreError> {
        self.read(move |history, committed| view::page(history, &span, limit, bytes, committed)).await
    }

    /// The newest messages of a place, with frames of `bytes` in all; at least one, if there is any.
    ///
    /// # Errors
    /// When the history can't be read; [`StoreError::TooSlow`] when it takes too long.
    pub async fn history(&self, wanted: Wanted, bytes: usize) -> Result<Listing, StoreError> {
        within(&self.lister, move |history| listing::history(history, &wanted, bytes)).await
    }

    /// The newest messages that a search finds, with frames of `bytes` in all; at least one, if there is
    /// any. What takes too long is an answer as far as it came.
    ///
    /// # Errors
    /// When the history can't be read; [`StoreError::TooSlow`] when it takes too long to find out anything.
    pub async fn search(&self, search: Search, bytes: usize) -> Result<Listing, StoreError> {
        within(&self.searcher, move |history| {
            search::search(history, &search, bytes, search::Effort::default())
        })
        .await
    }

    /// Waits for what the store finds out by itself. To be asked by one task.
    pub async fn news(&self) -> News {
        self.board.next().await
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
        self.writer.ask(Writer::mend).await
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
    reader: &Queue<Reader>,
    work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    reader.ask(move |reader| reader.read_within(SEARCH_TIME, |history, _| work(history))).await
}
