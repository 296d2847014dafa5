//! Whom to believe that they are the server: judges the keys that servers present, and says so in
//! words. It knows the remembered servers and those of this machine, and no connections.

use std::cell::LazyCell;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::local_servers::LocalServers;
use super::notices as words;
use crate::client::error::Error;
use crate::client::link::{Channel, LinkError, Reached};
use crate::client::options::ClientOptions;
use crate::discovery::{UnexpectedServer, is_called, is_unambiguous, networks, server_label};
use crate::fingerprint::Fingerprint;
use crate::limits::DEFAULT_PORT;
use crate::security::{
    ClientTls, Expect, KeyVerdict, Keypair, KnownServer, KnownServers, Presented, RequestedServer,
    TrustBasis, system_dir,
};

/// What this user goes by in trusting servers.
#[derive(Debug)]
pub(crate) struct TrustPolicy {
    known: KnownServers,
    /// The keys that the user named; any if there are none.
    named: Vec<Fingerprint>,
    local: LocalServers,
    /// The host that the user asked for, if by a name.
    host: Option<String>,
    /// Whether the user asked for a host, by a name or an address.
    has_host: bool,
    /// The name or the digits that the user asked for, if for no host.
    wanted: Option<String>,
}

/// How a server that may be joined is introduced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Introduction {
    /// Why its key is trusted, if it turns out to be the first time.
    pub(crate) how: TrustBasis,
    /// What the user is told before anything is sent; safe for the terminal.
    pub(crate) lines: Vec<String>,
    /// Whether this is a first contact of which the user was told.
    pub(crate) is_first: bool,
    /// Why it is not joined unless the user says yes: it goes by the name of a known server that it is not.
    pub(crate) refusal: Option<Vec<String>>,
}

impl Introduction {
    fn plain(how: TrustBasis, lines: Vec<String>) -> Self {
        Self { how, lines, is_first: false, refusal: None }
    }
}

/// What the user may know of the present connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkSecurity {
    /// Anybody on the way reads and changes what is said.
    Plaintext,
    /// Encrypted, to whoever was there at the first contact.
    Unverified(Fingerprint),
    /// Encrypted, to a server whose key was verified.
    Verified(Fingerprint),
}

impl LinkSecurity {
    /// The server's key.
    pub(crate) fn key(self) -> Option<Fingerprint> {
        match self {
            Self::Plaintext => None,
            Self::Unverified(key) | Self::Verified(key) => Some(key),
        }
    }
}

impl TrustPolicy {
    /// Takes over what the options say, and reads what is remembered in `dir`.
    pub(crate) fn load(options: &ClientOptions, dir: Option<&Path>) -> Result<Self, Error> {
        let known = known_servers(dir)?;
        let local = LocalServers::read(&options.data_dirs);
        let named = options.fingerprints.clone();
        let host = options.host.as_ref().and_then(|(name, port)| host_name(name, *port));
        let has_host = options.host.is_some();
        let wanted = options.server.clone().filter(|_| !has_host);
        Ok(Self { known, named, local, host, has_host, wanted })
    }

    /// How to connect to servers that may be joined.
    pub(crate) fn channel(&self, plaintext: bool, keypair: &Keypair) -> Result<Channel, Error> {
        if plaintext {
            return Ok(Channel::Plain);
        }
        let tls = ClientTls::new(keypair).map_err(|error| Error::Local(error.to_string()))?;
        Ok(Channel::Tls { tls: Box::new(tls), expect: expectation(&self.named, self.known.only()) })
    }

    /// The servers of earlier times.
    pub(crate) fn known(&self) -> &KnownServers {
        &self.known
    }

    /// The servers of this machine whose files this user may read.
    pub(crate) fn local(&self) -> &LocalServers {
        &self.local
    }

    /// Looks again at the servers of this machine: one has just been started.
    pub(crate) fn look_around(&mut self, dirs: &[std::path::PathBuf]) {
        self.local = LocalServers::read(dirs);
    }

