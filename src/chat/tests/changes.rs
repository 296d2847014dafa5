//! Editing and deleting messages.

use super::*;
use crate::limits::{CHANGE_TIME, MAX_CHANGED_BY_STRANGER};
use proptest::prelude::*;
use serde_json::json;

/// A history, an operator (99), and three people with keys.
fn house() -> House {
    let rules = Rules { rate: None, ..Rules::default() };
    let mut house = House::with(rules, Records { operators: vec![operator(99)], ..Records::default() });
    house.begin(disk::Disk::default(), Some(0));
    house.join_key(99, "oscar", 99);
    house.join_key(1, "alice", 1);
    house.join_key(2, "bob", 2);
    house.join_key(3, "carol", 3);
    house.inboxes.clear();
    house
}

/// Says something with a receipt; returns its number.
fn said(house: &mut House, id: u64, to: &str, msg: &str) -> u64 {
    house.send(id, &json!({"to": to, "msg": msg, "id": format!("{id} {msg}")}).to_string());
    let seq = house.take(id, "sent").pop().expect("a receipt").seq.expect("a number");
    house.inboxes.clear();
    seq
}

fn edit(house: &mut House, id: u64, seq: u64, msg: &str) {
    house.send(id, &json!({"type": "edit", "seq": seq, "msg": msg, "id": "e"}).to_string());
}

fn delete(house: &mut House, id: u64, seq: u64) {
    house.send(id, &json!({"type": "delete", "seq": seq, "id": "d"}).to_string());
}

fn text(house: &House, seq: u64) -> Option<String> {
    let message = house.disk.as_ref().expect("a disk").with_mail(seq)?;
    Some(message.text)
}

#[test]
fn everyone_learns_of_a_new_text_and_the_author_gets_a_receipt() {
    let mut house = house();
    let seq = said(&mut house, 1, "all", "helo");
    edit(&mut house, 1, seq, "hello");
    let sent = house.take(1, "sent").pop().expect("a receipt");
    assert_eq!((sent.id.as_deref(), sent.seq), (Some("e"), Some(seq + 1)));
    let edited = house.take(2, "edited").pop().expect("an event");
    assert_eq!((edited.of, edited.seq, edited.to.as_str()), (Some(seq), Some(seq + 1), "all"));
    assert_eq!((edited.from.name.as_str(), edited.msg.as_str()), ("alice", "corrected: hello"));
    assert!(edited.from.key.is_some());
    assert_eq!(text(&house, seq).as_deref(), Some("hello"));
    // A repeat, after a lost receipt, changes nothing.
    edit(&mut house, 1, seq, "hello");
    assert_eq!(house.take(1, "sent").len(), 1);
    assert!(house.take(2, "edited").is_empty());
    delete(&mut house, 1, seq);
    let deleted = house.take(2, "deleted").pop().expect("an event");
    assert_eq!((deleted.of, deleted.name, deleted.msg.as_str()), (Some(seq), None, "deleted a message"));
    assert_eq!(text(&house, seq), None);
    edit(&mut house, 1, seq, "again");
    assert_eq!(house.error(1).0, "no_such_message");
}

#[test]
fn a_message_is_its_authors_and_operators_may_only_delete_it() {
    let mut house = house();
    let seq = said(&mut house, 1, "all", "rude");
    edit(&mut house, 2, seq, "nice");
    assert_eq!(house.error(2).0, "not_allowed");
    delete(&mut house, 2, seq);
    assert_eq!(house.error(2).0, "not_allowed");
    edit(&mut house, 99, seq, "nice");
    assert_eq!(house.error(99).0, "not_allowed");
    assert_eq!(text(&house, seq).as_deref(), Some("rude"));
    house.later(CHANGE_TIME * 3);
    delete(&mut house, 99, seq);
    let deleted = house.take(1, "deleted").pop().expect("an event");
    assert_eq!((deleted.from.name.as_str(), deleted.name.as_deref()), ("oscar", Some("alice")));
    assert_eq!(deleted.msg, "deleted a message by alice");
    assert_eq!(text(&house, seq), None);
}

#[test]
fn an_old_message_stays_as_it_is() {
    let mut house = house();
    let seq = said(&mut house, 1, "all", "old");
    house.later(CHANGE_TIME + Duration::from_secs(1));
    edit(&mut house, 1, seq, "new");
    let (code, msg) = house.error(1);
    assert!(code == "not_allowed" && msg.contains("24 hours"), "{code} {msg}");
}

