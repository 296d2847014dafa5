//! `lanchat serve`, `receive` and `send --file`, each a process.

use super::figures::{Turn, children};
use super::place::{Part, Place};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const PORT: &str = "7667";

/// Where the server listens.
pub fn port() -> u16 {
    PORT.parse().expect("a port")
}

/// The program; `LANCHAT_BIN` names another build of it.
fn program() -> String {
    std::env::var("LANCHAT_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_lanchat").into())
}

/// A person's own directories, so that each has a key.
pub fn person(place: &Place, part: Part, home: &Path) -> Command {
    let mut command = place.command(part, &program());
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(name, home);
    }
    command.stdin(Stdio::null());
    command
}

/// Ends with this.
pub struct Server(Child);

impl Server {
    pub fn start(place: &Place, dir: &Path, plaintext: bool) -> Result<Self> {
        fresh(dir, "server")?;
        Self::restart(place, dir, plaintext)
    }

    /// Starts it with the key that it had.
    pub fn restart(place: &Place, dir: &Path, plaintext: bool) -> Result<Self> {
        let home = dir.join("server");
        let mut command = person(place, Part::Relay, &home);
        command.args(["serve", "--no-discovery", "--no-history", "--port", PORT, "--rate-limit", "off"]);
        command.args(["--host", &place.relay().to_string(), "--data-dir"]).arg(home.join("data"));
        if plaintext {
            command.arg("--allow-plaintext");
        }
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let mut lines = lines.map_while(Result::ok);
        if !lines.any(|line| line.contains("serving ")) {
            bail!("the server did not start: {}", child.wait()?);
        }
        // Keeps reading, so that the server never blocks on its log.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self(child))
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Stops it and waits, so that its CPU time counts.
    pub fn stop(mut self) -> Result<()> {
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.0.id() as i32),
            nix::sys::signal::Signal::SIGTERM,
        )?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn fresh(dir: &Path, name: &str) -> Result<PathBuf> {
    let home = dir.join(name);
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    Ok(home)
}

/// A receiver that takes one file from `alice` into `to`, and a sender of `from`.
pub fn pair(
    place: &Place,
    dir: &Path,
    (number, plaintext): (usize, bool),
    (from, to): (&Path, &Path),
) -> Result<(Child, Child)> {
    let (sender, receiver) = (format!("alice{number}"), format!("bob{number}"));
    let address = format!("{}:{PORT}", place.relay());
    let connect = |command: &mut Command, name: &str| {
        command.args(["--no-discovery", "--host", &address, "--name", name]);
        if plaintext {
            command.arg("--plaintext");
        }
    };
    let mut receive = person(place, Part::Receiver, &fresh(dir, &receiver)?);
    receive.args(["receive", "--once", "--from", &sender, "--yes-to-all", "--to"]).arg(to);
    connect(&mut receive, &receiver);
    let receive = waiting(receive)?;
    let mut send = person(place, Part::Sender, &fresh(dir, &sender)?);
    send.args(["send", "--to", &receiver, "--file"]).arg(from);
    connect(&mut send, &sender);
    let send = send.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    Ok((send, receive))
}

/// Starts a receiver, and waits until the server knows it.
pub fn waiting(mut receive: Command) -> Result<Child> {
    let mut child = receive.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
    let mut lines = lines.map_while(Result::ok);
    let mut said = Vec::new();
    while !said.last().is_some_and(|line: &String| line.contains("waiting for files")) {
        let Some(line) = lines.next() else { bail!("the receiver ended: {}", said.join("\n")) };
        said.push(line);
    }
    std::thread::spawn(move || lines.for_each(drop));
    Ok(child)
}

/// One turn: `from` arrives in the folder `to`.
pub fn turn(place: &Place, dir: &Path, plaintext: bool, from: &Path, to: &Path) -> Result<Turn> {
    let (cpu, start) = (children(), Instant::now());
    let server = Server::start(place, dir, plaintext)?;
    let (mut send, mut receive) = pair(place, dir, (0, plaintext), (from, to))?;
    let ended = [send.wait()?, receive.wait()?];
    server.stop()?;
    ensure!(ended.iter().all(|status| status.success()), "lanchat failed: {ended:?}");
    Ok(Turn { wall: start.elapsed(), cpu: children() - cpu })
}
