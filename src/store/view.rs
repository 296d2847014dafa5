//! What somebody may be given, in order: where a session that was away begins, and page by page what it
//! missed.

use super::api::{Page, ResumeFrom, StartPoint, ViewRange};
use super::rows::{self, signed, unsigned};
use crate::chat::{MailView, View};
use jiff::Timestamp;
use rusqlite::{Connection, Result, params};

/// Messages that are looked at for the first one from a time on.
const BEFORE_ROWS: u32 = 1000;

/// From where on a date is of no clock that is right: a day ahead.
const AHEAD_MILLIS: i64 = 86_400_000;

/// Some of a span, of which nothing above `committed` is there yet.
pub(super) fn page(
    connection: &Connection,
    span: &ViewRange,
    limit: usize,
    bytes: usize,
    committed: u64,
) -> Result<Page> {
    let upto = span.upto.min(committed);
    let mut numbers = numbers(connection, &span.view, span.after, upto, limit.max(1).saturating_add(1))?;
    let mut is_cut = numbers.len() > limit.max(1);
    numbers.truncate(limit.max(1));
    let messages = rows::messages(connection, &numbers, bytes, span.view.account.as_ref())?;
    is_cut |= messages.len() < numbers.len();
    let reached = match messages.last() {
        Some(last) if is_cut => last.seq,
        _ => upto,
    };
    Ok(Page { messages, reached })
}

/// Where somebody begins who has `since`, and is to get no more than `most` messages.
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
        // What is left out has the number after which it begins.
        return Ok(StartPoint { after: unsigned(newest[most]), gap: !is_newest });
    }
    let gap = !is_newest && after < pruned(connection)?;
    Ok(StartPoint { after, gap })
}

/// The number up to which messages have been removed by age or size.
pub(super) fn pruned(connection: &Connection) -> Result<u64> {
    let mut read = connection.prepare_cached("SELECT value FROM meta WHERE key = 'pruned'")?;
    read.query_row([], |row| row.get(0)).map(unsigned)
}

/// The numbers of a view in (after, upto], the lowest `most` of them.
fn numbers(connection: &Connection, view: &View, after: u64, upto: u64, most: usize) -> Result<Vec<i64>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut numbers: Vec<i64> = Vec::new();
    let mut find = connection.prepare_cached(
        "SELECT seq FROM message WHERE room = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4",
    )?;
    for (room, since) in &view.rooms {
        let Some(room) = rows::room_id(connection, room)? else { continue };
        let after = signed(after.max(*since));
        for number in find.query_map(params![room, after, signed(upto), most], |row| row.get(0))? {
            numbers.push(number?);
        }
    }
    if let Some(account) = mail_of(connection, view)? {
        let mut find = connection.prepare_cached(match view.mail {
            MailView::All => {
                "SELECT seq FROM mail WHERE account = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4"
            }
            MailView::Waiting => {
                "SELECT seq FROM mail WHERE state < 2 AND state = 0 AND account = ?1 \
                 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4"
            }
        })?;
        for number in find.query_map(params![account, signed(after), signed(upto), most], |row| row.get(0))? {
            numbers.push(number?);
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(numbers)
}

/// The numbers of a view above `after`, the highest `most` of them, the highest first.
fn newest(connection: &Connection, view: &View, after: u64, most: usize) -> Result<Vec<i64>> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut numbers: Vec<i64> = Vec::new();
    let mut find = connection
        .prepare_cached("SELECT seq FROM message WHERE room = ?1 AND seq > ?2 ORDER BY seq DESC LIMIT ?3")?;
    for (room, since) in &view.rooms {
        let Some(room) = rows::room_id(connection, room)? else { continue };
        let after = signed(after.max(*since));
        for number in find.query_map(params![room, after, limit], |row| row.get(0))? {
            numbers.push(number?);
        }
    }
    // Mail that waits is given whatever its number, and so says nothing about where to begin.
    let account = if view.mail == MailView::All { mail_of(connection, view)? } else { None };
    if let Some(account) = account {
        let mut find = connection.prepare_cached(
            "SELECT seq FROM mail WHERE account = ?1 AND seq > ?2 ORDER BY seq DESC LIMIT ?3",
        )?;
        for number in find.query_map(params![account, signed(after), limit], |row| row.get(0))? {
            numbers.push(number?);
        }
    }
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    numbers.dedup();
    numbers.truncate(most);
    Ok(numbers)
}

fn mail_of(connection: &Connection, view: &View) -> Result<Option<i64>> {
    view.account.as_ref().map_or(Ok(None), |account| rows::account_id(connection, account))
}

/// The number of the last message before `time`. Clocks are set at times, so it may be off by what was
/// said meanwhile.
pub(super) fn before(connection: &Connection, time: Timestamp) -> Result<u64> {
    let end = |sql| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    let (Some(first), Some(last)) =
        (end("SELECT min(seq) FROM message")?, end("SELECT max(seq) FROM message")?)
    else {
        return Ok(0);
    };
    // Of those that come next by their dates the first by its number: dates and numbers are not in the
    // same order where a clock was set back. What is dated ahead of all clocks says nothing.
    let mut find = connection.prepare_cached(
        "SELECT min(seq) FROM (SELECT seq FROM message WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT ?3)",
    )?;
    let ahead = Timestamp::now().as_millisecond().saturating_add(AHEAD_MILLIS);
    let next = find.query_row(params![time.as_millisecond(), ahead, BEFORE_ROWS], |row| row.get(0))?;
    Ok(match next {
        // Where the first that is kept is late enough, what was before it is not known.
        Some(next) if next == first => 0,
        Some::<i64>(next) => unsigned(next - 1),
        None => unsigned(last),
    })
}
