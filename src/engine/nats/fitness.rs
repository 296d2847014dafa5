//! The engine's properties without which the log could lose records, and what to do if one is missing.

use super::api::StreamInfo;
use super::config::EngineConfig;
use super::greeting::Greeting;
use super::link::Link;
use super::settings_page::{SettingsPage, ask_servers};
use crate::engine::NatsVersion;
use async_nats::{ServerAddr, ServerInfo};
use futures_util::future::join_all;

/// Largest message that a server has to take, in bytes: the largest turn, several times over.
const LEAST_PAYLOAD: usize = 1024 * 1024;

/// How many nanoseconds a replica may be silent before it does not count towards a majority.
const SILENT_NANOS: u64 = 5_000_000_000;

/// Whether a server's version is known to keep what it acknowledges.
pub(super) fn check_version(server: &str, version: &str) -> Result<(), String> {
    match version.parse::<NatsVersion>() {
        Ok(known) if known.is_usable() => Ok(()),
        _ => Err(format!(
            "{server} runs nats-server {version}, which can lose acknowledged records; \
             install nats-server {} or newer",
            NatsVersion::OLDEST
        )),
    }
}

/// Whether the server at the other end of the connection is fit.
pub(super) fn check_server(server: &ServerInfo) -> Result<(), String> {
    let name = format!("the engine's server {}", server.server_name);
    check_version(&name, &server.version)?;
    if server.max_payload < LEAST_PAYLOAD {
        let bytes = server.max_payload;
        return Err(format!(
            "{name} takes messages of {bytes} bytes at most; set max_payload: 1MB in its nats-server.conf"
        ));
    }
    Ok(())
}

/// Asks all servers for their versions. Returns warnings.
///
/// # Errors
///
/// If a server is too old.
pub(super) async fn check_versions(config: &EngineConfig) -> Result<Vec<String>, String> {
    let greetings = join_all(config.urls.iter().map(|url| greeting(url))).await;
    let mut warnings = Vec::new();
    for (url, greeting) in config.shown_urls().iter().zip(greetings) {
        match greeting {
            Ok(greeting) => check_version(&format!("the engine's server at {url}"), &greeting.version)?,
            Err(error) => warnings.push(format!(
                "cannot check the version of the engine's server at {url}: {error}; start it if it is down"
            )),
        }
    }
    Ok(warnings)
}

pub(super) async fn greeting(url: &str) -> Result<Greeting, String> {
    let address: ServerAddr = url.parse().map_err(|_| "invalid address".to_owned())?;
    Greeting::of(address.host(), address.port()).await
}

/// Asks the servers, of which `count` are there, for their settings: over the connection, or else at their monitoring ports. Returns warnings.
///
/// # Errors
///
/// If a server is too old, or acknowledges records before they are on its disk.
pub(super) async fn check_settings(
    link: Link,
    config: &EngineConfig,
    count: usize,
) -> Result<Vec<String>, String> {
    let (pages, mut warnings) = match ask_servers(link, count).await {
        pages if pages.is_empty() => ask_monitors(config).await,
        pages => (pages, Vec::new()),
    };
    for page in &pages {
        check_page(page)?;
    }
    if pages.is_empty() && warnings.is_empty() {
        warnings.push(unknown_syncs("the engine"));
    }
    Ok(warnings)
}

/// With warnings for the ports that do not answer.
async fn ask_monitors(config: &EngineConfig) -> (Vec<SettingsPage>, Vec<String>) {
    let answers = join_all(config.monitors.iter().map(|address| SettingsPage::of(address))).await;
    let (mut pages, mut warnings) = (Vec::new(), Vec::new());
    for (address, answer) in config.monitors.iter().zip(answers) {
        match answer {
            Ok(page) => pages.push(page),
            Err(error) => {
                warnings.push(unknown_syncs(&format!("the engine's server at {address} ({error})")));
            }
        }
    }
    (pages, warnings)
}

fn check_page(page: &SettingsPage) -> Result<(), String> {
    let name = format!("the engine's server {}", page.server_name);
    check_version(&name, &page.version)?;
    match page.syncs_always() {
        Some(false) => Err(format!(
            "{name} acknowledges records before they are on its disk; \
             set sync_interval: always in the part jetstream of its nats-server.conf, and restart it"
        )),
        Some(true) | None => Ok(()),
    }
}

fn unknown_syncs(what: &str) -> String {
    format!(
        "cannot check that {what} syncs each record to its disk; \
         look for sync_interval: always in the part jetstream of its nats-server.conf"
    )
}

