//! Three machines in a network of their own, each with an engine and a server of the chat, set up as the
//! manual says.

use super::process::{Program, run};
use crate::lan::{Addressing, Host, Lan};
use lanchat::cluster::Ledger;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// The servers' names.
pub const NAMES: [&str; 3] = ["a", "b", "c"];

/// The port of the chat, and that at which an engine tells how it is.
const PORT: u16 = 7667;
const MONITOR_PORT: u16 = 8222;

/// How long an engine may take to tell.
const MONITOR_DEADLINE: Duration = Duration::from_secs(1);

pub struct Machine {
    pub host: Host,
    pub lanchat: Program,
    pub engine: Program,
    pub data: PathBuf,
    /// An older copy of the data directory.
    copy: PathBuf,
}

pub struct House {
    lan: Lan,
    /// Where the people are.
    pub street: Arc<Host>,
    pub machines: Vec<Machine>,
    /// Of all files; kept if `LANCHAT_KEEP` is set.
    dir: PathBuf,
    names: String,
}

/// The files of a history.
const HISTORY: [&str; 4] = ["history.db", "history.db-wal", "history.db-shm", "history.last"];

impl House {
    /// Nothing runs yet. `names`: whose they have been for long.
    pub fn build(names: &str) -> Self {
        let lan = Lan::new().expect("network namespaces: run this as root");
        let street = Arc::new(lan.host_with(Addressing::V4));
        let dir = tempfile::tempdir().expect("a directory").keep();
        println!("files are in {}", dir.display());
        let hosts: Vec<Host> = NAMES.iter().map(|_| lan.host_with(Addressing::V4)).collect();
        let lanchat = || {
            let mut command = Command::new(program());
            command.current_dir(&dir).env("HOME", &dir);
            command
        };
        let mut new = lanchat();
        new.args(["cluster", "new", "office"]);
        for (name, host) in NAMES.iter().zip(&hosts) {
            new.args(["--box", &format!("{name}={}", host.v4())]);
        }
        run(&mut new);
        let machines = NAMES.iter().zip(hosts).map(|(name, host)| {
            let (data, out) = (dir.join(format!("{name}-data")), dir.join(format!("{name}-engine")));
            run(lanchat()
                .args(["cluster", "join", &format!("{name}.join"), "--data-dir"])
                .arg(&data)
                .arg("--out")
                .arg(&out));
            std::fs::write(data.join("names"), names).expect("a file");
            machine(&dir, name, host, data, &out)
        });
        let machines = machines.collect();
        Self { lan, street, machines, dir, names: names.to_owned() }
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        let all = self.machines.iter();
        all.map(|machine| SocketAddr::new(IpAddr::V4(machine.host.v4()), PORT)).collect()
    }

    pub fn start_all(&mut self) {
        for machine in &mut self.machines {
            machine.engine.start(&machine.host);
        }
        for machine in &mut self.machines {
            machine.lanchat.start(&machine.host);
        }
    }

    pub fn cut(&self, number: usize) {
        self.lan.cut(&self.machines[number].host);
    }

    pub fn heal(&self, number: usize) {
        self.lan.heal(&self.machines[number].host);
    }

    /// The server that leads, as the furthest database says.
    pub fn leader(&self) -> Option<usize> {
        let ledgers = self.machines.iter().filter_map(|machine| ledger(&machine.data));
        let ledger = ledgers.max_by_key(|ledger| ledger.position)?;
        ledger.leader.map(|run| usize::from(run.node.0))
    }

