//! Users who are here but do not read at the moment. An absence ends with `back`, or with the user's last
//! session.

use super::call::Call;
use super::delivery::{Audience, Delivery};
use super::table::{NumberHasher, give_back};
use super::who::UserId;
use crate::limits::MAX_AWAY_BYTES;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use std::collections::HashMap;

/// Why users are away. Few are, so they take no space in each user's row.
#[derive(Debug, Default)]
pub(super) struct Absences(HashMap<UserId, Box<str>, NumberHasher>);

impl Absences {
    pub(super) fn of(&self, user: UserId) -> Option<&str> {
        self.0.get(&user).map(|why| &**why)
    }

    pub(super) fn begin(&mut self, user: UserId, why: &str) {
        self.0.insert(user, why.into());
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn end(&mut self, user: UserId) {
        if self.0.remove(&user).is_some() {
            give_back(&mut self.0);
        }
    }
}

impl Call<'_> {
    /// Notes that the session's user is away, or back (`None`), and tells all of the user's sessions.
    pub(super) fn set_away(&mut self, why: Option<&str>) -> Result<(), Refusal> {
        let why = why.map(str::trim);
        if let Some(why) = why.filter(|why| why.len() > MAX_AWAY_BYTES) {
            let msg =
                format!("the reason has {} bytes; the limit is {MAX_AWAY_BYTES}; shorten it", why.len());
            return Err(Refusal::new(Code::TooLong, msg));
        }
        // Others see the text.
        if why.is_some_and(|why| !why.is_empty()) {
            self.chat.check_muted(self.session, self.now)?;
        }
        let Some(id) = self.chat.sessions.get(&self.session).and_then(|session| session.user) else {
            return Ok(());
        };
        match why {
            Some(why) => self.chat.absences.begin(id, why),
            None => self.chat.absences.end(id),
        }
        self.chat.note_sessions_of(id);
        let event = Event::Away { why: why.map(str::to_owned) };
        self.answer(event.clone());
        let Some(user) = self.chat.users.get(&id) else { return Ok(()) };
        let others = user.sessions.iter().copied().filter(|other| *other != self.session);
        let others: Vec<_> = others.filter(|other| self.chat.listens(*other)).collect();
        if !others.is_empty() {
            let packet = event.into_packet(user.name.as_str(), None);
            self.out.push(Delivery::to(Audience::Sessions(others), packet));
        }
        Ok(())
    }
}
