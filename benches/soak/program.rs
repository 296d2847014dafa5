//! The program: a server, its clients, their life, and the verdict.

use super::life::{Life, Spell};
use super::options::{HELP, Plan};
use super::verdict::{Rest, Verdict};
use super::watch::Watch;
use crate::rig::clients::{Clients, Speech, Target};
use crate::rig::keys::Keys;
use crate::rig::process::{self, Process, SPARE_DESCRIPTORS};
use crate::rig::serve::{Serve, Server};
use crate::rig::{self, say};
use anyhow::Result;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long the server may take to notice that all have left.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program.
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    rig::program("soak", HELP, Plan::parse(&args), |plan| {
        let verdict = run(plan)?;
        if plan.json {
            println!("{:#}", verdict.json());
        } else {
            print!("{verdict}");
        }
        Ok(verdict.holds())
    })
}

fn run(plan: &Plan) -> Result<Verdict> {
    let most = plan.clients + plan.clients / 10;
    process::raise_descriptors(most)?;
    plan.cpus.settle()?;
    let keys = Rc::new(Keys::default());
    if plan.tls {
        say("making keys");
        keys.make(most)?;
    }
    let data_dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let max_clients = most + SPARE_DESCRIPTORS;
    let serve = Serve { data_dir: data_dir.path(), port: 0, max_clients, kept: plan.kept };
    let server = Server::start(serve.command(), plan.cpus)?;
    let before = Rest::of(server.process)?;
    let keys = plan.tls.then_some(keys);
    let target = Target { address: server.address, speech: Speech::Packets, keys, sources: 1, first: 0 };
    let mut life = Life::new(Clients::new(target)?, plan.clients)?;
    let mut watch = Watch::new(server.process);
    while watch.elapsed() < plan.time {
        for (spell, time) in Spell::ALL {
            life.spell(spell, time, &mut watch)?;
        }
    }
    life.clients.settle_directs(PATIENCE)?;
    for n in 0..life.clients.peers.len() {
        life.clients.leave(n);
    }
    wait_until_empty(server.process, before)?;
    let after = Rest::of(server.process)?;
    Ok(Verdict::new(watch.samples, before, after, life.clients.tally, life.churned))
}

/// Until the server has as many descriptors as at first, or it took too long.
fn wait_until_empty(process: Process, before: Rest) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while process.descriptors()? > before.descriptors && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
