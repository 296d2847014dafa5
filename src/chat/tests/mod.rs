//! The rules, driven without sockets: deliveries go to inboxes.

mod absence;
mod changes;
mod clock;
mod disk;
mod farewell;
mod files;
mod hello;
mod history;
mod house;
mod keys;
mod long_messages;
mod mail;
mod mailboxes;
mod model;
mod moderation;
mod names;
mod new_names;
mod operators;
mod paces;
mod pages;
mod rates;
mod reading;
mod resume;
mod rooms;
mod shared_keys;
mod storing;
mod unknown;
mod version;

use super::*;
use crate::limits::{MAX_FRAME_BYTES, PRESENCE_NAMES_MAX_MEMBERS, PRESENCE_WINDOW};
use crate::name::RoomName;
use crate::protocol::command::{self, Action, Line, Place};
use crate::protocol::event::HistoryEnd;
use crate::protocol::request::{ClientPacket, Operate, Refusal};
use crate::protocol::{Code, Event, Packet, Request, ServerPacket};
use disk::Disk;
use house::{CatchUpState, Step};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A chat with each session's inbox. It plays the server and, with a disk, the store.
struct House {
    chat: Chat,
    /// Stored names, operators, members, bans and mutes.
    stored: StoredRecords,
    disk: Option<Disk>,
    /// Steps that are neither stored nor carried out yet; more than one call's while batches are held.
    batch: Vec<Step>,
    is_holding: bool,
    /// Sessions that catch up.
    catch_ups: BTreeMap<u64, CatchUpState>,
    now: Now,
    inboxes: HashMap<u64, Vec<ServerPacket>>,
    following: HashSet<u64>,
    closed: HashSet<u64>,
    /// Ended sessions, which nothing may reach.
    gone: HashSet<u64>,
    log: Vec<String>,
    /// Transfers whose connections close.
    ended: Vec<(TransferId, Code)>,
    charged: Vec<(SessionId, u64)>,
    /// Queries to the store, each with its session.
    questions: Vec<(u64, Question)>,
}

/// The key of that number.
fn key(number: u8) -> Fingerprint {
    Fingerprint::new([number; 32])
}

fn operator(number: u8) -> OperatorRecord {
    let since = Timestamp::UNIX_EPOCH;
    OperatorRecord {
        key: key(number),
        name: "op".into(),
        by: "test".into(),
        since,
        rest: serde_json::Map::new(),
    }
}

impl House {
    fn new() -> Self {
        Self::with(Rules::default(), Records::default())
    }

    /// With an operator: key 99.
    fn with_operator() -> Self {
        let mut house =
            Self::with(Rules::default(), Records { operators: vec![operator(99)], ..Records::default() });
        house.join_key(99, "oscar", 99);
        house.inboxes.clear();
        house
    }

    fn with(rules: Rules, records: Records) -> Self {
        Self {
            stored: StoredRecords::of(records.clone()),
            chat: House::chat(rules, Archive { records, ..Archive::default() }),
            now: Now::new("2026-11-21T12:00:00+00:00[UTC]".parse().expect("a time"), Duration::ZERO),
            disk: None,
            batch: Vec::new(),
            is_holding: false,
            catch_ups: BTreeMap::new(),
            inboxes: HashMap::new(),
            following: HashSet::new(),
            closed: HashSet::new(),
            gone: HashSet::new(),
            log: Vec::new(),
            ended: Vec::new(),
            charged: Vec::new(),
            questions: Vec::new(),
        }
    }

    /// The rules, with files and tokens that count up.
    fn chat(rules: Rules, archive: Archive) -> Chat {
        let mut chat = Chat::new(Profile::default(), rules, archive);
        let mut token = 0;
        let tokens = TokenSource::new(move || {
            token += 1;
            Some(token)
        });
        chat.pass_files(FileRules { max_transfers: 24, max_bytes: Some(1 << 30) }, tokens);
        chat
    }

    /// The same chat after an orderly end, which forgets all that is not stored.
    fn restarted(mut self) -> Self {
        self.act(|chat, now, out| while chat.keep_rest(now, out) {});
        self.chat.check_kept(&self.stored, &self.now);
        self.crashed()
    }

