//! The news of a server of several for its log, and its report on how it is doing.

use super::node_seat::{NodeSeat, NodeWork};
use crate::chat::Now;
use crate::server::node_report::NodeReport;
use std::mem;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct NodeNews {
    /// Of all servers, by number.
    names: Vec<String>,
    /// The term of which the log was told who leads.
    told: u64,
    /// Why the engine cannot be used.
    trouble: Option<String>,
    /// For the log.
    waiting: Vec<NodeHappening>,
    /// Position of the last record that was carried out, and of the one after it, which may be in progress.
    done: u64,
    doing: u64,
}

/// An event for the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NodeHappening {
    Leads { term: u64 },
    Follows { leader: String, term: u64 },
    Unreachable(String),
    Reachable,
    RunOver,
}

impl NodeHappening {
    fn log(&self) {
        match self {
            Self::Leads { term } => {
                tracing::info!(event = "server_leads", term, "this server leads the chat")
            }
            Self::Follows { leader, term } => {
                tracing::info!(event = "server_follows", leader, term, "the server {leader} leads the chat");
            }
            Self::Unreachable(why) => tracing::warn!(
                event = "engine_unreachable",
                "people's messages wait, as this server cannot use the engine: {why}"
            ),
            Self::Reachable => tracing::info!(event = "engine_reachable", "this server can use the engine"),
            Self::RunOver => tracing::warn!(
                event = "cut_off",
                "the other servers did not hear of this one for too long; its people connect again"
            ),
        }
    }
}

impl NodeNews {
    /// Of a server that has carried out the log up to a position. `names`: of all servers, by number.
    pub(super) fn new(names: Vec<String>, position: u64) -> Self {
        Self { names, done: position, doing: position, ..Self::default() }
    }

    /// The name of a server.
    pub(super) fn name(&self, number: u8) -> String {
        self.names.get(usize::from(number)).cloned().unwrap_or_else(|| number.to_string())
    }

    /// The engine's state has changed; `None`: the server can use it.
    pub(super) fn engine(&mut self, trouble: Option<String>) {
        self.waiting.push(trouble.clone().map_or(NodeHappening::Reachable, NodeHappening::Unreachable));
        self.trouble = trouble;
    }

    pub(super) fn run_over(&mut self) {
        self.waiting.push(NodeHappening::RunOver);
    }

    /// The output takes its next task, and so has finished the one before.
    pub(super) fn next_work(&mut self, next: Option<&NodeWork>) {
        self.done = self.doing;
        if let Some(NodeWork::CarryOut { ledger, .. }) = next {
            self.doing = ledger.position;
        }
    }
}

/// Tells the log.
pub(super) fn log(happenings: &[NodeHappening]) {
    happenings.iter().for_each(NodeHappening::log);
}

impl NodeSeat {
    /// Notes who leads. Not at each record: a server that catches up reads of many that have led.
    pub(super) fn note_leader(&mut self) {
        let ledger = self.node.ledger();
        let Some(leader) = ledger.leader.filter(|_| ledger.term > self.news.told) else { return };
        let term = ledger.term;
        let happening = if self.node.is_leading() {
            NodeHappening::Leads { term }
        } else {
            NodeHappening::Follows { leader: self.news.name(leader.node.0), term }
        };
        self.news.told = term;
        self.news.waiting.push(happening);
    }

    /// The events since the last call.
    pub(super) fn take_happenings(&mut self) -> Vec<NodeHappening> {
        mem::take(&mut self.news.waiting)
    }

    pub(super) fn report(&self, now: &Now) -> NodeReport {
        let (ledger, news, number) = (self.node.ledger(), &self.news, self.number());
        // Records after the last turn ask nothing of the output.
        let is_idle = self.work.is_empty() && news.done == news.doing;
        let done = if is_idle { ledger.position } else { news.done };
        NodeReport {
            name: news.name(number),
            number,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            leads: self.node.is_leading(),
            leader: ledger.leader.map(|leader| news.name(leader.node.0)),
            term: ledger.term,
            position: ledger.position,
            lag: ledger.position.saturating_sub(done),
            proposals: self.node.proposed() as u64,
            uplink_bytes: self.waiting_bytes() as u64,
            connections: self.sessions.len() as u64,
            users: self.named() as u64,
            present: self.present as u64,
            storing: !self.is_failing,
            engine_trouble: news.trouble.clone(),
            clock: now.clock.timestamp().as_millisecond(),
            uptime_seconds: now.uptime.as_secs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Ledger;
    use bytes::Bytes;

    #[test]
    fn a_record_is_carried_out_once_the_output_takes_the_next_task() {
        let mut news = NodeNews::new(vec!["a".into(), "b".into()], 7);
        let mut ledger = Ledger::default();
        ledger.position = 9;
        let work = NodeWork::CarryOut { body: Bytes::new(), ledger };
        news.next_work(Some(&work));
        assert_eq!((news.done, news.doing), (7, 9));
        news.next_work(None);
        assert_eq!(news.done, 9);
        assert_eq!((news.name(1), news.name(5)), ("b".to_owned(), "5".to_owned()));
    }
}
