//! What the server tells: the meaning of a packet on its way to a client.
//!
//! Each event writes its own `msg`, so that a client which knows only `from`, `to` and `msg`
//! shows something a person can read.

mod words;

pub use words::{count_users, users_are};

use super::Code;
use super::packet::{BanInfo, Limits, Packet, Sender, ServerInfo, UserInfo};
use crate::fingerprint::Fingerprint;
use crate::limits::PROTOCOL_VERSION;
use words::{bans_text, crowd_text, users_text, welcome_text, whois_text};

/// The answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Welcome {
    /// Which server this is.
    pub server: ServerInfo,
    /// The name given.
    pub name: String,
    /// The address the server sees.
    pub ip: String,
    /// Users who are present.
    pub total: usize,
    /// What the server takes at most.
    pub limits: Limits,
    /// Number of the latest message.
    pub seq: u64,
    /// The key that the server knows this client by.
    pub key: Option<Fingerprint>,
    /// Whether this session may use the operators' commands.
    pub operator: bool,
    /// Whether the server takes only members.
    pub closed: bool,
    /// The server's message of the day; empty when it has none.
    pub motd: String,
}

/// Users who came or went within a second.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Crowd {
    /// Their names; empty in big rooms.
    pub names: Vec<String>,
    /// How many there are.
    pub count: usize,
    /// Users who are present now.
    pub total: usize,
}

/// One thing told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The connection is registered.
    Welcome(Box<Welcome>),
    /// Somebody said something.
    Chat {
        /// Who.
        from: Sender,
        /// To whom: a name, `all`, a room or an address.
        to: String,
        /// What.
        msg: String,
        /// Whether it tells what the sender does.
        action: bool,
        /// The message's number.
        seq: u64,
        /// When the server took it.
        ts: String,
    },
    /// The receipt: the server took a message.
    Sent {
        /// The message's number.
        seq: u64,
        /// When the server took it.
        ts: String,
    },
    /// Users came.
    Joined(Crowd),
    /// Users went.
    Left(Crowd),
    /// A user has another name.
    Renamed {
        /// The name before.
        old: String,
        /// The name now.
        name: String,
    },
    /// A page of users.
    Users {
        /// In alphabetical order.
        users: Vec<UserInfo>,
        /// All users who are present.
        total: usize,
        /// Ask for the next page after this name.
        next: Option<String>,
    },
    /// The server's time.
    Time {
        /// Local time with its offset, RFC 3339.
        time: String,
        /// The same instant in UTC with milliseconds.
        ts: String,
        /// Seconds the server has been up.
        uptime: u64,
    },
    /// An alert to everybody.
    Alert {
        /// Who raised it: a user's name, or `server`.
        by: String,
        /// The text.
        msg: String,
        /// The message's number.
        seq: u64,
        /// When the server took it.
        ts: String,
    },
    /// About one user.
    Whois(UserInfo),
    /// I am here.
    Pong {
        /// Which server this is.
        server: ServerInfo,
        /// Users who are present.
        total: usize,
        /// Whether the server takes only members.
        closed: bool,
    },
    /// The server is closed: it asks for a proof that both know the passphrase (SPAKE2).
    Pake {
        /// The server's half, in base64url.
        pake: String,
        /// What a person reads.
        msg: String,
    },
    /// The proof was good, and here is the server's.
    PakeOk {
        /// In base64url.
        mac: String,
    },
    /// Bans and mutes.
    Bans {
        /// The latest first, as many as fit.
        bans: Vec<BanInfo>,
        /// How many there are.
        total: usize,
    },
    /// One's own rank has changed.
    Operator {
        /// Whether one may use the operators' commands now.
        operator: bool,
        /// What a person reads.
        msg: String,
    },
    /// Something to read: the commands there are, what an operator's command did.
    Notice(String),
    /// A request was refused, or the connection ends.
    Error {
        /// Why, for programs. `None`: a code that this version does not know.
        code: Option<Code>,
        /// What was wrong and what to do.
        msg: String,
        /// A name that is free, with `name_taken`.
        name: Option<String>,
    },
    /// The server ends the connection in an orderly way.
    Bye {
        /// Why, for programs.
        code: Option<Code>,
        /// Why, for people.
        msg: String,
    },
    /// A type that this version does not know: show its text.
    Unknown {
        /// Who says it.
        from: Sender,
        /// The text.
        msg: String,
    },
}

impl Event {
    /// An error with a text.
    pub fn error(code: Code, msg: impl Into<String>) -> Self {
        Self::Error { code: Some(code), msg: msg.into(), name: None }
    }

