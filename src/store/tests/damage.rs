//! Files that are taken away, cut, overwritten or damaged, under a running store and before a start.

use super::*;
use crate::store::{Backup, StoreError, backup, check_whole, parts, repair};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// A history of so many messages, the third of them mail, at rest.
pub(super) async fn history(count: u64) -> Place {
    let place = Place::new();
    let (store, _) = place.open();
    let message = |seq| match seq % 3 {
        0 => Message { text: format!("word{seq} {}", "x".repeat(80)), ..whispered(seq, 1, 2, false) },
        _ => said(seq, 1 + (seq % 5) as u8, &format!("word{seq} {}", "text ".repeat(20))),
    };
    commit(&store, (1..=count).map(message)).await;
    keep(&store, count, joined("#games", 1, 1)).await;
    store.close().await;
    place
}

fn cut(path: &Path, share: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() * share / 100).unwrap();
}

/// Overwrites whole pages with garbage, from this share of the file on.
fn overwrite(path: &Path, share: u64, pages: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let page = file.metadata().unwrap().len() / 4096 * share / 100;
    file.write_all_at(&vec![0x5a; 4096 * pages as usize], page * 4096).unwrap();
}

fn start(place: &Place) -> Result<(), StoreError> {
    Store::open(&place.path(), Retention::default()).map(drop)
}

async fn all(place: &Place) -> Vec<u64> {
    let (store, _) = place.open();
    let found = numbers(&store.page(span(view(2), 0, 99_999), 99_999, usize::MAX).await.unwrap().messages);
    let search = |words: &str| crate::chat::Search {
        words: words.into(),
        from: None,
        since: None,
        until: None,
        view: view(2),
        before: None,
        limit: 9,
    };
    for seq in found.iter().step_by(50) {
        let page = loop {
            let page = store.search(search(&format!("\"word{seq}\"")), usize::MAX).await.unwrap();
            // The writer is rebuilding the index.
            if !page.partial {
                break page;
            }
        };
        assert_eq!(numbers(&page.messages), [*seq], "its words are found");
    }
    store.close().await;
    found
}

#[tokio::test]
async fn a_file_that_was_cut_or_emptied_or_left_its_log_is_refused_with_the_remedy() {
    for share in [90, 50, 0] {
        let place = history(2000).await;
        cut(&place.path(), share);
        let before = fs::read(place.path()).unwrap();
        let error = start(&place).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(..)), "{share} %: {error:?}");
        assert!(error.to_string().contains("`lanchat repair`"), "{error}");
        assert_eq!(fs::read(place.path()).unwrap(), before, "it is not touched");
    }
    let place = history(10).await;
    let (store, _) = place.open();
    commit(&store, [said(11, 1, "in the log")]).await;
    let left = place.crash();
    fs::remove_file(left.path()).unwrap();
    let error = start(&left).unwrap_err();
    assert!(error.to_string().contains("is left"), "{error}");
    store.close().await;
}

