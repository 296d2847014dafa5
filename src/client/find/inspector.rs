//! Looks at servers and keys without joining: for `doctor`, `discover`, `fingerprint` and `trust`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::locator::most_telling;
use super::page::{PageReport, page_at};
use crate::client::error::Error;
use crate::client::link::{Channel, LinkError, ServerLink};
use crate::client::state_dir::state_dir;
use crate::client::trust::{KeySource, UserKey, expectation, host_name, known_servers, load_key, verdict};
use crate::discovery::{self, Proof, is_unambiguous, server_label};
use crate::fingerprint::Fingerprint;
use crate::limits::PROBE_TIMEOUT;
use crate::protocol::request::TestToken;
use crate::protocol::{Code, WebAccess};
use crate::security::{ClientTls, Expect, KeyVerdict, KnownServer, KnownServers, Presented};
use crate::text::safe_line;

/// Asks servers who they are, without presenting this user's key.
#[derive(Debug, Clone)]
pub struct Inspector {
    channel: Channel,
    known: KnownServers,
    /// Whether the user gave a host, so that the server met there before is expected there.
    asked_for: bool,
    /// The host's name; none for an address.
    host: Option<String>,
}

/// Why the client would not join a server, as a line for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinRefusal {
    /// The server has an unexpected key.
    Key(String),
    /// The server has a known server's name, but is a different one: people are asked, scripts refused.
    Namesake {
        /// The line.
        line: String,
        /// The value of `--server` that selects it.
        label: String,
    },
}

impl JoinRefusal {
    /// The line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Key(line) | Self::Namesake { line, .. } => line,
        }
    }
}

/// A server that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbedServer {
    /// The meaning of its key, as a line for the user; an error if the client would not join the server.
    pub key: Result<String, JoinRefusal>,
    /// Random for each start of the server; older servers and those of a chat with several tell none.
    pub run: Option<String>,
    /// Whether newcomers need its passphrase.
    pub closed: bool,
    /// How browsers join it; `None`: not at all.
    pub web: Option<WebAccess>,
}

/// Why there was no multicast test: the reason alone, safe for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untested {
    /// The server uses no multicast, or none with this machine.
    Unused(String),
    /// The server does not know the test, is busy, or is gone.
    Impossible(String),
}

impl Inspector {
    /// Accepts only these keys, or any key without a list; without encryption if `plaintext`.
    ///
    /// # Errors
    /// [`Error::Local`], if the system's list of servers cannot be read.
    pub fn new(plaintext: bool, fingerprints: &[Fingerprint]) -> Result<Self, Error> {
        let known = known_servers(state_dir().as_deref())?;
        let expect = expectation(fingerprints, known.only());
        let channel = if plaintext { Channel::Plain } else { anonymous(expect)? };
        Ok(Self { channel, known, asked_for: false, host: None })
    }

    /// The same for a host that the user gave.
    #[must_use]
    pub fn at_host(self, name: &str, port: Option<u16>) -> Self {
        Self { asked_for: true, host: host_name(name, port), ..self }
    }

    /// Asks who is at an address.
    ///
    /// # Errors
    /// The reason alone.
    pub async fn probe(self, addr: SocketAddr) -> Result<Proof<ProbedServer>, Error> {
        let (link, status) =
            ServerLink::probe(addr, &self.channel).await.map_err(|error| Error::from(&error))?;
        let (server, closed) = (status.server, status.closed);
        let judged = self.judge(link.key(), &server.name, addr).map(|line| match closed {
            true => line + "; the server is closed: newcomers need its passphrase",
            false => line,
        });
        let probed = ProbedServer { key: judged, run: status.run, closed, web: status.web };
        Ok(Proof { id: server.id, name: server.name, link: probed })
    }

    /// Looks at the page of the server at an address, as a browser would at the host that the user gave.
    pub async fn look_at_page(self, addr: SocketAddr) -> PageReport {
        let named = self.host.as_ref().and_then(|host| Some(host.rsplit_once(':')?.0.to_owned()));
        page_at(addr, &named.unwrap_or_else(|| addr.ip().to_string()), PROBE_TIMEOUT).await
    }

    /// Asks the server at an address to send and receive multicast once. Returns whether it heard one of this
    /// machine's packets.
    ///
    /// # Errors
    /// Why there was no test.
    pub async fn test_multicast(self, addr: SocketAddr, token: TestToken) -> Result<bool, Untested> {
        ServerLink::test_multicast(addr, &self.channel, token).await.map_err(|error| {
            let why = Error::from(&error).to_string();
            match error {
                LinkError::Refused { code: Some(Code::NoMulticast), .. } => Untested::Unused(why),
                LinkError::Refused { code: Some(Code::UnknownType), .. } => {
                    Untested::Impossible("the server is older than this test".into())
                }
                _ => Untested::Impossible(why),
            }
        })
    }

