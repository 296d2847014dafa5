//! The engine file, `engine.toml`: what a server of several needs at each start. `lanchat cluster join` writes
//! it, and administrators may change it. It names secrets, and holds none.

use super::error::ClusterFileError;
use super::servers::{ClusterServer, NodeName, ServerList};
use super::text_file::FileKind;
use crate::files;
use crate::limits::{CLUSTER_SIZES, MAX_CLUSTER_FILE_BYTES};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const KIND: FileKind = FileKind {
    what: "engine file",
    key: "lanchat-engine",
    version: 1,
    if_other: "name the engine.toml that `lanchat cluster join` has written",
    if_wrong: "correct it, or move it away and run `lanchat cluster join` again",
};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFile {
    /// The name of the chat, the same on all servers.
    pub chat: String,
    /// This server.
    pub server: NodeName,
    /// All servers, this one included.
    pub servers: ServerList,
    /// Their port for people.
    pub port: u16,
    /// The server whose history becomes that of the chat; `None`: the chat is new.
    pub history_from: Option<NodeName>,
    pub engine: EngineAccess,
}

/// How to reach the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineAccess {
    /// `tls://HOST:PORT`, or `nats://HOST:PORT` without encryption; this server's own engine is the first one.
    pub urls: Vec<String>,
    /// How many engines keep the log.
    pub replicas: usize,
    /// `None`: no encryption.
    pub tls: Option<EngineTlsFiles>,
}

/// The files with certificates in PEM. If the engine file names them without a directory, they are beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineTlsFiles {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct EngineText {
    #[serde(rename = "lanchat-engine", skip_serializing)]
    _version: u32,
    chat: String,
    server: NodeName,
    servers: Vec<ClusterServer>,
    port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    history_from: Option<NodeName>,
    engine: EngineTable,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct EngineTable {
    urls: Vec<String>,
    replicas: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<PathBuf>,
}

impl EngineFile {
    /// Reads an engine file.
    ///
    /// # Errors
    /// See [`ClusterFileError`].
    pub fn read(path: &Path) -> Result<Self, ClusterFileError> {
        let text: EngineText = KIND.read(path, content(path))?;
        let wrong = |why: String| KIND.wrong(path, None, why);
        let servers = ServerList::new(text.servers).map_err(|error| wrong(format!("is wrong: {error}")))?;
        let known = |name: &NodeName| match servers.find(name) {
            Some(_) => Ok(()),
            None => Err(wrong(format!("names the server {name}, which is not in its list of servers"))),
        };
        known(&text.server)?;
        text.history_from.as_ref().map_or(Ok(()), known)?;
        let engine = engine(text.engine, path.parent().unwrap_or(Path::new(""))).map_err(wrong)?;
        if text.port == 0 {
            return Err(wrong("has port 0, which the other servers cannot reach".into()));
        }
        let (chat, server, port) = (text.chat, text.server, text.port);
        Ok(Self { chat, server, servers, port, history_from: text.history_from, engine })
    }

    /// The number of this server: its place in the list.
    pub fn number(&self) -> u8 {
        let place = self.servers.as_slice().iter().position(|server| server.name == self.server);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default()
    }

    /// The file's text, with the paths as they are.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn text(&self) -> Result<Zeroizing<String>, toml::ser::Error> {
        let tls = self.engine.tls.as_ref();
        let about = format!(
            "Engine file of the server {} of the chat {:?}, for `lanchat serve --engine-file`.\n\
             The servers, the port and history-from must be the same on all servers.",
            self.server, self.chat
        );
        let text = EngineText {
            _version: KIND.version,
            chat: self.chat.clone(),
            server: self.server.clone(),
            servers: self.servers.clone().into(),
            port: self.port,
            history_from: self.history_from.clone(),
            engine: EngineTable {
                urls: self.engine.urls.clone(),
                replicas: self.engine.replicas,
                ca: tls.map(|tls| tls.ca.clone()),
                certificate: tls.map(|tls| tls.certificate.clone()),
                key: tls.map(|tls| tls.key.clone()),
            },
        };
        KIND.text(&about, &text)
    }
}

fn content(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let content = files::read_named(path, MAX_CLUSTER_FILE_BYTES + 1)?;
    match content.len() > MAX_CLUSTER_FILE_BYTES {
        true => Err(files::too_long(MAX_CLUSTER_FILE_BYTES)),
        false => Ok(content),
    }
}

