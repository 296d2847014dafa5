//! Limits on filling other people's mailboxes.

use super::mail::{bob_is_away, write};
use super::*;
use crate::limits::{
    MAX_WAITING, MAX_WAITING_OF_AUTHOR, MAX_WAITING_OF_AUTHOR_FOR_ONE, MAX_WAITING_OF_NEWCOMERS_FOR_ONE,
    NAME_TRIED,
};

/// The first author's session and key.
const WRITERS: u8 = 20;

impl House {
    /// Adds authors with keys that have owned their names for that long.
    fn writers(&mut self, count: u8, time: Duration) -> impl Iterator<Item = u64> + use<> {
        for n in WRITERS..WRITERS + count {
            self.join_key(n.into(), &format!("writer{n}"), n);
        }
        self.later(time);
        (WRITERS..WRITERS + count).map(u64::from)
    }

    /// Writes until the server refuses; returns how many it accepted, and the refusal.
    fn write_all(&mut self, id: u64, to: &str) -> (u32, String) {
        let mut written = 0;
        while write(self, id, to, &format!("{id} {to} {written}")).is_some() {
            written += 1;
        }
        self.say(id, to, "one more");
        let (code, msg) = self.error(id);
        assert_eq!(code, "mailbox_full");
        (written, msg)
    }

    fn is_mail_empty(&self) -> bool {
        self.check();
        self.chat.waiting.is_empty()
    }
}

#[test]
fn one_author_takes_a_part_of_a_mailbox_and_others_find_room() {
    let mut house = bob_is_away();
    let authors: Vec<u64> = house.writers(2, NAME_TRIED).collect();
    let (written, msg) = house.write_all(authors[0], "bob");
    assert_eq!(written, MAX_WAITING_OF_AUTHOR_FOR_ONE);
    assert!(
        msg.starts_with("Bob is offline, and 100 messages of yours are already waiting for them"),
        "{msg}"
    );
    assert!(write(&mut house, authors[1], "bob", "you are promoted").is_some());
    // Another name makes no difference.
    house.join_key(90, "another", WRITERS);
    house.say(90, "bob", "more");
    assert_eq!(house.error(90).0, "mailbox_full");
}

