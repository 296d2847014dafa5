//! Several people at once against the rules of chat, in any order: a state machine and what must
//! always hold of it.

use super::input::Input;
use crate::chat::{
    Archive, Audience, Chat, Deliveries, Delivery, FileRules, Garbage, Now, OperatorRecord, Parsed, Peer,
    Profile, Records, Rules, SessionId, StoredRecords, TokenSource,
};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_FRAME_BYTES, PRESENCE_WINDOW};
use crate::protocol::command::{self, Action, Line, Place};
use crate::protocol::request::ClientPacket;
use crate::protocol::{Event, Packet, Request, ServerPacket};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// Connections that may be open at a time; a new one in a place ends the old.
const PLACES: u8 = 8;

/// The number of the key of an operator.
const OPERATOR: u8 = 3;

/// Maximum inputs: a long input reveals no more than several short ones.
const MAX_STEPS: usize = 200;

/// Templates of messages: `%` is a name, `$` another word.
const PACKETS: [&str; 18] = [
    r#"{"type":"hello","from":{"name":"%"},"token":"$"}"#,
    r#"{"type":"hello","from":{"name":"%"},"mode":"send"}"#,
    r#"{"type":"hello","from":{"name":"%"},"mode":"tail","token":"$"}"#,
    r#"{"from":{"name":"%"},"to":"all","msg":"$","id":"r"}"#,
    r#"{"to":"%","msg":"$","id":"r"}"#,
    r#"{"type":"nick","name":"%"}"#,
    r#"{"to":"server","msg":"/whois %"}"#,
    r#"{"type":"users","after":"%"}"#,
    r#"{"type":"op","token":"$"}"#,
    r#"{"type":"op","name":"$"}"#,
    r#"{"to":"server","msg":"/$ %"}"#,
    r#"{"type":"$","name":"%","duration":"$"}"#,
    r#"{"type":"offer","to":"%","file":{"name":"%","id":"x$"},"id":"r"}"#,
    r##"{"type":"offer","to":"#games","file":{"name":"x","id":"x"}}"##,
    r#"{"type":"accept","offer":1,"id":"r"}"#,
    r#"{"type":"accept","offer":2}"#,
    r#"{"type":"decline","offer":1}"#,
    r#"{"type":"cancel","offer":1,"name":"%"}"#,
];

const NAMES: [&str; 16] = [
    "alice",
    "ALICE",
    "a1ice",
    "bob",
    "b0b",
    "Ivan",
    "lvan",
    "Σίς",
    "10.0.0.1",
    "all",
    "server",
    "#lobby",
    "key:",
    "ip:10.0.0.0/30",
    "two words",
    "",
];

const WORDS: [&str; 22] = [
    "",
    "kick",
    "mute",
    "ban",
    "unban",
    "unmute",
    "bans",
    "op",
    "deop",
    "alert",
    "1h",
    "forever",
    "quit",
    "4827-1163",
    "secret",
    "hi",
    "admit",
    "dismiss",
    "release",
    "operators",
    "members",
    "owners",
];

struct House {
    chat: Chat,
    /// Its stored part.
    stored: StoredRecords,
    now: Now,
    following: HashSet<SessionId>,
    open: BTreeMap<u8, SessionId>,
    next: u64,
    latest: u64,
}

/// See the module.
pub(super) fn session(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut house = House::new(Records { operators: vec![operator()], ..Records::default() });
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        house.step(&mut input);
        house.chat.check(&house.following, &house.now);
    }
    house.leave_all();
    house.later(PRESENCE_WINDOW);
    house.chat.check_empty();
}

fn key(number: u8) -> Fingerprint {
    Fingerprint::new([number; 32])
}

fn operator() -> OperatorRecord {
    let row = serde_json::json!({"key": key(OPERATOR).to_string(), "since": "2026-11-21T12:00:00Z"});
    serde_json::from_value(row).expect("a row")
}

