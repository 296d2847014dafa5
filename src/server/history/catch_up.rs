//! A session that was away is given what it missed, and goes live with no gap, overlap or reordering.
//!
//! It is read from the store a page at a time, as fast as the peer takes it. Meanwhile the live stream
//! passes the session by: what is in it will be in a page. Near the end the hub is asked for a seam: in
//! that turn the store gives the rest right behind the turn's commit, and from that place on the
//! session follows. What came before the seam is in the pages or the rest, what comes after it in the
//! live stream.

use super::History;
use crate::chat::{CatchUp, MailView, View};
use crate::limits::{FIRST_JOIN_MESSAGES, PAGE_BYTES, PAGE_MESSAGES, RESUME_MAX, SEAM_MESSAGES};
use crate::name::RoomName;
use crate::server::connection::Connection;
use crate::server::frames;
use crate::server::turn::{Mark, Rest};
use crate::store::{ResumeFrom, StartPoint, StoreError, ViewRange};
use std::sync::Arc;

/// How far a session has come.
#[derive(Debug)]
struct Progress {
    /// It has what has this number, and all before.
    after: u64,
    count: usize,
    gap: bool,
}

/// Why it ends early.
#[derive(Debug)]
enum Stop {
    /// The session is over.
    Gone,
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Runs until the session is live or gone.
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
        history.trouble.ends();
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
            history.trouble.begins(&error);
            // It follows at once. Mail that waits goes on waiting, as nobody may say that it has come:
            // the client is told how far it got.
            let Progress { after, count, .. } = progress;
            let mark = is_told.then_some(Mark { count, gap: true, seq: Some(after) });
            drop(history.hub.seam(connection.id(), u64::MAX, mark));
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
        let is_near = upto.saturating_sub(progress.after) <= SEAM_MESSAGES as u64;
        let span = ViewRange { view, after: progress.after, upto };
        // With nothing to read, the rest is on its way to the store and comes with the seam.
        if (is_near || !page(history, connection, span, progress).await?)
            && seam(history, connection, since != CatchUp::Mail, progress).await?
        {
            return Ok(());
        }
    }
}

/// Gives what is to come before all that has a number above that of the beginning: mail that waits, and
/// to newcomers and
/// strangers the newest of the lobby. Whoever says that they have come so far says it of that too.
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
            missed(history, connection, view, ResumeFrom::Seq(after), progress).await?
        }
        CatchUp::Seq { after, .. } => {
            missed(history, connection, view, ResumeFrom::Seq(after), progress).await?
        }
        CatchUp::Time { at, .. } => missed(history, connection, view, ResumeFrom::Time(at), progress).await?,
    };
    while progress.after < upto {
        let span = ViewRange { view: waiting.clone(), after: progress.after, upto };
        if !page(history, connection, span, progress).await? {
            break;
        }
    }
    progress.after = upto;
    Ok(())
}

/// Where the newest of the lobby begin, which newcomers are given.
async fn newest(history: &History, connection: &Connection) -> Result<(RoomName, u64), Stop> {
    let lobby = View { rooms: vec![(RoomName::lobby(), 0)], ..View::default() };
    let start = start(history, connection, lobby, ResumeFrom::Newest, FIRST_JOIN_MESSAGES).await?;
    Ok((RoomName::lobby(), start.after))
}

/// Where what somebody missed begins: after their point, unless that is too long ago.
async fn missed(
    history: &History,
    connection: &Connection,
    view: View,
    since: ResumeFrom,
    progress: &mut Progress,
) -> Result<u64, Stop> {
    let StartPoint { after, gap } = start(history, connection, view, since, RESUME_MAX).await?;
    progress.gap |= gap;
    Ok(after)
}

async fn start(
    history: &History,
    connection: &Connection,
    view: View,
    since: ResumeFrom,
    most: usize,
) -> Result<StartPoint, Stop> {
    let store = history.store.clone();
    let begin = history.read(connection, async move { store.begin(view, since, most).await });
    Ok(begin.await.ok_or(Stop::Gone)??)
}

/// Asks for the seam, and waits until it is written; `false`: it came to more than fits into a turn.
async fn seam(
    history: &History,
    connection: &Arc<Connection>,
    is_told: bool,
    progress: &mut Progress,
) -> Result<bool, Stop> {
    let permit = history.seams.acquire().await.map_err(|_| Stop::Gone)?;
    let mark = is_told.then_some(Mark { count: progress.count, gap: progress.gap, seq: None });
    let written = history.hub.seam(connection.id(), progress.after, mark).ok_or(Stop::Gone)?;
    let rest = written.await.map_err(|_| Stop::Gone)?;
    drop(permit);
    let Some(Rest { after, count }) = rest else { return Ok(true) };
    progress.after = after;
    progress.count += count;
    if connection.drained().await { Ok(false) } else { Err(Stop::Gone) }
}

/// Reads and sends one page, and waits until it is written. `false`: there was nothing to read.
async fn page(
    history: &History,
    connection: &Arc<Connection>,
    span: ViewRange,
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
