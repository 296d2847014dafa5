//! The rules, driven without sockets: deliveries are carried out into inboxes.

use super::*;
use crate::limits::{PRESENCE_NAMES_MAX_MEMBERS, PRESENCE_WINDOW};
use crate::protocol::Packet;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

/// A chat, and what each session has got.
struct House {
    chat: Chat,
    now: Now,
    inboxes: HashMap<u64, Vec<Packet>>,
    following: HashSet<u64>,
    closed: HashSet<u64>,
}

impl House {
    fn new() -> Self {
        Self {
            chat: Chat::new(Profile::default()),
            now: Now::default(),
            inboxes: HashMap::new(),
            following: HashSet::new(),
            closed: HashSet::new(),
        }
    }

    fn act(&mut self, call: impl FnOnce(&mut Chat, &Now, &mut Deliveries)) {
        let mut out = Vec::new();
        call(&mut self.chat, &self.now, &mut out);
        for delivery in out {
            self.carry_out(delivery);
        }
    }

    fn carry_out(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Packet { audience: Audience::Lobby { except }, packet } => {
                for id in &self.following {
                    if except != Some(SessionId(*id)) {
                        self.inboxes.entry(*id).or_default().push(*packet.clone());
                    }
                }
            }
            Delivery::Packet { audience: Audience::Sessions(sessions), packet } => {
                for SessionId(id) in sessions {
                    self.inboxes.entry(id).or_default().push(*packet.clone());
                }
            }
            Delivery::Follow(SessionId(id)) => drop(self.following.insert(id)),
            Delivery::Close(SessionId(id)) => {
                self.following.remove(&id);
                self.closed.insert(id);
            }
        }
    }

    fn connect(&mut self, id: u64, operator: bool) {
        let ip = [10, 0, 0, u8::try_from(id % 250).unwrap_or(0)].into();
        self.chat.connect(SessionId(id), Peer { ip, operator });
    }

    fn send(&mut self, id: u64, json: &str) {
        let packet = ClientPacket::parse(json.as_bytes()).expect("JSON");
        self.act(|chat, now, out| chat.receive(SessionId(id), &packet, now, out));
    }

    fn join(&mut self, id: u64, name: &str) {
        self.connect(id, false);
        self.send(id, &format!(r#"{{"type":"hello","from":{{"name":"{name}"}},"token":"{name}"}}"#));
    }

    fn leave(&mut self, id: u64) {
        self.following.remove(&id);
        self.act(|chat, now, _| chat.disconnect(SessionId(id), now));
    }

    fn later(&mut self, time: Duration) {
        self.now.uptime += time;
        self.act(|chat, now, out| chat.tick(now, out));
    }

    /// What came since the last look, by type.
    fn take(&mut self, id: u64, kind: &str) -> Vec<Packet> {
        let inbox = self.inboxes.remove(&id).unwrap_or_default();
        inbox.into_iter().filter(|packet| packet.kind.as_deref() == Some(kind)).collect()
    }

    fn error(&mut self, id: u64) -> (String, String) {
        let error = self.take(id, "error").pop().expect("an error");
        (error.code.unwrap_or_default(), error.msg)
    }
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
    ] {
        house.send(1, request);
        assert_eq!(house.error(1).0, "not_allowed", "{request}");
    }
    assert!(house.take(2, "alert").is_empty() && house.closed.is_empty());
}

