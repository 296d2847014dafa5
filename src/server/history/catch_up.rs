//! Sends a returning session what it missed, then takes it live without gap, overlap or reordering.
//!
//! The session receives pages from the store as fast as it reads them. Until it is live, the live stream
//! bypasses it; those messages will be in a later page. Near the end, the hub schedules a cutover: in that
//! batch, the store returns the missing messages right after the batch's commit, and from there on the session
//! follows. Messages before the cutover are in the pages or in its frames, messages after it are live.

use super::History;
use super::fair_queue::Requester;
use crate::chat::{CatchUp, MailView, OtherNames, View};
use crate::limits::{CUTOVER_MESSAGES, FIRST_JOIN_MESSAGES, PAGE_BYTES, PAGE_MESSAGES, RESUME_MAX};
use crate::name::RoomName;
use crate::server::connection::Connection;
use crate::server::cutover::{CatchUpSummary, Remainder};
use crate::server::frames;
use crate::server::output_batch::Seam;
use crate::store::{ResumeFrom, StartPoint, StoreError, ViewRange};
use std::sync::Arc;
use tokio::sync::oneshot;

/// One session's catch-up, and how far it has got.
#[derive(Debug)]
struct Progress<'a> {
    history: &'a History,
    connection: &'a Arc<Connection>,
    since: CatchUp,
    /// The session has the messages up to this number.
    after: u64,
    /// It had the messages up to this number when it came.
    known: u64,
    count: usize,
    gap: bool,
}

/// Why a catch-up ends early.
#[derive(Debug)]
enum Stop {
    /// The session has ended.
    Gone,
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Runs until the session is live or has ended.
pub(super) async fn run(history: &History, connection: &Arc<Connection>, since: CatchUp, latest: u64) {
    let (after, gap) = match since {
        CatchUp::Seq { after, gap } => (after, gap),
        CatchUp::Time { gap, .. } => (0, gap),
        CatchUp::Stranger { .. } => (0, true),
        CatchUp::Newest | CatchUp::Mail => (0, false),
    };
    let known = match since {
        CatchUp::Seq { after, .. } | CatchUp::Stranger { after } => after,
        CatchUp::Time { .. } | CatchUp::Newest | CatchUp::Mail => 0,
    };
    let mut progress = Progress { history, connection, since, after, known, count: 0, gap };
    match progress.catch_up(latest).await {
        Ok(()) => {
            history.failures.ends();
            if since == CatchUp::Mail && connection.drained().await {
                history.hub.caught_up(connection.id());
            }
        }
        Err(Stop::Gone) => {}
        Err(Stop::Store(error)) => {
            history.failures.begins(&error);
            // The session goes live at once, and learns how far it got. Mail goes on waiting, because nobody
            // can confirm that it has arrived.
            progress.gap = true;
            let summary = progress.summary(Some(progress.after));
            drop(history.hub.cutover(connection.id(), (u64::MAX, 0), summary));
        }
    }
}

impl Progress<'_> {
    async fn catch_up(&mut self, latest: u64) -> Result<(), Stop> {
        self.begin(latest).await?;
        loop {
            let Seam { view, upto, others } = self.seam().await?;
            let is_near = upto.saturating_sub(self.after) <= CUTOVER_MESSAGES as u64;
            // If a page is empty, the remaining messages are on their way to the store; the cutover has them.
            if (is_near || !self.page(view, upto, &others).await?) && self.cutover().await? {
                return Ok(());
            }
        }
    }

