//! The file: old forms, other people's files, damage, and what may not be written.

use super::*;
use crate::chat::Search;
use crate::chat::{Arrival, Topic};
use crate::store::{Export, ExportFilter, StoreError, backup};
use std::fs;
use std::path::Path;

/// A history as the first version wrote it, frozen: the first migration and some rows.
const V1: &str = include_str!("v1.sql");

fn sql(path: &Path, text: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(text).unwrap();
}

fn failure(place: &Place) -> StoreError {
    Store::open(&place.path(), Retention::default()).map(drop).unwrap_err()
}

#[test]
fn the_first_form_never_changes() {
    assert!(V1.starts_with(include_str!("../schema/1.sql")), "people's histories were made by schema/1.sql");
}

#[tokio::test]
async fn a_history_of_the_first_form_is_read_and_written() {
    let place = Place::new();
    sql(&place.path(), V1);
    let (store, archive) = place.open();
    assert_eq!(archive.seq, 12_000);
    let lineage = archive.lineage.as_ref().unwrap().incarnations();
    assert_eq!((&*lineage[0].id, lineage[0].first, lineage[0].last), ("0123456789abcdef", 1, Some(12_000)));
    assert_eq!((lineage.len(), lineage[1].first, lineage[1].restored), (2, 12_001, false));
    let topic = |text: &str, by: &str| Some(Topic { text: text.into(), by: by.into() });
    assert_eq!(archive.rooms[0].topic, topic("welcome", "user1"));
    assert_eq!(archive.rooms[1].topic, topic("chess", "user2"));
    let guest = Account::Token("secret".into());
    let members: Vec<_> = archive.rooms[1].members.iter().map(|member| &member.account).collect();
    assert_eq!(members, [&key(1), &guest]);
    let told = Waits { is_said: false, ..waits(2, 1, 1) };
    assert_eq!(archive.waiting, [told, waits(2, 1, 1)]);
    let arrival =
        Arrival { author: key(2), account: key(1), name: "user1".into(), count: 1, last: 7, is_lost: false };
    assert_eq!(archive.arrivals, [arrival]);
    let games = View { rooms: vec![(RoomName::lobby(), 0), (room("#games"), 3)], ..view(2) };
    let page = store.page(span(games, 0, 20), 20, usize::MAX).await.unwrap();
    assert_eq!(numbers(&page.messages), [3, 4, 5, 6, 7, 8]);
    assert_eq!(page.messages[1].author, Some(guest));
    assert_eq!(page.messages[5].kind, Kind::Delivered { count: 1, last: 7 });
    let repeated =
        Message { text: "are you there".into(), id: Some("id-5".into()), ..whispered(12_001, 1, 2, true) };
    let renamed = Message { venue: Venue::Direct("robert".into()), ..repeated.clone() };
    for again in [repeated, renamed] {
        assert_eq!(commit(&store, [again]).await.duplicates[0].seq, 5);
    }
    commit(&store, [said(12_002, 2, "there now")]).await;
    let search = Search { words: "there".into(), view: view(2), limit: 9, ..Search::default() };
    // The writer indexes older messages bit by bit.
    let found = loop {
        let listing = store.search(search.clone(), usize::MAX).await.unwrap();
        if !listing.partial {
            break numbers(&listing.messages);
        }
    };
    assert_eq!(found, [5, 12_002]);
    store.close().await;
}

#[test]
fn files_that_are_not_ours_are_refused_with_the_remedy_and_left_alone() {
    let newer = Place::new();
    sql(&newer.path(), &V1.replace("user_version = 1;", "user_version = 7;"));
    let foreign = Place::new();
    sql(&foreign.path(), "CREATE TABLE theirs (x); PRAGMA user_version = 1;");
    let text = Place::new();
    fs::write(text.path(), "a letter, not a database").unwrap();
    for (place, said) in [
        (&newer, "history.db was written by a newer lanchat (schema 7, this one knows "),
        (&foreign, "history.db is another program's database; move it away, or choose another --data-dir"),
        (&text, "history.db is not a database; save what is in it with `lanchat repair`"),
    ] {
        let before = fs::read(place.path()).unwrap();
        let error = failure(place).to_string();
        assert!(error.contains(said), "{error}");
        assert_eq!(fs::read(place.path()).unwrap(), before, "{error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_history_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "x")]).await;
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        let mode = fs::metadata(place.dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    store.close().await;
    let names = fs::read_dir(place.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["history.db", "history.last"], "it is one file at rest, and what it was last");
}

#[cfg(unix)]
#[test]
fn what_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let place = Place::new();
    sql(&place.path(), V1);
    mode(&place.path(), 0o400);
    if fs::OpenOptions::new().append(true).open(place.path()).is_ok() {
        // Root may write anything, so that there is nothing to refuse.
        return;
    }
    assert!(matches!(failure(&place), StoreError::ReadOnly(_)), "{:?}", failure(&place));
    mode(&place.path(), 0o600);
    mode(place.dir.path(), 0o500);
    assert!(matches!(failure(&place), StoreError::ReadOnly(_)), "{:?}", failure(&place));
    mode(place.dir.path(), 0o700);
}

/// Bytes that are made of a seed.
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1), |x| {
        let x = x ^ (x << 13);
        let x = x ^ (x >> 7);
        Some(x ^ (x << 17))
    })
}

