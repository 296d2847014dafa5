//! Questions about the chat, and what operators do. The console asks here too, without a session.

use super::delivery::{Audience, Delivery};
use super::user::{SessionId, User};
use super::{Chat, Deliveries, Now};
use crate::limits::{USERS_PAGE_BYTES, USERS_PER_PAGE};
use crate::name::NameKey;
use crate::protocol::packet::UserInfo;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event, Request};
use std::ops::Bound;

impl Chat {
    /// One request from the server's console.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub fn console(&mut self, request: &Request, now: &Now, out: &mut Deliveries) -> Result<Event, Refusal> {
        match request {
            Request::Alert { msg } => self.alert("server", msg.clone(), now, out),
            Request::Kick { name, reason } => self.kick("server", name, reason, now, out),
            question => self.ask(question, now),
        }
    }

    /// A question that changes nothing.
    pub(super) fn ask(&self, question: &Request, now: &Now) -> Result<Event, Refusal> {
        match question {
            Request::Users { after } => Ok(self.users_page(after.as_deref())),
            Request::Time => Ok(Event::Time {
                time: now.clock.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
                ts: now.stamp(),
                uptime: now.uptime.as_secs(),
            }),
            Request::Whois { name } => {
                let (_, user) = self.find(name).ok_or_else(|| self.no_such_user(name))?;
                Ok(Event::Whois(self.details(user)))
            }
            _ => Err(Refusal::new(Code::BadCommand, "that can't be asked here; try /help")),
        }
    }

    /// An alert to everybody, its sender included.
    pub(super) fn alert(
        &mut self,
        by: &str,
        msg: String,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        if msg.trim().is_empty() {
            return Err(Refusal::new(Code::BadPacket, "the alert is empty; put the text into \"msg\""));
        }
        // Nobody hears a voice before its owner came in.
        self.tell_presence(out);
        self.seq += 1;
        let event = Event::Alert { by: by.to_owned(), msg, seq: self.seq, ts: now.stamp() };
        out.push(Delivery::lobby(event.to_packet("all", None)));
        Ok(event)
    }

    /// Ends all sessions of a user.
    pub(super) fn kick(
        &mut self,
        by: &str,
        name: &str,
        reason: &str,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        let (_, user) = self.find(name).ok_or_else(|| self.no_such_user(name))?;
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let bye =
            Event::Bye { code: Some(Code::Kicked), msg: format!("you were disconnected by {by}{because}") };
        let sessions = user.sessions.clone();
        let done = Event::Notice(format!("{} was disconnected{because}", user.name));
        out.push(Delivery::to(Audience::Sessions(sessions.clone()), bye.to_packet(user.name.as_str(), None)));
        for session in sessions {
            self.close(session, now, out);
        }
        Ok(done)
    }

    /// The session's user, if it may use the operators' commands.
    pub(super) fn operator_name(&self, id: SessionId, what: &str) -> Result<String, Refusal> {
        let operator = self.sessions.get(&id).is_some_and(|session| session.peer.operator);
        let user = self.user_of(id).filter(|_| operator);
        user.map(|user| user.name.to_string()).ok_or_else(|| {
            Refusal::new(
                Code::NotAllowed,
                format!("{what} is for operators: use the server's console, or a client on the server's own machine"),
            )
        })
    }

    /// Present users from the one after `after`, in alphabetical order; bounded in number and size.
    fn users_page(&self, after: Option<&str>) -> Event {
        let start = after.map_or(Bound::Unbounded, |after| Bound::Excluded(NameKey::of(after)));
        let mut here = self
            .names
            .range((start, Bound::Unbounded))
            .filter_map(|(_, id)| self.users.get(id))
            .filter(|user| user.chatting > 0)
            .peekable();
        let mut users: Vec<UserInfo> = Vec::new();
        let mut bytes = 0;
        while let Some(user) = here.peek() {
            let info = self.summary(user);
            bytes += written_bytes(&info);
            if users.len() == USERS_PER_PAGE || bytes > USERS_PAGE_BYTES {
                break;
            }
            users.push(info);
            here.next();
        }
        let next = here.peek().and_then(|_| users.last()).map(|last| last.name.clone());
        Event::Users { users, total: self.present, next }
    }

    fn summary(&self, user: &User) -> UserInfo {
        let ip = user.sessions.first().and_then(|id| self.sessions.get(id)).map(|s| s.peer.ip.to_string());
        UserInfo { name: user.name.to_string(), ip: ip.unwrap_or_default(), ..UserInfo::default() }
    }

    fn details(&self, user: &User) -> UserInfo {
        let operator = user.sessions.iter().filter_map(|id| self.sessions.get(id)).any(|s| s.peer.operator);
        UserInfo {
            since: Some(format!("{:.0}", user.since)),
            sessions: Some(user.sessions.len()),
            operator: Some(operator),
            ..self.summary(user)
        }
    }
}

/// What a user takes in a page: once in `users`, once by name in `msg`, each with its separators.
fn written_bytes(info: &UserInfo) -> usize {
    let entry = serde_json::to_string(info).map_or(0, |json| json.len());
    let name = serde_json::to_string(&info.name).map_or(0, |json| json.len());
    entry + name + 4
}