    /// Decides whether a server may be joined.
    ///
    /// # Errors
    /// [`Error::Untrusted`] if its key is another one than it should be.
    pub(crate) fn introduce(&self, reached: &Reached) -> Result<Introduction, Error> {
        let Some(fp) = reached.link.key() else {
            let lines = vec![words::plaintext(&reached.server.name)];
            return Ok(Introduction::plain(TrustBasis::Tofu, lines));
        };
        let addr = reached.link.peer();
        let name = reached.server.name.as_str();
        let given = self.named.contains(&fp) || self.known.only().is_some() || self.local.has(&fp);
        let how = if given { TrustBasis::Flag } else { TrustBasis::Tofu };
        let host = self.host.as_deref().filter(|_| reached.asked_for);
        let sought = if reached.is_referred { RequestedServer::This } else { self.sought(fp, name) };
        let presented = Presented { fp, name, addr, asked_for: reached.asked_for, host, sought };
        let contact = |before| words::first_contact(name, addr, fp, before, reached.closed);
        Ok(match self.verdict(&presented) {
            KeyVerdict::Known(known) => {
                let is_stranger = |id: &&String| self.find_by_id(id).is_none();
                let strangers: Vec<String> = reached.namesakes.iter().filter(is_stranger).cloned().collect();
                let mut lines = words::namesakes(name, fp, &strangers);
                lines.extend(words::renamed(known, name));
                let last = self.used_before(known);
                lines.extend(last.map(|last| words::other(known, last)));
                let there = self.known.there_before(&presented).filter(|there| Some(*there) != last);
                lines.extend(there.map(words::there_before));
                Introduction::plain(how, lines)
            }
            // Whoever can read the server's own files, or was told its key, has no need of a notice.
            KeyVerdict::New { .. } | KeyVerdict::Changed(_) | KeyVerdict::Namesake(_) if given => {
                Introduction::plain(how, Vec::new())
            }
            KeyVerdict::New { before } => {
                Introduction { how, lines: contact(before), is_first: true, refusal: None }
            }
            KeyVerdict::Namesake(known) => {
                let mut lines = contact(None);
                lines.push(words::not_the_known(known));
                let refusal = Some(self.another(name, addr, fp, known));
                Introduction { how, lines, is_first: true, refusal }
            }
            KeyVerdict::Changed(_) | KeyVerdict::NotListed => return Err(self.refusal(fp, name, addr)),
        })
    }

    /// Why a server is not joined without the user's yes, if it is one.
    pub(crate) fn namesake(&self, reached: &Reached) -> Option<Error> {
        self.introduce(reached).ok()?.refusal.map(Error::Untrusted)
    }

    /// Why a key is not accepted that the server at this address presents.
    pub(crate) fn refusal(&self, fp: Fingerprint, name: &str, addr: SocketAddr) -> Error {
        if !self.named.is_empty() && !self.named.contains(&fp) {
            return Error::Untrusted(words::not_named(name, addr, fp, &self.named));
        }
        let host = self.host.as_deref();
        let sought = self.sought(fp, name);
        Error::Untrusted(match self.verdict(&Presented { fp, name, addr, asked_for: true, host, sought }) {
            KeyVerdict::Changed(known) => words::changed(name, addr, fp, known, &self.word(known)),
            KeyVerdict::Namesake(known) => self.another(name, addr, fp, known),
            _ => words::not_listed(name, addr, fp),
        })
    }

    /// The refusal of a server that was announced as a known one, goes by its name, and has another key.
    pub(crate) fn impostor(&self, strangers: &[UnexpectedServer]) -> Option<Error> {
        strangers.iter().find_map(|UnexpectedServer { addr, id, name }| {
            let fp = Fingerprint::from_id(id)?;
            let verdict = self.verdict(&Presented::found(fp, name, *addr));
            let is_impostor = matches!(verdict, KeyVerdict::Changed(_) | KeyVerdict::Namesake(_));
            is_impostor.then(|| self.refusal(fp, name, *addr))
        })
    }

