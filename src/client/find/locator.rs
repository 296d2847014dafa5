//! Finds the server to talk to: at the host that the user gave, or on the network.

mod beside;
mod named;

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::MutexGuard;
use std::time::Duration;

use crate::client::error::Error;
use crate::client::link::{Channel, LinkError, Reached, ServerLink, ServerStatus};
use crate::client::options::ClientOptions;
use crate::client::shared_state::SharedState;
use crate::client::trust::{TrustPolicy, host_name};
use crate::discovery::{self, FindOptions, FindOutcome, Found, Proof, RememberedServer, SearchReport};
use crate::fingerprint::Fingerprint;
use crate::limits::DEFAULT_PORT;
use crate::security::{Expect, KnownServer};
use named::NamedTries;

/// How long one attempt to come back may search. A restart takes less, and pauses separate the attempts.
const AGAIN_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub(crate) struct Locator {
    host: Option<NamedHost>,
    discovery: bool,
    wanted: Option<String>,
    timeout: Duration,
    channel: Channel,
    trust: SharedState<TrustPolicy>,
    /// The server's latest addresses, for coming back to it.
    last: SharedState<Vec<SocketAddr>>,
    /// How many more addresses may be tried where a server has only been named.
    named_tries: SharedState<NamedTries>,
}

#[derive(Debug, Clone)]
struct NamedHost {
    name: String,
    port: u16,
}

impl fmt::Display for NamedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.contains(':') {
            true => write!(f, "[{}]:{}", self.name, self.port),
            false => write!(f, "{}:{}", self.name, self.port),
        }
    }
}

/// The result of a search.
pub(crate) enum Located {
    /// The server to join.
    One(Box<Reached>),
    /// The user has to choose.
    Several(Vec<Reached>),
    /// No server; what the search tried.
    Nothing(Box<SearchReport>),
}

impl Locator {
    /// Takes the user's choices. Fails with neither a host nor discovery, because then there is nowhere to
    /// look.
    pub(crate) fn new(
        options: &ClientOptions,
        channel: Channel,
        trust: SharedState<TrustPolicy>,
    ) -> Result<Self, Error> {
        if options.host.is_none() && !options.discovery {
            return Err(Error::Usage("--no-discovery needs the server's address: --host HOST[:PORT]".into()));
        }
        let host =
            options.host.clone().map(|(name, port)| NamedHost { name, port: port.unwrap_or(DEFAULT_PORT) });
        let (wanted, timeout) = (options.server.clone(), options.timeout);
        let (last, named_tries) = Default::default();
        Ok(Self { host, discovery: options.discovery, wanted, timeout, channel, trust, last, named_tries })
    }

    #[cfg(test)]
    pub(crate) fn at(addr: SocketAddr) -> Self {
        let host = NamedHost { name: addr.ip().to_string(), port: addr.port() };
        Self {
            host: Some(host),
            discovery: false,
            wanted: None,
            timeout: Duration::from_secs(1),
            channel: Channel::Plain,
            trust: SharedState::new(TrustPolicy::in_the_open()),
            last: SharedState::default(),
            named_tries: SharedState::default(),
        }
    }

    /// Whether servers are looked for on the network, so that there may be another one.
    pub(crate) fn searches(&self) -> bool {
        self.host.is_none() && self.discovery
    }

    /// Whether the user named the host.
    pub(crate) fn has_host(&self) -> bool {
        self.host.is_some()
    }