    /// The same chat after a power cut.
    fn crashed(self) -> Self {
        Self { now: self.now, ..Self::with(self.chat.rules, self.stored.read()) }
    }

    fn act(&mut self, call: impl FnOnce(&mut Chat, &Now, &mut Deliveries)) {
        let mut out = Vec::new();
        call(&mut self.chat, &self.now, &mut out);
        while self.chat.has_more() {
            self.chat.proceed(&self.now, &mut out);
        }
        self.batch.extend(out.into_iter().map(Step::Delivery));
        if !self.is_holding {
            self.settle();
        }
    }

    /// Each session has its own address.
    fn peer(id: u64, key: Option<Fingerprint>) -> Peer {
        let [high, low] = u16::try_from(id % 60_000).expect("a small number").to_be_bytes();
        Peer { ip: [10, 0, high, low].into(), key, encrypted: key.is_some(), local: false, web: false }
    }

    fn connect(&mut self, id: u64) {
        self.chat.connect(SessionId(id), Self::peer(id, None));
    }

    fn send(&mut self, id: u64, json: &str) {
        let packet = ClientPacket::parse(json.as_bytes()).expect("JSON");
        let parsed = Parsed::new(Box::new(packet), !self.is_in(id));
        self.act(|chat, now, out| chat.receive(SessionId(id), parsed, now, out));
    }

