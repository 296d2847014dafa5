//! Changes of messages: who may change which one, and who learns of it.
//!
//! Only the store has the messages, so a change takes two steps: the rules ask for the message, and decide
//! once they know it.

use super::archive::{Account, Kind, Mail, Message, MessageChange, Question, Venue};
use super::call::Call;
use super::delivery::Audience;
use super::rates::News;
use super::say::NewMessage;
use super::table::{NumberHasher, give_back};
use super::unknown::no_such_message;
use super::who::{SessionId, UserId, Who};
use super::{Chat, Deliveries, Now};
use crate::limits::{CHANGE_TIME, MAX_CHANGED_BY_STRANGER};
use crate::name::NameKey;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The newest messages of users without key and token: only their session proves that they wrote them.
#[derive(Debug, Default)]
pub(super) struct StrangersMessages(HashMap<UserId, VecDeque<u64>, NumberHasher>);

impl StrangersMessages {
    pub(super) fn add(&mut self, user: UserId, seq: u64) {
        let own = self.0.entry(user).or_default();
        own.push_back(seq);
        if own.len() > MAX_CHANGED_BY_STRANGER {
            own.pop_front();
        }
    }

    pub(super) fn forget(&mut self, user: UserId) {
        if self.0.remove(&user).is_some() {
            give_back(&mut self.0);
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, user: UserId, seq: u64) -> bool {
        self.0.get(&user).is_some_and(|own| own.contains(&seq))
    }
}

impl Call<'_> {
    /// Asks the store for the message to change; `text` is the new one, `None` to delete the message.
    pub(super) fn begin_change(&mut self, seq: u64, text: Option<String>) -> Result<(), Refusal> {
        self.chat.check_history()?;
        if let Some(text) = &text {
            if text.trim().is_empty() {
                let msg = "the new text is empty; put it into \"msg\", or delete the message";
                return Err(Refusal::new(Code::BadPacket, msg));
            }
            self.chat.check_muted(self.session, self.now)?;
        }
        self.chat.check_changing()?;
        self.chat.count_news(self.session, News::Change, self.now)?;
        let question = Question::Change(MessageChange { seq, text });
        self.ask_store(question);
        Ok(())
    }

    fn change(&mut self, change: MessageChange, found: Option<Message>) -> Result<(), Refusal> {
        let MessageChange { seq, text } = change;
        let message = found.filter(|message| self.chat.may_know(self.session, message));
        let message = message.ok_or_else(|| no_such_message(seq))?;
        self.chat.check_changing()?;
        self.check_right(&message, text.is_some())?;
        check_reach(&message)?;
        if text.as_ref() == Some(&message.text) {
            // The client repeats a request whose receipt it did not get.
            let ts = message.stamp();
            self.answer(Event::Sent { seq: None, ts, stored: true, waits: None, away: None });
            return Ok(());
        }
        let (Some(from), author) = (self.chat.sender(self.session), self.chat.author(self.session)) else {
            return Ok(());
        };
        let audience = self.chat.readers(self.session, &message);
        let action = message.kind == Kind::Action;
        let (kind, text) = match text {
            Some(text) => (Kind::Edited { of: seq, action }, text),
            None if self.chat.is_author(self.session, &message) => (Kind::Deleted { of: seq }, String::new()),
            // Others learn whose message an operator deleted.
            None => (Kind::Deleted { of: seq }, message.from.name),
        };
        self.chat.tell_coming(self.session, &message.venue, self.out);
        let mail = message.mail.into_iter().map(|mail| Mail { waits: false, ..mail }).collect();
        let change = NewMessage {
            kind,
            from,
            author,
            text,
            venue: message.venue,
            receiver: None,
            mail,
            audience,
            waits: None,
            away: None,
            reply: None,
            refusal: None,
            receipt: self.echo.take().map(|echo| (self.session, echo)),
        };
        self.chat.pass_on(change, self.now, self.out);
        Ok(())
    }

    fn check_right(&self, message: &Message, is_edit: bool) -> Result<(), Refusal> {
        if self.chat.is_author(self.session, message) {
            let age = self.now.clock.timestamp().duration_since(message.at);
            if Duration::try_from(age).is_ok_and(|age| age > CHANGE_TIME) {
                let hours = CHANGE_TIME.as_secs() / 3600;
                let msg = format!("this message is older than {hours} hours; send another one instead");
                return self.chat.may_delete(self.session, message, is_edit, &msg);
            }
            return Ok(());
        }
        let msg = match is_edit {
            true => "you can only change your own messages",
            false => "only its author or an operator can delete a message",
        };
        self.chat.may_delete(self.session, message, is_edit, msg)
    }
}