#[tokio::test]
async fn what_a_crash_leaves_is_no_damage() {
    let place = Place::new();
    let (store, _) = place.open();
    let mut seq = 0;
    for _ in 0..60 {
        let batch: Vec<_> = (1..=40).map(|n| said(seq + n, 1, &"long text ".repeat(30))).collect();
        seq += 40;
        commit(&store, batch).await;
        let left = place.crash();
        start(&left).unwrap_or_else(|error| panic!("after {seq}: {error}"));
        check_whole(&left.path()).unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn a_file_that_is_moved_away_fails_commits_and_readers_until_it_is_back() {
    let place = history(10).await;
    let (store, _) = place.open();
    let away = place.dir.path().join("away.db");
    fs::rename(place.path(), &away).unwrap();
    assert_eq!(store.commit(batch([said(11, 1, "lost")])).await, Err(StoreError::Gone(place.path())));
    assert_eq!(store.problem().await, StoreError::Gone(place.path()));
    let read = store.page(span(view(1), 0, 99), 9, usize::MAX).await;
    assert_eq!(read, Err(StoreError::Gone(place.path())));
    assert_eq!(store.mend().await, Err(StoreError::Gone(place.path())));
    fs::rename(&away, place.path()).unwrap();
    store.mend().await.unwrap();
    commit(&store, [said(12, 1, "kept")]).await;
    let page = store.page(span(view(1), 0, 99), 99, usize::MAX).await.unwrap();
    assert!(numbers(&page.messages).ends_with(&[10, 12]), "{:?}", numbers(&page.messages));
    store.close().await;
}

#[tokio::test]
async fn a_file_in_the_place_of_the_history_is_not_written_and_told() {
    let (place, other) = (history(10).await, history(20).await);
    let (store, _) = place.open();
    let first = place.dir.path().join("first.db");
    fs::rename(place.path(), &first).unwrap();
    fs::copy(other.path(), place.path()).unwrap();
    let before = fs::read(place.path()).unwrap();
    assert_eq!(store.commit(batch([said(11, 1, "lost")])).await, Err(StoreError::Replaced(place.path())));
    assert_eq!(store.mend().await, Err(StoreError::Replaced(place.path())));
    assert_eq!(fs::read(place.path()).unwrap(), before);
    fs::rename(first, place.path()).unwrap();
    store.mend().await.unwrap();
    commit(&store, [said(12, 1, "kept")]).await;
    store.close().await;
    assert!(all(&place).await.ends_with(&[10, 12]));
}

#[tokio::test]
async fn a_backup_copied_over_the_open_file_is_found_out() {
    let place = history(10).await;
    let copy = place.dir.path().join("copy");
    backup(&place.path(), &copy, &[], |_, _| {}).unwrap();
    let (store, _) = place.open();
    commit(&store, [said(11, 1, "after the backup")]).await;
    // The same file, with other content.
    fs::write(place.path(), fs::read(&copy).unwrap()).unwrap();
    let mut error = None;
    for seq in 12..20 {
        error = store.commit(batch([said(seq, 1, "x")])).await.err();
        if error.is_some() {
            break;
        }
    }
    // With the log of the other it may as well be whole, or damaged: no promise is broken either way.
    match error {
        Some(error) => assert!(error.to_string().contains("lanchat restore"), "{error}"),
        None => check_whole(&place.crash().path()).unwrap(),
    }
    store.close().await;
}

#[tokio::test]
async fn a_file_that_is_cut_under_the_store_fails_for_good() {
    let place = history(2000).await;
    let (store, _) = place.open();
    cut(&place.path(), 50);
    let error = store.commit(batch([said(3001, 1, "lost")])).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(..)), "{error:?}");
    assert_eq!(store.mend().await, Err(error.clone()));
    assert_eq!(store.commit(batch([said(3002, 1, "lost")])).await, Err(error));
    store.close().await;
}

#[tokio::test]
async fn a_log_that_is_removed_under_the_store_costs_nothing() {
    for files in [&["history.db-wal"][..], &["history.db-shm"], &["history.db-wal", "history.db-shm"]] {
        let place = history(10).await;
        let (store, _) = place.open();
        commit(&store, [said(11, 1, "in the log")]).await;
        store.page(span(view(1), 0, 99), 99, usize::MAX).await.unwrap();
        for file in files {
            fs::remove_file(place.dir.path().join(file)).unwrap();
        }
        commit(&store, [said(12, 1, "after it")]).await;
        assert!(all(&place.crash()).await.ends_with(&[10, 11, 12]), "{files:?}");
        store.close().await;
    }
}

