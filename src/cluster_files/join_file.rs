//! The join file: what a machine needs to become a server of a chat. It holds the chat's key, so it is a
//! secret.

use super::error::ClusterFileError;
use super::servers::{ClusterServer, NodeName, ServerList};
use super::text_file::FileKind;
use crate::files;
use crate::limits::MAX_CLUSTER_FILE_BYTES;
use crate::security::{EngineCertificateError, EngineIdentity, Keypair, Passphrase};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

const KIND: FileKind = FileKind {
    what: "join file",
    key: "lanchat-join",
    version: 1,
    if_other: "name a file that `lanchat cluster new` has written, such as a.join",
    if_wrong: "copy it again from the machine on which `lanchat cluster new` wrote it",
};

/// The ports of each server of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterPorts {
    /// For people.
    pub chat: u16,
    /// The engine's, for lanchat.
    pub engine: u16,
    /// The engine's, for the other engines.
    pub routes: u16,
}

impl ClusterPorts {
    /// The reason why these cannot be the ports of one machine, if there is one.
    pub fn fault(&self) -> Option<String> {
        let Self { chat, engine, routes } = *self;
        match [chat, engine, routes].contains(&0) {
            true => Some("port 0 is not possible, because the other servers have to know the port".into()),
            false if chat == engine || chat == routes || engine == routes => {
                Some(format!("the ports {chat}, {engine} and {routes} must differ from each other"))
            }
            false => None,
        }
    }
}

/// See the module.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinFile {
    /// The name of the chat.
    pub chat: String,
    /// The server that the file is for.
    pub server: NodeName,
    pub servers: ServerList,
    pub ports: ClusterPorts,
    /// The server whose history becomes that of the chat; `None`: the chat is new.
    pub history_from: Option<NodeName>,
    /// Newcomers need it if the chat is closed.
    pub passphrase: Zeroizing<String>,
    /// The chat's key, in PEM. All servers have the same.
    pub chat_key: Zeroizing<String>,
    /// The certificate, in PEM, by which the engines know each other's.
    pub authority: String,
    /// The server's own.
    pub identity: EngineIdentity,
}

/// A join file as it is written. No file lacks the last member, so one that was cut off is noticed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct JoinText<'a> {
    #[serde(rename = "lanchat-join", skip_serializing)]
    _version: u32,
    chat: Cow<'a, str>,
    server: NodeName,
    servers: Vec<ClusterServer>,
    port: u16,
    engine_port: u16,
    route_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    history_from: Option<NodeName>,
    passphrase: Cow<'a, str>,
    ca: Cow<'a, str>,
    certificate: Cow<'a, str>,
    key: Cow<'a, str>,
    chat_key: Cow<'a, str>,
}

/// Shows no secrets.
impl fmt::Debug for JoinFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chat, server, servers, .. } = self;
        write!(f, "JoinFile({chat:?}, {server}, {servers:?})")
    }
}

impl JoinFile {
    /// Reads a join file, which only its owner may be able to read, and checks all of it.
    ///
    /// # Errors
    /// See [`ClusterFileError`].
    pub fn read(path: &Path, now: Timestamp) -> Result<Self, ClusterFileError> {
        let text: JoinText<'_> = KIND.read(path, files::read_secret(path, MAX_CLUSTER_FILE_BYTES))?;
        let file = Self {
            chat: text.chat.into_owned(),
            server: text.server,
            servers: ServerList::new(text.servers)
                .map_err(|error| KIND.wrong(path, None, format!("is damaged: {error}")))?,
            ports: ClusterPorts { chat: text.port, engine: text.engine_port, routes: text.route_port },
            history_from: text.history_from,
            passphrase: Zeroizing::new(text.passphrase.into_owned()),
            chat_key: Zeroizing::new(text.chat_key.into_owned()),
            authority: text.ca.into_owned(),
            identity: EngineIdentity {
                certificate: text.certificate.into_owned(),
                key: Zeroizing::new(text.key.into_owned()),
            },
        };
        let checked = file.check_certificate(now);
        if matches!(checked, Err(EngineCertificateError::Ended)) {
            return Err(ClusterFileError::Ended { path: path.into(), now });
        }
        match file.fault(checked) {
            Some(fault) => Err(KIND.wrong(path, None, format!("is damaged: {fault}"))),
            None => Ok(file),
        }
    }

    fn check_certificate(&self, now: Timestamp) -> Result<(), EngineCertificateError> {
        let own = self.servers.find(&self.server);
        own.map_or(Ok(()), |own| self.identity.check(&self.authority, own.host.as_str(), now))
    }

