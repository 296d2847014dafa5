//! A node of a test: reads its events with a deadline, and appends numbers as a node that leads appends turns.

use crate::support::peer::DEADLINE;
use bytes::Bytes;
use lanchat::engine::nats::{Create, EngineConfig, StartedEngine, start};
use lanchat::engine::{EngineEvent, EngineEvents, EngineHandle};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Appends under way.
const WINDOW: usize = 16;

/// How long a record may take to come back before it is appended again.
const AGAIN: Duration = Duration::from_millis(700);

pub struct TestNode {
    pub handle: EngineHandle,
    pub events: EngineEvents,
    pub warnings: Vec<String>,
    /// The last position read.
    pub position: u64,
}

impl TestNode {
    /// Starts, and follows from the front.
    pub async fn start(config: EngineConfig) -> Self {
        let node = Self::start_without_following(config).await;
        node.handle.follow(0);
        node
    }

    pub async fn start_without_following(config: EngineConfig) -> Self {
        let started = start(config, Create::IfAbsent).await.expect("an engine that is fit");
        let StartedEngine { handle, events, warnings } = started;
        Self { handle, events, warnings, position: 0 }
    }

    pub async fn next(&mut self) -> EngineEvent {
        let event = timeout(DEADLINE, self.events.recv()).await.expect("an event").expect("the engine runs");
        self.note(&event);
        event
    }

    /// Asserts that a record is the one after the last.
    fn note(&mut self, event: &EngineEvent) {
        if let EngineEvent::Record { position, .. } = event {
            assert_eq!(*position, self.position + 1);
            self.position = *position;
        }
    }

    /// The next event that is not about whether the log is reachable.
    pub async fn next_of_log(&mut self) -> EngineEvent {
        loop {
            match self.next().await {
                EngineEvent::Reachable | EngineEvent::Unreachable(_) => {}
                event => return event,
            }
        }
    }

    pub async fn wait_for(&mut self, wanted: impl Fn(&EngineEvent) -> bool) -> EngineEvent {
        loop {
            let event = self.next().await;
            if wanted(&event) {
                return event;
            }
        }
    }

    /// The next record.
    pub async fn record(&mut self) -> Bytes {
        let event =
            self.wait_for(|event| matches!(event, EngineEvent::Record { .. } | EngineEvent::Lost { .. }));
        let event = event.await;
        let EngineEvent::Record { bytes, .. } = event else { panic!("{event:?}") };
        bytes
    }

    /// Appends numbers until `last` is in the log, each after the one before, whatever happens. Calls `at` with each
    /// number that it reads back.
    pub async fn append_up_to(&mut self, first: u64, last: u64, mut at: impl FnMut(u64)) {
        let mut waiting: VecDeque<u64> = (first..=last).collect();
        let (mut sent, mut window, mut retry) = (0, WINDOW, Instant::now() + AGAIN);
        let deadline = Instant::now() + 2 * DEADLINE;
        while !waiting.is_empty() {
            assert!(Instant::now() < deadline, "stuck at {:?}", waiting.front());
            while sent < window.min(waiting.len()) {
                let bytes = Bytes::copy_from_slice(&waiting[sent].to_be_bytes());
                self.handle.append(self.position + sent as u64, bytes);
                sent += 1;
            }
            let Ok(event) = tokio::time::timeout_at(retry, self.events.recv()).await else {
                (sent, retry) = (0, Instant::now() + AGAIN);
                continue;
            };
            let event = event.expect("the engine runs");
            self.note(&event);
            match event {
                EngineEvent::Record { bytes, .. } => {
                    retry = Instant::now() + AGAIN;
                    if number(&bytes) == waiting[0] {
                        at(waiting[0]);
                        waiting.pop_front();
                        (sent, window) = (sent.saturating_sub(1), WINDOW);
                    } else {
                        // Another record has the place: all belong one position further on. The appends under way
                        // take the next places in turn, and so would those that replace them, without end. So only the
                        // first is repeated until it has its place.
                        (sent, window) = (0, 1);
                    }
                }
                EngineEvent::Lost { first, last } => panic!("lost: {first} to {last}"),
                _ => {}
            }
        }
    }

    /// Reads numbers until `last`. Repetitions of the one before are left out, as the nodes do with turns.
    pub async fn read_up_to(&mut self, last: u64) -> Vec<u64> {
        let mut read: Vec<u64> = Vec::new();
        while read.last() != Some(&last) {
            let number = number(&self.record().await);
            if read.last().is_none_or(|before| number > *before) {
                read.push(number);
            }
        }
        read
    }
}

pub fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().expect("eight bytes"))
}

pub fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
