//! Servers that have one key at the same time.

use super::super::findings::Findings;
use super::super::lists::listed;
use super::super::remedy::Remedy;
use super::{Cause, Diagnosis, joinable};
use std::collections::BTreeMap;
use std::net::SocketAddr;

pub(super) fn judge(findings: &Findings) -> Option<Diagnosis> {
    // By the key, and then by the run: a server has one, at whatever address.
    let mut servers: BTreeMap<&str, BTreeMap<&str, (SocketAddr, &str)>> = BTreeMap::new();
    for (probe, name) in joinable(findings) {
        if let Some(run) = &probe.run {
            servers.entry(&run.id).or_default().entry(&run.run).or_insert((probe.addr, name));
        }
    }
    let copies = servers.into_values().find(|runs| runs.len() > 1)?;
    let places: Vec<String> = copies.values().map(|(addr, name)| format!("{name} at {addr}")).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let line = format!(
        "{} servers have the same key: {}; clients take one for the other, as after copying a data directory or a \
         machine",
        copies.len(),
        listed(&places)
    );
    let remedy = Remedy::new(
        "on all of them but one, in the data directory",
        "stop the server, delete server.pem, and start it again",
    );
    Some(Diagnosis::new(Cause::CopiedKey, line, vec![remedy]))
}