impl House {
    fn new(records: Records) -> Self {
        let clock = "2026-11-21T12:00:00+00:00[UTC]".parse().expect("a time");
        let now = Now::new(clock, Duration::ZERO);
        let stored = StoredRecords::of(records.clone());
        let archive = Archive { records, ..Archive::default() };
        let mut chat = Chat::new(Profile::default(), Rules::default(), archive);
        chat.offer_operator(0, "4827-1163", "secret", crate::limits::OPERATOR_CODE_TIME);
        let mut token = 0;
        let tokens = TokenSource::new(move || {
            token += 1;
            Some(token)
        });
        chat.pass_files(FileRules { max_transfers: 4, max_bytes: None }, tokens);
        Self { chat, stored, now, following: HashSet::new(), open: BTreeMap::new(), next: 1, latest: 0 }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        let choice = input.byte();
        let place = input.byte() % PLACES;
        match choice % 16 {
            0..=2 => self.connect(place, input.byte()),
            3..=9 => {
                let packet = fill(input);
                self.send(place, packet.as_bytes());
            }
            10 => self.send(place, input.line()),
            11 => self.console(input),
            12 | 13 => self.leave(place),
            14 => self.later(Duration::from_secs([0, 1, 61, 3600, 800 * 3600][input.choice(5)])),
            _ => self.restart(),
        }
    }

    fn act<T>(&mut self, call: impl FnOnce(&mut Chat, &Now, &mut Deliveries) -> T) -> T {
        let mut out = Vec::new();
        let result = call(&mut self.chat, &self.now, &mut out);
        while self.chat.has_more() {
            self.chat.proceed(&self.now, &mut out);
        }
        self.stored.keep(&out);
        for delivery in out {
            match delivery {
                Delivery::Packet { packet, audience } => self.check_packet(&packet, &audience),
                Delivery::Message { packet, audience, receipt, .. } => {
                    self.check_packet(&packet, &audience);
                    if let Some(receipt) = receipt {
                        self.check_packet(&receipt.to_packet(), &Audience::Sessions(vec![receipt.session]));
                    }
                }
                Delivery::Answer(answer) => {
                    let to = Audience::Sessions(vec![answer.session]);
                    let said = answer.bytes();
                    let packet = answer.into_packet();
                    assert!(packet.to_frame().len() <= 2 * said, "{said} bytes are too few for {packet:?}");
                    self.check_packet(&packet, &to);
                }
                Delivery::Keep(_)
                | Delivery::Ask { .. }
                | Delivery::Multicast { .. }
                | Delivery::Status { .. }
                | Delivery::Refused(_)
                | Delivery::Visit(_)
                | Delivery::EndTransfer { .. }
                | Delivery::Charge { .. } => {}
                Delivery::CatchUp { session: id, .. } | Delivery::Follow(id) => _ = self.following.insert(id),
                Delivery::Close(id) => drop(self.following.remove(&id)),
                Delivery::Log(what) | Delivery::LogSharedKey(what) => {
                    assert!(!what.contains(char::is_control), "{what:?}")
                }
            }
        }
        result
    }

    fn check_packet(&mut self, packet: &Packet, audience: &Audience) {
        let frame = packet.to_frame();
        assert!(frame.len() <= MAX_FRAME_BYTES + 1, "a frame of {} bytes", frame.len());
        if let Audience::Sessions(sessions) = audience {
            let unique: HashSet<_> = sessions.iter().collect();
            assert_eq!(unique.len(), sessions.len(), "twice to one session");
        }
        let read = ServerPacket::parse(&frame).expect("what was written can be read");
        match Event::from_packet(read) {
            Event::Alert { by, .. } => {
                assert!(by == "server" || self.chat.is_operators_name(&by), "{by} is no operator");
            }
            Event::Chat { from, seq, .. } => {
                // One that is refused, or in no mail, has no number (`pass_on` in the rules).
                let is_next = seq.is_none_or(|seq| seq > self.latest);
                assert!(is_next && !from.name.is_empty(), "{packet:?}");
                self.latest = seq.unwrap_or(self.latest);
            }
            _ => {}
        }
    }

