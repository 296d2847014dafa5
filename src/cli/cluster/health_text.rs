//! The health of a chat of several servers, for people and for programs.

use serde_json::{Value, json};

use super::health::{ClusterHealth, ServerHealth};
use crate::engine::nats::{EngineLog, EngineServer};
use crate::protocol::size;
use crate::server::SettingDifference;
use crate::text::safe_line;

/// For people: a line per server, one per engine, then the faults.
pub(super) fn text(health: &ClusterHealth, faults: &[String]) -> String {
    let leads = match health.leader() {
        Some(leader) => format!("{leader} leads"),
        None if !health.engine.has_quorum() => {
            let all = health.engine.servers.len();
            match health.engine.there() {
                0 => format!("none can lead, as none of {all} engines answers"),
                1 => format!("none can lead, as only 1 of {all} engines answers"),
                there => format!("none can lead, as only {there} of {all} engines answer"),
            }
        }
        None if health.there() == 0 => "nobody says who leads".to_owned(),
        None => "none leads".to_owned(),
    };
    let (there, all) = (health.there(), health.servers.len());
    let mut lines = vec![format!(
        "{}, seen from {}: {there} of {all} servers answer, and {leads}",
        safe_line(&health.chat),
        health.asks
    )];
    lines.extend(table(health.servers.iter().map(|server| server_cells(health, server)).collect()));
    let (there, all) = (health.engine.there(), health.engine.servers.len());
    lines.push(format!("engine: {there} of {all} servers answer; {}", log_text(health)));
    // Otherwise its news of the others may be from before.
    let log = health.engine.log.as_ref().ok().filter(|_| health.engine.has_quorum());
    lines.extend(table(
        health.engine.servers.iter().map(|server| engine_cells(health, server, log)).collect(),
    ));
    match faults {
        [] => lines.push("all is well".to_owned()),
        faults => lines.extend(faults.iter().map(|fault| format!("wrong: {}", safe_line(fault)))),
    }
    lines.extend(health.unknown().iter().map(|unknown| format!("unknown: {}", safe_line(unknown))));
    lines.join("\n") + "\n"
}

fn server_cells(health: &ClusterHealth, server: &ServerHealth) -> Vec<String> {
    let said = match (&server.answer, &server.port) {
        (Some(answer), _) if answer.report.stopped.is_some() => {
            format!("lanchat {}, takes no part in the chat any more", safe_line(&answer.report.version))
        }
        (Some(answer), _) => {
            let report = &answer.report;
            let mut parts = vec![format!("lanchat {}", safe_line(&report.version))];
            if health.leader() == Some(&server.name) {
                parts.push(format!("leads (term {})", report.term));
            }
            parts.push(count(report.users, "user"));
            parts.push(match health.behind(server) {
                Some(behind) => format!("position {}, {} behind", report.position, count(behind, "record")),
                None => format!("position {}, {} to carry out", report.position, count(report.lag, "record")),
            });
            if report.uplink_bytes > 0 {
                parts.push(format!("{} bytes of input wait", report.uplink_bytes));
            }
            parts.join(", ")
        }
        (None, Ok(())) => "takes connections; the rest is unknown".to_owned(),
        (None, Err(why)) => format!("does not answer ({})", safe_line(why)),
    };
    vec![server.name.clone(), server.place.clone(), said]
}

fn log_text(health: &ClusterHealth) -> String {
    match &health.engine.log {
        Ok(EngineLog { first, last, bytes, .. }) => {
            format!("records {first} to {last}, {}", size(*bytes))
        }
        Err(_) => "the log is unknown".to_owned(),
    }
}

fn engine_cells(health: &ClusterHealth, server: &EngineServer, log: Option<&EngineLog>) -> Vec<String> {
    let (name, said) = match &server.answer {
        // Its own name, if lanchat has set it up, is that of the server beside it.
        Err(why) => (health.beside(&server.url), format!("does not answer ({})", safe_line(why))),
        Ok((name, version)) => {
            let role =
                log.and_then(|log| role(name, log)).map_or_else(String::new, |role| format!(", {role}"));
            (safe_line(name), format!("nats-server {}{role}", safe_line(version)))
        }
    };
    vec![name, server.url.clone(), said]
}

/// The part of an engine's server in the log; `None`: it does not keep it.
fn role(name: &str, log: &EngineLog) -> Option<String> {
    if log.leader.as_deref() == Some(name) {
        return Some("leads the log".to_owned());
    }
    let replica = log.replicas.iter().find(|replica| replica.server == name)?;
    Some(match (replica.is_offline, replica.is_current, replica.lag) {
        (true, ..) => "its copy of the log is away".to_owned(),
        (_, true, 0) => "its copy is complete".to_owned(),
        (_, false, 0) => "its copy is not up to date".to_owned(),
        (_, _, lag) => format!("its copy is {} behind", count(lag, "record")),
    })
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Lines with columns of one width.
fn table(rows: Vec<Vec<String>>) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (first, second) = (width(0), width(1));
    rows.iter().map(|row| format!("  {:first$}  {:second$}  {}", row[0], row[1], row[2])).collect()
}

/// For programs.
pub(super) fn json(health: &ClusterHealth, faults: &[String]) -> Value {
    let servers: Vec<Value> = health.servers.iter().map(|server| server_json(health, server)).collect();
    let differences: Vec<Value> = health.setting_differences().iter().map(difference_json).collect();
    let engine = &health.engine;
    let engines: Vec<Value> = engine.servers.iter().map(engine_json).collect();
    json!({
        "chat": health.chat,
        "seen_from": health.asks,
        "well": faults.is_empty(),
        "leader": health.leader(),
        "servers": servers,
        "engine": {
            "servers": engines,
            "quorum": engine.has_quorum(),
            "log": engine.log.as_ref().ok().map(log_json),
            "log_trouble": engine.log.as_ref().err(),
        },
        "setting_differences": differences,
        "faults": faults,
        "unknown": health.unknown(),
    })
}

