//! A real NATS server with the settings that `lanchat cluster` writes, for all servers of the process's tests: each has
//! a log of its own.

use super::peer::DEADLINE;
use lanchat::cluster_files::EngineFile;
use lanchat::engine::nats::{EngineConfig, TlsFiles};
use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How often a port may be taken by someone else before the server has it.
const ATTEMPTS: usize = 5;

/// Ends the server and deletes its files once the process of the tests has ended, however it did: then its input ends.
const KEEPER: &str =
    r#"trap '' INT; "$0" -c "$1" & server=$!; read -r _; kill $server; wait $server; rm -rf "$2""#;

/// Where nobody serves people: the welcome names it.
const NO_PORT: &str = "1";

pub struct OneEngine {
    dir: PathBuf,
    port: u16,
    /// Its input is open as long as this process is there.
    _keeper: Child,
    /// The number of each data directory's log.
    logs: Mutex<HashMap<PathBuf, usize>>,
}

impl OneEngine {
    pub fn start() -> Self {
        let program = std::env::var("LANCHAT_NATS_SERVER").unwrap_or_else(|_| "nats-server".into());
        let started = (0..ATTEMPTS).find_map(|_| Self::try_start(&program));
        started.expect("a nats-server 2.10.23 or newer, which LANCHAT_NATS_SERVER names")
    }

    fn try_start(program: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let at = port.to_string();
        let new = ["new", "test", "--box", "a=127.0.0.1", "--port", NO_PORT, "--engine-port", &at];
        for args in [&new[..], &["join", "a.join", "--data-dir", "data", "--out", "engine"]] {
            let mut lanchat = Command::new(env!("CARGO_BIN_EXE_lanchat"));
            lanchat.arg("cluster").args(args).env("HOME", dir.path()).current_dir(&dir);
            let made = lanchat.output().expect("the program");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let conf = dir.path().join("engine/nats-server.conf");
        let (text, bound) = (fs::read_to_string(&conf).expect("settings"), "max_file: ");
        // The space is reserved for each log, and no test uses much of it.
        assert!(text.contains(bound), "{text}");
        fs::write(&conf, text.replacen(bound, "max_file: 9000TB # ", 1)).expect("settings");
        let log = dir.path().join("log");
        let mut keeper = Command::new("sh");
        let keeper = keeper.args(["-c", KEEPER, program]).arg(&conf).arg(dir.path()).stdin(Stdio::piped());
        let file = fs::File::create(&log).expect("a log");
        let keeper = keeper.stdout(Stdio::null()).stderr(file).spawn().expect("a shell");
        let dir = dir.keep();
        is_ready(&log).then(|| Self { dir, port, _keeper: keeper, logs: Mutex::default() })
    }

    /// Whether this thread's network has it.
    pub fn is_near(&self) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
    }

    /// A data directory's access to the engine, for a server in this process.
    pub fn config(&self, data_dir: &Path) -> EngineConfig {
        let tls = ["engine-ca.pem", "engine-cert.pem", "engine-key.pem"]
            .map(|name| self.dir.join("data").join(name));
        let [authority, certificate, key] = tls;
        let tls = Some(TlsFiles { authority, certificate, key });
        let (urls, chat) = (self.engine_file().engine.urls, format!("{:016x}", self.log_of(data_dir)));
        EngineConfig { tls, ..EngineConfig::new(urls, &chat, 0) }
    }

    /// A data directory's engine file, for a server that is a process of its own, and is called `name`.
    pub fn file(&self, data_dir: &Path, name: Option<&str>) -> PathBuf {
        let own = self.dir.join("data").join(self.log_of(data_dir).to_string());
        fs::create_dir_all(&own).expect("a directory");
        // The log's id is that of the authority's file.
        let authority = fs::read_to_string(self.dir.join("data/engine-ca.pem")).expect("a certificate");
        let mark = format!("{}\n{authority}", own.display());
        fs::write(own.join("engine-ca.pem"), mark).expect("a certificate");
        let mut file = self.engine_file();
        file.chat = name.unwrap_or(&file.chat).to_owned();
        file.engine.tls.as_mut().expect("certificates").ca = own.join("engine-ca.pem");
        fs::write(own.join("engine.toml"), file.text().expect("plain paths").as_bytes())
            .expect("an engine file");
        own.join("engine.toml")
    }

    fn engine_file(&self) -> EngineFile {
        EngineFile::read(&self.dir.join("data/engine.toml")).expect("an engine file")
    }

    fn log_of(&self, data_dir: &Path) -> usize {
        let mut logs = self.logs.lock().expect("no panic");
        let next = logs.len() + 1;
        *logs.entry(data_dir.to_owned()).or_insert(next)
    }
}

/// Waits until clients can connect; `false`: another process has one of its ports.
fn is_ready(log: &Path) -> bool {
    let end = Instant::now() + DEADLINE;
    loop {
        let said = fs::read_to_string(log).expect("a log");
        if said.contains("Server is ready") {
            return true;
        }
        if said.contains("address already in use") {
            return false;
        }
        assert!(Instant::now() < end, "{said}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
