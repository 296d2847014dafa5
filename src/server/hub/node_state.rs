//! The hub of a server that shares its chat with others, under its lock: what the log and the other servers tell, and
//! the rules while they run here.

use super::failing_store::FAILS;
use super::hub_state::HubState;
use super::node_message::NodeMessage;
use super::node_seat::NodeSeat;
use super::node_work::{NodeWork, RulesStage};
use crate::chat::{Archive, Now};
use crate::cluster::{LogFault, NodeAction};
use crate::engine::EngineEvent;
use crate::limits::LEADER_WORK;
use crate::protocol::{Code, Event};
use crate::server::output_batch::{OutputBatch, StepKind};
use crate::store::ReplicaState;
use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

/// The text for the people of a server that the others took for gone.
const RUN_OVER: &str = "this server was cut off from the others; connecting again";

/// Bits of a transfer's number below the term of the server that led when it began.
const TERM_SHIFT: u32 = 32;

impl HubState {
    /// Whether the rules run in this process.
    pub(super) fn decides(&self) -> bool {
        self.node.as_ref().is_none_or(|seat| seat.stage == RulesStage::Here)
    }

    /// Takes an event of the engine.
    ///
    /// # Errors
    /// If the server cannot follow the log any further.
    pub(super) fn engine_event(&mut self, event: EngineEvent, now: &Now) -> Result<(), LogFault> {
        let mut done = Ok(());
        let is_stopped = self.node.as_ref().is_some_and(|seat| seat.is_stopped());
        // A later record may look as if none were missing. Programs that ask how it is doing get an answer.
        if is_stopped && !matches!(event, EngineEvent::Message { .. }) {
            return done;
        }
        self.node(now, |seat, out| match event {
            EngineEvent::Record { position, bytes, is_heard } => {
                done = seat.read(position, &bytes, is_heard, now.uptime, out);
            }
            EngineEvent::Refused { after } => seat.node.refused(after),
            EngineEvent::Unanswered { after } => seat.node.unanswered(after),
            EngineEvent::Reachable => {
                seat.news.engine(None);
                seat.node.reaching(true);
                let text = seat.cut_off.ends();
                text.into_iter().for_each(|text| seat.tell_all(text));
            }
            EngineEvent::Unreachable(why) => {
                seat.news.engine(Some(why));
                seat.node.reaching(false);
                seat.cut_off.begins(now.uptime);
            }
            EngineEvent::Message { bytes } => done = seat.hear(&bytes, now, out),
            EngineEvent::Lost { .. } => {}
        });
        done
    }

    /// Lets the node do something, and carries out what comes of it.
    pub(super) fn node(&mut self, now: &Now, call: impl FnOnce(&mut NodeSeat, &mut Vec<NodeAction>)) {
        let mut actions = Vec::new();
        let Some(seat) = &mut self.node else { return };
        call(seat, &mut actions);
        self.carry_out(actions, now);
        self.take_inbound(now);
    }

    fn carry_out(&mut self, actions: Vec<NodeAction>, now: &Now) {
        let mut actions = VecDeque::from(actions);
        let clock = now.clock.timestamp().as_millisecond();
        while let Some(action) = actions.pop_front() {
            let Some(seat) = &mut self.node else { return };
            let own = seat.node.run().node;
            match action {
                NodeAction::Append { after, bytes } => seat.append(after, &bytes),
                NodeAction::Batch { to, run, number, bytes } if to == own => seat.receive(run, number, bytes),
                NodeAction::Batch { to, run, number, bytes } => {
                    seat.send(Some(to), &NodeMessage::Batch { run, number, bytes });
                }
                NodeAction::Alive { to, run } => {
                    seat.send(Some(to), &NodeMessage::Alive { run, clock });
                }
                NodeAction::Beat { term } => {
                    seat.send(None, &NodeMessage::Beat { from: own, term, clock });
                }
                NodeAction::CarryOut { body, ledger } => {
                    // Each process numbers its sessions from the start, so an earlier run's numbers mean others.
                    let is_own = ledger.knows(seat.node.run());
                    seat.work.push_back(NodeWork::CarryOut { body, ledger, is_own });
                }
                NodeAction::Lead => {
                    seat.stage = RulesStage::Opening;
                    let term = seat.node.ledger().term;
                    seat.work.push_back(NodeWork::Open { term });
                }
                NodeAction::Follow => self.close_rules(),
                NodeAction::Process { run, number, bytes } => self.process(run, number, &bytes, now),
                NodeAction::NodeGone(run) => self.end_sessions_of(run, now),
                NodeAction::Ended => self.begin_run(now),
            }
        }
    }

    /// Hands the rules the batches that have come, while there is room for what comes of them.
    pub(super) fn take_inbound(&mut self, now: &Now) {
        while self.decides() {
            let takes = |seat: &&mut Box<NodeSeat>| {
                !seat.is_retiring && !seat.hands_over(now.uptime) && self.batch.bytes() <= seat.max_batch
            };
            let Some(seat) = self.node.as_mut().filter(takes) else {
                return;
            };
            let Some((run, number, bytes)) = seat.inbound.pop_front() else { return };
            let mut actions = Vec::new();
            seat.node.batch(run, number, bytes, now.uptime, &mut actions);
            self.carry_out(actions, now);
        }
    }

    /// This server was taken for gone: its sessions end, and come back.
    fn begin_run(&mut self, now: &Now) {
        let Some(seat) = &mut self.node else { return };
        let bye = Event::Bye { code: Some(Code::ShuttingDown), msg: RUN_OVER.into(), server: None };
        seat.end_all(&bye.into_packet("", None), now.uptime);
        seat.forget_all();
        seat.news.run_over();
        // Not the number that a copy of this server would choose.
        let start = u64::try_from(now.clock.timestamp().as_millisecond()).unwrap_or_default();
        seat.node.begin_run(start, now.uptime);
    }

