//! The store reads what it has written: messages, rooms, mail, duplicates, and numbers.

use super::*;
use crate::chat::{Arrival, Topic};
use crate::limits::SEQ_RESERVE;
use crate::store::{Duplicate, Page, ResumeFrom, StartPoint};

#[tokio::test]
async fn messages_come_back_as_they_were_with_ids_for_their_authors_alone() {
    let place = Place::new();
    let (store, archive) = place.open();
    assert_eq!(archive.seq, 0);
    let messages =
        [said(1, 1, "one"), said(2, 2, "two"), whispered(3, 1, 2, false), whispered(4, 3, 4, false)];
    assert_eq!(commit(&store, messages.clone()).await, CommitOutcome::default());
    let page = store.page(span(view(1), 0, 9), 10, 10_000).await.unwrap();
    let mut expected = messages[..3].to_vec();
    expected[1].id = None;
    expected.iter_mut().for_each(|message| (message.mail, message.receiver) = (Vec::new(), None));
    assert_eq!(page, Page { messages: expected, reached: 4 });
    store.close().await;
}

#[tokio::test]
async fn pages_are_cut_by_number_and_size_and_lose_nothing() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=20).map(|seq| said(seq, 1, "ten bytes."))).await;
    for (limit, bytes) in [(3, 10_000), (20, 35), (1, 0), (20, 10_000)] {
        let mut got = Vec::new();
        let mut after = 0;
        while after < 20 {
            let page = store.page(span(view(2), after, 20), limit, bytes).await.unwrap();
            assert!(page.reached > after && page.messages.len() <= limit);
            after = page.reached;
            got.extend(numbers(&page.messages));
        }
        assert_eq!(got, Vec::from_iter(1..=20), "{limit} {bytes}");
    }
    store.close().await;
}

#[tokio::test]
async fn numbers_go_on_after_an_orderly_end_and_jump_after_a_crash() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(5, 1, "five")]).await;
    let crashed = place.crash();
    store.close().await;
    let (store, again) = place.open();
    assert_eq!(again.seq, 5);
    let (other, after_crash) = crashed.open();
    assert_eq!(after_crash.seq, SEQ_RESERVE);
    let next = SEQ_RESERVE * 3;
    commit(&other, [said(next, 1, "far")]).await;
    let (third, archive) = crashed.crash().open();
    assert!(archive.seq > next, "{}", archive.seq);
    for store in [store, other, third] {
        store.close().await;
    }
}

#[tokio::test]
async fn an_id_of_one_author_counts_once_unless_it_says_something_else() {
    let place = Place::new();
    let (store, _) = place.open();
    let first = said(1, 1, "once");
    commit(&store, [first.clone()]).await;
    let again = Message { seq: 2, ..first.clone() };
    let other_text = Message { seq: 3, text: "other".into(), ..first.clone() };
    let other_room = Message { seq: 4, venue: Venue::Room(room("#x")), ..first.clone() };
    let other_author = Message { seq: 5, author: Some(key(2)), ..first.clone() };
    let nobody = Message { seq: 6, author: None, ..first.clone() };
    let twin = Message { seq: 7, ..other_text.clone() };
    let outcome = commit(&store, [again, other_text, other_room, other_author, nobody, twin]).await;
    let duplicate = |entry, seq| Duplicate { entry, seq, at: at(1), waits: false, gone: None };
    assert_eq!(outcome.duplicates, [duplicate(0, 1), duplicate(5, 3)]);
    let mail = whispered(8, 1, 2, true);
    commit(&store, [mail.clone()]).await;
    let outcome = commit(&store, [Message { seq: 9, at: at(9), ..mail.clone() }]).await;
    assert_eq!(outcome.duplicates, [Duplicate { entry: 0, seq: 8, at: at(8), waits: true, gone: None }]);
    keep(&store, 9, Entry::Received { account: key(2), upto: 9, at: at(9) }).await;
    let outcome = commit(&store, [Message { seq: 10, ..mail }]).await;
    assert!(!outcome.duplicates[0].waits);
    store.close().await;
}

