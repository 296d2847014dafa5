//! How long a server takes to listen, and a client to show its prompt.

use super::screen::{PROMPT, Screen};
use crate::rig::cpus::Cpus;
use crate::rig::serve::{Serve, Server};
use crate::rig::{median, say};
use anyhow::Result;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Times each thing is done.
const RUNS: usize = 10;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// When memory is looked at, from the prompt on.
const CALM: Duration = Duration::from_millis(300);

/// Measures, and prints what it found.
pub fn run(cpus: Cpus, as_json: bool) -> Result<()> {
    let (new, known) = servers(cpus)?;
    say("server started");
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let data_dir = home.path().join("server");
    let server = Server::start(serve(&data_dir).command(), cpus)?;
    // The first run trusts the server, and is not counted.
    client(home.path(), server.address)?;
    let (mut prompts, mut memory, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let client = client(home.path(), server.address)?;
        prompts.push(client.took.as_secs_f64() * 1e3);
        memory.push(client.memory as f64 / 1e6);
        shares.push(client.share as f64 / 1e6);
    }
    let rows = [
        ("server_new_ms", "server: start to listening, first start with a new key, ms", new),
        ("server_known_ms", "server: start to listening, key and history are there, ms", known),
        ("client_prompt_ms", "client: start to prompt, server known, ms", median(prompts)),
        ("client_rss_mb", "client: resident memory, MB", median(memory)),
        ("client_pss_mb", "client: its share of memory (PSS), MB", median(shares)),
    ];
    if as_json {
        let figures: serde_json::Map<_, _> =
            rows.iter().map(|(key, _, value)| ((*key).to_owned(), json!(value))).collect();
        println!(
            "{:#}",
            json!({"run": "starts", "runs": RUNS, "cpus": cpus.to_string(), "figures": figures})
        );
        return Ok(());
    }
    println!("medians of {RUNS}; {cpus}\n");
    for (_, name, value) in rows {
        println!("{name:60}{:8.1}", value.unwrap_or_default());
    }
    Ok(())
}

fn serve(data_dir: &Path) -> Serve<'_> {
    Serve { data_dir, port: 0, max_clients: 100, kept: true, paced: false, web: false }
}

/// From start to listening in milliseconds: where nothing is yet, and where a server was before.
fn servers(cpus: Cpus) -> Result<(Option<f64>, Option<f64>)> {
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let data_dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        for times in [&mut new, &mut known] {
            let server = Server::start(serve(data_dir.path()).command(), cpus)?;
            times.push(server.took.as_secs_f64() * 1e3);
            server.stop()?;
        }
    }
    Ok((median(new), median(known)))
}

struct Started {
    took: Duration,
    memory: u64,
    share: u64,
}

/// Starts a client, and leaves it when it has its prompt.
fn client(home: &Path, server: SocketAddr) -> Result<Started> {
    let mut screen = Screen::start(Path::new(env!("CARGO_BIN_EXE_lanchat")), home, server, "alice")?;
    let took = screen.wait_for(PROMPT, PATIENCE)?;
    std::thread::sleep(CALM);
    let process = screen.process()?;
    Ok(Started { took, memory: process.memory()?, share: process.share()? })
}
