//! Erases a person from the database of a stopped server, so that no word of theirs stays in its files.
//!
//! It erases the direct messages of both sides: those to the person say as much about them as those from them.
//! Others keep what they said in rooms, even about the person.

use super::error::{AtPath as _, StoreError};
use super::{hours, index_tail, records, rows, schema, weight};
use crate::chat::Account;
use crate::fingerprint::Fingerprint;
use crate::name::NameKey;
use rusqlite::{Connection, Result, Transaction, params};
use std::path::Path;

/// The person to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonQuery {
    Key(Fingerprint),
    /// The owner of this name.
    Name(String),
}

/// A person in the database, and how much there is of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonData {
    pub key: Fingerprint,
    /// Names that belong to the key, or under which it wrote.
    pub names: Vec<String>,
    /// Messages in rooms.
    pub messages: u64,
    /// Direct messages from and to them.
    pub direct: u64,
    /// Rooms that they are in.
    pub rooms: u64,
    /// Topics that they set.
    pub topics: u64,
    pub is_operator: bool,
    pub is_member: bool,
    /// Bans and mutes of the key, which stay.
    pub sanctions: u64,
}

/// Erases a person, if `agree` allows it after a look at their data; returns the person, or `None` if
/// it does not. No server may use the database.
///
/// # Errors
/// If the database cannot be used, or knows no such person.
pub fn forget(
    path: &Path,
    who: &PersonQuery,
    agree: impl FnOnce(&PersonData) -> bool,
) -> std::result::Result<Option<PersonData>, StoreError> {
    let (mut history, _health) = schema::open_watched(path)?;
    let person = find(&history, who).at(path)?.ok_or_else(|| unknown(&history, who))?;
    if !agree(&person) {
        return Ok(None);
    }
    erase(&mut history, &person).at(path)?;
    // Rewrites the file without what earlier changes left in free pages, then empties the log.
    history.pragma_update(None, "temp_store", "file").at(path)?;
    history.execute_batch("VACUUM").at(path)?;
    let is_busy: bool =
        history.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).at(path)?;
    if is_busy {
        return Err(StoreError::InUse(path.into()));
    }
    history.close().map_err(|(_, error)| error).at(path)?;
    Ok(Some(person))
}

fn find(history: &Connection, who: &PersonQuery) -> Result<Option<PersonData>> {
    let key = match who {
        PersonQuery::Key(key) => *key,
        PersonQuery::Name(name) => match owner(history, name)? {
            Some(key) => key,
            None => return Ok(None),
        },
    };
    let id = rows::account_id(history, &Account::Key(key))?.unwrap_or(0);
    let bytes = key.as_bytes();
    let count = |sql: &str| history.query_row(sql, [id], |row| row.get(0).map(rows::unsigned));
    let of_key = |sql: &str| history.query_row(sql, [bytes], |row| row.get(0).map(rows::unsigned));
    let names = names(history, &key, id)?;
    let person = PersonData {
        key,
        messages: count("SELECT count(*) FROM message WHERE author = ?1 AND kind < 3 AND to_text IS NULL")?,
        direct: count(
            "SELECT count(*) FROM message WHERE kind < 3 AND to_text IS NOT NULL AND (author = ?1 OR receiver = ?1)",
        )?,
        rooms: count("SELECT count(*) FROM member WHERE account = ?1")?,
        topics: topics(history, &names)?.len() as u64,
        is_operator: of_key("SELECT count(*) FROM operator WHERE key = ?1")? > 0,
        is_member: of_key("SELECT count(*) FROM server_member WHERE key = ?1")? > 0,
        sanctions: of_key("SELECT count(*) FROM sanction WHERE key = ?1")?,
        names,
    };
    let is_known = id > 0 || !person.names.is_empty() || person.is_operator || person.is_member;
    Ok(is_known.then_some(person))
}

/// The key that owns the name, in whatever case it is written.
fn owner(history: &Connection, name: &str) -> Result<Option<Fingerprint>> {
    let wanted = NameKey::of(name);
    let names = records::owned(history)?;
    Ok(names.into_iter().find(|row| NameKey::of(&row.name) == wanted).map(|row| row.key))
}

fn names(history: &Connection, key: &Fingerprint, id: i64) -> Result<Vec<String>> {
    let sql = "SELECT name FROM owned_name WHERE key = ?1 \
               UNION SELECT from_name FROM message WHERE author = ?2 AND kind < 2 ORDER BY 1";
    history.prepare(sql)?.query_map(params![key.as_bytes(), id], |row| row.get(0))?.collect()
}

