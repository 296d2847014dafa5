//! Reacts to a failing store, and tells people.

use super::archive::{Account, Lack, Message};
use super::delivery::{Audience, Delivery};
use super::lineage::Lineage;
use super::unstored::{Attendance, SeenUpTo};
use super::who::{SessionId, Who};
use super::{Chat, Deliveries, Now};
use crate::name::RoomName;
use crate::protocol::request::{Hello, Mode};
use crate::protocol::{Event, Since};
use std::sync::Arc;

/// For people who cannot fix it.
const NOT_STORED: &str = "the server cannot store messages, so people who are offline will miss them; tell the server's \
     administrator";

impl Chat {
    /// Notes whether the store works; `failure` says why not and what to do. Everyone learns of a change,
    /// operators of each failure. `stored`: the latest stored number.
    pub fn set_keeping(&mut self, failure: Option<&str>, stored: u64, now: &Now, out: &mut Deliveries) {
        let (worked, works) = (self.failure.is_none(), failure.is_none());
        if self.failure.as_deref() == failure {
            return;
        }
        self.failure = failure.map(Arc::from);
        if worked {
            self.unstored.begin(stored);
        }
        let told = match self.failure_told() {
            Some(told) => self.tell_operators(&Event::Storing { works: false, msg: told }, out),
            None if self.lineage.is_none() => {
                let msg = "names, operators, members, bans and mutes are stored again".into();
                self.tell_operators(&Event::Storing { works: true, msg }, out)
            }
            None => Vec::new(),
        };
        if self.lineage.is_some() && works != worked {
            let msg = if works { "messages are stored again" } else { NOT_STORED };
            let event = Event::Storing { works, msg: msg.into() };
            out.push(Delivery::to(Audience::Others(told), event.into_packet("all", None)));
        }
        if works {
            self.arrived(Vec::new(), now, out);
        }
    }

    /// Notes messages that went out although storing them failed.
    pub fn not_stored<'m>(&mut self, messages: impl Iterator<Item = &'m Message>) {
        for message in messages.filter(|message| message.kind.is_said()) {
            self.unstored.note(&message.venue, &message.mail, self.seq, message.at);
        }
    }

    /// The last message that was never stored since the store began to fail.
    pub fn lacks(&self) -> Option<Lack> {
        self.unstored.latest()
    }

    /// Why the store fails, and what to do; `None` while it works.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The failure as a message for operators.
    fn failure_told(&self) -> Option<String> {
        let failure = self.failure()?;
        let what = match self.lineage {
            Some(_) => "messages are not stored",
            None => "names, operators, members, bans and mutes are not stored",
        };
        Some(format!("{what} at the moment: {failure}"))
    }

    /// Tells a joining session that the store fails.
    pub(super) fn tell_failure(&self, id: SessionId, mode: Mode, out: &mut Deliveries) {
        let msg = match self.failure_told() {
            Some(told) if self.is_operator(id) => told,
            Some(_) if mode == Mode::Chat && self.lineage.is_some() => NOT_STORED.into(),
            _ => return,
        };
        self.inform(id, Event::Storing { works: false, msg }, out);
    }

    /// The warning for a command that changes records while the store fails.
    pub(super) fn unless_mended(&self) -> String {
        let told = |failure| {
            format!("; not stored yet, and lost if the server stops before this is fixed: {failure}")
        };
        self.failure().map_or_else(String::new, told)
    }

    /// The history's incarnations; `None`: the server stores no messages.
    pub fn lineage(&self) -> Option<&Lineage> {
        self.lineage.as_ref()
    }

    /// Whether this server has a history, working or not.
    pub fn keeps_messages(&self) -> bool {
        self.lineage.is_some()
    }

    /// Whether a message sent now would be stored.
    pub(super) fn keeps(&self) -> bool {
        self.lineage.is_some() && self.failure.is_none()
    }

    /// Notes when the last session of an account has left, if that can matter later.
    pub(super) fn note_left(&mut self, account: Arc<Account>) {
        if self.keeps() && self.unstored.is_empty() {
            return;
        }
        let who = Who::Account(account);
        if let Some(account) = who.account().filter(|_| self.sessions_of(&who).is_empty()) {
            self.unstored.left(account);
        }
    }

    /// Whether messages that were never stored went out while the session's user was away. `common`: the
    /// number up to which the client and the server agree, if known.
    pub(super) fn has_gap(&self, id: SessionId, hello: &Hello, common: Option<u64>) -> bool {
        if !self.listens(id) {
            return false;
        }
        let Some(asking) = self.asking(id) else { return false };
        let keeps = self.keeps_messages();
        let has = match (&hello.since, common) {
            (Some(Since::Time(text)), _) => Since::time(text).map_or(SeenUpTo::Nothing, SeenUpTo::Time),
            (Some(Since::Seq(_)), Some(common)) => SeenUpTo::Seq(common),
            (Some(Since::Seq(seq)), None) if !keeps && *seq > 0 => SeenUpTo::Seq(*seq),
            _ => SeenUpTo::Nothing,
        };
        if self.unstored.was_missed(has) {
            return true;
        }
        if self.unstored.is_empty() {
            return false;
        }
        let lobby = RoomName::lobby();
        let Some(account) = asking.who.account() else {
            return !keeps && self.unstored.is_missed_by_stranger(lobby.key(), has, self.seq);
        };
        let was = match self.sessions_of(&asking.who).len() {
            ..=1 => self.unstored.was(account),
            _ => Attendance::Here,
        };
        let joined = self.rooms.rooms_of(&asking.who).iter().filter_map(|room| self.rooms.get(*room));
        let rooms = std::iter::once(lobby.key()).chain(joined.map(|room| room.name.key()));
        self.unstored.is_missed(rooms, account, has, was, keeps)
    }
}
