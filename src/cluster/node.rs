//! A node: follows the log, sends its people's packets up, and leads if it must.

use super::doubles::Doubles;
use super::intake::Intake;
use super::ledger::{Ledger, LogFault, Meaning};
use super::node_action::NodeAction;
use super::proposals::{PART_BYTES, Proposals};
use super::record::{Lead, LogRecord, NodeId, NodeRun, Taken, Turn};
use super::uplink::Uplink;
use bytes::Bytes;
use std::time::Duration;

/// How often a node says that it is there: the leader to all, the others to the leader.
pub(super) const BEAT_EVERY: Duration = Duration::from_secs(1);

/// How long a node hears nothing of its leader before it tries to lead.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// How long a leader hears nothing of a run before it takes it for gone.
pub(super) const SILENCE: Duration = Duration::from_secs(15);

/// See the module.
#[derive(Debug)]
pub struct Node {
    run: NodeRun,
    /// Whether the log says so of the run.
    is_over: bool,
    doubles: Doubles,
    /// In the middle of a turn it is ahead of what was carried out.
    ledger: Ledger,
    /// The body of a turn whose last part was not read yet.
    part: Vec<u8>,
    uplink: Uplink,
    lead: Option<Leading>,
    /// When it last heard of the leader.
    heard: Duration,
    /// How much longer than [`PATIENCE`] it waits, so that not all nodes try at once.
    delay: Duration,
    /// Its record to lead, on its way into the log: when it was sent.
    tried: Option<Duration>,
    /// The term whose leader has said that it is about to end.
    retired: Option<(u64, Duration)>,
    /// When it last said that it is there.
    said: Option<Duration>,
    /// When it last looked at the clock.
    ticked: Duration,
    /// Whether it reaches the log and the other nodes, as its caller sees it.
    is_reaching: bool,
    /// Longest body of a record.
    part_bytes: usize,
}

/// The state of a leader.
#[derive(Debug)]
struct Leading {
    proposals: Proposals,
    intake: Intake,
}

impl Node {
    /// A node that has just started. `ledger` comes from its database. `start`: of its run, the time for
    /// example; if the ledger has a later one, another one is chosen, which [`run`](Self::run) tells.
    pub fn new(node: NodeId, start: u64, ledger: Ledger, delay: Duration, now: Duration) -> Self {
        let start = ledger.next_start(node, start);
        Self {
            run: NodeRun { node, start },
            is_over: false,
            doubles: Doubles::new(start, now),
            ledger,
            part: Vec::new(),
            uplink: Uplink::default(),
            lead: None,
            heard: now,
            delay,
            tried: None,
            retired: None,
            said: None,
            ticked: now,
            is_reaching: true,
            part_bytes: PART_BYTES,
        }
    }

    /// After the last record that was read. To be stored is only that of [`NodeAction::CarryOut`].
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn run(&self) -> NodeRun {
        self.run
    }

    pub fn is_leading(&self) -> bool {
        self.lead.is_some()
    }

    /// Turns and parts of turns that are not in the log yet.
    pub fn proposed(&self) -> usize {
        self.lead.as_ref().map_or(0, |lead| lead.proposals.waiting())
    }

    /// Whether it leads, and one more turn could go to the log at once.
    pub fn has_window(&self) -> bool {
        self.lead.as_ref().is_some_and(|lead| lead.proposals.has_window())
    }

    /// Bytes of the batches that the rules have not taken yet.
    pub fn uplink_bytes(&self) -> usize {
        self.uplink.bytes()
    }

    /// How many batches of its people's packets no turn has taken.
    pub fn uplink_batches(&self) -> u64 {
        self.uplink.batches()
    }

    /// The next record of the log.
    ///
    /// # Errors
    ///
    /// If the node cannot follow the log any further.
    pub fn read(
        &mut self,
        position: u64,
        bytes: &[u8],
        now: Duration,
        out: &mut Vec<NodeAction>,
    ) -> Result<(), LogFault> {
        match self.ledger.read(position, bytes)? {
            Meaning::Leads(run) => self.leads(run, now, out),
            Meaning::Turn(turn) => self.turn(turn, now, out),
            Meaning::Void => self.void(),
        }
        self.go_on(now, out);
        self.check_alone()
    }

    /// The next record of the log, if it is not of a node: it was not sealed with the chat's key for this position.
    ///
    /// # Errors
    ///
    /// If the node cannot follow the log any further.
    pub fn pass(&mut self, position: u64, now: Duration, out: &mut Vec<NodeAction>) -> Result<(), LogFault> {
        self.ledger.pass(position)?;
        self.void();
        self.go_on(now, out);
        Ok(())
    }

    /// The record at this position does not count.
    fn void(&mut self) {
        if let Some(lead) = &mut self.lead {
            lead.proposals.shift();
        }
    }

