//! The size limit removes messages of the author who has the most, never waiting mail. The age limit removes
//! mail, too, and its author learns of it.

use super::retention::{aged, count, prune_all};
use super::*;
use crate::chat::{Arrival, Expired};
use crate::store::{prune, schema};

fn sized(bytes: u64) -> Retention {
    Retention { age: None, bytes: Some(bytes) }
}

fn used(place: &Place) -> u64 {
    prune::used(&schema::open(&place.path()).unwrap()).unwrap()
}

/// Messages of an author, each of a kilobyte of other words.
fn long(from: u64, author: u8, count: u64) -> impl Iterator<Item = Message> {
    let words = |seq: u64| (0..150).map(|n| format!("w{} ", (seq * 31 + n * 17) % 5000)).collect::<String>();
    (from..from + count).map(move |seq| said(seq, author, &words(seq)))
}

/// For each author: name, messages left, and the sum kept in `weight`.
fn by_author(place: &Place) -> Vec<(String, i64, i64)> {
    let connection = schema::open(&place.path()).unwrap();
    let sql = "SELECT ifnull(from_name, ''), count(*), sum(300 + length(CAST(text AS BLOB))), \
               (SELECT bytes FROM weight WHERE author = ifnull(m.author, 0)) \
               FROM message m GROUP BY author ORDER BY from_name";
    let mut find = connection.prepare(sql).unwrap();
    let rows = find.query_map([], |row| {
        let (sum, kept): (i64, i64) = (row.get(2)?, row.get(3)?);
        assert_eq!(sum, kept);
        Ok((row.get(0)?, row.get(1)?, sum))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_flood_removes_what_its_author_said_and_neither_others_history_nor_mail_that_waits() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=50).map(|seq| said(seq, 1, "our agreement"))).await;
    commit(&store, [whispered(51, 2, 3, true)]).await;
    for turn in 0..20 {
        commit(&store, long(100 + turn * 100, 9, 100)).await;
    }
    store.close().await;
    let full = used(&place);
    prune_all(&place, sized(full / 3), at(0));
    assert!(used(&place) <= full / 3);
    let left = by_author(&place);
    let counts: Vec<(&str, i64)> = left.iter().map(|(name, count, _)| (name.as_str(), *count)).collect();
    let [("user1", 50), ("user2", 1), ("user9", flood)] = counts[..] else { panic!("{counts:?}") };
    assert!((100..1500).contains(&flood), "{flood}");
    // The flood's latest messages are left.
    let (store, archive) = place.open();
    assert_eq!(archive.waiting, [waits(3, 2, 1)]);
    let page = store.page(span(view(1), 100, 9999), 9999, usize::MAX).await.unwrap();
    let flood = u64::try_from(flood).unwrap();
    assert_eq!(numbers(&page.messages), Vec::from_iter(2100 - flood..2100));
    // Only a client that lacks some of it learns of a gap.
    for (since, gap) in [(60, true), (2098, false)] {
        let start = store.begin(view(1), ResumeFrom::Seq(since), 5000).await.unwrap();
        assert_eq!(start, StartPoint { after: since, gap });
    }
    store.close().await;
}

#[tokio::test]
async fn those_who_say_most_come_down_to_the_same() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, long(1, 1, 900)).await;
    commit(&store, long(1001, 2, 600)).await;
    commit(&store, long(2001, 3, 100)).await;
    let anonymous = |message: Message| Message { author: None, id: None, ..message };
    commit(&store, long(3001, 4, 800).map(anonymous)).await;
    store.close().await;
    prune_all(&place, sized(used(&place) / 2), at(0));
    let left = by_author(&place);
    let counts: Vec<i64> = left.iter().map(|(_, count, _)| *count).collect();
    let [first, second, 100, nobodys] = counts[..] else { panic!("{counts:?}") };
    assert!(first.abs_diff(second) <= 210 && first.abs_diff(nobodys) <= 210, "{counts:?}");
}

#[tokio::test]
async fn mail_that_waits_stays_though_it_alone_is_too_much() {
    let place = Place::new();
    let (store, _) = place.open();
    let mail = |message: Message| Message { mail: whispered(1, 1, 2, true).mail, ..message };
    let direct = |message: Message| Message { venue: Venue::Direct("user2".into()), ..message };
    commit(&store, long(1, 1, 500).map(mail).map(direct)).await;
    commit(&store, long(1001, 3, 100)).await;
    store.close().await;
    let most = used(&place) / 4;
    let room = |most| prune::mail_room(&schema::open(&place.path()).unwrap(), sized(most)).unwrap();
    assert_eq!(room(most), Some(0));
    assert!(room(most * 16).is_some_and(|room| room > 0));
    prune_all(&place, sized(most), at(0));
    assert_eq!(count(&place, "message"), 500, "only waiting mail is left");
    let (store, archive) = place.open();
    assert_eq!(archive.waiting, [waits(2, 1, 500)]);
    keep(&store, 2000, Entry::Received { account: key(2), upto: 2000, at: at(9) }).await;
    store.close().await;
    prune_all(&place, sized(most), at(0));
    assert!(count(&place, "message") < 250, "delivered mail is removed like other messages");
}

