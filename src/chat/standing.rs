//! Keeps the sessions, for another server of the same chat that goes on with them.
//!
//! A chat with several servers keeps its sessions like names and rooms: after each call, the rules push the new
//! state of the sessions that the call has changed. The next leader starts from these, and nobody was away.

use super::archive::{Archive, Entry};
use super::delivery::Delivery;
use super::node_set::ChatNodes;
use super::session_record::{SessionRecord, UserRecord};
use super::table::NumberHasher;
use super::who::{Owner, SessionId, UserId, Who};
use super::{Chat, Deliveries, Now};
use crate::name::Name;
use crate::protocol::Nodes;
use crate::protocol::request::Mode;
use indexmap::IndexSet;
use std::sync::Arc;

/// Sessions that have changed since the last call of [`Chat::keep_standing`].
#[derive(Debug, Default)]
pub(super) struct ChangedSessions(IndexSet<SessionId, NumberHasher>);

impl Chat {
    /// From now on, keeps what is known of the sessions and their offers.
    pub fn keep_sessions(&mut self) {
        self.changed_sessions.get_or_insert_default();
        if let Some(offers) = &mut self.offers {
            offers.note_changes();
        }
    }

    /// The sessions with such a number.
    pub fn sessions_where(&self, is_wanted: impl Fn(SessionId) -> bool) -> Vec<SessionId> {
        self.sessions.keys().copied().filter(|id| is_wanted(*id)).collect()
    }

    /// Starts over from an archive, with the settings and secrets of this process.
    pub fn reopen(&mut self, archive: Archive) {
        let fresh = Self::new(self.profile.clone(), self.rules.clone(), archive);
        let old = std::mem::replace(self, fresh);
        (self.secrets, self.tickets, self.web) = (old.secrets, old.tickets, old.web);
        self.nodes = old.nodes;
        self.offers = old.offers.map(|offers| Box::new(offers.emptied()));
        (self.is_over, self.successor) = (old.is_over, old.successor);
        (self.doubt, self.is_mail_full) = (old.doubt, old.is_mail_full);
    }

    /// Tells clients of the chat's servers. `names`: of all, by number.
    pub fn name_servers(&mut self, places: Nodes, names: &[String]) {
        self.nodes = Some(ChatNodes { places, names: names.into() });
    }

    /// The chat's servers, of which the session is at the named one; `None`: there is only one.
    pub(super) fn nodes_for(&self, id: SessionId) -> Option<Nodes> {
        let places = &self.nodes.as_ref()?.places;
        // Otherwise it is this one.
        let node = self.node_names().and_then(|names| names.get(usize::from(id.server())));
        Some(node.map_or_else(|| places.clone(), |node| places.seen_from(node)))
    }

    /// The names of the chat's servers, by number; `None`: all sessions are at this one.
    pub(super) fn node_names(&self) -> Option<&Arc<[String]>> {
        self.changed_sessions.as_ref().and(self.nodes.as_ref()).map(|nodes| &nodes.names)
    }

    /// Whether each session has its pace at its own server.
    pub(super) fn is_paced_elsewhere(&self) -> bool {
        self.changed_sessions.is_some()
    }

    /// Pushes the state of the sessions that have changed.
    pub fn keep_standing(&mut self, out: &mut Deliveries) {
        let Some(standing) = &mut self.changed_sessions else { return };
        for id in std::mem::take(&mut standing.0) {
            let record = self.session_record(id).map(Box::new);
            out.push(Delivery::Keep(Entry::Session(id, record)));
        }
        self.keep_offers(out);
    }

    pub(super) fn note_session(&mut self, id: SessionId) {
        if let Some(standing) = &mut self.changed_sessions {
            standing.0.insert(id);
        }
    }

    pub(super) fn note_sessions_of(&mut self, user: UserId) {
        if let (Some(standing), Some(user)) = (&mut self.changed_sessions, self.users.get(&user)) {
            standing.0.extend(&user.sessions);
        }
    }

    /// The rooms of a user without an account have changed.
    pub(super) fn note_guest(&mut self, who: &Who) {
        if let Who::User(user) = who {
            self.note_sessions_of(*user);
        }
    }

    fn session_record(&self, id: SessionId) -> Option<SessionRecord> {
        let session = self.sessions.get(&id)?;
        let user = session.user.and_then(|number| {
            let (user, who) = (self.users.get(&number)?, self.person(number)?);
            let account = user.owner.account().map(|account| (**account).clone());
            let rooms = self.rooms.rooms_of(&who).iter().filter(|_| account.is_none());
            let rooms = rooms.filter_map(|room| self.rooms.get(*room));
            Some(UserRecord {
                number: number.0,
                name: user.name.to_string(),
                since: user.since,
                away: self.absences.of(number).map(str::to_owned),
                rooms: rooms.filter_map(|room| Some((room.name.clone(), room.since(&who)?))).collect(),
                account,
            })
        });
        let (mode, reads, greeted) = (session.mode, session.reads, self.greeted.get(&id).copied());
        Some(SessionRecord { id, peer: session.peer(), mode, reads, greeted, user })
    }

    /// Goes on with a session that another server's rules have begun. Nobody hears of it: nobody was away.
    pub fn adopt(&mut self, record: SessionRecord, now: &Now, out: &mut Deliveries) {
        let SessionRecord { id, peer, mode, reads, greeted, user } = record;
        self.connect(id, peer);
        if let Some(upto) = greeted {
            self.greeted.insert(id, upto);
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.reads = reads;
        }
        if let Some(user) = user
            && let Ok(name) = Name::new(&user.name)
        {
            self.adopt_user(id, name, user, mode, now, out);
        }
        // It is stored as it is.
        if let Some(standing) = &mut self.changed_sessions {
            standing.0.swap_remove(&id);
        }
    }

    fn adopt_user(
        &mut self,
        id: SessionId,
        name: Name,
        record: UserRecord,
        mode: Mode,
        now: &Now,
        out: &mut Deliveries,
    ) {
        let UserRecord { number, account, since, away, rooms, .. } = record;
        let user_id = UserId(number);
        if !self.users.contains_key(&user_id) {
            let owner = account.map_or(Owner::Nobody, |account| Owner::Known(Arc::new(account)));
            let (key, likeness) = (owner.key().copied(), name.likeness());
            if let (Some(key), Some(session)) = (key, self.sessions.get(&id)) {
                let ip = session.ip;
                self.owned.begin((&name, &likeness), key, ip, now.at(), out);
            }
            self.next_user = self.next_user.max(number);
            let next = std::mem::replace(&mut self.next_user, number);
            self.add_user(id, name.clone(), &likeness, owner, now);
            self.next_user = self.next_user.max(next);
            if let Some(user) = self.users.get_mut(&user_id) {
                user.since = since;
            }
            for (room, since) in rooms {
                let room = self.rooms.join(Who::User(user_id), &room, since);
                self.rooms.enter(room, name.key(), user_id, false);
            }
        }
        self.seat(id, user_id, mode);
        if let Some(why) = away {
            self.absences.begin(user_id, &why);
        }
        self.note_shared_key(user_id);
    }
}
