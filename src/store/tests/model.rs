//! The store against a model that is a few lists: whatever is committed, in whatever batches, with
//! crashes and orderly ends in between, what comes back is the same.

use super::*;
use crate::chat::{Arrival, RoomRecord};
use crate::store::Duplicate;
use proptest::prelude::*;
use std::collections::BTreeMap;

const ROOMS: [&str; 3] = ["#lobby", "#one", "#two"];
const ACCOUNTS: u8 = 4;

#[derive(Debug, Clone)]
enum Step {
    /// Entries of one batch.
    WriteBatch(Vec<Act>),
    /// A resume of an account, in pages of so many.
    Read { account: u8, after: u64, limit: usize },
    /// The server ends in order and starts again.
    Restart,
    /// It is killed.
    Crash,
}

#[derive(Debug, Clone)]
enum Act {
    Say { author: u8, room: usize, id: u8, text: u8 },
    Whisper { author: u8, to: u8, id: u8, waits: bool },
    Join { room: usize, account: u8 },
    Part { room: usize, account: u8 },
    Receive { account: u8, back: u64 },
    Edit { back: u64, text: u8 },
    Delete { back: u64 },
    Tell,
}

fn act() -> impl Strategy<Value = Act> {
    let account = || 0..ACCOUNTS;
    prop_oneof![
        5 => (account(), 0..3usize, 0..4u8, 0..2u8)
            .prop_map(|(author, room, id, text)| Act::Say { author, room, id, text }),
        5 => (account(), account(), 0..4u8, any::<bool>())
            .prop_map(|(author, to, id, waits)| Act::Whisper { author, to, id, waits }),
        2 => (1..3usize, account()).prop_map(|(room, account)| Act::Join { room, account }),
        1 => (1..3usize, account()).prop_map(|(room, account)| Act::Part { room, account }),
        2 => (account(), 0..6u64).prop_map(|(account, back)| Act::Receive { account, back }),
        2 => (0..6u64, 0..3u8).prop_map(|(back, text)| Act::Edit { back, text }),
        1 => (0..6u64).prop_map(|back| Act::Delete { back }),
        1 => Just(Act::Tell),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(act(), 0..6).prop_map(Step::WriteBatch),
        2 => (0..ACCOUNTS, 0..20u64, 1..4usize)
            .prop_map(|(account, after, limit)| Step::Read { account, after, limit }),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
    ]
}

/// The expected content.
#[derive(Debug, Default)]
struct Model {
    messages: Vec<Message>,
    /// By account and number: waits, arrived, done.
    mail: BTreeMap<(Account, u64), u8>,
    /// By room: members in the order of their accounts.
    members: BTreeMap<RoomName, BTreeMap<Account, Member>>,
    /// Deliveries that the store reported.
    arrivals: Vec<Arrival>,
}

impl Model {
    fn message(&mut self, entry: usize, message: &Message) -> Option<Duplicate> {
        let same = |other: &&Message| {
            message.author.is_some()
                && other.author == message.author
                && message.id.is_some()
                && (&other.id, &other.venue) == (&message.id, &message.venue)
                && message.kind.changes().is_none()
                && match other.kind {
                    Kind::Deleted { .. } => true,
                    Kind::Edited { .. } => false,
                    _ => other.edited || other.text == message.text,
                }
        };
        if let Some(first) = self.messages.iter().rev().find(same) {
            let waits = self.mail.iter().any(|((_, seq), state)| *seq == first.seq && *state == 0);
            let seq = first.kind.changes().unwrap_or(first.seq);
            return Some(Duplicate { entry, seq, at: first.at, waits, gone: None });
        }
        let mut message = message.clone();
        if let Some(of) = message.kind.changes() {
            let Some(changed) = self.change(&message, of) else {
                let (seq, at) = (message.seq, message.at);
                return Some(Duplicate { entry, seq, at, waits: false, gone: Some(of) });
            };
            if matches!(message.kind, Kind::Deleted { .. }) {
                message.id = changed.id;
            }
        }
        for mail in &message.mail {
            let state = self.mail.entry((mail.account.clone(), message.seq)).or_insert(2);
            *state = (*state).min(if mail.waits { 0 } else { 2 });
        }
        if let Kind::Delivered { last, .. } = message.kind {
            let authors: Vec<_> = message.mail.iter().map(|mail| Some(mail.account.clone())).collect();
            let receiver = message.author.as_ref().unwrap();
            for ((account, seq), state) in &mut self.mail {
                let author = self.messages.iter().find(|message| message.seq == *seq);
                let is_told = account == receiver && *seq <= last && *state == 1;
                if is_told && authors.contains(&author.unwrap().author) {
                    *state = 2;
                }
            }
        }
        self.messages.push(message);
        None
    }

