//! One server, measured from its first connection to its last message.

use super::figures::Figures;
use super::kind::{Kind, Stage};
use super::options::Plan;
use super::slow;
use crate::rig::clients::Clients;
use crate::rig::keys::Keys;
use crate::rig::process::Process;
use crate::rig::stretch::SENDERS;
use crate::rig::{median, say};
use anyhow::Result;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Logins in progress at a time.
const AT_A_TIME: usize = 64;

/// Bytes of a message.
pub const BYTES: usize = 128;

/// Messages in flight in a flood, at the mean over all receivers.
const FLOOD_WINDOW: u64 = 64;

/// No flood is longer.
const MAX_FLOOD_MESSAGES: u64 = 200_000;
const MAX_FLOOD_TIME: Duration = Duration::from_secs(20);

/// Clients at most while further logins are measured.
const CROWD: usize = 10_000;

/// How long logins may take.
const LOGIN_PATIENCE: Duration = Duration::from_secs(180);

/// How long a delivery may be missing before it counts as lost.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Runs all phases with so many clients; those that change the least only if they are wanted.
pub fn run(plan: &Plan, kind: Kind, count: usize, keys: &Rc<Keys>, with_once: bool) -> Result<Figures> {
    let stage = Stage::new(kind, count + count / 100 + 1 + plan.logins, keys, plan.cpus)?;
    let process = stage.server.process;
    warm_up(&stage)?;
    let bare = process.memory()?;
    let mut figures = Figures::default();
    let mut clients = stage.clients()?;
    let (rate, cpu) = logins(&mut clients, process, count)?;
    figures.put("connect_rate", rate);
    figures.put("connect_cpu_us", cpu);
    say(&format!("  {count} clients in at {rate:.0}/s"));
    // Presence is told within a second; memory is looked at when it is quiet.
    clients.idle(Duration::from_secs(2))?;
    figures.put("idle_bytes", per_client(process.memory()?, bare, count));
    if with_once && !plan.idle.is_zero() {
        figures.put("idle_cpu_us", idle_cpu(&mut clients, process, plan.idle)?);
    }
    figures.put("broadcast_ms", broadcast(&mut clients)?.as_secs_f64() * 1e3);
    paced(&mut clients, process, plan.paced, &mut figures)?;
    say(&format!("  paced: {:.0} ns of CPU a delivery", figures.get("paced_ns").unwrap_or_default()));
    floods(&mut clients, process, plan, &mut figures)?;
    say(&format!("  flood: {:.0} ns of CPU a delivery", figures.get("flood_ns").unwrap_or_default()));
    clients.idle(Duration::from_secs(1))?;
    figures.put("flood_bytes", per_client(process.memory()?, bare, count));
    if with_once && !plan.slow.is_zero() && !kind.is_floor() {
        slow::measure(&mut clients, &stage.server, plan.slow, &mut figures)?;
    }
    if plan.logins > 0 {
        make_room(&mut clients, process)?;
        let (rate, cpu) = logins(&mut clients, process, plan.logins)?;
        figures.put("login_rate", rate);
        figures.put("login_cpu_us", cpu);
    }
    figures.count(&clients.tally);
    Ok(figures)
}

/// Bytes that each of the clients takes, of a server that had `bare` before them.
pub fn per_client(bytes: u64, bare: u64, clients: usize) -> f64 {
    (bytes as f64 - bare as f64) / clients as f64
}

/// One comes, and goes: pages of the program that are read for the first time are no connection's.
pub fn warm_up(stage: &Stage) -> Result<()> {
    let mut clients = stage.clients()?;
    logins(&mut clients, stage.server.process, 1)?;
    clients.leave(0);
    clients.idle(Duration::from_millis(1200))
}

/// Logins a second, and microseconds of server CPU each.
pub fn logins(clients: &mut Clients, process: Process, count: usize) -> Result<(f64, f64)> {
    let (cpu, started) = (process.cpu()?, Instant::now());
    clients.join(count, AT_A_TIME, LOGIN_PATIENCE, |_| false)?;
    let rate = count as f64 / started.elapsed().as_secs_f64();
    Ok((rate, (process.cpu()? - cpu).as_secs_f64() * 1e6 / count as f64))
}

/// Has so many leave that no more than [`CROWD`] stay, and waits until the server knows.
fn make_room(clients: &mut Clients, process: Process) -> Result<()> {
    let surplus = clients.present.saturating_sub(CROWD);
    let before = process.descriptors()?;
    for n in (0..clients.peers.len()).rev().take(surplus) {
        clients.leave(n);
    }
    let deadline = Instant::now() + PATIENCE;
    while process.descriptors()? + surplus > before && Instant::now() < deadline {
        clients.idle(Duration::from_millis(100))?;
    }
    // What others learn of it.
    clients.idle(Duration::from_millis(1500))
}

