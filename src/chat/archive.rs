//! The types that the rules, the store and the server share for what is stored.
//!
//! The rules decide what to store ([`Entry`]) and who may read it ([`View`]); they store nothing themselves.

pub use super::account::Account;

use super::lineage::Lineage;
use super::offer_record::OfferRecord;
use super::records::{Record, Records};
use super::session_record::SessionRecord;
use super::who::SessionId;
use crate::name::{NameKey, RoomName};
use crate::protocol::packet::{Sender, stamp};
use crate::protocol::{Event, Packet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::mem;

/// One thing to store, in the order of [`Chat`](super::Chat)'s deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A message, unless its author has already sent one with its [`id`](Message::id).
    Message(Box<Message>),
    /// A message that goes out but cannot be stored, unless its author has already sent it.
    Passed(Box<Message>),
    /// A refused message, unless its author has already sent it; in that case the earlier copy counts.
    Refused(Box<Message>),
    Joined {
        room: RoomName,
        member: Member,
    },
    /// A member has left a room. A room ends with its last member.
    Parted {
        room: RoomName,
        account: Account,
    },
    /// A room has a new topic, or none.
    Topic {
        room: RoomName,
        topic: Option<Topic>,
    },
    /// The account has received all mail up to that number.
    Received {
        account: Account,
        /// Inclusive.
        upto: u64,
        at: Timestamp,
    },
    /// The new state of a record.
    Record(Box<Record>),
    /// The new state of a session; `None`: it has ended. Only with [`Chat::keep_sessions`](super::Chat::keep_sessions).
    Session(SessionId, Option<Box<SessionRecord>>),
    /// The new state of the offer with that number; `None`: it has ended. As with sessions.
    Offer(u64, Option<Box<OfferRecord>>),
    /// Whether the server with that number was started as a closed one. Only with several servers.
    Closed(u8, bool),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Strictly increasing over the server's whole life. 0: no number, the message is not stored.
    pub seq: u64,
    /// When the server accepted it, in milliseconds.
    pub at: Timestamp,
    pub kind: Kind,
    pub venue: Venue,
    /// The recipient's account; `None` for a room, an address, or a recipient without key and token.
    pub receiver: Option<Account>,
    /// The sender as others saw it.
    pub from: Sender,
    /// The sender's account; `None` without key and token.
    pub author: Option<Account>,
    /// The author's own token for it.
    pub id: Option<String>,
    pub text: String,
    /// The number of the message that it answers.
    pub reply: Option<u64>,
    /// Whether its author has replaced the text.
    pub edited: bool,
    /// The accounts that have it in their mail: for a direct message, its recipient and its author.
    pub mail: Vec<Mail>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Chat,
    /// `/me`.
    Action,
    Alert,
    /// Waiting mail has arrived: from its recipient, to its author.
    Delivered {
        count: u32,
        /// The number of the last message.
        last: u64,
    },
    /// Waiting mail was too old and has been removed: from its recipient, to its author.
    Lost {
        count: u32,
        /// The number of the last message.
        last: u64,
    },
    /// A message has another text, which is this one's.
    Edited {
        /// The message's number.
        of: u64,
        /// Whether the message is an [action](Self::Action).
        action: bool,
    },
    /// A message is gone. The text is its author's name, if another user deleted it.
    Deleted {
        /// The message's number.
        of: u64,
    },
}

impl Kind {
    /// Whether it is a text that a person wrote, rather than news of one.
    pub fn is_said(self) -> bool {
        matches!(self, Self::Chat | Self::Action | Self::Alert)
    }

    /// The number of the message that it changes.
    pub fn changes(self) -> Option<u64> {
        match self {
            Self::Edited { of, .. } | Self::Deleted { of } => Some(of),
            Self::Chat | Self::Action | Self::Alert | Self::Delivered { .. } | Self::Lost { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Venue {
    /// A room, or the lobby.
    Room(RoomName),
    /// A name or an address, as recipients see it.
    Direct(String),
}

/// Where a message goes, however its author wrote that: a repeat has the same destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination<'m> {
    Room(&'m NameKey),
    /// A person, under any name.
    Account(&'m Account),
    /// An address, or a recipient without key and token: as typed, case-folded.
    Text(NameKey),
}

/// A message in an account's mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub account: Account,
    /// Whether the account is offline, so the message waits.
    pub waits: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub account: Account,
    /// The member's name when they joined.
    pub name: String,
    /// The latest message number when they joined: earlier messages do not count as missed.
    pub since: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    pub text: String,
    pub by: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRecord {
    pub name: RoomName,
    pub topic: Option<Topic>,
    pub members: Vec<Member>,
}

/// Waiting mail from one author to one account that has arrived or was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub author: Account,
    /// The recipient.
    pub account: Account,
    /// The recipient's name, as the author last wrote it.
    pub name: String,
    pub count: u32,
    /// The number of the last message.
    pub last: u64,
    /// Whether it was removed because of its age.
    pub is_lost: bool,
}

/// A waiting message that was removed because of its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// The recipient.
    pub account: Account,
    /// The recipient's name, as the author wrote it.
    pub name: String,
    /// `None` without key and token.
    pub author: Option<Account>,
    /// Whether a person wrote it, see [`Kind::is_said`].
    pub is_said: bool,
    pub seq: u64,
}

/// Messages went out that nobody has stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// The latest number at that time: a client with a higher one was connected afterwards.
    pub upto: u64,
    /// When the last of them was sent.
    pub at: Timestamp,
}

/// Messages of one author that wait for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// The recipient.
    pub account: Account,
    /// `None`: all authors without key and token.
    pub author: Option<Account>,
    /// Whether people wrote them; otherwise they report on mail that `account` wrote.
    pub is_said: bool,
    pub count: u32,
}

/// All that a chat starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archive {
    /// `None`: the server stores no messages.
    pub lineage: Option<Lineage>,
    /// No message has a higher number.
    pub seq: u64,
    pub rooms: Vec<RoomRecord>,
    pub waiting: Vec<Waits>,
    /// Arrivals that the authors do not know of yet.
    pub arrivals: Vec<Arrival>,
    /// The last messages that were never stored; `None` if no gap is known.
    pub lacks: Option<Lack>,
    /// Names, operators, members, bans and mutes. A server without a history stores these too.
    pub records: Records,
}

