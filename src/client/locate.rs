//! Finds the server to talk to: at the host that was named, or on the network.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Options;
use super::channel::Channel;
use super::error::Error;
use super::link::{Link, LinkError, Portrait};
use super::reached::Reached;
use super::trust::{Trust, host_name};
use crate::discovery::{self, FindOptions, FindOutcome, Proof, RememberedServer, SearchReport};
use crate::fingerprint::Fingerprint;
use crate::limits::DEFAULT_PORT;
use crate::security::{Expect, KnownServers};

/// How long one attempt to come back to a server may look for it, here and at a new address. Between two of
/// them there are pauses; a restart is over sooner.
const AGAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Where to look.
#[derive(Debug, Clone)]
pub(super) struct Locator {
    host: Option<Host>,
    discovery: bool,
    wanted: Option<String>,
    timeout: Duration,
    channel: Channel,
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

/// What a search comes to.
pub(super) enum Located {
    /// The server to join.
    One(Box<Reached>),
    /// The user has to choose.
    Several(Vec<Reached>),
    /// What was done to find one.
    Nothing(Box<SearchReport>),
}

impl Locator {
    /// Takes over what the options say.
    ///
    /// # Errors
    /// With neither a host nor discovery there is nowhere to look.
    pub(super) fn new(options: &Options, channel: Channel) -> Result<Self, Error> {
        if options.host.is_none() && !options.discovery {
            return Err(Error::Usage(
                "--no-discovery finds no server by itself; name one with --host HOST[:PORT]".into(),
            ));
        }
        let host = options.host.clone().map(|(name, port)| Host { name, port: port.unwrap_or(DEFAULT_PORT) });
        let (wanted, timeout) = (options.server.clone(), options.timeout);
        Ok(Self { host, discovery: options.discovery, wanted, timeout, channel, last: Vec::new() })
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
            channel: Channel::Plain,
            last: Vec::new(),
        }
    }

    /// Whether servers are looked for on the network, so that there may be another one.
    pub(super) fn searches(&self) -> bool {
        self.host.is_none() && self.discovery
    }

    /// Whether the user named the host.
    pub(super) fn has_host(&self) -> bool {
        self.host.is_some()
    }

    /// How connections are made.
    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Notes where the server is, for coming back to it.
    pub(super) fn remember(&mut self, addrs: &[SocketAddr]) {
        self.last = addrs.to_vec();
    }

    /// The same for a search that takes no longer than that.
    pub(super) fn within(&self, timeout: Duration) -> Self {
        Self { timeout: self.timeout.min(timeout), ..self.clone() }
    }

    /// Looks at all addresses of the own networks.
    pub(super) async fn scan(&self, trust: &Trust) -> Result<Located, Error> {
        let scanned = discovery::scan(DEFAULT_PORT, prober(&self.channel)).await;
        let found = scanned.map_err(|error| Error::Local(format!("cannot look around: {error}")))?;
        Ok(match found.is_empty() {
            true => Located::Nothing(Box::default()),
            false => several_or_one(found.into_iter().map(Reached::from).collect(), trust.known()),
        })
    }

    /// Looks for a server.
    pub(super) async fn locate(&self, trust: &Trust, slow: impl FnMut()) -> Result<Located, Error> {
        if let Some(host) = &self.host {
            let reached =
                tokio::time::timeout(self.timeout, self.reach_host(host, Some(trust.known()))).await;
            let error = match reached {
                Ok(Ok(reached)) => return Ok(Located::One(Box::new(reached))),
                Ok(Err(error)) => error,
                Err(_) => LinkError::Silent,
            };
            return Err(trust.explain(&format!("cannot connect to {host}"), &error));
        }
        let options = self.options(trust.known(), self.wanted.clone(), self.timeout);
        let refused = Refused::default();
        Ok(match discovery::find(options, noting(prober(&self.channel), &refused), slow).await {
            FindOutcome::Found(found) => Located::One(Box::new(found.into())),
            FindOutcome::Several(several) => {
                several_or_one(several.into_iter().map(Reached::from).collect(), trust.known())
            }
            FindOutcome::Nothing(tried) => {
                let noted = std::mem::take(&mut *refused.lock().unwrap_or_else(PoisonError::into_inner));
                let wrong = noted.wrong_key.map(|(presented, addr)| trust.refusal(presented, "", addr));
                match wrong.or_else(|| trust.impostor(&tried.strangers)).or(noted.told) {
                    Some(refusal) => return Err(refusal),
                    None => Located::Nothing(Box::new(tried)),
                }
            }
        })
    }

    /// Comes back to the server with this id, which may have another address by now.
    pub(super) async fn again(&self, id: &str) -> Result<Link, LinkError> {
        self.reach_id(id).await.map(|reached| reached.link)
    }

    /// Reaches the server with this id, wherever it is.
    pub(super) async fn reach_id(&self, id: &str) -> Result<Reached, LinkError> {
        let channel = self.channel.to(Fingerprint::from_id(id));
        if let Some(host) = &self.host {
            let again = Self { channel, ..self.clone() };
            return again.reach_host(host, None).await;
        }
        let server = RememberedServer {
            id: id.to_owned(),
            name: String::new(),
            addrs: self.last.clone(),
            last_used: true,
        };
        let options = FindOptions {
            known: vec![server],
            wanted: Some(id.to_owned()),
            timeout: AGAIN_TIMEOUT,
            discovery: self.discovery,
            default_port: DEFAULT_PORT,
        };
        match discovery::find(options, prober(&channel), || {}).await {
            FindOutcome::Found(found) => Ok(found.into()),
            FindOutcome::Several(_) | FindOutcome::Nothing(_) => Err(LinkError::Silent),
        }
    }