#[tokio::test]
async fn another_program_that_writes_to_the_history_stops_nothing() {
    let place = history(10).await;
    let (store, _) = place.open();
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other.execute_batch("INSERT INTO meta VALUES ('theirs', 1); PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(other);
    commit(&store, [said(11, 1, "kept")]).await;
    store.close().await;
    assert!(all(&place).await.ends_with(&[10, 11]));
}

#[tokio::test]
async fn the_check_in_the_background_finds_damage_and_nothing_is_promised_any_more() {
    let place = history(3000).await;
    let db = rusqlite::Connection::open(place.path()).unwrap();
    let sql = "SELECT pageno FROM dbstat WHERE name = 'message' AND pagetype = 'leaf' LIMIT 1 OFFSET 9";
    let leaf = db.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    db.close().unwrap();
    let file = OpenOptions::new().write(true).open(place.path()).unwrap();
    file.write_all_at(&[0x5a; 4096], u64::from(leaf - 1) * 4096).unwrap();
    let (store, _) = place.open();
    let error = store.problem().await;
    assert!(matches!(error, StoreError::Corrupt(..)), "{error:?}");
    assert_eq!(store.commit(batch([said(3001, 1, "lost")])).await, Err(error));
    store.close().await;
}

#[tokio::test]
async fn a_repair_saves_all_but_what_is_on_damaged_pages_and_indexes_it_anew() {
    let place = history(3000).await;
    let (path, to) = (place.path(), place.dir.path().join("saved.db"));
    let expected = all(&place).await;
    let db = rusqlite::Connection::open(&path).unwrap();
    let sql = "SELECT pageno FROM dbstat WHERE name = 'message' AND pagetype = 'leaf'";
    let mut find = db.prepare(sql).unwrap();
    let leaves = find.query_map([], |row| row.get::<_, u32>(0)).unwrap();
    let leaves: Vec<u64> = leaves.map(|leaf| leaf.unwrap().into()).collect();
    let pages = leaves.len();
    for (share, count) in [(30, 1), (50, 1), (70, 3)] {
        let place = Place::new();
        fs::copy(&path, place.path()).unwrap();
        let file = OpenOptions::new().write(true).open(place.path()).unwrap();
        for leaf in &leaves[pages * share / 100..][..count] {
            file.write_all_at(&[0x5a; 4096], (leaf - 1) * 4096).unwrap();
        }
        let _ = fs::remove_file(&to);
        repair(&place.path(), &to, |_, _| {}).unwrap();
        check_whole(&to).unwrap();
        fs::rename(&to, place.path()).unwrap();
        let found = all(&place).await;
        assert!(found.iter().all(|seq| expected.contains(seq)));
        let lost = expected.len() - found.len();
        assert!((1..=40 * count).contains(&lost), "{lost} messages of {count} pages of {pages} are lost");
    }
}

#[tokio::test]
async fn a_text_that_the_disk_has_changed_keeps_nobody_from_the_others() {
    let place = history(100).await;
    let db = rusqlite::Connection::open(place.path()).unwrap();
    db.execute("UPDATE message SET text = CAST(x'68fb6f' AS TEXT) WHERE seq = 50", []).unwrap();
    drop(db);
    let (store, _) = place.open();
    let page = store.page(span(view(2), 0, 99_999), 99_999, usize::MAX).await.unwrap();
    let changed = page.messages.iter().find(|message| message.seq == 50).unwrap();
    assert_eq!((page.messages.len(), changed.text.as_str()), (100, "h\u{fffd}o"));
    commit(&store, [said(101, 1, "on it goes")]).await;
    store.close().await;
}

#[tokio::test]
async fn the_log_of_a_database_that_is_emptied_under_the_store_is_left_to_be_saved() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=50).map(|seq| said(seq, 1, &format!("word{seq}")))).await;
    cut(&place.path(), 0);
    assert!(store.commit(batch([said(51, 1, "lost")])).await.is_err());
    assert!(store.page(span(view(2), 0, 99_999), 9, usize::MAX).await.is_err());
    assert!(store.mend().await.is_err());
    store.close().await;
    let to = place.dir.path().join("saved.db");
    assert_eq!(repair(&place.path(), &to, |_, _| {}).unwrap().messages, 50);
}

#[tokio::test]
async fn a_repair_finds_the_lobby_again_and_says_which_rooms_have_no_name_any_more() {
    let place = history(100).await;
    let db = rusqlite::Connection::open(place.path()).unwrap();
    db.execute("UPDATE message SET room = (SELECT id FROM room WHERE key = '#games') WHERE seq = 1", [])
        .unwrap();
    db.execute("DELETE FROM room", []).unwrap();
    // So that there is something to be repaired.
    db.execute_batch("PRAGMA journal_mode = delete; VACUUM").unwrap();
    drop(db);
    let file = OpenOptions::new().write(true).open(place.path()).unwrap();
    file.write_all_at(&[0x5a; 4096], file.metadata().unwrap().len() - 4096).unwrap();
    let to = place.dir.path().join("saved.db");
    let done = repair(&place.path(), &to, |_, _| {}).unwrap();
    let [(name, 1)] = done.unnamed.as_slice() else { panic!("{done:?}") };
    assert!(name.starts_with("#recovered-"), "{name}");
    let db = rusqlite::Connection::open(&to).unwrap();
    let sql = "SELECT count(*) FROM message m JOIN room r ON r.id = m.room WHERE r.key = '#lobby'";
    let of_lobby: u32 = db.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!((40..=66).contains(&of_lobby), "{of_lobby}");
}

#[tokio::test]
async fn a_repair_leaves_out_each_message_that_cannot_be_read_and_counts_it() {
    let place = history(100).await;
    let to = place.dir.path().join("all.db");
    assert_eq!(repair(&place.path(), &to, |_, _| {}).unwrap().lost_rows, 0);
    let db = rusqlite::Connection::open(place.path()).unwrap();
    db.execute("UPDATE message SET at = 9223372036854775807 WHERE seq IN (3, 5)", []).unwrap();
    drop(db);
    let to = place.dir.path().join("saved.db");
    let done = repair(&place.path(), &to, |_, _| {}).unwrap();
    assert_eq!((done.messages, done.lost_rows), (98, 2), "{done:?}");
}