    /// Prints what each server says of itself and the others.
    pub fn show_status(&self) {
        for machine in &self.machines {
            let mut command = machine.host.command(&program());
            command
                .args(["cluster", "status", "--json", "--engine-file"])
                .arg(machine.data.join("engine.toml"));
            let output = command.output().expect("the program");
            println!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }

    /// The positions up to which the servers have followed the log.
    pub fn positions(&self) -> Vec<u64> {
        let all = self.machines.iter().map(|machine| ledger(&machine.data));
        all.map(|ledger| ledger.map_or(0, |ledger| ledger.position)).collect()
    }

    /// The engine that leads the log, as it says itself.
    pub fn engine_leader(&self) -> Option<usize> {
        self.log_at_leader().map(|(number, _)| number)
    }

    /// Whether all engines have all records of the log, as the one that leads it says.
    pub fn engines_are_alike(&self) -> bool {
        let Some((_, log)) = self.log_at_leader() else { return false };
        let mut others = log["replicas"].as_array().into_iter().flatten();
        others.all(|other| other["current"] == true && other["offline"] != true)
    }

    /// The engine that leads the log, and what it says of the others' copies.
    fn log_at_leader(&self) -> Option<(usize, Value)> {
        self.machines.iter().enumerate().find_map(|(number, machine)| {
            let info = monitor(SocketAddr::new(IpAddr::V4(machine.host.v4()), MONITOR_PORT))?;
            let accounts = info["account_details"].as_array()?.iter();
            let streams =
                accounts.flat_map(|account| account["stream_detail"].as_array().into_iter().flatten());
            let mut logs = streams.map(|stream| &stream["cluster"]);
            logs.find(|log| log["leader"] == NAMES[number]).map(|log| (number, log.clone()))
        })
    }

    /// Takes a copy of the data directory of a server that does not run.
    pub fn take_copy(&self, number: usize) {
        let machine = &self.machines[number];
        copy_files(&machine.data, &machine.copy);
    }

    pub fn has_copy(&self, number: usize) -> bool {
        self.machines[number].copy.is_dir()
    }

    /// Puts the copy in place of the history of a server that does not run.
    pub fn put_copy_back(&self, number: usize) {
        let machine = &self.machines[number];
        HISTORY.iter().for_each(|file| drop(std::fs::remove_file(machine.data.join(file))));
        copy_files(&machine.copy, &machine.data);
    }

    /// Leaves a server that does not run nothing but its key.
    pub fn empty(&self, number: usize) {
        let data = &self.machines[number].data;
        HISTORY.iter().for_each(|file| drop(std::fs::remove_file(data.join(file))));
        std::fs::write(data.join("names"), &self.names).expect("a file");
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.machines.clear();
        if std::env::var_os("LANCHAT_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

fn machine(dir: &Path, name: &str, host: Host, data: PathBuf, out: &Path) -> Machine {
    let conf = out.join("nats-server.conf");
    let mut settings = std::fs::read_to_string(&conf).expect("settings");
    settings.push_str(&format!("\nhttp: \"{}:{MONITOR_PORT}\"\n", host.v4()));
    std::fs::write(&conf, settings).expect("settings");
    let home = dir.join(format!("{name}-home"));
    let text = |path: &Path| path.to_str().expect("a path").to_owned();
    let nats = std::env::var("LANCHAT_NATS_SERVER").unwrap_or_else(|_| "nats-server".into());
    let engine = vec![nats, "-c".into(), text(&conf)];
    let address = host.v4().to_string();
    let mut serve = vec![program()];
    serve.extend(["serve", "--no-discovery", "--rate-limit", "off", "--web=plaintext"].map(String::from));
    serve.extend(["--allow-plaintext", "--host", &address, "--data-dir"].map(String::from));
    serve.extend([text(&data), "--engine-file".into(), text(&data.join("engine.toml"))]);
    if std::env::var_os("LANCHAT_KEEP").is_some() {
        serve.extend(["--log-level", "debug"].map(String::from));
    }
    Machine {
        lanchat: Program::new(serve, home.clone(), dir.join(format!("{name}-lanchat.log"))),
        engine: Program::new(engine, home, dir.join(format!("{name}-engine.log"))),
        copy: dir.join(format!("{name}-copy")),
        host,
        data,
    }
}

/// The binary that cargo built, or another one.
fn program() -> String {
    std::env::var("LANCHAT_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_lanchat").into())
}

/// What a server has carried out.
fn ledger(data: &Path) -> Option<Ledger> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let history = Connection::open_with_flags(data.join("history.db"), flags).ok()?;
    history.busy_timeout(Duration::from_secs(1)).ok()?;
    let sql = "SELECT value FROM shared_log WHERE key = 'ledger'";
    let bytes: Vec<u8> = history.query_row(sql, [], |row| row.get(0)).ok()?;
    rmp_serde::from_slice(&bytes).ok()
}

fn monitor(address: SocketAddr) -> Option<Value> {
    let mut stream = TcpStream::connect_timeout(&address, MONITOR_DEADLINE).ok()?;
    stream.set_read_timeout(Some(MONITOR_DEADLINE)).ok()?;
    stream.write_all(b"GET /jsz?accounts=true&streams=true HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(&answer[answer.find("\r\n\r\n")?..]).ok()
}

fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry")) {
        if entry.file_type().expect("a kind").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }
}
