//! Passes bytes between the two sides of a transfer, in both directions, until one of them ends.
//!
//! One task owns both sides. It reads from one only while the other has taken everything before, so a side that
//! does not read stops the other, and at most one step per direction waits in memory.

use super::counts::TransferCounts;
use super::file_rate::FileRate;
use super::relay_side::{BrokenSide, Passed, RelaySide};
use crate::chat::{TransferEnd, TransferSide};
use crate::limits::{
    CLOSE_GRACE, TRANSFER_OVERHEAD_BYTES, TRANSFER_OVERHEAD_OF_FILE, TRANSFER_OVERHEAD_SHARE,
    TRANSFER_SILENCE,
};
use crate::protocol::record::StopCode;
use crate::protocol::{Code, Event};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Ready;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

/// The sender's side, and the receiver's.
const SIDES: [TransferSide; 2] = [TransferSide::Sender, TransferSide::Receiver];

pub(super) struct RelayPlan {
    /// How many bytes may pass to the receiver.
    pub(super) max_bytes: Option<u64>,
    pub(super) rate: Arc<FileRate>,
    pub(super) counts: Arc<TransferCounts>,
}

/// Why a relay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RelayEnd {
    By(TransferEnd),
    /// The rules have ended it, for this reason; they have told both sides.
    Told(Code),
    /// The server stops.
    Stopped,
}

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RelayReport {
    pub(super) end: RelayEnd,
    /// Bytes that were passed to the receiver.
    pub(super) bytes: u64,
    /// The word of one side to the other.
    said: Said,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// The receiver has everything.
    Stored,
    /// One of them ended it early.
    Stop(StopCode),
    /// Records, but no end.
    Records,
    /// Nothing that the server understands.
    Unknown,
}

impl RelayReport {
    pub(super) fn new(end: RelayEnd) -> Self {
        Self { end, bytes: 0, said: Said::Unknown }
    }

    /// Whether the receiver has everything, or seems to.
    fn is_done(self) -> bool {
        match self.said {
            Said::Stored => true,
            Said::Stop(_) | Said::Records => false,
            Said::Unknown => self.end == RelayEnd::By(TransferEnd::Done),
        }
    }

    /// The end for the rules, unless they have ended it.
    pub(super) fn for_rules(self) -> Option<TransferEnd> {
        match self.end {
            RelayEnd::By(TransferEnd::Done) => Some(TransferEnd::Done),
            RelayEnd::By(_) if self.said == Said::Stored => Some(TransferEnd::Received),
            RelayEnd::By(end) => Some(end),
            RelayEnd::Told(_) | RelayEnd::Stopped => None,
        }
    }

    /// For the log.
    pub(super) fn as_str(self) -> &'static str {
        match (self.said, self.end) {
            (Said::Stored, _) => "done",
            (Said::Stop(code), _) => code.as_str(),
            (_, RelayEnd::By(TransferEnd::Done | TransferEnd::Received)) => "done",
            (_, RelayEnd::By(TransferEnd::Cut(TransferSide::Sender))) => "the sender's connection ended",
            (_, RelayEnd::By(TransferEnd::Cut(TransferSide::Receiver))) => "the receiver's connection ended",
            (_, RelayEnd::By(TransferEnd::Silent)) => "silent",
            (_, RelayEnd::By(TransferEnd::TooBig)) => "too big",
            (_, RelayEnd::Told(code)) => code.as_str(),
            (_, RelayEnd::Stopped) => "the server stops",
        }
    }
}

impl Said {
    fn by([sender, receiver]: &[RelaySide; 2]) -> Self {
        let (sent, answered) = (sender.seen(), receiver.seen());
        match answered.stop().or(sent.stop()) {
            _ if answered.has_stored() => Self::Stored,
            Some(code) => Self::Stop(code),
            None if sent.has_records() || answered.has_records() => Self::Records,
            None => Self::Unknown,
        }
    }
}

