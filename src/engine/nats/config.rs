//! How a node reaches the engine, and the log that it wants there.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How long the log keeps a record: so long can a node be away, and catch up by itself.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Size of the log, in bytes. At 256 KiB a record, the largest, 16,000 records.
pub const DEFAULT_MAX_BYTES: u64 = 4 << 30;

/// Longest chat id, in characters. It is a part of the names of a stream and of subjects.
const MAX_CHAT_CHARS: usize = 64;

/// A node's access to the engine.
#[derive(Clone)]
pub struct EngineConfig {
    /// Where the engine's servers listen, such as `nats://192.168.1.21:4222`. They may contain a password.
    pub urls: Vec<String>,
    /// The chat's id: letters, digits, `-` and `_`. Each chat has a log of its own.
    pub chat: String,
    /// This node.
    pub node: u8,
    /// How many of the engine's servers keep the log: 1, 3 or 5.
    pub replicas: u8,
    /// For a connection that is encrypted and authenticates both ends.
    pub tls: Option<TlsFiles>,
    /// Addresses of the engine's monitoring ports, such as `127.0.0.1:8222`: for checks whether the servers sync each
    /// record to their disks, if this client's account may not ask the servers over the connection.
    pub monitors: Vec<String>,
    /// The log deletes older records.
    pub max_age: Duration,
    /// The log deletes the oldest records beyond this.
    pub max_bytes: u64,
}

/// PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate that has signed those of the engine's servers.
    pub authority: PathBuf,
    /// This node's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Whether the node may create the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// Only for a node that has read nothing yet: a log that is created again contradicts what it has read.
    IfAbsent,
    Never,
}

/// Why the node cannot use the engine: a sentence with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EngineFault(pub String);

impl EngineConfig {
    /// With the default limits, one replica, and without TLS.
    pub fn new(urls: Vec<String>, chat: &str, node: u8) -> Self {
        let (max_age, max_bytes) = (DEFAULT_MAX_AGE, DEFAULT_MAX_BYTES);
        let (tls, monitors) = (None, Vec::new());
        Self { urls, chat: chat.to_owned(), node, replicas: 1, tls, monitors, max_age, max_bytes }
    }

    pub fn stream(&self) -> String {
        format!("lanchat-{}", self.chat)
    }

    pub(super) fn log_subject(&self) -> String {
        format!("lanchat.{}.log", self.chat)
    }

    /// Under it are the log's answers to all appends.
    pub(super) fn answers_subject(&self) -> String {
        format!("lanchat.{}.answers", self.chat)
    }

    /// Where the engine says that the log has another leader.
    pub(super) fn elections_subject(&self) -> String {
        format!("$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.{}", self.stream())
    }

    pub(super) fn node_subject(&self, node: u8) -> String {
        format!("lanchat.{}.node.{node}", self.chat)
    }

    pub(super) fn all_subject(&self) -> String {
        format!("lanchat.{}.all", self.chat)
    }

    /// # Errors
    ///
    /// If a value is invalid or a file is not readable.
    pub(super) fn check(&self) -> Result<(), EngineFault> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.chat.is_empty() || self.chat.len() > MAX_CHAT_CHARS || !self.chat.chars().all(is_part) {
            let chat = &self.chat;
            return Err(EngineFault(format!(
                "invalid chat id {chat:?}; use 1 to {MAX_CHAT_CHARS} letters, digits, - and _"
            )));
        }
        if !matches!(self.replicas, 1 | 3 | 5) {
            let replicas = self.replicas;
            return Err(EngineFault(format!(
                "{replicas} replicas cannot outvote a failed one; use 1, 3 or 5"
            )));
        }
        if self.urls.is_empty() {
            return Err(EngineFault(
                "the engine has no address; add one, such as nats://HOST:4222".to_owned(),
            ));
        }
        let files = self.tls.iter().flat_map(|tls| [&tls.authority, &tls.certificate, &tls.key]);
        for file in files {
            std::fs::File::open(file).map_err(|error| {
                EngineFault(format!("cannot read {}: {error}; correct its path or owner", file.display()))
            })?;
        }
        Ok(())
    }

    /// The addresses without passwords.
    pub(super) fn shown_urls(&self) -> Vec<String> {
        self.urls.iter().map(|url| shown(url)).collect()
    }
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineConfig")
            .field("urls", &self.shown_urls())
            .field("chat", &self.chat)
            .field("node", &self.node)
            .field("replicas", &self.replicas)
            .field("tls", &self.tls)
            .field("monitors", &self.monitors)
            .field("max_age", &self.max_age)
            .field("max_bytes", &self.max_bytes)
            .finish()
    }
}

/// An address without its user and password.
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> EngineConfig {
        EngineConfig::new(vec!["nats://user:secret@10.0.0.1:4222".to_owned()], "office-3f9a1c77", 0)
    }

    #[test]
    fn passwords_are_not_shown() {
        let shown = format!("{:?}", config());
        assert!(!shown.contains("secret") && shown.contains("nats://10.0.0.1:4222"), "{shown}");
    }

    #[test]
    fn invalid_values_are_refused_with_a_remedy() {
        assert_eq!(config().check(), Ok(()));
        let refused = |change: fn(&mut EngineConfig)| {
            let mut config = config();
            change(&mut config);
            config.check().unwrap_err().0
        };
        assert!(refused(|config| config.replicas = 2).ends_with("use 1, 3 or 5"));
        assert!(refused(|config| config.chat = "a.b".to_owned()).contains("use 1 to 64 letters"));
        assert!(refused(|config| config.urls.clear()).contains("add one"));
        let tls = |config: &mut EngineConfig| {
            let none = PathBuf::from("/nonexistent.pem");
            config.tls = Some(TlsFiles { authority: none.clone(), certificate: none.clone(), key: none });
        };
        assert!(refused(tls).contains("cannot read /nonexistent.pem"));
    }
}
