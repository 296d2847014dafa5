//! Messages: who gets them, and the sender's receipt.

use super::delivery::{Audience, Delivery};
use super::user::{Correspondent, SessionId, User, UserId};
use super::{Chat, Deliveries, Now};
use crate::limits::MAX_NAME_CHARS;
use crate::name::NameKey;
use crate::protocol::packet::Sender;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event, Target};
use std::net::IpAddr;

/// Where a message goes.
struct Addressed {
    /// Who gets it.
    audience: Audience,
    /// How `to` is written for them.
    to: String,
    /// Whom it is for, if that is not everybody.
    correspondent: Option<Correspondent>,
}

impl Chat {
    /// Passes a message on. Its sender's session gets the receipt in the place where everybody
    /// else gets the message.
    #[allow(clippy::too_many_arguments, reason = "one packet's members")]
    pub(super) fn say(
        &mut self,
        id: SessionId,
        to: Target,
        msg: String,
        action: bool,
        echo: Option<String>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        if msg.trim().is_empty() {
            return Err(Refusal::new(Code::BadPacket, "the message is empty; put the text into \"msg\""));
        }
        self.check_muted(id, now)?;
        let Addressed { audience, to, correspondent } = self.addressed(id, &to)?;
        if let Some((to, user)) = correspondent.zip(self.sessions.get(&id).and_then(|s| s.user)) {
            self.count_stranger(id, user, to, now)?;
        }
        let Some((from, hidden)) = self.sender(id) else { return Ok(()) };
        if hidden {
            // Nobody hears a voice before its owner came in.
            self.tell_presence(out);
        }
        self.seq += 1;
        self.receipt(id, echo, now, out);
        let event = Event::Chat { from, to, msg, action, seq: self.seq, ts: now.stamp() };
        out.push(Delivery::to(audience, event.to_packet("", None)));
        Ok(())
    }

    /// The receipt for what has just got the latest number. Clients that gave no `id` know nothing
    /// of receipts and get none.
    pub(super) fn receipt(&self, id: SessionId, echo: Option<String>, now: &Now, out: &mut Deliveries) {
        if echo.is_some() {
            self.answer(id, echo, &Event::Sent { seq: self.seq, ts: now.stamp() }, out);
        }
    }

    fn addressed(&self, id: SessionId, to: &Target) -> Result<Addressed, Refusal> {
        match to {
            Target::All => Ok(Addressed {
                audience: Audience::Lobby { except: Some(id) },
                to: "all".into(),
                correspondent: None,
            }),
            Target::Room(room) => Err(Refusal::new(
                Code::NoSuchRoom,
                format!("there is no room {room}; the only one is #lobby"),
            )),
            Target::Address(ip) => Ok(Addressed {
                audience: Audience::Sessions(self.sessions_at(*ip, id)?),
                to: ip.to_string(),
                correspondent: Some(Correspondent::Address(*ip)),
            }),
            Target::User(name) => {
                let (user_id, user) = self.listener(name)?;
                let own = self.user_of(id).map_or(&[][..], |sender| &sender.sessions);
                let mut sessions = user.sessions.clone();
                // What one of a user's sessions sends, the others see.
                sessions.extend(own.iter().filter(|own| !user.sessions.contains(own)));
                sessions.retain(|other| *other != id && self.listens(*other));
                Ok(Addressed {
                    audience: Audience::Sessions(sessions),
                    to: user.name.to_string(),
                    correspondent: Some(Correspondent::User(user_id)),
                })
            }
            Target::Server => Err(Refusal::new(Code::BadCommand, "the server takes commands; try /help")),
        }
    }

    /// A user who can hear.
    fn listener(&self, name: &str) -> Result<(UserId, &User), Refusal> {
        self.find(name)
            .filter(|(_, user)| user.sessions.iter().any(|s| self.listens(*s)))
            .ok_or_else(|| self.no_such_user(name))
    }

    fn listens(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.listens())
    }

    /// Walks all sessions: rare enough that an index would cost more than it saves.
    fn sessions_at(&self, ip: IpAddr, except: SessionId) -> Result<Vec<SessionId>, Refusal> {
        let here = self.sessions.iter().filter(|(_, s)| s.peer.ip == ip && s.user.is_some() && s.listens());
        let all: Vec<SessionId> = here.map(|(id, _)| *id).collect();
        if all.is_empty() {
            return Err(Refusal::new(
                Code::NoSuchUser,
                format!("nobody is connected from {ip}; /users lists who is here"),
            ));
        }
        Ok(all.into_iter().filter(|id| *id != except).collect())
    }

    /// The session's user as a sender, and whether others don't know yet that they came.
    fn sender(&self, id: SessionId) -> Option<(Sender, bool)> {
        let session = self.sessions.get(&id)?;
        let user = self.user_of(id)?;
        Some((
            Sender::user(user.name.as_str(), session.peer.ip, user.owner.key()),
            self.presence.hides(&user.name),
        ))
    }

    /// The refusal for a name that nobody has, with the nearest one that somebody has.
    pub(super) fn no_such_user(&self, name: &str) -> Refusal {
        let near = self.nearest(name).map_or(String::new(), |near| format!(" did you mean {near}?"));
        Refusal::new(Code::NoSuchUser, format!("nobody called {name:?} is here;{near} /users lists who is"))
    }

    fn nearest(&self, name: &str) -> Option<&str> {
        if name.chars().count() > MAX_NAME_CHARS {
            return None;
        }
        let key = NameKey::of(name);
        let close = |user: &User| {
            let distance = strsim::damerau_levenshtein(key.as_str(), user.name.key().as_str());
            (distance <= 2 && distance < key.as_str().chars().count()).then_some(distance)
        };
        // Bounded: in a crowd only the names around the wanted one are compared.
        let around = self.names.range(key.clone()..).take(50);
        let before = self.names.range(..key.clone()).rev().take(50);
        around
            .chain(before)
            .filter_map(|(_, id)| self.users.get(id))
            .filter_map(|user| close(user).map(|distance| (distance, user.name.as_str())))
            .min()
            .map(|(_, name)| name)
    }
}
