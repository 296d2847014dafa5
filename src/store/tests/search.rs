//! Search: every word is found, by those who may see it.

use super::said::SAID;
use super::*;
use crate::chat::{Scope, Search, Wanted};
use crate::name::NameKey;
use crate::store::search::Effort;
use crate::store::{StoreError, connect, index_tail, indexing, schema, search as searching};
use crate::text::{Sought, fold};
use proptest::prelude::*;

/// A search by a user who is only in the lobby.
fn search(reader: u8, words: &str) -> Search {
    Search { words: words.into(), view: view(reader), limit: 20, ..Search::default() }
}

async fn found(store: &Store, search: Search) -> Vec<u64> {
    numbers(&store.search(search, usize::MAX).await.unwrap().messages)
}

fn in_room(name: &str, message: Message) -> Message {
    Message { venue: Venue::Room(room(name)), ..message }
}

#[tokio::test]
async fn a_search_finds_what_its_reader_may_see() {
    let place = Place::new();
    let (store, _) = place.open();
    let messages = [
        said(1, 1, "The café's Build is broken"),
        in_room("#ops", said(2, 2, "build the thing")),
        Message { text: "build in private".into(), ..whispered(3, 1, 2, false) },
        said(4, 2, "built, not build-ing"),
        said(5, 2, "nothing"),
    ];
    commit(&store, messages).await;
    assert_eq!(found(&store, search(1, "build")).await, [1, 3, 4]);
    assert_eq!(found(&store, search(2, "BUILD")).await, [1, 3, 4]);
    assert_eq!(found(&store, search(3, "build")).await, [1, 4]);
    assert_eq!(found(&store, search(3, "build cafe")).await, [1]);
    assert_eq!(found(&store, search(3, "buil*")).await, [1, 4]);
    assert_eq!(found(&store, search(3, "\"build is\"")).await, [1]);
    assert_eq!(found(&store, search(3, "\"is build\"")).await, [0; 0]);
    let from = |name: &str| Some(name.to_owned());
    assert_eq!(found(&store, Search { from: from("USER2"), ..search(1, "build") }).await, [4]);
    assert_eq!(found(&store, Search { from: from("user2"), ..search(1, "") }).await, [4, 5]);
    assert_eq!(found(&store, Search { from: from("user"), ..search(1, "build") }).await, [0; 0]);
    let ops = View { rooms: vec![(room("#ops"), 0)], ..View::default() };
    assert_eq!(found(&store, Search { view: ops, ..search(3, "build") }).await, [2]);
    assert_eq!(found(&store, Search { before: Some(3), ..search(1, "build") }).await, [1]);
    let listing = store.search(Search { limit: 2, ..search(1, "build") }, usize::MAX).await.unwrap();
    assert_eq!((numbers(&listing.messages), listing.more), (vec![3, 4], true));
    // Names of the index's columns do not lead into other people's mail.
    for words in ["r1", "a1", "venue:a1", "text : build", "{venue} : a1", "nuser1"] {
        assert_eq!(found(&store, search(3, words)).await, [0; 0], "{words}");
    }
    store.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Any input is a search, and finds messages with those words.
    #[test]
    fn nothing_that_is_typed_is_an_error(typed in prop::collection::vec("\\PC{0,12}|[\\x00-\\x7f\"*():^{}-]{0,12}", 24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let (store, _) = place.open();
            commit(&store, [said(1, 1, "needle in the hay")]).await;
            for words in typed {
                found(&store, search(1, &words)).await;
                let search = Search { from: Some(words.clone()), ..search(1, "needle") };
                found(&store, search).await;
            }
            assert_eq!(found(&store, search(1, "needle")).await, [1]);
            store.close().await;
        });
    }
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_given_up_and_others_go_on() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "needle")]).await;
    let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    let work = move |searcher: &mut super::super::read_thread::ReadThread| {
        searcher.read(Some(std::time::Duration::from_millis(5)), |history, _| {
            history.query_row(endless, [], |row| row.get::<_, i64>(0))
        })
    };
    assert_eq!(store.searcher.ask(work).await, Err(StoreError::TooSlow));
    let wanted = Wanted { scope: Scope::Room(RoomName::lobby()), before: None, limit: 9, deleted: false };
    assert_eq!(numbers(&store.history(wanted, 999).await.unwrap().messages), [1]);
    store.close().await;
}

