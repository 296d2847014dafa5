//! A server's share of a chat that several servers carry on, under the hub's lock: its own sessions, its messages to the
//! server that leads, and the turns that it has to carry out.

use super::cut_off::{self, CutOff};
use super::input::RulesInput;
use super::node_message::{NodeMessage, SEALED_MESSAGE};
use super::node_news::NodeNews;
use crate::chat::{Entry, Peer, Record, Records, SessionId};
use crate::cluster::{Ledger, Node, NodeId, NodeRun, Taken};
use crate::engine::EngineHandle;
use crate::fingerprint::Fingerprint;
use crate::limits::{INBOUND_BATCHES, UP_BATCH_BYTES, UPLINK_BYTES};
use crate::pace::{Bucket, Rate};
use crate::protocol::{Code, Event, Packet};
use crate::security::{NotSealed, Seal};
use crate::server::cutover::{CatchUpSummary, Cutover, Remainder};
use crate::server::output_batch::{Liveness, OutputBatch, Receivers, Seam, StepKind};
use crate::server::slots::Slots;
use bytes::Bytes;
use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;
use std::time::Duration;
use tokio::sync::oneshot;

/// See the module.
#[derive(Debug)]
pub(in crate::server) struct NodeSeat {
    pub(super) node: Node,
    engine: EngineHandle,
    seal: Seal,
    /// Steps of this process alone: begins and ends of connections, and its own packets to sessions.
    pub(super) local: OutputBatch,
    pub(super) sessions: Slots<NodeSession>,
    /// Sessions that have not registered, with their deadlines, in order.
    pub(super) deadlines: VecDeque<(Duration, SessionId)>,
    /// Inputs for the next batch, and their size.
    up: Vec<RulesInput>,
    up_bytes: usize,
    /// Full batches, as bytes.
    full: Vec<Bytes>,
    /// Batches that have come before the rules could take them.
    pub(super) inbound: VecDeque<(NodeRun, u64, Bytes)>,
    pub(super) work: VecDeque<NodeWork>,
    pub(super) stage: RulesStage,
    /// The inputs that the rules had taken by the last turn; `None`: there was none since they have started.
    pub(super) told_taken: Option<Vec<(NodeRun, Taken)>>,
    /// The number of the latest message in the last turn.
    pub(super) told_seq: u64,
    questions: SeamQuestions,
    /// How fast a session may send; `None`: no limit.
    rate: Option<Rate>,
    /// Bytes of a batch above which more must wait.
    pub(super) max_batch: usize,
    pub(super) cut_off: CutOff,
    /// Why it cannot follow the log any further.
    stopped: Option<String>,
    /// Whether its store fails, so that it can carry nothing out.
    pub(super) is_failing: bool,
    /// Users who are present at all servers, as of the last turn.
    pub(super) present: usize,
    keys: KnownKeys,
    pub(super) news: NodeNews,
}

/// The context of a sealed record, which is not that of a message.
const RECORD: &[u8] = b"record";

/// Work for the output, in order.
#[derive(Debug)]
pub(in crate::server) enum NodeWork {
    CarryOut {
        body: Bytes,
        ledger: Ledger,
    },
    /// Read the state from which the rules start, of that term.
    Open {
        term: u64,
    },
}

/// Whether the rules run here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RulesStage {
    Elsewhere,
    /// Until the state is read that they start from.
    Opening,
    Here,
}

/// A session of this server.
#[derive(Debug)]
pub(super) struct NodeSession {
    peer: Peer,
    pace: Bucket,
    /// Whether the server that leads knows it.
    is_announced: bool,
    has_name: bool,
}

/// Keys that the doors let in, from this server's own copy of the records.
#[derive(Debug, Default)]
struct KnownKeys {
    members: HashSet<Fingerprint>,
    /// May enter a closed server like members.
    operators: HashSet<Fingerprint>,
    owners: HashSet<Fingerprint>,
}

/// SeamQuestions for [seams](Seam) without an answer yet.
#[derive(Debug)]
struct SeamQuestions {
    next: u64,
    waiting: HashMap<u64, SeamUse>,
}

/// The use of a seam.
#[derive(Debug)]
pub(super) enum SeamUse {
    Ask(oneshot::Sender<Seam>),
    Cutover {
        after: u64,
        known: u64,
        summary: Option<CatchUpSummary>,
        written: oneshot::Sender<Option<Remainder>>,
    },
}

impl NodeSeat {
    /// `first_question`: random, so that answers to an earlier process mean nothing.
    pub(in crate::server) fn new(
        node: Node,
        (engine, seal): (EngineHandle, Seal),
        (rate, max_batch): (Option<Rate>, usize),
        first_question: u64,
    ) -> Self {
        let (sessions, position) = (Slots::of(node.run().node.0), node.ledger().position);
        Self {
            node,
            engine,
            seal,
            local: OutputBatch::default(),
            sessions,
            deadlines: VecDeque::new(),
            up: Vec::new(),
            up_bytes: 0,
            full: Vec::new(),
            inbound: VecDeque::new(),
            work: VecDeque::new(),
            stage: RulesStage::Elsewhere,
            told_taken: None,
            told_seq: 0,
            questions: SeamQuestions { next: first_question, waiting: HashMap::new() },
            rate,
            max_batch,
            cut_off: CutOff::default(),
            stopped: None,
            is_failing: false,
            present: 0,
            keys: KnownKeys::default(),
            news: NodeNews::new(Vec::new(), position),
        }
    }

