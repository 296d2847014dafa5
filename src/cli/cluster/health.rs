//! How the servers of a chat and their engine are doing, as seen from one of their machines.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cli::args::engine_config;
use crate::cli::exit::ExitError;
use crate::cluster_files::{ClusterServer, EngineFile};
use crate::engine::nats::{EngineInquiry, EngineLog, EngineStatus};
use crate::security::Keypair;
use crate::server::{ChatSettings, NodeAnswer, SettingDifference, ask_nodes};
use crate::text::without_number;

/// How long a server may take to accept a connection.
const PORT_PATIENCE: Duration = Duration::from_secs(2);

/// Records that a server may be behind. A server that is up to date is behind by those that arrive at the moment.
const USUAL_LAG: u64 = 100;

/// The same for the copies of the log, which are compared while people talk.
const USUAL_COPY_LAG: u64 = 20;

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
    /// Its report, over the engine.
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
            let inquiry = EngineInquiry::open(&config).await?;
            let answers = ask_nodes(&inquiry, keys, all.len()).await?;
            // After them, so that no server can be further than the log.
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

    /// The name of the server that leads; `None`: none does, or nobody can know.
    pub(crate) fn leader(&self) -> Option<&str> {
        // Otherwise the reports may be from before.
        if !self.engine.has_quorum() {
            return None;
        }
        let leading =
            self.servers.iter().filter_map(|server| server.answer.as_ref().map(|answer| (server, answer)));
        let leading = leading.filter(|(_, answer)| answer.report.leads);
        let (server, _) = leading.max_by_key(|(_, answer)| answer.report.term)?;
        Some(&server.name)
    }

    /// The name of the server on the machine of that URL, or an empty text.
    pub(crate) fn beside(&self, url: &str) -> String {
        let host = |place: &str| place.rsplit_once(':').map(|(host, _)| host.to_owned());
        let at = host(url.rsplit_once("://").map_or(url, |(_, place)| place));
        let found = self.servers.iter().find(|server| host(&server.place) == at);
        found.map_or_else(String::new, |server| server.name.clone())
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

    /// Facts that are unknown at present, with the reason: a sentence each.
    pub(crate) fn unknown(&self) -> Vec<String> {
        let mut unknown = self.engine.warnings.clone();
        if self.engine.log.is_err() && self.there() == 0 {
            unknown
                .push("the leader, and the position of each server: they answer over the engine only".into());
        }
        unknown
    }

    /// The faults with their remedies, a sentence each.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.engine.faults.clone();
        if let Err(why) = &self.engine.log
            && self.engine.has_quorum()
        {
            faults.push(format!(
                "the engine tells nothing of the servers' log ({why}); if the stream is lost, see lanchat cluster restore"
            ));
        }
        faults.extend(self.engine.log.iter().flat_map(late_copies));
        faults.extend(self.servers.iter().flat_map(|server| self.faults_of(server)));
        let (there, all) = (self.there(), self.servers.len());
        if there > 0 && self.leader().is_none() && self.engine.has_quorum() {
            faults.push(
                "no server leads; if this lasts longer than ten seconds, see the logs of the servers".into(),
            );
        }
        if there > 0 && there * 2 < all {
            // Each of them goes on, as the engine has the log: only people there are cut off.
            faults
                .push(format!("only {there} of {all} servers answer; people of the others have to go there"));
        }
        faults.extend(self.versions());
        faults.extend(self.setting_differences().iter().map(setting_fault));
        faults
    }

    /// The settings of the chat that are not the same at all servers that answer.
    pub(crate) fn setting_differences(&self) -> Vec<SettingDifference> {
        let answers = self.servers.iter().filter_map(|server| Some((&server.name, server.answer.as_ref()?)));
        ChatSettings::differences(answers.map(|(name, answer)| (name.as_str(), &answer.report.settings)))
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
        if let Some(why) = &report.stopped {
            return vec![format!("the server {name} takes no part in the chat any more: {why}")];
        }
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
            faults.push(format!(
                "the server {name} cannot store messages; see its log, and the space on its disk"
            ));
        }
        if let Ok(log) = &self.engine.log
            && report.position > log.last
            && self.engine.has_quorum()
        {
            let (position, last) = (report.position, log.last);
            faults.push(format!(
                "the server {name} has read another log, up to position {position}: this one ends at {last}; see lanchat \
                 cluster restore"
            ));
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
        is_mixed.then(|| {
            format!("the servers have different versions of lanchat ({}); update all", list.join(", "))
        })
    }
}

