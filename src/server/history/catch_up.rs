//! Sends a returning session what it missed, then takes it live without gap, overlap or reordering.
//!
//! The session receives pages from the store as fast as it reads them. Meanwhile, the live stream bypasses it; that
//! stream will be in a later page. Near the end, the hub schedules a cutover: in that batch, the store returns the
//! missing messages right after the batch's commit, and from there on the session follows. Messages before the
//! cutover are in the pages or in its frames, messages after it are live.

use super::History;
use crate::chat::{CatchUp, MailView, View};
use crate::limits::{CUTOVER_MESSAGES, FIRST_JOIN_MESSAGES, PAGE_BYTES, PAGE_MESSAGES, RESUME_MAX};
use crate::name::RoomName;
use crate::server::connection::Connection;
use crate::server::frames;
use crate::server::output_batch::{CatchUpSummary, Remainder};
use crate::store::{Since, Span, Start, StoreError};
use std::sync::Arc;

/// How far a session has got.
#[derive(Debug)]
struct Progress {
    /// It has the messages up to this number.
    after: u64,
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
    let is_told = since != CatchUp::Mail;
    let (after, gap) = match since {
        CatchUp::Seq { after, gap } => (after, gap),
        CatchUp::Time { gap, .. } => (0, gap),
        CatchUp::Stranger { .. } => (0, true),
        CatchUp::Newest | CatchUp::Mail => (0, false),
    };
    let mut progress = Progress { after, count: 0, gap };
    let done = catch_up(history, connection, since, latest, &mut progress).await;
    if done.is_ok() {
        history.failures.ends();
    }
    match done {
        Ok(()) if is_told => {}
        Ok(()) => {
            if connection.drained().await {
                history.hub.caught_up(connection.id());
            }
        }
        Err(Stop::Gone) => {}
        Err(Stop::Store(error)) => {
            history.failures.begins(&error);
            // The session goes live at once, and learns how far it got. Mail goes on waiting, because nobody can
            // confirm that it has arrived.
            let Progress { after, count, .. } = progress;
            let summary = is_told.then_some(CatchUpSummary { count, gap: true, seq: Some(after) });
            drop(history.hub.cutover(connection.id(), u64::MAX, summary));
        }
    }
}

async fn catch_up(
    history: &History,
    connection: &Arc<Connection>,
    since: CatchUp,
    latest: u64,
    progress: &mut Progress,
) -> Result<(), Stop> {
    begin(history, connection, since, latest, progress).await?;
    loop {
        let (view, upto) = history.hub.view(connection.id()).ok_or(Stop::Gone)?;
        let is_near = upto.saturating_sub(progress.after) <= CUTOVER_MESSAGES as u64;
        let span = Span { view, after: progress.after, upto };
        // If a page is empty, the remaining messages are on their way to the store; the cutover has them.
        if (is_near || !page(history, connection, span, progress).await?)
            && cutover(history, connection, since != CatchUp::Mail, progress).await?
        {
            return Ok(());
        }
    }
}

/// Sends what precedes all later numbers: waiting mail, and for newcomers and strangers the lobby's newest messages.
/// A client that confirms a later number confirms these, too.
async fn begin(
    history: &History,
    connection: &Arc<Connection>,
    since: CatchUp,
    latest: u64,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let (view, _) = history.hub.view(connection.id()).ok_or(Stop::Gone)?;
    let mut waiting = View { rooms: Vec::new(), mail: MailView::Waiting, ..view.clone() };
    let upto = match since {
        CatchUp::Mail => latest,
        CatchUp::Newest => {
            waiting.rooms.push(newest(history, connection).await?);
            latest
        }
        CatchUp::Stranger { after } => {
            waiting.rooms.push(newest(history, connection).await?);
            missed(history, connection, view, Since::Seq(after), progress).await?
        }
        CatchUp::Seq { after, .. } => missed(history, connection, view, Since::Seq(after), progress).await?,
        CatchUp::Time { at, .. } => missed(history, connection, view, Since::Time(at), progress).await?,
    };
    while progress.after < upto {
        let span = Span { view: waiting.clone(), after: progress.after, upto };
        if !page(history, connection, span, progress).await? {
            break;
        }
    }
    progress.after = upto;
    Ok(())
}

/// Where the lobby's newest messages begin, which newcomers get.
async fn newest(history: &History, connection: &Connection) -> Result<(RoomName, u64), Stop> {
    let lobby = View { rooms: vec![(RoomName::lobby(), 0)], ..View::default() };
    let start = start(history, connection, lobby, Since::Newest, FIRST_JOIN_MESSAGES).await?;
    Ok((RoomName::lobby(), start.after))
}

/// Where the missed messages begin: after the client's point, unless that is too long ago.
async fn missed(
    history: &History,
    connection: &Connection,
    view: View,
    since: Since,
    progress: &mut Progress,
) -> Result<u64, Stop> {
    let Start { after, gap } = start(history, connection, view, since, RESUME_MAX).await?;
    progress.gap |= gap;
    Ok(after)
}

async fn start(
    history: &History,
    connection: &Connection,
    view: View,
    since: Since,
    most: usize,
) -> Result<Start, Stop> {
    let store = history.store.clone();
    let begin = history.read(connection, async move { store.begin(view, since, most).await });
    Ok(begin.await.ok_or(Stop::Gone)??)
}

/// Schedules the cutover and waits until it is written; `false`: it exceeded a batch.
async fn cutover(
    history: &History,
    connection: &Arc<Connection>,
    is_told: bool,
    progress: &mut Progress,
) -> Result<bool, Stop> {
    let permit = history.cutovers.acquire().await.map_err(|_| Stop::Gone)?;
    let summary = is_told.then_some(CatchUpSummary { count: progress.count, gap: progress.gap, seq: None });
    let written = history.hub.cutover(connection.id(), progress.after, summary).ok_or(Stop::Gone)?;
    let remainder = written.await.map_err(|_| Stop::Gone)?;
    drop(permit);
    let Some(Remainder { after, count }) = remainder else { return Ok(true) };
    progress.after = after;
    progress.count += count;
    if connection.drained().await { Ok(false) } else { Err(Stop::Gone) }
}

/// Reads and sends one page, and waits until it is written; `false`: it was empty.
async fn page(
    history: &History,
    connection: &Arc<Connection>,
    span: Span,
    progress: &mut Progress,
) -> Result<bool, Stop> {
    let store = history.store.clone();
    let page = history.read(connection, async move { store.page(span, PAGE_MESSAGES, PAGE_BYTES).await });
    let page = page.await.ok_or(Stop::Gone)??;
    if page.reached <= progress.after && page.messages.is_empty() {
        return Ok(false);
    }
    let mut out = Vec::new();
    frames::write(&page.messages, None, &mut out);
    connection.send(&out.into());
    progress.count += page.messages.len();
    progress.after = page.reached;
    if connection.drained().await { Ok(true) } else { Err(Stop::Gone) }
}