    fn leads(&mut self, run: NodeRun, now: Duration, out: &mut Vec<NodeAction>) {
        (self.heard, self.tried, self.said) = (now, None, None);
        self.part.clear();
        self.uplink.restart();
        if self.lead.take().is_some() {
            out.push(NodeAction::Follow);
            if run.node == self.run.node && run.start > self.run.start {
                self.doubles.replaced(now);
            }
        }
        if run == self.run {
            let proposals = Proposals::new(self.ledger.term, self.ledger.chain, self.part_bytes);
            let intake = Intake::new(self.ledger.all_taken(), now);
            self.lead = Some(Leading { proposals, intake });
            out.push(NodeAction::Lead);
        }
    }

    fn turn(&mut self, turn: Turn, now: Duration, out: &mut Vec<NodeAction>) {
        self.heard = now;
        if let Some(lead) = &mut self.lead {
            lead.proposals.settle();
        }
        if turn.more {
            self.part.extend_from_slice(&turn.body);
            return;
        }
        let body = if self.part.is_empty() {
            turn.body
        } else {
            self.part.extend_from_slice(&turn.body);
            std::mem::take(&mut self.part).into()
        };
        out.push(NodeAction::CarryOut { body, ledger: self.ledger.clone() });
        let latest = self.ledger.latest_start(self.run.node);
        self.doubles.see(latest, self.run.start);
        let is_own = |number| self.uplink.taken(number);
        // More batches than the run has sent are those of another one with the same start.
        if !self.is_over && !self.ledger.taken(self.run).is_some_and(is_own) {
            (self.is_over, self.uplink) = (true, Uplink::default());
            out.push(NodeAction::Ended);
            self.doubles.end(self.run.start, latest > self.run.start, SILENCE, now);
        }
    }

    /// Begins another run, after [`NodeAction::Ended`]. `start` as in [`new`](Self::new).
    pub fn begin_run(&mut self, start: u64, now: Duration) {
        let start = self.ledger.next_start(self.run.node, start).max(self.run.start + 1);
        self.run.start = start;
        self.doubles.begin(now);
        (self.is_over, self.uplink, self.said) = (false, Uplink::default(), None);
    }

    /// Packets of its own people, for the leader. Those of a run that is over are dropped.
    pub fn submit(&mut self, bytes: Bytes, now: Duration, out: &mut Vec<NodeAction>) {
        if !self.is_over {
            self.uplink.add(bytes);
            self.go_on(now, out);
        }
    }

    /// A leader says that it is there.
    ///
    /// # Errors
    ///
    /// If that is another process as this node.
    pub fn hear(&mut self, from: NodeId, term: u64, now: Duration) -> Result<(), LogFault> {
        let is_leader = self.ledger.leader.is_some_and(|leader| leader.node == from);
        if term > self.ledger.term || (term == self.ledger.term && is_leader) {
            self.heard = now;
        }
        if term == self.ledger.term && from == self.run.node && self.lead.is_none() {
            self.doubles.hear(now);
        }
        self.check_alone()
    }

    fn check_alone(&self) -> Result<(), LogFault> {
        if self.doubles.are_certain() { Err(LogFault::Twice) } else { Ok(()) }
    }

    /// A leader says that it is about to end.
    pub fn retires(&mut self, from: NodeId, term: u64, now: Duration) {
        let is_leader = self.ledger.leader.is_some_and(|leader| leader.node == from);
        if term == self.ledger.term && is_leader {
            self.retired = Some((term, now));
        }
    }

    /// A node tells the leader that it is there.
    pub fn alive(&mut self, from: NodeRun, now: Duration, out: &mut Vec<NodeAction>) {
        let Some(lead) = &mut self.lead else { return };
        out.extend(lead.intake.alive(from, now).map(NodeAction::NodeGone));
    }

    /// A node's batch has come.
    pub fn batch(
        &mut self,
        run: NodeRun,
        number: u64,
        bytes: Bytes,
        now: Duration,
        out: &mut Vec<NodeAction>,
    ) {
        let Some(lead) = &mut self.lead else { return };
        if lead.intake.take(run, number, now) {
            out.push(NodeAction::Process { run, number, bytes });
        }
    }

    /// For a leader: its term, and what the rules have taken if they have done all that was asked so far.
    pub fn taken(&self) -> Option<(u64, Vec<(NodeRun, Taken)>)> {
        self.lead.as_ref().map(|lead| (self.ledger.term, lead.intake.taken()))
    }

    /// A result of the rules, with what [`taken`](Self::taken) said when they gave it. Results come in the
    /// rules' order. One of a term that is over is dropped.
    pub fn propose(
        &mut self,
        term: u64,
        taken: Vec<(NodeRun, Taken)>,
        body: &Bytes,
        now: Duration,
        out: &mut Vec<NodeAction>,
    ) {
        let Some(lead) = self.lead.as_mut().filter(|_| term == self.ledger.term) else { return };
        lead.proposals.add(taken, body);
        self.go_on(now, out);
    }