    /// Changes a message, which keeps only its last edit, and returns what it was; `None`: it is gone.
    fn change(&mut self, change: &Message, of: u64) -> Option<Message> {
        let place = self.messages.iter().position(|message| message.seq == of)?;
        let changed = self.messages[place].clone();
        match change.kind {
            Kind::Deleted { .. } => drop(self.messages.remove(place)),
            _ => {
                self.messages[place].text.clone_from(&change.text);
                self.messages[place].edited = true;
            }
        }
        self.messages.retain(|other| !matches!(other.kind, Kind::Edited { of: other, .. } if other == of));
        let messages = &self.messages;
        self.mail.retain(|(_, seq), _| messages.iter().any(|message| message.seq == *seq));
        Some(changed)
    }

    fn received(&mut self, account: &Account, upto: u64) -> Vec<Arrival> {
        let mut arrivals: Vec<Arrival> = Vec::new();
        for ((owner, seq), state) in &mut self.mail {
            if owner != account || *seq > upto || *state != 0 {
                continue;
            }
            let message = self.messages.iter().find(|message| message.seq == *seq).unwrap();
            let author = message.author.clone().filter(|author| author != account);
            let Some(author) = author.filter(|_| !matches!(message.kind, Kind::Delivered { .. })) else {
                *state = 2;
                continue;
            };
            *state = 1;
            let Venue::Direct(name) = message.venue.clone() else { unreachable!() };
            match arrivals.iter_mut().find(|arrival| arrival.author == author) {
                Some(arrival) => (arrival.count, arrival.last) = (arrival.count + 1, *seq),
                None => {
                    arrivals.push(Arrival {
                        author,
                        account: account.clone(),
                        name,
                        count: 1,
                        last: *seq,
                        is_lost: false,
                    });
                }
            }
        }
        arrivals
    }

    fn seen(&self, view: &View, after: u64, upto: u64) -> Vec<Message> {
        let is_seen = |message: &&Message| {
            let in_room = view
                .rooms
                .iter()
                .any(|(room, since)| message.venue == Venue::Room(room.clone()) && message.seq > *since);
            let mail = view.account.clone().and_then(|account| self.mail.get(&(account, message.seq)));
            let in_mail = mail.is_some_and(|state| view.mail == MailView::All || *state == 0);
            let is_news = message.kind.changes().is_none_or(|of| of <= after);
            message.seq > after && message.seq <= upto && (in_room || in_mail) && is_news
        };
        let mut seen: Vec<Message> = self.messages.iter().filter(is_seen).cloned().collect();
        for message in &mut seen {
            message.mail.clear();
            message.receiver = None;
            if message.author != view.account {
                message.id = None;
            }
        }
        seen
    }

    fn view(&self, account: u8, mail: MailView) -> View {
        let mut rooms = vec![(RoomName::lobby(), 0)];
        for (room, members) in &self.members {
            rooms.extend(members.get(&key(account)).map(|member| (room.clone(), member.since)));
        }
        View { account: Some(key(account)), mail, rooms }
    }

