//! Files from person to person: pairs the connections of both sides, and passes their bytes on.
//!
//! The reactor hands out connections that begin with a token. One task asks the rules which transfer a token is
//! for, and keeps the first side until the second is there. Each pair is a task on threads of its own (see
//! [`relay_threads`]), so that files never hold up the chat. Those threads never take the hub's lock: this task
//! reports to the rules.

mod counts;
mod file_rate;
mod record_watch;
mod relay;
mod relay_side;
mod relay_threads;
#[cfg(test)]
mod tests;

pub use counts::TransferCounts;

use super::connection::Connection;
use super::hub::Hub;
use super::transport::Transport;
use crate::chat::{FileTicket, Peer, TransferEnd, TransferId, TransferSide};
use crate::limits::CLOSE_GRACE;
use crate::protocol::{Code, Event};
use file_rate::FileRate;
use relay::{RelayEnd, RelayPlan, RelayReport, relay};
use relay_side::RelaySide;
use relay_threads::RelayThreads;
use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

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

impl Transfers {
    /// Also returns the door for new connections. `rate`: bytes per second over all transfers.
    pub(super) fn new(hub: Arc<Hub>, ended: EndedTransfers, rate: Option<u64>) -> (Self, FileDoor) {
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
                Some(_) = self.refused.join_next() => {}
                else => return,
            }
            self.counts.set_waiting(self.waiting.len());
        }
    }

    fn admit(&mut self, arrived: FileConnection) {
        let peer = arrived.peer();
        let claimed = self.hub.claim_transfer(&arrived.token, &peer);
        let ticket = match claimed {
            Ok(ticket) => ticket,
            Err(refusal) => {
                self.counts.refused();
                tracing::debug!(
                    event = "transfer_refused",
                    peer = %peer.ip,
                    code = %refusal.code,
                    "a file's connection is refused"
                );
                return self.refuse(arrived, refusal.code, refusal.msg);
            }
        };
        match self.waiting.remove(&ticket.transfer) {
            None => drop(self.waiting.insert(ticket.transfer, arrived)),
            Some(other) => {
                let sides = match ticket.side {
                    TransferSide::Sender => [arrived, other],
                    TransferSide::Receiver => [other, arrived],
                };
                self.start(ticket, sides);
            }
        }
    }

    fn start(&mut self, ticket: FileTicket, sides: [FileConnection; 2]) {
        let threads = match &mut self.threads {
            Some(threads) => threads,
            none => match RelayThreads::start() {
                Ok(threads) => none.insert(threads),
                Err(error) => {
                    tracing::error!(event = "thread_missing", %error, "cannot start threads for transfers");
                    let end = TransferEnd::Cut(TransferSide::Sender);
                    return self.hub.transfer_ended(ticket.transfer, end);
                }
            },
        };
        let (end, ends) = oneshot::channel();
        self.running.insert(ticket.transfer, end);
        let plan = RelayPlan {
            max_bytes: ticket.max_bytes.map(|most| relay::allowed(most, ticket.files)),
            rate: Arc::clone(&self.rate),
            counts: Arc::clone(&self.counts),
        };
        let task = async move {
            let began = Instant::now();
            let cut = |side| RelayReport::new(RelayEnd::By(TransferEnd::Cut(side)));
            let report = match sides.map(RelaySide::new) {
                [Ok(sender), Ok(receiver)] => relay([sender, receiver], plan, ends).await,
                [Err(_), _] => cut(TransferSide::Sender),
                [_, Err(_)] => cut(TransferSide::Receiver),
            };
            FinishedRelay { ticket, report, time: began.elapsed() }
        };
        self.relays.spawn_on(task, threads.handle());
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
        if let Some(end) = self.running.remove(&id) {
            // A transfer that has just ended needs no end.
            let _ = end.send(code);
        }
        if let Some(waiting) = self.waiting.remove(&id) {
            self.refuse(waiting, code, "the transfer has ended; see the chat for why".into());
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