/// Damage is reported, or is in an unused place; it never causes a panic.
#[tokio::test]
async fn a_damaged_file_is_an_error_and_no_panic() {
    let whole = Place::new();
    let (store, _) = whole.open();
    for seq in 0..30 {
        commit(&store, (1..=20).map(|n| said(seq * 20 + n, 1, &format!("word{n} {}", "text ".repeat(40)))))
            .await;
    }
    store.close().await;
    let bytes = fs::read(whole.path()).unwrap();
    let mut told = 0;
    for seed in 1..=40 {
        let place = Place::new();
        let mut damaged = bytes.clone();
        let mut random = noise(seed);
        for _ in 0..400 {
            let at = random.next().unwrap() as usize % damaged.len();
            // The first page makes it a database at all, which is another test's matter.
            if at >= 4096 {
                damaged[at] = random.next().unwrap() as u8;
            }
        }
        fs::write(place.path(), &damaged).unwrap();
        told += usize::from(!is_sound(&place).await);
    }
    assert!(told >= 20, "only {told} of 40 damaged files were noticed");
}

async fn is_sound(place: &Place) -> bool {
    let store = match Store::open(&place.path(), Retention::default()) {
        Ok((store, _)) => store,
        // The damage may have hit the text of the schema.
        Err(StoreError::Corrupt(..) | StoreError::NotADatabase(_) | StoreError::Unusable(..)) => {
            return false;
        }
        Err(other) => panic!("{other}"),
    };
    let mut errors = Vec::new();
    errors.extend(store.page(span(view(1), 0, 600), 1000, usize::MAX).await.err());
    errors.extend(store.commit(batch((20_000..20_200).map(|seq| said(seq, 1, "more")))).await.err());
    if let Some(permanent) = errors.iter().find(|error| matches!(error, StoreError::Corrupt(..))) {
        let again = store.commit(batch([said(30_000, 1, "again")])).await;
        assert!(
            matches!(again, Err(StoreError::Corrupt(..))),
            "after {permanent} nothing is promised: {again:?}"
        );
    }
    for error in &errors {
        assert!(matches!(error, StoreError::Corrupt(..) | StoreError::NotADatabase(_)), "{error:?}");
    }
    store.close().await;
    errors.is_empty()
}

#[tokio::test]
async fn a_failed_batch_leaves_nothing_and_the_store_can_be_mended() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "one")]).await;
    // A number that is there already is the one thing that a batch can be refused for.
    let error = store.commit(batch([said(2, 1, "two"), said(1, 2, "one")])).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable(..)), "{error:?}");
    store.mend().await.unwrap();
    commit(&store, [said(3, 1, "three")]).await;
    let page = store.page(span(view(1), 0, 3), 9, 999).await.unwrap();
    assert_eq!(numbers(&page.messages), [1, 3]);
    store.close().await;
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_stored_stays() {
    let place = Place::new();
    let (store, _) = place.open();
    store.writer.ask(|writer| writer.fill_disk(100)).await.unwrap();
    let big = |seq| batch([said(seq, 1, &"long text ".repeat(900))]);
    let mut seq = 0;
    let error = loop {
        seq += 1;
        assert!(seq < 100, "there was room for more than 100 pages");
        if let Err(error) = store.commit(big(seq)).await {
            break error;
        }
    };
    assert_eq!(error, StoreError::Full(place.path()));
    assert!(error.to_string().contains("make room on it"), "{error}");
    assert_eq!(store.commit(big(seq + 1)).await, Err(error));
    let stored = store.page(span(view(1), 0, 100), 999, usize::MAX).await.unwrap();
    assert_eq!(numbers(&stored.messages), Vec::from_iter(1..seq));
    store.mend().await.unwrap();
    store.commit(big(seq + 2)).await.unwrap();
    store.close().await;
}