    /// The log has not taken an append after this position: another record is there, or the one before is
    /// missing.
    pub fn refused(&mut self, after: u64) {
        match self.proposals(after) {
            Some((proposals, place)) => proposals.refused(place),
            // There is more in the log than it has read, so it may try again once it has.
            None => self.tried = None,
        }
    }

    /// There will be no answer to an append after this position: it may be in the log or not.
    pub fn unanswered(&mut self, after: u64) {
        if let Some((proposals, place)) = self.proposals(after) {
            proposals.unanswered(place);
        }
    }

    /// With the place of the one that belongs after this position.
    fn proposals(&mut self, after: u64) -> Option<(&mut Proposals, usize)> {
        let place = usize::try_from(after.checked_sub(self.ledger.position)?).ok()?;
        self.lead.as_mut().map(|lead| (&mut lead.proposals, place))
    }

    /// Whether the log and the other nodes can be reached from here. While they cannot, silence means nothing.
    pub fn reaching(&mut self, is_reaching: bool) {
        self.is_reaching = is_reaching;
    }

    /// It has read more than it has carried out, so another node should lead.
    pub fn lags(&mut self, now: Duration) {
        self.heard = now;
    }

    /// Time has passed. Call this several times a second.
    pub fn tick(&mut self, now: Duration, out: &mut Vec<NodeAction>) {
        // A machine that slept has heard nobody.
        if !self.is_reaching || now >= self.ticked + PATIENCE {
            self.forgive(now);
        }
        self.ticked = now;
        self.beat(now, out);
        if let Some(lead) = &mut self.lead {
            // Its own run, which also ends an earlier one of its node.
            out.extend(lead.intake.alive(self.run, now).map(NodeAction::NodeGone));
            out.extend(lead.intake.silent(SILENCE, now).into_iter().map(NodeAction::NodeGone));
        }
        self.suspect(now, out);
        self.go_on(now, out);
    }

    fn forgive(&mut self, now: Duration) {
        self.heard = now;
        if let Some(lead) = &mut self.lead {
            lead.intake.forgive(now);
        }
    }

    fn beat(&mut self, now: Duration, out: &mut Vec<NodeAction>) {
        if self.said.is_some_and(|said| now < said + BEAT_EVERY) {
            return;
        }
        self.said = Some(now);
        let leader = self.ledger.leader.map(|leader| leader.node).filter(|node| *node != self.run.node);
        match leader {
            _ if self.is_leading() => out.push(NodeAction::Beat { term: self.ledger.term }),
            Some(to) if !self.is_over => out.push(NodeAction::Alive { to, run: self.run }),
            Some(_) | None => {}
        }
    }

    /// Tries to lead if the leader is silent or about to end, if it was this node itself before it started again, or if
    /// nobody has led yet.
    fn suspect(&mut self, now: Duration, out: &mut Vec<NodeAction>) {
        let retired = self.retired.filter(|(term, _)| *term == self.ledger.term).map(|(_, at)| at);
        let is_gone = self.ledger.leader.is_none_or(|leader| leader.node == self.run.node);
        let wait = if is_gone || retired.is_some() { self.delay } else { PATIENCE + self.delay };
        // One that wants to be replaced may still be heard.
        let since = retired.unwrap_or(self.heard);
        if self.lead.is_some()
            || self.is_over
            || now < since + wait
            || self.tried.is_some_and(|tried| now < tried + PATIENCE)
        {
            return;
        }
        self.tried = Some(now);
        let lead = Lead { by: self.run, term: self.ledger.term + 1, chain: self.ledger.chain };
        let bytes = LogRecord::Lead(lead).to_bytes();
        out.push(NodeAction::Append { after: self.ledger.position, bytes });
    }

    /// Sends what is due, up and into the log.
    fn go_on(&mut self, now: Duration, out: &mut Vec<NodeAction>) {
        if let Some(lead) = &mut self.lead {
            let due = lead.proposals.due(self.ledger.position, now);
            out.extend(due.into_iter().map(|(after, bytes)| NodeAction::Append { after, bytes }));
        }
        let Some(to) = self.ledger.leader.map(|leader| leader.node) else { return };
        let run = self.run;
        let due = self.uplink.due(now).into_iter();
        out.extend(due.map(|(number, bytes)| NodeAction::Batch { to, run, number, bytes }));
    }
}

#[cfg(test)]
impl Node {
    /// Cuts its turns into parts of so many bytes.
    pub(super) fn with_parts(mut self, bytes: usize) -> Self {
        self.part_bytes = bytes;
        self
    }
}
