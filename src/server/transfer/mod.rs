//! Files from person to person: pairs the connections of both sides, and passes their bytes on.
//!
//! The reactor hands out connections that begin with a token. One task asks the rules which transfer a token is
//! for, and keeps the first side until the second is there. Each pair is a task on threads of its own (see
//! [`relay_threads`]), so that files never hold up the chat. Those threads never take the hub's lock: this task
//! reports to the rules.

mod counts;
mod file_rate;
mod link;
mod record_watch;
mod relay;
mod relay_side;
mod relay_threads;
#[cfg(test)]
mod tests;

pub use counts::TransferCounts;
pub(super) use link::Links;

use super::connection::Connection;
use super::hub::{ClaimAnswer, Hub};
use super::transport::Transport;
use crate::chat::{FileTicket, Peer, TransferEnd, TransferId, TransferSide};
use crate::limits::{CLOSE_GRACE, TRANSFER_MEETING};
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use file_rate::FileRate;
use relay::{RelayEnd, RelayPlan, RelayReport, relay};
use relay_side::RelaySide;
use relay_threads::RelayThreads;
use std::collections::{HashMap, HashSet};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The reason for a side whose transfer the rules have ended.
const HAS_ENDED: &str = "the transfer has ended; see the chat for why";

/// A connection that the reactor has handed out.
#[derive(Debug)]
pub(super) struct FileConnection {
    /// Another handle of the connection's socket.
    pub(super) stream: TcpStream,
    pub(super) transport: Transport,
    /// Keeps its place until the transfer ends.
    pub(super) connection: Arc<Connection>,
    pub(super) token: String,
    /// Bytes that came after the packet with the token.
    pub(super) early: Vec<u8>,
    /// Whether the peer has closed its side already.
    pub(super) has_ended: bool,
    /// Whether it leads to another server of the chat, at which the sides meet.
    pub(super) is_link: bool,
}

/// For the reactor.
pub(super) type FileDoor = mpsc::UnboundedSender<FileConnection>;

/// Transfers that the rules have ended.
pub(super) type EndedTransfers = mpsc::UnboundedReceiver<(TransferId, Code)>;

#[derive(Debug)]
pub(super) struct Transfers {
    hub: Arc<Hub>,
    rate: Arc<FileRate>,
    counts: Arc<TransferCounts>,
    arrivals: mpsc::UnboundedReceiver<FileConnection>,
    ended: EndedTransfers,
    /// Sides whose other side is not there yet.
    waiting: HashMap<TransferId, FileConnection>,
    /// Ends a transfer that runs.
    running: HashMap<TransferId, oneshot::Sender<Code>>,
    relays: JoinSet<FinishedRelay>,
    /// To the other servers of the chat, if there are any.
    links: Option<Arc<Links>>,
    /// Connections whose tokens the server that leads is to judge.
    claims: JoinSet<(FileConnection, Option<Result<FileTicket, Refusal>>)>,
    /// Transfers that have ended while there were such.
    ended_meanwhile: HashSet<TransferId>,
    /// Connections that go on to the server where the sides meet.
    passed_on: JoinSet<PassedOn>,
    /// Refused connections that are still told why.
    refused: JoinSet<()>,
    /// Started for the first transfer.
    threads: Option<RelayThreads>,
}

struct FinishedRelay {
    ticket: FileTicket,
    report: RelayReport,
    time: Duration,
}

/// A connection that was passed on, and the end.
struct PassedOn {
    ticket: FileTicket,
    end: Result<RelayReport, (FileConnection, Refusal)>,
}

impl Transfers {
    /// Also returns the door for new connections. `rate`: bytes per second over all transfers.
    pub(super) fn new(
        hub: Arc<Hub>,
        ended: EndedTransfers,
        rate: Option<u64>,
        links: Option<Links>,
    ) -> (Self, FileDoor) {
        let (door, arrivals) = mpsc::unbounded_channel();
        let transfers = Self {
            hub,
            rate: Arc::new(FileRate::new(rate)),
            counts: Arc::default(),
            arrivals,
            ended,
            waiting: HashMap::new(),
            running: HashMap::new(),
            relays: JoinSet::new(),
            links: links.map(Arc::new),
            claims: JoinSet::new(),
            ended_meanwhile: HashSet::new(),
            passed_on: JoinSet::new(),
            refused: JoinSet::new(),
            threads: None,
        };
        (transfers, door)
    }

