//! Coming, going, and names.

use super::delivery::{Audience, Delivery};
use super::user::{SessionId, User, UserId};
use super::{Chat, Deliveries, Now, limits};
use crate::name::Name;
use crate::protocol::event::Welcome;
use crate::protocol::request::{ClientPacket, Hello, Mode, Refusal};
use crate::protocol::{Code, Event, Request, Target};
use std::time::Duration;

/// Alternatives tried for a name that is taken.
const SUGGESTIONS: u32 = 100;

impl Chat {
    /// The first packet of a connection: it gets a name, whatever the packet's type, and a packet
    /// that also says something to somebody is passed on.
    pub(super) fn register(
        &mut self,
        id: SessionId,
        packet: &ClientPacket,
        request: Request,
        echo: Option<String>,
        now: &Now,
        out: &mut Deliveries,
    ) {
        let is_hello = matches!(request, Request::Hello(_));
        let admitted = Hello::from_packet(packet)
            .map_err(|refusal| (refusal, None))
            .and_then(|hello| self.admit(id, &hello, now));
        if let Err((refusal, free)) = admitted {
            self.answer(id, echo, &refused(refusal, free), out);
            return self.close(id, now, out);
        }
        self.welcome(id, echo.clone().filter(|_| is_hello), out);
        if let Some(request) = said_besides(packet, request)
            && let Err(refusal) = self.request(id, request, echo.clone(), now, out)
        {
            self.refuse(id, echo, refusal, out);
        }
    }

    /// A connection is gone.
    pub fn disconnect(&mut self, id: SessionId, now: &Now) {
        let Some(session) = self.sessions.remove(&id) else { return };
        let Some((user_id, user)) = session.user.and_then(|u| Some((u, self.users.get_mut(&u)?))) else {
            return;
        };
        user.sessions.retain(|other| *other != id);
        if session.mode == Mode::Chat {
            user.chatting -= 1;
            if user.chatting == 0 {
                self.present -= 1;
                self.presence.went(&user.name, user.token.as_deref(), now.uptime);
            }
        }
        if user.sessions.is_empty() {
            self.names.remove(&user.name.key());
            self.users.remove(&user_id);
        }
    }

    /// Ends a session from this side: it is gone from here on, and reads what came before.
    pub(super) fn close(&mut self, id: SessionId, now: &Now, out: &mut Deliveries) {
        out.push(Delivery::Close(id));
        self.disconnect(id, now);
    }

    /// When [`Chat::tick`] should be called next, as an uptime.
    pub fn due(&self) -> Option<Duration> {
        self.presence.due()
    }

    /// Tells what was gathered, if it is time.
    pub fn tick(&mut self, now: &Now, out: &mut Deliveries) {
        if self.presence.due().is_some_and(|due| due <= now.uptime) {
            self.tell_presence(out);
        }
    }

    pub(super) fn tell_presence(&mut self, out: &mut Deliveries) {
        for event in self.presence.tell(self.present) {
            out.push(Delivery::lobby(event.to_packet("all", None)));
        }
    }

    /// Gives the session its user. A refusal comes with a name that is free, if names are the
    /// trouble.
    fn admit(&mut self, id: SessionId, hello: &Hello, now: &Now) -> Result<(), (Refusal, Option<String>)> {
        let name =
            Name::new(&hello.name).map_err(|error| (Refusal::new(Code::BadName, error.to_string()), None))?;
        let token = hello.token.as_deref().filter(|token| !token.is_empty());
        let user_id = match self.names.get(&name.key()) {
            None => self.add_user(name, token, now),
            Some(&taken) => {
                let same = token.is_some()
                    && self.users.get(&taken).is_some_and(|user| user.token.as_deref() == token);
                if !same {
                    return Err(self.name_taken(&name));
                }
                taken
            }
        };
        if let (Some(user), Some(session)) = (self.users.get_mut(&user_id), self.sessions.get_mut(&id)) {
            session.user = Some(user_id);
            session.mode = hello.mode;
            user.sessions.push(id);
            if hello.mode == Mode::Chat {
                user.chatting += 1;
                if user.chatting == 1 {
                    self.present += 1;
                    self.presence.came(&user.name, user.token.as_deref(), now.uptime);
                }
            }
        }
        Ok(())
    }

