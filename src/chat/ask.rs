//! Questions about the chat: they change nothing. The console asks here too, without a session.

use super::user::User;
use super::{Chat, Now};
use crate::fingerprint::Fingerprint;
use crate::limits::{USERS_PAGE_BYTES, USERS_PER_PAGE};
use crate::name::NameKey;
use crate::protocol::packet::UserInfo;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event, Request};
use std::ops::Bound;

impl Chat {
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
        let plaintext =
            user.sessions.iter().filter_map(|id| self.sessions.get(id)).any(|s| !s.peer.encrypted);
        UserInfo {
            name: user.name.to_string(),
            ip: ip.unwrap_or_default(),
            key: user.owner.key().map(Fingerprint::tag),
            plaintext: plaintext.then_some(true),
            ..UserInfo::default()
        }
    }

    fn details(&self, user: &User) -> UserInfo {
        UserInfo {
            since: Some(format!("{:.0}", user.since)),
            sessions: Some(user.sessions.len()),
            key: user.owner.key().map(Fingerprint::to_string),
            operator: Some(self.standing.is_operator(user.owner.key())),
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
