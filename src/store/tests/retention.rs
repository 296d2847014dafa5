//! The store removes messages that are too old or too many, with their index entries and mail, and no others.

use super::*;
use crate::chat::Search;
use crate::store::{prune, schema};
use std::time::{Duration, Instant};

/// Runs all steps that there are to do.
pub(super) fn prune_all(place: &Place, keep: Retention, now: Timestamp) -> usize {
    let mut connection = schema::open(&place.path()).unwrap();
    let mut steps = 0;
    while prune::step(&mut connection, keep, now).unwrap().more {
        steps += 1;
        assert!(steps < 10_000, "it never ends");
    }
    steps
}

pub(super) fn aged(seconds: u64) -> Retention {
    Retention { age: Some(Duration::from_secs(seconds)), bytes: None }
}

pub(super) fn count(place: &Place, table: &str) -> u64 {
    let connection = schema::open(&place.path()).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap()
}

#[tokio::test]
async fn what_is_too_old_goes_and_who_missed_it_is_told_of_a_gap() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=900).map(|seq| said(seq, 1, &format!("word{seq} common")))).await;
    let old_room = Message { venue: Venue::Room(room("#old")), ..said(901, 2, "gone") };
    let kept_room = Message { venue: Venue::Room(room("#kept")), ..said(902, 2, "gone too") };
    commit(&store, [old_room, kept_room, whispered(903, 3, 4, true)]).await;
    keep(&store, 903, joined("#kept", 1, 902)).await;
    commit(&store, [said(1000, 1, "common news"), whispered(1001, 1, 2, true)]).await;
    store.close().await;

    let steps = prune_all(&place, aged(50), at(1010));
    assert!(steps >= 5, "{steps} steps");
    assert_eq!(prune_all(&place, aged(50), at(1010)), 0);
    // Account 3 is to be told that what waited for 4 is lost; nobody knows the room that nobody is in.
    assert_eq!([count(&place, "message"), count(&place, "mail"), count(&place, "account")], [2, 2, 4]);
    assert_eq!(count(&place, "room"), 2);

    let (store, archive) = place.open();
    assert_eq!(archive.waiting, [waits(2, 1, 1)]);
    for (since, gap) in [(0, true), (902, true), (903, false), (1000, false)] {
        let start = store.begin(view(2), ResumeFrom::Seq(since), 100).await.unwrap();
        assert_eq!(start, StartPoint { after: since, gap }, "{since}");
    }
    let early = store.begin(view(2), ResumeFrom::Time(at(10)), 100).await.unwrap();
    assert!(early.gap);
    let search = |words: &str| Search {
        view: View { account: None, ..view(1) },
        words: words.into(),
        limit: 9,
        ..Search::default()
    };
    assert_eq!(numbers(&store.search(search("common"), 999).await.unwrap().messages), [1000]);
    assert_eq!(store.search(search("word5"), 999).await.unwrap().messages, []);
    store.close().await;
}

#[tokio::test]
async fn a_history_that_is_too_big_loses_its_oldest_and_gives_space_back() {
    let place = Place::new();
    let (store, _) = place.open();
    let words = |seq: u64| (0..40).map(|n| format!("w{} ", (seq * 31 + n * 17) % 5000)).collect::<String>();
    for turn in 0..60 {
        commit(&store, (1..=100).map(|n| said(turn * 100 + n, 1, &words(turn * 100 + n)))).await;
    }
    store.close().await;
    let size = || std::fs::metadata(place.path()).unwrap().len();
    let full = size();
    let most = full / 2;
    prune_all(&place, Retention { age: None, bytes: Some(most) }, at(0));
    let left = count(&place, "message");
    assert!(size() < full * 3 / 4, "{} of {full}", size());
    assert!((1500..3500).contains(&left), "{left} of 6000 messages are left in half of the space");
    let (store, _) = place.open();
    let page = store.page(span(view(1), 0, 6000), 9999, usize::MAX).await.unwrap();
    assert_eq!(numbers(&page.messages), Vec::from_iter(6001 - left..=6000));
    store.close().await;
}

#[tokio::test]
async fn a_running_store_prunes_by_itself_and_takes_messages_meanwhile() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=1000).map(|seq| said(seq, 1, "old"))).await;
    store.close().await;
    // All of them are years old by the clock.
    let (store, _) = Store::open(&place.path(), aged(60)).unwrap();
    let start = Instant::now();
    let mut seq = 20_000;
    loop {
        seq += 1;
        let fresh = Message { at: Timestamp::now(), ..said(seq, 1, "new") };
        commit(&store, [fresh]).await;
        let page = store.page(span(view(1), 0, 1000), 1, usize::MAX).await.unwrap();
        if page.messages.is_empty() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{} is still there", page.messages[0].seq);
    }
    let page = store.page(span(view(1), 0, seq), usize::MAX, usize::MAX).await.unwrap();
    assert_eq!(numbers(&page.messages), Vec::from_iter(20_001..=seq));
    store.close().await;
}