    /// The servers joined before, the most recent first: names, which are not safe for a terminal, and
    /// addresses.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, &[SocketAddr])> {
        self.known.iter().map(|known| (known.name.as_str(), known.addrs.as_slice()))
    }

    /// Whether the server with this id is known.
    pub fn knows(&self, id: &str) -> bool {
        Fingerprint::from_id(id).is_some_and(|key| self.known.iter().any(|known| known.fp == key))
    }

    /// The ports of the known servers.
    pub fn ports(&self) -> Vec<u16> {
        self.known.iter().flat_map(|known| known.addrs.iter().map(SocketAddr::port)).collect()
    }

    fn judge(&self, key: Option<Fingerprint>, name: &str, addr: SocketAddr) -> Result<String, JoinRefusal> {
        let Some(fp) = key else {
            return Ok("none: the connection is not encrypted, so the server cannot be verified".into());
        };
        let spoken = fp.spoken();
        let (asked_for, host) = (self.asked_for, self.host.as_deref());
        let presented = Presented { asked_for, host, ..Presented::found(fp, name, addr) };
        match verdict(&self.known, &presented) {
            KeyVerdict::Known(known) => {
                let verified = if known.is_verified() { "verified" } else { "not verified yet" };
                Ok(format!("{spoken}, known since {}, {verified}", known.since()))
            }
            KeyVerdict::New { .. } => {
                Ok(format!("{spoken}, new to you; compare it with `lanchat fingerprint` on the server"))
            }
            KeyVerdict::Namesake(known) => {
                let (since, digits) = (known.since(), &known.fp.spoken()[..5]);
                let line = format!(
                    "{spoken}, not the key of the server with this name that you have known since {since} ({digits} ...)"
                );
                Err(JoinRefusal::Namesake { line, label: server_label(name, &fp.id()) })
            }
            KeyVerdict::Changed(known) => {
                Err(JoinRefusal::Key(format!("{spoken}, but it was {}", known.fp.spoken())))
            }
            KeyVerdict::NotListed => {
                let line = format!("{spoken}, which this machine's list of servers does not have");
                Err(JoinRefusal::Key(line))
            }
        }
    }
}

/// The key that the server at a host presents.
///
/// # Errors
/// If it presents none.
pub async fn fingerprint_at(host: &str, port: u16, wait: Duration) -> Result<Fingerprint, Error> {
    let channel = anonymous(Expect::Anyone)?;
    let ask = async {
        let found = discovery::lookup(host, port, true).await;
        let addrs = found.map_err(|error| LinkError::Connect(error.into()))?;
        let ask = |addr| {
            let channel = channel.clone();
            async move {
                let link = ServerLink::connect(addr, &channel).await?;
                Ok::<_, LinkError>(Proof { id: String::new(), name: String::new(), link: link.key() })
            }
        };
        let found = discovery::race(addrs, ask).await;
        let (_, proof) =
            found.map_err(|error| most_telling(error.failed.into_iter().filter_map(|(_, error)| error)))?;
        proof.link.ok_or(LinkError::NotEncrypted)
    };
    let asked = tokio::time::timeout(wait, ask).await.unwrap_or(Err(LinkError::Silent));
    asked.map_err(|error| Error::from_link(&format!("cannot ask {host}"), &error))
}

/// This user's own key, in `file` or in the usual place; creates it at the first use.
///
/// # Errors
/// [`Error::Local`], if the key is unusable or cannot be kept.
pub fn own_fingerprint(file: Option<&Path>) -> Result<Fingerprint, Error> {
    let UserKey { keypair, source } =
        load_key(state_dir().as_deref(), file).map_err(|error| Error::Local(error.to_string()))?;
    match source {
        KeySource::Lost(why) => {
            Err(Error::Local(format!("you have no key yet: {why}; give one with --key-file")))
        }
        KeySource::Kept | KeySource::Created(_) => Ok(keypair.fingerprint()),
    }
}

/// The result of accepting a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// The server's name.
    pub name: String,
    /// Whether it replaced another key.
    pub has_replaced: bool,
    /// Other servers with that name, which stay accepted: by name and digits.
    pub others: Vec<String>,
}

/// Accepts a key for the server that `which` names, by name or by name and digits. Replaces that server's key
/// if `replace`, or otherwise adds a server of the same name.
///
/// # Errors
/// [`Error::Usage`] if several keys could be replaced, [`Error::Refused`] if the key is missing in the
/// system's list, [`Error::Local`] if it cannot be saved.
pub fn trust(which: &str, key: Fingerprint, replace: bool) -> Result<Trusted, Error> {
    let mut known = known_servers(state_dir().as_deref())?;
    if known.only().is_some_and(|listed| !listed.contains(&key)) {
        return Err(Error::Refused(
            "this machine's list of servers does not have that key, and only listed keys count; ask the \
             administrator of this machine"
                .into(),
            None,
        ));
    }
    let is_meant =
        |known: &&KnownServer| known.is_called(which) || is_unambiguous(which, &known.name, &known.fp.id());
    let meant: Vec<KnownServer> =
        known.own_servers().iter().filter(is_meant).filter(|known| known.fp != key).cloned().collect();
    let labels: Vec<String> = meant.iter().map(|known| server_label(&known.name, &known.fp.id())).collect();
    let replaced = match meant.as_slice() {
        [one] if replace => Some(one.fp),
        [_, _, ..] if replace => {
            let (name, labels) = (safe_line(which), labels.join(", "));
            return Err(Error::Usage(format!(
                "you know several servers called \"{name}\"; say which one's key to replace: {labels}"
            )));
        }
        [] if replace && !known.own_servers().iter().any(|known| is_meant(&known)) => {
            let name = safe_line(which);
            return Err(Error::Usage(format!(
                "no server that you know is called \"{name}\", so there is no key to replace; check the name, or leave \
                 out --replace"
            )));
        }
        _ => None,
    };
    // A server named by its digits keeps its name.
    let name = match meant.first() {
        Some(known) if !known.is_called(which) => known.name.clone(),
        _ => which.to_owned(),
    };
    let trusted = known.trust(&name, key, replaced);
    trusted.map_err(|error| Error::Local(format!("cannot remember the key: {error}")))?;
    let has_replaced = replaced.is_some();
    Ok(Trusted { name, has_replaced, others: if has_replaced { Vec::new() } else { labels } })
}

pub(super) fn anonymous(expect: Expect) -> Result<Channel, Error> {
    let tls = ClientTls::anonymous().map_err(|error| Error::Local(error.to_string()))?;
    Ok(Channel::Tls { tls: Box::new(tls), expect })
}