    fn check(&self, archive: &Archive) {
        let named = |rooms: &[RoomRecord]| {
            rooms.iter().map(|room| (room.name.clone(), room.members.clone())).collect::<BTreeMap<_, _>>()
        };
        let by_account = |members: Vec<Member>| {
            members.into_iter().map(|member| (member.account.clone(), member)).collect::<BTreeMap<_, _>>()
        };
        let rooms: BTreeMap<_, _> =
            named(&archive.rooms).into_iter().map(|(room, members)| (room, by_account(members))).collect();
        let expected: BTreeMap<_, _> =
            self.members.iter().filter(|(_, members)| !members.is_empty()).collect();
        assert_eq!(rooms.iter().collect::<BTreeMap<_, _>>(), expected);
        let mut waiting: BTreeMap<(Account, Option<Account>, bool), u32> = BTreeMap::new();
        for (account, seq) in self.mail.iter().filter(|(_, state)| **state == 0).map(|(place, _)| place) {
            let message = self.messages.iter().find(|message| message.seq == *seq).unwrap();
            let is_said = !matches!(message.kind, Kind::Delivered { .. });
            *waiting.entry((account.clone(), message.author.clone(), is_said)).or_default() += 1;
        }
        let said = archive.waiting.iter().cloned();
        let said = said.map(|waits| ((waits.account, waits.author, waits.is_said), waits.count));
        assert_eq!(said.collect::<BTreeMap<_, _>>(), waiting);
        let told: u32 = archive.arrivals.iter().map(|arrival| arrival.count).sum();
        let arrived = self.mail.values().filter(|state| **state == 1).count();
        assert_eq!(usize::try_from(told).unwrap(), arrived);
        let last = self.messages.last().map_or(0, |message| message.seq);
        assert!(archive.seq >= last, "{} may be given again", archive.seq);
    }
}

/// A server that knows nothing but numbers.
struct House {
    place: Place,
    store: Store,
    model: Model,
    seq: u64,
}

