//! Several servers with one chat, on a log in memory.

use super::server::TestServer;
use super::soon;
use lanchat::engine::memory::MemoryLog;
use lanchat::protocol::{NodePlace, Nodes};
use lanchat::server::{EngineSource, KEY_FILE, NodeAddress, NodeOptions, ServerOptions};
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub struct Cluster {
    pub log: MemoryLog,
    dir: TempDir,
    servers: Vec<Option<TestServer>>,
    /// Where the servers reach each other, which the first of them need before the others are there.
    pub addresses: Vec<NodeAddress>,
    /// For the servers that start from now on.
    pub change: fn(&mut ServerOptions),
}

impl Cluster {
    pub fn start(servers: u8) -> Self {
        Self::with(servers, |_| {})
    }

    pub fn with(servers: u8, change: fn(&mut ServerOptions)) -> Self {
        let first = |own: &Path| {
            // Its first start makes the key that all have.
            drop(TestServer::in_dir(own));
            fs::remove_file(own.join("history.db")).expect("a history");
            drop(fs::remove_file(own.join("history.last")));
        };
        Self::of(servers, change, first)
    }

    /// Servers that begin with the history of one alone. `begin` makes its data directory.
    pub fn from(servers: u8, begin: impl FnOnce(&Path)) -> Self {
        Self::of(servers, |_| {}, begin)
    }

    fn of(servers: u8, change: fn(&mut ServerOptions), begin: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let ports: Vec<_> = (0..servers).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
        let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
        let address = |listener| NodeAddress { host: "127.0.0.1".into(), port: port(listener) };
        let addresses = ports.iter().map(address).collect();
        let mut cluster = Self { log: MemoryLog::new(1), dir, servers: Vec::new(), addresses, change };
        let mut ports = ports.into_iter();
        let first = cluster.dir_of(0);
        fs::create_dir(&first).expect("a directory");
        begin(&first);
        for other in (1..servers).map(|number| cluster.dir_of(number)) {
            fs::create_dir(&other).expect("a directory");
            for file in [KEY_FILE, "history.db"].iter().filter(|file| first.join(file).exists()) {
                fs::copy(first.join(file), other.join(file)).expect("a copy");
            }
        }
        for number in 0..servers {
            cluster.servers.push(None);
            drop(ports.next());
            cluster.start_server(number);
        }
        cluster
    }

    pub fn dir_of(&self, number: u8) -> PathBuf {
        self.dir.path().join(number.to_string())
    }

    pub fn start_server(&mut self, number: u8) {
        let dir = self.dir_of(number);
        let server = start(&dir, number, (&self.log, &self.addresses), self.change);
        self.servers[usize::from(number)] = Some(server);
    }

    /// With which a server starts.
    pub fn options(&self, number: u8) -> ServerOptions {
        let mut options = ServerOptions { address: Some([127, 0, 0, 1].into()), ..ServerOptions::default() };
        set(&mut options, &self.dir_of(number), number, (&self.log, &self.addresses), self.change);
        options
    }

    /// Starts a copy of a server, which uses a connection to the log of its own.
    pub fn start_copy(&self, of: u8, own_end: u8) -> TestServer {
        let (dir, from) = (self.dir_of(own_end), self.dir_of(of));
        fs::create_dir(&dir).expect("a directory");
        for file in fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry").path()) {
            if file.file_name().is_some_and(|name| name != "lock") {
                fs::copy(&file, dir.join(file.file_name().expect("a name"))).expect("a copy");
            }
        }
        TestServer::with(|options| {
            set(options, &dir, of, (&self.log, &self.addresses), self.change);
            options.port = 0;
            if let Some(node) = &mut options.node {
                node.engine = EngineSource::Memory(own_end, self.log.clone());
            }
        })
    }

    /// Ends a server in good order.
    pub fn stop_server(&mut self, number: u8) {
        self.servers[usize::from(number)] = None;
    }

    /// The number of the server that leads, once one does.
    pub fn leader(&self) -> u8 {
        soon::until(|| {
            let numbered = (0..).zip(&self.servers);
            let mut running = numbered.filter_map(|(number, server)| Some((number, server.as_ref()?)));
            running.find(|(_, server)| server.handle.leads()).map(|(number, _)| number)
        })
    }

    /// The two others of three.
    pub fn others(&self, number: u8) -> [u8; 2] {
        [(number + 1) % 3, (number + 2) % 3]
    }

    pub fn server(&self, number: u8) -> &TestServer {
        self.servers[usize::from(number)].as_ref().expect("it runs")
    }

    pub fn address(&self, number: u8) -> SocketAddr {
        self.server(number).address
    }
}

/// `a`, `b` and so on, at their addresses.
fn nodes(number: u8, addresses: &[NodeAddress]) -> Nodes {
    let name = |number: u8| char::from(b'a' + number).to_string();
    let place = |(number, at): (u8, &NodeAddress)| NodePlace {
        node: name(number),
        address: [127, 0, 0, 1].into(),
        port: at.port,
    };
    Nodes::new(&name(number), (0..).zip(addresses).map(place).collect()).expect("valid names")
}

fn start(
    dir: &Path,
    number: u8,
    (log, addresses): (&MemoryLog, &[NodeAddress]),
    change: fn(&mut ServerOptions),
) -> TestServer {
    TestServer::with(|options| set(options, dir, number, (log, addresses), change))
}

fn set(
    options: &mut ServerOptions,
    dir: &Path,
    number: u8,
    (log, addresses): (&MemoryLog, &[NodeAddress]),
    change: fn(&mut ServerOptions),
) {
    options.data_dir = Some(dir.to_owned());
    let engine = EngineSource::Memory(number, log.clone());
    let (log, addresses) = ("6f1a0c2b3d4e5f60".into(), addresses.to_vec());
    options.port = addresses[usize::from(number)].port;
    options.nodes = Some(nodes(number, &addresses));
    options.node = Some(NodeOptions { names: Vec::new(), number, log, engine, addresses });
    change(options);
}
