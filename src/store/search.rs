//! Searches messages by words, sender, place and time, the newest first.
//!
//! The index yields candidates; the search then reads each message and checks its words, its time, and
//! whether the reader may see it. It first looks at the newest messages that pass the filters, whatever their
//! words: common words appear there, and the sample shows how rare the others are. Only then does it query
//! the index for the words. It looks at each of the very newest messages, which the index lacks (see
//! [`super::index_tail`]).

use super::api::QueryResult;
use super::rows::{self, signed, unsigned};
use super::{hours, index_tail, indexing, tokens};
use crate::chat::Search;
use crate::limits::{SEARCH_SAMPLE, SEARCH_SCAN, SEARCH_TAIL};
use crate::name::NameKey;
use crate::text::{Phrase, Sought, fold};
use rusqlite::{Connection, ErrorCode, Result, Row, params};
use std::ops::ControlFlow;

/// A word in fewer than one of so many messages is worth an index query, even if the index reads all its
/// entries for it.
const RARE: usize = 50;

/// How many messages to look at without querying the index for words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// Before the first such query.
    pub(super) sample: usize,
    /// Instead of one that would be slow.
    pub(super) scan: usize,
    /// Most messages of those that the index lacks.
    pub(super) tail: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { sample: SEARCH_SAMPLE, scan: SEARCH_SCAN, tail: SEARCH_TAIL }
    }
}

/// The newest matching messages, with frames of `bytes` in total, but at least one.
pub(super) fn search(
    connection: &Connection,
    search: &Search,
    bytes: usize,
    effort: Effort,
) -> Result<QueryResult> {
    let (low, high) = hours::range(connection, search)?;
    let mut running = RunningSearch::new(connection, search, bytes, effort)?;
    let done = running.run(low, high);
    let is_given_up = match done {
        Ok(()) => false,
        // The matches so far are an answer.
        Err(error) if is_interrupt(&error) && running.reached.is_some() => true,
        Err(error) => return Err(error),
    };
    let more = running.is_full || is_given_up;
    let partial =
        is_given_up || running.is_tail_cut || (!running.is_full && indexing::is_behind(connection, search)?);
    let reached = running.reached.filter(|_| is_given_up).map(unsigned);
    running.found.reverse();
    Ok(QueryResult { messages: running.found, more, partial, reached })
}

fn is_interrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

struct RunningSearch<'a> {
    connection: &'a Connection,
    search: &'a Search,
    effort: Effort,
    sought: Sought,
    /// Rows of the rooms that the reader may see, and of the reader.
    rooms: Vec<i64>,
    reader: Option<i64>,
    bytes: usize,
    found: Vec<crate::chat::Message>,
    /// The index lacks more messages than it looked at, so some between the newest and the older ones may be
    /// missing.
    is_tail_cut: bool,
    /// Another message matched, but did not fit.
    is_full: bool,
    /// The lowest number looked at so far.
    reached: Option<i64>,
    /// Messages looked at, and how many of them have each phrase.
    looked_at: usize,
    having: Vec<usize>,
}

impl<'a> RunningSearch<'a> {
    fn new(connection: &'a Connection, search: &'a Search, bytes: usize, effort: Effort) -> Result<Self> {
        let sought = Sought::read(&search.words);
        let rooms = search.view.rooms.iter().map(|(room, _)| rows::room_id(connection, room));
        let rooms = rooms.filter_map(Result::transpose).collect::<Result<_>>()?;
        let reader = search.view.account.as_ref().map(|reader| rows::account_id(connection, reader));
        Ok(Self {
            connection,
            search,
            effort,
            having: vec![0; sought.phrases().len()],
            sought,
            rooms,
            reader: reader.transpose()?.flatten(),
            bytes,
            found: Vec::new(),
            is_tail_cut: false,
            is_full: false,
            reached: None,
            looked_at: 0,
        })
    }

    fn run(&mut self, low: i64, high: i64) -> Result<()> {
        let Some(filters) = tokens::filters(self.connection, self.search)? else { return Ok(()) };
        let before = self.search.before.map_or(i64::MAX, |before| signed(before).saturating_sub(1));
        if self.over_tail(before)?.is_break() {
            return Ok(());
        }
        // The tail is not in the hours.
        let high = high.min(before);
        let sample = self.effort.sample.saturating_sub(self.looked_at);
        if self.over(&filters, low, high, sample)?.is_break() {
            return Ok(());
        }
        let whole = tokens::whole(self.sought.phrases());
        // For a short word, the index reads all entries with that prefix before the first result. Looking at
        // more messages is faster if these are all, or contain enough matches.
        if whole.is_empty() && !self.sought.is_empty() && self.may_do(low, high)? {
            let next = self.next(high);
            if self.over(&filters, low, next, self.effort.scan)?.is_break() {
                return Ok(());
            }
        }
        let expression = [vec![filters], self.parts(whole)].concat().join(" AND ");
        self.over(&expression, low, self.next(high), usize::MAX).map(drop)
    }

    /// The highest number not looked at yet.
    fn next(&self, high: i64) -> i64 {
        self.reached.map_or(high, |reached| high.min(reached - 1))
    }

    /// Whether looking at `effort.scan` messages will probably cover all messages, or find enough.
    fn may_do(&self, low: i64, high: i64) -> Result<bool> {
        let next = self.next(high);
        let (scan, looked_at) = (self.effort.scan as f64, self.looked_at as f64);
        let newest = self.number("SELECT ifnull(max(seq), 0) FROM message")?;
        let oldest = self.number("SELECT ifnull(min(seq), 0) FROM message")?;
        let density = looked_at / (high.min(newest) - next).max(1) as f64;
        let left = (next - low.max(oldest)) as f64 * density;
        let missing = (self.search.limit + 1).saturating_sub(self.found.len()) as f64;
        let hits = self.found.len() as f64 / looked_at.max(1.0);
        Ok(left <= scan || missing <= scan * hits)
    }

