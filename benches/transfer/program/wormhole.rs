//! Magic Wormhole over its own relay: its mailbox server, its transit relay, a sender and a receiver.

use super::figures::{Turn, children};
use super::place::{Part, Place};
use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const MAILBOX: u16 = 4000;
const TRANSIT: u16 = 4001;
const CODE: &str = "7-alpha-bravo";

/// How long the servers may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// One turn: `from` arrives as `to`.
pub fn turn(place: &Place, dir: &Path, from: &Path, to: &Path) -> Result<Turn> {
    let relay = place.relay();
    let command = |part: Part, program: &str| {
        let mut command = place.command(part, program);
        command.env("HOME", dir).current_dir(dir).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let serve = |plugin: &str, port: u16| {
        let mut command = command(Part::Relay, "twist");
        command.args([plugin, "--port", &format!("tcp:{port}:interface={relay}")]);
        start(command)
    };
    let (cpu, begun) = (children(), Instant::now());
    let servers = [serve("wormhole-mailbox", MAILBOX)?, serve("transitrelay", TRANSIT)?];
    for port in [MAILBOX, TRANSIT] {
        while TcpStream::connect((relay, port)).is_err() {
            ensure!(begun.elapsed() < PATIENCE, "no server of Magic Wormhole listens on port {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let start_of_both = Instant::now();
    let person = |part: Part, words: &[&str]| {
        let mut command = command(part, "wormhole");
        command.args(["--relay-url", &format!("ws://{relay}:{MAILBOX}/v1")]);
        command.args(["--transit-helper", &format!("tcp:{relay}:{TRANSIT}")]);
        command.args(words);
        command
    };
    // Without ports of their own, they need the relay, as between two networks.
    let mut send =
        person(Part::Sender, &["send", "--no-listen", "--hide-progress", "--no-qr", "--code", CODE]);
    send.arg(from);
    let mut receive = person(Part::Receiver, &["receive", "--no-listen", "--hide-progress", "--accept-file"]);
    receive.arg("--output-file").arg(to).arg(CODE);
    let (mut send, mut receive) = (start(send)?, start(receive)?);
    let ended = [send.wait()?, receive.wait()?];
    let wall = start_of_both.elapsed();
    for mut server in servers {
        kill(Pid::from_raw(server.id() as i32), Signal::SIGTERM)?;
        server.wait()?;
    }
    ensure!(ended.iter().all(|status| status.success()), "wormhole failed: {ended:?}");
    Ok(Turn { wall, cpu: children() - cpu })
}

fn start(mut command: Command) -> Result<Child> {
    let missing = "install magic-wormhole, magic-wormhole-mailbox-server and magic-wormhole-transit-relay";
    command.spawn().with_context(|| format!("{:?} is missing; {missing}", command.get_program()))
}