#[test]
fn who_is_kicked_is_gone_at_once_and_what_they_still_send_counts_no_more() {
    let mut house = House::new();
    house.connect(1, true);
    house.send(1, r#"{"from":{"name":"op"},"to":"server","msg":"hello"}"#);
    house.join(2, "bob");
    house.send(1, r#"{"type":"kick","name":"BOB","msg":"enough"}"#);
    assert_eq!(house.take(2, "bye").len(), 1);
    assert!(house.closed.contains(&2));
    house.send(2, r#"{"to":"all","msg":"one more thing"}"#);
    assert!(house.take(1, "chat").is_empty());
    assert_eq!(house.chat.present(), 1);
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
    house.connect(1000, false);
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
    house.connect(2, false);
    house.send(2, r#"{"type":"ping"}"#);
    house.leave(2);
    house.later(PRESENCE_WINDOW);
    assert!(house.take(1, "joined").is_empty() && house.take(1, "left").is_empty());
}

/// One thing that may happen.
#[derive(Debug, Clone)]
enum Step {
    Join { id: u64, name: usize, token: usize, mode: usize },
    Say { id: u64, to: usize },
    Nick { id: u64, name: usize },
    Kick { name: usize },
    Leave { id: u64 },
    Wait,
}

const NAMES: [&str; 5] = ["alice", "ALICE", "bob", "eve", "two words"];
const TOKENS: [&str; 3] = ["", "one", "two"];
const MODES: [&str; 3] = ["chat", "send", "tail"];

fn step() -> impl Strategy<Value = Step> {
    let id = 1..12_u64;
    prop_oneof![
        4 => (id.clone(), 0..NAMES.len(), 0..TOKENS.len(), 0..MODES.len())
            .prop_map(|(id, name, token, mode)| Step::Join { id, name, token, mode }),
        4 => (id.clone(), 0..=NAMES.len()).prop_map(|(id, to)| Step::Say { id, to }),
        1 => (id.clone(), 0..NAMES.len()).prop_map(|(id, name)| Step::Nick { id, name }),
        1 => (0..NAMES.len()).prop_map(|name| Step::Kick { name }),
        2 => id.prop_map(|id| Step::Leave { id }),
        1 => Just(Step::Wait),
    ]
}

impl House {
    /// Connections get new numbers, as a server gives them; `open` maps the step's to them.
    fn step(&mut self, step: &Step, open: &mut HashMap<u64, u64>, next: &mut u64) {
        match step {
            Step::Join { id, name, token, mode } => {
                if let Some(old) = open.insert(*id, *next) {
                    self.leave(old);
                }
                self.connect(*next, true);
                let hello = format!(
                    r#"{{"type":"hello","from":{{"name":"{}"}},"token":"{}","mode":"{}"}}"#,
                    NAMES[*name], TOKENS[*token], MODES[*mode]
                );
                self.send(*next, &hello);
                *next += 1;
            }
            Step::Say { id, to } => {
                let Some(id) = open.get(id) else { return };
                let to = NAMES.get(*to).unwrap_or(&"all");
                self.send(*id, &format!(r#"{{"to":"{to}","msg":"x","id":"r"}}"#));
            }
            Step::Nick { id, name } => {
                let Some(id) = open.get(id) else { return };
                self.send(*id, &format!(r#"{{"type":"nick","name":"{}"}}"#, NAMES[*name]));
            }
            Step::Kick { name } => {
                let request = Request::Kick { name: NAMES[*name].into(), reason: String::new() };
                self.act(|chat, now, out| drop(chat.console(&request, now, out)));
            }
            Step::Leave { id } => {
                if let Some(id) = open.remove(id) {
                    self.leave(id);
                }
            }
            Step::Wait => self.later(PRESENCE_WINDOW),
        }
        self.check();
    }

    /// What must hold after every step.
    fn check(&self) {
        let chat = &self.chat;
        assert_eq!(chat.names.len(), chat.users.len());
        for (key, id) in &chat.names {
            assert_eq!(chat.users[id].name.key(), *key);
        }
        let mut present = 0;
        for (id, user) in &chat.users {
            let sessions: Vec<_> = user.sessions.iter().map(|session| &chat.sessions[session]).collect();
            assert!(!sessions.is_empty() && sessions.iter().all(|session| session.user == Some(*id)));
            let chatting =
                sessions.iter().filter(|session| session.mode == crate::protocol::request::Mode::Chat);
            assert_eq!(chatting.count(), user.chatting);
            present += usize::from(user.chatting > 0);
        }
        assert_eq!(present, chat.present());
        let listening: HashSet<u64> = chat
            .sessions
            .iter()
            .filter(|(_, s)| s.user.is_some() && s.listens())
            .map(|(id, _)| id.0)
            .collect();
        assert_eq!(self.following, listening, "who hears the lobby is who is in and listens");
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_books_agree_and_nothing_is_left_behind(
        steps in proptest::collection::vec(step(), 1..80)
    ) {
        let mut house = House::new();
        let (mut open, mut next) = (HashMap::new(), 1);
        for step in &steps {
            house.step(step, &mut open, &mut next);
        }
        for inbox in house.inboxes.values() {
            let numbers: Vec<u64> =
                inbox.iter().filter(|p| matches!(p.kind.as_deref(), Some("chat" | "sent"))).filter_map(|p| p.seq).collect();
            prop_assert!(numbers.is_sorted_by(|one, other| one < other), "one order, nothing twice: {:?}", numbers);
        }
        for (_, id) in open {
            house.leave(id);
        }
        house.later(PRESENCE_WINDOW);
        prop_assert!(house.chat.users.is_empty() && house.chat.names.is_empty() && house.chat.sessions.is_empty());
        prop_assert_eq!(house.chat.due(), None);
    }
}