    /// Sends what precedes all later numbers: waiting mail, and for newcomers and strangers the lobby's newest
    /// messages. A client that confirms a later number confirms these, too.
    async fn begin(&mut self, latest: u64) -> Result<(), Stop> {
        let Seam { view, others, .. } = self.seam().await?;
        let mut waiting = View { rooms: Vec::new(), mail: MailView::Waiting, ..view.clone() };
        if matches!(self.since, CatchUp::Newest | CatchUp::Stranger { .. }) {
            waiting.rooms.push(self.newest().await?);
        }
        let upto = match self.since {
            CatchUp::Mail | CatchUp::Newest => latest,
            CatchUp::Stranger { after } | CatchUp::Seq { after, .. } => {
                self.missed(view, ResumeFrom::Seq(after)).await?
            }
            CatchUp::Time { at, .. } => self.missed(view, ResumeFrom::Time(at)).await?,
        };
        while self.after < upto && self.page(waiting.clone(), upto, &others).await? {}
        self.after = upto;
        if matches!(self.since, CatchUp::Time { .. } | CatchUp::Newest | CatchUp::Mail) {
            self.known = upto;
        }
        Ok(())
    }

    /// Where the lobby's newest messages begin, which newcomers get.
    async fn newest(&self) -> Result<(RoomName, u64), Stop> {
        let lobby = View { rooms: vec![(RoomName::lobby(), 0)], ..View::default() };
        let start = self.start(lobby, ResumeFrom::Newest, FIRST_JOIN_MESSAGES).await?;
        Ok((RoomName::lobby(), start.after))
    }

    /// Where the missed messages begin: after the client's point, unless that is too long ago.
    async fn missed(&mut self, view: View, since: ResumeFrom) -> Result<u64, Stop> {
        let StartPoint { after, gap } = self.start(view, since, RESUME_MAX).await?;
        self.gap |= gap;
        Ok(after)
    }

    async fn start(&self, view: View, since: ResumeFrom, most: usize) -> Result<StartPoint, Stop> {
        let store = self.history.store.clone();
        self.read(async move { store.begin(view, since, most).await }).await
    }

    /// Schedules the cutover and waits until it is written; `false`: it exceeded a batch.
    async fn cutover(&mut self) -> Result<bool, Stop> {
        let permit = self.history.cutovers.acquire().await.map_err(|_| Stop::Gone)?;
        let written =
            self.history.hub.cutover(self.connection.id(), (self.after, self.known), self.summary(None));
        let remainder = written.ok_or(Stop::Gone)?.await.map_err(|_| Stop::Gone)?;
        drop(permit);
        let Some(Remainder { after, count }) = remainder else { return Ok(true) };
        self.after = after;
        self.count += count;
        if self.connection.drained().await { Ok(false) } else { Err(Stop::Gone) }
    }

    /// The event that ends the missed messages; `None` for a session that wants only its mail.
    fn summary(&self, seq: Option<u64>) -> Option<CatchUpSummary> {
        let summary = CatchUpSummary { count: self.count, gap: self.gap, seq };
        (self.since != CatchUp::Mail).then_some(summary)
    }

    /// Reads and sends one page, and waits until it is written; `false`: it was empty.
    async fn page(&mut self, view: View, upto: u64, others: &OtherNames) -> Result<bool, Stop> {
        let (store, after, known) = (self.history.store.clone(), self.after, self.known);
        let span = ViewRange { view, after, upto, known };
        let mut page = self.read(async move { store.page(span, PAGE_MESSAGES, PAGE_BYTES).await }).await?;
        if page.reached <= self.after && page.messages.is_empty() {
            return Ok(false);
        }
        page.messages.retain(|message| !others.concerns(message));
        let mut out = Vec::new();
        frames::write(&page.messages, None, &mut out);
        self.connection.send(&out.into());
        self.count += page.messages.len();
        self.after = page.reached;
        if self.connection.drained().await { Ok(true) } else { Err(Stop::Gone) }
    }

    async fn seam(&self) -> Result<Seam, Stop> {
        self.history.hub.seam(self.connection.id()).await.ok_or(Stop::Gone)
    }

    /// Reads something when it is the client's turn.
    async fn read<T: Send + 'static>(
        &self,
        read: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, Stop> {
        let (answer, answered) = oneshot::channel();
        self.history.missed.ask(Requester::of(self.connection), async {
            // The receiver may be gone.
            let _ = answer.send(read.await);
        });
        Ok(answered.await.map_err(|_| Stop::Gone)??)
    }
}