/// How many bytes may pass for files of `most` bytes, which the records between them make more.
pub(super) fn allowed(most: u64, files: u64) -> u64 {
    let overhead = (most / TRANSFER_OVERHEAD_SHARE).saturating_add(TRANSFER_OVERHEAD_BYTES);
    let of_files = files.min(u64::from(u16::MAX)) * TRANSFER_OVERHEAD_OF_FILE;
    most.saturating_add(overhead).saturating_add(of_files)
}

struct Relay<'a> {
    sides: [RelaySide; 2],
    plan: RelayPlan,
    /// Bytes that were passed to the receiver.
    bytes: u64,
    /// When something passed last, or the wait for the rate ends, which is not silence.
    last: Instant,
    /// When the rate lets it read again. Both sides have one turn together, so that a transfer has one share.
    resumes: Option<Instant>,
    /// When it gives up waiting for the second side to end, after the first.
    grace: Option<(TransferSide, Instant)>,
    timer: Pin<&'a mut Sleep>,
}

/// Runs until the transfer has ended.
pub(super) async fn relay(
    sides: [RelaySide; 2],
    plan: RelayPlan,
    ends: oneshot::Receiver<Code>,
) -> RelayReport {
    let counts = Arc::clone(&plan.counts);
    counts.began();
    let timer = pin!(sleep(TRANSFER_SILENCE));
    let (last, resumes) = (Instant::now(), None);
    let mut relay = Relay { sides, plan, bytes: 0, last, resumes, grace: None, timer };
    let end = relay.run(ends).await;
    let Relay { sides, bytes, grace, .. } = relay;
    let said = Said::by(&sides);
    let end = match (end, said) {
        // In plaintext, the end of a process looks like one in order.
        (RelayEnd::By(TransferEnd::Done), Said::Records) => {
            RelayEnd::By(TransferEnd::Cut(grace.map_or(TransferSide::Sender, |(first, _)| first)))
        }
        _ => end,
    };
    let report = RelayReport { end, bytes, said };
    counts.ended(report.is_done());
    if end != RelayEnd::Stopped {
        // Another server must learn that its side was cut: it gets no end in order.
        let is_cut = |at: usize| end == RelayEnd::By(TransferEnd::Cut(SIDES[1 - at]));
        let sides = (0..).zip(sides).filter(|(at, side)| !(side.is_link() && is_cut(*at)));
        sides.for_each(|(_, side)| drop(tokio::spawn(side.finish(CLOSE_GRACE))));
    }
    report
}

