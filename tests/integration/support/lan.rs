//! A local network made of anonymous network namespaces: hosts with addresses, joined by a switch.
//!
//! Nothing here has a name outside this process, so parallel tests cannot meet, nothing is left
//! behind when a test is killed, and the machine's own interfaces are never touched.
//!
//! ```ignore
//! let Some(lan) = Lan::new() else { return };     // says why it skips; fails if LANCHAT_REQUIRE_LAN=1
//! let (server, client) = (lan.host(), lan.host());
//! let _serve = server.spawn(server.command(env!("CARGO_BIN_EXE_lanchat")).arg("serve"));
//! let found = client.block_on(async || find_it().await);
//! ```
//!
//! On systems other than Linux every `Lan::new` skips.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Child, Command};

#[cfg(target_os = "linux")]
#[path = "lan/namespace.rs"]
mod namespace;
#[cfg(not(target_os = "linux"))]
#[path = "lan/nowhere.rs"]
mod namespace;

use namespace::Namespace;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// The environment variable that turns a skipped network test into a failed one.
const REQUIRE: &str = "LANCHAT_REQUIRE_LAN";

/// How long a link may take to come up.
const LINK_DEADLINE: Duration = Duration::from_secs(10);

/// A switch, to which hosts are plugged.
pub struct Lan {
    switch: Namespace,
    /// Third byte of its IPv4 network and second group of its ULA, so that two networks differ.
    subnet: u8,
    ports: AtomicU8,
}

/// Which addresses a host gets on a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// IPv4, a unique local IPv6 address and a link-local one.
    Dual,
    /// IPv4 only.
    V4,
    /// Nothing but an `fe80::` address.
    LinkLocal,
    /// None at all, as for a port of a bridge.
    None,
}

/// A machine of its own: loopback, and `lan0` on the network that made it.
pub struct Host {
    namespace: Namespace,
    number: u8,
    subnet: u8,
}

/// A child process that ends with the test.
pub struct Running(pub(crate) Child);

impl Lan {
    /// A network without hosts, 10.77.1.0/24 and fd77:1::/64. `None`, with the reason printed, where
    /// namespaces cannot be had; a panic there if `LANCHAT_REQUIRE_LAN=1`.
    pub fn new() -> Option<Lan> {
        Lan::numbered(1)
    }

    /// The same, 10.77.`subnet`.0/24 and fd77:`subnet`::/64, for tests with several networks.
    pub fn numbered(subnet: u8) -> Option<Lan> {
        match Namespace::new() {
            Ok(switch) => {
                switch.ip("link add br0 type bridge mcast_snooping 0 forward_delay 0\n\
                     link set br0 addrgenmode none\n\
                     link set br0 up");
                Some(Lan { switch, subnet, ports: AtomicU8::new(0) })
            }
            Err(reason) if std::env::var_os(REQUIRE).is_some_and(|value| value == "1") => {
                panic!("{REQUIRE}=1, but no network namespaces here: {reason}")
            }
            Err(reason) => {
                eprintln!("skipped: no network namespaces here: {reason}");
                None
            }
        }
    }

    /// A new host with all kinds of addresses on `lan0`, ready to use.
    pub fn host(&self) -> Host {
        self.host_with(Addressing::Dual)
    }

    /// A new host with such addresses on `lan0`, ready to use.
    pub fn host_with(&self, addressing: Addressing) -> Host {
        let host = self.unplugged();
        self.plug(&host, "lan0", addressing);
        host
    }

    /// A new host that has a loopback interface and nothing else, to be plugged in later.
    pub fn unplugged(&self) -> Host {
        let namespace = Namespace::new().expect("a second namespace");
        namespace.ip("link set lo up");
        let number = self.ports.fetch_add(1, Ordering::Relaxed) + 1;
        Host { namespace, number, subnet: self.subnet }
    }

    /// Connects a host of this or another network to this one as interface `nic`, and waits until
    /// the link is up. The result is the IPv4 address that the host has here.
    pub fn plug(&self, host: &Host, nic: &str, addressing: Addressing) -> Ipv4Addr {
        let port = self.ports.fetch_add(1, Ordering::Relaxed) + 1;
        let peer = host.namespace.path();
        self.switch.ip(&format!(
            "link add p{port} type veth peer name {nic} netns {}\n\
             link set p{port} addrgenmode none\n\
             link set p{port} master br0\n\
             link set p{port} up",
            peer.display()
        ));
        host.ip(&format!("link set {nic} addrgenmode none"));
        let net = self.subnet;
        let number = if host.subnet == net { host.number } else { port };
        if matches!(addressing, Addressing::Dual | Addressing::V4) {
            host.ip(&format!("addr add 10.77.{net}.{number}/24 dev {nic}"));
        }
        if addressing == Addressing::Dual {
            host.ip(&format!("addr add fd77:{net}::{number}/64 dev {nic} nodad"));
        }
        if matches!(addressing, Addressing::Dual | Addressing::LinkLocal) {
            host.ip(&format!("addr add fe80::{net}:{number}/64 dev {nic} nodad"));
        }
        host.link_up(nic);
        Ipv4Addr::new(10, 77, net, number)
    }

