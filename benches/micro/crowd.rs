//! A chat with many users, as a server makes one.

use lanchat::chat::{Archive, Chat, Deliveries, Lineage, Now, Parsed, Peer, Profile, Rules, SessionId};
use lanchat::fingerprint::Fingerprint;
use lanchat::limits::PRESENCE_WINDOW;
use lanchat::protocol::packet::ServerInfo;
use lanchat::protocol::request::ClientPacket;
use std::time::Duration;

/// Users, and where the next number is.
pub struct Crowd {
    pub chat: Chat,
    pub now: Now,
    pub out: Deliveries,
    next: u64,
    kind: Kind,
}

/// The common data of a crowd's users.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No key and no token, from the server's own machine.
    Local,
    /// The same from elsewhere.
    Remote,
    /// With a token.
    Token,
    /// With a key.
    Key,
}

impl Kind {
    pub const ALL: [(&str, Self); 4] =
        [("local", Self::Local), ("remote", Self::Remote), ("token", Self::Token), ("key", Self::Key)];

    fn peer(self, number: u64) -> Peer {
        let [.., high, middle, low] = number.to_be_bytes();
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        Peer {
            ip: if self == Self::Local { [127, 0, 0, 1].into() } else { [10, high, middle, low].into() },
            key: (self == Self::Key).then(|| Fingerprint::new(hash)),
            encrypted: self == Self::Key,
            local: self == Self::Local,
            web: false,
        }
    }

    /// The first frame of that user.
    pub fn hello(self, number: u64) -> String {
        let token = match self {
            Self::Token => format!(r#","token":"{number:032x}""#),
            _ => String::new(),
        };
        format!(
            r#"{{"from":{{"name":"user{number}"}},"to":"server","msg":"","type":"hello","v":1,"mode":"chat"{token}}}"#
        )
    }
}

impl Crowd {
    pub fn new(kind: Kind, users: u64) -> Self {
        let server = ServerInfo {
            id: "0f".repeat(32),
            name: "office".into(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let profile = Profile { server, run: None, motd: String::new() };
        let archive = Archive { lineage: Some(Lineage::first("a-log")), ..Archive::default() };
        let chat = Chat::new(profile, Rules::default(), archive);
        let mut crowd = Self { chat, now: Now::default(), out: Vec::new(), next: 0, kind };
        for _ in 0..users {
            crowd.login();
        }
        crowd.settle();
        crowd
    }

    /// The session of the next user.
    pub fn next(&self) -> SessionId {
        SessionId(self.next)
    }

    /// Hello to welcome; returns what the rules made of it.
    pub fn login(&mut self) -> SessionId {
        let hello = self.kind.hello(self.next);
        self.enter(&ClientPacket::parse(hello.as_bytes()).expect("a hello"))
    }

    /// The same with a hello that was read before.
    pub fn enter(&mut self, hello: &ClientPacket) -> SessionId {
        let id = self.next();
        self.next += 1;
        self.chat.connect(id, self.kind.peer(id.0));
        self.chat.screen(id, &self.now, &mut self.out);
        self.send(id, hello);
        id
    }

    /// A packet of that session.
    pub fn send(&mut self, id: SessionId, packet: &ClientPacket) {
        let parsed = Parsed::new(Box::new(packet.clone()), !self.chat.is_registered(id));
        self.receive(id, parsed);
    }

    /// The same with a packet that is read already, as the hub does it.
    pub fn receive(&mut self, id: SessionId, parsed: Parsed) {
        self.out.clear();
        divan::black_box(self.chat.pause(id, 1, &self.now));
        self.chat.receive(id, parsed, &self.now, &mut self.out);
        while self.chat.proceed(&self.now, &mut self.out) {}
        divan::black_box(&self.out);
    }

    pub fn logout(&mut self, id: SessionId) {
        self.chat.disconnect(id, &self.now, &mut Vec::new());
    }

    /// Lets time go by until everybody has been told who came, and the paces are as they were.
    pub fn settle(&mut self) {
        self.now.uptime += PRESENCE_WINDOW + Duration::from_secs(60);
        self.chat.tick(&self.now, &mut self.out);
        self.out = Vec::new();
    }
}