    fn verdict(&self, presented: &Presented<'_>) -> KeyVerdict<'_> {
        verdict(&self.known, presented)
    }

    /// Whom the user asked for, seen from the server with this key and name. What names a known server
    /// means it and nobody else, however few digits somebody made a key for.
    fn sought(&self, fp: Fingerprint, name: &str) -> RequestedServer {
        let Some(wanted) = &self.wanted else { return RequestedServer::Anyone };
        let known = |is_meant: fn(&str, &str, &str) -> bool| {
            let known = self.known.iter().find(|known| is_meant(wanted, &known.name, &known.fp.id()));
            known.map(|known| known.fp)
        };
        let this = is_unambiguous(wanted, name, &fp.id()).then_some(RequestedServer::This);
        let only = known(is_unambiguous).map(RequestedServer::Only);
        only.or(this)
            .or_else(|| known(is_called).map(RequestedServer::Known))
            .unwrap_or(RequestedServer::Anyone)
    }

    /// Another server of that name that was used later than this one: whoever is there now is not the one
    /// that the user may think of.
    fn used_before(&self, known: &KnownServer) -> Option<&KnownServer> {
        let mut same = self.known.iter().filter(|other| other.is_called(&known.name));
        same.next().filter(|last| last.fp != known.fp)
    }

    /// By what a known server is named so that no other is meant.
    fn word(&self, known: &KnownServer) -> String {
        match self.known.iter().filter(|other| other.is_called(&known.name)).count() {
            0 | 1 => known.name.clone(),
            _ => server_label(&known.name, &known.fp.id()),
        }
    }

    fn another(&self, name: &str, addr: SocketAddr, fp: Fingerprint, known: &KnownServer) -> Vec<String> {
        let label = (!self.has_host).then(|| server_label(name, &fp.id()));
        words::another(name, addr, fp, known, label.as_deref())
    }

    /// Why the server that was known by `before` is not accepted any more.
    pub(crate) fn changed(&self, fp: Fingerprint, addr: SocketAddr, before: Option<Fingerprint>) -> Error {
        match before.and_then(|before| self.find(&before)) {
            Some(known) => Error::Untrusted(words::changed(&known.name, addr, fp, known, &self.word(known))),
            None => self.refusal(fp, "", addr),
        }
    }

    /// What a link's error means: with a wrong key a refusal in full.
    pub(crate) fn explain(&self, what: &str, error: &LinkError) -> Error {
        match error {
            LinkError::WrongKey { presented, addr } => self.refusal(*presented, "", *addr),
            error => Error::from_link(what, error),
        }
    }

    /// What the user may know of a connection to the server with this key.
    pub(crate) fn link_security(&self, key: Option<Fingerprint>) -> LinkSecurity {
        match key {
            None => LinkSecurity::Plaintext,
            Some(key) if self.find(&key).is_some_and(KnownServer::is_verified) => LinkSecurity::Verified(key),
            Some(key) => LinkSecurity::Unverified(key),
        }
    }

    /// Whether the server with this key was joined before this time.
    pub(crate) fn was_known(&self, key: Fingerprint) -> bool {
        self.find(&key).is_some_and(|known| known.first != known.last)
    }

    /// Whether the passphrase of the server with this key was accepted before.
    pub(crate) fn is_member(&self, key: Option<Fingerprint>) -> bool {
        key.and_then(|key| self.find(&key)).is_some_and(KnownServer::is_member)
    }

    /// Notes that a server was joined just now.
    pub(crate) fn remember(
        &mut self,
        key: Option<Fingerprint>,
        name: &str,
        addr: SocketAddr,
        how: TrustBasis,
    ) {
        // What nobody has proven is not worth remembering.
        if let Some(fp) = key {
            let host = self.host.as_deref();
            let joined = Presented { asked_for: host.is_some(), host, ..Presented::found(fp, name, addr) };
            self.known.remember(&joined, how);
        }
    }

    /// Notes that the user has compared the digits of the key.
    pub(crate) fn verify(&mut self, key: &Fingerprint) {
        self.known.verify(key);
    }

    fn find(&self, key: &Fingerprint) -> Option<&KnownServer> {
        self.known.iter().find(|known| known.fp == *key)
    }

    /// The known server whose id begins so: announcements hold no more of it.
    fn find_by_id(&self, announced: &str) -> Option<&KnownServer> {
        self.known.iter().find(|known| known.fp.id().starts_with(announced))
    }
}

/// What a key means that a server presents, on the networks of this machine.
pub(crate) fn verdict<'a>(known: &'a KnownServers, presented: &Presented<'_>) -> KeyVerdict<'a> {
    let networks = LazyCell::new(networks);
    known.verdict(presented, |addr| networks.iter().any(|network| network.contains(&addr)))
}

/// A host and port as they are remembered. An address is none: those have their own place.
pub(crate) fn host_name(name: &str, port: Option<u16>) -> Option<String> {
    let is_address = name.split('%').next().is_some_and(|ip| ip.parse::<IpAddr>().is_ok());
    (!is_address).then(|| format!("{name}:{}", port.unwrap_or(DEFAULT_PORT)))
}

/// What is remembered in `dir`, and what the system says.
pub(crate) fn known_servers(dir: Option<&Path>) -> Result<KnownServers, Error> {
    KnownServers::load(dir, system_dir().as_deref()).map_err(|error| Error::Local(error.to_string()))
}

/// The keys that will do: those named, as far as the system lists them.
pub(crate) fn expectation(named: &[Fingerprint], listed: Option<Vec<Fingerprint>>) -> Expect {
    match listed {
        None if named.is_empty() => Expect::Anyone,
        None => Expect::Only(named.to_vec()),
        Some(listed) if named.is_empty() => Expect::Only(listed),
        Some(listed) => Expect::Only(listed.into_iter().filter(|key| named.contains(key)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl TrustPolicy {
        /// One that knows nobody and asks for nobody's key.
        pub(crate) fn in_the_open() -> Self {
            Self {
                known: KnownServers::default(),
                named: Vec::new(),
                local: LocalServers::default(),
                host: None,
                has_host: false,
                wanted: None,
            }
        }
    }

    const ONE: Fingerprint = Fingerprint::new([1; 32]);
    const TWO: Fingerprint = Fingerprint::new([2; 32]);

    #[test]
    fn the_systems_list_narrows_what_the_user_named_and_nothing_widens_it() {
        let keys = |named: &[Fingerprint], listed: Option<&[Fingerprint]>| match expectation(
            named,
            listed.map(<[Fingerprint]>::to_vec),
        ) {
            Expect::Anyone => None,
            Expect::Only(keys) => Some(keys),
        };
        assert_eq!(keys(&[], None), None);
        assert_eq!(keys(&[ONE], None), Some(vec![ONE]));
        assert_eq!(keys(&[], Some(&[TWO])), Some(vec![TWO]));
        assert_eq!(keys(&[ONE, TWO], Some(&[TWO])), Some(vec![TWO]));
        assert_eq!(keys(&[ONE], Some(&[TWO])), Some(vec![]));
        assert_eq!(keys(&[], Some(&[])), Some(vec![]));
    }

    #[test]
    fn what_names_a_known_server_means_it_and_digits_of_another_mean_that_one() {
        let mut trust = TrustPolicy::in_the_open();
        let addr = "10.0.0.1:7667".parse().unwrap();
        trust.known.remember(&Presented::found(ONE, "vm", addr), TrustBasis::Tofu);
        // Keys that begin with the same digits are made in hours.
        let mut forged = [1; 32];
        forged[31] = 9;
        let forged = Fingerprint::new(forged);
        for (wanted, sought) in [
            (None, RequestedServer::Anyone),
            (Some("vm"), RequestedServer::Known(ONE)),
            (Some("VM"), RequestedServer::Known(ONE)),
            (Some("0101"), RequestedServer::Known(ONE)),
            (Some("vm-01010101"), RequestedServer::Only(ONE)),
            (Some("vm-02020202"), RequestedServer::This),
            (Some("02020202"), RequestedServer::This),
            (Some("0202"), RequestedServer::Anyone),
            (Some("lab"), RequestedServer::Anyone),
        ] {
            trust.wanted = wanted.map(str::to_owned);
            assert_eq!(trust.sought(TWO, "vm"), sought, "{wanted:?}");
        }
        for wanted in ["vm-01010101", "01010101"] {
            trust.wanted = Some(wanted.into());
            assert_eq!(trust.sought(forged, "vm"), RequestedServer::Only(ONE), "{wanted}");
            // Nor does a name that is somebody else's digits.
            assert_eq!(trust.sought(TWO, wanted), RequestedServer::Only(ONE), "{wanted}");
        }
    }

    #[test]
    fn of_two_known_servers_of_a_name_each_is_named_by_its_digits() {
        let mut trust = TrustPolicy::in_the_open();
        let addr = "10.0.0.1:7667".parse().unwrap();
        let find = |trust: &TrustPolicy, key| trust.find(&key).unwrap().clone();
        trust.known.remember(&Presented::found(ONE, "vm", addr), TrustBasis::Tofu);
        let one = find(&trust, ONE);
        assert_eq!((trust.word(&one).as_str(), trust.used_before(&one)), ("vm", None));
        trust.known.remember(&Presented::found(TWO, "VM", addr), TrustBasis::Tofu);
        assert_eq!(trust.word(&find(&trust, ONE)), "vm-01010101");
        assert_eq!(trust.used_before(&find(&trust, ONE)).map(|last| last.fp), Some(TWO));
        assert_eq!(trust.used_before(&find(&trust, TWO)), None);
    }

    #[test]
    fn a_wrong_key_is_explained_by_what_was_expected() {
        let addr = "10.0.0.1:7667".parse().unwrap();
        let mut trust = TrustPolicy::in_the_open();
        trust.known.remember(&Presented::found(ONE, "Office", addr), TrustBasis::Tofu);
        let text = |error: Error| error.to_string();
        let wrong = LinkError::WrongKey { presented: TWO, addr };
        let explained = text(trust.explain("x", &wrong));
        assert!(
            explained.starts_with("REFUSED: \"Office\" (10.0.0.1:7667) does not have the key"),
            "{explained}"
        );
        let elsewhere = "10.0.0.9:1".parse().unwrap();
        assert!(text(trust.changed(TWO, elsewhere, Some(ONE))).contains(&ONE.spoken()));
        trust.named = vec![ONE];
        assert!(text(trust.explain("x", &wrong)).contains("that --fingerprint or the link names"));
        assert_eq!(trust.link_security(Some(ONE)), LinkSecurity::Unverified(ONE));
        trust.verify(&ONE);
        assert_eq!(
            (trust.link_security(Some(ONE)), trust.link_security(None)),
            (LinkSecurity::Verified(ONE), LinkSecurity::Plaintext)
        );
    }
}