    fn add_user(&mut self, name: Name, token: Option<&str>, now: &Now) -> UserId {
        let id = UserId(self.next_user);
        self.next_user += 1;
        self.names.insert(name.key(), id);
        let user = User {
            name,
            token: token.map(Into::into),
            since: now.clock.timestamp(),
            // Most users have one.
            sessions: Vec::with_capacity(1),
            chatting: 0,
        };
        self.users.insert(id, user);
        id
    }

    fn name_taken(&self, name: &Name) -> (Refusal, Option<String>) {
        let free = (2..SUGGESTIONS)
            .filter_map(|n| name.alternative(n))
            .find(|name| !self.names.contains_key(&name.key()))
            .map(|name| name.to_string());
        let advice = free.as_ref().map_or("choose another".into(), |free| format!("try {free}"));
        (Refusal::new(Code::NameTaken, format!("the name {name} is taken; {advice}")), free)
    }

    fn welcome(&self, id: SessionId, echo: Option<String>, out: &mut Deliveries) {
        let (Some(session), Some(user)) = (self.sessions.get(&id), self.user_of(id)) else { return };
        let welcome = Event::Welcome(Box::new(Welcome {
            server: self.profile.server.clone(),
            name: user.name.to_string(),
            ip: session.peer.ip.to_string(),
            total: self.present,
            limits: limits(),
            seq: self.seq,
            operator: session.peer.operator,
            motd: self.profile.motd.clone(),
        }));
        out.push(Delivery::one(id, welcome.to_packet(user.name.as_str(), echo)));
        if session.listens() {
            out.push(Delivery::Follow(id));
        }
    }

    /// Another name for the session's user, in all sessions.
    pub(super) fn rename(
        &mut self,
        id: SessionId,
        wanted: &str,
        echo: Option<String>,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        let name = Name::new(wanted).map_err(|error| Refusal::new(Code::BadName, error.to_string()))?;
        let Some(user_id) = self.sessions.get(&id).and_then(|session| session.user) else { return Ok(()) };
        if self.names.get(&name.key()).is_some_and(|owner| *owner != user_id) {
            let (refusal, free) = self.name_taken(&name);
            self.answer(id, echo, &refused(refusal, free), out);
            return Ok(());
        }
        if self.user_of(id).is_some_and(|user| user.name == name) {
            let unchanged = Event::Renamed { old: name.to_string(), name: name.to_string() };
            self.answer(id, echo, &unchanged, out);
            return Ok(());
        }
        // Whoever is still to be announced is announced under the name they came with.
        self.tell_presence(out);
        let Some(user) = self.users.get_mut(&user_id) else { return Ok(()) };
        let old = std::mem::replace(&mut user.name, name.clone());
        self.names.remove(&old.key());
        self.names.insert(name.key(), user_id);
        let event = Event::Renamed { old: old.to_string(), name: name.to_string() };
        self.answer(id, echo, &event, out);
        let audience = self.who_hears_of(user_id, id);
        out.push(Delivery::to(audience, event.to_packet("all", None)));
        Ok(())
    }

    /// Everybody else, if the user is present and the room is not big; otherwise the user's own
    /// other sessions.
    fn who_hears_of(&self, user_id: UserId, except: SessionId) -> Audience {
        let Some(user) = self.users.get(&user_id) else { return Audience::Sessions(Vec::new()) };
        if user.chatting > 0 && self.present <= crate::limits::PRESENCE_NAMES_MAX_MEMBERS {
            return Audience::Lobby { except: Some(except) };
        }
        Audience::Sessions(user.sessions.iter().copied().filter(|other| *other != except).collect())
    }
}

/// What a first packet asks for besides a name. A text to `server` that is no command only
/// registers: clients of the replaced system greet it so.
fn said_besides(packet: &ClientPacket, request: Request) -> Option<Request> {
    let greeting = |msg: &str| !msg.trim_start().starts_with('/');
    match request {
        Request::Chat { to: Target::Server, msg, .. } if greeting(&msg) => None,
        Request::Hello(_) if packet.text().is_empty() => None,
        Request::Hello(_) => match packet.to.as_deref().map(Target::parse) {
            None | Some(Target::Server) => None,
            Some(to) => Some(Request::Chat { to, msg: packet.text().to_owned(), action: false }),
        },
        request => Some(request),
    }
}

fn refused(refusal: Refusal, free: Option<String>) -> Event {
    Event::Error { code: Some(refusal.code), msg: refusal.msg, name: free }
}