/// Microseconds of server CPU a second while nobody says anything.
fn idle_cpu(clients: &mut Clients, process: Process, time: Duration) -> Result<f64> {
    let (cpu, started) = (process.cpu()?, Instant::now());
    clients.idle(time)?;
    Ok((process.cpu()? - cpu).as_secs_f64() * 1e6 / started.elapsed().as_secs_f64())
}

fn broadcast(clients: &mut Clients) -> Result<Duration> {
    clients.begin(BYTES);
    let started = Instant::now();
    clients.send(0, started)?;
    clients.settle(Duration::from_millis(5), PATIENCE)?;
    Ok(started.elapsed())
}

/// Messages a second that leave the machine idle in between.
fn pace(clients: usize) -> f64 {
    (40_000.0 / clients as f64).clamp(3.0, 40.0)
}

/// One sender, at a rate. The clients never sleep, so that the server pays for no wake-ups: its
/// receivers would be other machines. Latency is from the planned moment on.
fn paced(clients: &mut Clients, process: Process, time: Duration, figures: &mut Figures) -> Result<()> {
    let step = Duration::from_secs_f64(1.0 / pace(clients.receivers()));
    clients.begin(BYTES);
    clients.tally.latencies.clear();
    clients.tally.keep_latencies = true;
    let (cpu, before) = (process.cpu()?, clients.tally.deliveries);
    let started = Instant::now();
    let mut due = started;
    while due < started + time {
        if Instant::now() < due {
            clients.turn(Duration::ZERO)?;
        } else if clients.send(0, due)? {
            due += step;
        } else {
            clients.turn(Duration::ZERO)?;
        }
    }
    clients.settle(Duration::ZERO, PATIENCE)?;
    let deliveries = clients.tally.deliveries - before;
    figures.put("paced_ns", (process.cpu()? - cpu).as_nanos() as f64 / deliveries.max(1) as f64);
    clients.tally.keep_latencies = false;
    figures.put("paced_p50_ms", clients.tally.latency_ms(0.5));
    figures.put("paced_p99_ms", clients.tally.latency_ms(0.99));
    clients.tally.latencies = Vec::new();
    Ok(())
}

fn floods(clients: &mut Clients, process: Process, plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..plan.floods {
        let cpu = process.cpu()?;
        let flood = Flood { time: plan.flood, messages: 0, window: FLOOD_WINDOW, bytes: BYTES };
        let run = flood.run(clients, |_| Ok(()))?;
        rates.push(run.deliveries as f64 / run.time.as_secs_f64());
        costs.push((process.cpu()? - cpu).as_nanos() as f64 / run.deliveries.max(1) as f64);
        clients.idle(Duration::from_millis(200))?;
    }
    figures.put("flood_rate", median(rates).unwrap_or_default());
    figures.put("flood_ns", median(costs).unwrap_or_default());
    Ok(())
}

/// As fast as it goes with so many messages in flight.
pub struct Flood {
    pub time: Duration,
    /// At least so many, up to [`MAX_FLOOD_TIME`].
    pub messages: u64,
    pub window: u64,
    pub bytes: usize,
}

/// The result of a flood.
pub struct Run {
    pub deliveries: u64,
    pub time: Duration,
}

impl Flood {
    /// Runs it to the last delivery; `each` is called between any two looks at the sockets.
    pub fn run(
        &self,
        clients: &mut Clients,
        mut each: impl FnMut(&mut Clients) -> Result<()>,
    ) -> Result<Run> {
        clients.begin(self.bytes);
        let (before, started, mut messages) = (clients.tally.deliveries, Instant::now(), 0);
        let mut sender = 0;
        while self.goes_on(started.elapsed(), messages) {
            let mut busy = 0;
            while clients.in_flight() < self.window && busy < SENDERS {
                if clients.send(sender, Instant::now())? {
                    (messages, busy) = (messages + 1, 0);
                } else {
                    busy += 1;
                }
                sender = (sender + 1) % SENDERS;
            }
            clients.turn(Duration::from_millis(5))?;
            each(clients)?;
        }
        clients.settle(Duration::from_millis(5), PATIENCE)?;
        Ok(Run { deliveries: clients.tally.deliveries - before, time: started.elapsed() })
    }

    fn goes_on(&self, time: Duration, messages: u64) -> bool {
        let wants = time < self.time || messages < self.messages;
        wants && time < MAX_FLOOD_TIME && messages < MAX_FLOOD_MESSAGES
    }
}
