//! Reads what a returning session missed: finds where it starts, and reads page by page.

use super::api::{Page, ResumeFrom, StartPoint, ViewRange};
use super::rows::{self, signed, unsigned};
use crate::chat::{MailView, Message, View};
use jiff::Timestamp;
use rusqlite::{Connection, Result, params};

/// Messages to look at to find the first one after a time.
const BEFORE_ROWS: u32 = 1000;

/// A date so far ahead comes from a wrong clock: a day.
const AHEAD_MILLIS: i64 = 86_400_000;

/// Reads a page of a range; messages above `committed` may be missing.
pub(super) fn page(
    connection: &Connection,
    span: &ViewRange,
    limit: usize,
    bytes: usize,
    committed: u64,
) -> Result<Page> {
    let upto = span.upto.min(committed);
    let (limit, known) = (limit.max(1), span.known);
    let mut reached = span.after;
    loop {
        let mut numbers = numbers(connection, span, (reached, upto), limit.saturating_add(1))?;
        let is_last = numbers.len() <= limit;
        numbers.truncate(limit);
        let reader = span.view.account.as_ref();
        let (messages, cut) =
            rows::some_messages(connection, &numbers, bytes, reader, |message| is_news(message, known))?;
        reached = match cut.or(numbers.last().copied().filter(|_| !is_last)) {
            Some(last) => unsigned(last),
            None => upto,
        };
        if !messages.is_empty() || reached >= upto {
            return Ok(Page { messages, reached });
        }
    }
}

/// Whether it is more than the change of a message that the reader did not have.
fn is_news(message: &Message, known: u64) -> bool {
    message.kind.changes().is_none_or(|of| of <= known)
}

/// Finds where a client that has everything up to `since` starts, so that it gets at most `most` messages.
pub(super) fn begin(
    connection: &Connection,
    view: &View,
    since: ResumeFrom,
    most: usize,
) -> Result<StartPoint> {
    let after = match since {
        ResumeFrom::Seq(seq) => seq,
        ResumeFrom::Time(time) => before(connection, time)?,
        ResumeFrom::Newest => 0,
    };
    let newest = newest(connection, view, after, most.saturating_add(1))?;
    let is_newest = since == ResumeFrom::Newest;
    if newest.len() > most {
        // Starts after the newest message that is left out.
        return Ok(StartPoint { after: unsigned(newest[most]), gap: !is_newest });
    }
    let gap = !is_newest && after < pruned(connection)?;
    Ok(StartPoint { after, gap })
}

/// The highest number of a message removed for age or size.
pub(super) fn pruned(connection: &Connection) -> Result<u64> {
    let mut read = connection.prepare_cached("SELECT value FROM meta WHERE key = 'pruned'")?;
    read.query_row([], |row| row.get(0)).map(unsigned)
}

/// The lowest `most` numbers of a view in a range: after the first, up to the second.
fn numbers(connection: &Connection, span: &ViewRange, range: (u64, u64), most: usize) -> Result<Vec<i64>> {
    let (view, (after, upto)) = (&span.view, range);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut numbers: Vec<i64> = Vec::new();
    let sql = "SELECT seq FROM message WHERE room = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4";
    for (room, since) in &view.rooms {
        let Some(room) = rows::room_id(connection, room)? else { continue };
        let after = signed(after.max(*since));
        numbers.extend(rows::numbers(connection, sql, params![room, after, signed(upto), most])?);
    }
    if let Some(account) = mail_of(connection, view)? {
        let waiting = match view.mail {
            MailView::All => "",
            MailView::Waiting => "state < 2 AND state = 0 AND ",
        };
        let sql = format!(
            "SELECT seq FROM mail WHERE {waiting}account = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4"
        );
        numbers.extend(rows::numbers(connection, &sql, params![account, signed(after), signed(upto), most])?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(numbers)
}

/// The highest `most` numbers of a view above `after`, the highest first.
fn newest(connection: &Connection, view: &View, after: u64, most: usize) -> Result<Vec<i64>> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut numbers: Vec<i64> = Vec::new();
    let sql = "SELECT seq FROM message WHERE room = ?1 AND seq > ?2 ORDER BY seq DESC LIMIT ?3";
    for (room, since) in &view.rooms {
        let Some(room) = rows::room_id(connection, room)? else { continue };
        let after = signed(after.max(*since));
        numbers.extend(rows::numbers(connection, sql, params![room, after, limit])?);
    }
    // Waiting mail is sent whatever its number, so its numbers do not tell where to start.
    let account = if view.mail == MailView::All { mail_of(connection, view)? } else { None };
    if let Some(account) = account {
        let sql = "SELECT seq FROM mail WHERE account = ?1 AND seq > ?2 ORDER BY seq DESC LIMIT ?3";
        numbers.extend(rows::numbers(connection, sql, params![account, signed(after), limit])?);
    }
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    numbers.dedup();
    numbers.truncate(most);
    Ok(numbers)
}

fn mail_of(connection: &Connection, view: &View) -> Result<Option<i64>> {
    view.account.as_ref().map_or(Ok(None), |account| rows::account_id(connection, account))
}

/// The number of the last message before `time`. It is approximate if the clock was set around that time.
pub(super) fn before(connection: &Connection, time: Timestamp) -> Result<u64> {
    let end = |sql| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    let (Some(first), Some(last)) =
        (end("SELECT min(seq) FROM message")?, end("SELECT max(seq) FROM message")?)
    else {
        return Ok(0);
    };
    // The lowest number among the next messages by date: if the clock was set back, dates and numbers have
    // different orders. Ignores dates in the future.
    let mut find = connection.prepare_cached(
        "SELECT min(seq) FROM (SELECT seq FROM message WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT ?3)",
    )?;
    let ahead = Timestamp::now().as_millisecond().saturating_add(AHEAD_MILLIS);
    let next = find.query_row(params![time.as_millisecond(), ahead, BEFORE_ROWS], |row| row.get(0))?;
    Ok(match next {
        // If even the first message is later, nothing is known of earlier ones.
        Some(next) if next == first => 0,
        Some::<i64>(next) => unsigned(next - 1),
        None => unsigned(last),
    })
}
