//! Messages that are sent again, under any name.

use super::*;
use crate::limits::SAME_ID_LOOKED_AT;
use std::sync::Arc;

/// The numbers of what the store says to have had, for each message of a batch of its own.
async fn first_ones(store: &Store, messages: impl IntoIterator<Item = Message>) -> Vec<Option<u64>> {
    let mut first = Vec::new();
    for message in messages {
        let of = |outcome: CommitOutcome| outcome.duplicates.first().map(|duplicate| duplicate.seq);
        first.push(of(commit(store, [message]).await));
    }
    first
}

fn to(name: &str, message: Message) -> Message {
    Message { venue: Venue::Direct(name.into()), ..message }
}

#[tokio::test]
async fn a_repeat_is_known_by_accounts_and_not_by_names() {
    let place = Place::new();
    let (store, _) = place.open();
    let direct = to("Bob", whispered(1, 1, 2, false));
    let renamed = Message { from: Sender { name: "alicia".into(), ..direct.from.clone() }, ..direct.clone() };
    let in_room = Message { venue: Venue::Room(room("#Games")), ..said(2, 1, "chess") };
    let to_self = to("user1", Message { receiver: Some(key(1)), ..said(3, 1, "note") });
    commit(&store, [direct.clone(), in_room.clone(), to_self.clone()]).await;
    let repeats = [
        Message { seq: 4, ..to("bob", direct.clone()) },
        Message { seq: 5, ..to("robert", direct.clone()) },
        Message { seq: 6, ..renamed },
        Message { seq: 7, venue: Venue::Room(room("#gAMES")), ..in_room },
        Message { seq: 8, ..to("USER1", to_self) },
    ];
    assert_eq!(first_ones(&store, repeats).await, [Some(1), Some(1), Some(1), Some(2), Some(3)]);
    // Another user who has the name now.
    let other = Message { seq: 9, receiver: Some(key(3)), ..direct.clone() };
    assert_eq!(first_ones(&store, [other]).await, [None]);
    store.close().await;
}

#[tokio::test]
async fn a_repeat_counts_once_whether_it_is_shown_as_said_or_done() {
    let place = Place::new();
    let (store, _) = place.open();
    let said = whispered(1, 1, 2, false);
    let done = Message { kind: Kind::Action, seq: 2, ..said.clone() };
    let alert = Message { kind: Kind::Alert, seq: 3, ..said.clone() };
    commit(&store, [said.clone()]).await;
    assert_eq!(first_ones(&store, [done, alert]).await, [Some(1), None], "an alert is another request");
    let waves = Message { kind: Kind::Action, seq: 4, id: Some("other".into()), ..said.clone() };
    let says = Message { kind: Kind::Chat, seq: 5, ..waves.clone() };
    commit(&store, [waves]).await;
    assert_eq!(first_ones(&store, [says]).await, [Some(4)]);
    store.close().await;
}

#[tokio::test]
async fn a_repeat_to_an_address_or_to_somebody_unknown_is_known_by_what_was_written() {
    let place = Place::new();
    let (store, _) = place.open();
    let mail = |keys: &[u8]| keys.iter().map(|n| Mail { account: key(*n), waits: false }).collect();
    let address = Message { mail: mail(&[1, 2, 3]), ..to("10.0.0.7", said(1, 1, "you all")) };
    let unknown = Message { mail: mail(&[1]), ..to("Eve", said(2, 1, "hello there")) };
    commit(&store, [address.clone(), unknown.clone()]).await;
    let repeats = [
        Message { seq: 3, mail: mail(&[1, 4]), ..address.clone() },
        Message { seq: 4, ..to("eve", unknown.clone()) },
        // They have a key since.
        Message { seq: 5, receiver: Some(key(5)), ..unknown.clone() },
        Message { seq: 6, ..to("10.0.0.8", address) },
        Message { seq: 7, ..to("adam", unknown) },
    ];
    assert_eq!(first_ones(&store, repeats).await, [Some(1), Some(2), Some(2), None, None]);
    store.close().await;
}

#[tokio::test]
async fn what_is_not_to_be_written_is_looked_up_with_and_without_a_transaction() {
    let place = Place::new();
    let (store, _) = place.open();
    let stored = whispered(1, 1, 2, true);
    commit(&store, [stored.clone()]).await;
    let new = Message { id: Some("new".into()), ..stored.clone() };
    let nobody = Message { author: None, ..stored.clone() };
    let entries: Vec<Entry> = [Entry::Passed, Entry::Refused]
        .into_iter()
        .flat_map(|kind| [&stored, &new, &nobody].map(|message| kind(Box::new(message.clone()))))
        .collect();
    let batch = Arc::new(WriteBatch { entries, seq: 1, ..WriteBatch::default() });
    let known = store.known(Arc::clone(&batch)).await.unwrap();
    assert_eq!(
        known.iter().map(|known| (known.entry, known.waits)).collect::<Vec<_>>(),
        [(0, true), (3, true)]
    );
    assert_eq!(store.commit(batch).await.unwrap().duplicates, known);
    let all = store.page(span(view(1), 0, 9), 9, usize::MAX).await.unwrap();
    assert_eq!(numbers(&all.messages), [1]);
    store.close().await;
}

#[tokio::test]
async fn of_very_many_messages_with_one_id_the_newest_are_known() {
    let place = Place::new();
    let (store, _) = place.open();
    let most = u64::from(SAME_ID_LOOKED_AT);
    let same_id = |seq, text: String| Message { id: Some("always".into()), ..said(seq, 1, &text) };
    commit(&store, (0..=most).map(|n| same_id(n + 1, n.to_string()))).await;
    let repeats = [1, most, 0].map(|n| same_id(most + 2, n.to_string()));
    assert_eq!(first_ones(&store, repeats).await, [Some(2), Some(most + 1), None]);
    store.close().await;
}