/// Refuses to change a direct message to a user with neither key nor token: the server does not know who has it.
fn check_reach(message: &Message) -> Result<(), Refusal> {
    let has_reader = || message.mail.iter().any(|mail| Some(&mail.account) != message.author.as_ref());
    let to = match &message.venue {
        Venue::Direct(to) if message.receiver.is_none() && !has_reader() => to,
        Venue::Direct(_) | Venue::Room(_) => return Ok(()),
    };
    let msg = format!(
        "message {} went to {to}, who has neither key nor token; it cannot be changed there, so it stays as it is",
        message.seq
    );
    Err(Refusal::new(Code::NoSuchMessage, msg))
}

impl Chat {
    /// Goes on with a change, once the store has looked for the message.
    pub fn change(
        &mut self,
        id: SessionId,
        echo: Option<String>,
        (change, found): (MessageChange, Option<Message>),
        now: &Now,
        out: &mut Deliveries,
    ) {
        if !self.is_registered(id) {
            return;
        }
        let mut call = self.call(id, echo, now, out);
        if let Err(refusal) = call.change(change, found) {
            call.refuse(refusal);
        }
    }

    /// Notes a message of a user without key and token.
    pub(super) fn note_strangers(&mut self, id: SessionId, seq: u64) {
        let user = self.sessions.get(&id).and_then(|session| session.user);
        let is_known = self.user_of(id).is_none_or(|user| user.owner.account().is_some());
        if let Some(user) = user.filter(|_| !is_known) {
            self.strangers_messages.add(user, seq);
        }
    }

    fn check_changing(&self) -> Result<(), Refusal> {
        if self.keeps() {
            return Ok(());
        }
        let msg = "the server cannot store messages at the moment, so it cannot change any; try again later";
        Err(Refusal::new(Code::NotStored, msg))
    }

    /// Whether the session's user may know that the message exists: rooms are open, mail is private.
    fn may_know(&self, id: SessionId, message: &Message) -> bool {
        let is_in_mail = || {
            let own = self.author(id);
            own.is_some_and(|own| message.mail.iter().any(|mail| mail.account == own))
        };
        let is_changeable = matches!(message.kind, Kind::Chat | Kind::Action);
        is_changeable
            && match message.venue {
                Venue::Room(_) => true,
                Venue::Direct(_) => is_in_mail() || self.is_author(id, message),
            }
    }

    fn is_author(&self, id: SessionId, message: &Message) -> bool {
        match &message.author {
            Some(author) => self.author(id).as_ref() == Some(author),
            None => {
                let user = self.sessions.get(&id).and_then(|session| session.user);
                user.is_some_and(|user| self.strangers_messages.has(user, message.seq))
            }
        }
    }

    /// Whether the session may delete a message that is not, or no longer, its user's to change.
    fn may_delete(&self, id: SessionId, message: &Message, is_edit: bool, why: &str) -> Result<(), Refusal> {
        let is_public = matches!(message.venue, Venue::Room(_));
        if !is_edit && is_public && self.is_operator(id) {
            return Ok(());
        }
        Err(Refusal::new(Code::NotAllowed, why))
    }

    /// Everyone who would get the message now.
    fn readers(&self, id: SessionId, message: &Message) -> Audience {
        match &message.venue {
            Venue::Room(room) if room.is_lobby() => Audience::Lobby { except: Some(id) },
            Venue::Room(room) => match self.rooms.find(room.key()) {
                Some(room) => self.room_audience(room, Some(id)),
                None => Audience::Sessions(Vec::new()),
            },
            Venue::Direct(_) => {
                let sessions = |account: &Account| {
                    let who = Who::Account(Arc::new(account.clone()));
                    let is_receiver = message.receiver.as_ref() == Some(account);
                    match (&message.venue, &message.author) {
                        (Venue::Direct(to), _) if is_receiver => {
                            self.sessions_under(&who, || NameKey::of(to))
                        }
                        (_, Some(author)) if author == account => {
                            self.sessions_under(&who, || NameKey::of(&message.from.name))
                        }
                        _ => self.sessions_of(&who),
                    }
                };
                let mut all: Vec<SessionId> =
                    message.mail.iter().flat_map(|mail| sessions(&mail.account)).collect();
                all.sort_unstable();
                all.dedup();
                all.retain(|session| *session != id);
                Audience::Sessions(all)
            }
        }
    }
}
