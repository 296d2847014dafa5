//! The hub of a server that shares its chat with others, for the server's tasks.

use super::input::RulesInput;
use super::next_turn::{NextTurn, WrittenTurn};
use super::node_news;
use super::node_question::NodeQuestion;
use super::node_work::NodeWork;
use super::{Hub, HubState, Incoming, Next};
use crate::chat::{Now, SessionId};
use crate::cluster::{Ledger, LogFault};
use crate::engine::EngineEvent;
use crate::pace::Rate;
use crate::protocol::{Code, Event};
use crate::server::node_report::NodeReport;
use crate::server::output_batch::OutputBatch;
use crate::store::ReplicaState;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// How often a server that ends looks whether the log has all that it knows.
const SETTLING: Duration = Duration::from_millis(10);

/// Work for the output of a node.
#[derive(Debug)]
pub(in crate::server) enum NodeOutput {
    /// Steps of this process alone, which need no store.
    Local(OutputBatch),
    Work(NodeWork),
}

/// Takes a connection's input for the server that leads.
pub(super) fn take(
    state: &mut HubState,
    id: SessionId,
    incoming: &mut VecDeque<Incoming>,
    (rate, now): (Option<Rate>, &Now),
) -> Next {
    let HubState { node: Some(seat), chat, .. } = state else { return Next::More };
    while let Some(next) = incoming.front() {
        if seat.is_congested() {
            return Next::Congested;
        }
        let payer = match seat.share(id, now) {
            Ok(payer) => payer,
            Err(pause) => return Next::Pause(pause),
        };
        if let Err(pause) = seat.pay(id, next.cost(), rate, now) {
            return Next::Pause(pause);
        }
        let Some(next) = incoming.pop_front() else { break };
        if !seat.answer_ping(chat, id, &next) {
            let vouched = seat.vouches_for(id);
            seat.take(id, RulesInput::of(id, next, vouched), payer);
        }
    }
    Next::More
}

impl Hub {
    /// Does something under the lock, and wakes those who go on with it.
    pub(super) fn at_node<T>(&self, call: impl FnOnce(&mut HubState, &Now) -> T) -> T {
        let now = self.now();
        let mut state = self.lock();
        let before = state.chat.due();
        let result = call(&mut state, &now);
        self.wake_timers(&state, before);
        let happenings = state.node.as_mut().map(|seat| seat.take_happenings());
        drop(state);
        node_news::log(&happenings.unwrap_or_default());
        self.wake_output();
        result
    }

    /// Takes an event of the engine.
    ///
    /// # Errors
    /// If the server cannot follow the log any further.
    pub(in crate::server) fn engine_event(&self, event: EngineEvent) -> Result<(), LogFault> {
        let (done, heard) = self.at_node(|state, now| {
            let done = state.engine_event(event, now);
            (done, state.node.as_mut().and_then(|seat| seat.heard_clock.take()))
        });
        if let Some((server, clock)) = heard {
            self.clock.hear(server, clock);
        }
        self.inbox.tell_space();
        done
    }

    /// Lets the node look at the time.
    pub(in crate::server) fn node_tick(&self) {
        let outvoted = self.clock.outvoted();
        self.at_node(|state, now| {
            state.node_tick(now);
            if let Some(ahead) = outvoted {
                state.hand_over(ahead, now);
            }
        });
    }

    /// Sends up what sessions and tasks have left since the last call.
    pub(in crate::server) fn send_up(&self) {
        if self.node.is_some() {
            self.at_node(HubState::send_up);
        }
    }

    /// Waits until the rules may have a result for the log.
    pub(in crate::server) async fn turn_ready(&self) {
        self.turn_ready.notified().await;
    }

    pub(in crate::server) fn next_turn(&self) -> Option<NextTurn> {
        let now = self.now();
        let mut state = self.lock();
        let before = state.chat.due();
        let turn = state.next_turn(&now);
        self.wake_timers(&state, before);
        turn
    }

    pub(in crate::server) fn propose(&self, turn: WrittenTurn) {
        self.at_node(|state, now| state.propose(turn, now));
    }

    pub(in crate::server) fn is_node(&self) -> bool {
        self.node.is_some()
    }

