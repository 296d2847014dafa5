//! The nodes, their log, their people, and the faults.

use super::super::ledger::{Ledger, Step};
use super::super::node::{Action, Node};
use super::super::record::{NodeId, NodeRun};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::time::Duration;

const NODES: usize = 3;
const CLIENTS: usize = 6;

/// How long a client waits for a receipt before it says a message again.
const PATIENCE: Duration = Duration::from_secs(6);

/// Between two looks of a node at the clock.
const TICK: Duration = Duration::from_millis(200);

pub(super) struct World {
    dice: Dice,
    now: Duration,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    events_so_far: u64,
    log: Vec<Vec<u8>>,
    nodes: Vec<Host>,
    clients: Vec<Client>,
    /// The state after each record, as the first node had it.
    states: HashMap<u64, State>,
    faults: Vec<String>,
    is_healed: bool,
    /// Batches that a turn has shown, each with its run.
    shown: BTreeMap<(NodeRun, u64), u32>,
    judged: Judged,
}

/// A ledger of the judge's own.
#[derive(Default)]
struct Judged {
    ledger: Ledger,
}

/// A machine: its disk, and the node if it runs.
#[derive(Default)]
struct Host {
    disk: Disk,
    live: Option<Live>,
    starts: u64,
    /// It reaches neither the log nor the others until then.
    cut_until: Duration,
}

#[derive(Clone, Default)]
struct Disk {
    ledger: Ledger,
    state: State,
}

struct Live {
    node: Node,
    state: State,
    rules: Option<Rules>,
    /// Connected clients, with the number of their session.
    sessions: BTreeMap<usize, u64>,
    submitted: u64,
}

/// What the turns amount to.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct State {
    /// Author, its number for it, and the server's.
    messages: Vec<(usize, u64, u64)>,
    known: BTreeMap<(usize, u64), u64>,
    /// The latest number that the rules gave.
    seq: u64,
}

/// The state of the rules at the leader.
#[derive(Default)]
struct Rules {
    seq: u64,
    people: BTreeSet<(NodeRun, usize, u64)>,
}

#[derive(Default)]
struct Client {
    said: u64,
    /// Without a receipt yet, each with the time when it was last said.
    pending: Vec<(u64, Duration)>,
    session: u64,
    receipts: Vec<(u64, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Append { from: NodeRun, after: u64, bytes: Vec<u8> },
    Refused { to: NodeRun, after: u64 },
    Follow { node: usize },
    Tick { to: NodeRun },
    Batch { from: NodeRun, to: NodeRun, number: u64, bytes: Vec<u8> },
    Roll { from: NodeRun, to: NodeRun, term: u64, people: Vec<u8> },
    Beat { from: NodeRun, to: usize, term: u64 },
    Say { client: usize },
    Start { node: usize },
}

/// Packets of a node's people, with the batch's number in its run.
#[derive(Serialize, Deserialize)]
struct Batch {
    number: u64,
    packets: Vec<Packet>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Packet {
    Comes { client: usize, session: u64 },
    Goes { client: usize, session: u64 },
    Says { client: usize, session: u64, id: u64 },
}

#[derive(Default, Serialize, Deserialize)]
struct Body {
    said: Vec<Said>,
    /// The latest number after this turn.
    seq: u64,
    /// Batches whose result it is.
    of: Vec<(NodeRun, u64)>,
}

#[derive(Serialize, Deserialize)]
struct Said {
    client: usize,
    session: u64,
    id: u64,
    seq: u64,
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut world = Self {
            dice: Dice(seed),
            now: Duration::ZERO,
            events: BinaryHeap::new(),
            events_so_far: 0,
            log: Vec::new(),
            nodes: (0..NODES).map(|_| Host::default()).collect(),
            clients: (0..CLIENTS).map(|_| Client::default()).collect(),
            states: HashMap::new(),
            faults: Vec::new(),
            is_healed: false,
            shown: BTreeMap::new(),
            judged: Judged::default(),
        };
        (0..NODES).for_each(|node| world.after(0, Event::Start { node }));
        (0..CLIENTS).for_each(|client| world.after(500, Event::Say { client }));
        world
    }

