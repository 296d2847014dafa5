//! Finds the server to talk to: at the host that was named, or on the network.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::Options;
use super::error::Error;
use super::known::KnownServers;
use super::link::{Link, LinkError};
use crate::discovery::{self, FindOptions, Found, Known, Outcome, Progress, Proof};
use crate::limits::DEFAULT_PORT;
use crate::protocol::packet::ServerInfo;

/// How long one attempt to come back to a server may look for its new address.
const AGAIN_TIMEOUT: Duration = Duration::from_secs(3);

/// Where to look.
#[derive(Debug, Clone)]
pub(super) struct Locator {
    host: Option<Host>,
    discovery: bool,
    wanted: Option<String>,
    timeout: Duration,
    /// The address at which the server was last, for coming back to it.
    last: Vec<SocketAddr>,
}

#[derive(Debug, Clone)]
struct Host {
    name: String,
    port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.contains(':') {
            true => write!(f, "[{}]:{}", self.name, self.port),
            false => write!(f, "{}:{}", self.name, self.port),
        }
    }
}

/// A server that answered.
pub(super) struct Reached {
    pub(super) link: Link,
    pub(super) server: ServerInfo,
    pub(super) addrs: Vec<SocketAddr>,
}

/// What a search comes to.
pub(super) enum Located {
    /// The server to join.
    One(Box<Reached>),
    /// The user has to choose.
    Several(Vec<Reached>),
    /// What was done to find one, as a line for the user.
    Nothing(String),
}

impl Locator {
    /// Takes over what the options say.
    ///
    /// # Errors
    /// With neither a host nor discovery there is nowhere to look.
    pub(super) fn new(options: &Options) -> Result<Self, Error> {
        if options.host.is_none() && !options.discovery {
            return Err(Error::Usage(
                "--no-discovery finds no server by itself; name one with --host HOST[:PORT]".into(),
            ));
        }
        let host = options.host.clone().map(|(name, port)| Host { name, port: port.unwrap_or(DEFAULT_PORT) });
        let (wanted, timeout) = (options.server.clone(), options.timeout);
        Ok(Self { host, discovery: options.discovery, wanted, timeout, last: Vec::new() })
    }

    /// One that knows a single address.
    #[cfg(test)]
    pub(super) fn at(addr: SocketAddr) -> Self {
        let host = Host { name: addr.ip().to_string(), port: addr.port() };
        Self {
            host: Some(host),
            discovery: false,
            wanted: None,
            timeout: Duration::from_secs(1),
            last: Vec::new(),
        }
    }

    /// Whether servers are looked for on the network, so that there may be another one.
    pub(super) fn searches(&self) -> bool {
        self.host.is_none() && self.discovery
    }

    /// Notes where the server is, for coming back to it.
    pub(super) fn remember(&mut self, addrs: &[SocketAddr]) {
        self.last = addrs.to_vec();
    }

    /// Looks for a server.
    pub(super) async fn locate(
        &self,
        known: &KnownServers,
        slow: impl FnMut(Progress),
    ) -> Result<Located, Error> {
        if let Some(host) = &self.host {
            let reached = tokio::time::timeout(self.timeout, reach_host(host)).await;
            let error = match reached {
                Ok(Ok(reached)) => return Ok(Located::One(Box::new(reached))),
                Ok(Err(error)) => error,
                Err(_) => LinkError::Silent,
            };
            return Err(Error::from_link(&format!("cannot connect to {host}"), &error));
        }
        let found =
            discovery::find(self.options(known, self.wanted.clone(), self.timeout), probe, slow).await;
        Ok(match found {
            Outcome::Found(found) => Located::One(Box::new(found.into())),
            Outcome::Several(several) => Located::Several(several.into_iter().map(Reached::from).collect()),
            Outcome::Nothing(tried) => Located::Nothing(tried.to_string()),
        })
    }

    /// Comes back to the server with this id, which may have another address by now.
    pub(super) async fn again(&self, id: &str) -> Result<Link, LinkError> {
        if let Some(host) = &self.host {
            return reach_host(host).await.map(|reached| reached.link);
        }
        let server =
            Known { id: id.to_owned(), name: String::new(), addrs: self.last.clone(), last_used: true };
        let options = FindOptions {
            known: vec![server],
            wanted: Some(id.to_owned()),
            timeout: AGAIN_TIMEOUT,
            discovery: self.discovery,
            default_port: DEFAULT_PORT,
        };
        match discovery::find(options, probe, |_| {}).await {
            Outcome::Found(found) => Ok(found.link.0),
            Outcome::Several(_) | Outcome::Nothing(_) => Err(LinkError::Silent),
        }
    }

    fn options(&self, known: &KnownServers, wanted: Option<String>, timeout: Duration) -> FindOptions {
        let last = known.last_used().map(|server| server.id.clone());
        let known = known.iter().map(|server| Known {
            id: server.id.clone(),
            name: server.name.clone(),
            addrs: server.addrs.clone(),
            last_used: last.as_ref() == Some(&server.id),
        });
        FindOptions {
            known: known.collect(),
            wanted,
            timeout,
            discovery: self.discovery,
            default_port: DEFAULT_PORT,
        }
    }
}

/// Connects to one of a server's addresses: the links of a search do not stay open for long.
pub(super) async fn reach(addrs: &[SocketAddr]) -> Result<Reached, LinkError> {
    match discovery::race(addrs.iter().copied(), probe).await {
        Ok((addr, proof)) => Ok(Reached { link: proof.link.0, server: proof.link.1, addrs: vec![addr] }),
        Err(error) => Err(most_telling(error.failed.into_iter().filter_map(|(_, error)| error))),
    }
}

async fn reach_host(host: &Host) -> Result<Reached, LinkError> {
    let addrs = tokio::net::lookup_host((host.name.as_str(), host.port)).await.map_err(LinkError::Connect)?;
    let addrs: Vec<SocketAddr> = addrs.collect();
    reach(&addrs).await
}

/// Connects and asks who is there.
async fn probe(addr: SocketAddr) -> Result<Proof<(Link, ServerInfo)>, LinkError> {
    let (link, server) = Link::probe(addr).await?;
    Ok(Proof { id: server.id.clone(), name: server.name.clone(), link: (link, server) })
}

/// Of the errors of several addresses, the one that says most: a server's refusal, then something
/// that answers but is no server, then nobody there.
fn most_telling(errors: impl Iterator<Item = LinkError>) -> LinkError {
    let rank = |error: &LinkError| match error {
        LinkError::Refused { .. } => 4,
        LinkError::Protocol(_) => 3,
        LinkError::Lost(_) => 2,
        LinkError::Connect(_) => 1,
        LinkError::Silent => 0,
    };
    errors.max_by_key(rank).unwrap_or(LinkError::Silent)
}

impl From<Found<(Link, ServerInfo)>> for Reached {
    fn from(found: Found<(Link, ServerInfo)>) -> Self {
        Self { link: found.link.0, server: found.link.1, addrs: found.addrs }
    }
}
