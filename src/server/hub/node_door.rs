//! The door of a server of several: whom it keeps out, as its own copy of the log says, before anything goes to the rules.
//!
//! A chat is closed if any of its servers was started as a closed one. Each server says so to the one that leads, and the
//! log keeps it, so that this also holds while only the others run. It ends when that server is started without --closed.

use super::Hub;
use super::hub_state::HubState;
use super::node_seat::NodeSeat;
use crate::chat::{BanRecord, Delivery, DoorBans, Entry, NodeSet, Now, Peer, Record, SessionId, TurnedAway};
use crate::fingerprint::Fingerprint;
use crate::limits::MAX_NODES;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use std::time::Duration;

/// Clients follow the advice by themselves.
pub(in crate::server) const ASKS_ELSEWHERE: &str = "this chat is closed, and this server cannot ask for the passphrase, \
     as it was started without --closed; connect to another server of the chat, and tell the administrator";

/// See the module.
#[derive(Debug)]
pub(in crate::server) struct NodeDoor {
    /// Whether this server was started as a closed one: it asks strangers for the passphrase.
    asks: bool,
    /// The servers that were started so, as the log says.
    closed: NodeSet,
    /// The same with what the rules here have decided, and the log does not say yet.
    decided: NodeSet,
    /// How many servers there are.
    servers: usize,
    bans: DoorBans,
}

impl NodeDoor {
    /// `servers`: how many there are; 0: unknown.
    pub(in crate::server) fn new(
        asks: bool,
        (closed, servers): (NodeSet, usize),
        bans: Vec<(u32, BanRecord)>,
    ) -> Self {
        let servers = if servers == 0 { MAX_NODES } else { servers };
        Self { asks, closed, decided: closed, servers, bans: DoorBans::new(bans) }
    }

    /// Whether this server was started as a closed one.
    pub(super) fn asks(&self) -> bool {
        self.asks
    }

    /// Whether only members may enter the chat.
    pub(super) fn is_closed(&self) -> bool {
        // Not of a server that the chat no longer has.
        self.asks || !self.closed.among_first(self.servers).is_empty()
    }

    /// Follows a change of a record.
    pub(super) fn learn(&mut self, record: &Record) {
        self.bans.learn(record);
    }

    /// Learns how a server was started. `true`: the chat is closed since then.
    pub(super) fn learn_closed(&mut self, server: u8, is_closed: bool) -> bool {
        let before = self.is_closed();
        self.closed = self.closed.with(server, is_closed);
        self.is_closed() && !before
    }

    /// The rules begin to run here.
    pub(super) fn begin_rules(&mut self) {
        self.decided = self.closed;
    }
}

impl Default for NodeDoor {
    fn default() -> Self {
        Self::new(false, (NodeSet::default(), 0), Vec::new())
    }
}

impl NodeSeat {
    /// Whether this server has checked that a session without a name may enter a closed chat.
    pub(super) fn vouches_for(&self, id: SessionId) -> bool {
        self.door.asks && self.is_waited_for(id)
    }

    /// The chat is closed from now on: ends the sessions that this server would not have let in.
    pub(super) fn end_strangers(&mut self, uptime: Duration) {
        let is_member = |key: Option<Fingerprint>| key.is_some_and(|key| self.keys.may_send_files(&key));
        let strangers = self.sessions.iter().filter(|(_, session)| !is_member(session.peer.key));
        let strangers: Vec<SessionId> = strangers.map(|(id, _)| id).collect();
        let why = Event::error(Code::ServerFull, ASKS_ELSEWHERE).into_packet("", None);
        strangers.into_iter().for_each(|id| self.end(id, &why, uptime));
    }

    /// Why a peer is banned, if it is.
    fn ban_of(&self, peer: &Peer, now: &Now) -> Option<Refusal> {
        let is_operator = peer.key.is_some_and(|key| self.keys.is_operator(&key));
        self.door.bans.refusal(peer, is_operator, now)
    }
}

impl HubState {
    /// Becomes the hub of one of several servers.
    pub(super) fn take_seat(&mut self, seat: NodeSeat) {
        self.chat.set_closed(seat.door.is_closed());
        self.node = Some(Box::new(seat));
    }

    /// Ends a new connection at once if this server takes none, or its peer is banned.
    pub(super) fn screen_at_node(&mut self, id: SessionId, peer: &Peer, now: &Now) {
        let Some(seat) = &mut self.node else { return };
        if seat.refuses(id, now.uptime) {
            return;
        }
        if let Some(Refusal { code, msg, .. }) = seat.ban_of(peer, now) {
            seat.end(id, &Event::error(code, msg).into_packet("", None), now.uptime);
            self.journal.turned_away(TurnedAway { ip: peer.ip, name: None, code });
        }
    }

    /// Has the log keep how a server was started, if it does not say so yet.
    pub(super) fn keep_closed(&mut self, server: u8, is_closed: bool) {
        let Some(door) = self.node.as_mut().map(|seat| &mut seat.door) else { return };
        if door.decided.has(server) != is_closed {
            door.decided = door.decided.with(server, is_closed);
            self.act(|_, out| out.push(Delivery::Keep(Entry::Closed(server, is_closed))));
        }
    }
}

impl Hub {
    /// Whether only members may join.
    pub(in crate::server) fn is_closed_to_strangers(&self) -> bool {
        let is_closed = || self.lock().node.as_ref().is_some_and(|seat| seat.door.is_closed());
        self.closed_server.is_some() || self.node.is_some() && is_closed()
    }
}
