//! Forgetting a person: no word of theirs stays in the files.

use super::*;
use crate::chat::{NameRecord, ReadRecord, Record};
use crate::store::{PersonQuery, StoreError, forget};
use std::fs;

fn fingerprint(number: u8) -> Fingerprint {
    Fingerprint::new([number; 32])
}

fn name(name: &str, number: u8) -> Entry {
    let row = NameRecord { name: name.into(), key: fingerprint(number), last: at(1), used: 5, in_use: false };
    Entry::Record(Box::new(Record::Name(name.into(), Some(row))))
}

/// Alice (1) and bob (2), with words that nothing else has.
async fn house() -> Place {
    let place = Place::new();
    let (store, _) = place.open();
    let mut direct = whispered(3, 1, 2, false);
    direct.text = "wq wombatgrotto".into();
    let mut answer = whispered(4, 2, 1, true);
    answer.text = "kj lemurcastle".into();
    let mut between_others = whispered(5, 2, 3, false);
    between_others.text = "panda".into();
    let messages =
        [said(1, 1, "zv quokkavault"), said(2, 2, "hello from bob"), direct, answer, between_others];
    commit(&store, messages).await;
    keep(&store, 5, name("Quagga7", 1)).await;
    keep(&store, 5, name("bob", 2)).await;
    keep(&store, 5, joined("#games", 1, 0)).await;
    let read = ReadRecord { account: key(1), places: Vec::new(), changed: at(1) };
    keep(&store, 5, Entry::Record(Box::new(Record::Read(key(1), Some(read))))).await;
    store.close().await;
    place
}

/// All bytes of all files of the history.
fn bytes(place: &Place) -> Vec<u8> {
    let files = fs::read_dir(place.dir.path()).unwrap().map(Result::unwrap);
    // The log goes when the last thread of the store ends.
    files.flat_map(|file| fs::read(file.path()).unwrap_or_default()).collect()
}

fn has(place: &Place, word: &str) -> bool {
    memchr::memmem::find(&bytes(place), word.as_bytes()).is_some()
}

/// Words, pieces of the index, names and keys of alice.
fn traces() -> Vec<&'static str> {
    vec![
        "quokkavault",
        "wombatgrotto",
        "lemurcastle",
        "Quagga7",
        "quo",
        "okk",
        "kka",
        "mba",
        "atg",
        "mur",
        "rca",
    ]
}

#[tokio::test]
async fn no_word_of_a_forgotten_person_stays_in_the_files_and_others_keep_theirs() {
    let place = house().await;
    for word in traces() {
        assert!(has(&place, word), "{word}: nothing to find");
    }
    let mut seen = None;
    let who = PersonQuery::Name("QUAGGA7".into());
    let person = forget(&place.path(), &who, |person| {
        seen = Some(person.clone());
        true
    });
    let person = person.unwrap().unwrap();
    assert_eq!(seen.as_ref(), Some(&person));
    assert_eq!((person.key, person.messages, person.direct, person.rooms), (fingerprint(1), 1, 2, 1));
    assert_eq!(person.names, ["Quagga7", "user1"]);
    for word in traces() {
        assert!(!has(&place, word), "{word} is still there");
    }
    assert!(memchr::memmem::find(&bytes(&place), &[1; 32]).is_none(), "the key");
    let (store, archive) = place.open();
    assert_eq!(archive.records.names.len(), 1);
    assert!(archive.records.reads.is_empty() && archive.waiting.is_empty());
    let page = store.page(span(view(2), 0, 5), 100, 100_000).await.unwrap();
    assert_eq!(numbers(&page.messages), [2, 5]);
    let search =
        crate::chat::Search { words: "hello".into(), view: view(2), limit: 10, ..Default::default() };
    assert_eq!(numbers(&store.search(search, 100_000).await.unwrap().messages), [2]);
}

#[tokio::test]
async fn nothing_changes_without_consent_or_without_the_person() {
    let place = house().await;
    assert_eq!(forget(&place.path(), &PersonQuery::Key(fingerprint(1)), |_| false), Ok(None));
    for (who, words) in [
        (PersonQuery::Name("nobody".into()), "no key owns the name \"nobody\""),
        (PersonQuery::Name("user1".into()), "messages under it are from key:SHA256:AQEB"),
        (PersonQuery::Key(fingerprint(9)), "knows nobody with this key"),
    ] {
        let error = forget(&place.path(), &who, |_| true).unwrap_err();
        assert!(matches!(error, StoreError::NoPerson(_)) && error.to_string().contains(words), "{error}");
    }
    for word in traces() {
        assert!(has(&place, word), "{word}");
    }
}
