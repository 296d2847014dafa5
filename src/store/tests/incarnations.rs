//! Each start begins an incarnation, and a database that was put back is noticed.

use super::*;
use crate::chat::Incarnation;
use crate::limits::{MAX_INCARNATIONS, SEQ_RESERVE};
use crate::store::incarnations::mark_restored;
use std::fs;

fn rows(archive: &Archive) -> &[Incarnation] {
    archive.lineage.as_ref().unwrap().incarnations()
}

/// First and last numbers.
fn spans(archive: &Archive) -> Vec<(u64, Option<u64>)> {
    rows(archive).iter().map(|row| (row.first, row.last)).collect()
}

/// Copies the files of one place to another, as a user does who restores a backup by hand.
fn put_back(from: &Place, to: &Place) {
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        let _ = fs::remove_file(to.dir.path().join(name));
        let file = from.dir.path().join(name);
        if file.exists() {
            fs::copy(file, to.dir.path().join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn each_start_begins_one_and_the_one_before_ends_where_the_messages_do() {
    let place = Place::new();
    let (store, archive) = place.open();
    assert_eq!(spans(&archive), [(1, None)]);
    let id = rows(&archive)[0].id.clone();
    assert_eq!(id.len(), 16);
    commit(&store, [said(1, 1, "one"), said(5, 1, "five")]).await;
    let crashed = place.crash();
    store.close().await;
    let (store, archive) = place.open();
    assert_eq!(spans(&archive), [(1, Some(5)), (6, None)]);
    assert_eq!(rows(&archive)[0].id, id);
    assert_ne!(rows(&archive)[1].id, id);
    store.close().await;
    // Nobody was told a number above 5, whatever was reserved.
    let (other, archive) = crashed.open();
    assert_eq!(spans(&archive), [(1, Some(5)), (SEQ_RESERVE + 1, None)]);
    other.close().await;
    let (other, archive) = crashed.open();
    assert_eq!(spans(&archive)[1..], [(SEQ_RESERVE + 1, Some(SEQ_RESERVE)), (SEQ_RESERVE + 1, None)]);
    assert!(rows(&archive).iter().all(|row| !row.restored));
    other.close().await;
}

#[tokio::test]
async fn a_number_whose_message_is_not_there_was_told_too() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "one")]).await;
    let again = Message { id: Some("id-1".into()), ..said(2, 1, "one") };
    assert_eq!(commit(&store, [again]).await.duplicates[0].seq, 1);
    let (crashed, archive) = place.crash().open();
    assert_eq!(spans(&archive)[0], (1, Some(2)));
    keep(&store, 7, joined("#games", 1, 7)).await;
    let (again, archive) = place.crash().open();
    assert_eq!(spans(&archive)[0], (1, Some(7)));
    for store in [store, crashed, again] {
        store.close().await;
    }
}

#[tokio::test]
async fn an_older_database_in_the_place_of_the_servers_is_noticed_and_its_own_is_not() {
    let place = Place::new();
    let (store, archive) = place.open();
    assert!(!archive.is_put_back(), "there is nothing to compare with");
    commit(&store, [said(1, 1, "one")]).await;
    let hot = place.crash();
    commit(&store, [said(2, 1, "two")]).await;
    store.close().await;
    let cold = place.crash();
    let (store, archive) = place.open();
    assert!(!archive.is_put_back());
    store.close().await;
    for (backup, is_noticed) in [(&place.crash(), false), (&cold, true), (&hot, true)] {
        put_back(backup, &place);
        let (store, archive) = place.open();
        assert_eq!(archive.is_put_back(), is_noticed);
        store.close().await;
    }
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        let _ = fs::remove_file(place.dir.path().join(name));
    }
    let (store, archive) = place.open();
    assert!(archive.is_put_back(), "a database that is gone is an older one, too");
    store.close().await;
}

#[tokio::test]
async fn a_backup_from_before_the_end_of_the_same_start_is_noticed_after_an_orderly_end() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "one")]).await;
    let hot = place.crash();
    commit(&store, [said(2, 1, "two")]).await;
    store.close().await;
    put_back(&hot, &place);
    let (store, archive) = place.open();
    assert!(archive.is_put_back());
    store.close().await;
}

#[tokio::test]
async fn a_log_that_is_removed_or_cut_after_a_kill_is_noticed_and_one_that_is_whole_is_not() {
    let place = Place::new();
    let (store, _) = place.open();
    for seq in 1..=20 {
        commit(&store, [said(seq, 1, "kept, and told so")]).await;
    }
    for (share, is_noticed) in [(100, false), (50, true), (0, true)] {
        let killed = place.crash();
        let [last, log] = ["history.last", "history.db-wal"];
        fs::copy(place.dir.path().join(last), killed.dir.path().join(last)).unwrap();
        let log = killed.dir.path().join(log);
        let bytes = fs::read(&log).unwrap();
        match share {
            0 => fs::remove_file(&log).unwrap(),
            _ => fs::write(&log, &bytes[..bytes.len() * share / 100]).unwrap(),
        }
        let (store, archive) = killed.open();
        assert_eq!(archive.is_put_back(), is_noticed, "{share} % of the log");
        store.close().await;
    }
    store.close().await;
}

#[tokio::test]
async fn what_says_which_database_was_last_is_the_owners_alone_and_may_be_missing_or_damaged() {
    let place = Place::new();
    let (store, _) = place.open();
    store.close().await;
    let file = place.dir.path().join("history.last");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for content in [Some("{}"), Some("\0"), None] {
        match content {
            Some(content) => fs::write(&file, content).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let (store, archive) = place.open();
        assert!(!archive.is_put_back(), "{content:?}");
        store.close().await;
    }
}

#[tokio::test]
async fn a_restore_is_told_to_the_next_start_alone() {
    let place = Place::new();
    place.open().0.close().await;
    mark_restored(&rusqlite::Connection::open(place.path()).unwrap()).unwrap();
    let (store, archive) = place.open();
    assert_eq!(rows(&archive).iter().map(|row| row.restored).collect::<Vec<_>>(), [false, true]);
    store.close().await;
    let (store, archive) = place.open();
    assert!(!archive.is_put_back());
    store.close().await;
}

#[tokio::test]
async fn past_the_bound_starts_go_that_gave_nothing_and_then_the_oldest() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "one")]).await;
    store.close().await;
    let fill = |last: &str| {
        let sql = format!(
            "WITH RECURSIVE n(n) AS (VALUES (10) UNION ALL SELECT n + 1 FROM n WHERE n < {MAX_INCARNATIONS} + 8) \
             INSERT INTO incarnation (number, id, first, last) SELECT n, 'x' || n, n, {last} FROM n"
        );
        let connection = rusqlite::Connection::open(place.path()).unwrap();
        connection.execute("DELETE FROM incarnation WHERE number > 1", []).unwrap();
        connection.execute("UPDATE incarnation SET last = 1", []).unwrap();
        connection.execute(&sql, []).unwrap();
    };
    fill("n - 1");
    let (store, archive) = place.open();
    assert_eq!((rows(&archive).len(), spans(&archive)[0]), (MAX_INCARNATIONS, (1, Some(1))));
    store.close().await;
    fill("n");
    let (store, archive) = place.open();
    assert_eq!((rows(&archive).len(), &*rows(&archive)[0].id), (MAX_INCARNATIONS, "x10"));
    store.close().await;
}
