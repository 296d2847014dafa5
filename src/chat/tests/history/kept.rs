//! The effects of storing a batch, and the packets that each device received.

use super::*;
use serde_json::json;

impl Play {
    /// Stores the batch, and checks what each device received.
    pub(super) fn flush(&mut self) {
        let before: BTreeSet<u64> = self.house.disk_numbers();
        self.expect_news();
        let later = std::mem::take(&mut self.later);
        self.house.flush();
        self.kept_known.clone_from(&self.known);
        self.looked = 0;
        let kept: Vec<u64> = self.house.disk_numbers().difference(&before).copied().collect();
        let parted = self.settle(later, &kept);
        self.expect_news();
        (0..DEVICES.len()).for_each(|device| self.read(device));
        for (device, progress) in self.devices.iter().enumerate() {
            let is_behind = progress.is_live && progress.session.is_some() && !progress.must.is_empty();
            assert!(!is_behind, "device {device} is live and has not got {:?}", progress.must);
        }
        for (who, room, upto) in parted {
            for device in self.hearing(who) {
                let place = Where::Room(room);
                let stays = |number: &u64| {
                    *number > upto || self.facts.get(number).is_none_or(|fact| fact.place != place)
                };
                let progress = &mut self.devices[device];
                progress.must.retain(stays);
                progress.may.retain(stays);
            }
        }
        self.kept_members = self.members.clone();
        for room in &mut self.kept_members {
            room.retain(|who| !matches!(who, Person::Guest(_)));
        }
    }

    /// Notes what the rules themselves have added to the batch: arrivals and acknowledgements.
    pub(super) fn expect_news(&mut self) {
        let (mut news, mut received) = (Vec::new(), Vec::new());
        for step in self.house.batch.iter().skip(self.looked) {
            let house::Step::Delivery(delivery) = step else { continue };
            match delivery {
                Delivery::Message { entry: Some(Entry::Message(message)), .. } => {
                    if let Kind::Delivered { count, last } = message.kind {
                        news.push((
                            message.seq,
                            message.mail[0].clone(),
                            message.author.clone(),
                            count,
                            last,
                        ));
                    }
                }
                Delivery::Keep(Entry::Received { account, upto, .. }) => {
                    received.push((account.clone(), *upto))
                }
                _ => {}
            }
        }
        self.looked = self.house.batch.len();
        for (account, upto) in received {
            self.later.push(Later::Received { who: person(&account), upto });
        }
        for (seq, mail, account, count, last) in news {
            let who = person(&mail.account);
            let must = self.those_who_are_or_come_back(self.hearing(who));
            let waits = mail.waits.then_some(who);
            let receiver = person(&account.expect("a receiver"));
            let arrived = Some((receiver, count, last));
            let fact = Fact { seq, place: Where::Direct, must, waits, author: receiver, said: None, arrived };
            self.later.push(Later::Said(fact));
        }
    }

    /// Applies what was stored. Returns which rooms were left, up to which number.
    pub(super) fn settle(&mut self, all: Vec<Later>, kept: &[u64]) -> Vec<(Person, usize, u64)> {
        let mut parted = Vec::new();
        for later in all {
            match later {
                Later::Said(fact) => self.said(fact, kept),
                Later::Parted { who, room, before } => {
                    self.give_up(who, room, before, |_, _| {});
                    parted.push((who, room, before));
                }
                Later::Live { device, session } => {
                    if self.devices[device].session == Some(session) {
                        self.devices[device].is_live = true;
                    }
                }
                Later::Received { who, upto } => {
                    let waiting = std::mem::take(&mut self.waiting);
                    for (waits, number) in waiting {
                        if waits != who || number > upto {
                            self.waiting.insert((waits, number));
                        } else if self.facts[&number].arrived.is_none()
                            && self.facts[&number].author != who
                            && !matches!(self.facts[&number].author, Person::Guest(_))
                        {
                            self.untold.insert((who, number));
                        }
                    }
                }
            }
        }
        parted
    }