#[tokio::test]
async fn mail_waits_arrives_and_its_author_is_told_once() {
    let place = Place::new();
    let (store, _) = place.open();
    let unknown = Message { author: None, id: None, ..whispered(3, 1, 2, true) };
    commit(&store, [whispered(1, 1, 2, true), whispered(2, 3, 2, true), unknown, whispered(4, 1, 2, true)])
        .await;
    let waiting = View { mail: MailView::Waiting, rooms: Vec::new(), ..view(2) };
    let page = store.page(span(waiting.clone(), 0, 9), 10, 10_000).await.unwrap();
    assert_eq!(numbers(&page.messages), [1, 2, 3, 4]);
    store.close().await;

    let (store, archive) = place.open();
    assert_eq!(archive.waiting, [waits(2, None, 1), waits(2, 1, 2), waits(2, 3, 1)]);
    let outcome = keep(&store, 4, Entry::Received { account: key(2), upto: 3, at: at(5) }).await;
    let arrival = |author, count, last| Arrival {
        author: key(author),
        account: key(2),
        name: "user2".into(),
        count,
        last,
        is_lost: false,
    };
    assert_eq!(outcome.arrivals, [arrival(1, 1, 1), arrival(3, 1, 2)]);
    assert_eq!(keep(&store, 4, Entry::Received { account: key(2), upto: 3, at: at(5) }).await.arrivals, []);
    let page = store.page(span(waiting, 0, 9), 10, 10_000).await.unwrap();
    assert_eq!(numbers(&page.messages), [4]);
    let told = Message {
        kind: Kind::Delivered { count: 1, last: 1 },
        venue: Venue::Direct("user1".into()),
        mail: vec![Mail { account: key(1), waits: true }],
        id: None,
        ..said(5, 2, "")
    };
    commit(&store, [told]).await;
    store.close().await;

    let (store, archive) = place.open();
    let told = Waits { is_said: false, ..waits(1, 2, 1) };
    assert_eq!(archive.waiting, [told, waits(2, 1, 1)]);
    assert_eq!(archive.arrivals, [arrival(3, 1, 2)]);
    // The delivery of a notice is not reported.
    let outcome = keep(&store, 5, Entry::Received { account: key(1), upto: 5, at: at(6) }).await;
    assert_eq!(outcome.arrivals, []);
    store.close().await;
}

#[tokio::test]
async fn rooms_keep_members_and_topics_until_the_last_parts() {
    let place = Place::new();
    let (store, _) = place.open();
    let topic = |text: &str| Some(Topic { text: text.into(), by: "user1".into() });
    for entry in [
        joined("#Games", 1, 3),
        joined("#games", 2, 4),
        Entry::Topic { room: room("#games"), topic: topic("chess") },
        Entry::Topic { room: RoomName::lobby(), topic: topic("welcome") },
        joined("#short", 1, 5),
        Entry::Topic { room: room("#short"), topic: topic("soon over") },
        Entry::Parted { room: room("#short"), account: key(1) },
        Entry::Topic { room: room("#anonymous"), topic: topic("nobody's") },
    ] {
        keep(&store, 5, entry).await;
    }
    store.close().await;
    let (store, archive) = place.open();
    let names: Vec<_> = archive.rooms.iter().map(|room| room.name.to_string()).collect();
    assert_eq!(names, ["#Games", "#lobby"]);
    assert_eq!(archive.rooms[0].topic, topic("chess"));
    let members: Vec<_> =
        archive.rooms[0].members.iter().map(|member| (&member.account, member.since)).collect();
    assert_eq!(members, [(&key(1), 3), (&key(2), 4)]);
    for account in [1, 2] {
        keep(&store, 5, Entry::Parted { room: room("#games"), account: key(account) }).await;
    }
    keep(&store, 5, joined("#GAMES", 2, 5)).await;
    store.close().await;
    let (store, archive) = place.open();
    assert_eq!((archive.rooms[1].name.to_string(), &archive.rooms[1].topic), ("#GAMES".into(), &None));
    store.close().await;
}

#[tokio::test]
async fn a_cutover_has_what_its_batch_committed() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "one"), said(2, 1, "two")]).await;
    let cutovers = vec![span(view(2), 1, 3), span(View::default(), 0, 3)];
    let batch = WriteBatch { cutovers, ..batch([said(3, 1, "three"), said(4, 1, "four")]) };
    let outcome = store.commit(batch).await.unwrap();
    assert_eq!(
        outcome.cutovers.iter().map(|cutover| numbers(&cutover.messages)).collect::<Vec<_>>(),
        [vec![2, 3], vec![]]
    );
    store.close().await;
}

#[tokio::test]
async fn who_was_away_begins_where_they_were_or_with_the_newest() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=10).map(|seq| said(seq * 10, 1, "x"))).await;
    let start = |after, gap| StartPoint { after, gap };
    for (since, most, expected) in [
        (ResumeFrom::Seq(30), 50, start(30, false)),
        (ResumeFrom::Seq(30), 7, start(30, false)),
        (ResumeFrom::Seq(30), 6, start(40, true)),
        (ResumeFrom::Newest, 3, start(70, false)),
        (ResumeFrom::Newest, 50, start(0, false)),
        (ResumeFrom::Time(at(41)), 50, start(40, false)),
        (ResumeFrom::Time(at(40)), 50, start(39, false)),
        (ResumeFrom::Time(at(0)), 50, start(0, false)),
        (ResumeFrom::Time(at(500)), 50, start(100, false)),
    ] {
        let found = store.begin(view(2), since, most).await.unwrap();
        // Any number between two messages means the same.
        let meant = StartPoint { after: found.after / 10 * 10, ..found };
        assert_eq!(meant, StartPoint { after: expected.after / 10 * 10, ..expected }, "{since:?} {most}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let place = Place::new();
    let (store, _) = place.open();
    let other = store.clone();
    store.close().await;
    assert_eq!(other.commit(batch([said(1, 1, "x")])).await, Err(crate::store::StoreError::Closed));
    other.close().await;
}
