//! A server on a host of its own, and what it costs there.

use crate::browser::{Browser, WebKey, WebStream};
use crate::lan::{Host, Lan, Running};
use crate::peer::Peer;
use crate::process::Process;
use crate::tls::Key;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const PORT: u16 = 7700;

/// The file with the server's log.
const LOG: &str = "bench.log";

/// How often something is looked at.
pub const LOOK: Duration = Duration::from_millis(20);

/// See the module. Ends with this.
pub struct Stage {
    pub server: Host,
    pub address: SocketAddr,
    pub files: tempfile::TempDir,
    running: Running,
    /// Resident memory before anybody came, in bytes.
    start: u64,
}

impl Stage {
    pub fn new(lan: &Lan, args: &[&str]) -> Self {
        Self::with(lan, args, |_| {})
    }

    /// One that finds in its data directory what `prepare` puts there.
    pub fn with(lan: &Lan, args: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let (server, files) = (lan.host(), tempfile::tempdir().unwrap());
        prepare(files.path());
        let address = SocketAddr::new(server.v4().into(), PORT);
        let mut command = server.command(env!("CARGO_BIN_EXE_lanchat"));
        command.args(["serve", "--no-discovery", "--port", &PORT.to_string(), "--data-dir"]);
        command.arg(files.path()).args(args);
        command.env("HOME", files.path()).env("XDG_CONFIG_HOME", files.path());
        let log = std::fs::File::create(files.path().join(LOG)).unwrap();
        let running = server.spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log));
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        let deadline = Instant::now() + Duration::from_secs(20);
        server.run(|| {
            while TcpStream::connect(loopback).is_err() {
                assert!(Instant::now() < deadline, "the server did not start");
                std::thread::sleep(LOOK);
            }
        });
        let mut stage = Self { server, address, files, running, start: 0 };
        stage.start = stage.resident_bytes();
        stage
    }

    /// Resident memory, in MiB.
    pub fn resident(&self) -> f64 {
        self.resident_bytes() as f64 / 1024.0 / 1024.0
    }

    fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.0.id()));
        let status = status.expect("the server is alive");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
        kib * 1024
    }

    /// Its growth since its start, in MiB.
    pub fn grown(&self) -> f64 {
        self.resident_bytes().saturating_sub(self.start) as f64 / 1024.0 / 1024.0
    }

    /// Its CPU time since its start, in seconds.
    pub fn cpu(&self) -> f64 {
        let process = Process(self.running.0.id());
        process.cpu().expect("the server is alive").as_secs_f64()
    }

    /// Descriptors that it has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.running.0.id())).expect("the server is alive").count()
    }

    /// Where they lead.
    pub fn open_files(&self) -> Vec<String> {
        let files =
            std::fs::read_dir(format!("/proc/{}/fd", self.running.0.id())).expect("the server is alive");
        let path = |file: std::io::Result<std::fs::DirEntry>| std::fs::read_link(file.ok()?.path()).ok();
        files.filter_map(path).map(|path| path.display().to_string()).collect()
    }

    /// Lines of its log with that text.
    pub fn logged(&self, text: &str) -> usize {
        let log = std::fs::read(self.files.path().join(LOG)).unwrap();
        String::from_utf8_lossy(&log).lines().filter(|line| line.contains(text)).count()
    }

    /// Kernel memory of its sockets to others, in MiB: what `ss -m` says of both queues.
    pub fn sockets(&self) -> f64 {
        let mut command = self.server.command("ss");
        command.args(["-tmnH", "state", "all", &format!("sport = :{PORT}")]);
        let text = String::from_utf8(command.output().expect("ss").stdout).expect("text");
        let figures = text.split("skmem:(").skip(1).flat_map(|rest| {
            let inside = rest.split(')').next().unwrap_or_default();
            inside.split(',').filter_map(|part| {
                // Received, to be sent, and allocated ahead.
                let part = part.trim();
                let digits = part
                    .strip_prefix('r')
                    .or_else(|| part.strip_prefix('w'))
                    .or_else(|| part.strip_prefix('f'));
                digits.and_then(|digits| digits.parse::<u64>().ok())
            })
        });
        figures.sum::<u64>() as f64 / 1024.0 / 1024.0
    }

    /// Watches for so long, and returns the most that `what` was.
    pub fn most(&self, time: Duration, what: impl Fn(&Self) -> f64) -> f64 {
        let (start, mut most) = (Instant::now(), 0.0_f64);
        while start.elapsed() < time {
            most = most.max(what(self));
            std::thread::sleep(LOOK * 5);
        }
        most
    }

    /// Opens a TCP connection from this address of a host, to the server's of the same kind.
    pub fn connect_from(&self, from: IpAddr) -> std::io::Result<TcpStream> {
        let (from, mut to) = (SocketAddr::new(from, 0), self.address);
        if from.is_ipv6() {
            to.set_ip(self.server.v6().into());
        }
        let socket = socket2::Socket::new(socket2::Domain::for_address(from), socket2::Type::STREAM, None)?;
        socket.bind(&from.into())?;
        socket.connect(&to.into())?;
        Ok(socket.into())
    }
}