#[test]
fn nobody_learns_that_a_private_message_exists() {
    let mut house = house();
    let seq = said(&mut house, 1, "bob", "psst");
    for other in [3, 99] {
        for number in [seq, 77] {
            delete(&mut house, other, number);
            let (code, msg) = house.error(other);
            assert_eq!(code, "no_such_message");
            assert_eq!(
                msg.replace(&number.to_string(), "N"),
                "there is no message N, or it is gone, or it is not yours to read"
            );
        }
    }
    delete(&mut house, 2, seq);
    assert_eq!(house.error(2).0, "not_allowed", "the recipient may know, but not delete");
    edit(&mut house, 1, seq, "psst!");
    assert_eq!(house.texts(2, "edited"), ["corrected: psst!"]);
    assert!(house.take(3, "edited").is_empty() && house.take(99, "edited").is_empty());
}

#[test]
fn mail_that_waits_is_corrected_before_it_is_delivered_and_deleted_mail_never_comes() {
    let mut house = house();
    house.leave(2);
    let seq = said(&mut house, 1, "bob", "at 5");
    let other = said(&mut house, 1, "bob", "secret");
    edit(&mut house, 1, seq, "at 6");
    delete(&mut house, 1, other);
    house.join_key(12, "bob", 2);
    let mail = house.take(12, "chat");
    assert_eq!(
        mail.iter().map(|mail| (mail.msg.as_str(), mail.edited)).collect::<Vec<_>>(),
        [("at 6", Some(true))]
    );
    assert_eq!(house.texts(1, "delivered"), ["bob has received 1 message that waited"]);
    let texts = |house: &House| house.disk.as_ref().map(disk::Disk::untold);
    assert_eq!(texts(&house), Some(0));
    house.send(1, r#"{"to":"bob","msg":"hi","id":"after"}"#);
    assert_eq!(house.take(1, "sent")[0].waits, None);
}

#[test]
fn a_client_learns_later_of_changes_to_what_it_had_and_of_no_others() {
    let mut house = house();
    let seen = said(&mut house, 1, "all", "one");
    let gone = said(&mut house, 1, "all", "two");
    house.leave(2);
    let missed = said(&mut house, 1, "all", "three");
    edit(&mut house, 1, seen, "1");
    edit(&mut house, 1, missed, "3");
    delete(&mut house, 1, gone);
    edit(&mut house, 1, seen, "I");
    house.chat.connect(SessionId(12), House::peer(12, Some(key(2))));
    let hello = json!({"type": "hello", "from": {"name": "bob"}, "since": gone, "log": "disk", "logs": []});
    house.send(12, &hello.to_string());
    let inbox = house.inboxes.remove(&12).expect("packets");
    let history = inbox.iter().filter(|packet| packet.history == Some(true));
    let shown: Vec<_> =
        history.map(|packet| (packet.kind.clone().unwrap(), packet.msg.clone(), packet.of)).collect();
    let of = |kind: &str, msg: &str, of| (kind.to_owned(), msg.to_owned(), of);
    assert_eq!(
        shown,
        [
            of("chat", "3", None),
            of("deleted", "deleted a message", Some(gone)),
            of("edited", "corrected: I", Some(seen)),
        ]
    );
    assert_eq!(inbox.last().and_then(|end| end.count), Some(3));
}

#[test]
fn a_user_without_key_and_token_may_change_what_this_session_said() {
    let mut house = house();
    house.connect(5);
    house.send(5, r#"{"type":"hello","from":{"name":"guest"}}"#);
    let first = said(&mut house, 5, "all", "first");
    for number in 0..MAX_CHANGED_BY_STRANGER {
        said(&mut house, 5, "all", &format!("text {number}"));
    }
    let last = said(&mut house, 5, "all", "last");
    edit(&mut house, 5, last, "the last");
    assert_eq!(house.texts(1, "edited"), ["corrected: the last"]);
    edit(&mut house, 5, first, "x");
    assert_eq!(house.error(5).0, "not_allowed");
    house.leave(5);
    house.connect(6);
    house.send(6, r#"{"type":"hello","from":{"name":"guest"}}"#);
    edit(&mut house, 6, last, "x");
    assert_eq!(house.error(6).0, "not_allowed", "anyone may have that name now");
}

#[test]
fn a_direct_message_that_nobody_known_has_stays_as_it_is_and_its_author_learns_that() {
    let mut house = house();
    house.connect(5);
    house.send(5, r#"{"type":"hello","from":{"name":"guest"}}"#);
    let seq = said(&mut house, 1, "guest", "at 5");
    let expected =
        format!("message {seq} went to guest, who has neither key nor token; it cannot be changed there");
    edit(&mut house, 1, seq, "at 6");
    let (code, msg) = house.error(1);
    assert!(code == "no_such_message" && msg.starts_with(&expected), "{code} {msg}");
    delete(&mut house, 1, seq);
    let (code, msg) = house.error(1);
    assert!(code == "no_such_message" && msg.starts_with(&expected), "{code} {msg}");
    assert_eq!(text(&house, seq).as_deref(), Some("at 5"));
    let own = said(&mut house, 1, "alice", "a note");
    edit(&mut house, 1, own, "a better note");
    assert_eq!(house.take(1, "sent").len(), 1);
}

#[test]
fn changes_need_a_history_a_text_and_a_voice() {
    let mut house = House::new();
    house.join_key(1, "alice", 1);
    edit(&mut house, 1, 1, "x");
    assert_eq!(house.error(1).0, "no_history");
    let mut house = self::house();
    let seq = said(&mut house, 1, "all", "text");
    edit(&mut house, 1, seq, " ");
    assert_eq!(house.error(1).0, "bad_packet");
    house.send(99, r#"{"type":"mute","name":"alice"}"#);
    edit(&mut house, 1, seq, "rude");
    assert_eq!(house.error(1).0, "muted");
    delete(&mut house, 1, seq);
    assert_eq!(text(&house, seq), None, "a muted user may take something back");
}

#[test]
fn changes_are_limited_like_other_news() {
    let mut house = house();
    house.chat.rules.rate = Some(crate::pace::Rate::default());
    let seq = said(&mut house, 1, "all", "text");
    (0..20).for_each(|number| edit(&mut house, 1, seq, &format!("text {number}")));
    let (code, msg) = house.error(1);
    assert!(code == "rate_limited" && msg.contains("change messages"), "{code} {msg}");
}

#[test]
fn a_reply_carries_the_number_of_what_it_answers() {
    let mut house = house();
    let seq = said(&mut house, 1, "all", "lunch?");
    house.send(2, &json!({"to": "all", "msg": "yes", "reply": seq, "id": "r"}).to_string());
    assert_eq!(house.take(1, "chat")[0].reply, Some(seq));
    assert_eq!(house.disk.as_ref().and_then(|disk| disk.with_mail(seq + 1)).and_then(|m| m.reply), Some(seq));
    for none in [0, seq + 100] {
        house.send(2, &json!({"to": "all", "msg": "yes", "reply": none}).to_string());
        assert_eq!(house.error(2).0, "no_such_message", "{none}");
    }
}

/// One step of [`what_clients_have_is_what_is_stored`].
#[derive(Debug, Clone, Copy)]
enum Step {
    Say { who: usize, to: usize },
    Edit { who: usize, back: usize },
    Delete { who: usize, back: usize },
    Reconnect(usize),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..3_usize;
    prop_oneof![
        6 => (who.clone(), 0..4_usize).prop_map(|(who, to)| Step::Say { who, to }),
        6 => (who.clone(), 0..5_usize).prop_map(|(who, back)| Step::Edit { who, back }),
        2 => (who.clone(), 0..5_usize).prop_map(|(who, back)| Step::Delete { who, back }),
        4 => who.prop_map(Step::Reconnect),
        1 => Just(Step::Crash),
    ]
}

const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// A client that shows messages, applies changes, and resumes.
#[derive(Debug, Default)]
struct Client {
    id: u64,
    point: u64,
    log: String,
    shown: BTreeMap<u64, String>,
}

impl Client {
    fn connect(&mut self, house: &mut House, who: usize, id: u64) {
        house.leave(std::mem::replace(&mut self.id, id));
        let number = u8::try_from(who).expect("few") + 1;
        house.chat.connect(SessionId(id), House::peer(id, Some(key(number))));
        let hello = json!({
            "type": "hello", "from": {"name": PEOPLE[who]}, "since": self.point,
            "log": Some(&self.log).filter(|log| !log.is_empty()), "logs": [],
        });
        house.send(id, &hello.to_string());
    }

    fn read(&mut self, house: &mut House) {
        for packet in house.inboxes.remove(&self.id).unwrap_or_default() {
            match packet.kind.as_deref() {
                Some("welcome") => self.log = packet.log.clone().expect("a history"),
                Some("chat") => drop(self.shown.insert(packet.seq.expect("a number"), packet.msg.clone())),
                Some("edited") => {
                    let text = packet.msg.strip_prefix("corrected: ").expect("the text").to_owned();
                    let shown = self.shown.get_mut(&packet.of.expect("a number"));
                    *shown.expect("no change of what it never had") = text;
                }
                Some("deleted") => {
                    let gone = self.shown.remove(&packet.of.expect("a number"));
                    assert!(gone.is_some(), "no change of what it never had");
                }
                Some("sent" | "history" | "delivered") => {}
                _ => continue,
            }
            self.point = self.point.max(packet.seq.unwrap_or_default());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_clients_have_is_what_is_stored(steps in proptest::collection::vec(step(), 1..60)) {
        let mut house = House::kept();
        let mut clients: Vec<Client> = PEOPLE.iter().map(|_| Client::default()).collect();
        let mut next = 10;
        let connect = |house: &mut House, client: &mut Client, who: usize, next: &mut u64| {
            *next += 1;
            client.connect(house, who, *next);
        };
        for (who, client) in clients.iter_mut().enumerate() {
            connect(&mut house, client, who, &mut next);
        }
        for (number, step) in steps.into_iter().enumerate() {
            let target = |who: usize, back: usize| clients[who].shown.keys().rev().nth(back).copied();
            match step {
                Step::Say { who, to } => {
                    let (to, id) = (["all", "alice", "bob", "carol"][to], format!("m{number}"));
                    let packet = json!({"to": to, "msg": format!("text {number}"), "id": id});
                    house.send(clients[who].id, &packet.to_string());
                    let sent = house.inboxes.get(&clients[who].id).into_iter().flatten();
                    let sent = sent.filter(|packet| packet.kind.as_deref() == Some("sent"));
                    let seq = sent.filter_map(|packet| packet.seq).next_back().expect("a receipt");
                    clients[who].shown.insert(seq, format!("text {number}"));
                }
                Step::Edit { who, back } => {
                    if let Some(seq) = target(who, back) {
                        edit(&mut house, clients[who].id, seq, &format!("new {number}"));
                        let changed = house.inboxes.get(&clients[who].id).into_iter().flatten();
                        if changed.filter(|packet| packet.kind.as_deref() == Some("sent")).count() > 0 {
                            clients[who].shown.insert(seq, format!("new {number}"));
                        }
                    }
                }
                Step::Delete { who, back } => {
                    if let Some(seq) = target(who, back) {
                        delete(&mut house, clients[who].id, seq);
                        let changed = house.inboxes.get(&clients[who].id).into_iter().flatten();
                        if changed.filter(|packet| packet.kind.as_deref() == Some("sent")).count() > 0 {
                            clients[who].shown.remove(&seq);
                        }
                    }
                }
                Step::Reconnect(who) => connect(&mut house, &mut clients[who], who, &mut next),
                Step::Crash => {
                    house.restart(true);
                    for (who, client) in clients.iter_mut().enumerate() {
                        connect(&mut house, client, who, &mut next);
                    }
                }
            }
            clients.iter_mut().for_each(|client| client.read(&mut house));
        }
        for (who, client) in clients.iter_mut().enumerate() {
            connect(&mut house, client, who, &mut next);
            client.read(&mut house);
            let account = Account::Key(key(u8::try_from(who).expect("few") + 1));
            let disk = house.disk.as_ref().expect("a disk");
            for (seq, text) in &client.shown {
                let stored = disk.with_mail(*seq).map(|message| message.text);
                prop_assert_eq!(stored.as_ref(), Some(text), "{} has {}", PEOPLE[who], seq);
            }
            let lobby = disk.messages.iter().filter(|message| {
                let is_said = message.kind.is_said();
                is_said && (matches!(message.venue, Venue::Room(_)) || message.author.as_ref() == Some(&account))
            });
            for message in lobby {
                prop_assert_eq!(client.shown.get(&message.seq), Some(&message.text));
            }
        }
    }
}