#[test]
fn newcomers_take_half_of_a_mailbox_however_many_they_are_and_the_known_find_room() {
    let mut house = bob_is_away();
    let known: Vec<u64> = house.writers(1, NAME_TRIED).collect();
    let mut written = 0;
    for n in 100..110 {
        house.join_key(n, &format!("mal{n}"), u8::try_from(n).expect("a number"));
        written += house.write_all(n, "bob").0;
    }
    assert_eq!(written, MAX_WAITING_OF_NEWCOMERS_FOR_ONE);
    // Clients without a key always count as newcomers.
    house.join(200, "guest");
    house.connect(201);
    house.send(201, r#"{"from":{"name":"netcat"},"to":"server","msg":"hello"}"#);
    for id in [200, 201] {
        house.say(id, "bob", "hi");
        let (code, msg) = house.error(id);
        assert_eq!(
            (code.as_str(), msg.contains("had your name for 10 minutes")),
            ("mailbox_full", true),
            "{msg}"
        );
    }
    assert_eq!(house.write_all(known[0], "bob").0, MAX_WAITING_OF_AUTHOR_FOR_ONE);
    house.restart(false);
    house.join_key(211, "eve", 211);
    house.say(211, "bob", "hi");
    assert_eq!(house.error(211).0, "mailbox_full", "over a restart");
    house.join_key(212, "bob", 2);
    house.leave(212);
    assert_eq!(house.write_all(211, "bob").0, MAX_WAITING_OF_AUTHOR_FOR_ONE, "there is room again");
}

#[test]
fn a_mailbox_has_a_bound_and_only_that_message_is_refused() {
    let mut house = bob_is_away();
    let enough = u8::try_from(MAX_WAITING / MAX_WAITING_OF_AUTHOR_FOR_ONE).expect("a small number");
    let authors: Vec<u64> = house.writers(enough + 1, NAME_TRIED).collect();
    let written: u32 = authors[1..].iter().map(|id| house.write_all(*id, "bob").0).sum();
    assert_eq!(written, MAX_WAITING);
    house.say(authors[0], "bob", "one more");
    let (code, msg) = house.error(authors[0]);
    let told = "Bob is offline, and 1000 messages are already waiting for them; try again when they are here";
    assert_eq!((code.as_str(), msg.as_str()), ("mailbox_full", told));
    house.restart(true);
    house.join_key(11, "carol", WRITERS);
    house.say(11, "bob", "one more");
    assert_eq!(house.error(11).0, "mailbox_full");
    house.join_key(12, "bob", 2);
    assert_eq!(house.take(12, "chat").len(), MAX_WAITING as usize);
    house.leave(12);
    assert!(write(&mut house, 11, "bob", "now").is_some());
}

#[test]
fn an_author_has_a_bound_over_all_mailboxes() {
    let mut house = House::kept();
    for n in 1..=12_u8 {
        house.join_key(n.into(), &format!("away{n}"), n);
        house.leave(n.into());
    }
    let author = house.writers(1, NAME_TRIED).next().expect("an author");
    let mut written = 0;
    for n in 1..=12 {
        let (count, msg) = house.write_all(author, &format!("away{n}"));
        written += count;
        assert_eq!(count == 0, msg.contains("which is the limit"), "{msg}");
    }
    assert_eq!(written, MAX_WAITING_OF_AUTHOR);
}

#[test]
fn what_was_there_before_takes_no_place() {
    let mut house = bob_is_away();
    let author = house.writers(1, NAME_TRIED).next().expect("an author");
    for _ in 0..2 * MAX_WAITING_OF_AUTHOR_FOR_ONE {
        assert!(write(&mut house, author, "bob", "the same").is_some());
    }
    assert_eq!(house.write_all(author, "bob").0, MAX_WAITING_OF_AUTHOR_FOR_ONE - 1);
    house.join_key(12, "bob", 2);
    house.leave(12);
    assert!(house.is_mail_empty());
    // All of it has arrived, so nothing that waits now is undone.
    assert!(write(&mut house, author, "bob", "the same").is_some());
    assert!(house.is_mail_empty());
    assert!(write(&mut house, author, "bob", "new").is_some());
    house.join_key(13, "bob", 2);
    assert_eq!(house.texts(13, "chat"), ["new"]);
}

#[test]
fn what_is_taken_back_after_it_was_got_takes_nothing_from_what_waits_now() {
    let mut house = bob_is_away();
    house.is_holding = true;
    write(&mut house, 1, "bob", "first");
    let waited: Vec<Waited> =
        house.batch.iter().filter_map(Step::message).flat_map(Message::waited).collect();
    house.is_holding = false;
    house.settle();
    house.join_key(12, "bob", 2);
    house.leave(12);
    assert!(write(&mut house, 1, "bob", "second").is_some());
    house.chat.not_waiting(&waited);
    house.join_key(13, "bob", 2);
    assert_eq!(house.texts(13, "chat"), ["second"]);
    assert_eq!(house.texts(1, "delivered"), ["Bob has received 1 message that waited"]);
}

#[test]
fn what_could_not_be_kept_takes_no_place() {
    let mut house = bob_is_away();
    house.is_holding = true;
    write(&mut house, 1, "bob", "lost");
    let lost: Vec<Waited> = house
        .batch
        .drain(..)
        .collect::<Vec<_>>()
        .iter()
        .filter_map(Step::message)
        .flat_map(Message::waited)
        .collect();
    assert_eq!(lost.len(), 1);
    house.chat.not_waiting(&lost);
    house.is_holding = false;
    assert!(house.is_mail_empty());
}

#[test]
fn notes_to_oneself_are_bounded_by_the_mailbox_alone() {
    let mut house = House::kept();
    house.chat.connect(SessionId(1), House::peer(1, Some(key(1))));
    house.send(1, r#"{"type":"hello","from":{"name":"alice"},"mode":"send"}"#);
    assert_eq!(house.write_all(1, "alice").0, MAX_WAITING);
}

#[test]
fn mail_that_is_lost_makes_room_again_and_its_authors_are_told() {
    let mut house = bob_is_away();
    let authors: Vec<u64> = house.writers(2, NAME_TRIED).collect();
    assert_eq!(house.write_all(authors[0], "bob").0, MAX_WAITING_OF_AUTHOR_FOR_ONE);
    write(&mut house, authors[1], "bob", "mine").expect("a receipt");
    house.leave(authors[1]);
    let bob = Account::Key(key(2));
    let lost = |author: u8, seq| Expired {
        account: bob.clone(),
        name: "Bob".into(),
        author: Some(Account::Key(key(author))),
        is_said: true,
        seq,
    };
    let waiting = house.chat.waiting.count(&bob);
    let first = house.chat.latest() - u64::from(waiting) + 1;
    let mut expired: Vec<Expired> = (first..first + 3).map(|seq| lost(WRITERS, seq)).collect();
    expired.push(lost(WRITERS + 1, first + 100));
    house.act(|chat, now, out| chat.expired(expired, now, out));
    house.check();
    assert_eq!(house.chat.waiting.count(&bob), waiting - 4);
    let told = house.take(authors[0], "delivered").pop().expect("news");
    assert_eq!((told.name.as_deref(), told.count, told.lost), (Some("Bob"), Some(0), Some(3)));
    assert_eq!(told.last, Some(first + 2));
    assert_eq!(told.msg, "the server removed 3 messages for Bob, which waited too long");
    let again = (0..9).filter(|n| write(&mut house, authors[0], "bob", &format!("again {n}")).is_some());
    assert_eq!(again.count(), 3, "there is room again");
    // An author who is away learns later.
    house.join_key(authors[1], &format!("writer{}", authors[1]), WRITERS + 1);
    let told = house.take(authors[1], "delivered").pop().expect("news");
    assert_eq!((told.lost, told.last), (Some(1), Some(first + 100)));
}

#[test]
fn while_mail_takes_all_the_room_nothing_more_waits_and_the_author_is_told_what_to_do() {
    let mut house = bob_is_away();
    write(&mut house, 1, "bob", "one").expect("a receipt");
    house.chat.set_mail_full(true);
    house.say(1, "bob", "two");
    let (code, msg) = house.error(1);
    assert_eq!(code, "mailbox_full");
    assert_eq!(
        msg,
        "Bob is offline, and waiting messages take all the space that the server has for them; try again when they \
         are here, or ask the server's administrator for more (--retain-size)"
    );
    house.chat.set_mail_full(false);
    assert!(write(&mut house, 1, "bob", "two").is_some());
}
