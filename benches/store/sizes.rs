//! The sizes of a history's tables.

use anyhow::Result;
use rusqlite::Connection;
use std::path::Path;

pub fn print(path: &Path) -> Result<()> {
    let connection = Connection::open(path)?;
    let mut find = connection.prepare(
        "SELECT CASE WHEN name GLOB 'pieces_*' OR name GLOB 'words_*' THEN 'the index of words' \
         WHEN name GLOB 'message*' THEN 'messages' ELSE 'all else' END, sum(pgsize) / 1e6 \
         FROM dbstat WHERE aggregate = 1 GROUP BY 1 ORDER BY 2 DESC",
    )?;
    println!("size in MB");
    for row in find.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?)))? {
        let (name, size) = row?;
        println!("    {name:24} {size:8.1}");
    }
    Ok(())
}