    /// Knows the names of all servers, by number.
    #[must_use]
    pub(in crate::server) fn with_names(mut self, names: Vec<String>) -> Self {
        self.news = NodeNews::new(names, self.node.ledger().position);
        self
    }

    /// Among the servers of the chat.
    pub(super) fn number(&self) -> u8 {
        self.node.run().node.0
    }

    /// Whether the sessions have to wait before they say anything else.
    pub(super) fn is_congested(&self) -> bool {
        self.up_bytes + self.node.uplink_bytes() > UPLINK_BYTES || self.local.bytes() > self.max_batch
    }

    /// Bytes of input that have not reached the one that leads.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.up_bytes + self.full.iter().map(Bytes::len).sum::<usize>() + self.node.uplink_bytes()
    }

    /// Its own sessions that have a name.
    pub(super) fn named(&self) -> usize {
        self.sessions.iter().filter(|(_, session)| session.has_name).count()
    }

    pub(super) fn is_waited_for(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|session| !session.has_name)
    }

    pub(super) fn connect(&mut self, id: SessionId, peer: Peer, open: StepKind, deadline: Duration) {
        let session = NodeSession { peer, pace: Bucket::default(), is_announced: false, has_name: false };
        self.sessions.insert(id, session);
        self.local.step(id, open);
        self.deadlines.push_back((deadline, id));
    }

    pub(super) fn disconnect(&mut self, id: SessionId) {
        if self.sessions.remove(id).is_some_and(|session| session.is_announced) {
            self.push(RulesInput::Gone { id });
        }
        self.local.step(id, StepKind::Gone);
    }

    /// Pays for a session's next packet; an error: how long it must wait.
    pub(super) fn pay(&mut self, id: SessionId, cost: u64, uptime: Duration) -> Result<(), Duration> {
        let (Some(rate), Some(session)) = (self.rate, self.sessions.get_mut(id)) else { return Ok(()) };
        match session.pace.wait(rate, uptime) {
            Duration::ZERO => {
                session.pace.spend(cost, rate, uptime);
                Ok(())
            }
            wait => Err(wait),
        }
    }

    /// Has an input of a session go up with the next batch, after its begin.
    pub(super) fn take(&mut self, id: SessionId, input: RulesInput) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if !mem::replace(&mut session.is_announced, true) {
            let peer = session.peer;
            self.push(RulesInput::Connect { id, peer });
        }
        self.push(input);
    }

    pub(super) fn push(&mut self, input: RulesInput) {
        self.up_bytes += input.bytes();
        self.up.push(input);
        if self.up_bytes > UP_BATCH_BYTES {
            self.fill();
        }
    }

    fn fill(&mut self) {
        self.up_bytes = 0;
        let inputs = mem::take(&mut self.up);
        // Memory takes everything, and each part can be serialised.
        self.full.push(rmp_serde::to_vec_named(&inputs).unwrap_or_default().into());
    }

    /// The inputs since the last call, in batches, as bytes.
    pub(super) fn take_up(&mut self) -> Vec<Bytes> {
        if !self.up.is_empty() {
            self.fill();
        }
        mem::take(&mut self.full)
    }

    /// Appends a record to the log, sealed.
    pub(super) fn append(&mut self, after: u64, bytes: &[u8]) {
        let sealed = self.seal.seal(RECORD, bytes);
        self.engine.append(after, sealed.into());
    }

    pub(super) fn open_record(&mut self, sealed: &[u8]) -> Result<Vec<u8>, NotSealed> {
        self.seal.open(RECORD, sealed)
    }

    /// Sends a message to a server, sealed; `None`: to all others.
    pub(super) fn send(&mut self, to: Option<NodeId>, message: &NodeMessage) {
        let sealed = self.seal.seal(SEALED_MESSAGE, &message.to_bytes()).into();
        match to {
            Some(to) => self.engine.send(to.0, sealed),
            None => self.engine.broadcast(sealed),
        }
    }

    /// Of another server; `None`: of nobody with the chat's key, or of another version.
    pub(super) fn open_message(&mut self, sealed: &[u8]) -> Option<NodeMessage> {
        NodeMessage::read(&self.seal.open(SEALED_MESSAGE, sealed).ok()?)
    }

    /// Keeps a batch until the rules can take it. Its sender sends one that finds no room again later.
    pub(super) fn receive(&mut self, run: NodeRun, number: u64, bytes: Bytes) {
        if self.inbound.len() < INBOUND_BATCHES {
            self.inbound.push_back((run, number, bytes));
        }
    }

    pub(super) fn tell(&mut self, id: SessionId, packet: &Packet) {
        self.local.send(packet, Receivers::These(vec![id]), Liveness::Own);
    }

    /// Asks the server that leads for the part of the history that a session may read.
    pub(super) fn ask(&mut self, id: SessionId, want: SeamUse) {
        let number = self.questions.next;
        self.questions.next = number.wrapping_add(1);
        self.questions.waiting.insert(number, want);
        self.push(RulesInput::Seam { id, number });
    }

    /// Fills the seams of a turn in.
    pub(super) fn answer(&mut self, batch: &mut OutputBatch) {
        for step in batch.seams() {
            let StepKind::Seam(number, seam) = mem::replace(&mut step.kind, StepKind::Nothing) else {
                continue;
            };
            let Some((want, seam)) = self.questions.waiting.remove(&number).zip(seam) else { continue };
            match want {
                // The one who asked may have ended.
                SeamUse::Ask(asked) => drop(asked.send(*seam)),
                SeamUse::Cutover { after, known, summary, written } => {
                    let Seam { view, upto, others } = *seam;
                    let cutover = Cutover {
                        view,
                        others,
                        after: after.min(upto),
                        upto,
                        known,
                        summary,
                        frames: Vec::new(),
                        remainder: None,
                        written: Some(written),
                    };
                    step.kind = StepKind::Cutover(Box::new(cutover));
                }
            }
        }
    }

    /// Learns from the entries of a turn.
    pub(super) fn learn(&mut self, entries: &[Entry]) {
        for entry in entries {
            match entry {
                Entry::Session(id, Some(record)) => {
                    if let Some(session) = self.sessions.get_mut(*id) {
                        session.has_name = record.user.is_some();
                    }
                }
                Entry::Record(record) => self.learn_record(record),
                _ => {}
            }
        }
    }

    /// Knows the keys in these records.
    pub(in crate::server) fn know(&mut self, records: &Records) {
        self.keys.members.extend(records.members.iter().map(|row| row.key));
        self.keys.operators.extend(records.operators.iter().map(|row| row.key));
        self.keys.owners.extend(records.names.iter().map(|row| row.key));
    }

    fn learn_record(&mut self, record: &Record) {
        match record {
            Record::Member(key, Some(_)) => drop(self.keys.members.insert(*key)),
            Record::Member(key, None) => drop(self.keys.members.remove(key)),
            Record::Operator(key, Some(_)) => drop(self.keys.operators.insert(*key)),
            Record::Operator(key, None) => drop(self.keys.operators.remove(key)),
            Record::Name(_, Some(row)) => drop(self.keys.owners.insert(row.key)),
            _ => {}
        }
    }

    pub(super) fn is_member(&self, key: &Fingerprint) -> bool {
        self.keys.members.contains(key) || self.keys.operators.contains(key)
    }

    pub(super) fn is_known(&self, key: &Fingerprint) -> bool {
        self.is_member(key) || self.keys.owners.contains(key)
    }

    /// Ends the connections of all sessions, and tells them why.
    pub(super) fn end_all(&mut self, packet: &Packet) {
        let all: Vec<SessionId> = self.sessions.iter().map(|(id, _)| id).collect();
        all.into_iter().for_each(|id| self.end(id, packet));
    }

    /// Why it takes no new sessions, if so: their clients try the other servers.
    pub(super) fn refusal(&self) -> Option<String> {
        let cut_off = self.cut_off.is_told().then(|| cut_off::REFUSAL.to_owned());
        self.stopped.clone().or(cut_off)
    }

    /// Ends all sessions for good: it cannot follow the log any further.
    pub(super) fn stop(&mut self, why: &str) {
        (self.is_failing, self.stopped) = (true, Some(why.to_owned()));
        self.work.clear();
        self.end_all(&Event::error(Code::NotStored, why).into_packet("", None));
        self.forget_all();
    }

    /// Ends the connection of a session, and tells it why.
    pub(super) fn end(&mut self, id: SessionId, packet: &Packet) {
        self.tell(id, packet);
        self.local.step(id, StepKind::Close);
    }

    /// Tells everyone at this server.
    pub(super) fn tell_all(&mut self, text: &str) {
        self.local.lobby(&Event::Notice(text.into()).into_packet("all", None), &[], None);
    }

    /// Forgets all sessions: their run is over, so nobody else knows them any more.
    pub(super) fn forget_all(&mut self) {
        self.sessions = Slots::of(self.number());
        self.up.clear();
        self.full.clear();
        self.up_bytes = 0;
        self.questions.waiting.clear();
    }

    /// Whether all inputs of its people were taken.
    pub(super) fn has_nothing_to_tell(&self) -> bool {
        self.up.is_empty() && self.full.is_empty() && self.inbound.is_empty() && self.node.uplink_bytes() == 0
    }
}