    /// The event as a packet to `to`, echoing the request's `id`.
    pub fn to_packet(&self, to: &str, id: Option<String>) -> Packet {
        let mut packet = Packet { from: Sender::server(), to: to.into(), id, ..Packet::default() };
        packet.kind = Some(self.kind().into());
        packet.msg = self.text();
        match self {
            Self::Welcome(welcome) => fill_welcome(&mut packet, welcome),
            Self::Chat { from, to, action, seq, ts, .. } => {
                packet.from = from.clone();
                packet.to.clone_from(to);
                packet.action = action.then_some(true);
                fill_stamp(&mut packet, *seq, ts);
            }
            Self::Sent { seq, ts } => fill_stamp(&mut packet, *seq, ts),
            Self::Joined(crowd) | Self::Left(crowd) => {
                packet.names = (!crowd.names.is_empty()).then(|| crowd.names.clone());
                packet.count = Some(crowd.count);
                packet.total = Some(crowd.total);
            }
            Self::Renamed { old, name } => {
                packet.old = Some(old.clone());
                packet.name = Some(name.clone());
            }
            Self::Users { users, total, next } => {
                packet.users = Some(users.clone());
                packet.total = Some(*total);
                packet.next.clone_from(next);
            }
            Self::Time { time, ts, uptime } => {
                packet.time = Some(time.clone());
                packet.ts = Some(ts.clone());
                packet.uptime = Some(*uptime);
            }
            Self::Alert { by, seq, ts, .. } => {
                packet.by = Some(by.clone());
                fill_stamp(&mut packet, *seq, ts);
            }
            Self::Whois(user) => packet.user = Some(user.clone()),
            Self::Pong { server, total, closed } => {
                packet.server = Some(server.clone());
                packet.total = Some(*total);
                packet.closed = closed.then_some(true);
            }
            Self::Operator { operator, .. } => packet.operator = Some(*operator),
            Self::Pake { pake, .. } => packet.pake = Some(pake.clone()),
            Self::PakeOk { mac } => packet.mac = Some(mac.clone()),
            Self::Bans { bans, total } => {
                packet.bans = Some(bans.clone());
                packet.total = Some(*total);
            }
            Self::Error { code, name, .. } => {
                packet.code = code.map(|code| code.to_string());
                packet.name.clone_from(name);
            }
            Self::Bye { code, .. } => packet.code = code.map(|code| code.to_string()),
            Self::Notice(_) | Self::Unknown { .. } => {}
        }
        packet
    }

    /// Reads a packet's meaning. Never fails: what is unknown is [`Event::Unknown`].
    pub fn from_packet(packet: Packet) -> Self {
        let code = || packet.code.as_deref().and_then(Code::parse);
        let crowd = |packet: &Packet| Crowd {
            names: packet.names.clone().unwrap_or_default(),
            count: packet.count.unwrap_or_default(),
            total: packet.total.unwrap_or_default(),
        };
        let seq = packet.seq.unwrap_or_default();
        let ts = packet.ts.clone().unwrap_or_default();
        match packet.kind.as_deref().unwrap_or("chat") {
            "welcome" => Self::Welcome(Box::new(read_welcome(packet))),
            "chat" => Self::Chat {
                from: packet.from,
                to: packet.to,
                msg: packet.msg,
                action: packet.action.unwrap_or(false),
                seq,
                ts,
            },
            "sent" => Self::Sent { seq, ts },
            "joined" => Self::Joined(crowd(&packet)),
            "left" => Self::Left(crowd(&packet)),
            "renamed" => {
                Self::Renamed { old: packet.old.unwrap_or_default(), name: packet.name.unwrap_or_default() }
            }
            "users" => Self::Users {
                users: packet.users.unwrap_or_default(),
                total: packet.total.unwrap_or_default(),
                next: packet.next,
            },
            "time" => Self::Time {
                time: packet.time.unwrap_or_default(),
                ts,
                uptime: packet.uptime.unwrap_or_default(),
            },
            "alert" => Self::Alert { by: packet.by.unwrap_or_default(), msg: packet.msg, seq, ts },
            "whois" => Self::Whois(packet.user.unwrap_or_default()),
            "pong" => Self::Pong {
                server: packet.server.unwrap_or_default(),
                total: packet.total.unwrap_or_default(),
                closed: packet.closed.unwrap_or_default(),
            },
            "operator" => Self::Operator { operator: packet.operator.unwrap_or_default(), msg: packet.msg },
            "pake" => Self::Pake { pake: packet.pake.unwrap_or_default(), msg: packet.msg },
            "pake_ok" => Self::PakeOk { mac: packet.mac.unwrap_or_default() },
            "bans" => {
                Self::Bans { bans: packet.bans.unwrap_or_default(), total: packet.total.unwrap_or_default() }
            }
            "notice" => Self::Notice(packet.msg),
            "error" => Self::Error { code: code(), msg: packet.msg, name: packet.name },
            "bye" => Self::Bye { code: code(), msg: packet.msg },
            _ => Self::Unknown { from: packet.from, msg: packet.msg },
        }
    }