    fn connect(&mut self, place: u8, who: u8) {
        self.leave(place);
        let key = Some(who % 5).filter(|number| *number > 0).map(key);
        let local = who & 0x80 != 0;
        let ip = [10, 0, 0, who >> 3 & 7].into();
        let id = SessionId(self.next);
        self.next += 1;
        self.open.insert(place, id);
        let peer = Peer { ip, key, encrypted: key.is_some() || who & 0x40 != 0, local, web: false };
        self.chat.connect(id, peer);
    }

    fn send(&mut self, place: u8, line: &[u8]) {
        let Some(id) = self.open.get(&place).copied() else { return };
        let (silenced, before) = (self.chat.is_silenced(id, &self.now), self.chat.latest());
        match ClientPacket::parse(line) {
            Ok(packet) => {
                let parsed = Parsed::new(Box::new(packet), !self.chat.is_registered(id));
                self.act(|chat, now, out| chat.receive(id, parsed, now, out));
            }
            Err(error) => self.act(|chat, now, out| {
                chat.receive_garbage(id, Garbage::of(line, &error), now, out);
            }),
        }
        assert!(!silenced || self.chat.latest() == before, "who is muted says nothing");
    }

    fn console(&mut self, input: &mut Input<'_>) {
        let line = format!("/{} {}", WORDS[input.choice(WORDS.len())], name(input));
        let request = command::read_line(line.trim(), Place::Console);
        let Ok(Line::Command(Action::Request(request))) = request else { return };
        self.act(|chat, now, out| match request {
            Request::Ask(question) => drop(chat.ask(&question, now)),
            Request::Operate(command) => drop(chat.operate(&command, None, now, out)),
            Request::Connect(_) | Request::Act(_) => {}
        });
    }

    fn leave(&mut self, place: u8) {
        if let Some(id) = self.open.remove(&place) {
            self.following.remove(&id);
            self.act(|chat, now, out| chat.disconnect(id, now, out));
        }
    }

    fn leave_all(&mut self) {
        (0..PLACES).for_each(|place| self.leave(place));
    }

    fn later(&mut self, time: Duration) {
        self.now.uptime += time;
        self.now.clock = &self.now.clock + time;
        self.act(|chat, now, out| chat.tick(now, out));
    }

    /// Data that is not stored is forgotten, and stored data is still there.
    fn restart(&mut self) {
        self.leave_all();
        let before = self.chat.records(&self.now);
        while self.act(|chat, now, out| chat.keep_rest(now, out)) {}
        self.chat.check_kept(&self.stored, &self.now);
        let clock = self.now.clock.clone();
        *self = Self::new(self.stored.read());
        self.now.clock = clock;
        let after = self.chat.records(&self.now);
        assert_eq!((after.operators, after.bans, after.mutes), (before.operators, before.bans, before.mutes));
        assert_eq!(after.names.len(), before.names.len());
    }
}

/// One of the names, or what the input has.
fn name(input: &mut Input<'_>) -> String {
    match input.choice(NAMES.len() + 1) {
        12 => format!("key:{}", key(input.byte() % 5)),
        own if own == NAMES.len() => {
            let text = String::from_utf8_lossy(input.line()).into_owned();
            let quoted = serde_json::to_string(&text).expect("JSON");
            quoted[1..quoted.len() - 1].to_owned()
        }
        known => NAMES[known].to_owned(),
    }
}

fn fill(input: &mut Input<'_>) -> String {
    let mut packet = PACKETS[input.choice(PACKETS.len())].to_owned();
    while let Some(at) = packet.find('%') {
        let name = name(input).replace('%', "");
        packet.replace_range(at..=at, &name);
    }
    while let Some(at) = packet.find('$') {
        packet.replace_range(at..=at, WORDS[input.choice(WORDS.len())]);
    }
    packet
}
