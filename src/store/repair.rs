//! Saves every readable row of a damaged history to a new file, and rebuilds the indexes.
//!
//! The bundled SQLite lacks the recovery extension. This does the same for a history's tables: it follows the
//! trees until they break off, then reads each page that no tree reached, and puts its rows into the table that
//! they fit.

use super::btree::{self, BtreePage, PageKind, RawRow};
use super::error::{AtPath as _, StoreError};
use super::image::Image;
use super::incarnations::mark_restored;
use super::table_schema::TableSchema;
use super::{check, checksum, connect, indexing, paths, rows, schema, weight};
use crate::limits::SEQ_RESERVE;
use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;

/// Messages checked in one transaction.
const PORTION: u32 = 2000;

/// The result of a repair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Messages saved.
    pub messages: u64,
    /// Rooms saved.
    pub rooms: u64,
    /// Direct messages saved, counted once per mailbox.
    pub mail: u64,
    /// Owned names saved.
    pub names: u64,
    /// Operators saved.
    pub operators: u64,
    /// Members of a closed server saved.
    pub members: u64,
    /// Bans and mutes saved.
    pub sanctions: u64,
    /// Rooms whose names are unreadable: their new names, and how many messages each has.
    pub unnamed: Vec<(String, u64)>,
    /// Unreadable pages.
    pub lost_pages: u64,
    /// Rows that are unreadable, or useless without others.
    pub lost_rows: u64,
}

/// Checks that the database at `path` is intact. No one else may have it open.
pub fn check_whole(path: &Path) -> Result<(), StoreError> {
    let file = connect::open_file(path)?;
    check::size(path, &file)?;
    check::thoroughly(&schema::open_foreign(path)?, path)
}

/// Saves the content of the database at `path` and its log to a new file `to`. `progress` gets the steps done
/// and their total.
///
/// # Errors
/// If `path` cannot be read or holds nothing to save, or if `to` cannot be written. Then it leaves no file `to`.
pub fn repair(path: &Path, to: &Path, progress: impl FnMut(u64, u64)) -> Result<Repaired, StoreError> {
    // The log may be left even if the database is gone.
    match connect::open_file(path) {
        Ok(_) | Err(StoreError::Missing(_)) => {}
        Err(error) => return Err(error),
    }
    let image = Image::open(path).at(path)?;
    let header = image.header().at(path)?;
    let form = header.map_or(schema::latest(), |header| header.version);
    let unfinished = paths::unfinished(to).map_err(|error| StoreError::of_copy(to, &error))?;
    let Some(mut history) = schema::make_older(unfinished.path(), form)? else {
        return Err(match header {
            Some(header) if header.application == schema::APPLICATION_ID.cast_unsigned() && form > 0 => {
                StoreError::Newer { path: path.into(), found: form, known: schema::latest() }
            }
            _ => StoreError::Hopeless(path.into()),
        });
    };
    let mut repair = Repair {
        image: &image,
        tables: TableSchema::all(&history).at(to)?,
        is_met: vec![false; image.pages as usize + 1],
        lost: BTreeSet::new(),
        done: Repaired::default(),
        progress,
    };
    let change = history.transaction().at(to)?;
    repair.take(&change).map_err(|error| error.tell(path, to))?;
    repair.done.lost_rows += settle(&change).at(to)?;
    change.commit().at(to)?;
    schema::renew(&mut history).at(to)?;
    repair.done.lost_rows += index(&mut history, &mut repair.progress).at(to)?;
    let count = |table: &str| count(&history, table).at(to);
    let done = Repaired {
        messages: count("message")?,
        rooms: count("room")?,
        mail: count("mail")?,
        names: count("owned_name")?,
        operators: count("operator")?,
        members: count("server_member")?,
        sanctions: count("sanction")?,
        unnamed: unnamed(&history).at(to)?,
        lost_pages: repair.lost.len() as u64,
        lost_rows: repair.done.lost_rows,
    };
    if header.is_none() && done.messages + done.rooms == 0 {
        return Err(StoreError::Hopeless(path.into()));
    }
    check::whole(&history, to)?;
    history.close().map_err(|(_, error)| error).at(to)?;
    unfinished.finish(to).map_err(|error| StoreError::of_copy(to, &error))?;
    Ok(done)
}

