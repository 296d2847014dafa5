//! Any steps in any order, with crashes, against a simple model of who must see what, in what order.
//!
//! The model knows people, their rooms and their devices, and for each device the numbers that it must still
//! see, in order. It learns what people do and which numbers were stored, but nothing of how the rules or the
//! store work.

mod kept;
mod people;

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A person's client, which keeps its resume point across connections.
struct Device {
    name: &'static str,
    who: Person,
    kind: Kindness,
}

/// The abilities of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kindness {
    /// Knows its resume point, and resumes from there.
    Resumes,
    /// The same, without announcing its user.
    Tails,
    /// Knows no resume points.
    Plain,
    /// Only sends.
    Sends,
}

/// The person behind several devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Person {
    Key(u8),
    Token(&'static str),
    /// A person without an account; the device.
    Guest(usize),
}

use Kindness::{Plain, Resumes, Sends, Tails};

const DEVICES: [Device; 10] = [
    Device { name: "alice", who: Person::Key(1), kind: Resumes },
    Device { name: "alice", who: Person::Key(1), kind: Resumes },
    Device { name: "alina", who: Person::Key(1), kind: Tails },
    Device { name: "bob", who: Person::Key(2), kind: Resumes },
    Device { name: "bob", who: Person::Key(2), kind: Plain },
    Device { name: "carol", who: Person::Key(3), kind: Plain },
    Device { name: "dave", who: Person::Token("secret"), kind: Resumes },
    Device { name: "dave", who: Person::Token("secret"), kind: Plain },
    Device { name: "guest", who: Person::Guest(8), kind: Plain },
    Device { name: "alice", who: Person::Key(1), kind: Sends },
];

const ROOMS: [&str; 2] = ["#games", "#tea"];

/// Recipients: the lobby, the rooms, names, and a device's address.
const TARGETS: [&str; 9] = ["all", "#games", "#tea", "alice", "alina", "bob", "carol", "dave", "guest"];

/// One step.
#[derive(Debug, Clone, Copy)]
enum Step {
    Connect(usize),
    Drop(usize),
    Say {
        device: usize,
        target: usize,
    },
    /// To everyone at a device's address.
    Shout {
        device: usize,
        at: usize,
    },
    /// Repeats the last message.
    Repeat(usize),
    Join {
        device: usize,
        room: usize,
    },
    Part {
        device: usize,
        room: usize,
    },
    /// Lets a session that catches up make one step.
    Advance(usize),
    Flush,
    /// Lets everyone online receive everything.
    Rest,
    Crash,
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..DEVICES.len();
    let room = 0..ROOMS.len();
    prop_oneof![
        6 => device.clone().prop_map(Step::Connect),
        3 => device.clone().prop_map(Step::Drop),
        12 => (device.clone(), 0..TARGETS.len()).prop_map(|(device, target)| Step::Say { device, target }),
        1 => (device.clone(), device.clone()).prop_map(|(device, at)| Step::Shout { device, at }),
        2 => device.clone().prop_map(Step::Repeat),
        4 => (device.clone(), room.clone()).prop_map(|(device, room)| Step::Join { device, room }),
        2 => (device.clone(), room).prop_map(|(device, room)| Step::Part { device, room }),
        10 => device.prop_map(Step::Advance),
        8 => Just(Step::Flush),
        4 => Just(Step::Rest),
        1 => Just(Step::Crash),
        1 => Just(Step::Stop),
    ]
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Where {
    Lobby,
    Room(usize),
    Direct,
}

/// The model's view of a message.
#[derive(Debug, Clone)]
struct Fact {
    seq: u64,
    place: Where,
    /// Devices that must see it, at any time or in this session.
    must: Vec<(usize, Option<u64>)>,
    /// The recipient it waits for.
    waits: Option<Person>,
    author: Person,
    /// The session that sent it, with its id and recipient.
    said: Option<(u64, String, String)>,
    /// For a `delivered`: whose mail arrived, how much, and up to which number.
    arrived: Option<(Person, u32, u64)>,
}

/// An effect that follows once the batch is stored.
#[derive(Debug, Clone)]
enum Later {
    Said(Fact),
    Parted {
        who: Person,
        room: usize,
        before: u64,
    },
    /// The device is live from here on.
    Live {
        device: usize,
        session: u64,
    },
    Received {
        who: Person,
        upto: u64,
    },
}

/// The model's view of a device.
#[derive(Debug, Default)]
struct Progress {
    session: Option<u64>,
    is_live: bool,
    /// Whether the session has been told so.
    has_end: bool,
    point: u64,
    /// The history that the point belongs to.
    log: String,
    /// The last number that the session received.
    last: u64,
    must: BTreeSet<u64>,
    may: BTreeSet<u64>,
    seen: BTreeSet<u64>,
    /// Its last message: id and recipient.
    spoken: Option<(String, String)>,
}

struct Play {
    house: House,
    devices: Vec<Progress>,
    /// Each room's members, in the chat and as stored.
    members: Vec<BTreeSet<Person>>,
    kept_members: Vec<BTreeSet<Person>>,
    later: Vec<Later>,
    /// How much of the batch was checked for what the rules add.
    looked: usize,
    /// All stored messages.
    facts: BTreeMap<u64, Fact>,
    /// Waiting mail per person, and arrivals whose authors do not know yet.
    waiting: BTreeSet<(Person, u64)>,
    untold: BTreeSet<(Person, u64)>,
    /// Keys whose names are owned: also before anyone has seen anything of them, and where a crash cannot
    /// undo it.
    known: BTreeSet<&'static str>,
    kept_known: BTreeSet<&'static str>,
    next_session: u64,
    next_id: u64,
}

impl Play {
    fn new() -> Self {
        let mut house = House::kept();
        house.is_holding = true;
        Self {
            house,
            devices: DEVICES.iter().map(|_| Progress::default()).collect(),
            members: vec![BTreeSet::new(); ROOMS.len()],
            kept_members: vec![BTreeSet::new(); ROOMS.len()],
            later: Vec::new(),
            looked: 0,
            facts: BTreeMap::new(),
            waiting: BTreeSet::new(),
            untold: BTreeSet::new(),
            known: BTreeSet::new(),
            kept_known: BTreeSet::new(),
            next_session: 1,
            next_id: 1,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Connect(device) => self.connect(device),
            Step::Drop(device) => self.drop_device(device),
            Step::Say { device, target } => {
                self.next_id += 1;
                self.say(device, TARGETS[target], &format!("id{}", self.next_id));
            }
            Step::Shout { device, at } => {
                if let Some(session) = self.devices[at].session {
                    self.next_id += 1;
                    let to = House::peer(session, None).ip.to_string();
                    self.say(device, &to, &format!("id{}", self.next_id));
                }
            }
            Step::Repeat(device) => {
                if let Some((id, to)) = self.devices[device].spoken.clone() {
                    self.say(device, &to, &id);
                }
            }
            Step::Join { device, room } => self.join(device, room),
            Step::Part { device, room } => self.part(device, room),
            Step::Advance(device) => self.advance(device),
            Step::Flush => self.flush(),
            Step::Rest => self.come_to_rest(),
            Step::Crash => self.restart(true),
            Step::Stop => self.restart(false),
        }
        self.expect_news();
        self.house.chat.check_tables(&self.house.now);
    }

