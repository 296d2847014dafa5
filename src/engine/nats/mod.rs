//! The log as a stream of NATS JetStream.
//!
//! ```text
//! handle --append--> appender --log subject--> stream     an answer: refused, or unanswered
//!                    listener <--log subject, answers--   appends and the log's answers, of all nodes
//!        --follow--> follower <--listener, requests- stream   each record, in order
//!        --send----> courier  <--node and all subjects--> other nodes' couriers
//!                    watcher  checks the engine each second, and tells the node when it is unreachable
//! ```
//!
//! The stream is `lanchat-<chat>`; its one subject is `lanchat.<chat>.log`. A record's position is its sequence in the
//! stream, and an append says which sequence it expects to be the last. A record is in the log once the log has
//! acknowledged it, which it does when most servers have it on their disks.

mod api;
mod appender;
mod config;
mod courier;
mod fitness;
mod follower;
mod fresh_records;
mod greeting;
mod health;
mod link;
mod listener;
mod log_reading;
mod settings_page;
mod status;
mod watcher;

pub use config::{Create, DEFAULT_MAX_AGE, DEFAULT_MAX_BYTES, EngineConfig, EngineFault, TlsFiles};
pub use status::{EngineInquiry, EngineLog, EngineReplica, EngineServer, EngineStatus};

use super::{EVENTS_WAITING, Engine, EngineEvents, EngineHandle};
use appender::{Append, Appender};
use bytes::Bytes;
use courier::{Courier, Letter};
use follower::Follower;
use health::EngineHealth;
use link::Link;
use listener::Listener;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use watcher::{Setback, Watcher};

/// Appends that wait for those under way. Those beyond get lost; their author repeats what it does not read back.
const APPENDS_WAITING: usize = 64;

/// Messages that wait to be sent. Those beyond get lost.
const MESSAGES_WAITING: usize = 256;

/// How long [`start`] waits for an engine that does not answer.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// A node's end.
#[derive(Debug, Clone)]
pub(super) struct NatsNode {
    appends: mpsc::Sender<Append>,
    letters: mpsc::Sender<Letter>,
    follow: watch::Sender<Option<u64>>,
}

/// An engine in use. It ends when all handles and the events are dropped.
#[derive(Debug)]
pub struct StartedEngine {
    pub handle: EngineHandle,
    pub events: EngineEvents,
    /// Checks that were not possible, and how to do them: a sentence each.
    pub warnings: Vec<String>,
}

/// Connects to the engine and checks it. If the engine does not answer, this returns all the same, after ten seconds:
/// the adapter goes on trying, and an event tells when it succeeds.
///
/// Needs a tokio runtime.
///
/// # Errors
///
/// If the configuration is invalid, or the engine could lose records as it is.
pub async fn start(config: EngineConfig, create: Create) -> Result<StartedEngine, EngineFault> {
    config.check()?;
    let end = Instant::now() + START_PATIENCE;
    let (link, health) = (Link::open(&config).await?, EngineHealth::new());
    let mut warnings = fitness::check_versions(&config).await.map_err(EngineFault)?;
    warnings.extend(
        fitness::check_settings(link.clone(), &config, config.urls.len()).await.map_err(EngineFault)?,
    );
    if config.tls.is_none() {
        warnings.push("the connection to the engine is not encrypted; configure its TLS files".to_owned());
    }
    let (link_, config_) = (link.clone(), config.clone());
    let mut watcher = Watcher { link: link_, config: config_, create, health: health.clone() };
    match watcher.look_until(end).await {
        Err(Setback::Lasting(text)) => return Err(EngineFault(text)),
        Err(Setback::Passing(text)) => warnings.push(text),
        Ok(()) => {}
    }
    let (sender, events) = mpsc::channel(EVENTS_WAITING);
    let ended = |error: async_nats::SubscribeError| EngineFault(format!("cannot use the engine: {error}"));
    let (own, own_appends) = mpsc::channel(APPENDS_WAITING);
    let listener = Listener::new(&link, &config, own_appends).await.map_err(ended)?;
    let appender =
        Appender::new(link.clone(), &config, health.clone(), sender.clone(), own).await.map_err(ended)?;
    let courier = Courier::new(link.clone(), config.clone(), sender.clone()).await.map_err(ended)?;
    let (appends, to_append) = mpsc::channel(APPENDS_WAITING);
    let (letters, to_send) = mpsc::channel(MESSAGES_WAITING);
    let (follow, to_follow) = watch::channel(None);
    tokio::spawn(appender.run(to_append));
    tokio::spawn(courier.run(to_send));
    tokio::spawn(Follower { link, config, health, events: sender.clone(), listener }.run(to_follow));
    tokio::spawn(watcher.run(sender));
    let handle = EngineHandle(Engine::Nats(NatsNode { appends, letters, follow }));
    Ok(StartedEngine { handle, events, warnings })
}

impl NatsNode {
    pub(super) fn append(&self, after: u64, bytes: Bytes) {
        let _ = self.appends.try_send(Append { after, bytes });
    }

    pub(super) fn follow(&self, after: u64) {
        self.follow.send_replace(Some(after));
    }

    pub(super) fn send(&self, to: u8, bytes: Bytes) {
        let _ = self.letters.try_send(Letter::To(to, bytes));
    }

    pub(super) fn broadcast(&self, bytes: Bytes) {
        let _ = self.letters.try_send(Letter::Others(bytes));
    }
}
