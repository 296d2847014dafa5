//! An engine within a process, for tests: the log of several nodes, and the faults that a test asks for. It knows no
//! time: what it delays, it delays until the test says otherwise.

use super::{EVENTS_WAITING, Engine, EngineEvent, EngineEvents, EngineHandle};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// Answers and messages that wait for a node; the log loses what comes after them.
const WAITING: usize = 1024;

/// A log, with its controls.
#[derive(Debug, Clone)]
pub struct MemoryLog(Arc<Mutex<LogState>>);

/// How often, in percent, something goes wrong for a node.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// The log processes an append, but the node gets no answer.
    pub lost_answers: u8,
    /// An append does not reach the log.
    pub lost_appends: u8,
    /// A record is in the log twice, one after the other.
    pub doubled: u8,
    /// A message from the node does not arrive.
    pub lost_messages: u8,
}

/// A node's end.
#[derive(Debug, Clone)]
pub(super) struct MemoryNode {
    log: MemoryLog,
    node: u8,
    /// How often the node had started by then: an earlier run's calls do nothing.
    run: u64,
}

#[derive(Debug)]
struct LogState {
    /// The position before the first record.
    base: u64,
    records: VecDeque<Bytes>,
    nodes: BTreeMap<u8, Seat>,
    /// The state of the random numbers.
    random: u64,
}

/// A node, as the log sees it.
#[derive(Debug, Default)]
struct Seat {
    run: u64,
    /// The position of the last record that it got; `None`: it does not follow.
    read: Option<u64>,
    /// For the node, besides records.
    waiting: VecDeque<EngineEvent>,
    faults: Faults,
    is_cut: bool,
    is_held: bool,
    wake: Arc<Notify>,
}

impl MemoryLog {
    /// An empty log. `seed` determines when [`Faults`] occur.
    pub fn new(seed: u64) -> Self {
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self(Arc::new(Mutex::new(LogState {
            base: 0,
            records: VecDeque::new(),
            nodes: BTreeMap::new(),
            random,
        })))
    }

    /// Starts a node, or starts it again: an earlier handle has no effect any longer. It keeps its faults.
    ///
    /// Needs a tokio runtime.
    pub fn join(&self, node: u8) -> (EngineHandle, EngineEvents) {
        let (sender, events) = mpsc::channel(EVENTS_WAITING);
        let mut log = self.lock();
        let seat = log.nodes.entry(node).or_default();
        seat.wake.notify_one();
        let Seat { run, faults, is_cut, is_held, .. } = *seat;
        let run = run + 1;
        *seat = Seat { run, faults, is_cut, is_held, ..Seat::default() };
        if is_cut {
            seat.waiting.push_back(unreachable());
        }
        let end = MemoryNode { log: self.clone(), node, run };
        tokio::spawn(end.clone().deliver(sender, Arc::clone(&seat.wake)));
        (EngineHandle(Engine::Memory(end)), events)
    }

    /// Cuts a node off: nothing passes, in either direction.
    pub fn cut(&self, node: u8) {
        self.lock().change(node, |seat| {
            if !std::mem::replace(&mut seat.is_cut, true) {
                seat.waiting.push_back(unreachable());
            }
        });
    }

    pub fn heal(&self, node: u8) {
        self.lock().change(node, |seat| {
            if std::mem::replace(&mut seat.is_cut, false) {
                seat.waiting.push_back(EngineEvent::Reachable);
            }
        });
    }

    /// Delays everything that the node gets, until [`release`](Self::release).
    pub fn hold(&self, node: u8) {
        self.lock().change(node, |seat| seat.is_held = true);
    }

    pub fn release(&self, node: u8) {
        self.lock().change(node, |seat| seat.is_held = false);
    }

    pub fn set_faults(&self, node: u8, faults: Faults) {
        self.lock().change(node, |seat| seat.faults = faults);
    }

    /// Appends a record that is not of a node.
    pub fn append_strange(&self, bytes: Bytes) {
        let mut log = self.lock();
        log.records.push_back(bytes);
        log.wake();
    }

    /// Gives a node these bytes in the place of the next record, which it has not got yet, as one that it hears.
    pub fn forge(&self, node: u8, bytes: Bytes) {
        self.lock().change(node, |seat| {
            if let Some(read) = &mut seat.read {
                *read += 1;
                let record = EngineEvent::Record { position: *read, bytes, is_heard: true };
                seat.waiting.push_back(record);
            }
        });
    }

    /// Deletes the log and creates an empty one.
    pub fn recreate(&self) {
        let mut log = self.lock();
        (log.base, log.records) = (0, VecDeque::new());
        log.nodes.values_mut().filter(|seat| seat.read.is_some_and(|read| read > 0)).for_each(|seat| {
            seat.read = None;
            seat.waiting.push_back(EngineEvent::Lost { first: 1, last: 0 });
        });
        log.wake();
    }

    /// Deletes the records up to this position.
    pub fn purge(&self, last: u64) {
        let mut log = self.lock();
        while log.base < last && log.records.pop_front().is_some() {
            log.base += 1;
        }
        log.wake();
    }

