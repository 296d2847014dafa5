//! History and search: who may see what, in what order, and how words are found.

use super::*;
use crate::chat::{Scope, Search, Wanted};
use crate::store::{Listing, StoreError};
use proptest::prelude::*;

/// What somebody who is in the lobby alone looks for.
fn search(reader: u8, words: &str) -> Search {
    Search { words: words.into(), from: None, view: view(reader), before: None, limit: 20 }
}

async fn found(store: &Store, search: Search) -> Vec<u64> {
    numbers(&store.search(search, usize::MAX).await.unwrap().messages)
}

fn in_room(name: &str, message: Message) -> Message {
    Message { venue: Venue::Room(room(name)), ..message }
}

#[tokio::test]
async fn history_of_a_room_is_its_newest_in_order_and_goes_on_backwards() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=9).map(|seq| in_room(["#a", "#b"][seq as usize % 2], said(seq, 1, "x")))).await;
    let ask = async |before, limit, bytes| {
        let wanted = Wanted { scope: Scope::Room(room("#B")), before, limit };
        let listing = store.history(wanted, bytes).await.unwrap();
        (numbers(&listing.messages), listing.more)
    };
    assert_eq!(ask(None, 3, 10_000).await, (vec![5, 7, 9], true));
    assert_eq!(ask(Some(5), 3, 10_000).await, (vec![1, 3], false));
    assert_eq!(ask(None, 5, 10_000).await, (vec![1, 3, 5, 7, 9], false));
    assert_eq!(ask(None, 5, 1).await, (vec![9], true));
    let unknown = Wanted { scope: Scope::Room(room("#unknown")), before: None, limit: 3 };
    assert_eq!(store.history(unknown, 100).await.unwrap(), Listing::default());
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
        let wanted = Wanted { scope, before: None, limit: 20 };
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
    // Names of the index' columns are no way into other people's mail.
    for words in ["r1", "a1", "venue:a1", "text : build", "{venue} : a1", "nuser1"] {
        assert_eq!(found(&store, search(3, words)).await, [0; 0], "{words}");
    }
    store.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever somebody types is a search, and finds what was said in those words.
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
    let work = move |searcher: &mut super::super::reader::Reader| {
        searcher.read_within(std::time::Duration::from_millis(5), |history, _| {
            history.query_row(endless, [], |row| row.get::<_, i64>(0))
        })
    };
    assert_eq!(store.searcher.ask(work).await, Err(StoreError::TooSlow));
    let wanted = Wanted { scope: Scope::Room(RoomName::lobby()), before: None, limit: 9 };
    assert_eq!(numbers(&store.history(wanted, 999).await.unwrap().messages), [1]);
    store.close().await;
}
