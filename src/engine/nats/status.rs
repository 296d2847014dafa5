//! The state of the engine for people.

use super::api::StreamInfo;
use super::config::{EngineConfig, EngineFault};
use super::fitness::{check_majority, check_settings, check_stream, check_version, greeting};
use super::link::Link;
use crate::engine::ASKER;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How long to try to connect, and how long to wait for nodes.
const PATIENCE: Duration = Duration::from_secs(3);

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

/// A connection of a program that only asks, and is not a node.
#[derive(Debug)]
pub struct EngineInquiry {
    link: Link,
    config: EngineConfig,
}

impl EngineInquiry {
    /// Connects, and waits for it within bounds.
    ///
    /// # Errors
    ///
    /// If the configuration is invalid.
    pub async fn open(config: &EngineConfig) -> Result<Self, EngineFault> {
        config.check()?;
        let mut link = Link::open(config).await?;
        // If that takes longer, the answers say so.
        let _ = timeout(PATIENCE, link.connected()).await;
        Ok(Self { link, config: config.clone() })
    }

    /// Asks the engine. Changes nothing.
    pub async fn status(&self) -> EngineStatus {
        let Self { link, config } = self;
        let answers = join_all(config.urls.iter().map(|url| greeting(url))).await;
        let urls = config.shown_urls();
        let servers = urls.into_iter().zip(answers).map(|(url, answer)| {
            let answer = answer.map(|answer| (answer.server_name, answer.version));
            EngineServer { url, answer }
        });
        let servers: Vec<EngineServer> = servers.collect();
        let mut faults: Vec<String> = servers.iter().filter_map(EngineServer::fault).collect();
        let absence = check_presence(&servers);
        let is_present = absence.is_none();
        faults.extend(absence);
        if !link.is_connected() {
            let log = Err(format!("cannot connect ({}); see its servers", link.failure()));
            return EngineStatus { servers, log, faults, warnings: Vec::new() };
        }
        let there = servers.iter().filter(|server| server.answer.is_ok()).count();
        let settings = check_settings(link.clone(), config, there);
        let (settings, log) = tokio::join!(settings, StreamInfo::get(link, config));
        let warnings = settings.unwrap_or_else(|fault| {
            faults.push(fault);
            Vec::new()
        });
        if let Ok(info) = &log {
            faults.extend(check_stream(config, info).err());
            faults.extend(check_majority(info).err().filter(|_| is_present));
        }
        let log = log.map(|info| EngineLog::new(config, info)).map_err(|fault| fault.text());
        EngineStatus { servers, log, faults, warnings }
    }

    /// Asks all nodes, which answer with messages to the node [`ASKER`]. Returns the answers that fit, once there are
    /// `count` or the time is over.
    pub async fn ask_nodes<T>(
        &self,
        question: Bytes,
        count: usize,
        mut fits: impl FnMut(Bytes) -> Option<T>,
    ) -> Vec<T> {
        let (Self { link, config }, end) = (self, Instant::now() + PATIENCE);
        let mut found = Vec::new();
        if !link.is_connected() {
            return found;
        }
        let Ok(mut answers) = link.client.subscribe(config.node_subject(ASKER)).await else { return found };
        if !matches!(timeout_at(end, link.client.publish(config.all_subject(), question)).await, Ok(Ok(()))) {
            return found;
        }
        while found.len() < count {
            let Ok(Some(answer)) = timeout_at(end, answers.next()).await else { break };
            found.extend(fits(answer.payload));
        }
        found
    }
}

impl EngineStatus {
    /// Asks the engine. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the configuration is invalid.
    pub async fn ask(config: &EngineConfig) -> Result<Self, EngineFault> {
        Ok(EngineInquiry::open(config).await?.status().await)
    }

    /// How many of its servers answer.
    pub fn there(&self) -> usize {
        self.servers.iter().filter(|server| server.answer.is_ok()).count()
    }

    /// Whether enough of its servers answer to take records.
    pub fn has_quorum(&self) -> bool {
        is_majority(self.there(), self.servers.len())
    }
}

impl EngineServer {
    fn fault(&self) -> Option<String> {
        let name = format!("the engine's server at {}", self.url);
        match &self.answer {
            Ok((_, version)) => check_version(&name, version).err(),
            Err(why) => {
                Some(format!("{name} does not answer ({why}); start nats-server there, or check the network"))
            }
        }
    }
}

/// Whether most servers answer.
fn check_presence(servers: &[EngineServer]) -> Option<String> {
    let (there, all) = (servers.iter().filter(|server| server.answer.is_ok()).count(), servers.len());
    (!is_majority(there, all)).then(|| {
        let answering = match there {
            0 => format!("none of the engine's {all} servers answers"),
            _ => format!("only {there} of the engine's {all} servers answer, too few to take messages"),
        };
        format!("{answering}: people's messages wait until {} are there", all / 2 + 1)
    })
}

fn is_majority(there: usize, all: usize) -> bool {
    there * 2 > all
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