impl Relay<'_> {
    async fn run(&mut self, mut ends: oneshot::Receiver<Code>) -> RelayEnd {
        if let Some(end) = self.begin() {
            return RelayEnd::By(end);
        }
        loop {
            let reads = [self.may_read(0), self.may_read(1)];
            let done = tokio::select! {
                ready = self.sides[0].ready(reads[0]) => self.act(0, ready, reads[0]),
                ready = self.sides[1].ready(reads[1]) => self.act(1, ready, reads[1]),
                () = &mut self.timer => self.wake(),
                ended = &mut ends => return ended.map_or(RelayEnd::Stopped, RelayEnd::Told),
            };
            if let Some(end) = done.or_else(|| self.progress()) {
                return RelayEnd::By(end);
            }
        }
    }

    /// Tells both clients that they are connected, and passes on what the sides sent before.
    fn begin(&mut self) -> Option<TransferEnd> {
        let go = Event::Go.into_packet("", None).to_frame();
        for (side, name) in self.sides.iter_mut().zip(SIDES) {
            if !side.is_link() && side.write(&go).is_err() {
                return Some(TransferEnd::Cut(name));
            }
        }
        self.progress()
    }

    /// The server at which the sides meet is the one that ends silent transfers, and it may wait for its own rate.
    fn silence(&self) -> Duration {
        let is_passed_on = self.sides.iter().any(RelaySide::is_link);
        if is_passed_on { 2 * TRANSFER_SILENCE } else { TRANSFER_SILENCE }
    }

    fn may_read(&self, from: usize) -> bool {
        let [side, other] = [&self.sides[from], &self.sides[1 - from]];
        // Its end must not wait for the rate: what it sends until then goes nowhere.
        let is_its_turn = self.resumes.is_none() || side.is_closed();
        is_its_turn && !side.has_ended() && !other.is_blocked()
    }

    /// Does what a side's socket is ready for.
    fn act(&mut self, at: usize, ready: io::Result<Ready>, reads: bool) -> Option<TransferEnd> {
        let Ok(ready) = ready else { return Some(TransferEnd::Cut(SIDES[at])) };
        if ready.is_writable() && self.sides[at].flush().is_err() {
            return Some(TransferEnd::Cut(SIDES[at]));
        }
        if reads && ready.is_readable() { self.pass(at) } else { None }
    }

    /// Reads once from a side, and writes it to the other.
    fn pass(&mut self, from: usize) -> Option<TransferEnd> {
        let most = self.plan.rate.step(self.plan.counts.running());
        let [sender, receiver] = &mut self.sides;
        let passed = if from == 0 { sender.pass_to(receiver, most) } else { receiver.pass_to(sender, most) };
        let Passed { read, bytes } = match passed {
            Ok(passed) => passed,
            Err(BrokenSide::Read) => return Some(TransferEnd::Cut(SIDES[from])),
            Err(BrokenSide::Write) => return Some(TransferEnd::Cut(SIDES[1 - from])),
        };
        if read > 0 {
            self.plan.counts.passed(bytes as u64);
            self.pay(read);
        }
        if from == 0 {
            self.bytes += bytes as u64;
        }
        self.plan.max_bytes.is_some_and(|most| self.bytes > most).then_some(TransferEnd::TooBig)
    }

    /// Has the transfer wait for its next turn.
    fn pay(&mut self, bytes: usize) {
        let (now, wait) = (Instant::now(), self.plan.rate.spend(bytes));
        self.last = self.last.max(now + wait);
        if !wait.is_zero() {
            self.resumes = Some(now + wait);
            let next = self.timer.deadline().min(now + wait);
            self.timer.as_mut().reset(next);
        }
    }

    /// Goes on without an event: with what came early, and with the end.
    fn progress(&mut self) -> Option<TransferEnd> {
        for from in [0, 1] {
            if self.sides[from].has_early()
                && self.may_read(from)
                && let Some(end) = self.pass(from)
            {
                return Some(end);
            }
        }
        let ended = [self.sides[0].has_ended(), self.sides[1].has_ended()];
        let went_on = self.sides.iter().any(RelaySide::went_on);
        match (ended, self.grace) {
            ([true, true], Some((first, _))) if went_on => return Some(TransferEnd::Cut(first)),
            // The receiver's last word may not have reached the sender.
            ([true, true], _) if self.sides[0].broke_off() => {
                return Some(TransferEnd::Cut(TransferSide::Sender));
            }
            ([true, true], _) => return Some(TransferEnd::Done),
            ([false, false], _) => return None,
            ([true, false] | [false, true], _) => {}
        }
        let first = usize::from(ended[1]);
        if self.sides[1 - first].close() && self.grace.is_none() {
            let until = Instant::now() + CLOSE_GRACE;
            self.grace = Some((SIDES[first], until));
            let next = self.timer.deadline().min(until);
            self.timer.as_mut().reset(next);
        }
        None
    }

    /// Does what is due, and sets the timer for the rest.
    fn wake(&mut self) -> Option<TransferEnd> {
        let now = Instant::now();
        self.resumes.take_if(|resumes| *resumes <= now);
        if let Some((first, _)) = self.grace.filter(|(_, until)| *until <= now) {
            return Some(TransferEnd::Cut(first));
        }
        let silent = self.last + self.silence();
        if silent <= now {
            return Some(TransferEnd::Silent);
        }
        let grace = self.grace.map(|(_, until)| until);
        let next = [self.resumes, grace].into_iter().flatten().fold(silent, Instant::min);
        self.timer.as_mut().reset(next.max(now + Duration::from_millis(1)));
        None
    }
}
