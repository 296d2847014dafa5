//! The rooms and users in a history, for completing them. Reads even while a server writes.

use std::path::Path;

use rusqlite::Connection;

use super::error::{AtPath as _, StoreError};
use super::schema;

/// Names in a history, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamesInUse {
    /// Rooms, with their `#`.
    pub rooms: Vec<String>,
    /// Users who own their names.
    pub users: Vec<String>,
}

impl NamesInUse {
    /// Reads at most `most` of each from the history at `path`.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(path: &Path, most: usize) -> Result<Self, StoreError> {
        let history = schema::open_foreign(path)?;
        let rooms = names(&history, "SELECT name FROM room ORDER BY id DESC LIMIT ?1", most).at(path)?;
        let by_use = "SELECT name FROM owned_name ORDER BY in_use DESC, last DESC LIMIT ?1";
        Ok(Self { rooms, users: names(&history, by_use, most).at(path)? })
    }
}

fn names(history: &Connection, sql: &str, most: usize) -> rusqlite::Result<Vec<String>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    history.prepare(sql)?.query_map([most], |row| row.get(0))?.collect()
}
