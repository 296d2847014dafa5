//! A server's settings, and their defaults.

use super::data_dir::{DataDir, DataDirError};
use crate::chat::{FileRules, Rules};
use crate::engine::memory::MemoryLog;
#[cfg(feature = "nats")]
use crate::engine::nats::EngineConfig;
use crate::limits::{
    DEFAULT_BACKLOG_BYTES, DEFAULT_MAX_PER_ADDRESS, DEFAULT_MAX_TRANSFERS, DEFAULT_PORT, DEFAULT_RETAIN,
    DEFAULT_RETAIN_BYTES, FRAME_TIMEOUT, MIN_TRANSFER_RATE, REGISTRATION_TIMEOUT,
};
use crate::protocol::{Nodes, WebAccess};
use crate::security::Passphrase;
use crate::store::Retention;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A server's settings.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Shown to people.
    pub name: String,
    /// The address to listen on; `None`: all addresses of the machine.
    pub address: Option<IpAddr>,
    /// 0: any free port.
    pub port: u16,
    /// Maximum clients at a time; `None`: the default, or fewer if the process may not open so many files.
    pub max_clients: Option<usize>,
    /// Bytes that may wait for a client that does not read.
    pub backlog: usize,
    /// Bytes that the process may use; `None`: the system's limit.
    pub memory: Option<u64>,
    /// The directory for the server's key and database; `None`: nothing is kept, and each start has a new key.
    pub data_dir: Option<PathBuf>,
    /// The message of the day; empty for none.
    pub motd: String,
    /// How long a session has to send its first packet.
    pub registration: Duration,
    /// How long a frame may take from its first byte to its last.
    pub frame: Duration,
    /// Whether to accept connections without TLS.
    pub plaintext: bool,
    /// How to serve browsers; `None`: not at all.
    pub web: Option<WebOptions>,
    /// Everyone, or only members.
    pub access: JoinPolicy,
    /// Connections that one address may always have, however full the server is; `None`: no limit.
    pub max_per_address: Option<usize>,
    /// How long to keep messages in the data directory; `None`: keep no messages, mail or rooms.
    pub history: Option<Retention>,
    /// The address at which to serve metrics; `None`: none.
    pub metrics: Option<SocketAddr>,
    /// Whether clients may ask for a multicast test; otherwise the server opens no multicast socket.
    pub multicast: bool,
    /// How files may be sent; `None`: not at all.
    pub files: Option<FileOptions>,
    /// The servers of its chat, itself among them, all with one key and one `name`; `None`: there is only this one.
    pub nodes: Option<Nodes>,
    /// The rules of the chat.
    pub rules: Rules,
    /// The other servers of the chat; `None`: it is the only one.
    pub node: Option<NodeOptions>,
}

/// How a server shares its chat with others. It keeps a history.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// The names of all servers, sorted.
    pub names: Vec<String>,
    /// Its number among the servers: its place in that list.
    pub number: u8,
    /// The incarnation of the history, the same at all servers.
    pub log: String,
    pub engine: EngineSource,
    /// Where the servers reach each other, by number.
    pub addresses: Vec<NodeAddress>,
}

/// Where the other servers of the chat reach a server: its host and its port for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAddress {
    /// A name, or an address.
    pub host: String,
    pub port: u16,
}

/// Where the servers' log is.
#[derive(Debug, Clone)]
pub enum EngineSource {
    /// In this process, for tests, with the server's number.
    Memory(u8, MemoryLog),
    /// On NATS JetStream.
    #[cfg(feature = "nats")]
    Nats(Box<EngineConfig>),
}

/// How users may send each other files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileOptions {
    /// Transfers at a time, and the biggest size.
    pub rules: FileRules,
    /// Bytes per second over all transfers; `None`: as fast as the network is.
    pub rate: Option<u64>,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self { rules: FileRules { max_transfers: DEFAULT_MAX_TRANSFERS, max_bytes: None }, rate: None }
    }
}

impl FileOptions {
    /// The rules, limited to the transfers for which the rate is enough.
    pub(super) fn bounded_rules(&self) -> FileRules {
        let enough = self.rate.map_or(u64::MAX, |rate| rate / MIN_TRANSFER_RATE).max(1);
        let most = usize::try_from(enough).unwrap_or(usize::MAX);
        FileRules { max_transfers: self.rules.max_transfers.min(most), ..self.rules }
    }
}

/// How to serve browsers.
#[derive(Debug, Clone)]
pub struct WebOptions {
    pub mode: WebAccess,
    /// Names by which browsers may call the server, besides addresses, `localhost` and those in `.local`.
    pub hosts: Vec<String>,
    /// This machine's addresses, for the certificate.
    pub addresses: Vec<IpAddr>,
    /// The files of a certificate that an authority has made and of its key; `None`: the server makes its own.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Makes the server's name in `.local` from its display name, its id, and its name within its chat.
    pub local_name: fn(&str, &str, Option<&str>) -> String,
}

/// Whether everyone may join the server, or only members.
#[derive(Debug, Clone, Default)]
pub enum JoinPolicy {
    /// Everyone.
    #[default]
    Open,
    /// Members, and anyone who proves that they know this passphrase.
    Closed(Passphrase),
    /// The same, with the passphrase that is in this file.
    ClosedByFile(Passphrase, PathBuf),
    /// The same, with the passphrase in the data directory, which the first start generates.
    ClosedByOwn,
}

impl JoinPolicy {
    /// The file with the passphrase, if it is not in the data directory.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::ClosedByFile(_, file) => Some(file),
            Self::Open | Self::Closed(_) | Self::ClosedByOwn => None,
        }
    }

    pub(super) fn passphrase(&self, data_dir: &DataDir) -> Result<Option<Passphrase>, DataDirError> {
        Ok(match self {
            Self::Open => None,
            Self::Closed(passphrase) | Self::ClosedByFile(passphrase, _) => Some(passphrase.clone()),
            Self::ClosedByOwn => Some(data_dir.passphrase()?),
        })
    }
}

impl ServerOptions {
    pub(super) fn file_rate(&self) -> Option<u64> {
        self.files.and_then(|files| files.rate)
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            name: "lanchat".into(),
            address: None,
            port: DEFAULT_PORT,
            max_clients: None,
            backlog: DEFAULT_BACKLOG_BYTES,
            memory: None,
            data_dir: None,
            motd: String::new(),
            registration: REGISTRATION_TIMEOUT,
            frame: FRAME_TIMEOUT,
            plaintext: false,
            web: None,
            access: JoinPolicy::Open,
            max_per_address: Some(DEFAULT_MAX_PER_ADDRESS),
            history: Some(Retention { age: Some(DEFAULT_RETAIN), bytes: Some(DEFAULT_RETAIN_BYTES) }),
            metrics: None,
            multicast: false,
            files: Some(FileOptions::default()),
            nodes: None,
            rules: Rules::default(),
            node: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_rate_is_for_as_many_transfers_as_get_enough() {
        let files = |rate, max_transfers| {
            let rules = FileRules { max_transfers, max_bytes: None };
            FileOptions { rules, rate }.bounded_rules().max_transfers
        };
        assert_eq!(files(None, 5000), 5000);
        assert_eq!(files(Some(64 * 1024), 90), 90);
        assert_eq!(files(Some(64 * 1024), 5000), 128);
        assert_eq!(files(Some(1), 5000), 1);
    }
}
