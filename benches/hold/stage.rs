//! A server with 600 people, and everything that can be full nearly so.

use super::measure::{Times, timed};
use lanchat::chat::{
    Account, Archive, BanRecord, Chat, FileRules, Incarnation, Lineage, Member, MemberRecord, NameRecord,
    Now, OperatorRecord, Peer, Profile, ReadRecord, Records, RoomRecord, Rules, SessionId, TokenSource,
    Topic,
};
use lanchat::fingerprint::Fingerprint;
use lanchat::limits::{
    MAX_ADDRESSED, MAX_BANS, MAX_INCARNATIONS, MAX_MEMBERS, MAX_MEMBERSHIPS_OF_NEWCOMERS, MAX_OPERATORS,
    MAX_OWNED_NAMES, MAX_READ_POSITIONS, MAX_READ_POSITIONS_OF_USER, MAX_ROOMS_OF_NEWCOMERS,
    MAX_ROOMS_PER_USER, MAX_TOPIC_BYTES,
};
use lanchat::name::RoomName;
use lanchat::protocol::packet::{ReadPosition, ServerInfo};
use lanchat::server::hold::{Frame, Hold, TakenBatch};
use std::time::Duration;

pub const PEOPLE: u64 = 600;

/// The longest name that has as many alternatives: of letters that are costly to compare.
pub const LONG: &str = "山田太郎山田太郎山田太郎山田太郎山田太郎山田太郎山田太郎";

/// An address with many people.
pub const CROWDED: [u8; 4] = [10, 9, 9, 9];

/// Names in the books that are nearly this one.
pub const NEARLY: &str = "robertrobertrobertrobertrobert";

/// The user with many sessions.
pub const MANY: &str = "many-sessions";

/// Rooms that there are, and people who are away and in as many of them as one may be. With more, the people here, who
/// are newcomers, could neither make a room nor join one.
const ROOMS: usize = MAX_ROOMS_OF_NEWCOMERS - 64;
const AWAY: usize = MAX_MEMBERSHIPS_OF_NEWCOMERS / MAX_ROOMS_PER_USER - 64;

/// Where the keys of the muted begin.
const MUTED: u64 = 4_500_000;

/// The actor.
#[derive(Clone, Copy)]
pub enum Speaker {
    /// A user without a key, in as many rooms as possible.
    Plain,
    /// A user with a key.
    Keyed,
    Operator,
    /// A user of the crowd.
    Person(u64),
    /// A new connection, without a key or with that one.
    Stranger(Option<u64>),
}

pub struct Stage {
    pub hold: Hold,
    pub now: Now,
    next: u64,
    stranger: Option<SessionId>,
    gathered: Option<TakenBatch>,
    /// The answer to the last measured request.
    pub answered: Option<String>,
    /// Whether time goes by between two runs.
    pub stands_still: bool,
    /// The number of the latest offer.
    pub offer: u64,
}

impl Stage {
    pub fn new() -> Self {
        let mut stage = Self::with(records(), archive(AWAY));
        for number in 0..PEOPLE {
            stage.enter(number);
        }
        for _ in 0..64 {
            stage.come(Stage::peer(5_000_000, None), &hello(MANY, Some("many")));
        }
        stage
    }

    pub fn with(records: Records, archive: Archive) -> Self {
        let server = ServerInfo { id: "0f".repeat(32), name: "office".into(), version: "1".into() };
        let profile = Profile { server, run: None, motd: "Welcome to the office.\n".repeat(170) };
        let mut chat = Chat::new(profile, Rules::default(), Archive { records, ..archive });
        let mut token = 0;
        let tokens = TokenSource::new(move || {
            token += 1;
            Some(token)
        });
        chat.pass_files(FileRules { max_transfers: 64, max_bytes: None }, tokens);
        let now = Now::new(jiff::ZonedDateTime::now(), Duration::from_secs(3600));
        let (next, stranger, gathered, answered) = (10_000, None, None, None);
        Self { hold: Hold::new(chat), now, next, stranger, gathered, answered, stands_still: false, offer: 0 }
    }