#[tokio::test]
async fn every_word_is_found_and_nothing_else() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, SAID.iter().zip(1..).map(|((text, ..), seq)| said(seq, 1, text))).await;
    store.close().await;
    let file = std::fs::File::open(place.path()).unwrap();
    let connection = connect::open_reader(&place.path(), &file).unwrap();
    let mut writing = schema::open(&place.path()).unwrap();
    for (effort, is_tail) in [
        (Effort::default(), true),
        (Effort::default(), false),
        (Effort { sample: 1, scan: 0, tail: usize::MAX }, false),
    ] {
        if !is_tail {
            index_tail::finish(&mut writing).unwrap();
        }
        for ((text, typed, is_found), seq) in SAID.iter().zip(1..) {
            let search = Search { limit: 100, ..search(1, typed) };
            let listing = searching::search(&connection, &search, usize::MAX, effort).unwrap();
            let found = numbers(&listing.messages).contains(&seq);
            assert_eq!(found, *is_found, "{text:?} {typed:?} {effort:?}");
            assert!(!listing.more && !listing.partial);
        }
    }
}

#[tokio::test]
async fn filters_alone_are_a_search_and_times_hold_whatever_the_clock_did() {
    let place = Place::new();
    let (store, _) = place.open();
    let day = |seq: u64, day: i64| {
        let at = Timestamp::from_millisecond(NOON + day * 86_400_000).unwrap();
        Message { at, ..said(seq, 1, "x") }
    };
    // It was set a month ahead, and back to 1970.
    commit(&store, [day(1, 0), day(2, 1), day(3, 30), day(4, 2)]).await;
    commit(&store, [Message { at: Timestamp::from_second(60).unwrap(), ..day(5, 0) }, day(6, 3)]).await;
    let at = |day: i64| Some(Timestamp::from_millisecond(NOON + day * 86_400_000).unwrap());
    for (since, until, expected) in [
        (None, None, &[1, 2, 3, 4, 5, 6][..]),
        (at(2), None, &[3, 4, 6]),
        (None, at(2), &[1, 2, 5]),
        (at(1), at(3), &[2, 4]),
        (at(31), None, &[]),
        (None, at(-1), &[5]),
        (at(4), at(5), &[]),
    ] {
        let search = Search { since, until, ..search(1, "") };
        assert_eq!(found(&store, search).await, expected, "{since:?} {until:?}");
    }
    // A message whose date is corrected is found by its new date.
    let redate = "UPDATE message SET at = (SELECT at FROM message WHERE seq = 6) WHERE seq = 5";
    let redated = store.writer.ask(move |writer| writer.run_sql(redate)).await;
    redated.unwrap();
    assert_eq!(found(&store, Search { since: at(3), until: at(4), ..search(1, "") }).await, [5, 6]);
    store.close().await;
}

/// Makes the store index all messages again, as if they came from an older database.
fn index_anew(place: &Place) {
    let mut connection = schema::open(&place.path()).unwrap();
    let forget = "INSERT INTO pieces (pieces) VALUES ('delete-all'); DELETE FROM hour; \
                  UPDATE meta SET value = (SELECT ifnull(max(seq), 0) FROM message) WHERE key IN ('unindexed', 'indexed')";
    connection.execute_batch(forget).unwrap();
    while indexing::step(&mut connection).unwrap() {}
}