    pub(super) fn counts(&self) -> Arc<TransferCounts> {
        Arc::clone(&self.counts)
    }

    /// Runs until aborted, which ends all transfers at once.
    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                Some(arrived) = self.arrivals.recv() => self.admit(arrived),
                Some((id, code)) = self.ended.recv() => self.cut(id, code),
                Some(finished) = self.relays.join_next() => match finished {
                    Ok(finished) => self.finish(finished),
                    Err(error) => tracing::error!(
                        event = "task_panicked",
                        %error,
                        "a transfer's task panicked"
                    ),
                },
                Some(Ok((arrived, claimed))) = self.claims.join_next() => {
                    self.decide(arrived, claimed.unwrap_or_else(|| Err(unanswered())));
                }
                Some(Ok(passed_on)) = self.passed_on.join_next() => self.finish_passed_on(passed_on),
                Some(_) = self.refused.join_next() => {}
                else => return,
            }
            if self.claims.is_empty() {
                self.ended_meanwhile.clear();
            }
            self.counts.set_waiting(self.waiting.len());
        }
    }

    fn admit(&mut self, arrived: FileConnection) {
        match self.hub.claim_transfer(arrived.connection.id(), &arrived.token, &arrived.peer()) {
            ClaimAnswer::Now(claimed) => self.decide(arrived, claimed),
            ClaimAnswer::Later(answer) => {
                self.claims.spawn(async move {
                    let claimed = timeout(TRANSFER_MEETING, answer).await;
                    (arrived, claimed.ok().and_then(Result::ok))
                });
            }
        }
    }

    fn decide(&mut self, arrived: FileConnection, claimed: Result<FileTicket, Refusal>) {
        let ticket = match claimed {
            Ok(ticket) => ticket,
            Err(refusal) => {
                self.counts.refused();
                tracing::debug!(
                    event = "transfer_refused",
                    peer = %arrived.connection.ip(),
                    code = %refusal.code,
                    "a file's connection is refused"
                );
                return self.refuse(arrived, refusal.code, refusal.msg);
            }
        };
        if self.ended_meanwhile.contains(&ticket.transfer) {
            return self.refuse(arrived, Code::Cut, HAS_ENDED.into());
        }
        if ticket.meets.node() != self.hub.node_number() {
            return self.pass_on(ticket, arrived);
        }
        match self.waiting.remove(&ticket.transfer) {
            None => drop(self.waiting.insert(ticket.transfer, arrived)),
            Some(other) => self.start(sides(ticket.side, arrived, other), ticket),
        }
    }

    /// Where relays run; `None`: the system gives no threads, so the transfer ends.
    fn relay_threads(&mut self, ticket: &FileTicket) -> Option<runtime::Handle> {
        match &mut self.threads {
            Some(threads) => Some(threads.handle().clone()),
            none => match RelayThreads::start() {
                Ok(threads) => Some(none.insert(threads).handle().clone()),
                Err(error) => {
                    tracing::error!(event = "thread_missing", %error, "cannot start threads for transfers");
                    self.hub.transfer_ended(ticket.transfer, TransferEnd::Cut(TransferSide::Sender));
                    None
                }
            },
        }
    }

    /// Has the server where the sides meet take the connection as one of them.
    fn pass_on(&mut self, ticket: FileTicket, arrived: FileConnection) {
        let (Some(threads), Some(links)) = (self.relay_threads(&ticket), self.links.clone()) else { return };
        // The other server counts the bytes.
        let plan =
            RelayPlan { max_bytes: None, rate: Arc::clone(&self.rate), counts: Arc::clone(&self.counts) };
        let task = async move {
            let opened = timeout(2 * TRANSFER_MEETING, links.open(ticket.meets.node(), &arrived)).await;
            let end = match opened.unwrap_or_else(|_| Err(unanswered())) {
                Ok(link) => {
                    // It ends with its sides, or with the server.
                    let (_end, ends) = oneshot::channel();
                    Ok(run_relay(sides(ticket.side, arrived, link), plan, ends).await)
                }
                Err(refusal) => Err((arrived, refusal)),
            };
            PassedOn { ticket, end }
        };
        self.passed_on.spawn_on(task, &threads);
    }

    fn finish_passed_on(&mut self, PassedOn { ticket, end }: PassedOn) {
        let (FileTicket { transfer, side, .. }, server) = (&ticket, ticket.meets.node());
        match end {
            Ok(report) => tracing::debug!(
                event = "transfer_passed_on",
                server,
                bytes = report.bytes,
                why = report.as_str(),
                "a connection that was passed on to another server has ended"
            ),
            Err((arrived, Refusal { code, msg })) => {
                tracing::warn!(
                    event = "transfer_not_passed_on",
                    server,
                    why = msg,
                    "a file does not reach its server"
                );
                self.hub.transfer_ended(*transfer, TransferEnd::Cut(*side));
                self.refuse(arrived, code, msg);
            }
        }
    }

    fn start(&mut self, sides: [FileConnection; 2], ticket: FileTicket) {
        let Some(threads) = self.relay_threads(&ticket) else { return };
        let (end, ends) = oneshot::channel();
        self.running.insert(ticket.transfer, end);
        let plan = RelayPlan {
            max_bytes: ticket.max_bytes.map(|most| relay::allowed(most, ticket.files)),
            rate: Arc::clone(&self.rate),
            counts: Arc::clone(&self.counts),
        };
        let task = async move {
            let began = Instant::now();
            let report = run_relay(sides, plan, ends).await;
            FinishedRelay { ticket, report, time: began.elapsed() }
        };
        self.relays.spawn_on(task, &threads);
    }

    fn finish(&mut self, finished: FinishedRelay) {
        let FinishedRelay { ticket, report, time } = finished;
        let FileTicket { transfer, names: [from, to], .. } = ticket;
        self.running.remove(&transfer);
        let seconds = format_args!("{:.3}", time.as_secs_f32());
        tracing::info!(
            event = "transfer_ended",
            %from,
            %to,
            bytes = report.bytes,
            %seconds,
            why = report.as_str(),
            "a transfer has ended"
        );
        if let Some(end) = report.for_rules() {
            self.hub.transfer_ended(transfer, end);
        }
    }

    /// Ends a transfer that the rules have ended.
    fn cut(&mut self, id: TransferId, code: Code) {
        if !self.claims.is_empty() {
            self.ended_meanwhile.insert(id);
        }
        if let Some(end) = self.running.remove(&id) {
            // A transfer that has just ended needs no end.
            let _ = end.send(code);
        }
        if let Some(waiting) = self.waiting.remove(&id) {
            self.refuse(waiting, code, HAS_ENDED.into());
        }
    }

    fn refuse(&mut self, refused: FileConnection, code: Code, msg: String) {
        let line = Event::error(code, msg).into_packet("", None).to_frame();
        self.refused.spawn(async move {
            if let Ok(mut side) = RelaySide::new(refused)
                && side.write_last(&line).is_ok()
            {
                side.finish(CLOSE_GRACE).await;
            }
        });
    }
}