/// Checks the table, and completes paths with the file's directory. An error continues "the engine file PATH".
fn engine(table: EngineTable, dir: &Path) -> Result<EngineAccess, String> {
    let EngineTable { urls, replicas, ca, certificate, key } = table;
    if !CLUSTER_SIZES.contains(&replicas) {
        return Err(format!("has {replicas} replicas, and a log has 1, 3 or 5"));
    }
    let tls = match (ca, certificate, key) {
        (Some(ca), Some(certificate), Some(key)) => {
            let [ca, certificate, key] = [ca, certificate, key].map(|path| dir.join(path));
            Some(EngineTlsFiles { ca, certificate, key })
        }
        (None, None, None) => None,
        _ => return Err("needs all of ca, certificate and key, or none of them".into()),
    };
    let scheme = if tls.is_some() { "tls://" } else { "nats://" };
    let is_good = |url: &String| {
        let place = url.strip_prefix(scheme).and_then(|place| place.rsplit_once(':'));
        place.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
    };
    match urls.iter().find(|url| !is_good(url)) {
        _ if urls.is_empty() => Err("has no urls of the engine".into()),
        Some(url) => Err(format!("has the URL {url:?}, and expects {scheme}HOST:PORT")),
        None => Ok(EngineAccess { urls, replicas, tls }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> EngineFile {
        let servers = ["a=10.0.0.1", "b=10.0.0.2", "c=fd00::3"].map(|text| text.parse().unwrap());
        EngineFile {
            chat: "office".into(),
            server: "c".parse().unwrap(),
            servers: ServerList::new(servers.into()).unwrap(),
            port: 7667,
            history_from: Some("a".parse().unwrap()),
            engine: EngineAccess {
                urls: vec!["tls://[fd00::3]:4222".into(), "tls://10.0.0.1:4222".into()],
                replicas: 3,
                tls: Some(EngineTlsFiles {
                    ca: "engine-ca.pem".into(),
                    certificate: "engine-cert.pem".into(),
                    key: "/etc/other/key.pem".into(),
                }),
            },
        }
    }

    fn read_in(dir: &Path, text: &str) -> Result<EngineFile, String> {
        let path = dir.join("engine.toml");
        std::fs::write(&path, text).unwrap();
        let shown = path.display().to_string();
        EngineFile::read(&path).map_err(|error| error.to_string().replace(&shown, "PATH"))
    }

    fn read(text: &str) -> Result<EngineFile, String> {
        read_in(tempfile::tempdir().unwrap().path(), text)
    }

    #[test]
    fn a_file_that_was_written_reads_as_it_was_and_names_files_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let read = read_in(dir.path(), &sample().text().unwrap()).unwrap();
        let tls = EngineTlsFiles {
            ca: dir.path().join("engine-ca.pem"),
            certificate: dir.path().join("engine-cert.pem"),
            key: "/etc/other/key.pem".into(),
        };
        let engine = EngineAccess { tls: Some(tls), ..sample().engine };
        assert_eq!(read, EngineFile { engine, ..sample() });
        assert_eq!(read.number(), 2);
    }

    #[test]
    fn one_server_with_an_engine_of_its_own_needs_no_certificates() {
        let text = "lanchat-engine = 1\nchat = 'x'\nserver = 'a'\nservers = ['a=10.0.0.1']\nport = 7667\n\
                    [engine]\nurls = ['nats://127.0.0.1:4222']\nreplicas = 1\n";
        let file = read(text).unwrap();
        assert_eq!((file.engine.tls, file.history_from, file.engine.replicas), (None, None, 1));
    }

    #[test]
    fn a_wrong_file_is_refused_in_one_line_with_the_reason() {
        let text = sample().text().unwrap().to_string();
        for (from, to, words) in [
            ("lanchat-engine = 1", "lanchat-engine = 7", "has version 7, and this lanchat reads version 1"),
            ("lanchat-engine = 1", "lanchat-join = 1", "is not an engine file"),
            ("server = \"c\"", "server = \"d\"", "names the server d, which is not in its list"),
            ("history-from = \"a\"", "history-from = \"d\"", "names the server d, which is not in its list"),
            ("\"b=10.0.0.2\",", "", "a chat has 1, 3 or 5 servers, not 2"),
            ("port = 7667", "port = 0", "has port 0"),
            ("port = 7667", "prot = 7667", "unknown field `prot`"),
            ("replicas = 3", "replicas = 2", "has 2 replicas, and a log has 1, 3 or 5"),
            ("ca = ", "# ca = ", "needs all of ca, certificate and key"),
            ("tls://10.0.0.1:4222", "nats://10.0.0.1:4222", "expects tls://HOST:PORT"),
            ("tls://10.0.0.1:4222", "tls://10.0.0.1", "expects tls://HOST:PORT"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = read(&text.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(words) && error.lines().count() == 1, "{from}: {error}");
        }
    }
}
