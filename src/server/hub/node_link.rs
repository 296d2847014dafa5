//! The records and messages that a server of several exchanges with the log and the other servers: sealed.

use super::node_message::{NodeMessage, SEALED_MESSAGE};
use super::node_seat::NodeSeat;
use crate::chat::Now;
use crate::cluster::{LogFault, NodeAction, NodeId};
use crate::engine::ASKER;
use std::time::Duration;

/// The beginning of a sealed record's context, which is not that of a message. The form of seals never changes: a server
/// takes a record that it cannot open for nobody's.
const RECORD: &[u8] = b"record";

/// The context of a record behind this position. So nobody can have a copy of it count somewhere else.
fn context(after: u64) -> Vec<u8> {
    [RECORD, &after.to_be_bytes()].concat()
}

impl NodeSeat {
    /// Appends a record to the log, sealed.
    pub(super) fn append(&mut self, after: u64, bytes: &[u8]) {
        let sealed = self.seal.seal(&context(after), bytes);
        self.engine.append(after, sealed.into());
    }

    /// Reads the next record of the log. If it only heard of it and cannot open it, it has the engine read it again.
    pub(super) fn read(
        &mut self,
        position: u64,
        sealed: &[u8],
        is_heard: bool,
        uptime: Duration,
        out: &mut Vec<NodeAction>,
    ) -> Result<(), LogFault> {
        // After a doubt, those behind come again.
        if self.doubted.is_some_and(|doubted| doubted != position) {
            return Ok(());
        }
        let (term, after) = (self.node.ledger().term, position.saturating_sub(1));
        self.doubted = None;
        match self.seal.open(&context(after), sealed) {
            Ok(record) => self.node.read(position, &record, uptime, out)?,
            Err(_) if is_heard => {
                self.doubted = Some(position);
                self.engine.follow(after);
            }
            Err(_) => {
                self.node.pass(position, uptime, out)?;
                self.strangers.note(position);
            }
        }
        if self.node.ledger().term > term && !self.node.is_leading() {
            // They go to the server that leads now.
            self.inbound.clear();
        }
        self.tell_of_strangers(uptime);
        Ok(())
    }

    /// Tells the log of records that are not of a server, if it is time.
    pub(super) fn tell_of_strangers(&mut self, uptime: Duration) {
        let happening = self.strangers.due(uptime);
        self.news.waiting.extend(happening);
    }

    /// Sends a message to a server, sealed; `None`: to all others.
    pub(super) fn send(&mut self, to: Option<NodeId>, message: &NodeMessage) {
        let sealed = self.seal.seal(SEALED_MESSAGE, &message.to_bytes()).into();
        match to {
            Some(to) => self.engine.send(to.0, sealed),
            None => self.engine.broadcast(sealed),
        }
    }

    /// Takes a message from another server, or from a program that asks.
    pub(super) fn hear(
        &mut self,
        sealed: &[u8],
        now: &Now,
        out: &mut Vec<NodeAction>,
    ) -> Result<(), LogFault> {
        match self.open_message(sealed) {
            Some(NodeMessage::Ask { number }) => {
                let answer = NodeMessage::answer(number, &self.report(now));
                self.send(Some(NodeId(ASKER)), &answer);
            }
            _ if self.is_stopped() => {}
            Some(NodeMessage::Batch { run, number, bytes }) => self.receive(run, number, bytes),
            Some(NodeMessage::Alive { run, clock }) => {
                self.heard_clock = Some((run.node.0, clock));
                self.node.alive(run, now.uptime, out);
            }
            Some(NodeMessage::Beat { from, term, clock }) => {
                self.heard_clock = Some((from.0, clock));
                self.node.hear(from, term, now.uptime)?;
            }
            Some(NodeMessage::Retires { from, term }) => self.node.retires(from, term, now.uptime),
            Some(NodeMessage::Answer { .. }) => {}
            Some(NodeMessage::Settings { from, settings }) => self.hear_settings(from, &settings),
            // Of a version that this one does not know: its server sends it again.
            None => {}
        }
        Ok(())
    }

    /// Of another server; `None`: of nobody with the chat's key, or of another version.
    pub(super) fn open_message(&mut self, sealed: &[u8]) -> Option<NodeMessage> {
        NodeMessage::read(&self.seal.open(SEALED_MESSAGE, sealed).ok()?)
    }
}