/// Windows removes no file that is open.
#[cfg(unix)]
#[tokio::test]
async fn a_store_whose_file_went_away_says_so_until_it_is_opened_anew() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "one")]).await;
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        fs::remove_file(place.dir.path().join(name)).unwrap();
    }
    assert_eq!(store.mend().await, Err(StoreError::Gone(place.path())));
    let (other, _) = place.open();
    assert_eq!(store.mend().await, Err(StoreError::Replaced(place.path())));
    store.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_backup_of_a_running_server_is_one_whole_file_and_replaces_nothing() {
    let place = Place::new();
    let (store, archive) = place.open();
    for seq in 1..=50 {
        commit(&store, [said(seq, 1, &"long ".repeat(500))]).await;
    }
    let copy = Place::new();
    let mut told = Vec::new();
    backup(&place.path(), &copy.path(), &[], |done, total| told.push((done, total))).unwrap();
    let last = *told.last().unwrap();
    assert!(last.0 == last.1 && last.1 > 30, "{told:?}");
    assert_eq!(fs::read_dir(copy.dir.path()).unwrap().count(), 1);
    commit(&store, [said(51, 1, "too late")]).await;
    let (copied, same) = copy.open();
    let first = |archive: &Archive| archive.lineage.as_ref().unwrap().incarnations()[0].id.clone();
    assert_eq!(first(&same), first(&archive));
    let page = copied.page(span(view(1), 0, 99), 99, usize::MAX).await.unwrap();
    assert_eq!(numbers(&page.messages), Vec::from_iter(1..=50));
    copied.close().await;
    let error = backup(&place.path(), &copy.path(), &[], |_, _| {}).unwrap_err();
    assert_eq!(error, StoreError::Exists(copy.path()));
    let nowhere = place.dir.path().join("none").join("copy.db");
    assert!(matches!(backup(&place.path(), &nowhere, &[], |_, _| {}), Err(StoreError::Unwritable(..))));
    assert!(matches!(
        backup(&nowhere, &place.dir.path().join("x"), &[], |_, _| {}),
        Err(StoreError::Missing(_))
    ));
    store.close().await;
}

#[tokio::test]
async fn an_export_has_what_its_filter_asks_for_while_the_server_runs() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=1200).map(|seq| said(seq, 1, "x"))).await;
    let games = Message { venue: Venue::Room(room("#games")), ..said(1201, 2, "chess") };
    let notice = Message { kind: Kind::Delivered { count: 1, last: 1 }, ..whispered(1204, 3, 2, false) };
    commit(&store, [games, whispered(1202, 2, 3, true), whispered(1203, 1, 4, false), notice]).await;
    let export = |filter: ExportFilter| {
        let all = Export::open(&place.path(), filter).unwrap();
        numbers(&all.collect::<Result<Vec<_>, _>>().unwrap())
    };
    assert_eq!(export(ExportFilter::default()), Vec::from_iter(1..=1203));
    assert_eq!(export(ExportFilter { room: Some(room("#GAMES")), ..ExportFilter::default() }), [1201]);
    assert_eq!(export(ExportFilter { with: Some("User3".into()), ..ExportFilter::default() }), [1202]);
    assert_eq!(export(ExportFilter { since: Some(at(1202)), ..ExportFilter::default() }), [1202, 1203]);
    assert_eq!(export(ExportFilter { since: Some(at(9999)), ..ExportFilter::default() }), [0; 0]);
    let unknown = ExportFilter { room: Some(room("#unknown")), ..ExportFilter::default() };
    let error = Export::open(&place.path(), unknown).map(drop).unwrap_err();
    assert_eq!(error, StoreError::NoRoom("#unknown".into()));
    let missing =
        Export::open(&place.dir.path().join("none.db"), ExportFilter::default()).map(drop).unwrap_err();
    assert!(matches!(missing, StoreError::Missing(_)), "{missing:?}");
    store.close().await;
    assert_eq!(export(ExportFilter::default()).len(), 1203);
}
