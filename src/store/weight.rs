//! Counts the bytes kept per author. The author who has the most loses messages first, so one user's flood
//! does not remove the messages of others.

use rusqlite::{Connection, OptionalExtension, Result, params};
use std::collections::HashMap;

/// The approximate bytes of a message besides its text: names, index entries, mail. The second migration also
/// uses this value.
const MESSAGE_BYTES: i64 = 300;

/// Changes of the sums, and new messages of each author, collected before writing.
#[derive(Debug, Default)]
pub(super) struct Weights {
    bytes: HashMap<i64, i64>,
    written: Vec<(i64, i64)>,
}

impl Weights {
    /// Counts a new message. All authors without an account count as one.
    pub(super) fn wrote(&mut self, author: Option<i64>, seq: i64, text: &str) {
        self.written.push((author.unwrap_or(0), seq));
        self.add(author, text);
    }

    /// Counts a text.
    pub(super) fn add(&mut self, author: Option<i64>, text: &str) {
        self.count(author, bytes(text.len()));
    }

    /// Counts the removal of a message with a text of so many bytes.
    pub(super) fn take(&mut self, author: Option<i64>, text: usize) {
        self.count(author, -bytes(text));
    }

    fn count(&mut self, author: Option<i64>, bytes: i64) {
        *self.bytes.entry(author.unwrap_or(0)).or_default() += bytes;
    }

    pub(super) fn write(&mut self, connection: &Connection) -> Result<()> {
        self.written.sort_unstable();
        for (author, seq) in self.written.drain(..) {
            let sql = "INSERT OR IGNORE INTO authored (author, seq) VALUES (?1, ?2)";
            connection.prepare_cached(sql)?.execute([author, seq])?;
        }
        for (author, bytes) in self.bytes.drain() {
            let sql = "INSERT INTO weight (author, bytes) VALUES (?1, ?2) \
                       ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes";
            connection.prepare_cached(sql)?.execute([author, bytes])?;
            if bytes < 0 {
                let sql = "DELETE FROM weight WHERE author = ?1 AND bytes <= 0";
                connection.prepare_cached(sql)?.execute([author])?;
            }
        }
        Ok(())
    }
}

pub(super) fn recount(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM weight", [])?;
    let sql = "INSERT INTO weight \
               SELECT ifnull(author, 0), sum(?1 + length(CAST(text AS BLOB))) FROM message GROUP BY author";
    connection.execute(sql, [MESSAGE_BYTES])?;
    connection.execute("DELETE FROM authored", [])?;
    let sql = "INSERT INTO authored SELECT ifnull(author, 0), seq FROM message ORDER BY 1, 2";
    connection.execute(sql, []).map(drop)
}

/// Forgets a message that is removed.
pub(super) fn forget(change: &Connection, author: Option<i64>, seq: i64) -> Result<()> {
    let sql = "DELETE FROM authored WHERE author = ifnull(?1, 0) AND seq = ?2";
    change.prepare_cached(sql)?.execute(params![author, seq]).map(drop)
}

/// The bytes that a message counts as.
pub(super) fn of(text: &str) -> u64 {
    bytes(text.len()).unsigned_abs()
}

fn bytes(text: usize) -> i64 {
    i64::try_from(text).unwrap_or(i64::MAX / 2) + MESSAGE_BYTES
}

/// The author who has the most bytes, among those with messages that do not wait; 0 stands for authors
/// without an account.
pub(super) fn heaviest(connection: &Connection) -> Result<Option<i64>> {
    let mut find = connection.prepare_cached(
        "SELECT author FROM weight w WHERE EXISTS (\
             SELECT 1 FROM authored b WHERE b.author = w.author \
             AND NOT EXISTS (SELECT 1 FROM mail l WHERE l.seq = b.seq AND l.state = 0)) \
         ORDER BY bytes DESC LIMIT 1",
    )?;
    find.query_row([], |row| row.get(0)).optional()
}

/// The share of waiting mail in all messages, in thousandths.
pub(super) fn waiting(connection: &Connection) -> Result<u64> {
    // The newest messages are not in the sums yet.
    let mut find = connection.prepare_cached(
        "SELECT (SELECT ifnull(sum(bytes), 0) FROM weight) + ifnull(sum(?1 + length(CAST(text AS BLOB))), 0) \
         FROM message WHERE seq > (SELECT value FROM meta WHERE key = 'indexed')",
    )?;
    let all: i64 = find.query_row([MESSAGE_BYTES], |row| row.get(0))?;
    let mut find = connection.prepare_cached(
        "SELECT ifnull(sum(?1 + length(CAST(m.text AS BLOB))), 0) FROM message m WHERE m.seq IN \
         (SELECT seq FROM mail WHERE state < 2 AND state = 0)",
    )?;
    let waiting: i64 = find.query_row(params![MESSAGE_BYTES], |row| row.get(0))?;
    let thousandths = waiting.saturating_mul(1000).checked_div(all).unwrap_or(0);
    Ok(u64::try_from(thousandths.clamp(0, 1000)).unwrap_or(0))
}
