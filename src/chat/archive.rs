//! What is kept of the chat, in words that the rules, the store and the server share.
//!
//! The rules say what is to be kept ([`Entry`]) and what somebody may read ([`View`]); they keep
//! nothing themselves.

use super::lineage::Lineage;
use super::records::{Record, Records};
use crate::fingerprint::Fingerprint;
use crate::name::{NameKey, RoomName};
use crate::protocol::packet::{Sender, stamp};
use crate::protocol::{Event, Packet};
use jiff::Timestamp;

/// Somebody over all their sessions, here or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// Whoever holds the key. Only they can be written to while they are away.
    Key(Fingerprint),
    /// A client without a key, by the secret of its own.
    Token(Box<str>),
}

/// One thing to keep, in the order of [`Chat`](super::Chat)'s deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A message. Unless its author has sent one with its [`id`](Message::id) before.
    Message(Box<Message>),
    /// A message that is passed on and can't be kept. Unless its author has sent it before.
    Passed(Box<Message>),
    /// A message that is refused. Unless its author has sent it before, and then that one counts.
    Refused(Box<Message>),
    /// Somebody has become a member of a room.
    Joined {
        /// Which.
        room: RoomName,
        /// Who.
        member: Member,
    },
    /// Somebody is no member any more. A room whose last member goes, goes too.
    Parted {
        /// Which.
        room: RoomName,
        /// Who.
        account: Account,
    },
    /// A room has another topic; `None`: none.
    Topic {
        /// Which.
        room: RoomName,
        /// What.
        topic: Option<Topic>,
    },
    /// The account has got all mail up to that number.
    Received {
        /// Whose.
        account: Account,
        /// The number, inclusive.
        upto: u64,
        /// When.
        at: Timestamp,
    },
    /// A row of the books as it is from now on.
    Record(Box<Record>),
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number: strictly increasing over the server's whole life. 0: it has none, and is not kept.
    pub seq: u64,
    /// When the server took it, in milliseconds.
    pub at: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// Where it was said.
    pub venue: Venue,
    /// Whom it is for, over all sessions; `None`: a room, an address, or somebody who can't be known again.
    pub receiver: Option<Account>,
    /// By whom, as others saw it.
    pub from: Sender,
    /// By whom, over all sessions; `None`: somebody who can't be known again.
    pub author: Option<Account>,
    /// The author's own token for it.
    pub id: Option<String>,
    /// The text.
    pub text: String,
    /// Who has it in their mail: of a direct message, whom it is for, and its author.
    pub mail: Vec<Mail>,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something said.
    Chat,
    /// Something done (`/me`).
    Action,
    /// An operator's alert.
    Alert,
    /// That mail which had waited has arrived: from whom it was for, to whoever wrote it.
    Delivered {
        /// How many messages.
        count: u32,
        /// The number of the last.
        last: u64,
    },
    /// That mail which had waited was removed for its age: from whom it was for, to whoever wrote it.
    Lost {
        /// How many messages.
        count: u32,
        /// The number of the last.
        last: u64,
    },
}

impl Kind {
    /// Whether its author has said it; otherwise it tells what became of mail.
    pub fn is_said(self) -> bool {
        !matches!(self, Self::Delivered { .. } | Self::Lost { .. })
    }
}

/// Where a message was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Venue {
    /// In a room; the lobby is one.
    Room(RoomName),
    /// To somebody: a name or an address, as receivers see it.
    Direct(String),
}

/// Where a message goes, however that was written: a repeat goes to the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination<'m> {
    /// A room, by what makes two spellings the same.
    Room(&'m NameKey),
    /// Somebody, under whatever name.
    Account(&'m Account),
    /// An address, or somebody who can't be known again: as it was written, but for case.
    Text(NameKey),
}

/// A message in somebody's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Whose.
    pub account: Account,
    /// Whether they are away, so that it waits for them.
    pub waits: bool,
}

/// Somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub account: Account,
    /// Their name when they joined.
    pub name: String,
    /// The number of the latest message then: what came before is not missed.
    pub since: u64,
}

/// What a room is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The text.
    pub text: String,
    /// Who set it.
    pub by: String,
}

/// A room as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRecord {
    /// Its name.
    pub name: RoomName,
    /// What it is about.
    pub topic: Option<Topic>,
    /// Who is in it.
    pub members: Vec<Member>,
}

/// Mail that waited and has arrived, or was lost, of one author to one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Who wrote it.
    pub author: Account,
    /// Who has it now, or was to have it.
    pub account: Account,
    /// Their name, as the author wrote it last.
    pub name: String,
    /// How many messages.
    pub count: u32,
    /// The number of the last.
    pub last: u64,
    /// Whether it was removed for its age.
    pub is_lost: bool,
}

