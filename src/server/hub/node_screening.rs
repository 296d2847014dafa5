//! Bans, and strangers in a closed chat: admission at a server of several.

use super::Hub;
use super::hub_state::HubState;
use super::node_door::ASKS_ELSEWHERE;
use super::node_seat::NodeSeat;
use crate::chat::{Delivery, Entry, Now, Peer, SessionId, TurnedAway};
use crate::fingerprint::Fingerprint;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use std::time::Duration;

impl NodeSeat {
    /// Whether this server has checked that a session without a name may enter a closed chat.
    pub(super) fn vouches_for(&self, id: SessionId) -> bool {
        self.door.asks() && self.is_waited_for(id)
    }

    /// Learns how a server was started.
    pub(super) fn learn_closed(&mut self, server: u8, is_closed: bool, uptime: Duration) {
        if self.door.learn_closed(server, is_closed) {
            self.end_strangers(uptime);
        }
    }

    /// The chat is closed from now on: ends the sessions that this server would not have let in.
    fn end_strangers(&mut self, uptime: Duration) {
        let is_member = |key: Option<Fingerprint>| key.is_some_and(|key| self.keys.may_send_files(&key));
        let strangers = self.sessions.iter().filter(|(_, session)| !is_member(session.peer.key));
        let strangers: Vec<SessionId> = strangers.map(|(id, _)| id).collect();
        let why = Event::error(Code::ServerFull, ASKS_ELSEWHERE).into_packet("", None);
        strangers.into_iter().for_each(|id| self.end(id, &why, uptime));
    }

    /// Why a peer is banned, if it is.
    fn ban_of(&self, peer: &Peer, now: &Now) -> Option<Refusal> {
        // The other servers pass on files from addresses that a ban may cover.
        let is_exempt = |key| key == self.chat_key() || self.keys.is_operator(&key);
        let is_operator = peer.key.is_some_and(is_exempt);
        self.door.ban_of(peer, is_operator, now)
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
        let Some(seat) = &mut self.node else { return };
        if seat.door.decide_closed(server, is_closed) {
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
