//! A node: follows the log, sends its people's packets up, and leads if it must.

use super::ledger::{Ledger, LogFault, Step};
use super::proposals::Proposals;
use super::record::{Lead, LogRecord, NodeRun};
use super::uplink::{Due, Intake, Uplink};
use std::time::Duration;

/// How often a leader says that it is there.
pub const BEAT_EVERY: Duration = Duration::from_secs(1);

/// How long a node hears nothing of its leader before it tries to lead.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// For the caller to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Append to the log, if the last record has that position.
    Append { after: u64, bytes: Vec<u8> },
    /// Send to the leader's node. A [roll](Self::Roll) comes from the caller.
    Batch { to: NodeRun, number: u64, bytes: Vec<u8> },
    /// Tell the leader's node which people are here, as of now.
    Roll { to: NodeRun, term: u64 },
    /// Tell all nodes that it leads.
    Beat { term: u64 },
    /// Carry out a turn.
    CarryOut(Vec<u8>),
    /// It leads: start the rules from what was carried out so far.
    Lead,
    /// It leads no more: the rules' state is void.
    Follow,
    /// Forget what the rules know of the node's people, and learn these. Then call [`Node::propose`].
    Learn(NodeRun, Vec<u8>),
    /// Let the rules process a batch. Then call [`Node::propose`].
    Process(NodeRun, Vec<u8>),
}

/// See the module.
#[derive(Debug)]
pub struct Node {
    run: NodeRun,
    ledger: Ledger,
    uplink: Uplink,
    lead: Option<Leading>,
    /// When it last heard of the leader.
    heard: Duration,
    /// How much longer than [`PATIENCE`] it waits, so that not all nodes try at once.
    delay: Duration,
    /// Its record to lead, on its way into the log: when it was sent.
    tried: Option<Duration>,
}

/// The state of a leader.
#[derive(Debug)]
struct Leading {
    proposals: Proposals,
    intake: Intake,
    beat: Option<Duration>,
}

impl Node {
    /// A node that has just started. `ledger` comes from its database.
    pub fn new(run: NodeRun, ledger: Ledger, delay: Duration, now: Duration) -> Self {
        Self { run, ledger, uplink: Uplink::new(), lead: None, heard: now, delay, tried: None }
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn run(&self) -> NodeRun {
        self.run
    }

    pub fn is_leading(&self) -> bool {
        self.lead.is_some()
    }

    /// Turns that are not in the log yet.
    pub fn proposed(&self) -> usize {
        self.lead.as_ref().map_or(0, |lead| lead.proposals.waiting())
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
        out: &mut Vec<Action>,
    ) -> Result<(), LogFault> {
        match self.ledger.read(position, bytes)? {
            Step::Leads(run) => self.leads(run, now, out),
            Step::Turn(turn) => {
                self.heard = now;
                if let Some(lead) = &mut self.lead {
                    lead.proposals.settle();
                }
                for (_, number) in turn.taken.iter().filter(|(run, _)| *run == self.run) {
                    self.uplink.taken(*number);
                }
                out.push(Action::CarryOut(turn.body));
            }
            Step::Void => {
                if let Some(lead) = &mut self.lead {
                    lead.proposals.shift();
                }
            }
        }
        self.go_on(now, out);
        Ok(())
    }

    fn leads(&mut self, run: NodeRun, now: Duration, out: &mut Vec<Action>) {
        (self.heard, self.tried) = (now, None);
        self.uplink.restart();
        if self.lead.take().is_some() {
            out.push(Action::Follow);
        }
        if run == self.run {
            let proposals = Proposals::new(self.ledger.term, self.ledger.chain);
            self.lead = Some(Leading { proposals, intake: Intake::default(), beat: None });
            out.push(Action::Lead);
        }
    }

    /// Packets of its own people, for the leader.
    pub fn submit(&mut self, bytes: Vec<u8>, now: Duration, out: &mut Vec<Action>) {
        self.uplink.add(bytes);
        self.go_on(now, out);
    }

    /// A leader says that it is there.
    pub fn hear(&mut self, from: NodeRun, term: u64, now: Duration) {
        if term >= self.ledger.term && (self.ledger.leader == Some(from) || term > self.ledger.term) {
            self.heard = now;
        }
    }

    /// A node tells the leader which people are there, as of its view of that term.
    pub fn roll(&mut self, from: NodeRun, term: u64, people: Vec<u8>, out: &mut Vec<Action>) {
        let Some(lead) = self.lead.as_mut().filter(|_| term == self.ledger.term) else { return };
        let Some(taken) = self.ledger.taken(from) else { return };
        if lead.intake.roll(from, taken) {
            out.push(Action::Learn(from, people));
        }
    }

    /// A node's batch has come.
    pub fn batch(&mut self, from: NodeRun, number: u64, bytes: Vec<u8>, out: &mut Vec<Action>) {
        let Some(lead) = &mut self.lead else { return };
        if lead.intake.take(from, number) {
            out.push(Action::Process(from, bytes));
        }
    }

    /// The rules' result, with all that they have taken so far.
    pub fn propose(&mut self, body: Vec<u8>, now: Duration, out: &mut Vec<Action>) {
        let Some(lead) = &mut self.lead else { return };
        lead.proposals.add(lead.intake.taken(), body);
        self.go_on(now, out);
    }

    /// The log has not taken an append after this position: another record is there, or the one before is missing.
    pub fn refused(&mut self, after: u64) {
        if let Some(lead) = &mut self.lead
            && let Some(place) = after.checked_sub(self.ledger.position)
        {
            lead.proposals.refused(usize::try_from(place).unwrap_or(usize::MAX));
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration, out: &mut Vec<Action>) {
        if let Some(lead) = &mut self.lead
            && lead.beat.is_none_or(|beat| now >= beat + BEAT_EVERY)
        {
            lead.beat = Some(now);
            out.push(Action::Beat { term: self.ledger.term });
        }
        self.suspect(now, out);
        self.go_on(now, out);
    }

    /// Tries to lead if the leader is silent, or is an earlier run of this node.
    fn suspect(&mut self, now: Duration, out: &mut Vec<Action>) {
        let is_gone = self.ledger.leader.is_some_and(|leader| leader.node == self.run.node);
        let wait = if is_gone { self.delay } else { PATIENCE + self.delay };
        if self.lead.is_some()
            || now < self.heard + wait
            || self.tried.is_some_and(|tried| now < tried + PATIENCE)
        {
            return;
        }
        self.tried = Some(now);
        let lead = Lead { by: self.run, term: self.ledger.term + 1, chain: self.ledger.chain };
        out.push(Action::Append { after: self.ledger.position, bytes: LogRecord::Lead(lead).to_bytes() });
    }

    /// Sends what is due, up and into the log.
    fn go_on(&mut self, now: Duration, out: &mut Vec<Action>) {
        if let Some(lead) = &mut self.lead {
            let due = lead.proposals.due(self.ledger.position, now);
            out.extend(due.into_iter().map(|(after, bytes)| Action::Append { after, bytes }));
        }
        let Some(to) = self.ledger.leader else { return };
        out.extend(self.uplink.due(now).into_iter().map(|due| match due {
            Due::Roll => Action::Roll { to, term: self.ledger.term },
            Due::Batch(number, bytes) => Action::Batch { to, number, bytes },
        }));
    }
}