    /// The member `type`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Welcome(_) => "welcome",
            Self::Chat { .. } => "chat",
            Self::Sent { .. } => "sent",
            Self::Joined(_) => "joined",
            Self::Left(_) => "left",
            Self::Renamed { .. } => "renamed",
            Self::Users { .. } => "users",
            Self::Time { .. } => "time",
            Self::Alert { .. } => "alert",
            Self::Whois(_) => "whois",
            Self::Pong { .. } => "pong",
            Self::Pake { .. } => "pake",
            Self::PakeOk { .. } => "pake_ok",
            Self::Bans { .. } => "bans",
            Self::Operator { .. } => "operator",
            Self::Notice(_) => "notice",
            Self::Error { .. } => "error",
            Self::Bye { .. } => "bye",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The member `msg`: what a person reads.
    fn text(&self) -> String {
        match self {
            Self::Welcome(welcome) => welcome_text(welcome),
            Self::Chat { msg, .. }
            | Self::Alert { msg, .. }
            | Self::Error { msg, .. }
            | Self::Bye { msg, .. }
            | Self::Unknown { msg, .. }
            | Self::Pake { msg, .. }
            | Self::Operator { msg, .. }
            | Self::Notice(msg) => msg.clone(),
            Self::Sent { .. } => "sent".into(),
            Self::Joined(crowd) => crowd_text(crowd, "joined"),
            Self::Left(crowd) => crowd_text(crowd, "left"),
            Self::Renamed { old, name } => format!("{old} is now {name}"),
            Self::Users { users, total, next } => users_text(users, *total, next.as_deref()),
            Self::Time { time, .. } => format!("server time {time}"),
            Self::Whois(user) => whois_text(user),
            Self::Pong { .. } => "pong".into(),
            Self::PakeOk { .. } => "the server knows the passphrase".into(),
            Self::Bans { bans, total } => bans_text(bans, *total),
        }
    }
}

fn fill_stamp(packet: &mut Packet, seq: u64, ts: &str) {
    packet.seq = Some(seq);
    packet.ts = Some(ts.to_owned());
}

fn fill_welcome(packet: &mut Packet, welcome: &Welcome) {
    packet.v = Some(PROTOCOL_VERSION);
    packet.server = Some(welcome.server.clone());
    packet.name = Some(welcome.name.clone());
    packet.ip = Some(welcome.ip.clone());
    packet.total = Some(welcome.total);
    packet.limits = Some(welcome.limits.clone());
    packet.seq = Some(welcome.seq);
    packet.key = welcome.key.map(|key| key.to_string());
    packet.operator = welcome.operator.then_some(true);
    packet.closed = welcome.closed.then_some(true);
}