/// Which of the two files failed.
#[derive(Debug, thiserror::Error)]
enum RepairError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error(transparent)]
    Write(#[from] rusqlite::Error),
}

impl RepairError {
    fn tell(&self, from: &Path, to: &Path) -> StoreError {
        match self {
            Self::Read(error) => StoreError::of_file(from, error),
            Self::Write(error) => StoreError::of(to, error),
        }
    }
}

struct Repair<'i, P> {
    image: &'i Image,
    tables: Vec<TableSchema>,
    is_met: Vec<bool>,
    lost: BTreeSet<u32>,
    done: Repaired,
    progress: P,
}

impl<P: FnMut(u64, u64)> Repair<'_, P> {
    fn take(&mut self, history: &Connection) -> Result<(), RepairError> {
        for page in btree::free_pages(self.image)? {
            self.meet(page);
        }
        let roots = self.roots()?;
        for (name, root) in &roots {
            let table = self.tables.iter().position(|table| table.name == *name);
            self.tree(history, *root, table)?;
        }
        for number in 2..=self.image.pages {
            (self.progress)(number.into(), u64::from(self.image.pages) * 2);
            if !self.meet(number) {
                self.stray(history, number)?;
            }
        }
        Ok(())
    }

    /// Whether the page was visited before; marks it as visited. A page that does not exist counts as
    /// visited.
    fn meet(&mut self, page: u32) -> bool {
        self.is_met.get_mut(page as usize).is_none_or(|met| std::mem::replace(met, true))
    }

    /// The roots of all trees by table name.
    fn roots(&mut self) -> io::Result<HashMap<String, u32>> {
        let mut roots = HashMap::new();
        for (_, values) in self.pages_of(1)?.into_iter().flatten() {
            if let [Value::Text(kind), Value::Text(name), _, Value::Integer(root), ..] = values.as_slice()
                && let Ok(root) = u32::try_from(*root)
                && root > 1
            {
                // Keeps the names of indexes apart from those of tables.
                let name = if kind == "table" { name.clone() } else { format!("{kind} {name}") };
                roots.insert(name, root);
            }
        }
        Ok(roots)
    }

    /// The rows of each page of a tree that can be reached.
    fn pages_of(&mut self, root: u32) -> io::Result<Vec<Vec<RawRow>>> {
        let (image, mut pages, mut lost, mut lost_rows) = (self.image, Vec::new(), Vec::new(), 0);
        let mut visit = |number, page: &BtreePage<'_>| {
            let is_new = !self.meet(number);
            if is_new {
                let (rows, lost) = page.rows()?;
                lost_rows += lost as u64;
                pages.push(rows);
            }
            Ok(is_new)
        };
        btree::walk(image, root, &mut visit, &mut |page| lost.push(page))?;
        self.done.lost_rows += lost_rows;
        for page in lost {
            self.meet(page);
            self.lost.insert(page);
        }
        Ok(pages)
    }

    /// Copies the rows of a table's tree. An index is rebuilt, so its rows and its losses do not count.
    fn tree(&mut self, history: &Connection, root: u32, table: Option<usize>) -> Result<(), RepairError> {
        let Some(table) = table else {
            let (lost_rows, lost_pages) = (self.done.lost_rows, self.lost.clone());
            self.pages_of(root)?;
            (self.done.lost_rows, self.lost) = (lost_rows, lost_pages);
            return Ok(());
        };
        for row in self.pages_of(root)?.into_iter().flatten() {
            let table = &self.tables[table];
            // A new database has some rows of `meta` already.
            if !(table.fits(&row) && (table.write(history, row)? || table.name == "meta")) {
                self.done.lost_rows += 1;
            }
        }
        Ok(())
    }

    /// Copies the rows of a page that no tree reached, if they fit exactly one table.
    fn stray(&mut self, history: &Connection, number: u32) -> Result<(), RepairError> {
        let Some(page) =
            BtreePage::read(self.image, number)?.filter(|page| page.kind != PageKind::TableInner)
        else {
            return Ok(());
        };
        let (rows, _) = page.rows()?;
        let mut fitting = self.tables.iter().filter(|table| rows.iter().all(|row| table.fits(row)));
        let (Some(table), None, false) = (fitting.next(), fitting.next(), rows.is_empty()) else {
            return Ok(());
        };
        for row in rows {
            // A row that exists already came from a page in use, which counts.
            table.write(history, row)?;
        }
        Ok(())
    }
}

