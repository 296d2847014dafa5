//! People's actions, and the devices that must see them.

use super::*;
use serde_json::json;

impl Play {
    /// A person's devices that receive messages.
    pub(super) fn hearing(&self, who: Person) -> Vec<usize> {
        let own = (0..DEVICES.len()).filter(|device| DEVICES[*device].who == who);
        own.filter(|device| DEVICES[*device].kind != Sends).collect()
    }

    pub(super) fn is_here(&self, who: Person) -> bool {
        self.hearing(who).iter().any(|device| self.devices[*device].session.is_some())
    }

    pub(super) fn connect(&mut self, device: usize) {
        self.drop_device(device);
        let Device { name, who, kind } = &DEVICES[device];
        let session = self.next_session;
        self.next_session += 1;
        let key = match who {
            Person::Key(number) => Some(key(*number)),
            Person::Token(_) | Person::Guest(_) => None,
        };
        let token = match who {
            Person::Token(token) => Some(*token),
            Person::Key(_) | Person::Guest(_) => None,
        };
        let mode = match kind {
            Resumes | Plain => "chat",
            Tails => "tail",
            Sends => "send",
        };
        let point = self.devices[device].point;
        let since = matches!(kind, Resumes | Tails).then_some(point);
        self.house.chat.connect(SessionId(session), House::peer(session, key));
        let latest = self.house.chat.latest();
        // A client that has nothing yet knows no history.
        let log = since.filter(|since| *since > 0).map(|_| self.devices[device].log.clone());
        self.house.ask(session, json!({
            "type": "hello", "from": {"name": name}, "token": token, "mode": mode, "since": since, "log": log,
        }));
        assert!(self.house.is_in(session), "{:?}", self.house.inboxes.get(&session));
        if key.is_some() {
            self.known.insert(name);
        }
        let progress = &mut self.devices[device];
        (progress.session, progress.is_live, progress.last) = (Some(session), false, 0);
        progress.has_end = false;
        if since.is_none_or(|since| since == 0) {
            progress.must.clear();
            progress.may.clear();
        }
        let is_at_once = match kind {
            Resumes | Tails => point == latest && point > 0,
            Plain => !self.house.catches_up(session),
            Sends => true,
        };
        let has_mail = self.waiting.iter().any(|(waits, _)| waits == who) && !self.is_acknowledged(*who);
        assert!(*kind != Plain || !has_mail || !is_at_once, "mail waits for {name}");
        if is_at_once {
            self.later.push(Later::Live { device, session });
        }
    }

    /// Whether one of their devices has just acknowledged their mail.
    pub(super) fn is_acknowledged(&self, who: Person) -> bool {
        self.house.batch_deliveries().any(|delivery| match delivery {
            Delivery::Keep(Entry::Received { account, .. }) => person(account) == who,
            _ => false,
        })
    }

    pub(super) fn drop_device(&mut self, device: usize) {
        let Some(session) = self.devices[device].session.take() else { return };
        self.house.leave(session);
        let progress = &mut self.devices[device];
        progress.is_live = false;
        if DEVICES[device].kind == Plain {
            progress.must.clear();
            progress.may.clear();
        }
        if let guest @ Person::Guest(_) = DEVICES[device].who {
            self.members.iter_mut().for_each(|room| room.retain(|who| *who != guest));
        }
    }

    /// The devices that must see the message, or `None` if the server must refuse it; and whom it waits for.
    pub(super) fn reached(
        &self,
        device: usize,
        to: &str,
    ) -> Option<(Where, BTreeSet<Person>, Option<Person>)> {
        let own = DEVICES[device].who;
        if to == "all" {
            return Some((Where::Lobby, DEVICES.iter().map(|device| device.who).collect(), None));
        }
        if let Some(room) = ROOMS.iter().position(|room| *room == to) {
            let members = self.members[room].clone();
            return (!members.is_empty()).then_some((Where::Room(room), members, None));
        }
        if to.contains('.') {
            let is_there = |device: &usize| {
                let session = self.devices[*device].session;
                session.is_some_and(|session| House::peer(session, None).ip.to_string() == to)
            };
            let at = (0..DEVICES.len()).filter(is_there).find(|device| DEVICES[*device].kind != Sends)?;
            return Some((Where::Direct, BTreeSet::from([DEVICES[at].who, own]), None));
        }
        let owner = DEVICES.iter().find(|device| device.name == to)?.who;
        let is_keyed = matches!(owner, Person::Key(_));
        // A user without a key exists only while online, under exactly that name.
        let is_known = if is_keyed { self.known.contains(to) } else { self.is_here(owner) };
        if !is_known {
            return None;
        }
        let waits = (!self.is_here(owner)).then_some(owner);
        Some((Where::Direct, BTreeSet::from([owner, own]), waits))
    }