fn read_welcome(packet: Packet) -> Welcome {
    // The first line is ours; the message of the day follows it.
    let motd = packet.msg.split_once('\n').map(|(_, motd)| motd.to_owned()).unwrap_or_default();
    Welcome {
        server: packet.server.unwrap_or_default(),
        name: packet.name.unwrap_or_default(),
        ip: packet.ip.unwrap_or_default(),
        total: packet.total.unwrap_or_default(),
        limits: packet.limits.unwrap_or_default(),
        seq: packet.seq.unwrap_or_default(),
        key: packet.key.and_then(|key| key.parse().ok()),
        operator: packet.operator.unwrap_or_default(),
        closed: packet.closed.unwrap_or_default(),
        motd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(names: &[&str], count: usize) -> Crowd {
        Crowd { names: names.iter().map(|n| (*n).to_owned()).collect(), count, total: 9 }
    }

    #[test]
    fn a_crowd_reads_well_at_every_size() {
        for (crowd, text) in [
            (crowd(&["alice"], 1), "alice joined"),
            (crowd(&["alice", "bob"], 2), "alice and bob joined"),
            (crowd(&["alice", "bob", "eve"], 3), "alice, bob and eve joined"),
            (crowd(&["alice", "bob"], 7), "alice, bob and 5 more joined"),
            (crowd(&[], 1), "1 user joined"),
            (crowd(&[], 40), "40 users joined"),
        ] {
            assert_eq!(Event::Joined(crowd).text(), text);
        }
    }

    fn ban(until: Option<String>) -> BanInfo {
        let text = || "text".to_owned();
        BanInfo { kind: "ban".into(), who: text(), name: until.clone(), by: text(), until }
    }

    fn one_of_each() -> Vec<Event> {
        let text = || "text".to_owned();
        let user = UserInfo {
            name: text(),
            ip: text(),
            since: Some(text()),
            sessions: Some(2),
            operator: None,
            key: Some(text()),
            plaintext: Some(true),
        };
        let server = ServerInfo { id: text(), name: text(), version: text() };
        vec![
            Event::Welcome(Box::new(Welcome {
                server: server.clone(),
                name: text(),
                ip: text(),
                total: 3,
                limits: Limits { frame_bytes: 1, text_bytes: 2, name_chars: 3 },
                seq: 7,
                key: Some(Fingerprint::new([7; 32])),
                operator: true,
                closed: true,
                motd: "two\nlines".into(),
            })),
            Event::Chat {
                from: Sender { name: text(), ip: text(), key: Some(text()) },
                to: "all".into(),
                msg: text(),
                action: true,
                seq: 1,
                ts: text(),
            },
            Event::Sent { seq: 1, ts: text() },
            Event::Joined(crowd(&["alice"], 1)),
            Event::Left(crowd(&[], 12)),
            Event::Renamed { old: text(), name: text() },
            Event::Users { users: vec![user.clone()], total: 1, next: Some(text()) },
            Event::Time { time: text(), ts: text(), uptime: 3 },
            Event::Alert { by: text(), msg: text(), seq: 4, ts: text() },
            Event::Whois(user),
            Event::Pong { server, total: 4, closed: true },
            Event::Pake { pake: text(), msg: text() },
            Event::PakeOk { mac: text() },
            Event::Operator { operator: false, msg: text() },
            Event::Bans { bans: vec![ban(Some(text())), ban(None)], total: 5 },
            Event::Notice(text()),
            Event::Error { code: Some(Code::NameTaken), msg: text(), name: Some(text()) },
            Event::Bye { code: Some(Code::ShuttingDown), msg: text() },
        ]
    }

    #[test]
    fn a_list_of_bans_says_who_by_whom_until_when_and_how_many_more() {
        let mute = BanInfo { kind: "mute".into(), ..ban(Some("then".into())) };
        assert_eq!(
            Event::Bans { bans: vec![ban(None), mute], total: 9 }.text(),
            "text banned by text forever\ntext (then) muted by text until then\nand 7 older ones"
        );
        assert_eq!(Event::Bans { bans: vec![], total: 0 }.text(), "nobody is banned or muted");
    }

    #[test]
    fn a_user_is_shown_with_the_digits_of_the_key_or_as_unverified() {
        let user = UserInfo { name: "bob".into(), ip: "10.0.0.2".into(), ..UserInfo::default() };
        let text = |user| Event::Whois(user).text();
        assert_eq!(text(user.clone()), "bob from 10.0.0.2, unverified");
        let plain = UserInfo { plaintext: Some(true), ..user.clone() };
        assert_eq!(text(plain), "bob from 10.0.0.2, (plaintext), unverified");
        let key = Some(Fingerprint::new([0; 32]).to_string());
        let digits = "bob from 10.0.0.2, key 00000 00000 00000 00000 00000 00000";
        assert_eq!(text(UserInfo { key, ..user }), digits);
    }

    #[test]
    fn every_event_comes_back_from_its_frame() {
        for event in one_of_each() {
            let packet = Packet::parse(&event.to_packet("all", None).to_frame()).expect("our own frame");
            assert_eq!(Event::from_packet(packet), event);
        }
    }

    #[test]
    fn every_event_has_the_schema_of_the_replaced_system() {
        for event in one_of_each() {
            let frame = event.to_packet("bob", None).to_frame();
            let json: serde_json::Value = serde_json::from_slice(&frame).expect("JSON");
            assert!(json["from"]["name"].is_string() && json["from"]["ip"].is_string(), "{json}");
            assert!(json["to"].is_string() && !json["msg"].as_str().unwrap_or("").is_empty(), "{json}");
        }
    }

    #[test]
    fn an_unknown_type_is_kept_as_its_text() {
        let packet =
            Packet::parse(br#"{"from":{"name":"server"},"msg":"from the future","type":"hologram"}"#);
        let event = Event::from_packet(packet.expect("JSON"));
        assert!(matches!(event, Event::Unknown { msg, .. } if msg == "from the future"));
    }
}