impl House {
    async fn run(steps: Vec<Step>) {
        let place = Place::new();
        let (store, _) = place.open();
        let mut house = Self { place, store, model: Model::default(), seq: 0 };
        for step in steps {
            house.step(step).await;
        }
        house.restart(false).await;
        house.store.close().await;
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::WriteBatch(acts) => self.batch(acts).await,
            Step::Read { account, after, limit } => {
                for mail in [MailView::All, MailView::Waiting] {
                    self.read(self.model.view(account, mail), after, limit).await;
                }
            }
            Step::Restart => self.restart(false).await,
            Step::Crash => self.restart(true).await,
        }
    }

    async fn batch(&mut self, acts: Vec<Act>) {
        let before = self.seq;
        let (mut duplicates, mut arrivals, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for act in acts {
            let Some(entry) = self.entry(act) else { continue };
            match &entry {
                Entry::Message(message) => duplicates.extend(self.model.message(entries.len(), message)),
                Entry::Joined { room, member } => {
                    let members = self.model.members.entry(room.clone()).or_default();
                    members.insert(member.account.clone(), member.clone());
                }
                Entry::Parted { room, account } => {
                    self.model.members.entry(room.clone()).or_default().remove(account);
                }
                Entry::Received { account, upto, .. } => {
                    arrivals.extend(self.model.received(account, *upto));
                }
                Entry::Topic { .. } | Entry::Passed(_) | Entry::Refused(_) | Entry::Record(_) => {}
                Entry::Session(..) | Entry::Offer(..) | Entry::Closed(..) => {
                    unreachable!("the model has no sessions")
                }
            }
            entries.push(entry);
        }
        let view = self.model.view(0, MailView::All);
        let cutover = span(view.clone(), before, self.seq);
        let outcome = self
            .store
            .commit(WriteBatch { entries, seq: self.seq, cutovers: vec![cutover], ledger: None })
            .await
            .unwrap();
        assert_eq!(outcome.duplicates, duplicates);
        assert_eq!(outcome.arrivals, arrivals);
        assert_eq!(outcome.cutovers[0].messages, self.model.seen(&view, before, self.seq));
        self.model.arrivals.extend(arrivals);
    }

    fn entry(&mut self, act: Act) -> Option<Entry> {
        Some(match act {
            Act::Say { author, room: place, id, text } => {
                self.seq += 1;
                let said = said(self.seq, author, &format!("text {text}"));
                let venue = Venue::Room(room(ROOMS[place]));
                Entry::Message(Box::new(Message { venue, id: Some(id.to_string()), ..said }))
            }
            Act::Whisper { author, to, id, waits } => {
                self.seq += 1;
                let whispered = whispered(self.seq, author, to, waits);
                let text = "psst".to_owned();
                Entry::Message(Box::new(Message { id: Some(id.to_string()), text, ..whispered }))
            }
            Act::Edit { back, text } => {
                let of = self.changeable(back)?;
                self.seq += 1;
                Entry::Message(Box::new(Message {
                    kind: Kind::Edited { of: of.seq, action: false },
                    text: format!("new {text}"),
                    id: None,
                    ..self.news(of)
                }))
            }
            Act::Delete { back } => {
                let of = self.changeable(back)?;
                self.seq += 1;
                let (kind, text) = (Kind::Deleted { of: of.seq }, String::new());
                Entry::Message(Box::new(Message { kind, text, id: None, ..self.news(of) }))
            }
            Act::Join { room, account } => joined(ROOMS[room], account, self.seq),
            Act::Part { room: place, account } => {
                Entry::Parted { room: room(ROOMS[place]), account: key(account) }
            }
            Act::Receive { account, back } => {
                let upto = self.seq.saturating_sub(back);
                Entry::Received { account: key(account), upto, at: at(self.seq) }
            }
            Act::Tell => {
                let Arrival { author, account, count, last, .. } = self.model.arrivals.pop()?;
                self.seq += 1;
                Entry::Message(Box::new(Message {
                    kind: Kind::Delivered { count, last },
                    venue: Venue::Direct("author".into()),
                    author: Some(account),
                    id: None,
                    mail: vec![Mail { account: author, waits: last % 2 == 0 }],
                    ..said(self.seq, 0, "")
                }))
            }
        })
    }

    /// One of the last messages, even if an earlier act of the batch has deleted it.
    fn changeable(&self, back: u64) -> Option<Message> {
        let said = self.model.messages.iter().rev();
        let mut said = said.filter(|message| matches!(message.kind, Kind::Chat));
        said.nth(usize::try_from(back).unwrap()).cloned()
    }

    /// A change of the message, for everyone who could read it.
    fn news(&self, of: Message) -> Message {
        let readers = self.model.mail.keys().filter(|(_, seq)| *seq == of.seq);
        let mail = readers.map(|(account, _)| Mail { account: account.clone(), waits: false }).collect();
        let (seq, receiver, edited) = (self.seq, None, false);
        Message { seq, at: at(seq), receiver, edited, mail, ..of }
    }

    async fn read(&self, view: View, after: u64, limit: usize) {
        let mut at = after;
        let mut got = Vec::new();
        while at < self.seq {
            let page = self
                .store
                .page(ViewRange { known: after, ..span(view.clone(), at, self.seq) }, limit, 40)
                .await
                .unwrap();
            assert!(page.reached > at, "no way on from {at}: {page:?}");
            at = page.reached;
            got.extend(page.messages);
        }
        assert_eq!(got, self.model.seen(&view, after, self.seq));
    }

    async fn restart(&mut self, is_crash: bool) {
        let (store, archive) = if is_crash {
            self.place = self.place.crash();
            let (store, archive) = self.place.open();
            (std::mem::replace(&mut self.store, store), archive)
        } else {
            self.store.clone().close().await;
            let (store, archive) = self.place.open();
            assert_eq!(archive.seq, self.seq);
            (std::mem::replace(&mut self.store, store), archive)
        };
        store.close().await;
        self.model.check(&archive);
        self.seq = archive.seq;
        let view = self.model.view(1, MailView::All);
        let page = self.store.page(span(view.clone(), 0, self.seq), 1000, usize::MAX).await.unwrap();
        assert_eq!(page.messages, self.model.seen(&view, 0, self.seq));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_list_of_messages_whatever_happens(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(House::run(steps));
    }
}
