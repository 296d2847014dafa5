//! Changes of messages: the last state counts everywhere, and those who had the message learn of it.

use super::retention::{aged, count, prune_all};
use super::*;
use crate::chat::{ReadRecord, Record, Scope, Search, Wanted};
use crate::protocol::packet::ReadPosition;
use crate::store::{Export, ExportFilter, index_tail, repair, schema};

fn changed(seq: u64, of: &Message, text: Option<&str>) -> Message {
    let kind = match text {
        Some(_) => Kind::Edited { of: of.seq, action: false },
        None => Kind::Deleted { of: of.seq },
    };
    let mail = of.mail.iter().map(|mail| Mail { waits: false, ..mail.clone() }).collect();
    let text = text.unwrap_or_default().to_owned();
    Message { seq, at: at(seq), kind, text, mail, receiver: None, id: Some(format!("c{seq}")), ..of.clone() }
}

async fn texts(store: &Store, reader: u8, after: u64, upto: u64) -> Vec<(u64, String)> {
    let page = store.page(span(view(reader), after, upto), 99, usize::MAX).await.unwrap();
    page.messages.into_iter().map(|message| (message.seq, message.text)).collect()
}

async fn found(store: &Store, words: &str) -> Vec<u64> {
    let search = Search { words: words.into(), view: view(1), limit: 9, ..Search::default() };
    let result = store.search(search, usize::MAX).await.unwrap();
    result.messages.iter().map(|message| message.seq).collect()
}

fn text(seq: u64, text: &str) -> (u64, String) {
    (seq, text.to_owned())
}

#[tokio::test]
async fn the_last_state_is_in_pages_lists_searches_and_exports() {
    let place = Place::new();
    let (store, _) = place.open();
    let (one, two) = (said(1, 1, "one apple"), said(2, 1, "two pears"));
    commit(&store, [one.clone(), two.clone(), said(3, 2, "three")]).await;
    commit(&store, [changed(4, &one, Some("one banana")), changed(5, &one, Some("one cherry"))]).await;
    commit(&store, [changed(6, &two, None)]).await;
    assert_eq!(texts(&store, 2, 0, 9).await, [text(1, "one cherry"), text(3, "three")]);
    let news = [text(5, "one cherry"), text(6, "")];
    assert_eq!(texts(&store, 2, 3, 9).await, news, "for a client that had the messages");
    assert_eq!(found(&store, "cherry").await, [1]);
    assert_eq!(found(&store, "apple").await, [0; 0]);
    assert_eq!(found(&store, "pears").await, [0; 0]);
    for (deleted, expected) in [(false, vec![1, 3]), (true, vec![1, 3, 6])] {
        let wanted = Wanted { scope: Scope::Room(RoomName::lobby()), before: None, limit: 9, deleted };
        let messages = store.history(wanted, usize::MAX).await.unwrap().messages;
        assert_eq!(messages.iter().map(|message| message.seq).collect::<Vec<_>>(), expected);
        assert_eq!(messages.iter().map(|message| message.edited).collect::<Vec<_>>()[..2], [true, false]);
    }
    store.close().await;
    let exported = Export::open(&place.path(), ExportFilter::default()).unwrap().map(Result::unwrap);
    let exported: Vec<_> = exported.map(|message| (message.seq, message.text, message.edited)).collect();
    assert_eq!(exported, [(1, "one cherry".to_owned(), true), (3, "three".to_owned(), false)]);
}

