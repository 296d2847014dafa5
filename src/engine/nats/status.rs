//! The state of the engine for people.

use super::api::StreamInfo;
use super::config::{EngineConfig, EngineFault};
use super::fitness::{check_majority, check_stream, check_syncs, check_version, greeting};
use super::link::Link;
use futures_util::future::join_all;
use std::time::Duration;

/// How long to try to connect.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineStatus {
    pub servers: Vec<EngineServer>,
    /// `Err`: why there is no news of the log.
    pub log: Result<EngineLog, String>,
    /// Faults and their remedies, a sentence each.
    pub faults: Vec<String>,
    /// Checks that were not possible, a sentence each.
    pub warnings: Vec<String>,
}

/// One of the engine's servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineServer {
    pub url: String,
    /// Its name and version; `Err`: why it does not answer.
    pub answer: Result<(String, String), String>,
}

/// The log within the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineLog {
    pub stream: String,
    /// The name of the server that leads; `None`: during an election, and in an engine of one server.
    pub leader: Option<String>,
    /// Replicas on other servers than the leader.
    pub replicas: Vec<EngineReplica>,
    pub wanted_replicas: u8,
    /// Positions of the first and the last record.
    pub first: u64,
    pub last: u64,
    pub bytes: u64,
}

/// A replica of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineReplica {
    pub server: String,
    pub is_current: bool,
    pub is_offline: bool,
    /// How long ago the leader heard of it.
    pub heard: Duration,
    /// Records that it lacks.
    pub lag: u64,
}

impl EngineStatus {
    /// Asks the engine. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the configuration is invalid.
    pub async fn ask(config: &EngineConfig) -> Result<Self, EngineFault> {
        config.check()?;
        let mut link = Link::open(config).await?;
        let answers = join_all(config.urls.iter().map(|url| greeting(url))).await;
        let urls = config.shown_urls();
        let servers = urls.into_iter().zip(answers).map(|(url, answer)| {
            let answer = answer.map(|answer| (answer.server_name, answer.version));
            EngineServer { url, answer }
        });
        let servers: Vec<EngineServer> = servers.collect();
        let versions = servers.iter().filter_map(|server| {
            let (_, version) = server.answer.as_ref().ok()?;
            check_version(&format!("the engine's server at {}", server.url), version).err()
        });
        let (mut faults, mut warnings) = (versions.collect::<Vec<_>>(), Vec::new());
        match check_syncs(config).await {
            Ok(unknown) => warnings.extend(unknown),
            Err(fault) => faults.push(fault),
        }
        let log = match tokio::time::timeout(PATIENCE, link.connected()).await {
            Ok(()) => StreamInfo::get(&link, config).await.map_err(|fault| fault.text()),
            Err(_) => Err(format!("cannot connect ({}); see its servers", link.failure())),
        };
        if let Ok(info) = &log {
            faults.extend(check_stream(config, info).err());
            faults.extend(check_majority(info).err());
        }
        let log = log.map(|info| EngineLog::new(config, info));
        Ok(Self { servers, log, faults, warnings })
    }
}

impl EngineLog {
    fn new(config: &EngineConfig, info: StreamInfo) -> Self {
        let (leader, peers) = match info.cluster {
            Some(cluster) => (Some(cluster.leader).filter(|leader| !leader.is_empty()), cluster.replicas),
            None => (None, Vec::new()),
        };
        let replicas = peers.into_iter().map(|peer| EngineReplica {
            server: peer.name,
            is_current: peer.current,
            is_offline: peer.offline,
            heard: Duration::from_nanos(peer.active),
            lag: peer.lag,
        });
        Self {
            stream: config.stream(),
            leader,
            replicas: replicas.collect(),
            wanted_replicas: config.replicas,
            first: info.state.first_seq,
            last: info.state.last_seq,
            bytes: info.state.bytes,
        }
    }
}
