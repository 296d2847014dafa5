//! As many connections as one process can have: what they cost when nothing happens, and whether all
//! are reached.

use super::kind::Kind;
use super::report::Report;
use crate::rig::clients::{Clients, Speech, Target};
use crate::rig::cpus::Cpus;
use crate::rig::keys::Keys;
use crate::rig::say;
use crate::rig::serve::{Serve, Server};
use anyhow::Result;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(60);

/// How long logins and a broadcast may take.
const LOGIN_PATIENCE: Duration = Duration::from_secs(240);
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs it with clients of that kind.
pub fn run(kind: Kind, count: usize, keys: &Rc<Keys>, cpus: Cpus, report: &mut Report) -> Result<()> {
    let (keys, web) = (kind.speaks_tls().then(|| Rc::clone(keys)), kind.is_web());
    if let Some(keys) = &keys {
        keys.make_for(count, web)?;
    }
    let data_dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let serve =
        Serve { data_dir: data_dir.path(), port: 0, max_clients: count, kept: false, paced: false, web };
    let server = Server::start(serve.command(), cpus)?;
    let bare = server.process.memory()?;
    let target = Target {
        address: server.address,
        speech: Speech::Packets,
        keys,
        sources: 4,
        first: 0,
        web: usize::from(web),
    };
    let mut clients = Clients::new(target)?;
    let started = Instant::now();
    clients.join(count, 64, LOGIN_PATIENCE, |_| false)?;
    say(&format!("  {count} in after {:.1} s", started.elapsed().as_secs_f64()));
    report.put(kind, "in_all_secs", started.elapsed().as_secs_f64());
    clients.idle(Duration::from_secs(3))?;
    report.put(kind, "descriptors", server.process.descriptors()? as f64);
    report.put(kind, "idle_bytes", (server.process.memory()? as f64 - bare as f64) / count as f64);
    let (cpu, started) = (server.process.cpu()?, Instant::now());
    clients.idle(IDLE)?;
    let spent = (server.process.cpu()? - cpu).as_secs_f64();
    report.put(kind, "idle_percent", spent * 100.0 / started.elapsed().as_secs_f64());
    clients.begin(128);
    let (before, started) = (clients.tally.deliveries, Instant::now());
    clients.send(0, started)?;
    clients.settle(Duration::from_millis(5), PATIENCE)?;
    report.put(kind, "broadcast_ms", started.elapsed().as_secs_f64() * 1e3);
    report.put(kind, "reached", (clients.tally.deliveries - before) as f64);
    report.put(kind, "faults", clients.tally.faults() as f64);
    Ok(())
}
