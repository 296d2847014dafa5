//! Looking at servers and keys without joining anything: for `doctor`, `discover`, `fingerprint` and
//! `trust`.

use std::net::SocketAddr;
use std::time::Duration;

use crate::client::error::Error;
use crate::client::link::{Channel, LinkError, ServerLink};
use crate::client::state_dir::state_dir;
use crate::client::trust::{expectation, host_name, known_servers, load_key, verdict};
use crate::discovery::{self, Proof, is_unambiguous, server_label};
use crate::fingerprint::Fingerprint;
use crate::protocol::Code;
use crate::protocol::request::TestToken;
use crate::security::{ClientTls, Expect, KeyVerdict, KnownServer, KnownServers, Presented};
use crate::text::safe_line;

/// Asks servers who they are, without showing a key of one's own.
#[derive(Debug, Clone)]
pub struct Inspector {
    channel: Channel,
    known: KnownServers,
    /// Whether the user named a host: then whoever was there before is expected there.
    asked_for: bool,
    /// That host, if by a name.
    host: Option<String>,
}

/// Why a server is not joined, as a line for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinRefusal {
    /// It has another key than it should.
    Key(String),
    /// It is not the known server of its name: a person is asked, a script is refused.
    Namesake {
        /// The line.
        line: String,
        /// What `--server` takes to pick it.
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

/// Why multicast was not tested with a server: the bare reason, safe for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untested {
    /// It uses none, or none with this machine.
    Unused(String),
    /// It knows no such test, has no time, or is gone.
    Impossible(String),
}

impl Inspector {
    /// One that accepts these keys only, or any if there are none; in the open if `plaintext`.
    ///
    /// # Errors
    /// [`Error::Local`], if the system's list of servers cannot be read.
    pub fn new(plaintext: bool, fingerprints: &[Fingerprint]) -> Result<Self, Error> {
        let known = known_servers(state_dir().as_deref())?;
        let expect = expectation(fingerprints, known.only());
        let channel = if plaintext { Channel::Plain } else { anonymous(expect)? };
        Ok(Self { channel, known, asked_for: false, host: None })
    }

    /// The same for the host that the user named.
    #[must_use]
    pub fn at_host(self, name: &str, port: Option<u16>) -> Self {
        Self { asked_for: true, host: host_name(name, port), ..self }
    }

    /// Asks who is at an address. The link of the proof is what its key means, as a line for the user:
    /// an error if the server would be refused.
    ///
    /// # Errors
    /// The bare reason.
    pub async fn probe(self, addr: SocketAddr) -> Result<Proof<Result<String, JoinRefusal>>, Error> {
        let (link, status) =
            ServerLink::probe(addr, &self.channel).await.map_err(|error| Error::from(&error))?;
        let (server, closed) = (status.server, status.closed);
        let judged = self.judge(link.key(), &server.name, addr).map(|line| match closed {
            true => line + "; the server is closed: newcomers need its passphrase",
            false => line,
        });
        Ok(Proof { id: server.id, name: server.name, link: judged })
    }

    /// Asks the server at an address to send and to hear multicast, once: whether it heard one of the
    /// packets that go out meanwhile.
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

    /// The servers that were joined, the last used first: names, not safe for a terminal, and addresses.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, &[SocketAddr])> {
        self.known.iter().map(|known| (known.name.as_str(), known.addrs.as_slice()))
    }

    /// Whether the server with this id is known.
    pub fn knows(&self, id: &str) -> bool {
        Fingerprint::from_id(id).is_some_and(|key| self.known.iter().any(|known| known.fp == key))
    }

    /// The ports of the servers that are known.
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

/// The key that the server at a host shows.
///
/// # Errors
/// If there is none.
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
        let (_, proof) = found.map_err(|error| LinkError::Handshake(error.to_string()))?;
        proof.link.ok_or(LinkError::NotEncrypted)
    };
    let asked = tokio::time::timeout(wait, ask).await.unwrap_or(Err(LinkError::Silent));
    asked.map_err(|error| Error::from_link(&format!("cannot ask {host}"), &error))
}

/// This user's own key, which is made if there is none.
///
/// # Errors
/// [`Error::Local`], if it cannot be used.
pub fn own_fingerprint() -> Result<Fingerprint, Error> {
    let key = load_key(state_dir().as_deref()).map_err(|error| Error::Local(error.to_string()))?;
    Ok(key.fingerprint())
}

/// What came of accepting a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// The name of the server that has it.
    pub name: String,
    /// Whether it is in place of another key.
    pub has_replaced: bool,
    /// The other servers of that name, which are accepted as before: by name and digits.
    pub others: Vec<String>,
}

/// Accepts a key for a server of that name, or that name and digits: with `replace` in place of the one
/// that it had, else beside the others of that name.
///
/// # Errors
/// [`Error::Usage`] if it may replace several, [`Error::Refused`] where the system lists the servers,
/// [`Error::Local`] if nothing can be noted.
pub fn trust(which: &str, key: Fingerprint, replace: bool) -> Result<Trusted, Error> {
    let mut known = known_servers(state_dir().as_deref())?;
    if known.only().is_some_and(|listed| !listed.contains(&key)) {
        return Err(Error::Refused(
            "this machine's list of servers does not have that key, and only listed keys count; ask the \
             administrator of this machine"
                .into(),
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
        _ => None,
    };
    // By its digits, a server keeps its name.
    let name = match meant.first() {
        Some(known) if !known.is_called(which) => known.name.clone(),
        _ => which.to_owned(),
    };
    let trusted = known.trust(&name, key, replaced);
    trusted.map_err(|error| Error::Local(format!("cannot remember the key: {error}")))?;
    let has_replaced = replaced.is_some();
    Ok(Trusted { name, has_replaced, others: if has_replaced { Vec::new() } else { labels } })
}

fn anonymous(expect: Expect) -> Result<Channel, Error> {
    let tls = ClientTls::anonymous().map_err(|error| Error::Local(error.to_string()))?;
    Ok(Channel::Tls { tls: Box::new(tls), expect })
}
