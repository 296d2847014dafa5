//! A minimal store: a list of all that was committed.

use super::*;
use std::collections::BTreeMap;

/// The state of a message in someone's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    /// Its author does not know yet.
    Arrived,
    Done,
}

/// The most numbers that a crash loses.
const RESERVED: u64 = 10;

#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    pub(super) messages: Vec<Message>,
    mail: BTreeMap<(Account, u64), State>,
    rooms: Vec<RoomRecord>,
    incarnations: Vec<Incarnation>,
    /// The latest number that anyone may know.
    pub(super) told: u64,
}

impl Disk {
    /// Returns the number of the message that this one repeats.
    pub(super) fn commit(&mut self, entry: Entry, arrivals: &mut Vec<Arrival>) -> Option<u64> {
        match entry {
            Entry::Message(message) => return self.add(*message),
            Entry::Passed(message) | Entry::Refused(message) => return self.find(&message),
            Entry::Joined { room, member } => self.room(&room).members.push(member),
            Entry::Parted { room, account } => {
                self.room(&room).members.retain(|member| member.account != account);
                self.rooms.retain(|room| room.name.is_lobby() || !room.members.is_empty());
            }
            Entry::Topic { room, topic } => self.room(&room).topic = topic,
            Entry::Received { account, upto, .. } => arrivals.extend(self.receive(&account, upto)),
            Entry::Session(..) | Entry::Offer(..) | Entry::Closed(..) => {
                panic!("the house keeps no sessions")
            }
            Entry::Record(_) => panic!("the house keeps its records by itself"),
        }
        None
    }

    fn add(&mut self, mut message: Message) -> Option<u64> {
        assert!(message.seq > self.latest(), "numbers only go up");
        if let Some(known) = self.find(&message) {
            return Some(known);
        }
        if let Some(of) = message.kind.changes() {
            let Some(changed) = self.change(&message, of) else { return Some(message.seq) };
            if matches!(message.kind, Kind::Deleted { .. }) {
                // Its id stays known.
                let Message { author, id, receiver, .. } = changed;
                message = Message { author, id, receiver, ..message };
            }
        }
        for mail in &message.mail {
            let state = if mail.waits { State::Waits } else { State::Done };
            assert_eq!(self.mail.insert((mail.account.clone(), message.seq), state), None, "one row each");
        }
        if let (Kind::Delivered { last, .. }, Some(receiver)) = (message.kind, &message.author) {
            let author = &message.mail[0].account;
            for number in self.numbers(receiver, author, State::Arrived, last) {
                self.mail.insert((receiver.clone(), number), State::Done);
            }
        }
        self.messages.push(message);
        None
    }

    /// Makes a change, and returns what the message was; `None`: it is gone.
    fn change(&mut self, change: &Message, of: u64) -> Option<Message> {
        let changed = self.with_mail(of)?;
        self.messages.retain(|other| !matches!(other.kind, Kind::Edited { of: other, .. } if other == of));
        if matches!(change.kind, Kind::Deleted { .. }) {
            self.messages.retain(|message| message.seq != of);
        }
        for message in self.messages.iter_mut().filter(|message| message.seq == of) {
            (message.text, message.edited) = (change.text.clone(), true);
        }
        let messages = &self.messages;
        self.mail.retain(|(_, seq), _| messages.iter().any(|message| message.seq == *seq));
        Some(changed)
    }

    /// A message with its mail.
    pub(super) fn with_mail(&self, number: u64) -> Option<Message> {
        self.messages.iter().find(|message| message.seq == number).cloned()
    }

    fn find(&self, message: &Message) -> Option<u64> {
        let is_same = |old: &&Message| {
            let is_gone = matches!(old.kind, Kind::Deleted { .. }) && message.kind.is_said();
            (&old.author, &old.id) == (&message.author, &message.id)
                && (is_gone || old.text == message.text && old.kind.changes() == message.kind.changes())
                && old.destination() == message.destination()
        };
        let is_deletion = matches!(message.kind, Kind::Deleted { .. });
        let is_known = |old: &&Message| message.is_known_again() && !is_deletion && is_same(old);
        self.messages.iter().find(is_known).map(|old| match old.kind {
            Kind::Deleted { of } => of,
            _ => old.seq,
        })
    }

    /// Messages of the author in the receiver's mail.
    fn numbers(&self, receiver: &Account, author: &Account, state: State, upto: u64) -> Vec<u64> {
        let rows = self
            .mail
            .iter()
            .filter(|((account, seq), is)| account == receiver && *seq <= upto && **is == state);
        let numbers = rows.map(|((_, seq), _)| *seq);
        numbers.filter(|seq| self.message(*seq).author.as_ref() == Some(author)).collect()
    }

