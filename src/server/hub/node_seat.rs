//! A server's share of a chat that several servers carry on, under the hub's lock: its own sessions, its messages to the
//! server that leads, and the turns that it has to carry out.

use super::cut_off::{self, CutOff};
use super::failing_store::{FAILS, FailingStore};
use super::input::{InputBatches, RulesInput};
use super::known_keys::KnownKeys;
use super::node_door::NodeDoor;
use super::node_news::NodeNews;
use super::node_paces::NodePaces;
use super::node_question::{NodeQuestion, NodeQuestions};
use super::node_session::NodeSession;
use super::node_settings::NodeSettings;
use super::node_strangers::NodeStrangers;
use super::node_work::{NodeWork, RulesStage};
use super::uplink_shares::{UplinkPayer, UplinkShares};
use crate::chat::{FileTicket, Now, Peer, SessionId, TransferEnd};
use crate::cluster::{Node, NodeRun, Taken};
use crate::engine::EngineHandle;
use crate::fingerprint::Fingerprint;
use crate::limits::{ANSWERS_WAIT, INBOUND_BATCHES, UPLINK_BYTES};
use crate::pace::Rate;
use crate::protocol::{Code, Event, Packet};
use crate::security::Seal;
use crate::server::output_batch::{Liveness, OutputBatch, OutputStep, Receivers, RulesAnswer, StepKind};
use crate::server::slots::Slots;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::mem;
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub(in crate::server) struct NodeSeat {
    pub(super) node: Node,
    pub(super) engine: EngineHandle,
    pub(super) seal: Seal,
    /// The key that all servers have.
    chat_key: Fingerprint,
    /// Steps of this process alone: begins and ends of connections, and its own packets to sessions.
    pub(super) local: OutputBatch,
    pub(super) sessions: Slots<NodeSession>,
    /// Its own sessions that have a name.
    pub(super) named: usize,
    /// Sessions whose peers have ended them, until when they wait for answers, in order.
    leaving: VecDeque<(Duration, SessionId)>,
    pub(super) up: InputBatches,
    pub(super) shares: UplinkShares,
    /// Batches that have come before the rules could take them.
    pub(super) inbound: VecDeque<(NodeRun, u64, Bytes)>,
    pub(super) work: VecDeque<NodeWork>,
    pub(super) stage: RulesStage,
    /// The inputs that the rules had taken by the last turn; `None`: there was none since they have started.
    pub(super) told_taken: Option<Vec<(NodeRun, Taken)>>,
    /// The number of the latest message in the last turn.
    pub(super) told_seq: u64,
    questions: NodeQuestions,
    pub(super) paces: NodePaces,
    /// Bytes of a batch above which more must wait.
    pub(super) max_batch: usize,
    pub(super) cut_off: CutOff,
    /// The time at another server, as it has just said.
    pub(super) heard_clock: Option<(u8, i64)>,
    /// When this server last let another one lead for its clock.
    pub(super) handed_over: Option<Duration>,
    /// The code and the token that make a client an operator.
    pub(super) operator_secrets: Option<(String, String)>,
    /// The term whose leader knows them.
    pub(super) offered: u64,
    /// Why it cannot follow the log any further.
    pub(super) stopped: Option<String>,
    /// While its store fails, it can carry nothing out.
    pub(super) failing: FailingStore,
    /// Whether the rules here have stopped taking inputs, as the server ends.
    pub(super) is_retiring: bool,
    /// Users who are present at all servers, as of the last turn.
    pub(super) present: usize,
    pub(in crate::server) keys: KnownKeys,
    pub(in crate::server) door: NodeDoor,
    pub(super) settings: NodeSettings,
    pub(super) news: NodeNews,
    pub(super) strangers: NodeStrangers,
    /// The record that it reads again before it takes it for an outsider's.
    pub(super) doubted: Option<u64>,
}

