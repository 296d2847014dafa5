//! What must always be so, whatever happened: for tests and fuzzers.

use super::{Chat, Now, Records, Session, SessionId, StandingRead};
use crate::protocol::request::Mode;
use std::collections::HashSet;

impl Chat {
    /// Asserts that the books agree, and that just these sessions get what is for the lobby.
    pub(crate) fn check(&self, following: &HashSet<SessionId>, now: &Now) {
        self.check_books(now);
        let listening: HashSet<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.user.is_some() && session.listens())
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(*following, listening, "who hears the lobby is who is in and listens");
        let banned = |session: &Session| self.ban_text(&session.peer(), now).is_some();
        assert!(!self.sessions.values().any(|session| session.user.is_some() && banned(session)));
    }

    /// Asserts that the books agree.
    pub(crate) fn check_books(&self, now: &Now) {
        assert_eq!(self.names.len(), self.users.len());
        for (key, id) in &self.names {
            assert_eq!(self.users[id].name.key(), *key);
        }
        self.check_users(now);
        let used: Vec<_> =
            self.users.values().filter_map(|user| Some((&user.name, user.owner.key()?))).collect();
        self.owned.check(&used);
        self.waiting.check_sums();
        for (account, users) in &self.accounts {
            assert!(
                !users.is_empty() && users.iter().all(|id| self.users[id].owner.account() == Some(account))
            );
        }
        let known = self.users.values().filter(|user| user.owner.account().is_some());
        assert_eq!(self.accounts.values().map(|users| users.len()).sum::<usize>(), known.count());
        let here =
            self.users.iter().map(|(id, user)| (user.who(*id), *id, user.name.key(), user.chatting > 0));
        self.rooms.check(&here.collect::<Vec<_>>());
        for room in self.rooms.after(None) {
            let users = room.here_after(None).map(|(_, user)| &self.users[&user]);
            let mut listening: Vec<_> = users.flat_map(|user| &user.sessions).copied().collect();
            listening.retain(|session| self.listens(*session));
            let mut listeners = room.listeners().to_vec();
            listeners.sort_unstable();
            listening.sort_unstable();
            assert_eq!(listeners, listening);
        }
    }

    fn check_users(&self, now: &Now) {
        let mut present = 0;
        for (id, user) in self.users.iter() {
            let sessions: Vec<_> = user.sessions.iter().map(|session| &self.sessions[session]).collect();
            assert!(!sessions.is_empty() && sessions.iter().all(|session| session.user == Some(*id)));
            assert!(sessions.iter().all(|session| session.key() == user.owner.key()));
            let alike: Vec<_> = self.looks.find(&user.name.likeness()).collect();
            assert_eq!(alike, [*id], "no two look alike");
            let claimed = self.owned.claimed(&user.name.likeness(), user.owner.key(), now.at());
            assert_eq!(claimed, None, "nobody bears another key's name");
            let chatting = sessions.iter().filter(|session| session.mode == Mode::Chat).count();
            assert_eq!(chatting, user.chatting as usize);
            present += usize::from(chatting > 0);
        }
        assert_eq!(present, self.present);
    }

    /// All that is remembered over a restart.
    pub(crate) fn records(&self, now: &Now) -> Records {
        let mut records = Records::default();
        let mut read = StandingRead::default();
        while self.more_standing(&mut read, now, &mut records) {}
        while self.more_members(&mut records.members) {}
        let mut from = Some(0);
        while let Some(place) = from {
            from = self.more_names(place, now, &mut records.names);
        }
        records
    }

    /// Asserts that nothing is left of anybody who was here.
    pub(crate) fn check_empty(&self) {
        assert!(self.users.is_empty() && self.names.is_empty() && self.sessions.is_empty());
        assert!(self.accounts.is_empty());
        assert_eq!((self.looks.len(), self.present, self.due()), (0, 0, None));
    }

    /// Whether what the session says must reach nobody; an operator's alerts may.
    pub(crate) fn is_silenced(&self, id: SessionId, now: &Now) -> bool {
        self.check_muted(id, now).is_err() && !self.is_operator(id)
    }

    /// Whether somebody of that name is here with an operator's key.
    pub(crate) fn is_operators_name(&self, name: &str) -> bool {
        self.find(name).is_some_and(|(_, user)| self.standing.is_operator(user.owner.key()))
    }
}