    fn receive(&mut self, account: &Account, upto: u64) -> Vec<Arrival> {
        let rows = self
            .mail
            .iter()
            .filter(|((own, seq), state)| own == account && *seq <= upto && **state == State::Waits);
        let numbers: Vec<u64> = rows.map(|((_, seq), _)| *seq).collect();
        let mut arrivals: Vec<Arrival> = Vec::new();
        for number in numbers {
            let told = self.told(account, number);
            let state = if told.is_some() { State::Arrived } else { State::Done };
            self.mail.insert((account.clone(), number), state);
            gather(&mut arrivals, account, told);
        }
        arrivals
    }

    /// The author to notify of that message, and the name that they wrote to.
    fn told(&self, account: &Account, number: u64) -> Option<(Account, String, u64)> {
        let message = self.message(number);
        let Venue::Direct(name) = &message.venue else { panic!("mail is direct") };
        let author = message.author.clone().filter(|author| author != account);
        let is_said = !matches!(message.kind, Kind::Delivered { .. });
        author.filter(|_| is_said).map(|author| (author, name.clone(), number))
    }

    fn room(&mut self, name: &RoomName) -> &mut RoomRecord {
        let at = self.rooms.iter().position(|room| room.name == *name).unwrap_or_else(|| {
            self.rooms.push(RoomRecord { name: name.clone(), topic: None, members: Vec::new() });
            self.rooms.len() - 1
        });
        &mut self.rooms[at]
    }

    pub(super) fn message(&self, number: u64) -> &Message {
        self.messages.iter().find(|message| message.seq == number).expect("a message")
    }

    pub(super) fn latest(&self) -> u64 {
        self.messages.last().map_or(0, |message| message.seq)
    }

    /// The archive for a new chat, after a crash or an orderly end.
    pub(super) fn archive(&mut self, latest: Option<u64>) -> Archive {
        let last = self.latest().max(self.told);
        let seq = latest.unwrap_or(last + RESERVED);
        let number = self.incarnations.len();
        if let Some(before) = self.incarnations.last_mut() {
            before.last = Some(last.max(before.first - 1));
        }
        let id = if number == 0 { "disk".into() } else { format!("disk{number}").into() };
        self.incarnations.push(Incarnation { id, first: seq + 1, last: None, restored: false });
        let mut archive = Archive {
            lineage: Lineage::new(self.incarnations.clone()),
            seq,
            rooms: self.rooms.clone(),
            ..Archive::default()
        };
        for ((account, number), state) in &self.mail {
            match state {
                State::Waits => {
                    let message = self.message(*number);
                    let is_said = !matches!(message.kind, Kind::Delivered { .. });
                    let (account, author) = (account.clone(), message.author.clone());
                    archive.waiting.push(Waits { account, author, is_said, count: 1 });
                }
                State::Arrived => gather(&mut archive.arrivals, account, self.told(account, *number)),
                State::Done => {}
            }
        }
        archive
    }

    /// The numbers of a view in (after, upto].
    pub(super) fn numbers_of(&self, view: &View, after: u64, upto: u64) -> Vec<u64> {
        let in_view = |message: &&Message| match &message.venue {
            Venue::Room(name) => view.rooms.iter().any(|(room, since)| room == name && message.seq > *since),
            Venue::Direct(_) => view.account.clone().is_some_and(|own| {
                let state = self.mail.get(&(own, message.seq));
                state.is_some_and(|state| view.mail == MailView::All || *state == State::Waits)
            }),
        };
        let span = self.messages.iter().filter(|message| message.seq > after && message.seq <= upto);
        span.filter(in_view).map(|message| message.seq).collect()
    }

    /// How many arrivals the authors do not know of yet.
    pub(super) fn untold(&self) -> usize {
        self.mail.values().filter(|state| **state == State::Arrived).count()
    }
}

fn gather(arrivals: &mut Vec<Arrival>, account: &Account, told: Option<(Account, String, u64)>) {
    let Some((author, name, last)) = told else { return };
    let same = arrivals.iter_mut().find(|other| other.author == author && other.account == *account);
    match same {
        Some(arrival) => {
            arrival.count += 1;
            (arrival.name, arrival.last) = (name, last);
        }
        None => {
            arrivals.push(Arrival { author, account: account.clone(), name, count: 1, last, is_lost: false })
        }
    }
}