    fn join(&mut self, id: u64, name: &str) {
        self.connect(id);
        self.send(id, &format!(r#"{{"type":"hello","from":{{"name":"{name}"}},"token":"{name}"}}"#));
    }

    /// Joins with that key.
    fn join_key(&mut self, id: u64, name: &str, number: u8) {
        self.join_peer(id, name, Self::peer(id, Some(key(number))));
    }

    fn join_peer(&mut self, id: u64, name: &str, peer: Peer) {
        self.chat.connect(SessionId(id), peer);
        self.send(id, &format!(r#"{{"type":"hello","from":{{"name":"{name}"}}}}"#));
    }

    fn say(&mut self, id: u64, to: &str, msg: &str) {
        self.send(id, &serde_json::json!({"to": to, "msg": msg}).to_string());
    }

    /// Runs a line typed at the server's console.
    fn console(&mut self, line: &str) -> Result<String, Refusal> {
        let Ok(Line::Command(Action::Request(request))) = command::read_line(line, Place::Console) else {
            panic!("{line} is not a command of the console")
        };
        let done = match request {
            Request::Ask(question) => match self.chat.ask(&question, &self.now)? {
                Asked::Answer(event) => Ok(event),
                Asked::List(mut listing) => {
                    while self.chat.gather(&mut listing) {}
                    Ok(listing.into_event())
                }
            },
            Request::Operate(command) => {
                let mut result = None;
                self.act(|chat, now, out| result = Some(chat.operate(&command, None, now, out)));
                result.expect("an answer")
            }
            request => panic!("{request:?} is nothing for the console"),
        };
        done.map(|event| event.text().into_owned())
    }

    fn leave(&mut self, id: u64) {
        self.following.remove(&id);
        self.catch_ups.remove(&id);
        self.gone.insert(id);
        self.act(|chat, now, out| chat.disconnect(SessionId(id), now, out));
    }

    fn later(&mut self, time: Duration) {
        self.now.uptime += time;
        self.now = Now::new(&self.now.clock + time, self.now.uptime);
        self.act(|chat, now, out| chat.tick(now, out));
    }

    /// New packets of that type.
    fn take(&mut self, id: u64, kind: &str) -> Vec<ServerPacket> {
        let inbox = self.inboxes.remove(&id).unwrap_or_default();
        inbox.into_iter().filter(|packet| packet.kind.as_deref() == Some(kind)).collect()
    }

    /// The texts of new packets of that type.
    fn texts(&mut self, id: u64, kind: &str) -> Vec<String> {
        self.take(id, kind).into_iter().map(|packet| packet.msg).collect()
    }

    fn is_in(&self, id: u64) -> bool {
        self.chat.is_registered(SessionId(id))
    }

    fn error(&mut self, id: u64) -> (String, String) {
        let error = self.take(id, "error").pop().expect("an error");
        (error.code.unwrap_or_default(), error.msg)
    }
}

#[test]
fn a_refused_alert_has_the_id_of_its_request() {
    let mut house = House::with_operator();
    house.send(99, r#"{"type":"alert","msg":" ","id":"x"}"#);
    let error = house.take(99, "error").pop().expect("an error");
    assert_eq!(error.id.as_deref(), Some("x"), "{}", error.msg);
}

#[test]
fn only_operators_raise_alerts_and_kick() {
    let mut house = House::new();
    house.join(1, "alice");
    house.join(2, "bob");
    for request in [
        r#"{"type":"alert","msg":"x"}"#,
        r#"{"to":"server","msg":"/alert x"}"#,
        r#"{"type":"kick","name":"bob"}"#,
        r#"{"to":"server","msg":"/kick bob"}"#,
        r#"{"type":"ban","name":"bob"}"#,
        r#"{"type":"mute","name":"bob"}"#,
        r#"{"type":"op","name":"alice"}"#,
        r#"{"type":"bans"}"#,
    ] {
        house.send(1, request);
        assert_eq!(house.error(1).0, "not_allowed", "{request}");
    }
    assert!(house.take(2, "alert").is_empty() && house.closed.is_empty());
}

#[test]
fn who_is_kicked_is_gone_at_once_and_what_they_still_send_counts_no_more() {
    let mut house = House::with_operator();
    house.join(1, "alice");
    house.join(2, "bob");
    house.send(99, r#"{"type":"kick","name":"BOB","msg":"enough"}"#);
    assert_eq!(house.take(2, "bye").len(), 1);
    assert!(house.closed.contains(&2));
    house.send(2, r#"{"to":"all","msg":"one more thing"}"#);
    assert!(house.take(1, "chat").is_empty());
    assert_eq!(house.chat.present(), 2);
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    let mut house = House::new();
    house.join(1, "alice");
    house.join(2, "Robert");
    house.send(1, r#"{"to":"robrt","msg":"hi"}"#);
    let (code, msg) = house.error(1);
    assert_eq!(code, "no_such_user");
    assert!(msg.contains("did you mean Robert?"), "{msg}");
}

#[test]
fn a_crowd_that_comes_at_once_costs_one_packet_with_a_count() {
    let mut house = House::new();
    house.join(0, "watcher");
    house.later(PRESENCE_WINDOW);
    house.take(0, "joined");
    let crowd = PRESENCE_NAMES_MAX_MEMBERS as u64 + 1;
    for n in 1..=crowd {
        house.join(n, &format!("user{n}"));
    }
    house.later(PRESENCE_WINDOW);
    let joined = house.take(0, "joined");
    assert_eq!(joined.len(), 1);
    assert_eq!((joined[0].count, joined[0].names.clone()), (Some(crowd as usize), None));
}

#[test]
fn in_a_crowd_a_new_name_is_told_to_the_users_own_sessions_only() {
    let mut house = House::new();
    for n in 0..=PRESENCE_NAMES_MAX_MEMBERS as u64 {
        house.join(n, &format!("user{n}"));
    }
    house.connect(1000);
    house.send(1000, r#"{"type":"hello","from":{"name":"user7"},"token":"user7"}"#);
    house.send(7, r#"{"type":"nick","name":"seven"}"#);
    assert_eq!(house.take(7, "renamed").len(), 1);
    assert_eq!(house.take(1000, "renamed").len(), 1);
    assert!(house.take(8, "renamed").is_empty());
}

#[test]
fn nothing_is_announced_of_a_connection_that_never_registers() {
    let mut house = House::new();
    house.join(1, "alice");
    house.later(PRESENCE_WINDOW);
    house.take(1, "joined");
    house.connect(2);
    house.send(2, r#"{"type":"ping"}"#);
    house.leave(2);
    house.later(PRESENCE_WINDOW);
    assert!(house.take(1, "joined").is_empty() && house.take(1, "left").is_empty());
}