#[tokio::test]
async fn messages_of_an_older_database_are_found_once_they_are_in_the_index_the_newest_first() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=300).map(|seq| said(seq, 1, &format!("text{seq}x")))).await;
    store.close().await;
    let mut connection = schema::open(&place.path()).unwrap();
    let forget = "INSERT INTO pieces (pieces) VALUES ('delete-all'); DELETE FROM hour; \
                  UPDATE meta SET value = 300 WHERE key IN ('unindexed', 'indexed')";
    connection.execute_batch(forget).unwrap();
    let ask = |connection: &rusqlite::Connection, search: Search| {
        let listing = searching::search(connection, &search, usize::MAX, Effort::default()).unwrap();
        (numbers(&listing.messages), listing.partial)
    };
    assert_eq!(ask(&connection, search(1, "text300x")), (vec![], true));
    assert!(indexing::step(&mut connection).unwrap());
    assert_eq!(ask(&connection, search(1, "text300x")), (vec![300], true));
    assert_eq!(ask(&connection, search(1, "text2x")), (vec![], true));
    let recent = Search { since: Some(at(290)), ..search(1, "text3") };
    assert_eq!(ask(&connection, recent), (vec![300], false), "the rest is older than the search wants");
    while indexing::step(&mut connection).unwrap() {}
    assert_eq!(ask(&connection, search(1, "text2x")), (vec![2], false));
    drop(connection);
    let (store, _) = place.open();
    commit(&store, [said(301, 1, "text2x again")]).await;
    assert_eq!(found(&store, search(1, "text2x")).await, [2, 301]);
    store.close().await;
}

/// Texts that people take for one character each.
const CHARACTERS: &[&str] = &[
    "a",
    "B",
    "e",
    "e\u{301}",
    "é",
    "ß",
    "SS",
    "Σ",
    "ς",
    "İ",
    "ı",
    "I",
    "ﬁ",
    "ａ",
    "Ж",
    "й",
    "и\u{306}",
    "爸",
    "我",
    "の",
    "が",
    "か\u{3099}",
    "ｶﾞ",
    "한",
    "\u{1112}\u{1161}\u{11ab}",
    "하",
    "ก",
    "กำ",
    "ผู้",
    "क्षि",
    "नि",
    "ক",
    "கொ",
    "שָׁ",
    "م",
    "مُ",
    "👍",
    "👍🏽",
    "👨\u{200d}👩\u{200d}👧",
    "❤\u{fe0f}",
    "🇩🇪",
    "🇫🇷",
    "1\u{fe0f}\u{20e3}",
    "-",
    ">",
    "<",
    "+",
    "%",
    ":",
    ")",
    "'",
    "\\",
    "´",
    "_",
    "*",
    "1",
    "0",
    " ",
    "  ",
    "\n",
    "\u{3000}",
    "\u{200d}",
    "\u{e000}",
    "\u{fdd0}",
    "\u{345}",
    "\u{301}",
    "ﷺ",
];

fn characters(most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(CHARACTERS), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_part_of_a_text_is_in_it(text in characters(12), start in 0..12_usize, count in 1..12_usize) {
        let part: String = text.iter().skip(start).take(count).copied().collect();
        let sought = Sought::read(&part);
        prop_assert!(sought.is_in(&fold(&text.concat())), "{:?} in {:?}", part, text.concat());
    }
}

/// A message of one of three people, in one of two rooms or to one of the three.
fn anything() -> impl Strategy<Value = (u8, Option<bool>, u8, Vec<&'static str>, i64)> {
    (0..3_u8, any::<Option<bool>>(), 0..3_u8, characters(10), 0..5_i64)
}

/// A search: its reader, rooms, sender, start, end, and a part of some text.
type Asked = (u8, [bool; 2], Option<u8>, Option<i64>, Option<i64>, (usize, usize, usize), usize);

