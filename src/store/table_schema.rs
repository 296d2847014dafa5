//! The columns of a history's tables, to find the table of a row from a damaged page.

use super::btree::RawRow;
use super::rows;
use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};

#[derive(Debug)]
pub(super) struct TableSchema {
    pub(super) name: String,
    /// Whether its rows have rowids.
    pub(super) has_numbers: bool,
    /// In the order of a record.
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    kind: String,
    /// Whether a record may lack it or have NULL there.
    may_lack: bool,
    /// Whether it stands for the rowid, so the record has NULL there.
    is_number: bool,
}

impl TableSchema {
    pub(super) fn all(history: &Connection) -> Result<Vec<Self>> {
        let sql = "SELECT name, wr FROM pragma_table_list \
                   WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        let mut find = history.prepare(sql)?;
        let tables = find.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
        tables
            .map(|table| {
                let (name, is_bare) = table?;
                Ok(Self { columns: columns(history, &name, !is_bare)?, name, has_numbers: !is_bare })
            })
            .collect()
    }

    /// Whether the row may belong to this table.
    pub(super) fn fits(&self, (number, values): &RawRow) -> bool {
        number.is_some() == self.has_numbers
            && !values.is_empty()
            && values.len() <= self.columns.len()
            && self.columns.iter().enumerate().all(|(place, column)| column.fits(values.get(place)))
            && is_sensible(&self.name, values)
    }

    /// Writes the row unless it exists; returns whether it did.
    pub(super) fn write(&self, history: &Connection, (number, values): RawRow) -> Result<bool> {
        let columns = &self.columns[..values.len()];
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let places = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT OR IGNORE INTO {} ({}) VALUES ({places})", self.name, names.join(", "));
        let values = columns.iter().zip(values).map(|(column, value)| match number {
            Some(number) if column.is_number => Value::Integer(number),
            _ => value,
        });
        Ok(history.prepare_cached(&sql)?.execute(params_from_iter(values))? > 0)
    }
}

impl Column {
    fn fits(&self, value: Option<&Value>) -> bool {
        match (value, self.kind.as_str()) {
            (None, _) => self.may_lack,
            (Some(Value::Null), _) => self.may_lack || self.is_number,
            (Some(_), _) if self.is_number => false,
            (Some(value), "INTEGER") => matches!(value, Value::Integer(_)),
            (Some(value), "TEXT") => matches!(value, Value::Text(_)),
            (Some(value), "BLOB") => matches!(value, Value::Blob(_)),
            _ => true,
        }
    }
}

/// A table's columns in the order of a record: without rowids, the key comes first.
fn columns(history: &Connection, table: &str, has_numbers: bool) -> Result<Vec<Column>> {
    let sql = "SELECT name, type, \"notnull\" = 0 OR dflt_value IS NOT NULL, pk FROM pragma_table_info(?1) \
               ORDER BY CASE WHEN ?2 OR pk = 0 THEN 1000 + cid ELSE pk END";
    let mut find = history.prepare(sql)?;
    let columns = find.query_map((table, has_numbers), |row| {
        let (kind, place): (String, u32) = (row.get(1)?, row.get(3)?);
        Ok(Column {
            name: format!("\"{}\"", row.get::<_, String>(0)?),
            may_lack: row.get::<_, bool>(2)? && (has_numbers || place == 0),
            is_number: has_numbers && place == 1 && kind == "INTEGER",
            kind,
        })
    })?;
    columns.collect()
}

/// Whether we could have written these values; pages of indexes look like those of tables.
fn is_sensible(table: &str, values: &[Value]) -> bool {
    match (table, values) {
        ("account", [_, Value::Blob(identity), ..]) => rows::account(0, identity).is_ok(),
        ("read_upto", [Value::Blob(identity), ..]) => rows::account(0, identity).is_ok(),
        ("meta", [Value::Text(key), ..]) => !key.starts_with('#'),
        ("room", [_, _, Value::Text(key), ..]) => key.starts_with('#'),
        ("mail", [Value::Integer(account), Value::Integer(seq), Value::Integer(state)]) => {
            *account > 0 && *seq > 0 && (0..=2).contains(state)
        }
        ("message", [_, _, Value::Integer(kind), ..]) => (0..=6).contains(kind),
        _ => true,
    }
}
