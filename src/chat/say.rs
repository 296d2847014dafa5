//! Messages: who receives them, how they are stored, and the sender's receipt.

use super::archive::{Account, Entry, Kind, Mail, Message, Venue};
use super::call::Call;
use super::delivery::{Audience, Delivery, Receipt};
use super::unknown::no_such_message;
use super::who::{Correspondent, SessionId};
use super::{Chat, Deliveries, Now};
use crate::limits::SESSIONS_LOOKED_AT;
use crate::name::RoomName;
use crate::protocol::event::Absent;
use crate::protocol::packet::Sender;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Target};
use jiff::Timestamp;

pub(super) struct Addressed {
    pub(super) audience: Audience,
    pub(super) venue: Venue,
    pub(super) mail: Vec<Mail>,
    /// The recipient who is offline, so the message waits.
    pub(super) waits: Option<String>,
    /// The recipient, who is here but does not read at the moment.
    pub(super) away: Option<Absent>,
    /// Why it cannot wait. An earlier copy may already do so.
    pub(super) refusal: Option<Refusal>,
    pub(super) receiver: Option<Account>,
    /// The recipient, if it is not a room.
    pub(super) correspondent: Option<Correspondent>,
    /// The number of messages that it counts as.
    pub(super) cost: usize,
}

/// A message to pass on.
pub(super) struct NewMessage {
    pub(super) kind: Kind,
    pub(super) from: Sender,
    /// `None` for a sender without key and token.
    pub(super) author: Option<Account>,
    pub(super) text: String,
    pub(super) venue: Venue,
    pub(super) receiver: Option<Account>,
    pub(super) mail: Vec<Mail>,
    pub(super) audience: Audience,
    /// The recipient who is offline, so the message waits.
    pub(super) waits: Option<String>,
    /// The recipient, who is here but does not read at the moment.
    pub(super) away: Option<Absent>,
    /// The number of the message that it answers.
    pub(super) reply: Option<u64>,
    /// Why it is refused, unless an earlier copy was not.
    pub(super) refusal: Option<Refusal>,
    /// The author's session, and its own token for the message.
    pub(super) receipt: Option<(SessionId, String)>,
}

impl Call<'_> {
    /// Passes a message on. The sender's session gets its receipt at the point where everyone else gets the
    /// message.
    pub(super) fn say(
        &mut self,
        to: Target,
        msg: String,
        action: bool,
        reply: Option<u64>,
    ) -> Result<(), Refusal> {
        if msg.trim().is_empty() {
            return Err(Refusal::new(Code::BadPacket, "the message is empty; put the text into \"msg\""));
        }
        if let Some(reply) = reply.filter(|reply| *reply == 0 || *reply > self.chat.seq) {
            return Err(no_such_message(reply));
        }
        self.chat.check_muted(self.session, self.now)?;
        if matches!(to, Target::Address(_)) {
            // Searching costs the same even if nobody is there.
            self.chat.charge_more(
                self.session,
                (self.chat.sessions.len() / SESSIONS_LOOKED_AT) as u64,
                self.now,
                self.out,
            );
        }
        let mut addressed = self.chat.addressed(self.session, &to, self.now)?;
        let author = self.chat.author(self.session);
        if let Some(refusal) = addressed.refusal.take_if(|_| author.is_none() || self.echo.is_none()) {
            return Err(refusal);
        }
        if let Some(to) = addressed.correspondent.filter(|_| addressed.refusal.is_none()) {
            self.chat.count_stranger(self.session, to, self.now)?;
        }
        // One is already paid.
        self.chat.charge_more(self.session, addressed.cost.saturating_sub(1) as u64, self.now, self.out);
        let Some(from) = self.chat.sender(self.session) else { return Ok(()) };
        // The sender's arrival must come before the message.
        self.chat.tell_coming(self.session, &addressed.venue, self.out);
        let Addressed { audience, venue, receiver, mail, waits, away, refusal, .. } = addressed;
        let message = NewMessage {
            kind: if action { Kind::Action } else { Kind::Chat },
            from,
            author,
            text: msg,
            venue,
            receiver,
            mail,
            audience,
            waits,
            away,
            reply,
            refusal,
            receipt: self.echo.take().map(|echo| (self.session, echo)),
        };
        if let Some(seq) = self.chat.pass_on(message, self.now, self.out) {
            self.chat.note_strangers(self.session, seq);
        }
        Ok(())
    }
}