#[tokio::test]
async fn a_running_store_tells_that_mail_takes_the_room_and_that_it_no_longer_does() {
    let place = Place::new();
    let (store, _) = place.open();
    let mail = |message: Message| Message {
        mail: whispered(1, 1, 2, true).mail,
        venue: Venue::Direct("user2".into()),
        ..message
    };
    commit(&store, long(1, 1, 500).map(mail)).await;
    store.close().await;
    let (store, _) = Store::open(&place.path(), sized(used(&place) / 4)).unwrap();
    assert_eq!(store.notices().await.is_full_of_mail, Some(true));
    store.close().await;
}

#[tokio::test]
async fn that_mail_has_filled_the_room_is_known_with_what_filled_it() {
    let place = Place::new();
    let most = 4 << 20;
    let (store, _) = Store::open(&place.path(), sized(most)).unwrap();
    let mail = |message: Message| Message {
        mail: whispered(1, 1, 2, true).mail,
        venue: Venue::Direct("user2".into()),
        ..message
    };
    for part in 0.. {
        commit(&store, long(1 + part * 100, 1, 100).map(mail)).await;
        let told = tokio::time::timeout(std::time::Duration::ZERO, store.notices()).await;
        if told.is_ok_and(|news| news.is_full_of_mail == Some(true)) {
            break;
        }
        assert!(part < 40, "nobody says that it is full");
    }
    store.close().await;
    let mail = used(&place);
    assert!((most / 2..most * 5 / 8).contains(&mail), "{mail} of {most} bytes");
}

#[tokio::test]
async fn mail_that_is_too_old_is_told_to_its_author_until_that_is_kept() {
    let place = Place::new();
    let (store, _) = place.open();
    let own = Message { venue: Venue::Direct("user5".into()), ..whispered(4, 5, 5, true) };
    let nobodys = Message { author: None, id: None, mail: whispered(5, 4, 2, true).mail, ..said(5, 4, "x") };
    let nobodys = Message { venue: Venue::Direct("user2".into()), ..nobodys };
    commit(&store, [whispered(1, 1, 2, true), whispered(2, 1, 2, true), whispered(3, 1, 2, false)]).await;
    commit(&store, [own, nobodys, whispered(100, 1, 2, true)]).await;
    store.close().await;
    let mut connection = schema::open(&place.path()).unwrap();
    let mut expired = Vec::new();
    loop {
        let pruned = prune::step(&mut connection, aged(50), at(80)).unwrap();
        expired.extend(pruned.expired);
        if !pruned.more {
            break;
        }
    }
    drop(connection);
    let of = |account: u8, author: Option<u8>, seq| Expired {
        account: key(account),
        name: format!("user{account}"),
        author: author.map(key),
        is_said: true,
        seq,
    };
    assert_eq!(expired, [of(2, Some(1), 1), of(2, Some(1), 2), of(5, Some(5), 4), of(2, None, 5)]);
    // Over restarts, until the author learns of it.
    let lost =
        Arrival { author: key(1), account: key(2), name: "user2".into(), count: 2, last: 2, is_lost: true };
    for _ in 0..2 {
        let (store, archive) = place.open();
        assert_eq!(archive.arrivals.as_slice(), std::slice::from_ref(&lost));
        assert_eq!(archive.waiting, [waits(2, 1, 1)]);
        let start = store.begin(view(2), ResumeFrom::Seq(1), 100).await.unwrap();
        assert!(start.gap, "the recipient learns of a gap");
        store.close().await;
    }
    let (store, _) = place.open();
    let notice = Message {
        kind: Kind::Lost { count: 2, last: 2 },
        from: Sender { name: "user2".into(), ip: String::new(), key: None },
        text: String::new(),
        id: None,
        ..whispered(50_000, 2, 1, true)
    };
    commit(&store, [notice.clone()]).await;
    let page = store.page(span(view(1), 40_000, 60_000), 9, usize::MAX).await.unwrap();
    assert_eq!(page.messages[0].kind, notice.kind);
    store.close().await;
    let (_, archive) = place.open();
    assert_eq!(archive.arrivals, []);
    let told = Waits { is_said: false, ..waits(1, 2, 1) };
    assert_eq!(archive.waiting, [told, waits(2, 1, 1)]);
}
