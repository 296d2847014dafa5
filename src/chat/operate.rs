//! What operators do, at the console or by a session: who may, and what alerts and kicks do.

use super::actor::{Actor, Operation};
use super::answer::Told;
use super::archive::{Account, Kind, Venue};
use super::call::Call;
use super::delivery::{Audience, Delivery};
use super::moderate::Leaving;
use super::say::Said;
use super::who::SessionId;
use super::{Chat, Deliveries, Now, operators};
use crate::fingerprint::Fingerprint;
use crate::name::RoomName;
use crate::protocol::packet::Sender;
use crate::protocol::request::{Operate, Refusal};
use crate::protocol::{Code, Event};
use std::sync::Arc;

impl Call<'_> {
    /// A command of a session.
    pub(super) fn operate(&mut self, command: &Operate) -> Result<(), Refusal> {
        if let Operate::Op { name } = command
            && operators::is_code(name)
        {
            return self.op_by_code(name);
        }
        let actor = self.operator()?;
        let author = self.chat.author(self.session);
        let mut operation = Operation { chat: self.chat, actor, now: self.now, out: self.out };
        if let Operate::Alert { msg } = command {
            // It is its own answer.
            let receipt = self.echo.clone().map(|echo| (self.session, echo));
            return operation.alert(author, msg.clone(), receipt).map(drop);
        }
        let told = operation.command(command)?;
        self.tell(told);
        Ok(())
    }

    /// The session's user, if it may use the operators' commands.
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
                "that is for operators; become one by /op and the code that the server's console shows, \
                 or ask one to type /op and your name",
            )),
        }
    }
}

impl Operation<'_> {
    /// Does it. Whoever changed the books is told if that is not stored.
    fn command(&mut self, command: &Operate) -> Result<Told, Refusal> {
        let before = self.out.len();
        let told = self.carry_out(command)?;
        let is_kept = self.out[before..].iter().any(|delivery| matches!(delivery, Delivery::Keep(_)));
        Ok(match told {
            Told::Event(Event::Notice(text)) if is_kept => {
                Told::Event(Event::Notice(text + &self.chat.unless_mended()))
            }
            told => told,
        })
    }

    fn carry_out(&mut self, command: &Operate) -> Result<Told, Refusal> {
        let done = match command {
            Operate::Bans => return Ok(self.chat.bans(self.now)),
            Operate::Keys { list, after } => return self.chat.keys(*list, after.as_deref(), self.now),
            Operate::Alert { msg } => self.alert(None, msg.clone(), None),
            Operate::Kick { name, reason } => self.kick(name, reason),
            Operate::Mute { name, duration } => self.mute(name, duration.as_deref()),
            Operate::Unmute { name } => self.unmute(name),
            Operate::Ban { name, duration } => self.impose_ban(name, duration.as_deref()),
            Operate::Unban { name } => self.unban(name),
            Operate::Admit { name } => self.admit_member(name),
            Operate::Dismiss { name } => self.dismiss_member(name),
            Operate::Release { name } => self.release(name),
            Operate::Op { name } => self.op(name),
            Operate::Deop { name } => self.deop(name),
        };
        done.map(Told::Event)
    }

    /// An alert to everybody, its sender included.
    fn alert(
        &mut self,
        author: Option<Account>,
        msg: String,
        receipt: Option<(SessionId, String)>,
    ) -> Result<Event, Refusal> {
        if msg.trim().is_empty() {
            return Err(Refusal::new(Code::BadPacket, "the alert is empty; put the text into \"msg\""));
        }
        // Nobody hears a voice before its owner came in.
        self.chat.tell_presence(self.out);
        let by = if self.actor.is_console() { "server" } else { self.actor.name() };
        let said = Said {
            kind: Kind::Alert,
            from: Sender { name: by.to_owned(), ip: String::new(), key: None },
            author,
            text: msg,
            venue: Venue::Room(RoomName::lobby()),
            receiver: None,
            mail: Vec::new(),
            audience: Audience::Lobby { except: None },
            waits: None,
            refusal: None,
            receipt,
        };
        self.chat.pass_on(said, self.now, self.out);
        self.out.push(Delivery::Log(format!("{} raised an alert", self.actor)));
        Ok(Event::Notice("everybody is shown the alert".into()))
    }

    /// Ends all sessions of a user.
    fn kick(&mut self, name: &str, reason: &str) -> Result<Event, Refusal> {
        let (_, user) = self.chat.find(name).ok_or_else(|| self.chat.no_such_user(name, self.now))?;
        self.check_rank(user.owner.key(), user.name.as_str())?;
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let by = if self.actor.is_console() { "the server's console" } else { self.actor.name() };
        let why: Arc<str> = format!("you were disconnected by {by}{because}").into();
        let sessions = user.sessions.clone();
        let done = Event::Notice(format!("{} was disconnected{because}", user.name));
        self.out.push(Delivery::Log(format!("{} disconnected {}", self.actor, self.chat.known(user))));
        let leaving = |session| Leaving { session, code: Code::Kicked, why: Arc::clone(&why) };
        self.chat.leaving.extend(sessions.into_iter().map(leaving));
        self.chat.expel_some(self.now, self.out);
        Ok(done)
    }

    /// Nobody uses power over an operator but the console.
    pub(super) fn check_rank(&self, key: Option<&Fingerprint>, name: &str) -> Result<(), Refusal> {
        if self.actor.is_console() || !self.chat.standing.is_operator(key) {
            return Ok(());
        }
        let msg = format!("{name} is an operator; only the server's console can do that to one");
        Err(Refusal::new(Code::NotAllowed, msg))
    }

    /// The same for what operators may do to themselves.
    pub(super) fn check_rank_over(&self, key: &Fingerprint, name: &str) -> Result<(), Refusal> {
        if self.actor.has(key) { Ok(()) } else { self.check_rank(Some(key), name) }
    }
}

impl Chat {
    /// A command from the server's console.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub fn operate(&mut self, command: &Operate, now: &Now, out: &mut Deliveries) -> Result<Event, Refusal> {
        let mut operation = Operation { chat: self, actor: Actor::Console, now, out };
        operation.command(command).map(Told::into_event)
    }
}