impl Chat {
    /// Numbers a message and sends it; returns its number. Clients that gave no `id` do not know receipts and
    /// get none.
    pub(super) fn pass_on(&mut self, message: NewMessage, now: &Now, out: &mut Deliveries) -> Option<u64> {
        let NewMessage { kind, from, author, text, venue, receiver, mail, refusal, receipt, reply, .. } =
            message;
        let (waits, away) = (message.waits, message.away);
        let audience = if refusal.is_some() { Audience::Sessions(Vec::new()) } else { message.audience };
        let is_stored = self.lineage.is_none() || self.failure.is_none();
        // Nobody could ask for a message that is in no mail. Only stored messages have numbers: the store
        // must know each of them after a crash.
        let has_place = matches!(venue, Venue::Room(_)) || !mail.is_empty();
        let is_numbered = refusal.is_none() && (self.lineage.is_none() || self.keeps() && has_place);
        self.seq += u64::from(is_numbered);
        self.accepted += u64::from(refusal.is_none() && kind.is_said());
        let clock = now.clock.timestamp();
        let message = Message {
            seq: if is_numbered { self.seq } else { 0 },
            at: Timestamp::from_millisecond(clock.as_millisecond()).unwrap_or(clock),
            kind,
            venue,
            receiver,
            from,
            author,
            id: receipt.as_ref().map(|(_, id)| id.clone()),
            text,
            reply,
            edited: false,
            mail,
        };
        let seq = is_numbered.then_some(message.seq);
        if !self.keeps() && refusal.is_none() && kind.is_said() && has_place {
            self.unstored.note(&message.venue, &message.mail, self.seq, message.at);
        }
        let is_kept = refusal.is_none() && self.keeps() && has_place;
        let has_entry = refusal.is_some() || is_kept || message.is_known_again();
        let (packet, message) = match has_entry {
            true => (message.to_live_packet(seq), Some(Box::new(message))),
            false => (message.into_live_packet(seq), None),
        };
        let packet = Box::new(packet);
        let entry = message.map(|message| match &refusal {
            Some(_) => Entry::Refused(message),
            None if is_kept => {
                self.count_waiting(&message, now);
                Entry::Message(message)
            }
            None => Entry::Passed(message),
        });
        let receipt = receipt.map(|(session, id)| {
            let to = self.user_of(session).map_or_else(String::new, |user| user.name.to_string());
            let ts = packet.event.ts().unwrap_or_default().to_owned();
            Box::new(Receipt { session, to, id, seq, ts, waits, away, stored: is_stored, refusal })
        });
        out.push(Delivery::Message { audience, packet, entry, receipt });
        seq
    }

    fn count_waiting(&mut self, message: &Message, now: &Now) {
        if message.mail.iter().any(|mail| mail.waits) {
            let is_new = self.is_newcomer(message.author.as_ref(), now);
            self.waiting.count_message(message, is_new);
        }
    }

    fn addressed(&self, id: SessionId, to: &Target, now: &Now) -> Result<Addressed, Refusal> {
        match to {
            Target::All => Ok(in_room(RoomName::lobby(), Audience::Lobby { except: Some(id) })),
            Target::Room(room) => {
                let name = self.room_name(room)?;
                let room = self.rooms.find(name.key()).ok_or_else(|| self.no_such_room(&name))?;
                let name = self.rooms.get(room).map_or(name, |room| room.name.clone());
                Ok(in_room(name, self.room_audience(room, Some(id))))
            }
            Target::Address(ip) => self.to_address(id, *ip),
            Target::User(name) => self.to_user(id, name, now),
            Target::Server => Err(Refusal::new(Code::BadCommand, "the server takes commands; try /help")),
        }
    }

    /// Announces the sender's arrival, if it is still pending where the message goes.
    pub(super) fn tell_coming(&mut self, id: SessionId, venue: &Venue, out: &mut Deliveries) {
        let Some(name) = self.user_of(id).map(|user| user.name.clone()) else { return };
        if self.presence.hides(&name) {
            self.tell_presence(out);
        }
        let room = match venue {
            Venue::Room(room) => self.rooms.find(room.key()),
            Venue::Direct(_) => None,
        };
        let hidden = room.filter(|id| self.rooms.get(*id).is_some_and(|room| room.presence().hides(&name)));
        if let Some(room) = hidden {
            self.tell_room(room, out);
        }
    }

    pub(super) fn listens(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.listens())
    }

    /// The session's user as an author; `None` without key and token.
    pub(super) fn author(&self, id: SessionId) -> Option<Account> {
        self.user_of(id).and_then(|user| user.owner.account().map(|own| (**own).clone()))
    }

    pub(super) fn sender(&self, id: SessionId) -> Option<Sender> {
        let session = self.sessions.get(&id)?;
        let user = self.user_of(id)?;
        Some(Sender::user(user.name.as_str(), session.ip, user.owner.key()))
    }
}

fn in_room(room: RoomName, audience: Audience) -> Addressed {
    Addressed {
        audience,
        venue: Venue::Room(room),
        mail: Vec::new(),
        waits: None,
        away: None,
        refusal: None,
        receiver: None,
        correspondent: None,
        cost: 1,
    }
}