    fn restart(&mut self, is_crash: bool) {
        if !is_crash {
            while !self.house.batch.is_empty() {
                self.flush();
            }
        }
        self.house.restart(is_crash);
        for (progress, device) in self.devices.iter_mut().zip(&DEVICES) {
            (progress.session, progress.is_live) = (None, false);
            if device.kind == Plain {
                progress.must.clear();
                progress.may.clear();
            }
        }
        self.later.clear();
        self.looked = 0;
        self.members.clone_from(&self.kept_members);
        self.known.clone_from(&self.kept_known);
        for room in &mut self.members {
            room.retain(|who| !matches!(who, Person::Guest(_)));
        }
        self.house.later(Duration::ZERO);
    }

    /// Lets everyone online receive everything.
    fn come_to_rest(&mut self) {
        while !self.house.batch.is_empty() || !self.house.catch_ups.is_empty() {
            self.flush();
            for device in 0..DEVICES.len() {
                self.step(Step::Advance(device));
            }
        }
    }
}

fn person(account: &Account) -> Person {
    DEVICES
        .iter()
        .map(|device| device.who)
        .find(|who| match (who, account) {
            (Person::Key(number), Account::Key(found)) => key(*number) == *found,
            (Person::Token(token), Account::Token(found)) => **token == **found,
            _ => false,
        })
        .expect("a person")
}

impl House {
    fn disk_numbers(&self) -> BTreeSet<u64> {
        self.disk.iter().flat_map(|disk| &disk.messages).map(|message| message.seq).collect()
    }

    fn batch_deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.batch.iter().filter_map(|step| match step {
            house::Step::Delivery(delivery) => Some(delivery),
            house::Step::Cutover { .. } => None,
        })
    }

    /// Whether the batch makes it catch up.
    fn catches_up(&self, id: u64) -> bool {
        self.batch_deliveries()
            .any(|delivery| matches!(delivery, Delivery::CatchUp { session, .. } if session.0 == id))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn everybody_sees_what_is_for_them_once_and_in_order_whatever_happens(
        steps in proptest::collection::vec(step(), 1..120)
    ) {
        let mut play = Play::new();
        for step in steps {
            play.step(step);
        }
        play.come_to_rest();
        // Everyone reconnects, and nothing is left to receive.
        (0..DEVICES.len()).for_each(|device| play.step(Step::Connect(device)));
        play.come_to_rest();
        for (device, progress) in play.devices.iter().enumerate() {
            prop_assert!(progress.must.is_empty(), "device {device} misses {:?}", progress.must);
        }
        prop_assert!(play.untold.is_empty() && play.waiting.is_empty(), "{:?} {:?}", play.untold, play.waiting);
        let disk = play.house.disk.as_ref().expect("a disk");
        prop_assert_eq!(disk.untold(), 0);
        let known: BTreeSet<u64> = disk.messages.iter().map(|message| message.seq).collect();
        prop_assert_eq!(known, play.facts.into_keys().collect::<BTreeSet<u64>>());
    }
}
