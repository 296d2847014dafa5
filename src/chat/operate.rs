//! Operators' commands, from the console or a session: who may use them, alerts and kicks.

use super::actor::{Actor, Operation};
use super::answer::Content;
use super::archive::{Account, Kind, Venue};
use super::call::Call;
use super::delivery::{Audience, Delivery};
use super::moderate::Leaving;
use super::records::Sanction;
use super::say::NewMessage;
use super::who::SessionId;
use super::{Chat, Deliveries, Now, operators};
use crate::fingerprint::Fingerprint;
use crate::name::RoomName;
use crate::protocol::packet::Sender;
use crate::protocol::request::{Operate, Refusal};
use crate::protocol::{Code, Event};
use std::sync::Arc;

impl Call<'_> {
    /// Runs a command of a session.
    pub(super) fn operate(&mut self, command: &Operate) -> Result<(), Refusal> {
        if let Operate::Op { name } = command
            && operators::is_code(name)
        {
            return self.op_by_code(name);
        }
        let actor = self.operator()?;
        if *command == Operate::Status {
            self.out.push(Delivery::Status { session: self.session, echo: self.echo.take() });
            return Ok(());
        }
        let author = self.chat.author(self.session);
        let mut operation = Operation { chat: self.chat, actor, now: self.now, out: self.out };
        if let Operate::Alert { msg } = command {
            // The alert is its own answer.
            let receipt = self.echo.clone().map(|echo| (self.session, echo));
            return operation.alert(author, msg.clone(), receipt).map(drop);
        }
        let content = operation.command(command)?;
        self.tell(content);
        Ok(())
    }

    /// The session's user, if they are an operator.
    fn operator(&self) -> Result<Actor, Refusal> {
        let session = self.chat.sessions.get(&self.session).filter(|_| self.chat.is_operator(self.session));
        match (session, self.chat.user_of(self.session)) {
            (Some(session), Some(user)) => Ok(Actor::Operator {
                name: user.name.to_string(),
                key: session.key().copied(),
                ip: session.ip,
            }),
            _ => Err(Refusal::new(
                Code::NotAllowed,
                "only operators may do that; run /op CODE with the code from the server's console, or ask \
                 an operator to run /op YOUR-NAME",
            )),
        }
    }
}

impl Operation<'_> {
    /// Runs a command. If its change to a record is not stored yet, the answer says so.
    fn command(&mut self, command: &Operate) -> Result<Content, Refusal> {
        let before = self.out.len();
        let content = self.carry_out(command)?;
        let is_kept = self.out[before..].iter().any(|delivery| matches!(delivery, Delivery::Keep(_)));
        Ok(match content {
            Content::Event(Event::Notice(text)) if is_kept => {
                Content::Event(Event::Notice(text + &self.chat.unless_mended()))
            }
            content => content,
        })
    }

    fn carry_out(&mut self, command: &Operate) -> Result<Content, Refusal> {
        let done = match command {
            Operate::Bans => return Ok(self.chat.bans(self.now)),
            Operate::Status => {
                return Err(Refusal::new(Code::BadCommand, "on the console, /status shows the numbers"));
            }
            Operate::Ticket => self.chat.ticket(self.now),
            Operate::Keys { list, after } => return self.chat.keys(*list, after.as_deref(), self.now),
            Operate::Alert { msg } => self.alert(None, msg.clone(), None),
            Operate::Kick { name, reason } => self.kick(name, reason),
            Operate::Mute { name, duration } => self.mute(name, duration.as_deref()),
            Operate::Unmute { name } => self.lift(Sanction::Mute, name),
            Operate::Ban { name, duration } => self.impose_ban(name, duration.as_deref()),
            Operate::Unban { name } => self.lift(Sanction::Ban, name),
            Operate::Admit { name } => self.admit_member(name),
            Operate::Dismiss { name } => self.dismiss_member(name),
            Operate::Release { name } => self.release(name),
            Operate::Op { name } => self.op(name),
            Operate::Deop { name } => self.deop(name),
        };
        done.map(Content::Event)
    }

    /// Sends an alert to everyone, its sender included.
    fn alert(
        &mut self,
        author: Option<Account>,
        msg: String,
        receipt: Option<(SessionId, String)>,
    ) -> Result<Event, Refusal> {
        if msg.trim().is_empty() {
            return Err(Refusal::new(Code::BadPacket, "the alert is empty; put the text into \"msg\""));
        }
        // The sender's arrival must come before the alert.
        self.chat.tell_presence(self.out);
        let by = if self.actor.is_console() { "server" } else { self.actor.name() };
        let message = NewMessage {
            kind: Kind::Alert,
            from: Sender { name: by.to_owned(), ip: String::new(), key: None },
            author,
            text: msg,
            venue: Venue::Room(RoomName::lobby()),
            receiver: None,
            mail: Vec::new(),
            audience: Audience::Lobby { except: None },
            waits: None,
            away: None,
            reply: None,
            refusal: None,
            receipt,
        };
        self.chat.pass_on(message, self.now, self.out);
        self.log(format!("{} raised an alert", self.actor));
        Ok(Event::Notice("alert sent to everyone".into()))
    }

    fn kick(&mut self, name: &str, reason: &str) -> Result<Event, Refusal> {
        let (_, user) = self.chat.find(name).ok_or_else(|| self.chat.no_such_user(name, self.now))?;
        self.check_rank(user.owner.key(), user.name.as_str())?;
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let by = if self.actor.is_console() { "the server's console" } else { self.actor.name() };
        let why: Arc<str> = format!("you were disconnected by {by}{because}").into();
        let sessions = user.sessions.clone();
        let done = Event::Notice(format!("{} was disconnected{because}", user.name));
        self.log(format!("{} disconnected {}", self.actor, self.chat.known(user)));
        let leaving = |session| Leaving { session, code: Code::Kicked, why: Arc::clone(&why) };
        self.chat.leaving.extend(sessions.into_iter().map(leaving));
        self.chat.expel_some(self.now, self.out);
        Ok(done)
    }

    /// Refuses power over operators to anyone but the console.
    pub(super) fn check_rank(&self, key: Option<&Fingerprint>, name: &str) -> Result<(), Refusal> {
        if self.actor.is_console() || !self.chat.access.is_operator(key) {
            return Ok(());
        }
        let msg = format!("{name} is an operator; only the server's console can do that to operators");
        Err(Refusal::new(Code::NotAllowed, msg))
    }

    /// The same, but operators may act on themselves.
    pub(super) fn check_rank_over(&self, key: &Fingerprint, name: &str) -> Result<(), Refusal> {
        if self.actor.has(key) { Ok(()) } else { self.check_rank(Some(key), name) }
    }
}

impl Chat {
    /// Runs a command from the console. `server`: the name of the server that has it, if the chat has several.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub fn operate(
        &mut self,
        command: &Operate,
        server: Option<String>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        let mut operation = Operation { chat: self, actor: Actor::Console(server), now, out };
        operation.command(command).map(Content::into_event)
    }
}
