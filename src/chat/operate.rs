//! What operators do, at the console or by a session: who may, and what alerts and kicks do.

use super::actor::Actor;
use super::answer::Told;
use super::archive::{Account, Kind, Venue};
use super::delivery::{Audience, Delivery};
use super::moderate::Leaving;
use super::say::Said;
use super::who::SessionId;
use super::{Chat, Deliveries, Now};
use crate::fingerprint::Fingerprint;
use crate::name::RoomName;
use crate::protocol::packet::Sender;
use crate::protocol::request::{Operate, Refusal};
use crate::protocol::{Code, Event};
use std::sync::Arc;

impl Chat {
    /// A command from the server's console.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub fn operate(&mut self, command: &Operate, now: &Now, out: &mut Deliveries) -> Result<Event, Refusal> {
        self.command(&Actor::Console, command, now, out).map(Told::into_event)
    }

    /// A command of a session.
    pub(super) fn command_of(
        &mut self,
        id: SessionId,
        command: &Operate,
        echo: Option<String>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        let actor = self.operator(id)?;
        if let Operate::Alert { msg } = command {
            let author = self.user_of(id).and_then(|user| user.owner.account().map(|own| (**own).clone()));
            let receipt = echo.map(|echo| (id, echo));
            return self.alert(&actor, author, msg.clone(), receipt, now, out).map(drop);
        }
        let told = self.command(&actor, command, now, out)?;
        self.tell(id, echo, told, out);
        Ok(())
    }

    /// Does it. Whoever changed the books is told if that is not stored.
    fn command(
        &mut self,
        actor: &Actor,
        command: &Operate,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Told, Refusal> {
        let before = out.len();
        let told = self.carry_out(actor, command, now, out)?;
        let is_kept = out[before..].iter().any(|delivery| matches!(delivery, Delivery::Keep(_)));
        Ok(match told {
            Told::Event(Event::Notice(text)) if is_kept => {
                Told::Event(Event::Notice(text + &self.unless_mended()))
            }
            told => told,
        })
    }

    fn carry_out(
        &mut self,
        actor: &Actor,
        command: &Operate,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Told, Refusal> {
        let done = match command {
            Operate::Bans => return Ok(self.bans(now)),
            Operate::Keys { list, after } => return self.keys(*list, after.as_deref(), now),
            Operate::Alert { msg } => self.alert(actor, None, msg.clone(), None, now, out),
            Operate::Kick { name, reason } => self.kick(actor, name, reason, now, out),
            Operate::Mute { name, duration } => self.mute(actor, name, duration.as_deref(), now, out),
            Operate::Unmute { name } => self.unmute(actor, name, now, out),
            Operate::Ban { name, duration } => self.impose_ban(actor, name, duration.as_deref(), now, out),
            Operate::Unban { name } => self.unban(actor, name, now, out),
            Operate::Admit { name } => self.admit_member(actor, name, now, out),
            Operate::Dismiss { name } => self.dismiss_member(actor, name, now, out),
            Operate::Release { name } => self.release(actor, name, now, out),
            Operate::Op { name } => self.op(actor, name, now, out),
            Operate::Deop { name } => self.deop(actor, name, now, out),
        };
        done.map(Told::Event)
    }

    /// The session's user, if it may use the operators' commands.
    fn operator(&self, id: SessionId) -> Result<Actor, Refusal> {
        let session = self.sessions.get(&id).filter(|_| self.is_operator(id));
        match (session, self.user_of(id)) {
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

    /// An alert to everybody, its sender included.
    fn alert(
        &mut self,
        actor: &Actor,
        author: Option<Account>,
        msg: String,
        receipt: Option<(SessionId, String)>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        if msg.trim().is_empty() {
            return Err(Refusal::new(Code::BadPacket, "the alert is empty; put the text into \"msg\""));
        }
        // Nobody hears a voice before its owner came in.
        self.tell_presence(out);
        let by = if actor.is_console() { "server" } else { actor.name() };
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
        self.pass_on(said, now, out);
        out.push(Delivery::Log(format!("{actor} raised an alert")));
        Ok(Event::Notice("everybody is shown the alert".into()))
    }

    /// Ends all sessions of a user.
    fn kick(
        &mut self,
        actor: &Actor,
        name: &str,
        reason: &str,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        let (_, user) = self.find(name).ok_or_else(|| self.no_such_user(name, now))?;
        self.check_rank(actor, user.owner.key(), user.name.as_str())?;
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let by = if actor.is_console() { "the server's console" } else { actor.name() };
        let why: Arc<str> = format!("you were disconnected by {by}{because}").into();
        let sessions = user.sessions.clone();
        let done = Event::Notice(format!("{} was disconnected{because}", user.name));
        out.push(Delivery::Log(format!("{actor} disconnected {}", self.known(user))));
        let leaving = |session| Leaving { session, code: Code::Kicked, why: Arc::clone(&why) };
        self.leaving.extend(sessions.into_iter().map(leaving));
        self.expel_some(now, out);
        Ok(done)
    }

    /// Nobody uses power over an operator but the console.
    pub(super) fn check_rank(
        &self,
        actor: &Actor,
        key: Option<&Fingerprint>,
        name: &str,
    ) -> Result<(), Refusal> {
        if actor.is_console() || !self.standing.is_operator(key) {
            return Ok(());
        }
        let msg = format!("{name} is an operator; only the server's console can do that to one");
        Err(Refusal::new(Code::NotAllowed, msg))
    }

    /// The same for what operators may do to themselves.
    pub(super) fn check_rank_over(
        &self,
        actor: &Actor,
        key: &Fingerprint,
        name: &str,
    ) -> Result<(), Refusal> {
        if actor.has(key) { Ok(()) } else { self.check_rank(actor, Some(key), name) }
    }
}
