//! Whether a search finds the words of each message that the server kept.

use super::judge::Stored;
use lanchat::chat::{Account, MailView, Search, View};
use lanchat::clock::Clock;
use lanchat::fingerprint::Fingerprint;
use lanchat::name::RoomName;
use lanchat::store::{QueryResult, Retention, Store, StoreError};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// How often to ask again if the time limit ends a search.
const TRIES: usize = 50;

/// Matches to look at: two messages rarely have the same first words.
const MOST: usize = 5;

/// Opens the history of an only server, or of one of several.
fn open(path: &Path) -> Store {
    match Store::open(path, Retention::default()) {
        Err(StoreError::OfSeveral(_)) => {
            let history = rusqlite::Connection::open(path).expect("a history");
            let sql = "SELECT id FROM incarnation ORDER BY number DESC LIMIT 1";
            let log: String = history.query_row(sql, [], |row| row.get(0)).expect("an incarnation");
            let (keep, clock) = (Retention::default(), Arc::new(Clock::new()));
            Store::open_shared(path, keep, clock, &log).expect("a history").0
        }
        opened => opened.expect("a history").0,
    }
}

/// The kept messages that are not found by their words. The server must not run.
pub fn not_found(data_dir: &Path, stored: &[Stored]) -> Vec<String> {
    let path = data_dir.join("history.db");
    let store = open(&path);
    let readers = readers(&path);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut faults = Vec::new();
    for Stored { heard, .. } in stored {
        let view = match heard.to.as_str() {
            "all" => in_room("#lobby"),
            to if to.starts_with('#') => in_room(to),
            _ => View { account: readers.get(&heard.seq).cloned(), mail: MailView::All, rooms: Vec::new() },
        };
        let start = heard.text.split_inclusive(':').next().unwrap_or_default();
        let words = format!("\"{start}\"");
        let search = Search { words, view, limit: MOST, ..Search::default() };
        let ask = || runtime.block_on(store.search(search.clone(), usize::MAX));
        // On a busy machine, the time limit may end a search early, and its answer says so.
        let is_cut = |answer: &Result<QueryResult, StoreError>| match answer {
            Ok(found) => found.partial,
            Err(error) => *error == StoreError::TooSlow,
        };
        let again = (0..TRIES).map(|_| ask()).find(|answer| !is_cut(answer));
        match again.unwrap_or_else(ask) {
            Ok(found) if found.messages.iter().any(|message| message.seq == heard.seq) => {}
            Ok(_) => faults.push(format!("no search finds message {} by {start:?}", heard.seq)),
            Err(error) => faults.push(format!("the search for {start:?} failed: {error}")),
        }
    }
    runtime.block_on(store.close());
    faults
}

fn in_room(name: &str) -> View {
    View { rooms: vec![(RoomName::new(name).expect("a name"), 0)], ..View::default() }
}

/// Somebody who may read each direct message.
fn readers(path: &Path) -> HashMap<u64, Account> {
    let history = rusqlite::Connection::open(path).expect("a history");
    let query = "SELECT mail.seq, account.identity FROM mail JOIN account ON account.id = mail.account";
    let mut statement = history.prepare(query).expect("the schema");
    let rows = statement.query_map([], |row| {
        let identity: Vec<u8> = row.get(1)?;
        let account = match identity.split_first() {
            Some((b'k', key)) => Account::Key(Fingerprint::new(key.try_into().expect("32 bytes"))),
            Some((_, token)) => Account::Token(str::from_utf8(token).expect("a token").into()),
            None => panic!("an account without an identity"),
        };
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), account))
    });
    rows.expect("rows").map(|row| row.expect("a reader")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::record::Heard;
    use super::*;

    #[test]
    fn a_message_that_no_search_finds_is_a_fault() {
        let dir = tempfile::tempdir().expect("a directory");
        let heard = Heard {
            seq: 1,
            from: "ann".into(),
            to: "all".into(),
            text: "ann 1 to all: x".into(),
            history: false,
        };
        let faults = not_found(dir.path(), &[Stored { heard, id: None }]);
        assert_eq!(faults, ["no search finds message 1 by \"ann 1 to all:\""]);
    }
}