impl NodeSeat {
    /// `first_question`: random, so that answers to an earlier process mean nothing.
    pub(in crate::server) fn new(
        node: Node,
        (engine, seal, chat_key): (EngineHandle, Seal, Fingerprint),
        max_batch: usize,
        first_question: u64,
    ) -> Self {
        let (sessions, position) = (Slots::of(node.run().node.0), node.ledger().position);
        Self {
            node,
            engine,
            seal,
            chat_key,
            local: OutputBatch::default(),
            sessions,
            named: 0,
            leaving: VecDeque::new(),
            up: InputBatches::default(),
            shares: UplinkShares::default(),
            inbound: VecDeque::new(),
            work: VecDeque::new(),
            stage: RulesStage::Elsewhere,
            told_taken: None,
            told_seq: 0,
            questions: NodeQuestions { next: first_question, waiting: HashMap::new() },
            paces: NodePaces::default(),
            max_batch,
            cut_off: CutOff::default(),
            heard_clock: None,
            handed_over: None,
            operator_secrets: None,
            offered: 0,
            stopped: None,
            failing: FailingStore::default(),
            is_retiring: false,
            present: 0,
            keys: KnownKeys::new(chat_key),
            door: NodeDoor::default(),
            settings: NodeSettings::default(),
            news: NodeNews::new(Vec::new(), position),
            strangers: NodeStrangers::default(),
            doubted: None,
        }
    }

    pub(super) fn chat_key(&self) -> Fingerprint {
        self.chat_key
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

    /// The name of the server that leads, if one does.
    pub(super) fn leader_name(&self) -> Option<String> {
        self.node.ledger().leader.map(|leader| self.news.name(leader.node.0))
    }

    /// Whether the sessions have to wait before they say anything else.
    pub(super) fn is_congested(&self) -> bool {
        self.waiting_bytes() > UPLINK_BYTES || self.local.bytes() > self.max_batch
    }

    /// Bytes of input that have not reached the one that leads.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.up.bytes() + self.node.uplink_bytes()
    }