    /// The terms to query the index for, besides the filters.
    fn parts(&self, whole: Vec<String>) -> Vec<String> {
        let phrases = self.sought.phrases();
        let mut parts = whole;
        let mut rarest: Vec<(usize, &Phrase)> = self.having.iter().copied().zip(phrases).collect();
        rarest.sort_by_key(|(count, _)| *count);
        for (count, phrase) in rarest {
            // Without a whole piece, the rarest short one must do.
            if parts.is_empty() || count * RARE <= self.looked_at {
                parts.extend(tokens::short(phrase));
            }
        }
        parts
    }

    /// Looks at all messages that the index lacks, the newest first.
    fn over_tail(&mut self, high: i64) -> Result<ControlFlow<()>> {
        let from = self.search.from.as_deref().map(NameKey::of);
        let mut find = self.connection.prepare_cached(
            "SELECT seq, at, room, text, from_name FROM message WHERE seq > ?1 AND seq <= ?2 AND kind < 3 \
             ORDER BY seq DESC",
        )?;
        let mut candidates = find.query([index_tail::begin(self.connection)?, high])?;
        let mut left = self.effort.tail;
        while let Some(row) = candidates.next()? {
            if left == 0 {
                let at: i64 = row.get(1)?;
                self.is_tail_cut = self.search.since.is_none_or(|since| since.as_millisecond() <= at);
                break;
            }
            left -= 1;
            let is_theirs = match &from {
                Some(from) => NameKey::of(&rows::text(row, 4)?) == *from,
                None => true,
            };
            // Counts only messages that pass the filters.
            if is_theirs
                && self.may_see(row.get(0)?, row.get(2)?)?
                && self.consider(row)? == Some(ControlFlow::Break(()))
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Looks at up to `most` messages that the index has for an expression, the newest first.
    fn over(&mut self, expression: &str, low: i64, high: i64, most: usize) -> Result<ControlFlow<()>> {
        let mut find = self.connection.prepare_cached(
            "SELECT p.rowid, m.at, m.room, m.text FROM pieces p CROSS JOIN message m ON m.seq = p.rowid \
             WHERE p.pieces MATCH ?1 AND p.rowid >= ?2 AND p.rowid <= ?3 ORDER BY p.rowid DESC",
        )?;
        let mut candidates = find.query(params![expression, low, high])?;
        let mut left = most;
        while let Some(row) = candidates.next()? {
            if left == 0 {
                return Ok(ControlFlow::Continue(()));
            }
            match self.consider(row)? {
                Some(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
                Some(ControlFlow::Continue(())) => left -= 1,
                None => {}
            }
        }
        Ok(ControlFlow::Break(()))
    }

    /// Looks at a message and takes it if it matches; `None` if it is from another time.
    fn consider(&mut self, row: &Row<'_>) -> Result<Option<ControlFlow<()>>> {
        let (number, at, room): (i64, i64, _) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if !self.is_then(at) {
            return Ok(None);
        }
        let is_meant = self.is_meant(&rows::text(row, 3)?);
        if is_meant && self.may_see(number, room)? && self.take(number)?.is_break() {
            return Ok(Some(ControlFlow::Break(())));
        }
        self.reached = Some(number);
        Ok(Some(ControlFlow::Continue(())))
    }

    fn is_meant(&mut self, text: &str) -> bool {
        self.looked_at += 1;
        if self.sought.is_empty() {
            return true;
        }
        let folded = fold(text);
        let is_sample = self.looked_at <= self.effort.sample;
        let mut is_meant = true;
        for (count, phrase) in self.having.iter_mut().zip(self.sought.phrases()) {
            if phrase.is_in(&folded) {
                *count += 1;
            } else {
                is_meant = false;
                // Counts all phrases only in the sample.
                if !is_sample {
                    break;
                }
            }
        }
        is_meant
    }

    fn is_then(&self, at: i64) -> bool {
        let Search { since, until, .. } = self.search;
        since.is_none_or(|since| at >= since.as_millisecond())
            && until.is_none_or(|until| at < until.as_millisecond())
    }

    /// Whether the reader may see it, by its room or mail rather than by the index alone.
    fn may_see(&self, number: i64, room: Option<i64>) -> Result<bool> {
        if let Some(room) = room {
            return Ok(self.rooms.contains(&room));
        }
        let Some(reader) = self.reader else { return Ok(false) };
        let mut find =
            self.connection.prepare_cached("SELECT 1 FROM mail WHERE account = ?1 AND seq = ?2")?;
        find.exists(params![reader, number])
    }

    fn take(&mut self, number: i64) -> Result<ControlFlow<()>> {
        let reader = self.search.view.account.as_ref();
        let messages = rows::messages(self.connection, &[number], usize::MAX, reader)?;
        for message in messages {
            let size = rows::frame_bytes(&message);
            let is_first = self.found.is_empty();
            if self.found.len() >= self.search.limit || (size > self.bytes && !is_first) {
                self.is_full = true;
                return Ok(ControlFlow::Break(()));
            }
            self.bytes = self.bytes.saturating_sub(size);
            self.found.push(message);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn number(&self, sql: &str) -> Result<i64> {
        self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
    }
}