    /// Connects to the host that was named; to one where a server was met before, only if what is
    /// there now has a key that is known.
    async fn reach_host(&self, host: &Host, known: Option<&KnownServers>) -> Result<Reached, LinkError> {
        let found = discovery::lookup(&host.name, host.port, self.discovery).await;
        let addrs = found.map_err(|error| LinkError::Connect(error.into()))?;
        let by_name = host_name(&host.name, Some(host.port));
        let expected = known.and_then(|known| known.expected_at(&addrs, by_name.as_deref()));
        let channel = match (expected, &self.channel) {
            (Some(keys), Channel::Tls { expect: Expect::Anyone, .. }) => self.channel.narrowed(keys),
            _ => self.channel.clone(),
        };
        reach(&addrs, &channel).await.map(|reached| Reached { asked_for: true, ..reached })
    }

    fn options(&self, known: &KnownServers, wanted: Option<String>, timeout: Duration) -> FindOptions {
        // A name that several known servers have means none of them more than another.
        let has_name = |name: &str| known.iter().filter(|server| server.is_called(name)).count() > 1;
        let is_ambiguous = wanted.as_deref().is_some_and(has_name);
        let last = known.last_used().filter(|_| !is_ambiguous).map(|server| server.fp);
        let known = known.iter().map(|server| RememberedServer {
            id: server.fp.id(),
            name: server.name.clone(),
            addrs: server.addrs.clone(),
            last_used: last == Some(server.fp),
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
pub(super) async fn reach(addrs: &[SocketAddr], channel: &Channel) -> Result<Reached, LinkError> {
    match discovery::race(addrs.iter().copied(), prober(channel)).await {
        Ok((addr, proof)) => {
            let (link, Portrait { server, closed, .. }) = proof.link;
            let (addrs, namesakes) = (vec![addr], Vec::new());
            Ok(Reached { link, server, addrs, closed, asked_for: false, namesakes })
        }
        Err(error) => Err(most_telling(error.failed.into_iter().filter_map(|(_, error)| error))),
    }
}

/// What the server at one of these addresses says of itself; none if it does not answer.
pub(super) async fn portrait(addrs: &[SocketAddr], channel: &Channel) -> Option<Portrait> {
    let raced = discovery::race(addrs.iter().copied(), prober(channel)).await;
    raced.ok().map(|(_, proof)| proof.link.1)
}

/// Connects and asks who is there.
fn prober(channel: &Channel) -> impl Fn(SocketAddr) -> Probing + use<> {
    let channel = channel.clone();
    move |addr| {
        let channel = channel.clone();
        Box::pin(async move {
            let (link, portrait) = Link::probe(addr, &channel).await?;
            let (id, name) = (portrait.server.id.clone(), portrait.server.name.clone());
            Ok(Proof { id, name, link: (link, portrait) })
        })
    }
}

/// A probe under way.
type Probing = Pin<Box<dyn Future<Output = Result<Proof<(Link, Portrait)>, LinkError>> + Send>>;

/// What servers were there and could not be joined.
type Refused = Arc<Mutex<Noted>>;

#[derive(Default)]
struct Noted {
    /// The last server that was refused for its key, and where it is.
    wrong_key: Option<(Fingerprint, SocketAddr)>,
    /// What the last one said that did not let us in, or does not speak our language.
    told: Option<Error>,
}

/// Keeps which server a probe has refused, or was refused by.
fn noting(probe: impl Fn(SocketAddr) -> Probing, refused: &Refused) -> impl Fn(SocketAddr) -> Probing {
    let refused = Arc::clone(refused);
    move |addr| {
        let (probing, refused) = (probe(addr), Arc::clone(&refused));
        Box::pin(async move {
            let proof = probing.await;
            let mut noted = refused.lock().unwrap_or_else(PoisonError::into_inner);
            match &proof {
                Err(LinkError::WrongKey { presented, addr }) => noted.wrong_key = Some((*presented, *addr)),
                Err(error @ (LinkError::Refused { .. } | LinkError::NotEncrypted | LinkError::TooNew(_))) => {
                    noted.told = Some(Error::from_link(&format!("cannot join the server at {addr}"), error));
                }
                _ => {}
            }
            drop(noted);
            proof
        })
    }
}

/// What is left to choose: whoever goes by the name of a known server that is there too is passed
/// over, and remembered for being told of.
fn several_or_one(mut servers: Vec<Reached>, known: &KnownServers) -> Located {
    let is_known = |reached: &Reached| known.iter().any(|known| Some(known.fp) == reached.link.key());
    let names: Vec<String> =
        servers.iter().filter(|one| is_known(one)).map(|one| one.server.name.to_lowercase()).collect();
    servers.retain(|one| is_known(one) || !names.contains(&one.server.name.to_lowercase()));
    match servers.len() {
        1 => Located::One(Box::new(servers.remove(0))),
        _ => Located::Several(servers),
    }
}

/// Of the errors of several addresses, the one that says most: a server's refusal, then something
/// that answers but is no server, then nobody there.
fn most_telling(errors: impl Iterator<Item = LinkError>) -> LinkError {
    let rank = |error: &LinkError| match error {
        LinkError::WrongKey { .. } => 6,
        LinkError::Refused { .. } | LinkError::PassphraseNeeded | LinkError::WrongPassphrase => 5,
        LinkError::NotEncrypted | LinkError::TooNew(_) => 4,
        LinkError::Protocol(_) => 3,
        LinkError::Lost(_) | LinkError::Handshake(_) => 2,
        LinkError::Connect(_) => 1,
        LinkError::Silent => 0,
    };
    errors.max_by_key(rank).unwrap_or(LinkError::Silent)
}
