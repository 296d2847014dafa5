//! The rest of a chat of three servers around the one under test: two servers and three engines, all on loopback and on
//! one disk.

use super::serve::{Serve, program};
use anyhow::{Context, Result, ensure};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The servers' names and addresses; the last is the one under test.
const ALL: [(&str, Ipv4Addr); 3] = [
    ("a", Ipv4Addr::new(127, 0, 0, 2)),
    ("b", Ipv4Addr::new(127, 0, 0, 3)),
    ("c", Ipv4Addr::new(127, 0, 0, 4)),
];

/// How long anything may take to come about.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often to look.
const LOOK: Duration = Duration::from_millis(100);

/// Its programs end when it is dropped.
pub struct Siblings {
    dir: PathBuf,
    port: u16,
    programs: Vec<Child>,
}

impl Siblings {
    /// Sets all up as the manual says, in this directory, and starts the engines. Needs nats-server, or its path in
    /// `LANCHAT_NATS_SERVER`.
    pub fn with_engines(dir: &Path) -> Result<Self> {
        let [port, engine_port, route_port] = free_ports()?;
        let mut siblings = Self { dir: dir.to_owned(), port, programs: Vec::new() };
        let mut new = siblings.lanchat(&["cluster", "new", "bench"]);
        for (name, port) in [("--port", port), ("--engine-port", engine_port), ("--route-port", route_port)] {
            new.arg(name).arg(port.to_string());
        }
        for (name, address) in ALL {
            new.arg("--box").arg(format!("{name}={address}"));
        }
        run(&mut new)?;
        for (name, address) in ALL {
            let (join_file, data, out) =
                (format!("{name}.join"), siblings.data_dir(name), format!("{name}-engine"));
            let mut join = siblings.lanchat(&["cluster", "join", &join_file, "--out", &out]);
            run(join.arg("--data-dir").arg(data))?;
            let nats = std::env::var("LANCHAT_NATS_SERVER").unwrap_or_else(|_| "nats-server".into());
            let mut engine = Command::new(nats);
            engine.arg("-c").arg(dir.join(out).join("nats-server.conf"));
            siblings.spawn(&mut engine)?;
            wait(|| TcpStream::connect(SocketAddr::from((address, engine_port))).is_ok())?;
        }
        Ok(siblings)
    }

    /// Starts the two other servers, and waits until all that are there answer and one of them leads.
    pub fn start_servers(&mut self, there: usize) -> Result<()> {
        for (name, address) in &ALL[..2] {
            let mut serve =
                self.lanchat(&["serve", "--no-discovery", "--allow-plaintext", "--log-level", "error"]);
            serve.args(["--host", &address.to_string(), "--port", &self.port.to_string(), "--data-dir"]);
            serve.arg(self.data_dir(name)).arg("--engine-file").arg(self.data_dir(name).join("engine.toml"));
            self.spawn(&mut serve)?;
        }
        self.wait_for(&format!("{there} of 3 servers answer, and "))
    }

    /// Waits until the server under test leads.
    pub fn wait_for_lead(&self) -> Result<()> {
        self.wait_for("and c leads")
    }

    /// Starts the server under test.
    pub fn command(&self, serve: Serve<'_>) -> Command {
        let (name, address) = ALL[2];
        let data_dir = self.data_dir(name);
        let mut command = Serve { data_dir: &data_dir, port: self.port, ..serve }.command_at(address);
        command.arg("--engine-file").arg(data_dir.join("engine.toml"));
        command
    }

    fn wait_for(&self, words: &str) -> Result<()> {
        let engine_file = self.data_dir("c").join("engine.toml");
        wait(|| {
            let mut status = self.lanchat(&["cluster", "status", "--engine-file"]);
            let output = status.arg(&engine_file).output();
            output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(words))
        })
        .with_context(|| format!("lanchat cluster status does not say {words:?}"))
    }

    fn data_dir(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}-data"))
    }

    fn lanchat(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(words).current_dir(&self.dir).env("XDG_CONFIG_HOME", &self.dir).env("HOME", &self.dir);
        command
    }

    fn spawn(&mut self, command: &mut Command) -> Result<()> {
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.programs.push(command.spawn().with_context(|| format!("cannot start {command:?}"))?);
        Ok(())
    }
}

impl Drop for Siblings {
    fn drop(&mut self) {
        for mut program in self.programs.drain(..).rev() {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

/// Ports that are free now at all of the addresses.
fn free_ports() -> Result<[u16; 3]> {
    let listeners = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)));
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        let listener = listener.as_ref().map_err(|error| anyhow::anyhow!("no free port: {error}"))?;
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

fn run(command: &mut Command) -> Result<()> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn wait(mut is_there: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !is_there() {
        ensure!(start.elapsed() < DEADLINE, "it did not come about within {} s", DEADLINE.as_secs());
        std::thread::sleep(LOOK);
    }
    Ok(())
}