    /// Lets so many things happen, with faults.
    pub(super) fn go_wrong(&mut self, events: usize) {
        for _ in 0..events {
            self.fault();
            if !self.next() {
                return;
            }
        }
    }

    /// Lets everything go well until all have their receipts, for two minutes at most.
    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.nodes.iter_mut().for_each(|host| host.cut_until = self.now);
        let end = self.now + Duration::from_secs(120);
        while self.now < end && !self.is_done() && self.next() {}
    }

    fn is_done(&self) -> bool {
        self.judge_people().is_ok()
            && self.clients.iter().all(|client| client.pending.is_empty())
            && self.nodes.iter().all(|host| {
                host.live.as_ref().is_some_and(|live| {
                    live.node.ledger().position == self.log.len() as u64
                        && live.node.proposed() == 0
                        && live.node.ledger().taken(live.node.run()) == Some(live.submitted)
                })
            })
    }

    pub(super) fn judge(&mut self) -> Result<(), String> {
        if let Some(fault) = self.faults.first() {
            return Err(fault.clone());
        }
        for (number, client) in self.clients.iter().enumerate() {
            if !client.pending.is_empty() {
                return Err(format!("client {number} has no receipt for {:?}", client.pending));
            }
            for (place, host) in self.nodes.iter().enumerate() {
                let Some(live) = &host.live else { return Err(format!("node {place} does not run")) };
                let mine: Vec<u64> =
                    live.state.messages.iter().filter(|one| one.0 == number).map(|one| one.1).collect();
                if mine != (1..=client.said).collect::<Vec<_>>() {
                    return Err(format!(
                        "client {number} said {} and node {place} has {mine:?}",
                        client.said
                    ));
                }
                if let Some(receipt) =
                    client.receipts.iter().find(|(id, seq)| live.state.known.get(&(number, *id)) != Some(seq))
                {
                    return Err(format!(
                        "client {number} has a receipt {receipt:?} that node {place} does not know"
                    ));
                }
            }
        }
        if let Some(batch) = self.shown.iter().find(|(_, times)| **times > 1) {
            return Err(format!("a batch was taken more than once: {batch:?}"));
        }
        self.judge_people()?;
        for host in &self.nodes {
            let Some(live) = &host.live else { continue };
            let run = live.node.run();
            if let Some(lost) = (1..=live.submitted).find(|number| !self.shown.contains_key(&(run, *number)))
            {
                return Err(format!("batch {lost} of {run:?} was never taken, of {}", live.submitted));
            }
        }
        Ok(())
    }

    /// Exactly one leads, and its rules know exactly who is here.
    fn judge_people(&self) -> Result<(), String> {
        let live = || self.nodes.iter().filter_map(|host| host.live.as_ref());
        let here = live().flat_map(|live| {
            live.sessions.iter().map(|(client, session)| (live.node.run(), *client, *session))
        });
        let here: BTreeSet<_> = here.collect();
        let last = self.judged.ledger.leader;
        match live().filter_map(|live| live.rules.as_ref().map(|rules| (live, rules))).collect::<Vec<_>>()[..]
        {
            [(live, rules)] if Some(live.node.run()) == last && rules.people == here => Ok(()),
            [(live, rules)] => Err(format!(
                "{:?} leads, {last:?} should; it knows {:?}, here are {here:?}",
                live.node.run(),
                rules.people
            )),
            ref leaders => Err(format!("{} nodes lead", leaders.len())),
        }
    }

    /// One of the faults, now and then.
    fn fault(&mut self) {
        if self.dice.one_in(120) {
            let node = self.place();
            self.crash(node);
        }
        if self.dice.one_in(80) {
            let node = self.place();
            self.nodes[node].cut_until = self.now + Duration::from_millis(self.dice.roll(12_000));
        }
    }