    /// Takes the cable of a host that was made with addresses out of the switch, which nobody is told.
    #[allow(dead_code, reason = "the crash bench uses it")]
    pub fn cut(&self, host: &Host) {
        self.switch.ip(&format!("link set p{} nomaster", host.number + 1));
    }

    /// Plugs it in again.
    #[allow(dead_code, reason = "the crash bench uses it")]
    pub fn heal(&self, host: &Host) {
        self.switch.ip(&format!("link set p{} master br0", host.number + 1));
    }

    /// Puts port isolation on all hosts plugged in so far, like a guest Wi-Fi: they reach nobody.
    pub fn isolate(&self) {
        let links = self.switch.output("ip", &["-br", "link", "show", "master", "br0"]);
        for port in links.lines().filter_map(|line| line.split('@').next()) {
            self.switch.ip(&format!("link set {port} type bridge_slave isolated on"));
        }
    }
}

impl Host {
    /// Its IPv4 address on the network that made it.
    pub fn v4(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, self.subnet, self.number)
    }

    /// Its unique local IPv6 address there.
    pub fn v6(&self) -> Ipv6Addr {
        format!("fd77:{}::{}", self.subnet, self.number).parse().unwrap()
    }

    /// Its link-local IPv6 address there; a peer needs its own interface's number beside it.
    pub fn link_local(&self) -> Ipv6Addr {
        format!("fe80::{}:{}", self.subnet, self.number).parse().unwrap()
    }

    /// All three addresses, for comparisons.
    pub fn addrs(&self) -> [IpAddr; 3] {
        [self.v4().into(), self.v6().into(), self.link_local().into()]
    }

    /// Runs the closure on this host, in a thread of its own. Threads and processes that it starts
    /// are on this host too.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.namespace.run(work)
    }

    /// Runs a future on this host, on a runtime of its own. Like the program, it does not wait for a lookup whose
    /// name server is silent.
    pub fn block_on<T: Send>(&self, work: impl AsyncFnOnce() -> T + Send) -> T {
        self.run(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            let result = runtime.block_on(work());
            runtime.shutdown_background();
            result
        })
    }

    /// A command that will run on this host, from whatever thread it is started.
    pub fn command(&self, program: &str) -> Command {
        let mut words = self.prefix();
        let mut command = Command::new(words.remove(0));
        command.args(words).arg(program);
        command
    }

    /// The words to put before a command line so that it runs on this host (for pty libraries that
    /// have a command type of their own).
    pub fn prefix(&self) -> Vec<String> {
        vec!["nsenter".into(), format!("--net={}", self.namespace.path().display()), "--".into()]
    }

    /// Starts a command made by [`Host::command`]; it is killed when the result is dropped.
    pub fn spawn(&self, command: &mut Command) -> Running {
        Running(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Runs `ip` on this host with these lines, each one command of it; panics if it fails.
    pub fn ip(&self, lines: &str) {
        self.namespace.ip(lines);
    }

    /// Loads this nftables script on this host; panics if it is refused.
    pub fn nft(&self, script: &str) {
        self.namespace.feed("nft", &["-f", "-"], script);
    }

    /// Takes an interface up and waits until it is seen as running.
    pub fn link_up(&self, nic: &str) {
        self.ip(&format!("link set {nic} up"));
        let deadline = Instant::now() + LINK_DEADLINE;
        // The state follows the change by up to a second, and mDNS passes over what is not up.
        while !self.namespace.output("ip", &["link", "show", nic]).contains("state UP") {
            assert!(Instant::now() < deadline, "{nic} did not come up");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Takes an interface down. Its IPv6 addresses are lost, as always with Linux.
    pub fn link_down(&self, nic: &str) {
        self.ip(&format!("link set {nic} down"));
    }

    /// A bridge that is up with an address and has nobody on it, as container engines leave them.
    pub fn add_dead_bridge(&self) {
        self.ip("link add docker0 type bridge\n\
             addr add 172.17.0.1/16 dev docker0\n\
             link set docker0 up");
    }

    /// A bridge that is running, with a container's cable in it that nobody answers.
    pub fn add_container_bridge(&self) {
        self.ip("link add br-4f5e type bridge\n\
             addr add 172.18.0.1/16 dev br-4f5e\n\
             link add veth0a type veth peer name veth0b\n\
             link set veth0a master br-4f5e\n\
             link set veth0b up\n\
             link set veth0a up");
        self.link_up("br-4f5e");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has ended already, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