#[tokio::test]
async fn a_repair_needs_no_root_no_header_and_no_file_but_the_log() {
    let whole = history(3000).await;
    let expected = all(&whole).await;
    let root = |path: &Path, name: &str| {
        let db = rusqlite::Connection::open(path).unwrap();
        db.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get::<_, u32>(0))
            .unwrap()
    };
    for damage in ["root", "header"] {
        let place = Place::new();
        fs::copy(whole.path(), place.path()).unwrap();
        let file = OpenOptions::new().write(true).open(place.path()).unwrap();
        let page = if damage == "root" { u64::from(root(&whole.path(), "message") - 1) } else { 0 };
        file.write_all_at(&[0x5a; 4096], page * 4096).unwrap();
        let to = place.dir.path().join("saved.db");
        let done = repair(&place.path(), &to, |_, _| {}).unwrap();
        assert_eq!(done.messages, 3000, "{damage}: {done:?}");
        fs::rename(&to, place.path()).unwrap();
        assert!(all(&place).await == expected, "{damage}");
    }
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=50).map(|seq| said(seq, 1, &format!("word{seq}")))).await;
    let left = place.crash();
    fs::remove_file(left.path()).unwrap();
    let to = left.dir.path().join("saved.db");
    repair(&left.path(), &to, |_, _| {}).unwrap();
    parts(&left.path()).iter().for_each(|part| drop(fs::remove_file(part)));
    fs::rename(&to, left.path()).unwrap();
    assert_eq!(all(&left).await, Vec::from_iter(1..=50));
    store.close().await;
}

#[tokio::test]
async fn a_repair_brings_back_nothing_that_was_removed_and_an_older_form_too() {
    let place = Place::new();
    rusqlite::Connection::open(place.path()).unwrap().execute_batch(include_str!("v1.sql")).unwrap();
    let to = place.dir.path().join("saved.db");
    let done = repair(&place.path(), &to, |_, _| {}).unwrap();
    assert_eq!((done.messages, done.rooms, done.mail, done.lost_rows), (6, 2, 5, 0), "{done:?}");
    fs::rename(&to, place.path()).unwrap();
    let (store, archive) = place.open();
    assert_eq!(archive.seq, 12_000);
    store.close().await;
    let text = Place::new();
    fs::write(text.path(), "a letter, not a database".repeat(999)).unwrap();
    assert_eq!(repair(&text.path(), &to, |_, _| {}), Err(StoreError::Hopeless(text.path())));
    assert!(!to.exists());
}

#[tokio::test]
async fn what_is_no_backup_or_not_whole_is_refused_and_says_why() {
    let place = history(2000).await;
    let copy = place.dir.path().join("copy");
    let open = |why: &str| {
        let error = Backup::open(&copy).map(drop).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        drop(fs::remove_file(&copy));
    };
    open("the file does not exist");
    fs::write(&copy, "a letter, not a database").unwrap();
    open("it is not a database");
    rusqlite::Connection::open(&copy).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    open("another program's");
    backup(&place.path(), &copy, &[], |_, _| {}).unwrap();
    cut(&copy, 60);
    open("it is damaged");
    backup(&place.path(), &copy, &[], |_, _| {}).unwrap();
    overwrite(&copy, 50, 1);
    open("it is damaged");
    backup(&place.path(), &copy, &[], |_, _| {}).unwrap();
    rusqlite::Connection::open(&copy).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    open("newer lanchat");
}

#[tokio::test]
async fn a_directory_in_the_place_of_the_log_is_named_by_a_check_a_repair_and_a_backup() {
    let place = history(10).await;
    let log = place.path().with_file_name("history.db-wal");
    fs::create_dir(&log).unwrap();
    let refused = StoreError::NotAFile(log.clone());
    assert_eq!(check_whole(&place.path()), Err(refused.clone()));
    let to = place.dir.path().join("saved.db");
    assert_eq!(repair(&place.path(), &to, |_, _| {}), Err(refused.clone()));
    assert_eq!(backup(&place.path(), &to, &[], |_, _| {}), Err(refused));
    assert!(!to.exists());
    assert!(StoreError::NotAFile(log).to_string().contains("history.db-wal is not a regular file"));
}