    fn place(&mut self) -> usize {
        usize::try_from(self.dice.roll(NODES as u64)).unwrap()
    }

    fn crash(&mut self, node: usize) {
        if self.nodes[node].live.take().is_some() {
            let wait = 100 + self.dice.roll(8_000);
            self.after(wait, Event::Start { node });
        }
    }

    fn after(&mut self, millis: u64, event: Event) {
        self.events_so_far += 1;
        let at = self.now + Duration::from_millis(millis);
        self.events.push(Reverse((at, self.events_so_far, event)));
    }

    /// Sends something that may get lost, come late, or come twice.
    fn send(&mut self, event: Event) {
        if !self.is_healed && self.dice.one_in(20) {
            return;
        }
        if !self.is_healed && self.dice.one_in(20) {
            let late = self.dice.roll(15_000);
            self.after(late, event.clone());
        }
        let longest = if self.dice.one_in(10) { 800 } else { 12 };
        let delay = 1 + self.dice.roll(longest);
        self.after(delay, event);
    }

    fn is_cut(&self, node: NodeId) -> bool {
        self.nodes[usize::from(node.0)].cut_until > self.now
    }

    fn next(&mut self) -> bool {
        let Some(Reverse((at, _, event))) = self.events.pop() else { return false };
        self.now = at;
        match event {
            Event::Start { node } => self.start(node),
            Event::Tick { to } => {
                let now = self.now;
                if self.with(to, |live, out| live.node.tick(now, out)) {
                    self.after(TICK.as_millis() as u64, Event::Tick { to });
                    self.follow(usize::from(to.node.0));
                }
            }
            Event::Append { from, after, bytes } => self.append(from, after, bytes),
            Event::Refused { to, after } => {
                if !self.is_cut(to.node) {
                    self.with(to, |live, _| live.node.refused(after));
                }
            }
            Event::Follow { node } => self.follow(node),
            Event::Batch { from, to, number, bytes } => {
                if !self.is_cut(to.node) && !self.is_cut(from.node) {
                    self.with(to, |live, out| live.node.batch(from, number, bytes, out));
                }
            }
            Event::Roll { from, to, term, people } => {
                if !self.is_cut(to.node) && !self.is_cut(from.node) {
                    self.with(to, |live, out| live.node.roll(from, term, people, out));
                }
            }
            Event::Beat { from, to, term } => {
                let now = self.now;
                let is_cut = self.is_cut(from.node) || self.nodes[to].cut_until > now;
                if let Some(live) = self.nodes[to].live.as_mut().filter(|_| !is_cut) {
                    live.node.hear(from, term, now);
                }
            }
            Event::Say { client } => self.say(client),
        }
        true
    }

    fn start(&mut self, node: usize) {
        let delay = Duration::from_millis(self.dice.roll(1000));
        let host = &mut self.nodes[node];
        host.starts += 1;
        let run = NodeRun { node: NodeId(u8::try_from(node).unwrap()), start: host.starts };
        let Disk { ledger, state } = host.disk.clone();
        let machine = Node::new(run, ledger, delay, self.now);
        host.live = Some(Live { node: machine, state, rules: None, sessions: BTreeMap::new(), submitted: 0 });
        self.after(0, Event::Tick { to: run });
    }

    fn append(&mut self, from: NodeRun, after: u64, bytes: Vec<u8>) {
        if self.is_cut(from.node) {
            return;
        }
        if after != self.log.len() as u64 {
            self.send(Event::Refused { to: from, after });
            return;
        }
        self.log.push(bytes.clone());
        let position = self.log.len() as u64;
        match self.judged.ledger.read(position, &bytes) {
            Ok(Step::Turn(turn)) => {
                let body: Body = postcard::from_bytes(&turn.body).unwrap();
                for batch in body.of {
                    *self.shown.entry(batch).or_default() += 1;
                }
            }
            Ok(_) => {}
            Err(fault) => self.faults.push(fault.to_string()),
        }
        (0..NODES).for_each(|node| {
            let delay = 1 + self.dice.roll(30);
            self.after(delay, Event::Follow { node });
        });
    }