/// Gives a host so many further addresses, and returns them with its first.
pub fn addresses(host: &Host, count: u8) -> Vec<IpAddr> {
    let lines: Vec<String> = (0..count).map(|n| format!("addr add 10.77.1.{}/24 dev lan0", 50 + n)).collect();
    host.ip(&lines.join("\n"));
    (0..count).map(|n| IpAddr::from([10, 77, 1, 50 + n])).chain([host.v4().into()]).collect()
}

/// Gives a host so many further addresses of its local IPv6 network, and returns them.
pub fn near_addresses(host: &Host, count: u16) -> Vec<IpAddr> {
    let own: Vec<IpAddr> = (0..count).map(|n| format!("fd77:1::a:{n:x}").parse().unwrap()).collect();
    host.ip(&own.iter().map(|ip| format!("addr add {ip}/64 dev lan0 nodad\n")).collect::<String>());
    own
}

/// Two honest people who chat, and how long a message takes from one to the other.
pub struct Honest {
    alice: Peer,
    bob: Peer,
    said: usize,
}

impl Honest {
    pub fn join(host: &Host, address: SocketAddr) -> Self {
        host.run(|| {
            let (one, other) = (Key::new(), Key::new());
            let mut bob = Peer::join_with(address, "bob", &other);
            let mut alice = Peer::join_with(address, "alice", &one);
            bob.settle();
            alice.settle();
            Self { alice, bob, said: 0 }
        })
    }

    /// The slowest of so many messages, in ms. They keep to the pace that is allowed.
    pub fn slowest(&mut self, messages: usize) -> f64 {
        let mut slowest = Duration::ZERO;
        for _ in 0..messages {
            self.said += 1;
            let text = format!("honest {}", self.said);
            let start = Instant::now();
            self.alice.send(json!({"to": "bob", "msg": text}));
            self.bob.wait_until(|packet| packet["msg"] == text.as_str());
            slowest = slowest.max(start.elapsed());
            std::thread::sleep(Duration::from_millis(210));
        }
        slowest.as_secs_f64() * 1000.0
    }
}

/// Many honest people, who talk to each other in a ring.
pub struct Crowd {
    people: Vec<Peer>,
    said: usize,
}

impl Crowd {
    pub fn join(host: &Host, address: SocketAddr, count: usize) -> Self {
        let join = |n| Peer::join_with(address, &format!("honest{n}"), &Key::new());
        let mut people: Vec<Peer> = host.run(|| (0..count).map(join).collect());
        people.iter_mut().for_each(|peer| drop(peer.settle()));
        Self { people, said: 0 }
    }

    /// Each says something to the next; the slowest of these messages, in ms. They keep to the pace that
    /// is allowed to their one address, newcomers as they are: 33 a second.
    pub fn slowest_round(&mut self) -> f64 {
        self.said += 1;
        let count = self.people.len();
        let slowest = (0..count).map(|n| {
            let (text, next) = (format!("honest {} {n}", self.said), (n + 1) % count);
            let start = Instant::now();
            self.people[n].send(json!({"to": format!("honest{next}"), "msg": text}));
            self.people[next].wait_until(|packet| packet["msg"] == text.as_str());
            start.elapsed()
        });
        let slowest = slowest.max().unwrap_or_default();
        std::thread::sleep(Duration::from_secs(3));
        slowest.as_secs_f64() * 1000.0
    }

    /// How many are still here.
    pub fn present(&mut self) -> usize {
        let is_here =
            |peer: &mut Peer| std::panic::catch_unwind(AssertUnwindSafe(|| drop(peer.settle()))).is_ok();
        self.people.iter_mut().map(is_here).filter(|is_here| *is_here).count()
    }
}

/// How long a user takes to join, in ms; `None` if the server did not admit them.
pub fn join_time(host: &Host, address: SocketAddr, name: &str) -> Option<f64> {
    join_time_with(host, address, name, &Key::new())
}

/// The same with that key.
pub fn join_time_with(host: &Host, address: SocketAddr, name: &str, key: &Key) -> Option<f64> {
    let start = Instant::now();
    let join = AssertUnwindSafe(|| drop(Peer::join_with(address, name, key)));
    let joined = host.run(|| std::panic::catch_unwind(join).is_ok());
    joined.then(|| start.elapsed().as_secs_f64() * 1000.0)
}

/// How long a browser takes to load files of the page and to join with a key, in ms; `None`: it did not.
pub fn browse_time(host: &Host, address: SocketAddr, name: &str) -> Option<f64> {
    let start = Instant::now();
    let join = AssertUnwindSafe(|| {
        let mut stream = WebStream::connect(address, true);
        for file in ["/", "/main.js", "/style.css"] {
            let (head, _) = stream.ask(&format!("GET {file} HTTP/1.1\r\nHost: {address}\r\n\r\n"));
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        }
        drop(Browser::with_key(address, "/chat", &WebKey::new()).join(name));
    });
    let joined = host.run(|| std::panic::catch_unwind(join).is_ok());
    joined.then(|| start.elapsed().as_secs_f64() * 1000.0)
}
