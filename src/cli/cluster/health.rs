//! How the servers of a chat and their engine are doing, as seen from one of their machines.

use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cli::args::engine_config;
use crate::cli::exit::ExitError;
use crate::cluster_files::{ClusterServer, EngineFile};
use crate::engine::nats::{EngineInquiry, EngineStatus};
use crate::security::Keypair;
use crate::server::{NodeAnswer, ask_nodes};

/// How long a server may take to accept a connection.
const PORT_PATIENCE: Duration = Duration::from_secs(2);

/// Records that a server may be behind. A server that is up to date is behind by those that arrive at the moment.
const USUAL_LAG: u64 = 1000;

/// Milliseconds that clocks may be apart: people see the times of the server that leads.
const USUAL_CLOCKS: i64 = 5000;

/// See the module.
pub(crate) struct ClusterHealth {
    pub(crate) chat: String,
    /// The server whose machine asks.
    pub(crate) asks: String,
    /// By name.
    pub(crate) servers: Vec<ServerHealth>,
    pub(crate) engine: EngineStatus,
}

/// One of the servers.
pub(crate) struct ServerHealth {
    pub(crate) name: String,
    /// Where people reach it.
    pub(crate) place: String,
    /// `Err`: why it takes no connection.
    pub(crate) port: Result<(), String>,
    /// What it says of itself, over the engine.
    pub(crate) answer: Option<NodeAnswer>,
}

impl ClusterHealth {
    /// Asks all of them. Each wait has a bound. `keys`: of the chat.
    pub(crate) async fn ask(file: &EngineFile, keys: &Keypair) -> Result<Self, ExitError> {
        let config = engine_config(file)?;
        let all = file.servers.as_slice();
        let ports = async {
            let mut asked = tokio::task::JoinSet::new();
            for (number, server) in all.iter().enumerate() {
                let place = server.host.with_port(file.port);
                asked.spawn(async move { (number, port(&place).await) });
            }
            let mut answers = asked.join_all().await;
            answers.sort_unstable_by_key(|(number, _)| *number);
            answers
        };
        let over_engine = async {
            let mut inquiry = EngineInquiry::open(&config).await?;
            let answers = ask_nodes(&mut inquiry, keys, all.len()).await?;
            Ok::<_, anyhow::Error>((inquiry.status().await, answers))
        };
        let (ports, found) = tokio::join!(ports, over_engine);
        let (engine, answers) = found?;
        let health = |(server, (_, port)): (&ClusterServer, (usize, Result<(), String>))| {
            let is_of = |answer: &&NodeAnswer| answer.report.name == server.name.as_str();
            ServerHealth {
                name: server.name.to_string(),
                place: server.host.with_port(file.port),
                port,
                answer: answers.iter().find(is_of).cloned(),
            }
        };
        let servers = all.iter().zip(ports).map(health).collect();
        Ok(Self { chat: file.chat.clone(), asks: file.server.to_string(), servers, engine })
    }

    /// The name of the server that leads; `None`: none does, or nobody says so.
    pub(crate) fn leader(&self) -> Option<&str> {
        let leading = self.servers.iter().filter_map(|server| server.answer.as_ref().map(|answer| (server, answer)));
        let leading = leading.filter(|(_, answer)| answer.report.leads);
        let (server, _) = leading.max_by_key(|(_, answer)| answer.report.term)?;
        Some(&server.name)
    }

    /// Servers that answer.
    pub(crate) fn there(&self) -> usize {
        self.servers.iter().filter(|server| server.answer.is_some()).count()
    }

    /// Records of the log that a server has not carried out; `None`: unknown.
    pub(crate) fn behind(&self, server: &ServerHealth) -> Option<u64> {
        let (log, report) = (self.engine.log.as_ref().ok()?, &server.answer.as_ref()?.report);
        Some(log.last.saturating_sub(report.position - report.lag.min(report.position)))
    }

    /// What is wrong, and what to do: a sentence each.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.engine.faults.clone();
        if let Err(why) = &self.engine.log
            && self.engine.has_quorum()
        {
            faults.push(format!("the engine tells nothing of the servers' log: {why}"));
        }
        faults.extend(self.servers.iter().flat_map(|server| self.faults_of(server)));
        let (there, all) = (self.there(), self.servers.len());
        if there > 0 && self.leader().is_none() && self.engine.has_quorum() {
            faults.push("no server leads; if this lasts longer than ten seconds, see the logs of the servers".into());
        }
        if there > 0 && there * 2 < all {
            // Each of them goes on, as the engine has the log: only people there are cut off.
            faults.push(format!("only {there} of {all} servers answer; people of the others have to go there"));
        }
        faults.extend(self.versions());
        faults
    }

    fn faults_of(&self, server: &ServerHealth) -> Vec<String> {
        let (name, place) = (&server.name, &server.place);
        let Some(NodeAnswer { report, clock_ahead: (ahead, unsure) }) = &server.answer else {
            return match &server.port {
                Err(why) => vec![format!(
                    "the server {name} does not answer at {place} ({why}); start lanchat there, or check the network"
                )],
                // Without the engine, nobody can answer over it.
                Ok(()) if self.engine.log.is_err() && self.there() == 0 => Vec::new(),
                Ok(()) => vec![format!(
                    "the server {name} takes connections, but does not answer over the engine; see its log, and whether \
                     its engine.toml and server.pem are of this chat"
                )],
            };
        };
        let mut faults = Vec::new();
        if let Err(why) = &server.port {
            faults.push(format!(
                "people cannot connect to the server {name} at {place} ({why}), although it runs; open this port there"
            ));
        }
        if let Some(why) = &report.engine_trouble
            && self.engine.has_quorum()
        {
            faults.push(format!("the server {name} cannot use the engine: {why}"));
        }
        if !report.storing {
            faults.push(format!("the server {name} cannot store messages; see its log, and the space on its disk"));
        }
        if let Some(behind) = self.behind(server).filter(|behind| *behind > USUAL_LAG) {
            faults.push(format!(
                "the server {name} is {behind} records behind; if this number does not fall, see its log"
            ));
        }
        if ahead.abs() - unsure > USUAL_CLOCKS {
            let direction = if *ahead > 0 { "ahead of" } else { "behind" };
            faults.push(format!(
                "the clock of the server {name} is {} s {direction} that of this machine; set them (timedatectl)",
                ahead.abs() / 1000
            ));
        }
        faults
    }

    /// Whether the servers have one version.
    fn versions(&self) -> Option<String> {
        let mut named: Vec<(&str, &str)> = Vec::new();
        for server in &self.servers {
            named.extend(server.answer.as_ref().map(|answer| (&*answer.report.version, &*server.name)));
        }
        let (first, _) = *named.first()?;
        let list: Vec<String> = named.iter().map(|(version, name)| format!("{name} {version}")).collect();
        let is_mixed = named.iter().any(|(version, _)| *version != first);
        is_mixed.then(|| format!("the servers have different versions of lanchat ({}); update all", list.join(", ")))
    }
}

/// Whether somebody takes connections there.
async fn port(place: &str) -> Result<(), String> {
    match timeout(PORT_PATIENCE, TcpStream::connect(place)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// Reads the engine file and the chat's key, and asks.
pub(crate) fn ask(engine_file: &Path, data_dir: &Path, command: &str) -> Result<ClusterHealth, ExitError> {
    let file = EngineFile::read(engine_file)?;
    let keys = super::status::chat_key(data_dir, command)?;
    let runtime = crate::cli::runtime::small()?;
    crate::cli::runtime::finish(runtime, ClusterHealth::ask(&file, &keys))
}