    /// The records, and the position of the first one.
    pub fn records(&self) -> (u64, Vec<Bytes>) {
        let log = self.lock();
        (log.base + 1, log.records.iter().cloned().collect())
    }

    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogState {
    fn last(&self) -> u64 {
        self.base + self.records.len() as u64
    }

    fn wake(&self) {
        self.nodes.values().for_each(|seat| seat.wake.notify_one());
    }

    fn change(&mut self, node: u8, change: impl FnOnce(&mut Seat)) {
        let seat = self.nodes.entry(node).or_default();
        change(seat);
        seat.wake.notify_one();
    }

    /// Whether something that goes wrong so often does so now (xorshift).
    fn happens(&mut self, percent: u8) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 32) % 100 < u64::from(percent)
    }

    /// Appends, and returns what the node gets for it.
    fn append(&mut self, faults: Faults, after: u64, bytes: Bytes) -> Option<EngineEvent> {
        if self.happens(faults.lost_appends) {
            return Some(EngineEvent::Unanswered { after });
        }
        let is_taken = after == self.last();
        if is_taken {
            if self.happens(faults.doubled) {
                self.records.push_back(bytes.clone());
            }
            self.records.push_back(bytes);
        }
        if self.happens(faults.lost_answers) {
            return Some(EngineEvent::Unanswered { after });
        }
        (!is_taken).then_some(EngineEvent::Refused { after })
    }

    fn post(&mut self, to: u8, bytes: Bytes) {
        let seat = self.nodes.get_mut(&to).filter(|seat| !seat.is_cut && seat.run > 0);
        if let Some(seat) = seat
            && seat.waiting.len() < WAITING
        {
            seat.waiting.push_back(EngineEvent::Message { bytes });
        }
    }

    /// Takes the next event for a node.
    fn next(&mut self, node: u8) -> Option<EngineEvent> {
        let (first, last) = (self.base + 1, self.last());
        let seat = self.nodes.get_mut(&node).filter(|seat| !seat.is_held)?;
        if let Some(event) = seat.waiting.pop_front() {
            return Some(event);
        }
        let read = seat.read.filter(|_| !seat.is_cut)?;
        if read > last || read + 1 < first {
            seat.read = None;
            return Some(EngineEvent::Lost { first, last });
        }
        let bytes = self.records.get(usize::try_from(read - self.base).ok()?)?.clone();
        seat.read = Some(read + 1);
        Some(EngineEvent::Record { position: read + 1, bytes, is_heard: false })
    }
}

impl MemoryNode {
    pub(super) fn append(&self, after: u64, bytes: Bytes) {
        self.call(|log, faults, is_cut| {
            let event = if is_cut {
                Some(EngineEvent::Unanswered { after })
            } else {
                log.append(faults, after, bytes)
            };
            if let (Some(event), Some(seat)) = (event, log.nodes.get_mut(&self.node))
                && seat.waiting.len() < WAITING
            {
                seat.waiting.push_back(event);
            }
        });
    }

    pub(super) fn follow(&self, after: u64) {
        self.call(|log, _, _| log.change(self.node, |seat| seat.read = Some(after)));
    }

    pub(super) fn send(&self, to: u8, bytes: Bytes) {
        self.call(|log, faults, is_cut| {
            if !is_cut && !log.happens(faults.lost_messages) {
                log.post(to, bytes);
            }
        });
    }

    pub(super) fn broadcast(&self, bytes: Bytes) {
        self.call(|log, faults, is_cut| {
            let others: Vec<u8> = log.nodes.keys().copied().filter(|node| *node != self.node).collect();
            for node in others {
                if !is_cut && !log.happens(faults.lost_messages) {
                    log.post(node, bytes.clone());
                }
            }
        });
    }

    /// Calls the log, unless the node has been started again.
    fn call(&self, call: impl FnOnce(&mut LogState, Faults, bool)) {
        let mut log = self.log.lock();
        let seat = log.nodes.get(&self.node).filter(|seat| seat.run == self.run);
        if let Some((faults, is_cut)) = seat.map(|seat| (seat.faults, seat.is_cut)) {
            call(&mut log, faults, is_cut);
            log.wake();
        }
    }

    /// Delivers events until the reader is gone or the node starts again.
    async fn deliver(self, events: mpsc::Sender<EngineEvent>, wake: Arc<Notify>) {
        while let Ok(place) = events.reserve().await {
            let next = {
                let mut log = self.log.lock();
                if log.nodes.get(&self.node).is_none_or(|seat| seat.run != self.run) {
                    return;
                }
                log.next(self.node)
            };
            match next {
                Some(event) => place.send(event),
                None => {
                    drop(place);
                    tokio::select! {
                        () = wake.notified() => {}
                        () = events.closed() => return,
                    }
                }
            }
        }
    }
}

fn unreachable() -> EngineEvent {
    EngineEvent::Unreachable("this server cannot reach the log: the test has cut it off".to_owned())
}

#[cfg(test)]
mod tests;