    /// How connections are made.
    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Which servers may be joined.
    pub(crate) fn trust(&self) -> MutexGuard<'_, TrustPolicy> {
        self.trust.lock()
    }

    /// Notes where the server is, for coming back to it.
    pub(crate) fn remember(&self, addrs: &[SocketAddr]) {
        *self.last.lock() = addrs.to_vec();
    }

    /// The same for a search that takes no longer than that.
    pub(crate) fn within(&self, timeout: Duration) -> Self {
        Self { timeout: self.timeout.min(timeout), ..self.clone() }
    }

    /// Looks at all addresses of the own networks.
    pub(crate) async fn scan(&self) -> Result<Located, Error> {
        let scanned = discovery::scan(DEFAULT_PORT, prober(&self.channel), None).await;
        let found = scanned.map_err(|error| Error::Local(format!("cannot scan the network: {error}")))?;
        Ok(match found.is_empty() {
            true => Located::Nothing(Box::default()),
            false => self.several_or_one(found),
        })
    }

    /// Looks for a server.
    pub(crate) async fn locate(&self, slow: impl FnMut()) -> Result<Located, Error> {
        if let Some(host) = &self.host {
            let reached = tokio::time::timeout(self.timeout, self.reach_host_or_named(host)).await;
            let error = match reached {
                Ok(Ok(reached)) => return Ok(Located::One(Box::new(reached))),
                Ok(Err(error)) => error,
                Err(_) => LinkError::Silent,
            };
            return Err(self.trust.lock().explain(&format!("cannot connect to {host}"), &error));
        }
        let options = self.options();
        let refused = NotedRefusals::default();
        Ok(match discovery::find(options, noting(prober(&self.channel), &refused), slow).await {
            FindOutcome::Found(found) => Located::One(Box::new(found.into())),
            FindOutcome::Several(several) => self.several_or_one(several),
            FindOutcome::Nothing(tried) => {
                let noted = std::mem::take(&mut *refused.lock());
                let trust = self.trust.lock();
                let wrong = noted.wrong_key.map(|(presented, addr)| trust.refusal(presented, "", addr));
                match wrong.or_else(|| trust.impostor(&tried.strangers)).or(noted.told) {
                    Some(refusal) => return Err(refusal),
                    None => Located::Nothing(Box::new(tried)),
                }
            }
        })
    }

    /// Reaches the server with this id, wherever it is.
    pub(crate) async fn reach_id(&self, id: &str) -> Result<Reached, LinkError> {
        let channel = self.channel.to(Fingerprint::from_id(id));
        if let Some(host) = &self.host {
            let again = Self { channel, ..self.clone() };
            return again.reach_host(host, false).await;
        }
        let addrs = self.last.lock().clone();
        self.search_id(id, addrs, &channel).await
    }

    /// Looks for the server with this id, at these addresses and on the network.
    async fn search_id(
        &self,
        id: &str,
        addrs: Vec<SocketAddr>,
        channel: &Channel,
    ) -> Result<Reached, LinkError> {
        let (name, named) = (String::new(), Vec::new());
        let server = RememberedServer { id: id.to_owned(), name, addrs, named, last_used: true };
        let options = FindOptions {
            known: vec![server],
            wanted: Some(id.to_owned()),
            timeout: AGAIN_TIMEOUT,
            discovery: self.discovery,
            default_port: DEFAULT_PORT,
        };
        match discovery::find(options, prober(channel), || {}).await {
            FindOutcome::Found(found) => Ok(found.into()),
            FindOutcome::Several(_) | FindOutcome::Nothing(_) => Err(LinkError::Silent),
        }
    }

    /// Connects to the host that was named; to one where a server was met before, only if what is
    /// there now has a key that is known.
    async fn reach_host(&self, host: &NamedHost, expects_known: bool) -> Result<Reached, LinkError> {
        let found = discovery::lookup(&host.name, host.port, self.discovery).await;
        let addrs = found.map_err(|error| LinkError::Connect(error.into()))?;
        let by_name = host_name(&host.name, Some(host.port));
        let expected = || self.trust.lock().known().expected_at(&addrs, by_name.as_deref());
        let expected = if expects_known { expected() } else { None };
        let channel = match (expected, &self.channel) {
            (Some(keys), Channel::Tls { expect: Expect::Anyone, .. }) => self.channel.narrowed(keys),
            _ => self.channel.clone(),
        };
        reach(&addrs, &channel).await.map(|reached| Reached { asked_for: true, ..reached })
    }

    /// The servers to choose from: leaves out strangers that use the name of a known server that is there too.
    fn several_or_one(&self, found: Vec<Found<(ServerLink, ServerStatus)>>) -> Located {
        let mut servers: Vec<Reached> = found.into_iter().map(Reached::from).collect();
        let trust = self.trust.lock();
        let is_known =
            |reached: &Reached| trust.known().iter().any(|known| Some(known.fp) == reached.link.key());
        let names: Vec<String> =
            servers.iter().filter(|one| is_known(one)).map(|one| one.server.name.to_lowercase()).collect();
        servers.retain(|one| is_known(one) || !names.contains(&one.server.name.to_lowercase()));
        match servers.len() {
            1 => Located::One(Box::new(servers.remove(0))),
            _ => Located::Several(servers),
        }
    }

    fn options(&self) -> FindOptions {
        let trust = self.trust.lock();
        let (known, wanted) = (trust.known(), self.wanted.clone());
        // A name that several known servers have means none of them more than another.
        let has_name = |name: &str| known.iter().filter(|server| server.is_called(name)).count() > 1;
        let is_ambiguous = wanted.as_deref().is_some_and(has_name);
        let last = known.last_used().filter(|_| !is_ambiguous).map(|server| server.fp);
        let is_meant = |server: &KnownServer| match &wanted {
            Some(wanted) => discovery::is_called(wanted, &server.name, &server.fp.id()),
            None => last == Some(server.fp),
        };
        let known = known.iter().map(|server| RememberedServer {
            id: server.fp.id(),
            name: server.name.clone(),
            addrs: server.addrs.clone(),
            named: if is_meant(server) { self.may_try(server.named.clone()) } else { Vec::new() },
            last_used: last == Some(server.fp),
        });
        FindOptions {
            known: known.collect(),
            wanted: wanted.clone(),
            timeout: self.timeout,
            discovery: self.discovery,
            default_port: DEFAULT_PORT,
        }
    }
}