fn server_json(health: &ClusterHealth, server: &ServerHealth) -> Value {
    json!({
        "name": server.name,
        "address": server.place,
        "reachable": server.port.is_ok(),
        "why": server.port.as_ref().err(),
        "behind": health.behind(server),
        "clock_ahead_ms": server.answer.as_ref().map(|answer| answer.clock_ahead.0),
        "report": server.answer.as_ref().map(|answer| &answer.report),
    })
}

fn difference_json(difference: &SettingDifference) -> Value {
    let value = |(value, servers): &(String, Vec<String>)| json!({"value": value, "servers": servers});
    json!({
        "setting": difference.setting,
        "values": difference.values.iter().map(value).collect::<Vec<_>>(),
    })
}

fn engine_json(server: &EngineServer) -> Value {
    let answer = server.answer.as_ref();
    json!({
        "url": server.url,
        "name": answer.ok().map(|(name, _)| name),
        "version": answer.ok().map(|(_, version)| version),
        "why": answer.err(),
    })
}

fn log_json(log: &EngineLog) -> Value {
    let replicas = log.replicas.iter().map(|replica| {
        json!({
            "server": replica.server,
            "current": replica.is_current,
            "offline": replica.is_offline,
            "lag": replica.lag,
            "heard_ms": u64::try_from(replica.heard.as_millis()).unwrap_or(u64::MAX),
        })
    });
    json!({
        "stream": log.stream,
        "leader": log.leader,
        "wanted_replicas": log.wanted_replicas,
        "replicas": replicas.collect::<Vec<Value>>(),
        "first": log.first,
        "last": log.last,
        "bytes": log.bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::super::health::tests::well;
    use super::*;

    #[test]
    fn people_read_a_table_and_what_is_wrong() {
        let mut health = well();
        assert_eq!(
            text(&health, &[]),
            "\
office, seen from a: 3 of 3 servers answer, and b leads
  a  a.example:7667  lanchat 0.1.0, 3 users, position 70, 0 records behind
  b  b.example:7667  lanchat 0.1.0, leads (term 2), 3 users, position 70, 0 records behind
  c  c.example:7667  lanchat 0.1.0, 3 users, position 70, 0 records behind
engine: 3 of 3 servers answer; records 1 to 70, 4.0 KiB
  a  tls://a.example:4222  nats-server 2.15.1, its copy is complete
  b  tls://b.example:4222  nats-server 2.15.1, its copy is complete
  c  tls://c.example:4222  nats-server 2.15.1, leads the log
all is well
"
        );
        health.servers[0].answer = None;
        health.servers[2].answer = None;
        health.servers[2].port = Err("no answer".into());
        health.engine.servers[2].answer = Err("no answer".into());
        health.engine.warnings.push("whether".into());
        let shown = text(&health, &["something".to_owned()]);
        for line in [
            "office, seen from a: 1 of 3 servers answer, and b leads",
            "  a  a.example:7667  takes connections; the rest is unknown",
            "  c  c.example:7667  does not answer (no answer)",
            "engine: 2 of 3 servers answer; records 1 to 70, 4.0 KiB",
            "  c  tls://c.example:4222  does not answer (no answer)",
            "wrong: something",
            "unknown: whether",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
        }
    }

    #[test]
    fn without_most_of_the_engine_nobody_is_said_to_lead() {
        let mut health = well();
        health.engine.servers[0].answer = Err("no answer".into());
        health.engine.servers[1].answer = Err("no answer".into());
        let shown = text(&health, &["something".to_owned()]);
        let first =
            "office, seen from a: 3 of 3 servers answer, and none can lead, as only 1 of 3 engines answers\n";
        assert!(shown.starts_with(first) && !shown.contains("leads (term"), "{shown}");
        assert!(shown.contains("tls://c.example:4222  nats-server 2.15.1\n"), "nor the log: {shown}");
        assert_eq!(json(&health, &[])["leader"], serde_json::Value::Null);
    }

    #[test]
    fn a_server_that_has_stopped_is_not_said_to_be_behind() {
        let mut health = well();
        let report = &mut health.servers[2].answer.as_mut().unwrap().report;
        (report.stopped, report.position) = (Some("of two histories".into()), 0);
        let shown = text(&health, &health.faults());
        let line = "  c  c.example:7667  lanchat 0.1.0, takes no part in the chat any more\n";
        assert!(shown.contains(line) && !shown.contains("70 records behind"), "{shown}");
        assert_eq!(json(&health, &[])["servers"][2]["report"]["stopped"], "of two histories");
    }

    #[test]
    fn programs_read_one_object() {
        let value = json(&well(), &[]);
        assert_eq!((&value["well"], &value["leader"]), (&true.into(), &"b".into()));
        assert_eq!(value["servers"][2]["report"]["position"], 70);
        assert_eq!(value["engine"]["log"]["last"], 70);
        let mut health = well();
        for (server, closed) in health.servers.iter_mut().zip(["on", "off", "on"]) {
            let settings = json!({"closed": closed});
            server.answer.as_mut().unwrap().report.settings = serde_json::from_value(settings).unwrap();
        }
        let differs = json!({"setting": "closed", "values": [
            {"value": "off", "servers": ["b"]}, {"value": "on", "servers": ["a", "c"]},
        ]});
        assert_eq!(json(&health, &[])["setting_differences"], json!([differs]));
    }
}