    /// A node reads some of the log.
    fn follow(&mut self, place: usize) {
        let most = 1 + self.dice.roll(6);
        for _ in 0..most {
            let now = self.now;
            if self.nodes[place].cut_until > now {
                return;
            }
            let Some(live) = &self.nodes[place].live else { return };
            let (run, position) = (live.node.run(), live.node.ledger().position + 1);
            let Some(bytes) = self.log.get(usize::try_from(position - 1).unwrap()).cloned() else { return };
            let mut fault = None;
            self.with(run, |live, out| fault = live.node.read(position, &bytes, now, out).err());
            if let Some(fault) = fault {
                self.faults.push(format!("node {place}: {fault}"));
                return;
            }
            let Some(live) = &self.nodes[place].live else { return };
            let state = live.state.clone();
            let known = self.states.entry(position).or_insert_with(|| state.clone());
            if *known != state {
                self.faults.push(format!("node {place} has another state at {position}"));
            }
            // A disk may be behind, but is never torn.
            if self.dice.one_in(3) {
                let ledger = self.nodes[place].live.as_ref().unwrap().node.ledger().clone();
                self.nodes[place].disk = Disk { ledger, state };
            }
        }
        self.after(20, Event::Follow { node: place });
    }

    /// Calls a node if this run of it lives, and does what it asks for.
    fn with(&mut self, run: NodeRun, call: impl FnOnce(&mut Live, &mut Vec<Action>)) -> bool {
        let place = usize::from(run.node.0);
        let Some(live) = self.nodes[place].live.as_mut().filter(|live| live.node.run() == run) else {
            return false;
        };
        let mut out = Vec::new();
        call(live, &mut out);
        self.act(run, out);
        true
    }

    fn act(&mut self, run: NodeRun, actions: Vec<Action>) {
        let place = usize::from(run.node.0);
        for action in actions {
            let now = self.now;
            match action {
                Action::Append { after, bytes } => self.send(Event::Append { from: run, after, bytes }),
                Action::Batch { to, number, bytes } => {
                    self.send(Event::Batch { from: run, to, number, bytes })
                }
                Action::Roll { to, term } => {
                    let Some(live) = &self.nodes[place].live else { return };
                    let people: Vec<_> =
                        live.sessions.iter().map(|(client, session)| (*client, *session)).collect();
                    let people = postcard::to_allocvec(&people).unwrap();
                    self.send(Event::Roll { from: run, to, term, people });
                }
                Action::Beat { term } => {
                    (0..NODES).for_each(|to| self.send(Event::Beat { from: run, to, term }));
                }
                Action::CarryOut(body) => self.carry_out(place, &body),
                Action::Lead => {
                    let Some(live) = &mut self.nodes[place].live else { return };
                    live.rules = Some(Rules { seq: live.state.seq, people: BTreeSet::new() });
                }
                Action::Follow => {
                    let Some(live) = &mut self.nodes[place].live else { return };
                    live.rules = None;
                }
                Action::Learn(from, people) => {
                    let people: Vec<(usize, u64)> = postcard::from_bytes(&people).unwrap();
                    let Some(live) = &mut self.nodes[place].live else { return };
                    let Some(rules) = &mut live.rules else { continue };
                    rules.people.retain(|(run, ..)| run.node != from.node);
                    rules.people.extend(people.into_iter().map(|(client, session)| (from, client, session)));
                    let body = Body { said: Vec::new(), seq: rules.seq, of: Vec::new() };
                    let body = postcard::to_allocvec(&body).unwrap();
                    self.with(run, |live, out| live.node.propose(body, now, out));
                }
                Action::Process(from, bytes) => {
                    let Some(live) = &mut self.nodes[place].live else { return };
                    let Some(rules) = &mut live.rules else { continue };
                    let body = postcard::to_allocvec(&rules.process(from, &bytes)).unwrap();
                    self.with(run, |live, out| live.node.propose(body, now, out));
                }
            }
        }
    }

