//! The door of a server of several: whom it keeps out, as its own copy of the log says, before anything goes to the rules.
//!
//! A chat is closed if any of its servers was started as a closed one. Each server says so to the one that leads, and the
//! log keeps it, so that this also holds while only the others run. It ends when that server is started without --closed.

use crate::chat::{BanRecord, DoorBans, NodeSet, Now, Peer, Record};
use crate::limits::MAX_NODES;
use crate::protocol::request::Refusal;

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

    /// Why a peer is banned, if it is.
    pub(super) fn ban_of(&self, peer: &Peer, is_operator: bool, now: &Now) -> Option<Refusal> {
        self.bans.refusal(peer, is_operator, now)
    }

    /// The rules, which run here, hear how a server was started. `true`: the log does not say so yet.
    pub(super) fn decide_closed(&mut self, server: u8, is_closed: bool) -> bool {
        let is_new = self.decided.has(server) != is_closed;
        self.decided = self.decided.with(server, is_closed);
        is_new
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_closed_while_any_of_its_servers_is() {
        let mut door = NodeDoor::new(false, (NodeSet::default().with(7, true), 3), Vec::new());
        assert!(!door.is_closed(), "the chat has no server with that number any more");
        assert!(door.learn_closed(1, true) && door.is_closed());
        assert!(!door.learn_closed(2, true), "it was closed before");
        door.learn_closed(1, false);
        assert!(door.is_closed());
        door.learn_closed(2, false);
        assert!(!door.is_closed());
        let mut asking = NodeDoor::new(true, (NodeSet::default(), 3), Vec::new());
        assert!(asking.is_closed() && !asking.learn_closed(1, true), "nobody came in unasked");
    }

    #[test]
    fn the_rules_keep_each_word_once_although_the_log_has_it_later() {
        let mut door = NodeDoor::default();
        assert!(!door.decide_closed(1, false));
        assert!(door.decide_closed(1, true) && !door.decide_closed(1, true));
        assert!(door.decide_closed(1, false));
        // Another server led, whose log does not have it.
        assert!(door.decide_closed(2, true));
        door.begin_rules();
        assert!(door.decide_closed(2, true));
    }
}
