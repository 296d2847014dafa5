//! The history of rooms and between two: who may see what, and in what order.

use super::*;
use crate::chat::{Scope, Wanted};
use crate::store::QueryResult;

fn in_room(name: &str, message: Message) -> Message {
    Message { venue: Venue::Room(room(name)), ..message }
}

#[tokio::test]
async fn history_of_a_room_is_its_newest_in_order_and_goes_on_backwards() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=9).map(|seq| in_room(["#a", "#b"][seq as usize % 2], said(seq, 1, "x")))).await;
    let ask = async |before, limit, bytes| {
        let wanted = Wanted { scope: Scope::Room(room("#B")), before, limit, deleted: false };
        let listing = store.history(wanted, bytes).await.unwrap();
        (numbers(&listing.messages), listing.more)
    };
    assert_eq!(ask(None, 3, 10_000).await, (vec![5, 7, 9], true));
    assert_eq!(ask(Some(5), 3, 10_000).await, (vec![1, 3], false));
    assert_eq!(ask(None, 5, 10_000).await, (vec![1, 3, 5, 7, 9], false));
    assert_eq!(ask(None, 5, 1).await, (vec![9], true));
    let unknown = Wanted { scope: Scope::Room(room("#unknown")), before: None, limit: 3, deleted: false };
    assert_eq!(store.history(unknown, 100).await.unwrap(), QueryResult::default());
    store.close().await;
}

#[tokio::test]
async fn history_between_two_is_theirs_alone() {
    let place = Place::new();
    let (store, _) = place.open();
    let to_both = Message {
        mail: [1, 2, 3].map(|account| Mail { account: key(account), waits: false }).to_vec(),
        ..whispered(5, 3, 1, false)
    };
    let notice = Message { kind: Kind::Delivered { count: 1, last: 1 }, ..whispered(6, 2, 1, false) };
    let messages = [
        whispered(1, 1, 2, false),
        whispered(2, 2, 1, true),
        whispered(3, 1, 3, false),
        whispered(4, 1, 1, false),
        to_both,
        notice,
        said(7, 1, "to all"),
    ];
    commit(&store, messages).await;
    let ask = async |reader, other| {
        let scope = Scope::Mail(key(reader), key(other));
        let wanted = Wanted { scope, before: None, limit: 20, deleted: false };
        numbers(&store.history(wanted, usize::MAX).await.unwrap().messages)
    };
    assert_eq!(ask(1, 2).await, [1, 2]);
    assert_eq!(ask(2, 1).await, [1, 2]);
    assert_eq!(ask(1, 3).await, [3, 5]);
    assert_eq!(ask(1, 1).await, [4]);
    assert_eq!(ask(2, 2).await, [0; 0]);
    assert_eq!(ask(4, 1).await, [0; 0]);
    store.close().await;
}
