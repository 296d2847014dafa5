//! The nodes, their log, their people, and the faults.

use super::super::ledger::Ledger;
use super::super::node::Node;
use super::super::node_action::NodeAction;
use super::super::record::{NodeId, NodeRun, Taken};
use super::chat::{Client, Rules, State, from_bytes, to_bytes};
use super::dice::Dice;
use super::judge::{Judge, Process};
use bytes::Bytes;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

pub(super) const NODES: usize = 3;
const CLIENTS: usize = 6;

/// Between two looks of a node at the clock.
const TICK: u64 = 400;

pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) now: Duration,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    events_so_far: u64,
    /// `None`: a record that is not of a node.
    pub(super) log: Vec<Option<Bytes>>,
    pub(super) nodes: Vec<Host>,
    pub(super) clients: Vec<Client>,
    pub(super) is_healed: bool,
    /// One in so many events comes with a crash; with a cut; and the longest cut in milliseconds.
    pub(super) faults: [u64; 3],
    /// How many of the machines have faults.
    pub(super) victims: u64,
    /// One in so many events comes with an outsider's record.
    pub(super) strangers: u64,
    pub(super) judge: Judge,
}

/// A machine: its disk, and the node if it runs.
#[derive(Default)]
pub(super) struct Host {
    disk: Disk,
    /// An earlier state of the disk, which sometimes comes back.
    backup: Disk,
    pub(super) live: Option<Live>,
    boots: u64,
    /// It reaches neither the log nor the others until then.
    pub(super) cut_until: Duration,
}

#[derive(Clone, Default)]
struct Disk {
    ledger: Ledger,
    state: State,
}

pub(super) struct Live {
    process: Process,
    pub(super) node: Node,
    pub(super) state: State,
    pub(super) rules: Option<Rules>,
    /// Results of the rules on their way to the log.
    pub(super) encoded: VecDeque<Encoded>,
    /// Connected clients, with the number of their session.
    pub(super) sessions: BTreeMap<usize, u64>,
    /// Batches of this run.
    pub(super) submitted: u64,
}