    fn fault(&self, checked: Result<(), EngineCertificateError>) -> Option<String> {
        if self.servers.find(&self.server).is_none() {
            return Some(format!("it is for the server {}, which is not in its list", self.server));
        }
        if let Some(from) = self.history_from.as_ref().filter(|from| self.servers.find(from).is_none()) {
            return Some(format!("the history is that of the server {from}, which is not in its list"));
        }
        if self.chat_key().is_none() {
            return Some("its chat-key is not a private key".into());
        }
        if let Err(error) = Passphrase::new(&self.passphrase) {
            return Some(error.to_string());
        }
        self.ports.fault().or_else(|| checked.err().map(|error| error.to_string()))
    }

    /// The chat's key.
    pub fn chat_key(&self) -> Option<Keypair> {
        Keypair::from_pem(&self.chat_key)
    }

    /// The file's text.
    ///
    /// # Errors
    /// None in practice.
    pub fn text(&self) -> Result<Zeroizing<String>, toml::ser::Error> {
        let about = format!(
            "Join file of the server {} of the chat {:?}: on its machine, run\n\
             \u{20}   lanchat cluster join {}.join\n\
             A SECRET: it has the chat's key, so anyone who can read it can act as the chat's server.\n\
             Delete it afterwards.",
            self.server, self.chat, self.server
        );
        let text = JoinText {
            _version: KIND.version,
            chat: Cow::from(&self.chat),
            server: self.server.clone(),
            servers: self.servers.clone().into(),
            port: self.ports.chat,
            engine_port: self.ports.engine,
            route_port: self.ports.routes,
            history_from: self.history_from.clone(),
            passphrase: Cow::from(self.passphrase.as_str()),
            ca: Cow::from(&self.authority),
            certificate: Cow::from(&self.identity.certificate),
            key: Cow::from(self.identity.key.as_str()),
            chat_key: Cow::from(self.chat_key.as_str()),
        };
        KIND.text(&about, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::EngineAuthority;
    use std::path::PathBuf;

    fn now() -> Timestamp {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    fn sample() -> JoinFile {
        let authority = EngineAuthority::new(now()).unwrap();
        let servers = ["a=10.0.0.1", "b=10.0.0.2", "c=chat-c.example"].map(|text| text.parse().unwrap());
        JoinFile {
            chat: "Caf\u{e9} \"Office\" # 1".into(),
            server: "b".parse().unwrap(),
            servers: ServerList::new(servers.into()).unwrap(),
            ports: ClusterPorts { chat: 7667, engine: 4222, routes: 6222 },
            history_from: Some("a".parse().unwrap()),
            passphrase: Zeroizing::new("it's a \"secret\" \\ phrase".into()),
            chat_key: Keypair::new_pem().unwrap(),
            authority: authority.certificate().into(),
            identity: authority.issue("b", "10.0.0.2").unwrap(),
        }
    }

    /// Reads `text` from a file that only its owner can read.
    fn read(text: &str) -> Result<JoinFile, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.join");
        files::create(&path, text.as_bytes()).unwrap();
        let shown = path.display().to_string();
        JoinFile::read(&path, now()).map_err(|error| error.to_string().replace(&shown, "PATH"))
    }

    #[test]
    fn a_file_that_was_written_reads_as_it_was() {
        let file = sample();
        let text = file.text().unwrap();
        assert_eq!(read(&text).unwrap(), file);
        let new = JoinFile { history_from: None, ..file };
        assert_eq!(read(&new.text().unwrap()).unwrap(), new);
        assert_eq!(read(&new.text().unwrap().replace('\n', "\r\n")).unwrap().chat, new.chat, "an editor's");
        assert!(text.starts_with("# Join file of the server b ") && text.contains("A SECRET"), "{}", *text);
        assert!(text.len() < 4096, "{}", text.len());
    }

    #[test]
    fn a_file_that_was_cut_off_anywhere_is_refused_in_one_line() {
        let text = sample().text().unwrap();
        let ends = (0..text.len() - 1).filter(|end| text.is_char_boundary(*end));
        for end in ends.step_by(7).chain(text.match_indices('\n').map(|(end, _)| end + 1)) {
            if text[..end].trim_end() == text.trim_end() {
                continue;
            }
            let error = read(&text[..end]).unwrap_err();
            assert_eq!(error.lines().count(), 1, "{error}");
            let is_known = error.contains("is not a join file; name a file that")
                || error
                    .ends_with("; copy it again from the machine on which `lanchat cluster new` wrote it")
                || error.contains("has version");
            assert!(is_known, "{end}: {error}");
        }
    }

    #[test]
    fn other_files_and_versions_are_refused_with_the_remedy() {
        let other = "is not a join file; name a file that `lanchat cluster new` has written, such as a.join";
        for text in ["", "# nothing\n", "hello", "\u{fffd}", "lanchat-engine = 1\n", "[serve]\nname = 'x'\n"]
        {
            assert_eq!(read(text).unwrap_err(), format!("PATH {other}"), "{text}");
        }
        let text = sample().text().unwrap().replace("lanchat-join = 1", "lanchat-join = 2");
        assert_eq!(
            read(&text).unwrap_err(),
            "the join file PATH has version 2, and this lanchat reads version 1; use the same version of lanchat for \
             all servers of the chat"
        );
    }

    #[test]
    fn a_file_with_a_wrong_part_is_refused_with_the_reason() {
        let text = sample().text().unwrap().to_string();
        for (from, to, words) in [
            ("server = \"b\"", "server = \"x\"", "the server x, which is not in its list"),
            ("history-from = \"a\"", "history-from = \"x\"", "the server x, which is not in its list"),
            ("b=10.0.0.2", "b=10.0.0.9", "the certificate is of no use here"),
            ("b=10.0.0.2", "b=10.0.0.1", "two servers have the address 10.0.0.1"),
            ("b=10.0.0.2", "B=10.0.0.2", "cannot be a server's name"),
            ("engine-port = 4222", "engine-port = 6222", "must differ from each other"),
            ("engine-port = 4222", "engine-port = 0", "port 0 is not possible"),
            ("engine-port = 4222", "engine-port = 99999", ", line "),
            ("BEGIN CERTIFICATE", "BEGIN CERTIFICATE REQUEST", "no certificate or key in PEM"),
            ("chat = ", "chatt = ", "unknown field"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = read(&text.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(words) && error.lines().count() == 1, "{from}: {error}");
        }
        let mut key_swapped = sample();
        key_swapped.identity.key = Keypair::new_pem().unwrap();
        let error = read(&key_swapped.text().unwrap()).unwrap_err();
        assert!(error.contains("the key is not the one of the certificate"), "{error}");
        let no_key = JoinFile { chat_key: Zeroizing::new("x".into()), ..sample() };
        let error = read(&no_key.text().unwrap()).unwrap_err();
        assert!(error.contains("its chat-key is not a private key"), "{error}");
    }

    #[test]
    fn a_file_with_any_byte_changed_reads_or_is_refused_in_one_line() {
        let text = sample().text().unwrap();
        let starts = text.find("lanchat-join").unwrap();
        for (step, at) in (starts..text.len()).step_by(11).enumerate() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = b"\0\"'\n=[#\xff9a"[step % 10];
            if let Ok(changed) = String::from_utf8(bytes) {
                let refused = read(&changed).err();
                assert!(refused.is_none_or(|error| error.lines().count() == 1), "{changed}");
            }
        }
    }

    #[test]
    fn a_file_with_any_part_of_its_keys_and_certificates_changed_is_refused() {
        let text = sample().text().unwrap().to_string();
        let is_secret = |line: &str| line.len() > 40 && !line.contains([' ', '-', '=']);
        let (mut start, mut count) = (0, 0);
        for line in text.split_inclusive('\n') {
            if is_secret(line.trim()) {
                let at = start + line.len() / 2;
                let mut changed = text.clone().into_bytes();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                let error = read(&String::from_utf8(changed).unwrap()).unwrap_err();
                let is_told = error.contains("is damaged: ") && error.contains("; copy it again from");
                assert!(is_told && error.lines().count() == 1, "{line}: {error}");
                count += 1;
            }
            start += line.len();
        }
        assert!(count > 12, "{count}");
    }

    #[test]
    fn a_file_whose_certificates_have_ended_asks_for_new_ones() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.join");
        files::create(&path, sample().text().unwrap().as_bytes()).unwrap();
        let late = "2036-12-01T00:00:00Z".parse().unwrap();
        let error = JoinFile::read(&path, late).unwrap_err().to_string();
        assert!(error.contains("have ended, by this machine's clock (2036-12-01); set the clock"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path: PathBuf = dir.path().join("b.join");
        files::create(&path, sample().text().unwrap().as_bytes()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = JoinFile::read(&path, now()).unwrap_err().to_string();
        assert!(error.ends_with(&format!("(chmod 600 {})", path.display())), "{error}");
        let missing = JoinFile::read(&dir.path().join("c.join"), now()).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read the join file "), "{missing}");
    }

    #[test]
    fn no_secret_is_in_what_a_log_would_show() {
        let shown = format!("{:?}", sample());
        assert!(!shown.contains("PRIVATE") && !shown.contains("phrase"), "{shown}");
    }
}