    pub(super) fn said(&mut self, fact: Fact, kept: &[u64]) {
        let repeats = |old: &&Fact| match (&old.said, &fact.said) {
            (Some((_, id, to)), Some((_, same, place))) => id == same && to == place,
            _ => false,
        };
        if !matches!(fact.author, Person::Guest(_)) && self.facts.values().any(|old| repeats(&old)) {
            assert!(!kept.contains(&fact.seq), "{} was said before", fact.seq);
            return;
        }
        assert!(kept.contains(&fact.seq), "{fact:?}");
        if let Some((receiver, count, last)) = fact.arrived {
            let author = fact.must.first().map(|(device, _)| DEVICES[*device].who).or(fact.waits);
            let facts = &self.facts;
            let told = |(who, number): &(Person, u64)| {
                *who == receiver
                    && *number <= last
                    && author.is_none_or(|author| facts[number].author == author)
            };
            let before = self.untold.len();
            self.untold.retain(|row| !told(row));
            assert_eq!(before - self.untold.len(), count as usize, "each once");
        }
        for (device, only) in &fact.must {
            let progress = &mut self.devices[*device];
            if only.is_some() && *only != progress.session {
                continue;
            }
            let is_author =
                fact.said.as_ref().is_some_and(|(session, ..)| progress.session == Some(*session));
            // A live session gets its receipt in place of its own message.
            if !is_author || !progress.is_live {
                progress.must.insert(fact.seq);
            }
        }
        if let Some(who) = fact.waits {
            self.waiting.insert((who, fact.seq));
        }
        self.facts.insert(fact.seq, fact);
    }

    /// Compares what the device received with what it must see.
    pub(super) fn read(&mut self, device: usize) {
        let Some(session) = self.devices[device].session else { return };
        let inbox = self.house.inboxes.remove(&session).unwrap_or_default();
        for packet in inbox {
            let Some(number) = packet.seq.or((packet.kind.as_deref() == Some("error")).then_some(0)) else {
                continue;
            };
            let progress = &mut self.devices[device];
            match packet.kind.as_deref().unwrap_or_default() {
                "chat" | "alert" | "delivered" => {
                    assert!(number > progress.last, "device {device}: {number} after {}", progress.last);
                    let is_due = progress.must.first() == Some(&number);
                    let may_be = progress.may.contains(&number)
                        && progress.must.first().is_none_or(|due| *due > number);
                    let (must, may) = (&progress.must, &progress.may);
                    assert!(is_due || may_be, "device {device} got {number}, not {must:?} {may:?}");
                    assert!(progress.seen.insert(number) || DEVICES[device].kind == Plain, "{number} twice");
                    progress.must.remove(&number);
                    progress.may.remove(&number);
                    (progress.last, progress.point) = (number, number);
                    if let Some(fact) = self.facts.get(&number)
                        && let Some((_, id, _)) = &fact.said
                    {
                        assert_eq!(packet.msg, *id);
                        let is_own = fact.author == DEVICES[device].who && packet.history == Some(true);
                        let knows_own = is_own && !matches!(fact.author, Person::Guest(_));
                        assert_eq!(packet.id.is_some(), knows_own, "own messages come back with their id");
                    }
                }
                // Before the device is live, a receipt says nothing about what it has.
                "sent" if progress.has_end => {
                    progress.last = progress.last.max(number);
                    progress.point = progress.point.max(number);
                    progress.seen.insert(number);
                }
                "history" => {
                    assert_eq!(packet.gap, None, "device {device} has all");
                    let missed = progress.must.range(..=number).next();
                    assert_eq!(missed, None, "device {device} missed one");
                    progress.may.clear();
                    progress.has_end = true;
                    (progress.point, progress.last) = (number, number);
                    self.house.ask(session, json!({"type": "received", "seq": number}));
                }
                "welcome" => {
                    assert_eq!(packet.rewound, None, "device {device} has nothing that is lost");
                    progress.log = packet.log.unwrap_or_default();
                }
                "error" => assert!(
                    matches!(packet.code.as_deref(), Some("no_such_user" | "no_such_room")),
                    "{packet:?}"
                ),
                _ => {}
            }
        }
    }
}