    /// The next steps of this process alone.
    pub(in crate::server) fn next_local(&self) -> Option<OutputBatch> {
        let mut state = self.lock();
        let local = &mut state.node.as_mut()?.local;
        (!local.is_empty()).then(|| local.take(&mut Vec::new()))
    }

    /// The next piece of work for the output.
    pub(in crate::server) fn next_output(&self) -> Option<NodeOutput> {
        // An only server takes no lock for this.
        self.node?;
        let mut state = self.lock();
        let seat = state.node.as_mut()?;
        if !seat.local.is_empty() {
            return Some(NodeOutput::Local(seat.local.take(&mut Vec::new())));
        }
        let work = seat.work.pop_front();
        if work.is_some() {
            self.turn_ready.notify_one();
        }
        if let Some(NodeWork::CarryOut { ledger, .. }) = &work {
            seat.news.takes(ledger.position);
        }
        work.map(NodeOutput::Work)
    }

    /// The next turn, if a batch with so many bytes has room for it. `is_own`: whether the batch concerns this process's
    /// sessions; so must the turn.
    pub(in crate::server) fn next_turn_beside(&self, bytes: usize, is_own: bool) -> Option<(Bytes, Ledger)> {
        let mut state = self.lock();
        let seat = state.node.as_mut()?;
        let fits = |work: &mut NodeWork| {
            matches!(work, NodeWork::CarryOut { body, is_own: own, .. }
                if *own == is_own && bytes + body.len() <= self.max_batch)
        };
        let NodeWork::CarryOut { body, ledger, .. } = seat.work.pop_front_if(fits)? else { return None };
        seat.news.takes(ledger.position);
        self.turn_ready.notify_one();
        Some((body, ledger))
    }

    /// The turns up to there are stored.
    pub(in crate::server) fn turn_stored(&self, position: u64) {
        if let Some(seat) = &mut self.lock().node {
            seat.news.stored(position);
        }
    }

    /// Learns from a turn before it is stored and written. `is_own`: it concerns this process's sessions.
    pub(in crate::server) fn begin_turn(&self, batch: &mut OutputBatch, present: usize, is_own: bool) {
        let uptime = self.uptime();
        let has_news = self.lock().begin_turn(batch, present, is_own, uptime);
        if has_news {
            self.send_up();
        }
    }

    /// Starts the rules, unless another server leads by now.
    pub(in crate::server) fn open_rules(&self, state: ReplicaState, term: u64) {
        self.at_node(|hub, now| hub.open_rules(state, term, now));
    }

    /// It cannot follow the log any further: its people go to other servers.
    pub(in crate::server) fn stop_following(&self, why: &str) {
        if self.is_stopped() {
            return;
        }
        tracing::error!(event = "log_not_followed", "this server takes no part in the chat any more: {why}");
        self.take_no_part(why);
    }