#[tokio::test]
async fn what_is_gone_cannot_change_and_nobody_hears_of_it() {
    let place = Place::new();
    let (store, _) = place.open();
    let one = said(1, 1, "one");
    commit(&store, [one.clone()]).await;
    commit(&store, [changed(2, &one, None)]).await;
    let outcome = commit(&store, [changed(3, &one, Some("late")), changed(4, &one, None)]).await;
    let refused = |outcome: &CommitOutcome| {
        outcome.duplicates.iter().map(|known| (known.entry, known.gone)).collect::<Vec<_>>()
    };
    assert_eq!(refused(&outcome), [(0, Some(1)), (1, Some(1))]);
    assert_eq!(texts(&store, 2, 1, 9).await, [text(2, "")]);
    // Also in one batch.
    let five = said(5, 1, "five");
    let changes = [changed(6, &five, None), changed(7, &five, Some("late")), changed(8, &five, None)];
    let outcome = commit(&store, [five].into_iter().chain(changes)).await;
    assert_eq!(refused(&outcome), [(2, Some(5)), (3, Some(5))]);
    store.close().await;
    let (store, archive) = place.open();
    assert!(archive.seq >= 8, "the store gives no number again");
    store.close().await;
}

#[tokio::test]
async fn a_message_with_its_mail_is_found_by_its_number() {
    let place = Place::new();
    let (store, _) = place.open();
    let whisper = Message { reply: Some(7), ..whispered(1, 1, 2, true) };
    commit(&store, [whisper.clone()]).await;
    let mut found = store.message(1).await.unwrap().expect("a message");
    found.mail.sort_by_key(|mail| !mail.waits);
    assert_eq!(found, whisper);
    assert_eq!(store.message(2).await.unwrap(), None);
    store.close().await;
}

#[tokio::test]
async fn waiting_mail_is_corrected_and_deleted_mail_waits_no_more() {
    let place = Place::new();
    let (store, _) = place.open();
    let (one, two) = (whispered(1, 1, 2, true), whispered(2, 1, 2, true));
    commit(&store, [one.clone(), two.clone()]).await;
    commit(&store, [changed(3, &one, Some("better")), changed(4, &two, None)]).await;
    let waiting = View { mail: MailView::Waiting, rooms: Vec::new(), ..view(2) };
    let page = store.page(span(waiting, 0, 9), 9, usize::MAX).await.unwrap();
    assert_eq!(page.messages.iter().map(|mail| mail.text.as_str()).collect::<Vec<_>>(), ["better"]);
    store.close().await;
    let (store, archive) = place.open();
    assert_eq!(archive.waiting, [waits(2, 1, 1)]);
    let received = Entry::Received { account: key(2), upto: 4, at: at(5) };
    let arrivals = keep(&store, 5, received).await.arrivals;
    assert_eq!(arrivals.iter().map(|arrival| (arrival.count, arrival.last)).collect::<Vec<_>>(), [(1, 1)]);
    store.close().await;
}

#[tokio::test]
async fn a_repeat_is_known_again_although_its_message_has_another_text() {
    let place = Place::new();
    let (store, _) = place.open();
    let one = said(1, 1, "one");
    commit(&store, [one.clone()]).await;
    commit(&store, [changed(2, &one, Some("two"))]).await;
    let repeat = Message { seq: 3, ..one };
    assert_eq!(commit(&store, [repeat]).await.duplicates[0].seq, 1);
    store.close().await;
}

#[tokio::test]
async fn a_repeat_is_known_again_although_its_message_was_deleted() {
    let place = Place::new();
    let (store, _) = place.open();
    let (one, two, three) = (said(1, 1, "one"), said(2, 1, "two"), whispered(3, 1, 2, true));
    commit(&store, [one.clone(), two.clone(), three.clone()]).await;
    let by_operator = Message { author: Some(key(9)), ..changed(5, &two, None) };
    commit(&store, [changed(4, &one, None), by_operator, changed(6, &three, None)]).await;
    let repeats = [&one, &two, &three].map(|message| Message { seq: message.seq + 6, ..message.clone() });
    let known = |outcome: CommitOutcome| outcome.duplicates.iter().map(|known| known.seq).collect::<Vec<_>>();
    assert_eq!(known(commit(&store, repeats).await), [1, 2, 3]);
    let other = Message { seq: 10, id: Some("other".into()), ..one };
    assert_eq!(known(commit(&store, [other]).await), [0; 0]);
    store.close().await;
    books(&place);
}

