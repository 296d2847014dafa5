//! Everybody at once: all log in in one burst, the server is stopped and started again, and all come
//! back. Then as many look for the server.

use super::arrivals::Arrivals;
use super::kind::Kind;
use super::report::Report;
use super::seekers::Seekers;
use crate::rig::clients::{Clients, Speech, Target};
use crate::rig::cpus::Cpus;
use crate::rig::keys::Keys;
use crate::rig::process::SPARE_DESCRIPTORS;
use crate::rig::say;
use crate::rig::serve::{Serve, Server};
use anyhow::Result;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Runs it with clients of that kind.
pub fn run(kind: Kind, count: usize, keys: &Rc<Keys>, cpus: Cpus, report: &mut Report) -> Result<()> {
    let (keys, web) = (kind.speaks_tls().then(|| Rc::clone(keys)), kind.is_web());
    if let Some(keys) = &keys {
        if web { keys.make_web(count)? } else { keys.prepare(count)? }
    }
    let data_dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut serve = Serve {
        data_dir: data_dir.path(),
        port: 0,
        max_clients: count + SPARE_DESCRIPTORS,
        kept: false,
        paced: false,
        web,
    };
    let server = Server::start(serve.command(), cpus)?;
    // From several addresses, so that old connections don't take the ports.
    let target = Target {
        address: server.address,
        speech: Speech::Packets,
        keys,
        sources: 4,
        first: 0,
        web: usize::from(web),
    };
    let mut clients = Clients::new(target)?;
    clients.add_outside(count);
    clients.may_end = true;
    burst(&mut clients, &server, kind, report)?;
    serve.port = server.address.port();
    let (mut arrivals, stopped) = stop(&mut clients, server)?;
    report.put(kind, "end_secs", stopped.elapsed().as_secs_f64());
    let server = Server::start(serve.command(), cpus)?;
    let started = Instant::now();
    report.put(kind, "down_secs", (started - stopped).as_secs_f64());
    let times = arrivals.finish(&mut clients, started)?;
    say(&format!("  all are back after {:.2} s", times.all.as_secs_f64()));
    report.put(kind, "back_half_secs", times.half.as_secs_f64());
    report.put(kind, "back_most_secs", times.most.as_secs_f64());
    report.put(kind, "back_all_secs", times.all.as_secs_f64());
    report.put(kind, "back_cpu_secs", server.process.cpu()?.as_secs_f64());
    report.put(kind, "back_failed", arrivals.failed as f64);
    let told = arrivals.told.iter().filter(|told| **told).count();
    report.put(kind, "bye_share", told as f64 / count as f64);
    drop(clients);
    // Browsers do not look for servers.
    if web {
        server.stop()
    } else {
        seek(kind, count, server, || Server::start(serve.command(), cpus), report)
    }
}

/// The same number of clients look for it: while it is there, and from before its start on.
fn seek(
    kind: Kind,
    count: usize,
    server: Server,
    restart: impl FnOnce() -> Result<Server>,
    report: &mut Report,
) -> Result<()> {
    let seekers = Seekers::new(server.address, count, kind == Kind::Plain)?;
    let come = seekers.come(&server)?;
    server.stop()?;
    let wait = seekers.wait(restart)?;
    for (figures, keys) in [
        (come, ["come_all_secs", "come_cpu_secs", "come_attempts"]),
        (wait, ["wait_all_secs", "wait_cpu_secs", "wait_attempts"]),
    ] {
        let values = [figures.all.as_secs_f64(), figures.cpu.as_secs_f64(), figures.attempts];
        keys.into_iter().zip(values).for_each(|(key, value)| report.put(kind, key, value));
    }
    Ok(())
}

fn burst(clients: &mut Clients, server: &Server, kind: Kind, report: &mut Report) -> Result<()> {
    let mut arrivals = Arrivals::new(clients.peers.len());
    let (cpu, started) = (server.process.cpu()?, Instant::now());
    (0..clients.peers.len()).for_each(|n| arrivals.now(n));
    let times = arrivals.finish(clients, started)?;
    say(&format!("  {} in after {:.2} s", clients.present, times.all.as_secs_f64()));
    report.put(kind, "in_half_secs", times.half.as_secs_f64());
    report.put(kind, "in_all_secs", times.all.as_secs_f64());
    let cpu = (server.process.cpu()? - cpu).as_secs_f64();
    report.put(kind, "in_cpu_secs", cpu);
    report.put(kind, "in_cpu_us", cpu * 1e6 / clients.peers.len() as f64);
    report.put(kind, "in_failed", arrivals.failed as f64);
    clients.idle(Duration::from_secs(3))?;
    report.put(kind, "in_peak_mb", server.process.peak()? as f64 / 1e6);
    report.put(kind, "in_after_mb", server.process.memory()? as f64 / 1e6);
    Ok(())
}

/// Has the server end; returns those on their way back, and when it was told.
fn stop(clients: &mut Clients, mut server: Server) -> Result<(Arrivals, Instant)> {
    let mut arrivals = Arrivals::new(clients.peers.len());
    let stopped = Instant::now();
    server.stop_while(|| arrivals.turn(clients))?;
    Ok((arrivals, stopped))
}