fn asked() -> impl Strategy<Value = Asked> {
    let part = (0..40_usize, 0..10_usize, 0..4_usize);
    let times = (prop::option::of(0..5_i64), prop::option::of(0..5_i64));
    (0..4_u8, any::<[bool; 2]>(), prop::option::of(0..3_u8), times, part, 1..40_usize).prop_map(
        |(reader, rooms, from, (since, until), part, limit)| (reader, rooms, from, since, until, part, limit),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// A search shows all that is meant and nothing that its reader may not read: whatever is asked, and
    /// whether the index is made as messages come or later, as much of it as is not pruned.
    #[test]
    fn a_search_is_a_walk_through_what_its_reader_may_read(
        said_before in prop::collection::vec(anything(), 1..40),
        questions in prop::collection::vec(asked(), 30),
        (anew, indexed) in (any::<bool>(), prop::option::of(0..40_i64)),
        gone in 0..10_u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let (store, _) = place.open();
            let time = |day: i64| Timestamp::from_millisecond(NOON + day * 86_400_000).unwrap();
            let messages: Vec<Message> = said_before.iter().zip(1..).map(|((author, place, to, text, day), seq)| {
                let message = match place {
                    Some(place) => in_room(["#a", "#b"][usize::from(*place)], said(seq, *author, "")),
                    None => whispered(seq, *author, *to, false),
                };
                Message { text: text.concat(), at: time(*day), ..message }
            }).collect();
            for portion in messages.chunks(7) {
                commit(&store, portion.to_vec()).await;
            }
            store.close().await;
            if anew {
                index_anew(&place);
            }
            let mut connection = schema::open(&place.path()).unwrap();
            if let Some(indexed) = indexed {
                // Others are looked at one by one.
                index_tail::finish(&mut connection).unwrap();
                let newer = format!("DELETE FROM pieces WHERE rowid > {indexed}; DELETE FROM hour WHERE first > {indexed}; \
                                     UPDATE meta SET value = min(value, {indexed}) WHERE key = 'indexed'");
                connection.execute_batch(&newer).unwrap();
            }
            let change = connection.transaction().unwrap();
            for seq in 1..=gone {
                for table in ["message WHERE seq", "mail WHERE seq", "pieces WHERE rowid"] {
                    change.execute(&format!("DELETE FROM {table} = {seq}"), []).unwrap();
                }
            }
            change.commit().unwrap();
            for (reader, rooms, from, since, until, (which, start, count), limit) in questions {
                let text = &said_before[which % said_before.len()].3;
                let words: String = text.iter().skip(start).take(count).copied().collect();
                let rooms = ["#a", "#b"].into_iter().zip(rooms).filter(|(_, is_in)| *is_in);
                let view = View { rooms: rooms.map(|(name, _)| (room(name), 0)).collect(), ..view(reader) };
                let from = from.map(|from| format!("USER{from}"));
                let (since, until) = (since.map(time), until.map(time));
                let search = Search { words: words.clone(), from, since, until, view, before: None, limit };
                let is_meant = |message: &&Message| {
                    let may_see = match &message.venue {
                        Venue::Room(room) => search.view.rooms.iter().any(|(own, _)| own == room),
                        Venue::Direct(_) => message.mail.iter().any(|mail| mail.account == key(reader)),
                    };
                    message.seq > gone
                        && may_see
                        && search.from.iter().all(|from| NameKey::of(from) == NameKey::of(&message.from.name))
                        && since.is_none_or(|since| message.at >= since)
                        && until.is_none_or(|until| message.at < until)
                        && Sought::read(&words).is_in(&fold(&message.text))
                };
                let meant: Vec<u64> = messages.iter().filter(is_meant).map(|message| message.seq).collect();
                for effort in [Effort::default(), Effort { sample: 2, scan: 0, tail: 99 }, Effort { sample: 3, scan: 9, tail: 99 }] {
                    let listing = searching::search(&connection, &search, usize::MAX, effort).unwrap();
                    let expected = &meant[meant.len().saturating_sub(limit)..];
                    assert_eq!(numbers(&listing.messages), expected, "{search:?} {effort:?}");
                    assert_eq!((listing.more, listing.partial), (meant.len() > limit, false));
                }
            }
        });
    }
}

#[tokio::test]
async fn a_message_too_big_for_an_answer_is_found_alone() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=3).map(|seq| said(seq, 1, "common"))).await;
    let listing = store.search(search(1, "common"), 1).await.unwrap();
    assert_eq!((numbers(&listing.messages), listing.more), (vec![3], true));
    store.close().await;
}