/// Whether the log is configured as this chat needs it.
pub(super) fn check_stream(config: &EngineConfig, info: &StreamInfo) -> Result<(), String> {
    let (stream, has) = (config.stream(), &info.config);
    let wrong = |what: &str, remedy: &str| Err(format!("the engine's stream {stream} {what}; {remedy}"));
    if has.num_replicas != config.replicas {
        let (has, wanted) = (has.num_replicas, config.replicas);
        return wrong(
            &format!("has {has} replicas, and this server's configuration {wanted}"),
            &format!("enter {has} there, or run: nats stream edit {stream} --replicas {wanted}"),
        );
    }
    if has.subjects != [config.log_subject()] {
        return wrong(
            &format!("has the subjects {:?}", has.subjects),
            "delete it, or give the chat another id",
        );
    }
    let anew = "delete it, and let lanchat create it";
    if has.storage != "file" {
        return wrong("is in memory", anew);
    }
    if has.retention != "limits" || has.no_ack || has.sealed {
        return wrong("does not keep or acknowledge records as a log does", anew);
    }
    if has.persist_mode.as_deref().is_some_and(|mode| mode != "default") {
        return wrong("acknowledges records before they are on a disk (persist mode async)", anew);
    }
    if has.discard != "old" {
        return wrong(
            "refuses records once it is full",
            &format!("run: nats stream edit {stream} --discard old"),
        );
    }
    if !has.allow_direct {
        return wrong(
            "does not let all servers answer requests for records",
            &format!("run: nats stream edit {stream} --allow-direct"),
        );
    }
    if has.max_msgs > 0 || has.max_msgs_per_subject > 0 {
        return wrong("limits the number of records", anew);
    }
    let least = i64::try_from(LEAST_PAYLOAD).unwrap_or(i64::MAX);
    if has.max_msg_size > 0 && has.max_msg_size < least {
        return wrong("limits the size of records", anew);
    }
    Ok(())
}

/// Whether most replicas of the log are there.
pub(super) fn check_majority(info: &StreamInfo) -> Result<(), String> {
    let Some(cluster) = &info.cluster else { return Ok(()) };
    if cluster.leader.is_empty() {
        return Err(
            "the engine's servers are electing a leader; if this lasts, start those that are down".to_owned()
        );
    }
    let there = |peer: &&super::api::StreamPeer| !peer.offline && peer.active < SILENT_NANOS;
    let (all, there) = (cluster.replicas.len() + 1, cluster.replicas.iter().filter(there).count() + 1);
    if there * 2 > all {
        return Ok(());
    }
    Err(format!(
        "only {there} of the engine's {all} servers is there; start the others, or check the network"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_are_compared_by_number() {
        for good in ["2.10.23", "2.10.100", "2.11.0", "2.12.0-RC.1", "2.15.1", "3.0.0"] {
            assert_eq!(check_version("n1", good), Ok(()), "{good}");
        }
        for bad in ["2.9.10", "2.10.22", "2.10", "1.4.1", "", "x.y.z"] {
            assert!(check_version("n1", bad).is_err(), "{bad}");
        }
    }

    fn info(change: impl FnOnce(&mut serde_json::Value)) -> StreamInfo {
        let mut info = json!({
            "config": {"name": "lanchat-x", "subjects": ["lanchat.x.log"], "retention": "limits", "storage": "file",
                "discard": "old", "num_replicas": 3, "max_msgs": -1, "max_msgs_per_subject": -1, "max_msg_size": -1, "allow_direct": true},
            "created": "2026-01-01T00:00:00Z",
            "state": {"bytes": 0, "first_seq": 0, "last_seq": 0},
            "cluster": {"leader": "n1", "replicas": [{"name": "n2", "active": 1}, {"name": "n3", "active": 1}]},
        });
        change(&mut info);
        serde_json::from_value(info).unwrap()
    }

    fn config() -> EngineConfig {
        EngineConfig { replicas: 3, ..EngineConfig::new(vec!["nats://h".to_owned()], "x", 0) }
    }

    #[test]
    fn a_stream_that_could_lose_records_is_refused_with_a_remedy() {
        assert_eq!(check_stream(&config(), &info(|_| {})), Ok(()));
        let wrongs = [
            ("num_replicas", json!(1), "--replicas 3"),
            ("subjects", json!(["lanchat.>"]), "another id"),
            ("storage", json!("memory"), "let lanchat create it"),
            ("retention", json!("interest"), "let lanchat create it"),
            ("persist_mode", json!("async"), "persist mode async"),
            ("discard", json!("new"), "--discard old"),
            ("max_msgs", json!(10), "number of records"),
            ("max_msg_size", json!(1000), "size of records"),
            ("allow_direct", json!(false), "--allow-direct"),
            ("sealed", json!(true), "as a log does"),
        ];
        for (member, value, remedy) in wrongs {
            let fault = check_stream(&config(), &info(|info| info["config"][member] = value)).unwrap_err();
            assert!(fault.contains(remedy), "{fault}");
        }
    }

    #[test]
    fn a_leader_alone_is_not_a_majority() {
        let replicas = |first: u64, second: u64| {
            check_majority(&info(|info| {
                info["cluster"]["replicas"] = json!([{"name": "n2", "active": first}, {"name": "n3", "active": second, "current": true}]);
            }))
        };
        assert_eq!(replicas(1, SILENT_NANOS), Ok(()));
        assert!(replicas(SILENT_NANOS, SILENT_NANOS).unwrap_err().starts_with("only 1 of the engine's 3"));
        assert!(check_majority(&info(|info| info["cluster"]["leader"] = json!(""))).is_err());
        assert_eq!(check_majority(&info(|info| info["cluster"] = json!(null))), Ok(()));
    }
}
