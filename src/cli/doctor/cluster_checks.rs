//! The checks of a chat of several servers, on the machine of one of them: those of `lanchat cluster status`, and the
//! space on the disk.

use std::path::Path;

use super::check_line::{CheckLine, failed, note, ok};
use crate::cli::args::ServeArgs;
use crate::cli::cluster::{ClusterHealth, configured_health};
use crate::engine::nats::DEFAULT_MAX_BYTES;
use crate::files;
use crate::protocol::size;

const SERVERS: &str = "servers of the chat";
const ENGINE: &str = "engine";

/// None unless the config file names an engine file.
pub(super) fn cluster_checks(configured: &ServeArgs) -> Vec<CheckLine> {
    match configured_health(configured) {
        None => Vec::new(),
        Some(Err(error)) => vec![note(SERVERS, format!("not examined: {error}"))],
        Some(Ok((health, data_dir))) => {
            let mut checks = lines(&health);
            checks.extend(disk(&data_dir));
            checks
        }
    }
}

fn lines(health: &ClusterHealth) -> Vec<CheckLine> {
    let (faults, engine) = (health.faults(), &health.engine);
    let (there, all) = (health.there(), health.servers.len());
    let mut checks = Vec::new();
    if let Some(leader) = health.leader() {
        checks.push(ok(SERVERS, format!("{there} of {all} answer, and {leader} leads")));
    }
    if let (Ok(log), true) = (&engine.log, engine.has_quorum()) {
        let (there, all) = (engine.there(), engine.servers.len());
        let copies = log.wanted_replicas;
        checks.push(ok(
            ENGINE,
            format!("{there} of {all} servers answer, enough for a log with {copies} copies"),
        ));
    }
    if engine.faults.is_empty() && engine.warnings.is_empty() {
        checks.push(ok(ENGINE, "all its servers are new enough, and sync each record to their disks"));
    }
    checks.extend(faults.iter().map(|fault| failed(SERVERS, fault)));
    checks.extend(health.unknown().iter().map(|unknown| note(SERVERS, unknown)));
    checks
}

/// The log may grow until it has its largest size.
fn disk(data_dir: &Path) -> Option<CheckLine> {
    let free = files::free_space(data_dir).ok()?;
    let text = format!("{} free at {}", size(free), data_dir.display());
    let needs = size(DEFAULT_MAX_BYTES);
    Some(match free < DEFAULT_MAX_BYTES {
        true => failed(
            "disk",
            format!("{text}; the servers' log takes up to {needs}: make room, or move the data"),
        ),
        false => ok("disk", text),
    })
}

#[cfg(test)]
mod tests {
    use super::super::check_line::CheckResult;
    use super::*;
    use crate::cli::cluster::well;

    #[test]
    fn each_fault_is_a_failed_line_and_each_open_question_a_note() {
        let mut health = well();
        let states = |health: &ClusterHealth| -> Vec<CheckResult> {
            lines(health).iter().map(|line| line.state).collect()
        };
        assert_eq!(states(&health), [CheckResult::Ok; 3]);
        health.servers[0].answer = None;
        health.engine.warnings.push("cannot check".into());
        assert_eq!(
            states(&health),
            [CheckResult::Ok, CheckResult::Ok, CheckResult::Failed, CheckResult::Note]
        );
    }
}
