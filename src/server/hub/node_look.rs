//! How a server of several is doing.

use super::node_news::NodeHappening;
use super::node_seat::NodeSeat;
use crate::chat::{Holder, Now};
use crate::fingerprint::Fingerprint;
use crate::server::node_report::NodeReport;
use std::mem;

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

    /// Whether it has carried out all that it has read.
    pub(super) fn has_carried_out(&self) -> bool {
        self.work.is_empty() && self.news.is_idle()
    }

    /// Like [`Chat::more_holders`](crate::chat::Chat::more_holders), of its own sessions. `second`: of Unix time.
    pub(super) fn more_holders(
        &self,
        from: usize,
        count: usize,
        second: i64,
        rows: &mut Vec<Holder>,
    ) -> Option<usize> {
        let is_known = |key: &Fingerprint| self.keys.is_known(key, second);
        rows.extend(self.sessions.iter().skip(from).take(count).map(|(session, row)| {
            let (ip, known) = (row.peer.ip, row.peer.key.filter(is_known));
            Holder { session, ip, known }
        }));
        Some(from + count).filter(|next| *next < self.sessions.len())
    }

    pub(super) fn report(&self, now: &Now) -> NodeReport {
        let (ledger, news, number) = (self.node.ledger(), &self.news, self.number());
        // Without the engine, nobody's lead has an effect, and another server may lead by now.
        let is_in_touch = news.trouble.is_none() && !self.is_stopped();
        NodeReport {
            name: news.name(number),
            number,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            leads: self.node.is_leading() && is_in_touch,
            leader: ledger.leader.filter(|_| is_in_touch).map(|leader| news.name(leader.node.0)),
            term: ledger.term,
            position: ledger.position,
            lag: news.lag(ledger.position, !self.work.is_empty()),
            proposals: self.node.proposed() as u64,
            uplink_bytes: self.waiting_bytes() as u64,
            connections: self.sessions.len() as u64,
            users: self.named as u64,
            present: self.present as u64,
            storing: !self.failing.is_failing(),
            engine_trouble: news.trouble.clone(),
            stopped: self.stopped.clone(),
            clock: now.clock.timestamp().as_millisecond(),
            uptime_seconds: now.uptime.as_secs(),
            settings: self.settings.own().clone(),
            settings_differing: self.settings.differing(),
        }
    }
}