    pub(super) fn say(&mut self, device: usize, to: &str, id: &str) {
        let Some(session) = self.devices[device].session else { return };
        let reached = self.reached(device, to);
        let before = self.house.chat.latest();
        self.house.ask(session, json!({"to": to, "msg": id, "id": id}));
        let seq = self.house.chat.latest();
        let Some((place, who, waits)) = reached else {
            assert_eq!(seq, before, "{to} is nobody");
            return;
        };
        if place == Where::Direct && who.iter().all(|who| matches!(who, Person::Guest(_))) {
            assert_eq!(seq, before, "messages between guests are not kept");
            return;
        }
        assert_eq!(seq, before + 1, "{to} is a person");
        let must = who.iter().flat_map(|who| self.hearing(*who)).collect();
        let must = self.those_who_are_or_come_back(must);
        let said = Some((session, id.to_owned(), to.to_owned()));
        let author = DEVICES[device].who;
        self.later.push(Later::Said(Fact { seq, place, must, waits, author, said, arrived: None }));
        self.devices[device].spoken = Some((id.to_owned(), to.to_owned()));
    }

    /// Devices without resume points get only messages sent while they are online.
    pub(super) fn those_who_are_or_come_back(&self, devices: Vec<usize>) -> Vec<(usize, Option<u64>)> {
        let meant = |device: usize| {
            let Progress { session, point, .. } = self.devices[device];
            match DEVICES[device].kind {
                Plain => session.map(|session| (device, Some(session))),
                // Nothing is missed before the first visit.
                Resumes | Tails => (session.is_some() || point > 0).then_some((device, None)),
                Sends => None,
            }
        };
        devices.into_iter().filter_map(meant).collect()
    }

    pub(super) fn join(&mut self, device: usize, room: usize) {
        let Some(session) = self.devices[device].session else { return };
        self.house.ask(session, json!({"type": "join", "room": ROOMS[room]}));
        self.members[room].insert(DEVICES[device].who);
    }

    pub(super) fn part(&mut self, device: usize, room: usize) {
        let Some(session) = self.devices[device].session else { return };
        self.house.ask(session, json!({"type": "part", "room": ROOMS[room]}));
        let who = DEVICES[device].who;
        if self.members[room].remove(&who) {
            let before = self.house.chat.latest();
            self.give_up(who, room, before, |progress, number| progress.may.extend([number]));
            self.later.push(Later::Parted { who, room, before });
        }
    }

    /// Drops what a device that is not live need not see of a room, up to that number.
    pub(super) fn give_up(&mut self, who: Person, room: usize, upto: u64, then: impl Fn(&mut Progress, u64)) {
        for device in self.hearing(who) {
            let progress = &mut self.devices[device];
            let in_room = |number: &u64| {
                *number <= upto && self.facts.get(number).is_some_and(|fact| fact.place == Where::Room(room))
            };
            let unseen: Vec<u64> = progress.must.iter().copied().filter(in_room).collect();
            if progress.is_live {
                continue;
            }
            for number in unseen {
                progress.must.remove(&number);
                then(progress, number);
            }
        }
    }

    pub(super) fn advance(&mut self, device: usize) {
        let Some(session) = self.devices[device].session else { return };
        let Some(summary) = self.house.catch_ups.get(&session).copied() else { return };
        if summary.after.is_none() && summary.greets() {
            self.greet(device, summary);
        }
        self.house.advance(session);
        if !self.house.catch_ups.contains_key(&session) {
            self.later.push(Later::Live { device, session });
        }
        self.read(device);
    }

    /// Notes what a joining device gets: a newcomer the newest of the lobby, everyone the waiting mail.
    /// Messages since it joined are already due.
    pub(super) fn greet(&mut self, device: usize, summary: CatchUpState) {
        let who = DEVICES[device].who;
        let mut newest: Vec<u64> =
            self.facts.values().filter(|fact| fact.place == Where::Lobby).map(|fact| fact.seq).collect();
        newest = newest.split_off(newest.len().saturating_sub(house::NEWEST));
        newest.retain(|_| summary.is_newcomers());
        let waiting = self.waiting.iter().filter(|(waits, _)| *waits == who).map(|(_, number)| *number);
        let given: Vec<u64> =
            newest.into_iter().chain(waiting).filter(|number| *number <= summary.latest).collect();
        let progress = &mut self.devices[device];
        // It starts before all of these: if it starts there again, it may get the others.
        progress.may = self.facts.keys().copied().filter(|number| *number <= summary.latest).collect();
        progress.must.retain(|number| *number > summary.latest);
        progress.must.extend(given);
    }
}