impl Archive {
    /// Whether the history was restored or replaced before this start.
    pub fn is_put_back(&self) -> bool {
        self.lineage.as_ref().is_some_and(Lineage::is_put_back)
    }
}

/// The stored messages that a person may read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct View {
    /// The owner of the mail.
    pub account: Option<Account>,
    pub mail: MailView,
    /// Each room, and the number after which its messages may be read.
    pub rooms: Vec<(RoomName, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum MailView {
    #[default]
    All,
    /// Only waiting mail, whatever its number.
    Waiting,
}

/// A query over stored messages that the rules have allowed, or need themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    History(Wanted),
    Search(Search),
    Change(MessageChange),
}

/// A change of a message that the rules decide on once they know the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageChange {
    /// The message's number.
    pub seq: u64,
    /// The new text; `None`: delete it.
    pub text: Option<String>,
}

/// The newest messages of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub scope: Scope,
    /// Only messages with a lower number.
    pub before: Option<u64>,
    pub limit: usize,
    /// Whether to include that a message was deleted.
    pub deleted: bool,
}

/// The newest messages that contain certain words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Search {
    /// As typed, see [`Sought`](crate::text::Sought). A message must contain all of them.
    pub words: String,
    /// The author's name at that time.
    pub from: Option<String>,
    /// Inclusive.
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    /// Where to search; the numbers of its rooms do not count.
    pub view: View,
    /// Only messages with a lower number.
    pub before: Option<u64>,
    pub limit: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    Room(RoomName),
    /// The messages between both accounts, from the first one's mail.
    Mail(Account, Account),
}

impl Message {
    /// Whether a repeat by its author can be recognised.
    pub fn is_known_again(&self) -> bool {
        self.author.is_some() && self.id.is_some()
    }

    pub fn destination(&self) -> Destination<'_> {
        match (&self.venue, &self.receiver) {
            (Venue::Room(room), _) => Destination::Room(room.key()),
            (Venue::Direct(_), Some(account)) => Destination::Account(account),
            (Venue::Direct(to), None) => Destination::Text(NameKey::of(to)),
        }
    }

    /// When the server accepted it, in RFC 3339: UTC, milliseconds.
    pub fn stamp(&self) -> String {
        stamp(self.at)
    }

    /// The message for a reader who missed it or asked for it. Only its author sees its `id`.
    pub fn to_packet(&self, reader: Option<&Account>) -> Packet {
        let id = self.id.clone().filter(|_| self.author.is_some() && self.author.as_ref() == reader);
        self.packet((self.from.clone(), self.text.clone()), Some(self.seq), id, true)
    }

    /// The message for connected sessions, without a number if it could not be stored.
    pub fn to_live_packet(&self, seq: Option<u64>) -> Packet {
        self.packet((self.from.clone(), self.text.clone()), seq, None, false)
    }

    /// The same for a message that nothing else needs.
    pub fn into_live_packet(mut self, seq: Option<u64>) -> Packet {
        let (from, text) = (mem::take(&mut self.from), mem::take(&mut self.text));
        self.packet((from, text), seq, None, false)
    }

    fn packet(
        &self,
        (from, msg): (Sender, String),
        seq: Option<u64>,
        id: Option<String>,
        history: bool,
    ) -> Packet {
        let ts = self.stamp();
        let to = match &self.venue {
            Venue::Room(room) if room.is_lobby() => "all".to_owned(),
            Venue::Room(room) => room.to_string(),
            Venue::Direct(to) => to.clone(),
        };
        let event = match self.kind {
            Kind::Chat | Kind::Action => {
                let action = self.kind == Kind::Action;
                let (reply, edited) = (self.reply, self.edited);
                let said = Event::Chat { from, to, msg, action, seq, ts, history, reply, edited };
                return said.into_packet("", id);
            }
            Kind::Edited { of, action } => {
                return Event::Edited { from, to, msg, seq, ts, of, action, history }.into_packet("", id);
            }
            Kind::Deleted { of } => {
                let name = Some(msg).filter(|name| !name.is_empty());
                return Event::Deleted { from, to, seq, ts, of, name, history }.into_packet("", None);
            }
            Kind::Alert => Event::Alert { by: from.name, msg, seq, ts, history },
            Kind::Delivered { count, last } => {
                Event::Delivered { name: from.name, count, lost: 0, last, seq, ts, history }
            }
            Kind::Lost { count, last } => {
                Event::Delivered { name: from.name, count: 0, lost: count, last, seq, ts, history }
            }
        };
        event.into_packet(&to, id)
    }
}