/// A message that waited for somebody, and was removed for its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Whom it was for.
    pub account: Account,
    /// Their name, as the author wrote it.
    pub name: String,
    /// Whose it was; `None`: of who can't be known again.
    pub author: Option<Account>,
    /// Whether the author has said it.
    pub is_said: bool,
    /// Its number.
    pub seq: u64,
}

/// That something was said and is stored nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// The latest number then: whoever has more was there after it.
    pub upto: u64,
    /// When the last of it was said.
    pub at: Timestamp,
}

/// Messages of one author that wait for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// For whom.
    pub account: Account,
    /// Whose; `None`: of those who can't be known again.
    pub author: Option<Account>,
    /// Whether the author has said them; otherwise they tell what became of what `account` wrote.
    pub is_said: bool,
    /// How many.
    pub count: u32,
}

/// What a chat begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archive {
    /// Which history this is. `None`: nothing is kept.
    pub lineage: Option<Lineage>,
    /// No message has a number above this one.
    pub seq: u64,
    /// Rooms with their members.
    pub rooms: Vec<RoomRecord>,
    /// How many messages wait for whom.
    pub waiting: Vec<Waits>,
    /// What authors are still to be told.
    pub arrivals: Vec<Arrival>,
    /// The last that was said and is stored nowhere; `None`: nothing is known of that.
    pub lacks: Option<Lack>,
    /// Names, operators, members, bans and mutes. They are kept where no messages are, too.
    pub records: Records,
}

impl Archive {
    /// Whether the history was put back to an earlier state, or replaced, before this start.
    pub fn is_put_back(&self) -> bool {
        self.lineage.as_ref().is_some_and(Lineage::is_put_back)
    }
}

/// What somebody may be given of what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// Whose mail.
    pub account: Option<Account>,
    /// Which of it.
    pub mail: MailView,
    /// Which rooms, and of each what has a higher number than this.
    pub rooms: Vec<(RoomName, u64)>,
}

/// Which mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailView {
    /// All of it.
    #[default]
    All,
    /// What waits, whatever its number.
    Waiting,
}

/// A question about what is kept. The rules have checked that it may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// What was said in one place.
    History(Wanted),
    /// What has certain words in it.
    Search(Search),
}

/// The newest messages of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which.
    pub scope: Scope,
    /// Only those with a lower number.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// The newest messages with these words in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// The words, as typed: see [`Sought`](crate::text::Sought). A message must have them all.
    pub words: String,
    /// Only by whoever had this name.
    pub from: Option<String>,
    /// Only what was said then or later.
    pub since: Option<Timestamp>,
    /// Only what was said before that.
    pub until: Option<Timestamp>,
    /// Where to look: in all of it, whatever the numbers of its rooms.
    pub view: View,
    /// Only those with a lower number.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// Where messages are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// In a room.
    Room(RoomName),
    /// Between these two, in the first one's mail.
    Mail(Account, Account),
}

impl Message {
    /// Whether it is known again when its author repeats it.
    pub fn is_known_again(&self) -> bool {
        self.author.is_some() && self.id.is_some()
    }

    /// See [`Destination`].
    pub fn destination(&self) -> Destination<'_> {
        match (&self.venue, &self.receiver) {
            (Venue::Room(room), _) => Destination::Room(room.key()),
            (Venue::Direct(_), Some(account)) => Destination::Account(account),
            (Venue::Direct(to), None) => Destination::Text(NameKey::of(to)),
        }
    }

    /// When the server took it, as RFC 3339 writes it: UTC, milliseconds.
    pub fn stamp(&self) -> String {
        stamp(self.at)
    }

    /// The message for somebody who missed it or asked for it: `reader` sees the ids of their own.
    pub fn to_packet(&self, reader: Option<&Account>) -> Packet {
        let id = self.id.clone().filter(|_| self.author.is_some() && self.author.as_ref() == reader);
        self.packet(Some(self.seq), id, true)
    }

    /// The message for those who are here. It has no number if it could not be stored.
    pub fn to_live_packet(&self, seq: Option<u64>) -> Packet {
        self.packet(seq, None, false)
    }

    fn packet(&self, seq: Option<u64>, id: Option<String>, history: bool) -> Packet {
        let ts = self.stamp();
        let (from, msg) = (self.from.clone(), self.text.clone());
        let to = match &self.venue {
            Venue::Room(room) if room.is_lobby() => "all".to_owned(),
            Venue::Room(room) => room.to_string(),
            Venue::Direct(to) => to.clone(),
        };
        let event = match self.kind {
            Kind::Chat | Kind::Action => {
                let said = Event::Chat { from, to, msg, action: self.kind == Kind::Action, seq, ts, history };
                return said.into_packet("", id);
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