/// The rooms whose topic is by a user with one of these names.
fn topics(history: &Connection, names: &[String]) -> Result<Vec<i64>> {
    let mut find = history.prepare("SELECT id, topic_by FROM room WHERE topic_by IS NOT NULL")?;
    let all = find.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    let all: Vec<(i64, String)> = all.collect::<Result<_>>()?;
    Ok(all.into_iter().filter(|(_, by)| names.contains(by)).map(|(id, _)| id).collect())
}

/// The error if there is nobody to forget. Names the keys that wrote under a name that nobody owns.
fn unknown(history: &Connection, who: &PersonQuery) -> StoreError {
    let PersonQuery::Name(name) = who else {
        return StoreError::NoPerson("the server knows nobody with this key".into());
    };
    let sql = "SELECT DISTINCT a.identity FROM message m JOIN account a ON a.id = m.author \
               WHERE m.from_name = ?1 AND m.kind < 2 LIMIT 5";
    let keys = history.prepare(sql).and_then(|mut find| {
        let found = find.query_map([name], |row| rows::account(0, row.get_ref(0)?.as_blob()?))?;
        found.collect::<Result<Vec<_>>>()
    });
    let keys = keys.unwrap_or_default().into_iter().filter_map(|account| match account {
        Account::Key(key) => Some(format!("key:{key}")),
        Account::Token(_) => None,
    });
    let keys = keys.collect::<Vec<_>>().join(", ");
    StoreError::NoPerson(match keys.as_str() {
        "" => format!("no key owns the name \"{name}\" on this server; give a key instead (key:SHA256:...)"),
        keys => format!(
            "no key owns the name \"{name}\" on this server; messages under it are from {keys}: give one of these"
        ),
    })
}

fn erase(history: &mut Connection, person: &PersonData) -> Result<()> {
    // Overwrites the rows that it erases.
    history.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    // So that the index and all sums have all messages.
    index_tail::finish(history)?;
    let change = history.transaction()?;
    let account = rows::account_id(&change, &Account::Key(person.key))?;
    if let Some(id) = account {
        erase_messages(&change, id)?;
    }
    for room in topics(&change, &person.names)? {
        change.execute("UPDATE room SET topic = NULL, topic_by = NULL WHERE id = ?1", [room])?;
        rows::forget_room(&change, room)?;
    }
    for sql in [
        "DELETE FROM owned_name WHERE key = ?1",
        "DELETE FROM operator WHERE key = ?1",
        "DELETE FROM server_member WHERE key = ?1",
    ] {
        change.execute(sql, [person.key.as_bytes()])?;
    }
    let identity = rows::identity(&Account::Key(person.key));
    change.execute("DELETE FROM read_upto WHERE identity = ?1", [identity])?;
    if let Some(id) = account {
        rows::forget_account(&change, id)?;
    }
    weight::recount(&change)?;
    hours::forget(&change)?;
    change.commit()?;
    // The index marks an entry as deleted until it merges it with others.
    history.execute_batch("INSERT INTO pieces (pieces) VALUES ('optimize')")
}

fn erase_messages(change: &Transaction<'_>, id: i64) -> Result<()> {
    change.execute_batch("CREATE TEMP TABLE gone (seq INTEGER PRIMARY KEY)")?;
    let sql = "INSERT INTO gone SELECT seq FROM message WHERE author = ?1 OR receiver = ?1";
    change.execute(sql, [id])?;
    // A message to an address is also for others there.
    change.execute("DELETE FROM mail WHERE account = ?1", [id])?;
    change.execute_batch(
        "INSERT OR IGNORE INTO gone SELECT seq FROM message m \
             WHERE to_text IS NOT NULL AND NOT EXISTS (SELECT 1 FROM mail l WHERE l.seq = m.seq); \
         INSERT OR IGNORE INTO gone SELECT seq FROM message WHERE kind > 4 AND last IN (SELECT seq FROM gone); \
         DELETE FROM pieces WHERE rowid IN (SELECT seq FROM gone); \
         DELETE FROM mail WHERE seq IN (SELECT seq FROM gone); \
         DELETE FROM message WHERE seq IN (SELECT seq FROM gone);",
    )?;
    let rooms: Vec<i64> = rows::numbers(change, "SELECT room FROM member WHERE account = ?1", [id])?;
    change.execute("DELETE FROM member WHERE account = ?1", [id])?;
    for room in rooms {
        rows::forget_room(change, room)?;
    }
    change.execute("DELETE FROM lost WHERE account = ?1 OR author = ?1", [id])?;
    change.execute_batch("DROP TABLE gone")
}