    fn carry_out(&mut self, place: usize, body: &[u8]) {
        let Body { said, seq, .. } = postcard::from_bytes(body).unwrap();
        let Some(live) = &mut self.nodes[place].live else { return };
        live.state.seq = seq;
        for Said { client, session, id, seq } in said {
            let kept = *live.state.known.entry((client, id)).or_insert(seq);
            if kept == seq {
                live.state.messages.push((client, id, seq));
            }
            // The receipt is that of the first copy.
            if live.sessions.get(&client) == Some(&session) {
                let client = &mut self.clients[client];
                client.pending.retain(|(pending, _)| *pending != id);
                client.receipts.push((id, kept));
            }
        }
    }

    /// A client says the next thing, and what has no receipt yet.
    fn say(&mut self, number: usize) {
        let wait = 100 + self.dice.roll(1500);
        self.after(wait, Event::Say { client: number });
        let now = self.now;
        let is_moving = self.clients[number].pending.iter().any(|(_, said)| now > *said + PATIENCE);
        let here = (0..NODES).find(|place| {
            let live = self.nodes[*place].live.as_ref();
            live.is_some_and(|live| live.sessions.get(&number) == Some(&self.clients[number].session))
        });
        let mut packets = Vec::new();
        let session = self.clients[number].session;
        let place = match here.filter(|_| !is_moving) {
            Some(place) => place,
            None => {
                if let Some(place) = here {
                    let live = self.nodes[place].live.as_mut().unwrap();
                    live.sessions.remove(&number);
                    self.submit(place, vec![Packet::Goes { client: number, session }]);
                }
                let place = self.place();
                let Some(live) = &mut self.nodes[place].live else { return };
                self.clients[number].session += 1;
                let session = self.clients[number].session;
                live.sessions.insert(number, session);
                packets.push(Packet::Comes { client: number, session });
                let again = self.clients[number].pending.iter_mut();
                packets.extend(again.map(|(id, said)| {
                    *said = now;
                    Packet::Says { client: number, session, id: *id }
                }));
                place
            }
        };
        let client = &mut self.clients[number];
        if !self.is_healed && client.pending.len() < 5 {
            client.said += 1;
            client.pending.push((client.said, now));
            packets.push(Packet::Says { client: number, session: client.session, id: client.said });
        }
        if !packets.is_empty() {
            self.submit(place, packets);
        }
    }

    fn submit(&mut self, place: usize, packets: Vec<Packet>) {
        let now = self.now;
        let Some(live) = &mut self.nodes[place].live else { return };
        live.submitted += 1;
        let batch = postcard::to_allocvec(&Batch { number: live.submitted, packets }).unwrap();
        let run = live.node.run();
        self.with(run, |live, out| live.node.submit(batch, now, out));
    }
}

impl Rules {
    fn process(&mut self, from: NodeRun, batch: &[u8]) -> Body {
        let Batch { number, packets } = postcard::from_bytes(batch).unwrap();
        let mut said = Vec::new();
        for packet in packets {
            match packet {
                Packet::Comes { client, session } => {
                    self.people.insert((from, client, session));
                }
                Packet::Goes { client, session } => {
                    self.people.remove(&(from, client, session));
                }
                Packet::Says { client, session, id } => {
                    // As for a session that the rules do not know.
                    if self.people.contains(&(from, client, session)) {
                        self.seq += 1;
                        said.push(Said { client, session, id, seq: self.seq });
                    }
                }
            }
        }
        Body { said, seq: self.seq, of: vec![(from, number)] }
    }
}
