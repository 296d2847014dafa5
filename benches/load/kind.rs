//! The servers that are measured side by side.

use super::floor;
use crate::rig::clients::{Clients, Speech, Target};
use crate::rig::cpus::Cpus;
use crate::rig::keys::Keys;
use crate::rig::process::SPARE_DESCRIPTORS;
use crate::rig::serve::{Serve, Server};
use crate::rig::siblings::Siblings;
use anyhow::Result;
use std::process::Command;
use std::rc::Rc;
use tempfile::TempDir;

/// Which server, and what its clients speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The relay of [`crate::floor`].
    Floor,
    /// `lanchat serve --no-history`, and clients that speak plaintext.
    Plain,
    /// `lanchat serve`, which has each message on the disk before anybody gets it, and clients that
    /// speak plaintext.
    Kept,
    /// The same at one of three servers of a chat, which leads it. Nobody is at the others.
    Leader,
    /// The same at one that follows.
    Follower,
    /// The relay with TLS.
    FloorTls,
    /// `lanchat serve --no-history`, and clients that speak TLS and have a key each.
    Tls,
    /// The same with a history: it keeps what people with a key write to each other.
    KeptTls,
    /// The relay with frames of WebSocket.
    FloorWs,
    /// `lanchat serve --no-history`, and browsers over http.
    Ws,
    /// `lanchat serve --no-history`: half are browsers over http, half speak plaintext.
    HalfWs,
    /// The relay with frames of WebSocket in TLS.
    FloorWss,
    /// `lanchat serve --no-history`, and browsers over https that have a key each.
    Wss,
}

impl Kind {
    /// Every one, in the order of the table.
    const ALL: [Self; 13] = [
        Self::Floor,
        Self::Plain,
        Self::Kept,
        Self::Leader,
        Self::Follower,
        Self::FloorTls,
        Self::Tls,
        Self::KeptTls,
        Self::FloorWs,
        Self::Ws,
        Self::HalfWs,
        Self::FloorWss,
        Self::Wss,
    ];

    /// Those with a lobby, unless it is said.
    pub const OF_LOBBY: [Self; 5] = [Self::Floor, Self::Plain, Self::Kept, Self::FloorTls, Self::Tls];

    /// Those with direct messages: nothing is kept of people without a key.
    pub const OF_DIRECTS: [Self; 5] = [Self::Floor, Self::Plain, Self::FloorTls, Self::Tls, Self::KeptTls];

    /// Those with rooms.
    pub const OF_ROOMS: [Self; 4] = [Self::Floor, Self::Plain, Self::FloorTls, Self::Tls];

    /// Those that are held against each other, and what the table calls it.
    pub const RATIOS: [(Self, Self, &'static str); 11] = [
        (Self::Plain, Self::Floor, "plaintext/floor"),
        (Self::Tls, Self::FloorTls, "TLS/floor TLS"),
        (Self::Kept, Self::Plain, "kept/plaintext"),
        (Self::Leader, Self::Kept, "leader/kept"),
        (Self::Follower, Self::Kept, "follower/kept"),
        (Self::KeptTls, Self::Tls, "kept TLS/TLS"),
        (Self::Ws, Self::FloorWs, "ws/floor ws"),
        (Self::Ws, Self::Plain, "ws/plaintext"),
        (Self::HalfWs, Self::Plain, "half ws/plaintext"),
        (Self::Wss, Self::FloorWss, "wss/floor wss"),
        (Self::Wss, Self::Tls, "wss/TLS"),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Plain => "plaintext",
            Self::Kept => "kept",
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::FloorTls => "floor TLS",
            Self::Tls => "TLS",
            Self::KeptTls => "kept TLS",
            Self::FloorWs => "floor ws",
            Self::Ws => "ws",
            Self::HalfWs => "half ws",
            Self::FloorWss => "floor wss",
            Self::Wss => "wss",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().replace(' ', "-").eq_ignore_ascii_case(name))
    }

    pub fn is_floor(self) -> bool {
        matches!(self, Self::Floor | Self::FloorTls | Self::FloorWs | Self::FloorWss)
    }

    fn keeps(self) -> bool {
        matches!(self, Self::Kept | Self::KeptTls) || self.is_of_several()
    }

    fn is_of_several(self) -> bool {
        matches!(self, Self::Leader | Self::Follower)
    }

    /// Those that a storm or a crowd can be of: the server without a history.
    pub fn is_alone(self) -> bool {
        matches!(self, Self::Plain | Self::Tls | Self::Ws | Self::Wss)
    }

    pub fn speaks_tls(self) -> bool {
        matches!(self, Self::FloorTls | Self::Tls | Self::KeptTls | Self::FloorWss | Self::Wss)
    }

    pub fn is_web(self) -> bool {
        matches!(self, Self::FloorWs | Self::Ws | Self::HalfWs | Self::FloorWss | Self::Wss)
    }
}

/// A server of some kind, with nobody on it yet.
pub struct Stage {
    pub kind: Kind,
    pub server: Server,
    keys: Option<Rc<Keys>>,
    _siblings: Option<Siblings>,
    _data_dir: TempDir,
}

impl Stage {
    /// Starts a server for so many clients, whose keys are made before, and who all write to all.
    pub fn new(kind: Kind, clients: usize, keys: &Rc<Keys>, cpus: Cpus) -> Result<Self> {
        Self::with(kind, clients, keys, cpus, &[])
    }

    /// The same, and they write to groups.
    pub fn with_groups(kind: Kind, clients: usize, keys: &Rc<Keys>, cpus: Cpus) -> Result<Self> {
        Self::with(kind, clients, keys, cpus, &[floor::ROUTES])
    }

    fn with(kind: Kind, clients: usize, keys: &Rc<Keys>, cpus: Cpus, floor_options: &[&str]) -> Result<Self> {
        let keys = kind.speaks_tls().then(|| Rc::clone(keys));
        if let Some(keys) = &keys {
            keys.make_for(clients, kind.is_web())?;
        }
        let data_dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mut siblings =
            kind.is_of_several().then(|| Siblings::with_engines(data_dir.path())).transpose()?;
        if let Some(siblings) = siblings.as_mut().filter(|_| kind == Kind::Follower) {
            siblings.start_servers(2)?;
        }
        let command = if kind.is_floor() {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg(floor::FLAG).args(floor_options).args(kind.speaks_tls().then_some(floor::TLS));
            command.args(kind.is_web().then_some(floor::WEB));
            command
        } else {
            let max_clients = clients + SPARE_DESCRIPTORS;
            let (kept, web) = (kind.keeps(), kind.is_web());
            let serve = Serve { data_dir: data_dir.path(), port: 0, max_clients, kept, paced: false, web };
            siblings.as_ref().map_or_else(|| serve.command(), |siblings| siblings.command(serve))
        };
        let server = Server::start(command, cpus)?;
        if let Some(siblings) = siblings.as_mut().filter(|_| kind == Kind::Leader) {
            siblings.wait_for_lead()?;
            siblings.start_servers(3)?;
        }
        Ok(Self { kind, server, keys, _siblings: siblings, _data_dir: data_dir })
    }

    /// Its clients, none of whom is connected.
    pub fn clients(&self) -> Result<Clients> {
        let speech = if self.kind.is_floor() { Speech::Lines } else { Speech::Packets };
        let keys = self.keys.clone();
        let web = match self.kind {
            Kind::HalfWs => 2,
            kind => usize::from(kind.is_web()),
        };
        let address = self.server.address;
        Clients::new(Target { address, speech, keys, sources: 1, first: 0, web })
    }
}
