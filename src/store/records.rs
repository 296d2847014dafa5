//! The rows of names, operators, members, bans and mutes.

use super::rows::{self, damaged, instant};
use crate::chat::{
    Account, BanRecord, MemberRecord, NameRecord, Net, OperatorRecord, ReadRecord, Record, Records, Sanction,
};
use crate::fingerprint::Fingerprint;
use crate::limits::MAX_READ_POSITIONS;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::{Map, Value};

pub(super) fn write(change: &Connection, record: &Record) -> Result<()> {
    match record {
        Record::Name(name, None) => delete(change, "DELETE FROM owned_name WHERE name = ?1", name),
        Record::Operator(key, None) => delete(change, "DELETE FROM operator WHERE key = ?1", key.as_bytes()),
        Record::Member(key, None) => {
            delete(change, "DELETE FROM server_member WHERE key = ?1", key.as_bytes())
        }
        Record::Sanction(sanction, number, None) => {
            let sql = "DELETE FROM sanction WHERE kind = ?1 AND number = ?2";
            change.prepare_cached(sql)?.execute(params![kind(*sanction), number]).map(drop)
        }
        Record::Read(account, None) => {
            delete(change, "DELETE FROM read_upto WHERE identity = ?1", rows::identity(account))
        }
        Record::Read(account, Some(row)) => write_read(change, account, row),
        Record::Name(_, Some(row)) => write_name(change, row),
        Record::Operator(_, Some(row)) => write_operator(change, row),
        Record::Member(_, Some(row)) => write_member(change, row),
        Record::Sanction(sanction, number, Some(row)) => write_sanction(change, *sanction, *number, row),
        Record::Alive(second) => {
            let sql = "INSERT OR REPLACE INTO meta VALUES ('alive', ?1)";
            change.prepare_cached(sql)?.execute([second]).map(drop)
        }
    }
}

/// Reads all rows. A name that was in use when the server ended counts as used until the server's last sign
/// of life.
pub(super) fn begin(change: &Connection) -> Result<Records> {
    let sql = "SELECT value FROM meta WHERE key = 'alive'";
    let alive: Option<i64> = change.query_row(sql, [], |row| row.get(0)).optional()?;
    change.execute(
        "UPDATE owned_name SET in_use = 0, last = max(last, ?1 * 1000), \
         used = min(used + max(?1 - last / 1000, 0), 4294967295) WHERE in_use",
        [alive.unwrap_or(0)],
    )?;
    // The rules would forget the others anyway.
    change.execute(
        "DELETE FROM read_upto WHERE identity NOT IN \
         (SELECT identity FROM read_upto ORDER BY changed DESC LIMIT ?1)",
        [MAX_READ_POSITIONS as i64],
    )?;
    read(change)
}

pub(super) fn read(change: &Connection) -> Result<Records> {
    Ok(Records {
        operators: all(
            change,
            "SELECT key, name, made_by, since, rest FROM operator ORDER BY since",
            operator,
        )?,
        members: all(change, "SELECT key, name, ip, since, rest FROM server_member ORDER BY since", member)?,
        bans: sanctions(change, Sanction::Ban)?,
        mutes: sanctions(change, Sanction::Mute)?,
        names: owned(change)?,
        // The one who has read nothing for longest comes first, and gives way first.
        reads: all(
            change,
            "SELECT identity, places, changed FROM read_upto ORDER BY changed",
            read_position,
        )?,
    })
}

/// All names with their owners.
pub(super) fn owned(history: &Connection) -> Result<Vec<NameRecord>> {
    all(history, "SELECT name, key, last, used FROM owned_name ORDER BY id", name)
}

fn delete(change: &Connection, sql: &str, key: impl rusqlite::ToSql) -> Result<()> {
    change.prepare_cached(sql)?.execute([key]).map(drop)
}

fn write_name(change: &Connection, row: &NameRecord) -> Result<()> {
    let NameRecord { name, key, last, used, in_use } = row;
    // Keeps the row's id: of two names that look alike, the older one counts.
    let sql = "INSERT INTO owned_name (name, key, last, used, in_use) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (name) DO UPDATE SET key = excluded.key, last = excluded.last, \
               used = excluded.used, in_use = excluded.in_use";
    let values = params![name, key.as_bytes(), last.as_millisecond(), used, in_use];
    change.prepare_cached(sql)?.execute(values).map(drop)
}

fn write_operator(change: &Connection, row: &OperatorRecord) -> Result<()> {
    let OperatorRecord { key, name, by, since, rest } = row;
    let sql = "INSERT OR REPLACE INTO operator VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![key.as_bytes(), name, by, since.as_millisecond(), json(rest)];
    change.prepare_cached(sql)?.execute(values).map(drop)
}