    /// The same because of that fault.
    pub(in crate::server) fn stop_for(&self, fault: &LogFault) {
        let why = fault.to_string();
        match fault {
            LogFault::Twice => {
                tracing::error!(
                    event = "server_twice",
                    "this server takes no part in the chat any more: {why}"
                );
                self.take_no_part(&why);
            }
            LogFault::Unreadable(_) | LogFault::OtherHistory | LogFault::OtherKey | LogFault::Gap(_) => {
                self.stop_following(&why);
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.lock().node.as_ref().is_some_and(|seat| seat.is_stopped())
    }

    fn take_no_part(&self, why: &str) {
        let mut state = self.lock();
        if let Some(seat) = &mut state.node {
            seat.stop(why, self.uptime());
        }
        drop(state);
        self.wake_output();
    }

    /// Waits until the log has all that this server knows, or for so long, then lets another one lead.
    pub(in crate::server) async fn retire(&self, most: Duration) {
        let settled = async {
            self.settles(HubState::has_told).await;
            self.lock().stop_taking();
            self.keep_rest();
            self.settles(HubState::has_decided).await;
        };
        drop(tokio::time::timeout(most, settled).await);
        self.lock().retire();
    }

    async fn settles(&self, is_settled: fn(&HubState) -> bool) {
        loop {
            self.send_up();
            if is_settled(&self.lock()) {
                return;
            }
            tokio::time::sleep(SETTLING).await;
        }
    }

    /// Whether this server's store fails, so that it can carry nothing out.
    pub(in crate::server) fn set_failing(&self, is_failing: bool) {
        let uptime = self.uptime();
        if let Some(seat) = &mut self.lock().node {
            seat.failing.note(is_failing, uptime);
        }
    }

    /// Whether the rules run in this process.
    pub(in crate::server) fn decides(&self) -> bool {
        self.lock().decides()
    }

    /// How it is doing; `None`: this is not a node.
    pub(in crate::server) fn node_report(&self) -> Option<NodeReport> {
        let now = self.now();
        self.lock().node.as_ref().map(|seat| seat.report(&now))
    }

    /// Users who are present, at all servers.
    pub(in crate::server) fn present(&self) -> usize {
        let state = self.lock();
        state.node.as_ref().map_or_else(|| state.chat.present(), |seat| seat.present)
    }

    /// Open connections to this server.
    pub(in crate::server) fn connections(&self) -> usize {
        let state = self.lock();
        state.node.as_ref().map_or_else(|| state.chat.connections(), |seat| seat.sessions.len())
    }

    /// Ends a session of a node, and tells it why; `false`: the server is not a node.
    pub(super) fn expel_at_node(&self, id: SessionId, code: Code, why: &str) -> bool {
        if self.node.is_none() {
            return false;
        }
        let mut state = self.lock();
        let Some(seat) = &mut state.node else { return false };
        seat.end(id, &Event::error(code, why).into_packet("", None), self.uptime());
        drop(state);
        self.wake_output();
        true
    }

    /// Asks the rules something; `false`: they are here. `input` gets the question's number.
    pub(super) fn ask_up(&self, question: NodeQuestion, input: impl FnOnce(u64) -> RulesInput) -> bool {
        if self.node.is_none() {
            return false;
        }
        let mut state = self.lock();
        let Some(seat) = &mut state.node else { return false };
        seat.ask(question, input);
        drop(state);
        self.send_up();
        true
    }

    /// Has an input go up; `false`: the server is not a node.
    pub(super) fn tell_up(&self, input: RulesInput) -> bool {
        if self.node.is_none() {
            return false;
        }
        let mut state = self.lock();
        let Some(seat) = &mut state.node else { return false };
        seat.push(input);
        drop(state);
        self.send_up();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::NodeMessage;
    use super::*;
    use crate::engine::memory::MemoryLog;
    use crate::server::{EngineSource, NodeOptions, Server, ServerOptions};

    #[tokio::test]
    async fn a_server_whose_clock_is_outvoted_lets_another_one_lead_and_says_so_once() {
        let (dir, log) = (tempfile::tempdir().unwrap(), MemoryLog::new(2));
        let (_other, mut heard) = log.join(1);
        let (number, engine) = (0, EngineSource::Memory(0, log));
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let node = NodeOptions { names, number, log: "x".into(), engine, addresses: Vec::new() };
        let address = Some(std::net::Ipv4Addr::LOCALHOST.into());
        let (data_dir, node) = (Some(dir.path().to_owned()), Some(node));
        let options = ServerOptions { port: 0, address, data_dir, node, ..ServerOptions::default() };
        let mut server = Server::bind(options).unwrap();
        let (hub, mut events) = (&server.hub, server.engine.take().unwrap());
        let leads = || hub.lock().node.as_ref().is_some_and(|seat| seat.node.is_leading());
        while !leads() {
            hub.node_tick();
            let event = tokio::time::timeout(Duration::from_millis(20), events.recv()).await;
            event.into_iter().flatten().for_each(|event| hub.engine_event(event).unwrap());
        }
        for other in [1, 2] {
            hub.clock.hear(other, 0);
        }
        hub.node_tick();
        hub.node_tick();
        assert!(hub.lock().node.as_ref().unwrap().hands_over(hub.uptime()), "input waits");
        let retires = loop {
            let Some(EngineEvent::Message { bytes }) = heard.recv().await else { continue };
            let message = hub.lock().node.as_mut().unwrap().open_message(&bytes);
            if let Some(NodeMessage::Retires { from, term }) = message {
                break (from.0, term);
            }
        };
        assert_eq!(retires, (0, 1));
        let now = hub.now();
        assert!(!hub.lock().hand_over(1, &now), "not again at once");
    }
}
