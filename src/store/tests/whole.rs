//! Checks of backups by their checksums, and of histories before a repair.

use super::damage::history;
use super::*;
use crate::store::{Backup, ChecksumState, backup, check_whole, repair};
use std::fs;

#[tokio::test]
async fn a_sum_tells_each_byte_that_was_changed_and_a_copy_put_in_place_by_hand_goes_on_without() {
    let place = history(300).await;
    let copy = Place::new();
    backup(&place.path(), &copy.path(), &[], |_, _| {}).unwrap();
    let checksum = || Backup::open(&copy.path()).map(|saved| saved.checksum);
    assert_eq!(checksum(), Ok(ChecksumState::Valid));
    let whole = fs::read(copy.path()).unwrap();
    let mut found = 0;
    for at in (0..whole.len()).step_by(1009) {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        fs::write(copy.path(), bytes).unwrap();
        let checksum = checksum();
        assert!(checksum != Ok(ChecksumState::Valid), "byte {at}: {checksum:?}");
        found += usize::from(checksum == Ok(ChecksumState::Wrong));
    }
    assert!(found > 20, "{found} changes that only the checksum detects");
    fs::write(copy.path(), whole).unwrap();
    let (store, _) = copy.open();
    commit(&store, [said(20_301, 1, "it goes on")]).await;
    store.close().await;
    assert_eq!(checksum(), Ok(ChecksumState::Missing));
}

#[tokio::test]
async fn a_repair_calls_nothing_whole_that_sqlite_calls_damaged() {
    let place = history(600).await;
    let (whole, to) = (fs::read(place.path()).unwrap(), place.dir.path().join("saved.db"));
    let mut random = 13_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (random >> 33) as usize % below
    };
    let mut damaged = 0;
    for _ in 0..50 {
        let mut bytes = whole.clone();
        let at = 4096 + next(whole.len() - 4200);
        (0..1 + next(8)).for_each(|offset| bytes[at + offset] = next(256) as u8);
        let place = Place::new();
        fs::write(place.path(), bytes).unwrap();
        let db = rusqlite::Connection::open(place.path()).unwrap();
        let said = db.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        let index = db.execute("INSERT INTO pieces (pieces) VALUES ('integrity-check')", []);
        drop(db);
        if said.as_deref() == Ok("ok") && index.is_ok() {
            continue;
        }
        damaged += 1;
        assert!(check_whole(&place.path()).is_err(), "{said:?} {index:?}");
        repair(&place.path(), &to, |_, _| {}).unwrap();
        check_whole(&to).unwrap();
        fs::remove_file(&to).unwrap();
    }
    assert!(damaged > 5, "{damaged}");
}