fn write_member(change: &Connection, row: &MemberRecord) -> Result<()> {
    let MemberRecord { key, name, ip, since, rest } = row;
    let sql = "INSERT OR REPLACE INTO server_member VALUES (?1, ?2, ?3, ?4, ?5)";
    let ip = ip.map(|ip| ip.to_string());
    let values = params![key.as_bytes(), name, ip, since.as_millisecond(), json(rest)];
    change.prepare_cached(sql)?.execute(values).map(drop)
}

fn write_sanction(change: &Connection, sanction: Sanction, number: u32, row: &BanRecord) -> Result<()> {
    let BanRecord { key, ips, name, by, since, until, rest } = row;
    let sql = "INSERT OR REPLACE INTO sanction VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let (key, until) = (key.as_ref().map(Fingerprint::as_bytes), until.map(Timestamp::as_millisecond));
    let ips = ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let since = since.as_millisecond();
    let values = params![kind(sanction), number, key, ips, name, by, since, until, json(rest)];
    change.prepare_cached(sql)?.execute(values).map(drop)
}

fn write_read(change: &Connection, account: &Account, row: &ReadRecord) -> Result<()> {
    let places = serde_json::to_string(&row.places).unwrap_or_default();
    let sql = "INSERT OR REPLACE INTO read_upto VALUES (?1, ?2, ?3)";
    let values = params![rows::identity(account), places, row.changed.as_millisecond()];
    change.prepare_cached(sql)?.execute(values).map(drop)
}

fn kind(sanction: Sanction) -> u8 {
    match sanction {
        Sanction::Ban => 0,
        Sanction::Mute => 1,
    }
}

fn json(rest: &Map<String, Value>) -> Option<String> {
    (!rest.is_empty()).then(|| Value::from(rest.clone()).to_string())
}

fn all<T>(change: &Connection, sql: &str, read: fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    change.prepare(sql)?.query_map([], read)?.collect()
}

fn sanctions(change: &Connection, sanction: Sanction) -> Result<Vec<(u32, BanRecord)>> {
    let sql = "SELECT number, key, ips, name, imposed_by, since, until, rest FROM sanction \
               WHERE kind = ?1 ORDER BY number";
    let read = |row: &Row<'_>| Ok((row.get(0)?, ban(row)?));
    change.prepare(sql)?.query_map([kind(sanction)], read)?.collect()
}

fn name(row: &Row<'_>) -> Result<NameRecord> {
    Ok(NameRecord {
        name: row.get(0)?,
        key: key(row, 1)?,
        last: instant(row, 2)?,
        used: row.get(3)?,
        in_use: false,
    })
}

fn operator(row: &Row<'_>) -> Result<OperatorRecord> {
    Ok(OperatorRecord {
        key: key(row, 0)?,
        name: row.get(1)?,
        by: row.get(2)?,
        since: instant(row, 3)?,
        rest: rest(row, 4)?,
    })
}

fn member(row: &Row<'_>) -> Result<MemberRecord> {
    let ip = row.get::<_, Option<String>>(2)?.map(|ip| ip.parse()).transpose();
    let ip = ip.map_err(|_| damaged(2, "not an IP address"))?;
    Ok(MemberRecord {
        key: key(row, 0)?,
        name: row.get(1)?,
        ip,
        since: instant(row, 3)?,
        rest: rest(row, 4)?,
    })
}

fn ban(row: &Row<'_>) -> Result<BanRecord> {
    let has_key = row.get_ref(1)?.as_blob_or_null()?.is_some();
    let until: Option<i64> = row.get(6)?;
    let ips: std::result::Result<Vec<Net>, _> =
        row.get_ref(2)?.as_str()?.split_whitespace().map(str::parse).collect();
    Ok(BanRecord {
        key: has_key.then(|| key(row, 1)).transpose()?,
        ips: ips.map_err(|_| damaged(2, "not a network"))?,
        name: row.get(3)?,
        by: row.get(4)?,
        since: instant(row, 5)?,
        // A ban may last beyond the latest time that jiff can represent.
        until: until.map(|until| Timestamp::from_millisecond(until).unwrap_or(Timestamp::MAX)),
        rest: rest(row, 7)?,
    })
}

fn read_position(row: &Row<'_>) -> Result<ReadRecord> {
    let account = rows::account(0, row.get_ref(0)?.as_blob()?)?;
    // A damaged list only makes messages look unread.
    let places = serde_json::from_str(&rows::text(row, 1)?).unwrap_or_default();
    Ok(ReadRecord { account, places, changed: instant(row, 2)? })
}

fn key(row: &Row<'_>, column: usize) -> Result<Fingerprint> {
    let bytes = row.get_ref(column)?.as_blob()?.try_into();
    bytes.map(Fingerprint::new).map_err(|_| damaged(column, "not a key"))
}

fn rest(row: &Row<'_>, column: usize) -> Result<Map<String, Value>> {
    let Some(text) = row.get::<_, Option<String>>(column)? else { return Ok(Map::new()) };
    serde_json::from_str(&text).map_err(|_| damaged(column, "not a JSON object"))
}