/// In the order of a relay. `of`: the side that has arrived.
fn sides(of: TransferSide, arrived: FileConnection, other: FileConnection) -> [FileConnection; 2] {
    match of {
        TransferSide::Sender => [arrived, other],
        TransferSide::Receiver => [other, arrived],
    }
}

async fn run_relay(
    sides: [FileConnection; 2],
    plan: RelayPlan,
    ends: oneshot::Receiver<Code>,
) -> RelayReport {
    let cut = |side| RelayReport::new(RelayEnd::By(TransferEnd::Cut(side)));
    match sides.map(RelaySide::new) {
        [Ok(sender), Ok(receiver)] => relay([sender, receiver], plan, ends).await,
        [Err(_), _] => cut(TransferSide::Sender),
        [_, Err(_)] => cut(TransferSide::Receiver),
    }
}

/// The refusal if no server leads.
fn unanswered() -> Refusal {
    let msg = "the servers of this chat do not reach each other at the moment; accept the offer again";
    Refusal::new(Code::Cut, msg)
}

impl FileConnection {
    fn peer(&self) -> Peer {
        let ip = self.connection.ip();
        let web = self.transport.web_purpose().is_some();
        let local = self.connection.ends().is_ok_and(|(own, _)| own.ip().to_canonical() == ip);
        Peer {
            ip,
            key: self.transport.peer_key(),
            encrypted: self.transport.is_encrypted(),
            local: !web && (local || ip.is_loopback()),
            web,
        }
    }
}