/// Makes the tables consistent; returns how many rows it deletes for that.
fn settle(change: &Transaction<'_>) -> rusqlite::Result<u64> {
    let mut lost = 0;
    for (counts, sql) in [
        (true, "DELETE FROM message WHERE (room IS NULL) = (to_text IS NULL)"),
        (
            false,
            "INSERT OR IGNORE INTO room (id, name, key) \
             SELECT DISTINCT id, '#recovered-' || id, '#recovered-' || id FROM \
             (SELECT room AS id FROM message WHERE room IS NOT NULL UNION SELECT room FROM member) \
             WHERE id NOT IN (SELECT id FROM room)",
        ),
        (false, "UPDATE message SET author = NULL WHERE author NOT IN (SELECT id FROM account)"),
        (true, "DELETE FROM member WHERE account NOT IN (SELECT id FROM account)"),
        (false, "DELETE FROM mail WHERE seq NOT IN (SELECT seq FROM message)"),
        (true, "DELETE FROM mail WHERE account NOT IN (SELECT id FROM account)"),
        // The lobby has no member rows, because everyone is in it, and has the most messages.
        (
            false,
            "UPDATE room SET name = '#lobby', key = '#lobby' \
             WHERE NOT EXISTS (SELECT 1 FROM room WHERE key = '#lobby') AND id = \
             (SELECT r.id FROM room r JOIN message m ON m.room = r.id \
              WHERE r.key = '#recovered-' || r.id AND r.id NOT IN (SELECT room FROM member) \
              GROUP BY r.id ORDER BY count(*) DESC, r.id LIMIT 1)",
        ),
    ] {
        let rows = change.execute(sql, [])?;
        lost += if counts { rows as u64 } else { 0 };
    }
    let reserve = "INSERT OR IGNORE INTO meta SELECT 'reserved', ifnull(max(seq), 0) + ?1 FROM message";
    change.execute(reserve, [SEQ_RESERVE.cast_signed()])?;
    mark_restored(change)?;
    checksum::remove(change)?;
    Ok(lost)
}

/// Rooms that got a new name.
fn unnamed(history: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    let sql = "SELECT name, (SELECT count(*) FROM message m WHERE m.room = r.id) FROM room r \
               WHERE key = '#recovered-' || id ORDER BY id";
    let mut find = history.prepare(sql)?;
    find.query_map([], |row| Ok((row.get(0)?, row.get(1).map(rows::unsigned)?)))?.collect()
}

/// Deletes unreadable messages, recounts the rest, and leaves the slow rebuilding of the index to the server;
/// returns how many messages it deleted.
fn index(history: &mut Connection, progress: &mut impl FnMut(u64, u64)) -> rusqlite::Result<u64> {
    let (mut lost, mut after, mut done) = (0, i64::MIN, 0);
    let all = count(history, "message")?;
    loop {
        let change = history.transaction()?;
        let mut find = change.prepare("SELECT seq FROM message WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let found = find.query_map(params![after, PORTION], |row| row.get(0))?;
        let found = found.collect::<rusqlite::Result<Vec<i64>>>()?;
        drop(find);
        let Some(last) = found.last() else {
            weight::recount(&change)?;
            indexing::restart(&change)?;
            change.commit()?;
            return Ok(lost);
        };
        after = *last;
        done += found.len() as u64;
        for seq in found {
            lost += u64::from(!is_sound(&change, seq)?);
        }
        change.commit()?;
        progress(all + done, all * 2);
    }
}

/// Whether a message is readable; deletes it otherwise.
fn is_sound(change: &Transaction<'_>, seq: i64) -> rusqlite::Result<bool> {
    let sql = format!("{} WHERE m.seq = ?1", rows::MESSAGE);
    let is_sound =
        change.prepare_cached(&sql)?.query_row([seq], |row| rows::MessageReader::new(change).message(row));
    let is_sound = is_sound.is_ok();
    if !is_sound {
        change.execute("DELETE FROM mail WHERE seq = ?1", [seq])?;
        change.execute("DELETE FROM message WHERE seq = ?1", [seq])?;
    }
    Ok(is_sound)
}

fn count(history: &Connection, table: &str) -> rusqlite::Result<u64> {
    history.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0).map(rows::unsigned))
}
