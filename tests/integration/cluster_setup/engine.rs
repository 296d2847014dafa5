//! NATS servers that run with the settings that lanchat wrote, and a small client of theirs, straight on
//! rustls.

use crate::support::soon::until;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// The program's file, unless it is in the PATH.
const PROGRAM: &str = "LANCHAT_NATS_SERVER";

/// How long an answer may take before the question is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Every nats-server of this machine, with its version: that of the variable, of the PATH, and Debian's.
pub fn programs() -> Vec<(PathBuf, [u32; 3])> {
    let named = std::env::var_os(PROGRAM).map(PathBuf::from);
    let all = named.into_iter().chain(["nats-server", "/usr/sbin/nats-server"].map(PathBuf::from));
    all.filter_map(|path| version(&path).map(|version| (path, version))).collect()
}

fn version(path: &Path) -> Option<[u32; 3]> {
    let output = Command::new(path).arg("--version").stdin(Stdio::null()).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    let numbers = printed.trim().strip_prefix("nats-server: v")?.split(['.', '-', '+']);
    let numbers: Vec<u32> = numbers.take(3).map_while(|number| number.parse().ok()).collect();
    numbers.try_into().ok()
}

/// A version that lanchat works with; says if there is none.
pub fn current_program() -> Option<PathBuf> {
    let found = programs().into_iter().find(|(_, version)| *version >= [2, 10, 23]);
    if found.is_none() {
        let required = std::env::var("LANCHAT_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
        assert!(!required, "LANCHAT_REQUIRE_TOOLS=1, but there is no such nats-server here");
        eprintln!("skipped: there is no nats-server 2.10.23 or newer here; name one with {PROGRAM}");
    }
    found.map(|(path, _)| path)
}

/// A running NATS server; killed when dropped.
pub struct Engine {
    child: Child,
    log: PathBuf,
}

impl Engine {
    pub fn start(program: &Path, conf: &Path) -> Self {
        let log = conf.with_extension("log");
        let mut command = Command::new(program);
        command.arg("-c").arg(conf).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { child, log }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// A connection to the engine at `address`, with the certificate in `dir` if there is one there.
pub struct EngineClient {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
    pub info: Value,
}

impl EngineClient {
    /// # Errors
    /// If nobody listens, or either side refuses the other.
    pub fn connect(address: SocketAddr, ca: &Path, identity: Option<&Path>) -> io::Result<Self> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(AGAIN))?;
        // The server speaks first, before TLS. Byte by byte: what follows belongs to TLS.
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        let info = serde_json::from_slice(line.strip_prefix(b"INFO ").expect("an INFO"))?;
        let config = Arc::new(config(ca, identity));
        let connection = ClientConnection::new(config, ServerName::from(address.ip())).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        // The server looks at the certificate after the client's part of the handshake is done.
        stream.write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\nPING\r\n")?;
        let mut stream = BufReader::new(stream);
        let mut answer = String::new();
        stream.read_line(&mut answer)?;
        match answer.as_str() {
            "PONG\r\n" => Ok(Self { stream, info }),
            other => Err(io::Error::other(other.to_owned())),
        }
    }

    /// The answers to a question, at least `count` of them, or those within a while.
    pub fn ask(&mut self, subject: &str, body: &str, count: usize) -> Vec<Value> {
        let inbox = "_INBOX.test";
        let question = format!("SUB {inbox} 1\r\nPUB {subject} {inbox} {}\r\n{body}\r\n", body.len());
        self.stream.get_mut().write_all(question.as_bytes()).unwrap();
        let mut answers = Vec::new();
        while answers.len() < count {
            let mut line = String::new();
            match self.stream.read_line(&mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["MSG", .., size] => {
                    let mut content = vec![0; size.parse::<usize>().unwrap() + 2];
                    self.stream.read_exact(&mut content).unwrap();
                    answers.push(serde_json::from_slice(&content).unwrap());
                }
                // Nobody answers yet.
                ["HMSG", .., size] => {
                    let mut content = vec![0; size.parse::<usize>().unwrap() + 2];
                    self.stream.read_exact(&mut content).unwrap();
                    break;
                }
                _ => {}
            }
        }
        self.stream.get_mut().write_all(b"UNSUB 1\r\n").unwrap();
        answers
    }
}

fn config(ca: &Path, identity: Option<&Path>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    match identity {
        None => builder.with_no_client_auth(),
        Some(dir) => {
            let certificate = CertificateDer::from_pem_file(dir.join("engine-cert.pem")).unwrap();
            let key = PrivateKeyDer::from_pem_file(dir.join("engine-key.pem")).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    }
}

/// Asks until `answered` likes the answers, with a connection of its own for each attempt.
#[track_caller]
pub fn asked_until<T>(
    address: SocketAddr,
    (ca, identity): (&Path, &Path),
    (subject, body, count): (&str, &str, usize),
    mut answered: impl FnMut(Vec<Value>) -> Option<T>,
) -> T {
    until(|| {
        let mut client = EngineClient::connect(address, ca, Some(identity)).ok()?;
        answered(client.ask(subject, body, count))
    })
}