    /// Starts the rules from what was carried out so far, unless another server leads by now.
    pub(super) fn open_rules(&mut self, state: ReplicaState, term: u64, now: &Now) {
        let is_wanted =
            |seat: &&mut Box<NodeSeat>| seat.stage == RulesStage::Opening && seat.node.ledger().term == term;
        let Some(seat) = self.node.as_mut().filter(is_wanted) else { return };
        seat.stage = RulesStage::Here;
        // The sanctions of several servers go by their clocks, and this one's may be wrong for now.
        let has_others = seat.news.has_others();
        seat.door.begin_rules();
        (seat.told_taken, seat.told_seq) = (None, state.archive.seq);
        self.batch = OutputBatch::default();
        self.chat.reopen(state.archive);
        self.chat.keep_sessions();
        self.act(|chat, out| {
            if !has_others {
                chat.date_sanctions(now, out);
            }
            state.sessions.into_iter().for_each(|session| chat.adopt(session, now, out));
            // No two servers that lead give two transfers one number.
            let latest = (state.latest_offer, term << TERM_SHIFT);
            chat.adopt_offers(state.offers, latest, now, out);
        });
        self.take_inbound(now);
    }

    /// Another server leads.
    fn close_rules(&mut self) {
        let Some(seat) = &mut self.node else { return };
        seat.stage = RulesStage::Elsewhere;
        seat.inbound.clear();
        self.batch = OutputBatch::default();
        let lineage = self.chat.lineage().cloned();
        self.chat.reopen(Archive { lineage, ..Archive::default() });
    }

    /// Tells this server's sessions that it goes away, and ends their connections.
    pub(super) fn end_node_sessions(&mut self, uptime: Duration) {
        let bye = self.chat.going_away().into_packet("all", None);
        if let Some(seat) = &mut self.node {
            seat.end_all(&bye, uptime);
        }
    }

    /// Whether the rules have taken all inputs of its people.
    pub(super) fn has_told(&self) -> bool {
        self.node.as_ref().is_none_or(|seat| seat.has_nothing_to_tell())
    }

    /// Whether the log has all results of the rules here.
    pub(super) fn has_decided(&self) -> bool {
        let is_empty = self.batch.is_empty();
        self.node
            .as_ref()
            .is_none_or(|seat| !seat.node.is_leading() || (is_empty && seat.node.proposed() == 0))
    }

    /// From now on, all inputs are for the server that leads next.
    pub(super) fn stop_taking(&mut self) {
        if let Some(seat) = &mut self.node {
            seat.is_retiring = true;
        }
    }

    /// Lets another server lead, if this one does.
    pub(super) fn retire(&mut self) {
        if let Some(seat) = self.node.as_mut().filter(|seat| seat.node.is_leading()) {
            let (from, term) = (seat.node.run().node, seat.node.ledger().term);
            seat.send(None, &NodeMessage::Retires { from, term });
        }
    }

    /// Time has passed.
    pub(super) fn node_tick(&mut self, now: &Now) {
        if let Some(seat) = &mut self.node {
            seat.let_leave(now.uptime);
            seat.tell_of_strangers(now.uptime);
            if seat.failing.tells(now.uptime) {
                let bye = Event::Bye { code: Some(Code::ShuttingDown), msg: FAILS.into(), server: None };
                seat.end_all(&bye.into_packet("", None), now.uptime);
            }
        }
        // The others should take this one for gone: it cannot carry anything out.
        if self.node.as_ref().is_some_and(|seat| seat.failing.is_failing() || seat.is_stopped()) {
            return;
        }
        self.node(now, |seat, out| {
            if let Some(text) = seat.cut_off.tell(now.uptime) {
                seat.tell_all(text);
                seat.refuse_newcomers(now.uptime);
            }
            if seat.work.len() > LEADER_WORK && !seat.node.is_leading() {
                seat.node.lags(now.uptime);
            }
            seat.node.tick(now.uptime, out);
            seat.note_leader();
            seat.tell_settings(now.uptime);
        });
        self.send_up(now);
    }

    /// Sends up what has come since the last call.
    pub(super) fn send_up(&mut self, now: &Now) {
        self.node(now, |seat, out| {
            seat.offer_operator(now.uptime);
            for bytes in seat.take_up() {
                seat.node.submit(bytes, now.uptime, out);
            }
        });
    }

    /// Learns from a turn before it is stored and written. `is_own`: it concerns this process's sessions. `true`:
    /// something is to go up.
    pub(super) fn begin_turn(
        &mut self,
        batch: &mut OutputBatch,
        present: usize,
        is_own: bool,
        uptime: Duration,
    ) -> bool {
        let rate = self.chat.rate();
        let Some(seat) = &mut self.node else { return false };
        seat.learn(&batch.entries, is_own, uptime);
        self.chat.set_closed(seat.door.is_closed());
        seat.present = present;
        let mut has_news = false;
        for step in batch.for_node() {
            match mem::replace(&mut step.kind, StepKind::Nothing) {
                // The error is that of a server that ends.
                StepKind::EndTransfer(transfer, code) => drop(self.ended.send((transfer, code))),
                StepKind::Charge(cost) => seat.pay_more(step.session, cost, rate, uptime),
                StepKind::Told(number, answer) => has_news |= seat.answer(step, number, answer),
                kind => step.kind = kind,
            }
        }
        has_news
    }
}
