//! One server, measured from its first connection to its last message.

use super::clients::Clients;
use super::figures::Figures;
use super::plan::{Plan, say};
use super::process::{Kind, Server};
use anyhow::Result;
use std::time::{Duration, Instant};

/// Messages in flight in a flood, at the mean over all receivers.
const FLOOD_WINDOW: u64 = 64;

/// No flood is longer, whatever its time.
const MAX_FLOOD_MESSAGES: u64 = 100_000;

/// Deliveries a second in the paced phase, whatever the number of clients.
const PACED_DELIVERIES: usize = 30_000;

/// How long a delivery may be missing before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs all phases.
pub fn run(plan: Plan, kind: Kind) -> Result<Figures> {
    let server = Server::start(kind, plan.clients)?;
    let bare = server.memory()?;
    let (cpu, started) = (server.cpu()?, Instant::now());
    let mut clients = Clients::connect(kind, server.address, plan.clients)?;
    let logins = plan.clients as f64 / started.elapsed().as_secs_f64();
    let logins_a_core = plan.clients as f64 / (server.cpu()? - cpu).as_secs_f64().max(1e-9);
    say(&format!("  {} clients in at {logins:.0}/s", plan.clients));
    // Presence is told within a second; memory is looked at when it is quiet.
    clients.idle(Duration::from_secs(2))?;
    let per_client = |bytes: u64| bytes.saturating_sub(bare) as f64 / plan.clients as f64;
    let idle_bytes = per_client(server.memory()?);

    let broadcast = one_broadcast(&mut clients)?;
    say(&format!("  one broadcast reached all in {:.1} ms", broadcast.as_secs_f64() * 1e3));
    let (paced_ns, p50, p99) = paced(&mut clients, &server, plan.paced_secs)?;
    say(&format!("  paced: {paced_ns:.0} ns of CPU a delivery"));
    let (flood_rate, flood_ns) = flood(&mut clients, &server, plan.flood_secs)?;
    say(&format!("  flood: {:.2} million deliveries/s", flood_rate / 1e6));
    clients.idle(Duration::from_secs(1))?;
    Ok(Figures {
        logins,
        logins_a_core,
        idle_bytes,
        bytes_after_flood: per_client(server.memory()?),
        broadcast_ms: broadcast.as_secs_f64() * 1e3,
        paced_ns,
        paced_p50_ms: p50,
        paced_p99_ms: p99,
        flood_rate,
        flood_ns,
        deliveries: clients.tally.deliveries,
        faults: clients.tally.faults,
    })
}

fn one_broadcast(clients: &mut Clients) -> Result<Duration> {
    let started = Instant::now();
    clients.send()?;
    clients.settle(PATIENCE)?;
    Ok(started.elapsed())
}

/// One message at a time, at a rate that leaves the machine idle in between. Returns nanoseconds of
/// server CPU a delivery, and latencies in milliseconds.
fn paced(clients: &mut Clients, server: &Server, secs: f64) -> Result<(f64, f64, f64)> {
    let interval = Duration::from_secs_f64(clients.receivers() as f64 / PACED_DELIVERIES as f64);
    clients.tally.keep_latencies = true;
    clients.tally.latencies.clear();
    let (cpu, before) = (server.cpu()?, clients.tally.deliveries);
    let started = Instant::now();
    while started.elapsed().as_secs_f64() < secs {
        let next = Instant::now() + interval;
        clients.send()?;
        clients.idle(next.saturating_duration_since(Instant::now()))?;
    }
    clients.settle(PATIENCE)?;
    let ns = per_delivery(server.cpu()? - cpu, clients.tally.deliveries - before);
    clients.tally.keep_latencies = false;
    let mut latencies = std::mem::take(&mut clients.tally.latencies);
    latencies.sort_unstable();
    let at = |share: f64| {
        let place = ((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1));
        latencies.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    };
    Ok((ns, at(0.5), at(0.99)))
}

/// As fast as it goes with a bounded window. Returns deliveries a second and nanoseconds of server
/// CPU a delivery.
fn flood(clients: &mut Clients, server: &Server, secs: f64) -> Result<(f64, f64)> {
    let (cpu, before) = (server.cpu()?, clients.tally.deliveries);
    let started = Instant::now();
    let mut sent = 0;
    while started.elapsed().as_secs_f64() < secs && sent < MAX_FLOOD_MESSAGES {
        while clients.in_flight() < FLOOD_WINDOW {
            clients.send()?;
            sent += 1;
        }
        clients.turn(Duration::from_millis(10))?;
    }
    clients.settle(PATIENCE)?;
    let deliveries = clients.tally.deliveries - before;
    let ns = per_delivery(server.cpu()? - cpu, deliveries);
    Ok((deliveries as f64 / started.elapsed().as_secs_f64(), ns))
}

fn per_delivery(cpu: Duration, deliveries: u64) -> f64 {
    cpu.as_nanos() as f64 / deliveries.max(1) as f64
}
