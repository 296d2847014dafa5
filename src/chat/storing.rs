//! Whether what is to be kept is, and what people are told while it is not.

use super::archive::{Account, Lack, Message};
use super::delivery::{Audience, Delivery};
use super::unstored::{Has, Was};
use super::who::{SessionId, Who};
use super::{Chat, Deliveries, Now};
use crate::name::RoomName;
use crate::protocol::request::{Hello, Mode};
use crate::protocol::{Event, Since};
use std::sync::Arc;

/// What those are told who can't mend it.
const NOT_STORED: &str =
    "the server can't store what is said, so whoever is away misses it; tell whoever runs it";

impl Chat {
    /// Whether what is said can be kept, from here on; `failure`: why it can't, and what to do. Everybody is told
    /// once of either change, and operators of each failure. `stored`: the latest number that is stored.
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
            None if self.log.is_none() => {
                let msg = "names, operators, members, bans and mutes are stored again".into();
                self.tell_operators(&Event::Storing { works: true, msg }, out)
            }
            None => Vec::new(),
        };
        if self.log.is_some() && works != worked {
            let msg = if works { "what is said is stored again" } else { NOT_STORED };
            let event = Event::Storing { works, msg: msg.into() };
            out.push(Delivery::to(Audience::Others(told), event.into_packet("all", None)));
        }
        if works {
            self.arrived(Vec::new(), now, out);
        }
    }

    /// These could not be stored after all, and were passed on.
    pub fn not_stored<'m>(&mut self, messages: impl Iterator<Item = &'m Message>) {
        for message in messages.filter(|message| message.kind.is_said()) {
            self.unstored.note(&message.venue, &message.mail, self.seq, message.at);
        }
    }

    /// The last that was said since the store began to fail, and is stored nowhere; `None`: nothing was.
    pub fn lacks(&self) -> Option<Lack> {
        self.unstored.latest()
    }

    /// Why nothing is stored, and what to do; `None`: all is well.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The same, for operators.
    fn failure_told(&self) -> Option<String> {
        let failure = self.failure()?;
        let what = match self.log {
            Some(_) => "nothing is stored",
            None => "names, operators, members, bans and mutes are not stored",
        };
        Some(format!("{what} at the moment: {failure}"))
    }

    /// Tells whoever comes in while nothing is stored.
    pub(super) fn tell_failure(&self, id: SessionId, mode: Mode, out: &mut Deliveries) {
        let msg = match self.failure_told() {
            Some(told) if self.is_operator(id) => told,
            Some(_) if mode == Mode::Chat && self.log.is_some() => NOT_STORED.into(),
            _ => return,
        };
        self.inform(id, Event::Storing { works: false, msg }, out);
    }

    /// What whoever changes the books is told besides.
    pub(super) fn unless_mended(&self) -> String {
        let told = |failure| {
            format!("; not stored yet, and forgotten if the server ends before this is mended: {failure}")
        };
        self.failure().map_or_else(String::new, told)
    }

    /// Whether messages are kept here at all, whether that works now or not.
    pub fn keeps_messages(&self) -> bool {
        self.log.is_some()
    }

    /// Whether what is said now is kept.
    pub(super) fn keeps(&self) -> bool {
        self.log.is_some() && self.failure.is_none()
    }

    /// A session of the account is gone. If that was the last, it is noted, as far as anybody may ask for it.
    pub(super) fn note_left(&mut self, account: Arc<Account>) {
        if self.keeps() && self.unstored.is_empty() {
            return;
        }
        let who = Who::Account(account);
        if let Some(account) = who.account().filter(|_| self.sessions_of(&who).is_empty()) {
            self.unstored.left(account);
        }
    }

    /// Whether something was said while the session's user was away that is stored nowhere. `common`: up to
    /// which number it has what the server has, if that is known.
    pub(super) fn has_gap(&self, id: SessionId, hello: &Hello, common: Option<u64>) -> bool {
        if !self.listens(id) {
            return false;
        }
        let Some(asking) = self.asking(id) else { return false };
        let keeps = self.keeps_messages();
        let has = match (&hello.since, common) {
            (Some(Since::Time(text)), _) => Since::time(text).map_or(Has::Nothing, Has::Time),
            (Some(Since::Seq(_)), Some(common)) => Has::Seq(common),
            (Some(Since::Seq(seq)), None) if !keeps && *seq > 0 => Has::Seq(*seq),
            _ => Has::Nothing,
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
            _ => Was::Here,
        };
        let joined = self.rooms.rooms_of(&asking.who).iter().filter_map(|room| self.rooms.get(*room));
        let rooms = std::iter::once(lobby.key()).chain(joined.map(|room| room.name.key()));
        self.unstored.is_missed(rooms, account, has, was, keeps)
    }
}
