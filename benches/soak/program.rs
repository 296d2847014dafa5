//! The program: a server, its clients, their life, and the verdict.

use super::flat::Flat;
use super::hostile::{self, Hostiles};
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
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long the server may take to notice that all have left.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the server opens files after it listens.
const START: Duration = Duration::from_secs(3);

/// One client of so many is a browser.
const BROWSERS: usize = 10;

/// Addresses that people come from where some clients are hostile: a message to one is for many.
const SOURCES: u8 = 8;

/// Of the whole time, that without hostile clients at the beginning: one part of so many.
const PEACE: u32 = 4;

/// The hostile clients, once there are some.
#[derive(Default)]
struct Attack {
    hostiles: Option<Hostiles>,
    /// When they came, and when each round of all spells with them ended.
    rounds: Vec<Duration>,
}

impl Attack {
    /// A round of all spells has ended.
    fn round(
        &mut self,
        peace: Duration,
        watch: &Watch,
        begin: impl FnOnce() -> io::Result<Hostiles>,
    ) -> Result<()> {
        if self.hostiles.is_none() && watch.elapsed() >= peace {
            say("hostile clients come");
            self.hostiles = Some(begin()?);
        }
        if self.hostiles.is_some() {
            self.rounds.push(watch.elapsed());
        }
        Ok(())
    }

    /// Whether there is something to compare.
    fn has_halves(&self) -> bool {
        self.rounds.len() > 2
    }

    /// They go.
    fn end(self, watch: &Watch) -> Option<Flat> {
        let hostiles = self.hostiles?;
        let attacks = hostiles.attacks();
        drop(hostiles);
        Some(Flat::new(watch, &self.rounds, attacks))
    }
}

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
    let people = plan.clients + plan.clients / 10;
    let foes = plan.hostile.map_or(0, |wanted| hostile::count(wanted) * hostile::CONNECTIONS_EACH);
    let most = people + foes;
    process::raise_descriptors(most)?;
    plan.cpus.settle()?;
    let keys = Rc::new(Keys::default());
    if plan.tls {
        say("making keys");
        keys.make(people)?;
        keys.make_web(people)?;
    }
    let data_dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (max_clients, paced) = (most + SPARE_DESCRIPTORS, plan.hostile.is_some());
    let serve = Serve { data_dir: data_dir.path(), port: 0, max_clients, kept: plan.kept, paced, web: true };
    let server = Server::start(serve.command(), plan.cpus)?;
    std::thread::sleep(START);
    let before = Rest::of(server.process)?;
    let keys = plan.tls.then_some(keys);
    let sources = if paced { SOURCES } else { 1 };
    let target =
        Target { address: server.address, speech: Speech::Packets, keys, sources, first: 0, web: BROWSERS };
    let mut life = Life::new(Clients::new(target)?, plan.clients, paced)?;
    life.clients.tally.keep_latencies = paced;
    let mut watch = Watch::new(server.process);
    let flat = live(plan, &mut life, &mut watch, server.address)?;
    life.clients.settle_directs(PATIENCE)?;
    for n in 0..life.clients.peers.len() {
        life.clients.leave(n);
    }
    wait_until_empty(server.process, before)?;
    let after = Rest::of(server.process)?;
    Ok(Verdict::new(watch.samples, before, after, life.clients.tally, life.churned, flat))
}

/// Rounds of all spells until the time is over, and with hostile clients at least two.
fn live(plan: &Plan, life: &mut Life, watch: &mut Watch, server: SocketAddr) -> Result<Option<Flat>> {
    let mut attack = Attack::default();
    let spells = if plan.hostile.is_some() { Spell::PACED } else { Spell::FREE };
    while watch.elapsed() < plan.time || (plan.hostile.is_some() && !attack.has_halves()) {
        for (spell, time) in spells {
            life.spell(spell, time, watch)?;
        }
        if let Some(wanted) = plan.hostile {
            let begin = || Hostiles::start(server, wanted, SOURCES);
            attack.round(plan.time / PEACE, watch, begin)?;
        }
    }
    Ok(attack.end(watch))
}

/// Until the server has as many descriptors as at first, or it took too long.
fn wait_until_empty(process: Process, before: Rest) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while process.descriptors()? > before.descriptors && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