/// The sums per author, which must be the same after a recount, as must be the list of messages per author.
fn books(place: &Place) -> Vec<(i64, i64)> {
    let mut connection = schema::open(&place.path()).unwrap();
    index_tail::finish(&mut connection).unwrap();
    let rows = |connection: &rusqlite::Connection, sql| -> Vec<(i64, i64)> {
        let mut find = connection.prepare(sql).unwrap();
        find.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let sums = |connection: &_| rows(connection, "SELECT author, bytes FROM weight ORDER BY author");
    let authored = |connection: &_| rows(connection, "SELECT author, seq FROM authored ORDER BY author, seq");
    let before = (sums(&connection), authored(&connection));
    crate::store::weight::recount(&connection).unwrap();
    assert_eq!(before, (sums(&connection), authored(&connection)));
    // The index has all that people wrote, and nothing else.
    let said = rows(&connection, "SELECT seq, 1 FROM message WHERE kind < 3 ORDER BY seq");
    assert_eq!(rows(&connection, "SELECT id, 1 FROM pieces_docsize ORDER BY id"), said);
    before.0
}

#[tokio::test]
async fn the_sums_and_the_index_are_right_whether_a_message_was_indexed_before_or_not() {
    for is_indexed in [false, true] {
        let place = Place::new();
        let (store, _) = place.open();
        let (one, two) = (said(1, 1, "one apple"), said(2, 2, "two pears"));
        commit(&store, [one.clone(), two.clone()]).await;
        store.close().await;
        if is_indexed {
            index_tail::finish(&mut schema::open(&place.path()).unwrap()).unwrap();
        }
        let (store, _) = place.open();
        commit(&store, [changed(10_010, &one, Some("a much longer text with cherries"))]).await;
        commit(&store, [changed(10_011, &one, Some("cherries"))]).await;
        commit(&store, [changed(10_012, &two, None)]).await;
        store.close().await;
        books(&place);
        let (store, _) = place.open();
        assert_eq!(found(&store, "cherries").await, [1], "{is_indexed}");
        for gone in ["apple", "longer", "pears"] {
            assert_eq!(found(&store, gone).await, [0; 0], "{is_indexed}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn a_history_of_the_third_form_gets_the_list_of_messages_per_author_at_its_first_start() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "one"), Message { author: None, id: None, ..said(2, 2, "two") }]).await;
    store.close().await;
    index_tail::finish(&mut schema::open(&place.path()).unwrap()).unwrap();
    let (store, _) = place.open();
    commit(&store, [said(10_010, 1, "in the tail")]).await;
    store.close().await;
    let older = "DROP TABLE authored; CREATE INDEX message_by ON message (author); PRAGMA user_version = 3;";
    rusqlite::Connection::open(place.path()).unwrap().execute_batch(older).unwrap();
    let (store, _) = place.open();
    commit(&store, [said(20_010, 2, "later")]).await;
    store.close().await;
    assert_eq!(books(&place).len(), 3);
    let connection = schema::open(&place.path()).unwrap();
    assert!(connection.prepare("SELECT 1 FROM message INDEXED BY message_by").is_err());
}

#[tokio::test]
async fn the_news_of_an_edit_goes_with_its_message() {
    let place = Place::new();
    let (store, _) = place.open();
    let one = whispered(1, 1, 2, false);
    commit(&store, [one.clone(), said(900, 1, "kept")]).await;
    commit(&store, [changed(1000, &one, Some("new"))]).await;
    store.close().await;
    prune_all(&place, aged(500), at(1010));
    assert_eq!([count(&place, "message"), count(&place, "mail")], [1, 0]);
    books(&place);
}

#[tokio::test]
async fn a_repair_keeps_changes_replies_and_read_positions() {
    let place = Place::new();
    let (store, _) = place.open();
    let (one, two) = (said(1, 1, "one"), said(2, 1, "two"));
    let reply = Message { reply: Some(1), ..said(3, 2, "three") };
    commit(&store, [one.clone(), two.clone(), reply]).await;
    commit(&store, [changed(4, &one, Some("1")), changed(5, &two, None)]).await;
    keep(&store, 5, Entry::Record(Box::new(read(2, 3)))).await;
    store.close().await;
    let to = place.dir.path().join("repaired.db");
    repair(&place.path(), &to, |_, _| {}).unwrap();
    std::fs::rename(&to, place.path()).unwrap();
    let (store, archive) = place.open();
    assert_eq!(archive.records.reads.len(), 1);
    assert_eq!(texts(&store, 2, 0, 9).await, [text(1, "1"), text(3, "three")]);
    assert_eq!(texts(&store, 2, 3, 9).await, [text(4, "1"), text(5, "")]);
    assert_eq!(store.message(3).await.unwrap().and_then(|message| message.reply), Some(1));
    store.close().await;
}

fn read(account: u8, seq: u64) -> Record {
    let places = vec![
        ReadPosition { name: Some("Bob".into()), room: None, seq },
        ReadPosition { name: None, room: None, seq },
    ];
    Record::Read(key(account), Some(ReadRecord { account: key(account), places, changed: at(seq) }))
}

#[tokio::test]
async fn read_positions_come_back_the_oldest_first_until_they_are_forgotten() {
    let place = Place::new();
    let (store, _) = place.open();
    for record in [read(2, 9), read(1, 3), read(3, 5), read(3, 6)] {
        keep(&store, 0, Entry::Record(Box::new(record))).await;
    }
    keep(&store, 0, Entry::Record(Box::new(Record::Read(key(1), None)))).await;
    store.close().await;
    let (store, archive) = place.open();
    let reads: Vec<_> = archive
        .records
        .reads
        .iter()
        .map(|row| Record::Read(row.account.clone(), Some(row.clone())))
        .collect();
    assert_eq!(reads, [read(3, 6), read(2, 9)]);
    store.close().await;
}

#[tokio::test]
async fn a_history_of_the_schema_before_changes_opens_and_takes_them() {
    let place = Place::new();
    std::fs::File::create(place.path()).unwrap();
    let older = schema::make_older(&place.path(), 2).unwrap().expect("a known schema");
    older
        .execute_batch(
            "INSERT INTO meta VALUES ('reserved', 1), ('pruned', 0);
             INSERT INTO room (id, name, key) VALUES (1, '#lobby', '#lobby');
             INSERT INTO message (seq, at, kind, room, from_name, from_ip, text)
                 VALUES (1, 1770000001000, 0, 1, 'user1', '10.0.0.1', 'old');",
        )
        .unwrap();
    drop(older);
    let (store, archive) = place.open();
    assert!(archive.records.reads.is_empty());
    let old = store.message(1).await.unwrap().expect("a message");
    assert_eq!((old.text.as_str(), old.reply, old.edited), ("old", None, false));
    commit(&store, [changed(20_000, &old, Some("new"))]).await;
    assert_eq!(texts(&store, 1, 0, 30_000).await, [text(1, "new")]);
    store.close().await;
}

#[tokio::test]
async fn a_history_that_does_not_say_what_is_indexed_is_indexed_again() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "one apple"), said(2, 2, "two pears")]).await;
    store.close().await;
    let mut connection = schema::open(&place.path()).unwrap();
    index_tail::finish(&mut connection).unwrap();
    connection.execute("DELETE FROM meta WHERE key IN ('indexed', 'unindexed')", []).unwrap();
    drop(connection);
    let (store, _) = place.open();
    assert_eq!(found(&store, "apple").await, [1], "until then, a search looks at each message");
    store.close().await;
    assert_eq!(books(&place).len(), 2);
    let (store, _) = place.open();
    assert_eq!(found(&store, "apple").await, [1]);
    assert_eq!(found(&store, "pears").await, [2]);
    store.close().await;
}