    /// A user of the crowd comes, and joins a room with everyone.
    fn enter(&mut self, number: u64) {
        let (name, key) = match number {
            0 => ("plain".to_owned(), None),
            1 => ("keyed".to_owned(), Some(number)),
            2 => ("boss".to_owned(), Some(0)),
            3 => (LONG.to_owned(), None),
            4..=101 => (format!("{LONG}-{}", number - 2), None),
            102..=300 => (format!("Ivan{number}"), Some(number)),
            _ => (format!("user{number}"), None),
        };
        let mut peer = Self::peer(number, key);
        if (301..).take(MAX_ADDRESSED).any(|crowded: u64| crowded == number) {
            peer.ip = CROWDED.into();
        }
        let id = SessionId(number);
        self.hold.connect(id, peer, &self.now);
        self.send(id, &hello(&name, Some(&format!("token{number}"))));
        assert!(self.hold.view(id) > 0, "{name} is not let in");
        let before = self.hold.view(id);
        self.send(id, r##"{"type":"join","room":"#big"}"##);
        assert!(self.hold.view(id) > before, "{name} is not let into #big, which rows measure");
        if number < 3 {
            for room in 1..MAX_ROOMS_PER_USER - 1 {
                self.settle();
                self.send(id, &format!(r##"{{"type":"join","room":"{}"}}"##, room_name(room)));
            }
        }
        self.settle();
    }

    pub fn peer(number: u64, key: Option<u64>) -> Peer {
        let [.., high, middle, low] = number.to_be_bytes();
        Peer {
            ip: [10, high, middle, low].into(),
            key: key.map(fingerprint),
            encrypted: key.is_some(),
            local: false,
            web: false,
        }
    }

    /// A new connection that says that.
    pub fn come(&mut self, peer: Peer, frame: &str) -> SessionId {
        let id = SessionId(self.next);
        self.next += 1;
        self.hold.connect(id, peer, &self.now);
        self.send(id, frame);
        id
    }

    /// The number of the next connection.
    pub fn number(&self) -> u64 {
        self.next
    }

    pub fn connect(&mut self, peer: Peer) -> SessionId {
        let id = SessionId(self.next);
        self.next += 1;
        self.hold.connect(id, peer, &self.now);
        id
    }

    /// Notes what a request was answered by.
    pub fn note_answer(&mut self) {
        self.answered = self.gathered.take().and_then(|gathered| gathered.answers().pop());
    }

    /// The first packet of a connection.
    pub fn first(&mut self, id: SessionId, frame: &str) -> Times {
        self.send(id, frame)
    }

    fn send(&mut self, id: SessionId, frame: &str) -> Times {
        let is_first = self.hold.may_send(id, &self.now).expect("the pace allows it");
        let (read, frame) = timed(|| Frame::read(frame.as_bytes(), is_first));
        let (mut held, ()) = timed(|| self.hold.receive(id, frame, &self.now));
        // The rest is done with others in between.
        while self.hold.has_more() {
            held = held.max(timed(|| self.hold.proceed(&self.now)).0);
        }
        Times { held, read }
    }

    /// A user's packet.
    pub fn say(&mut self, who: Speaker, frame: &str) -> Times {
        let id = match who {
            Speaker::Plain => SessionId(0),
            Speaker::Keyed => SessionId(1),
            Speaker::Operator => SessionId(2),
            Speaker::Person(number) => SessionId(number),
            Speaker::Stranger(key) => {
                let id = self.connect(Self::peer(self.next, key));
                self.stranger = Some(id);
                id
            }
        };
        assert!(matches!(who, Speaker::Stranger(_)) || self.hold.view(id) > 0, "{frame} of nobody");
        self.send(id, frame)
    }

    /// A user offers a file.
    pub fn offer(&mut self, who: Speaker, to: &str) -> Times {
        self.offer += 1;
        let name = "x".repeat(255);
        self.say(
            who,
            &format!(
                r#"{{"type":"offer","to":"{to}","file":{{"name":"{name}","size":9,"id":"c"}},"id":"1"}}"#
            ),
        )
    }

    /// Everything is written.
    pub fn settle_turn(&mut self) {
        self.gathered = Some(self.hold.take_batch());
    }

    /// Everything is written, and enough time goes by for all to do as they like again.
    pub fn settle(&mut self) {
        if let Some(stranger) = self.stranger.take() {
            self.hold.disconnect(stranger, &self.now);
        }
        if !self.stands_still {
            self.now.uptime += Duration::from_secs(120);
            (0..3).for_each(|_| self.hold.tick(&self.now));
        }
        self.gathered = Some(self.hold.take_batch());
    }
}

pub fn hello(name: &str, token: Option<&str>) -> String {
    let token = token.map_or_else(String::new, |token| format!(r#","token":"{token}""#));
    format!(r#"{{"from":{{"name":"{name}"}},"to":"server","msg":"","type":"hello","v":1{token}}}"#)
}

pub fn fingerprint(number: u64) -> Fingerprint {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    Fingerprint::new(hash)
}

pub fn room_name(number: usize) -> String {
    format!("#room{number:04}")
}

/// Books as full as they can be.
pub fn records() -> Records {
    let since = jiff::Timestamp::now();
    let rest = serde_json::Map::new;
    let operator = |n: u64| OperatorRecord {
        key: fingerprint(if n == 0 { 0 } else { 2_000_000 + n }),
        name: format!("operator{n}"),
        by: "console".into(),
        since,
        rest: rest(),
    };
    let member = |n: u64| MemberRecord {
        key: fingerprint(3_000_000 + n),
        name: format!("member{n}"),
        ip: None,
        since,
        rest: rest(),
    };
    let name = |n: u64| NameRecord {
        name: if n < 100 { format!("{NEARLY}{n:02}") } else { format!("away-from-here-{n}") },
        key: fingerprint(1_000_000 + n),
        last: since,
        used: if n.is_multiple_of(2) { 5 } else { 5000 },
        in_use: false,
    };
    let count = |most: usize| 0..u64::try_from(most).expect("a number");
    Records {
        operators: count(MAX_OPERATORS).map(operator).collect(),
        members: count(MAX_MEMBERS).map(member).collect(),
        bans: (0..).zip(count(MAX_BANS - 10).map(|n| sanction(n, 4_000_000, since))).collect(),
        mutes: (0..).zip(count(MAX_BANS - 10).map(|n| sanction(n, MUTED, since))).collect(),
        names: count(MAX_OWNED_NAMES).map(name).collect(),
        reads: count(MAX_READ_POSITIONS / MAX_READ_POSITIONS_OF_USER).map(read).collect(),
    }
}

/// A reader of as many conversations as possible.
fn read(n: u64) -> ReadRecord {
    let place = |at: usize| ReadPosition { name: Some(format!("user{at}")), room: None, seq: 1 };
    let places = (0..MAX_READ_POSITIONS_OF_USER).map(place).collect();
    ReadRecord {
        account: Account::Key(fingerprint(5_000_000 + n)),
        places,
        changed: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// A ban or mute of a key, of a name at an address, or of a network.
fn sanction(n: u64, keys: u64, since: jiff::Timestamp) -> BanRecord {
    let net = |bits: u64| format!("172.{}.{}.0/{bits}", 16 + n % 16, n % 256).parse().expect("a network");
    let (key, name, ips) = match n % 3 {
        0 => {
            (Some(fingerprint(keys + n)), Some(format!("{LONG}-{n}")), (0..16).map(|i| net(17 + i)).collect())
        }
        // A ban hits everyone there; a mute only the user of that name.
        1 if keys == MUTED => {
            (None, Some(format!("{LONG}{n}")), vec!["10.9.9.9".parse().expect("an address")])
        }
        1 => (None, Some(format!("{LONG}{n}")), vec![net(32)]),
        _ => (None, None, vec![net(8 + n % 24)]),
    };
    let until =
        since.checked_add(jiff::SignedDuration::from_hours(1 + i64::try_from(n).expect("small"))).ok();
    BanRecord { key, ips, name, by: "operator".into(), since, until, rest: serde_json::Map::new() }
}

/// Rooms with the longest topics, and that many people who are away and own a name, in as many of them
/// as one may be.
pub fn archive(away: usize) -> Archive {
    let topic = || Topic { text: "t".repeat(MAX_TOPIC_BYTES), by: "operator".into() };
    let member = |n: usize| Member {
        account: Account::Key(fingerprint(1_000_000 + u64::try_from(n).expect("a number"))),
        name: format!("member{n}"),
        since: 0,
    };
    let mut rooms: Vec<RoomRecord> = (0..ROOMS)
        .map(|n| RoomRecord {
            name: RoomName::new(&room_name(n)).expect("a room"),
            topic: Some(topic()),
            members: Vec::new(),
        })
        .collect();
    for n in 0..away {
        for each in 0..MAX_ROOMS_PER_USER {
            rooms[(n * MAX_ROOMS_PER_USER + each) % ROOMS].members.push(member(n));
        }
    }
    Archive { lineage: Lineage::new(incarnations()), rooms, ..Archive::default() }
}

/// As many starts as are remembered.
fn incarnations() -> Vec<Incarnation> {
    let last = |n: u64| (n < MAX_INCARNATIONS as u64).then_some(n);
    let row = |n: u64| Incarnation { id: log(n).into(), first: n, last: last(n), restored: false };
    (1..=MAX_INCARNATIONS as u64).map(row).collect()
}

/// The id of a start.
pub fn log(n: u64) -> String {
    format!("{n:016x}")
}