    pub(super) fn is_waited_for(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|session| !session.is_registered())
    }

    pub(super) fn connect(&mut self, id: SessionId, peer: Peer, open: StepKind) {
        self.sessions.insert(id, NodeSession::new(peer));
        self.local.step(id, open);
    }

    /// Ends a connection whose peer sends nothing more. The peer may still read, so the connection stays until the rules
    /// have answered what it has sent.
    pub(super) fn disconnect(&mut self, id: SessionId, uptime: Duration) {
        match self.forget(id, uptime) && !self.is_stopped() {
            true => self.leaving.push_back((uptime + ANSWERS_WAIT, id)),
            false => self.local.step(id, StepKind::Gone),
        }
    }

    /// Forgets a session; `true`: the rules know it, and hear of its end.
    fn forget(&mut self, id: SessionId, uptime: Duration) -> bool {
        let session = self.sessions.remove(id);
        self.paces.end(id, session.as_ref(), uptime);
        let Some(session) = session else { return false };
        self.named -= usize::from(session.is_registered());
        let is_known = session.is_announced;
        if is_known {
            self.push(RulesInput::Gone { id });
        }
        is_known
    }

    /// Closes the connections that have waited long enough for answers.
    pub(super) fn let_leave(&mut self, uptime: Duration) {
        while let Some((_, id)) = self.leaving.pop_front_if(|(until, _)| *until <= uptime) {
            self.local.step(id, StepKind::Gone);
        }
    }

    /// Pays for a session's next packet; an error: how long it must wait. `rate`: `None`: there is no limit.
    pub(super) fn pay(
        &mut self,
        id: SessionId,
        cost: u64,
        rate: Option<Rate>,
        now: &Now,
    ) -> Result<(), Duration> {
        let Some((session, rate)) = self.sessions.get_mut(id).zip(rate) else { return Ok(()) };
        if let Some(notice) = self.paces.pay((id, session), &self.keys, cost, (rate, now))? {
            self.tell(id, &notice);
        }
        Ok(())
    }

    /// The rules say that a session's packet costs more.
    pub(super) fn pay_more(&mut self, id: SessionId, cost: u64, rate: Option<Rate>, uptime: Duration) {
        if let Some((session, rate)) = self.sessions.get_mut(id).zip(rate) {
            self.paces.pay_more((id, session), cost, (rate, uptime));
        }
    }

    /// Has an input of a session go up with the next batch, after its begin.
    pub(super) fn take(&mut self, id: SessionId, input: RulesInput, payer: Option<UplinkPayer>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let mut bytes = input.bytes();
        if !mem::replace(&mut session.is_announced, true) {
            let connect = RulesInput::Connect { id, peer: session.peer };
            bytes += connect.bytes();
            self.push(connect);
        }
        self.push(input);
        if !self.is_stopped() {
            self.charge_share(id, payer, bytes);
        }
    }

    pub(super) fn push(&mut self, input: RulesInput) {
        // The sessions that come then end at once, and nobody else is to know them.
        if !self.is_stopped() {
            self.up.push(input);
        }
    }

    /// The inputs since the last call, in batches, as bytes.
    pub(super) fn take_up(&mut self) -> Vec<Bytes> {
        self.up.take()
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

    /// Asks the server that leads.
    pub(super) fn ask(&mut self, question: NodeQuestion, input: impl FnOnce(u64) -> RulesInput) {
        if self.is_stopped() {
            return;
        }
        let number = self.questions.next;
        self.questions.next = number.wrapping_add(1);
        self.questions.waiting.insert(number, question);
        self.push(input(number));
    }

    /// Takes the answer to a question. `true`: something is to go up.
    pub(super) fn answer(&mut self, step: &mut OutputStep, number: u64, answer: Option<RulesAnswer>) -> bool {
        let Some((question, answer)) = self.questions.waiting.remove(&number).zip(answer) else {
            return false;
        };
        // A task that has asked may have ended.
        match (question, answer) {
            (NodeQuestion::Seam(asked), RulesAnswer::Seam(seam)) => drop(asked.send(*seam)),
            (NodeQuestion::Cutover { after, known, summary, written }, RulesAnswer::Seam(seam)) => {
                step.kind = seam.into_cutover((after, known), summary, written);
            }
            (NodeQuestion::Ticket(asked), RulesAnswer::Ticket(is_in)) => drop(asked.send(is_in)),
            (NodeQuestion::Console(asked), RulesAnswer::Console(done)) => drop(asked.send(done)),
            (NodeQuestion::Claim(asked), RulesAnswer::Claim(claimed)) => {
                if let Err(Ok(FileTicket { transfer, side, .. })) = asked.send(*claimed) {
                    let (node, end) = (self.number(), TransferEnd::Cut(side));
                    self.push(RulesInput::TransferEnded { node, transfer, end });
                    return true;
                }
            }
            _ => {}
        }
        false
    }

    /// Ends the connections of all sessions, and tells them why.
    pub(super) fn end_all(&mut self, packet: &Packet, uptime: Duration) {
        let all: Vec<SessionId> = self.sessions.iter().map(|(id, _)| id).collect();
        all.into_iter().for_each(|id| self.end(id, packet, uptime));
    }

    /// Why it takes no new sessions, if so: their clients try the other servers.
    pub(super) fn refusal(&self) -> Option<String> {
        let fails = self.failing.is_told().then(|| FAILS.to_owned());
        let cut_off = self.cut_off.is_told().then(|| cut_off::REFUSAL.to_owned());
        self.stopped.clone().or(fails).or(cut_off)
    }

    /// Ends a session for that reason, if there is one.
    pub(super) fn refuses(&mut self, id: SessionId, uptime: Duration) -> bool {
        let Some(why) = self.refusal() else { return false };
        self.end(id, &Event::error(Code::ServerFull, why).into_packet("", None), uptime);
        true
    }

    /// Ends the sessions that wait for a name, for that reason: their clients need not wait for it.
    pub(super) fn refuse_newcomers(&mut self, uptime: Duration) {
        let new = self.sessions.iter().filter(|(_, session)| !session.is_registered()).map(|(id, _)| id);
        for id in new.collect::<Vec<_>>() {
            self.refuses(id, uptime);
        }
    }

    /// Whether it takes no part in the chat any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Ends all sessions for good: it cannot follow the log any further. The rules, if they run here, come to an end.
    pub(super) fn stop(&mut self, why: &str, uptime: Duration) {
        (self.stage, self.stopped) = (RulesStage::Elsewhere, Some(why.to_owned()));
        self.work.clear();
        self.end_all(&Event::error(Code::NotStored, why).into_packet("", None), uptime);
        self.forget_all();
    }

    /// Ends a session, and tells it why.
    pub(super) fn end(&mut self, id: SessionId, packet: &Packet, uptime: Duration) {
        self.tell(id, packet);
        self.local.step(id, StepKind::Close);
        self.forget(id, uptime);
    }

    /// Tells everyone at this server.
    pub(super) fn tell_all(&mut self, text: &str) {
        self.local.lobby(&Event::Notice(text.into()).into_packet("all", None), &[], None);
    }

    /// Forgets all sessions: their run is over, so nobody else knows them any more.
    pub(super) fn forget_all(&mut self) {
        (self.sessions, self.named) = (Slots::of(self.number()), 0);
        (self.up, self.shares) = (InputBatches::default(), UplinkShares::default());
        self.questions.waiting.clear();
        self.offered = 0;
        self.let_leave(Duration::MAX);
    }

    /// Whether all inputs of its people were taken.
    pub(super) fn has_nothing_to_tell(&self) -> bool {
        self.up.is_empty() && self.node.uplink_bytes() == 0
    }
}