/// Connects to one of a server's addresses: the links of a search do not stay open for long.
pub(crate) async fn reach(addrs: &[SocketAddr], channel: &Channel) -> Result<Reached, LinkError> {
    match discovery::race(addrs.iter().copied(), prober(channel)).await {
        Ok((addr, proof)) => {
            let (link, ServerStatus { server, closed, .. }) = proof.link;
            let (addrs, namesakes) = (vec![addr], Vec::new());
            let (asked_for, is_referred, instead) = (false, false, None);
            Ok(Reached { link, server, addrs, closed, asked_for, is_referred, namesakes, instead })
        }
        Err(error) => Err(most_telling(error.failed.into_iter().filter_map(|(_, error)| error))),
    }
}

/// Asks the server at one of these addresses about itself; none if it does not answer.
pub(crate) async fn status(addrs: &[SocketAddr], channel: &Channel) -> Option<ServerStatus> {
    let raced = discovery::race(addrs.iter().copied(), prober(channel)).await;
    raced.ok().map(|(_, proof)| proof.link.1)
}

/// Connects and asks who is there.
fn prober(channel: &Channel) -> impl Fn(SocketAddr) -> Probing + use<> {
    let channel = channel.clone();
    move |addr| {
        let channel = channel.clone();
        Box::pin(async move {
            let (link, status) = ServerLink::probe(addr, &channel).await?;
            let (id, name) = (status.server.id.clone(), status.server.name.clone());
            Ok(Proof { id, name, link: (link, status) })
        })
    }
}

/// A probe under way.
type Probing = Pin<Box<dyn Future<Output = Result<Proof<(ServerLink, ServerStatus)>, LinkError>> + Send>>;

/// Servers that answered but could not be joined.
type NotedRefusals = SharedState<Noted>;

#[derive(Default)]
struct Noted {
    /// The last server that was refused for its key, and where it is.
    wrong_key: Option<(Fingerprint, SocketAddr)>,
    /// The refusal of the last server that let nobody in or spoke another protocol.
    told: Option<Error>,
}

/// Keeps which server a probe has refused, or was refused by.
fn noting(probe: impl Fn(SocketAddr) -> Probing, refused: &NotedRefusals) -> impl Fn(SocketAddr) -> Probing {
    let refused = refused.clone();
    move |addr| {
        let (probing, refused) = (probe(addr), refused.clone());
        Box::pin(async move {
            let proof = probing.await;
            let mut noted = refused.lock();
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

/// Of the errors of several addresses, the one that says most: a server's refusal, then something
/// that answers but is not a server, then no answer.
pub(super) fn most_telling(errors: impl Iterator<Item = LinkError>) -> LinkError {
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
