//! Requests for the page in a flood, and browsers that prove keys of others.

use crate::browser::{Browser, WebKey, WebStream, enter, origin};
use crate::browsers::SERVER;
use crate::lan::{Host, Lan};
use crate::program::Row;
use crate::stage::{Honest, Stage, addresses, browse_time, join_time};
use crate::tls;
use lanchat::limits::{
    WEB_BURST_PER_ADDRESS, WEB_BURST_PER_NETWORK, WEB_BYTES_PER_ADDRESS, WEB_BYTES_PER_NETWORK,
};
use rustls::StreamOwned;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tungstenite::Message;

/// Threads of the attacker.
const THREADS: usize = 8;

/// How long a flood lasts, and how long proofs are tried at most.
const TIME: Duration = Duration::from_secs(20);
const PROOF_TIME: Duration = Duration::from_secs(60);

const PROOFS: usize = 10_000;

/// How much longer an honest message may take than before, in ms.
const LATENCY: f64 = 250.0;

/// Promised: CPU of the server for a flood of requests, in percent of a core.
const CPU: f64 = 25.0;

pub fn pages_of_one(lan: &Lan) -> Vec<Row> {
    pages(lan, 0, WEB_BYTES_PER_ADDRESS, WEB_BURST_PER_ADDRESS)
}

pub fn pages_of_many(lan: &Lan) -> Vec<Row> {
    pages(lan, 63, WEB_BYTES_PER_NETWORK, WEB_BURST_PER_NETWORK)
}

/// The biggest file, uncompressed, as often as a connection allows it, and then on the next one.
fn pages(lan: &Lan, further: u8, rate: u32, burst: u32) -> Vec<Row> {
    let stage = Stage::new(lan, SERVER);
    let (attacker, people, newcomer, visitor) = (lan.host(), lan.host(), lan.host(), lan.host());
    let from = addresses(&attacker, further);
    let mut honest = Honest::join(&people, stage.address);
    let calm = honest.slowest(10);
    let (got, asked, cpu) = (AtomicUsize::new(0), AtomicUsize::new(0), stage.cpu());
    let start = Instant::now();
    let (latency, joined, browsed) = std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (stage, attacker, from, got, asked) = (&stage, &attacker, &from, &got, &asked);
            scope.spawn(move || {
                attacker.run(|| {
                    let mut n = thread;
                    while start.elapsed() < TIME {
                        ask(stage, from[n % from.len()], got, asked);
                        n += THREADS;
                    }
                });
            });
        }
        // Not before the flood has used up what it may at once.
        std::thread::sleep(TIME / 4);
        let joined = scope.spawn(|| join_time(&newcomer, stage.address, "newcomer"));
        let browsed = scope.spawn(|| browse_time(&visitor, stage.address, "visitor"));
        let latency = honest.slowest(20);
        (latency, joined.join().unwrap(), browsed.join().unwrap())
    });
    let time = start.elapsed().as_secs_f64();
    let mib = |bytes: f64| bytes / 1024.0 / 1024.0;
    let bound = mib(f64::from(rate) * time + f64::from(burst));
    vec![
        Row::so("requests", format!("{} in {time:.0} s", asked.into_inner()), true),
        Row::at_most("that the attacker got", mib(got.into_inner() as f64), bound, "MiB"),
        Row::at_most("CPU of the server", (stage.cpu() - cpu) * 100.0 / time, CPU, "%"),
        Row::at_most("memory of the server above its start", stage.grown(), 64.0, "MiB"),
        Row::so("slowest of 10 honest messages before", format!("{calm:.1} ms"), true),
        Row::at_most("slowest of 20 honest messages meanwhile", latency, calm + LATENCY, "ms"),
        Row::at_most("an honest newcomer joins meanwhile", joined.unwrap_or(f64::INFINITY), 5000.0, "ms"),
        Row::at_most("an honest browser joins meanwhile", browsed.unwrap_or(f64::INFINITY), 5000.0, "ms"),
    ]
}

fn ask(stage: &Stage, from: IpAddr, got: &AtomicUsize, asked: &AtomicUsize) {
    let Ok(mut stream) = stage.connect_from(from) else { return };
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = b"GET /text.js HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n".repeat(16);
    let _ = stream.write_all(&request);
    asked.fetch_add(16, Ordering::Relaxed);
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        got.fetch_add(length, Ordering::Relaxed);
    }
}