/// A result of the rules: its term, what they had taken, and the body.
type Encoded = (u64, Vec<(NodeRun, Taken)>, Bytes);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Append { from: Process, after: u64, bytes: Bytes },
    Refused { to: Process, after: u64 },
    Unanswered { to: Process, after: u64 },
    Follow { place: usize },
    Tick { at: Process },
    Batch { run: NodeRun, to: NodeId, number: u64, bytes: Bytes },
    Alive { run: NodeRun, to: NodeId },
    Beat { from: NodeId, to: NodeId, term: u64 },
    Encode { at: Process },
    Propose { at: Process },
    Say { client: usize },
    Start { place: usize },
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let faults = [[150, 600, 3000], [100, 300, 600], [6_000, 20_000, 40_000]];
        let faults = faults.map(|choice| choice[usize::try_from(dice.roll(3)).unwrap()]);
        let victims = 1 + dice.roll(NODES as u64);
        let strangers = [20, 200, 1_000_000][usize::try_from(dice.roll(3)).unwrap()];
        let mut world = Self {
            dice,
            now: Duration::ZERO,
            events: BinaryHeap::new(),
            events_so_far: 0,
            log: Vec::new(),
            nodes: (0..NODES).map(|_| Host::default()).collect(),
            clients: (0..CLIENTS).map(|_| Client::default()).collect(),
            is_healed: false,
            faults,
            victims,
            strangers,
            judge: Judge::default(),
        };
        (0..NODES).for_each(|place| world.after(0, Event::Start { place }));
        (0..CLIENTS).for_each(|client| world.after(500, Event::Say { client }));
        world
    }

    /// Lets so many things happen, with faults.
    pub(super) fn go_wrong(&mut self, events: usize) {
        for _ in 0..events {
            self.fault();
            self.next();
        }
    }

    /// Lets everything go well until all is as it should be, for two minutes at most.
    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.nodes.iter_mut().for_each(|host| host.cut_until = self.now);
        let end = self.now + Duration::from_secs(120);
        while self.now < end && self.judge_end().is_err() {
            self.next();
        }
    }

    pub(super) fn place(&mut self) -> usize {
        usize::try_from(self.dice.roll(NODES as u64)).unwrap()
    }

    pub(super) fn after(&mut self, millis: u64, event: Event) {
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

    fn next(&mut self) {
        let Some(Reverse((at, _, event))) = self.events.pop() else { return };
        self.now = at;
        let now = at;
        match event {
            Event::Start { place } => self.start(place),
            Event::Tick { at } => self.tick(at),
            Event::Append { from, after, bytes } => self.append(from, after, bytes),
            Event::Refused { to, after } => self.answer(to, |node| node.refused(after)),
            Event::Unanswered { to, after } => self.answer(to, |node| node.unanswered(after)),
            Event::Follow { place } => self.follow(place),
            Event::Batch { run, to, number, bytes } => {
                self.hear(run, to, |node, out| node.batch(run, number, bytes, now, out))
            }
            Event::Alive { run, to } => self.hear(run, to, |node, out| node.alive(run, now, out)),
            Event::Beat { from, to, term } => {
                if !self.is_cut(from) && !self.is_cut(to) && from != to {
                    self.at(to, |live, _| live.node.hear(from, term, now).unwrap());
                }
            }
            Event::Encode { at } => self.encode(at),
            Event::Propose { at } => {
                self.with(at, |live, out| {
                    let (term, taken, body) = live.encoded.pop_front().unwrap();
                    live.node.propose(term, taken, &body, now, out);
                });
            }
            Event::Say { client } => self.say(client),
        }
    }

    fn start(&mut self, place: usize) {
        let delay = Duration::from_millis(self.dice.roll(1000));
        let (part, is_old) = (usize::try_from(100 + self.dice.roll(400)).unwrap(), self.dice.one_in(8));
        self.nodes[place].boots += 1;
        let process = Process { place, boot: self.nodes[place].boots };
        let start = self.wish(process);
        let host = &mut self.nodes[place];
        if is_old {
            host.disk = host.backup.clone();
            self.judge.meet("an old disk");
        }
        let Disk { ledger, state } = host.disk.clone();
        let node = NodeId(u8::try_from(place).unwrap());
        let node = Node::new(node, start, ledger, delay, self.now).with_parts(part);
        self.judge.begins(node.run());
        let (encoded, sessions) = (VecDeque::new(), BTreeMap::new());
        host.live = Some(Live { process, node, state, rules: None, encoded, sessions, submitted: 0 });
        self.after(0, Event::Tick { at: process });
    }

    /// The start of a run by the machine's clock, which is sometimes wrong by a minute.
    fn wish(&mut self, process: Process) -> u64 {
        let skew = if self.dice.one_in(3) { self.dice.roll(60_000) } else { 60_000 };
        (self.now.as_millis() as u64 + skew) * 1000 + process.boot
    }

    fn tick(&mut self, at: Process) {
        let (now, is_cut, is_told) =
            (self.now, self.nodes[at.place].cut_until > self.now, self.dice.one_in(4));
        let is_live = self.with(at, |live, out| {
            if is_told {
                live.node.reaching(!is_cut);
            }
            live.node.tick(now, out);
        });
        if is_live {
            self.after(TICK, Event::Tick { at });
            self.follow(at.place);
        }
    }

    fn append(&mut self, from: Process, after: u64, bytes: Bytes) {
        let is_answered = self.is_healed || !self.dice.one_in(10);
        if self.nodes[from.place].cut_until > self.now {
            return self.send(Event::Unanswered { to: from, after });
        }
        if after != self.log.len() as u64 {
            let answer = Event::Refused { to: from, after };
            return self.send(if is_answered { answer } else { Event::Unanswered { to: from, after } });
        }
        self.log(Some(bytes));
        if !is_answered {
            self.judge.meet("an append without an answer");
            self.send(Event::Unanswered { to: from, after });
        }
    }

    pub(super) fn log(&mut self, record: Option<Bytes>) {
        self.judge.logged(record.as_deref());
        self.log.push(record);
        (0..NODES).for_each(|place| {
            let delay = 1 + self.dice.roll(30);
            self.after(delay, Event::Follow { place });
        });
    }

    fn answer(&mut self, to: Process, call: impl FnOnce(&mut Node)) {
        if self.nodes[to.place].cut_until <= self.now {
            self.with(to, |live, _| call(&mut live.node));
        }
    }

    /// A node hears of another node's run.
    fn hear(&mut self, run: NodeRun, to: NodeId, call: impl FnOnce(&mut Node, &mut Vec<NodeAction>)) {
        let now = self.now;
        if !self.is_cut(run.node) && !self.is_cut(to) {
            let by = self.at(to, |live, out| {
                call(&mut live.node, out);
                live.process
            });
            by.into_iter().for_each(|by| self.judge.heard(by, run, now));
        }
    }

    /// A node reads some of the log.
    fn follow(&mut self, place: usize) {
        let most = 1 + self.dice.roll(6);
        for _ in 0..most {
            if self.nodes[place].cut_until > self.now {
                return;
            }
            let Some(live) = &self.nodes[place].live else { return };
            let (now, process, position) = (self.now, live.process, live.node.ledger().position + 1);
            let Some(record) = self.log.get(usize::try_from(position - 1).unwrap()).cloned() else { return };
            let mut fault = None;
            self.with(process, |live, out| {
                fault = match &record {
                    Some(bytes) => live.node.read(position, bytes, now, out).err(),
                    None => live.node.pass(position, now, out).err(),
                };
            });
            if let Some(fault) = fault {
                self.judge.faults.push(format!("node {place}: {fault}"));
                return;
            }
        }
        self.after(20, Event::Follow { place });
    }

    /// Calls the node of a machine, if it runs, and does what it asks for.
    pub(super) fn at<T>(
        &mut self,
        node: NodeId,
        call: impl FnOnce(&mut Live, &mut Vec<NodeAction>) -> T,
    ) -> Option<T> {
        let (place, mut out) = (usize::from(node.0), Vec::new());
        let live = self.nodes[place].live.as_mut()?;
        let process = live.process;
        let result = call(live, &mut out);
        for action in out {
            self.act(process, action);
        }
        Some(result)
    }

    /// The same for one process. Returns whether it lives.
    fn with(&mut self, process: Process, call: impl FnOnce(&mut Live, &mut Vec<NodeAction>)) -> bool {
        let live = self.nodes[process.place].live.as_ref();
        let is_live = live.is_some_and(|live| live.process == process);
        is_live && self.at(NodeId(u8::try_from(process.place).unwrap()), call).is_some()
    }

    fn act(&mut self, process: Process, action: NodeAction) {
        let now = self.now;
        let Some(live) = &mut self.nodes[process.place].live else { return };
        match action {
            NodeAction::Append { after, bytes } => self.send(Event::Append { from: process, after, bytes }),
            NodeAction::Batch { to, run, number, bytes } => {
                self.send(Event::Batch { run, to, number, bytes });
            }
            NodeAction::Alive { to, run } => self.send(Event::Alive { run, to }),
            NodeAction::Beat { term } => {
                let from = live.node.run().node;
                let to = (0..NODES).map(|to| NodeId(u8::try_from(to).unwrap()));
                to.for_each(|to| self.send(Event::Beat { from, to, term }));
            }
            NodeAction::CarryOut { body, ledger } => self.carry_out(process.place, &body, ledger),
            NodeAction::Lead => {
                live.rules = Some(Rules::of(&live.state));
                self.judge.leads(process, now);
                self.after(1, Event::Encode { at: process });
            }
            NodeAction::Follow => live.rules = None,
            NodeAction::Process { run, number, bytes } => {
                live.rules.as_mut().unwrap().process(run, number, &bytes);
                let soon = 1 + self.dice.roll(10);
                self.after(soon, Event::Encode { at: process });
            }
            NodeAction::NodeGone(run) => {
                live.rules.as_mut().unwrap().gone(run);
                self.judge.gone(process, run, now);
                self.after(1, Event::Encode { at: process });
            }
            NodeAction::Ended => {
                self.judge.over.insert(live.node.run());
                self.judge.meet("another run of the same process");
                let start = self.wish(process);
                let Some(live) = &mut self.nodes[process.place].live else { return };
                live.sessions.clear();
                live.submitted = 0;
                live.node.begin_run(start, self.now);
                self.judge.begins(live.node.run());
            }
        }
    }

    /// A leader takes what the rules have to say and encodes it, while it may lose the lead.
    fn encode(&mut self, at: Process) {
        let filler = if self.dice.one_in(6) { self.dice.roll(1500) } else { 0 };
        let Some(live) = self.nodes[at.place].live.as_mut().filter(|live| live.process == at) else { return };
        let Some(rules) = live.rules.as_mut().filter(|rules| rules.is_due()) else { return };
        if !live.node.has_window() {
            self.judge.meet("a full window");
            return self.after(100, Event::Encode { at });
        }
        let (Some(mut body), Some((term, taken))) = (rules.take(), live.node.taken()) else { return };
        body.filler = vec![7; usize::try_from(filler).unwrap()].into();
        live.encoded.push_back((term, taken, to_bytes(&body)));
        // All take the same time, so they arrive in order.
        self.after(5, Event::Propose { at });
    }

    fn carry_out(&mut self, place: usize, body: &[u8], ledger: Ledger) {
        let host = &mut self.nodes[place];
        let Some(live) = &mut host.live else { return };
        for receipt in live.state.carry_out(from_bytes(body)) {
            if live.sessions.get(&receipt.client) == Some(&receipt.session) {
                let client = &mut self.clients[receipt.client];
                client.pending.retain(|(pending, _)| *pending != receipt.id);
                client.receipts.push((receipt.id, receipt.seq));
            }
        }
        self.judge.carried_out(live.node.run().node, ledger.position, &live.state);
        // A disk may be behind, but is never torn.
        if self.dice.one_in(3) {
            host.disk = Disk { ledger, state: live.state.clone() };
        }
        if self.dice.one_in(40) {
            host.backup = host.disk.clone();
        }
    }
}
