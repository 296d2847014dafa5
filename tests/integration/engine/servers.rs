//! NATS servers on loopback, killed when dropped.

use crate::support::peer::DEADLINE;
use lanchat::engine::nats::EngineConfig;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

/// How often a port may be taken by someone else before the server has it.
const ATTEMPTS: usize = 5;

/// A server of one to three.
pub struct NatsServer {
    config: PathBuf,
    pub port: u16,
    pub monitor: u16,
    child: Option<Child>,
}

/// All servers of an engine.
pub struct Nats {
    pub servers: Vec<NatsServer>,
    /// Removed after the servers have ended.
    _dir: TempDir,
}

/// How to configure servers.
#[derive(Clone)]
pub struct Setup {
    pub count: usize,
    /// Goes into the part `jetstream`; `None`: there is no such part.
    pub jetstream: Option<String>,
    /// Goes to the end.
    pub more: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self { count: 1, jetstream: Some("sync_interval: always".to_owned()), more: String::new() }
    }
}

/// The version of a nats-server; `None`: there is no such program.
fn version(program: &str) -> Option<Vec<u32>> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (_, version) = text.trim().rsplit_once('v')?;
    Some(version.split(['.', '-']).map_while(|part| part.parse().ok()).collect())
}

/// The program that the variable names, or `nats-server`, if its version fits.
fn find(variable: &str, fits: fn(&[u32]) -> bool, what: &str) -> Option<String> {
    let named = std::env::var(variable).ok();
    let program = named.clone().unwrap_or_else(|| "nats-server".to_owned());
    if version(&program).is_some_and(|version| fits(&version)) {
        return Some(program);
    }
    assert!(named.is_none(), "{variable} is {program}, which is not {what}");
    eprintln!("skipped: there is no {what} here; name one with {variable}");
    None
}

fn new_program() -> Option<String> {
    find("LANCHAT_NATS_SERVER", is_new, "nats-server 2.10.23 or newer")
}

fn is_new(version: &[u32]) -> bool {
    version >= [2, 10, 23].as_slice()
}

/// Starts servers; `None`: the test is skipped.
pub fn nats(setup: &Setup) -> Option<Nats> {
    Some(Nats::start(&new_program()?, setup))
}

/// Starts a server that is too old; `None`: the test is skipped.
pub fn old_nats() -> Option<Nats> {
    let program = find("LANCHAT_OLD_NATS_SERVER", |version| !is_new(version), "nats-server before 2.10.23")?;
    Some(Nats::start(&program, &Setup { jetstream: Some(String::new()), ..Setup::default() }))
}

fn free_ports(count: usize) -> Vec<u16> {
    let sockets: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    sockets.iter().map(|socket| socket.local_addr().unwrap().port()).collect()
}

impl Nats {
    fn start(program: &str, setup: &Setup) -> Self {
        let started = (0..ATTEMPTS).find_map(|_| Self::try_start(program, setup));
        started.expect("servers that have their ports")
    }

    fn try_start(program: &str, setup: &Setup) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let ports = free_ports(3 * setup.count);
        let routes: Vec<String> =
            ports.chunks(3).map(|ports| format!("nats://127.0.0.1:{}", ports[2])).collect();
        let routes = routes.join(", ");
        let configured = ports.chunks(3).enumerate().map(|(number, ports)| {
            let (own, Setup { jetstream, more, .. }) = (dir.path().join(format!("n{number}")), setup);
            let [port, monitor, cluster] = ports[..] else { unreachable!() };
            let cluster = match setup.count {
                1 => String::new(),
                _ => format!("cluster {{ name: c, listen: \"127.0.0.1:{cluster}\", routes: [{routes}] }}"),
            };
            let jetstream = jetstream.as_ref().map_or_else(String::new, |jetstream| {
                format!("jetstream {{ store_dir: {own:?}, max_file: 8GB\n{jetstream} }}")
            });
            let text = format!(
                "listen: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\nserver_name: n{number}\n\
                 {jetstream}\n{cluster}\n{more}\n\
                 pid_file: {:?}\n",
                own.with_extension("pid")
            );
            let config = own.with_extension("conf");
            fs::write(&config, text).unwrap();
            NatsServer { config, port, monitor, child: None }
        });
        let mut nats = Self { servers: configured.collect(), _dir: dir };
        nats.servers.iter_mut().for_each(|server| server.start(program));
        let is_up = nats.servers.iter_mut().all(NatsServer::wait);
        is_up.then_some(nats)
    }

    pub fn config(&self, chat: &str, node: u8) -> EngineConfig {
        let urls = self.servers.iter().map(|server| format!("nats://127.0.0.1:{}", server.port)).collect();
        let monitors = self.servers.iter().map(|server| format!("127.0.0.1:{}", server.monitor)).collect();
        let replicas = u8::try_from(self.servers.len()).unwrap();
        EngineConfig { replicas, monitors, ..EngineConfig::new(urls, chat, node) }
    }

    pub fn server(&mut self, name: &str) -> &mut NatsServer {
        let number: usize = name.strip_prefix('n').unwrap().parse().unwrap();
        &mut self.servers[number]
    }

    /// A connection of the test's own.
    pub async fn client(&self) -> async_nats::Client {
        let urls: Vec<async_nats::ServerAddr> = self
            .servers
            .iter()
            .map(|server| format!("nats://127.0.0.1:{}", server.port).parse().unwrap())
            .collect();
        let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
        options.connect(urls).await.unwrap()
    }

    /// A request to JetStream that must succeed, repeated until the engine answers.
    pub async fn request(&self, subject: &str, body: &str) -> serde_json::Value {
        let client = self.client().await;
        let deadline = Instant::now() + DEADLINE;
        loop {
            let answer = client.request(subject.to_owned(), body.to_owned().into()).await;
            if let Ok(answer) = answer {
                let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
                let code = &answer["error"]["err_code"];
                if !matches!(code.as_u64(), Some(10008 | 10005)) {
                    assert!(answer.get("error").is_none(), "{subject}: {answer}");
                    return answer;
                }
            }
            assert!(Instant::now() < deadline, "{subject}: no answer");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// The name of the server that leads the chat's stream.
    pub async fn leader(&self, chat: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let info = self.request(&format!("$JS.API.STREAM.INFO.lanchat-{chat}"), "").await;
            match info["cluster"]["leader"].as_str() {
                Some(leader) if !leader.is_empty() => return leader.to_owned(),
                _ => assert!(Instant::now() < deadline, "no leader: {info}"),
            }
        }
    }
}

impl NatsServer {
    /// Starts the process, and does not wait for it.
    pub fn start(&mut self, program: &str) {
        let log = fs::File::create(self.config.with_extension("log")).unwrap();
        let mut command = Command::new(program);
        let command = command.arg("-c").arg(&self.config).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.child = Some(child);
    }

    pub fn restart(&mut self) {
        self.start(&new_program().unwrap());
    }

    /// Stops the process for a while: others see a server that does not answer, as behind a cut cable.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("a process");
        kill_process(Pid::from_child(child), signal).expect("it runs");
    }

    /// Waits until clients can connect; `false`: another process has one of its ports.
    fn wait(&mut self) -> bool {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if self.log().contains("Server is ready") {
                return true;
            }
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                assert!(self.log().contains("address already in use"), "{}", self.log());
                return false;
            }
            assert!(Instant::now() < deadline, "{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    fn log(&self) -> String {
        read(&self.config.with_extension("log"))
    }

    /// Ends it as a power cut of the process: nothing is written any more.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}