/// What became of proofs.
#[derive(Default)]
struct Outcome {
    tried: AtomicUsize,
    refused: AtomicUsize,
    let_in: AtomicUsize,
}

/// The owner's proof again, and the owner's key with others' signatures.
pub fn proofs(lan: &Lan) -> Vec<Row> {
    let stage = Stage::new(lan, SERVER);
    let (attacker, people, visitor) = (lan.host(), lan.host(), lan.host());
    let from = addresses(&attacker, 63);
    let mut honest = Honest::join(&people, stage.address);
    let (calm, proof) = (honest.slowest(10), people.run(|| own_proof(&stage)));
    let (outcome, start) = (Outcome::default(), Instant::now());
    let (latency, browsed) = std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (stage, attacker, from) = (&stage, &attacker, &from);
            let (proof, outcome) = (&proof, &outcome);
            scope.spawn(move || forge(stage, attacker, from, (start, thread), proof, outcome));
        }
        let browsed = scope.spawn(|| browse_time(&visitor, stage.address, "visitor"));
        (honest.slowest(20), browsed.join().unwrap())
    });
    let time = start.elapsed().as_secs_f64();
    let Outcome { tried, refused, let_in } = outcome;
    let tried = format!("{} in {time:.0} s", tried.into_inner());
    vec![
        Row::so("proofs tried", tried, true),
        Row::so("of them, the server judged and refused", refused.load(Ordering::Relaxed).to_string(), true),
        Row::at_most("of them, the server let in", let_in.into_inner() as f64, 0.0, ""),
        Row::at_most("memory of the server above its start", stage.grown(), 64.0, "MiB"),
        Row::so("slowest of 10 honest messages before", format!("{calm:.1} ms"), true),
        Row::at_most("slowest of 20 honest messages meanwhile", latency, calm + LATENCY, "ms"),
        Row::at_most("an honest browser joins meanwhile", browsed.unwrap_or(f64::INFINITY), 5000.0, "ms"),
    ]
}

/// What the owner of a key has sent to be let in.
fn own_proof(stage: &Stage) -> Value {
    let key = WebKey::new();
    let (mut owner, challenge) = Browser::open(stage.address, true, "/chat");
    let proof = key.proof(&challenge, &owner.origin.clone());
    owner.send(proof.clone());
    drop(owner.join("owner"));
    proof
}

fn forge(
    stage: &Stage,
    attacker: &Host,
    from: &[IpAddr],
    (start, thread): (Instant, usize),
    proof: &Value,
    outcome: &Outcome,
) {
    let own = WebKey::new();
    attacker.run(|| {
        for n in (thread..PROOFS).step_by(THREADS) {
            if start.elapsed() > PROOF_TIME {
                return;
            }
            outcome.tried.fetch_add(1, Ordering::Relaxed);
            let answer = attempt(stage, from[n % from.len()], |challenge| {
                let mut forged = own.proof(challenge, &origin(stage.address, true));
                forged["key"] = proof["key"].clone();
                if n % 2 == 0 { proof.clone() } else { forged }
            });
            match answer.as_ref().and_then(|answer| answer["code"].as_str()) {
                Some("bad_proof") => _ = outcome.refused.fetch_add(1, Ordering::Relaxed),
                Some(_) => {}
                None if answer.is_some() => _ = outcome.let_in.fetch_add(1, Ordering::Relaxed),
                None => {}
            }
        }
    });
}

/// The server's answer to a proof and a hello; `None`: it cut the connection.
fn attempt(stage: &Stage, from: IpAddr, proof: impl FnOnce(&Value) -> Value) -> Option<Value> {
    let stream = stage.connect_from(from).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let stream = WebStream::Tls(Box::new(StreamOwned::new(tls::browser(), stream)));
    let (mut socket, challenge) = enter(stream, stage.address).ok()?;
    let hello = json!({"type": "hello", "v": 1, "from": {"name": "owner"}, "to": "server", "msg": ""});
    socket.send(Message::text(format!("{}\n{hello}\n", proof(&challenge)))).ok()?;
    let answer = socket.read().ok()?.into_text().ok()?;
    serde_json::from_str(answer.lines().next()?).ok()
}