/// The difference with its remedy.
fn setting_fault(difference: &SettingDifference) -> String {
    let value = |(value, servers): &(String, Vec<String>)| format!("{value} at {}", servers.join(" and "));
    let values: Vec<String> = difference.values.iter().map(value).collect();
    format!(
        "the servers have different settings for {}: {}; start all with the same one (docs/servers.md)",
        difference.setting,
        values.join(", ")
    )
}

/// Whether a program takes connections there.
async fn port(place: &str) -> Result<(), String> {
    match timeout(PORT_PATIENCE, TcpStream::connect(place)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(without_number(&error)),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// The engine's servers whose copies of the log are not complete: one failure more may stop the chat.
fn late_copies(log: &EngineLog) -> Vec<String> {
    let late = log.replicas.iter().filter(|replica| !replica.is_offline && replica.lag > USUAL_COPY_LAG);
    late.map(|replica| {
        format!(
            "the copy of the log at the engine's server {} is {} records behind; if this number does not fall, see its \
             log, and the space on its disk, and restart it",
            replica.server, replica.lag
        )
    })
    .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::engine::nats::{EngineReplica, EngineServer};
    use crate::server::NodeReport;

    /// Three servers and engines that are well; `b` leads.
    pub(crate) fn well() -> ClusterHealth {
        let server = |name: &str| {
            let report = NodeReport {
                name: name.into(),
                version: "0.1.0".into(),
                leads: name == "b",
                term: 2,
                position: 70,
                users: 3,
                storing: true,
                ..NodeReport::default()
            };
            let (name, place) = (name.to_owned(), format!("{name}.example:7667"));
            ServerHealth {
                name,
                place,
                port: Ok(()),
                answer: Some(NodeAnswer { report, clock_ahead: (3, 1) }),
            }
        };
        let engine = |name: &str| EngineServer {
            url: format!("tls://{name}.example:4222"),
            answer: Ok((name.to_owned(), "2.15.1".to_owned())),
        };
        let replica = |server: &str| EngineReplica {
            server: server.into(),
            is_current: true,
            is_offline: false,
            heard: Duration::ZERO,
            lag: 0,
        };
        let log = EngineLog {
            stream: "lanchat-x".into(),
            leader: Some("c".into()),
            replicas: ["a", "b"].map(replica).into(),
            wanted_replicas: 3,
            first: 1,
            last: 70,
            bytes: 4096,
        };
        let names = ["a", "b", "c"];
        let servers = names.map(engine).into();
        let engine = EngineStatus { servers, log: Ok(log), faults: Vec::new(), warnings: Vec::new() };
        ClusterHealth { chat: "office".into(), asks: "a".into(), servers: names.map(server).into(), engine }
    }

    /// The faults after a change of the report of `c`.
    fn faults(change: fn(&mut NodeAnswer)) -> String {
        let mut health = well();
        change(health.servers[2].answer.as_mut().unwrap());
        health.faults().join("\n")
    }

    #[test]
    fn each_fault_names_the_server_and_what_to_do() {
        assert_eq!(well().faults(), Vec::<String>::new());
        let storing = faults(|answer| answer.report.storing = false);
        assert!(storing.starts_with("the server c cannot store messages; see its log"), "{storing}");
        let other = faults(|answer| answer.report.position = 71);
        assert_eq!(
            other,
            "the server c has read another log, up to position 71: this one ends at 70; see lanchat cluster restore"
        );
        let late = faults(|answer| answer.report.lag = 1001.min(answer.report.position));
        assert_eq!(late, "", "it has only 70 records to carry out");
        let clock = faults(|answer| answer.clock_ahead = (-65_000, 1));
        assert_eq!(
            clock,
            "the clock of the server c is 65 s behind that of this machine; set them (timedatectl)"
        );
        let unsure = faults(|answer| answer.clock_ahead = (-65_000, 64_000));
        assert_eq!(unsure, "", "the answer may have taken so long");
        let mixed = faults(|answer| answer.report.version = "0.2.0".into());
        assert_eq!(
            mixed,
            "the servers have different versions of lanchat (a 0.1.0, b 0.1.0, c 0.2.0); update all"
        );
        let cut = faults(|answer| answer.report.engine_trouble = Some("no route".into()));
        assert_eq!(cut, "the server c cannot use the engine: no route");
        let stopped = faults(|answer| {
            (answer.report.stopped, answer.report.position) = (Some("of two histories".into()), 0);
        });
        assert_eq!(stopped, "the server c takes no part in the chat any more: of two histories");
    }

    #[test]
    fn a_setting_that_differs_is_a_fault_and_names_the_servers() {
        let mut health = well();
        for (server, rate) in health.servers.iter_mut().zip(["5:20", "off", "5:20"]) {
            let settings = format!(r#"{{"closed":"on","rate-limit":"{rate}"}}"#);
            server.answer.as_mut().unwrap().report.settings = serde_json::from_str(&settings).unwrap();
        }
        let fault = "the servers have different settings for rate-limit: 5:20 at a and c, off at b; start all with the same \
                     one (docs/servers.md)";
        assert_eq!(health.faults(), [fault]);
        health.servers[1].answer = None;
        assert_eq!(health.setting_differences(), []);
    }

    #[test]
    fn a_copy_of_the_log_that_stays_behind_is_a_fault() {
        let mut health = well();
        health.engine.log.as_mut().unwrap().replicas[1].lag = 41;
        let fault = health.faults().join("\n");
        assert!(
            fault.starts_with("the copy of the log at the engine's server b is 41 records behind"),
            "{fault}"
        );
    }

    #[test]
    fn a_server_that_is_far_behind_is_a_fault() {
        let mut health = well();
        health.engine.log.as_mut().unwrap().last = 5070;
        assert_eq!(health.faults().len(), 3);
        assert!(
            health.faults()[0].starts_with("the server a is 5000 records behind;"),
            "{:?}",
            health.faults()
        );
    }

    #[test]
    fn silent_servers_are_told_apart() {
        let mut health = well();
        health.servers[2].answer = None;
        let why = health.faults().join("\n");
        assert!(
            why.starts_with("the server c takes connections, but does not answer over the engine;"),
            "{why}"
        );
        health.servers[2].port = Err("connection refused".into());
        let why = health.faults().join("\n");
        let expected = "the server c does not answer at c.example:7667 (connection refused); start lanchat there, or \
                        check the network";
        assert_eq!(why, expected);
        health.servers[1].answer.as_mut().unwrap().report.leads = false;
        assert!(health.faults().last().unwrap().starts_with("no server leads;"), "{:?}", health.faults());
    }

    #[test]
    fn nobody_leads_without_most_of_the_engine() {
        let mut health = well();
        assert_eq!(health.leader(), Some("b"));
        health.engine.servers[0].answer = Err("no answer".into());
        assert_eq!(health.leader(), Some("b"));
        health.engine.servers[1].answer = Err("no answer".into());
        assert_eq!(health.leader(), None);
    }

    #[test]
    fn without_the_engine_what_is_unknown_is_said_once() {
        let mut health = well();
        health.engine.log = Err("no answer".into());
        health.engine.servers.iter_mut().for_each(|server| server.answer = Err("no answer".into()));
        health.servers.iter_mut().for_each(|server| server.answer = None);
        assert_eq!(health.faults(), Vec::<String>::new(), "those of the engine come from there");
        assert_eq!(health.unknown().len(), 1);
    }
}
