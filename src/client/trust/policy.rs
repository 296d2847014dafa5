//! Decides which servers to trust by the keys that they present, and explains each decision. It knows the
//! remembered servers and those of this machine, and no connections.

use std::cell::LazyCell;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::local_servers::LocalServers;
use super::notices;
use super::verified_users::VerifiedUsers;
use crate::client::error::Error;
use crate::client::link::{Channel, LinkError, Reached};
use crate::client::options::ClientOptions;
use crate::discovery::{UnexpectedServer, is_called, is_unambiguous, networks, server_label};
use crate::fingerprint::Fingerprint;
use crate::limits::DEFAULT_PORT;
use crate::security::{
    ClientTls, Expect, KeyVerdict, Keypair, KnownServer, KnownServers, Presented, RequestedServer,
    TrustBasis, trusted_system_dir,
};

/// The known servers, and what the user asked for.
#[derive(Debug)]
pub(crate) struct TrustPolicy {
    known: KnownServers,
    /// The keys that the user named; any key if the list is empty.
    named: Vec<Fingerprint>,
    local: LocalServers,
    /// The host name that the user gave; none for an address.
    host: Option<String>,
    /// Whether the user gave a host, by name or by address.
    has_host: bool,
    /// The server's name or digits that the user gave, if no host.
    wanted: Option<String>,
    /// The users whose keys the user has verified.
    users: VerifiedUsers,
}

/// A server that may be joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Introduction {
    /// Why its key is trusted, if this is the first time.
    pub(crate) how: TrustBasis,
    /// Lines for the user before anything is sent; safe for the terminal.
    pub(crate) lines: Vec<String>,
    /// The line to tell instead where there is no prompt.
    pub(crate) brief: Option<String>,
    /// Whether this is a first contact, with a notice to the user.
    pub(crate) is_first: bool,
    /// Why the client must ask before it joins: the server has a known server's name, but is a different one.
    pub(crate) refusal: Option<Vec<String>>,
}

impl Introduction {
    fn plain(how: TrustBasis, lines: Vec<String>) -> Self {
        Self { how, lines, brief: None, is_first: false, refusal: None }
    }
}

/// How secure the present connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkSecurity {
    /// Anyone on the way can read and change messages.
    Plaintext,
    /// Encrypted, but nobody has verified the server's key.
    Unverified(Fingerprint),
    /// Encrypted, to a server whose key the user has verified.
    Verified(Fingerprint),
}

impl LinkSecurity {
    pub(crate) fn key(self) -> Option<Fingerprint> {
        match self {
            Self::Plaintext => None,
            Self::Unverified(key) | Self::Verified(key) => Some(key),
        }
    }
}

impl TrustPolicy {
    /// Takes the user's choices, and reads the known servers in `dir`.
    pub(crate) fn load(options: &ClientOptions, dir: Option<&Path>) -> Result<Self, Error> {
        let known = known_servers(dir)?;
        let local = LocalServers::read(&options.data_dirs);
        let named = options.fingerprints.clone();
        let host = options.host.as_ref().and_then(|(name, port)| host_name(name, *port));
        let has_host = options.host.is_some();
        let wanted = options.server.clone().filter(|_| !has_host);
        Ok(Self { known, named, local, host, has_host, wanted, users: VerifiedUsers::load(dir) })
    }

    /// How to connect to servers that may be joined.
    pub(crate) fn channel(&self, plaintext: bool, keypair: &Keypair) -> Result<Channel, Error> {
        if plaintext {
            return Ok(Channel::Plain);
        }
        let tls = ClientTls::new(keypair).map_err(|error| Error::Local(error.to_string()))?;
        Ok(Channel::Tls { tls: Box::new(tls), expect: expectation(&self.named, self.known.only()) })
    }

    pub(crate) fn known(&self) -> &KnownServers {
        &self.known
    }

    /// This user's own servers on this machine.
    pub(crate) fn local(&self) -> &LocalServers {
        &self.local
    }

    /// Reads this user's own servers again, after one has started.
    pub(crate) fn look_around(&mut self, dirs: &[std::path::PathBuf]) {
        self.local = LocalServers::read(dirs);
    }

    /// Decides whether a server may be joined. Fails with [`Error::Untrusted`] if its key is not the expected
    /// one.
    pub(crate) fn introduce(&self, reached: &Reached) -> Result<Introduction, Error> {
        let Some(fp) = reached.link.key() else {
            let lines = vec![notices::plaintext(&reached.server.name)];
            return Ok(Introduction::plain(TrustBasis::Tofu, lines));
        };
        let addr = reached.link.peer();
        let name = reached.server.name.as_str();
        let given = self.named.contains(&fp) || self.known.only().is_some() || self.local.has(&fp);
        let how = if given { TrustBasis::Flag } else { TrustBasis::Tofu };
        let host = self.host.as_deref().filter(|_| reached.asked_for);
        let sought = if reached.is_referred { RequestedServer::This } else { self.sought(fp, name) };
        let presented = Presented { fp, name, addr, asked_for: reached.asked_for, host, sought };
        let contact = |before| notices::first_contact(name, addr, fp, before, reached.closed);
        Ok(match self.verdict(&presented) {
            KeyVerdict::Known(known) => {
                let is_stranger = |id: &&String| self.find_by_id(id).is_none();
                let strangers: Vec<String> = reached.namesakes.iter().filter(is_stranger).cloned().collect();
                let mut lines = notices::namesakes(name, fp, &strangers);
                lines.extend(notices::renamed(known, name));
                let last = self.used_before(known);
                lines.extend(last.map(|last| notices::other(known, last)));
                let there = self.known.there_before(&presented).filter(|there| Some(*there) != last);
                lines.extend(there.map(notices::there_before));
                Introduction::plain(how, lines)
            }
            // A user who can read the server's files, or was given its key, needs no notice.
            KeyVerdict::New { .. } | KeyVerdict::Changed(_) | KeyVerdict::Namesake(_) if given => {
                Introduction::plain(how, Vec::new())
            }
            KeyVerdict::New { before } => {
                let brief = Some(notices::first_contact_briefly(name, addr, fp, before, reached.closed));
                Introduction { how, lines: contact(before), brief, is_first: true, refusal: None }
            }
            KeyVerdict::Namesake(known) => {
                let mut lines = contact(None);
                lines.push(notices::not_the_known(known));
                let refusal = Some(self.another(name, addr, fp, known));
                Introduction { how, lines, brief: None, is_first: true, refusal }
            }
            KeyVerdict::Changed(_) | KeyVerdict::NotListed => return Err(self.refusal(fp, name, addr)),
        })
    }

    /// Why a server may only be joined after the user's yes; none if it needs none.
    pub(crate) fn namesake(&self, reached: &Reached) -> Option<Error> {
        self.introduce(reached).ok()?.refusal.map(Error::Untrusted)
    }

    /// Explains why the key of the server at this address is not accepted.
    pub(crate) fn refusal(&self, fp: Fingerprint, name: &str, addr: SocketAddr) -> Error {
        if !self.named.is_empty() && !self.named.contains(&fp) {
            return Error::Untrusted(notices::not_named(name, addr, fp, &self.named));
        }
        let host = self.host.as_deref();
        let sought = self.sought(fp, name);
        Error::Untrusted(match self.verdict(&Presented { fp, name, addr, asked_for: true, host, sought }) {
            KeyVerdict::Changed(known) => notices::changed(name, addr, fp, known, &self.word(known)),
            KeyVerdict::Namesake(known) => self.another(name, addr, fp, known),
            _ => notices::not_listed(name, addr, fp),
        })
    }

    /// The refusal of a server that was announced as a known one and has its name, but another key.
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

    /// Compares the user's choice with the server that has this key and name. A choice that fits a known
    /// server means only that one, even if an attacker made a key with the same first digits.
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

    /// A server with the same name that was used more recently, which the user may have in mind.
    fn used_before(&self, known: &KnownServer) -> Option<&KnownServer> {
        let mut same = self.known.iter().filter(|other| other.is_called(&known.name));
        same.next().filter(|last| last.fp != known.fp)
    }

    /// The shortest text that names this known server and no other.
    fn word(&self, known: &KnownServer) -> String {
        match self.known.iter().filter(|other| other.is_called(&known.name)).count() {
            0 | 1 => known.name.clone(),
            _ => server_label(&known.name, &known.fp.id()),
        }
    }

    fn another(&self, name: &str, addr: SocketAddr, fp: Fingerprint, known: &KnownServer) -> Vec<String> {
        let label = (!self.has_host).then(|| server_label(name, &fp.id()));
        notices::another(name, addr, fp, known, label.as_deref())
    }

    /// Explains why the server that had the key `before` is no longer accepted.
    pub(crate) fn changed(&self, fp: Fingerprint, addr: SocketAddr, before: Option<Fingerprint>) -> Error {
        match before.and_then(|before| self.find(&before)) {
            Some(known) => {
                Error::Untrusted(notices::changed(&known.name, addr, fp, known, &self.word(known)))
            }
            None => self.refusal(fp, "", addr),
        }
    }

    /// Explains a link's error; a wrong key is explained in full.
    pub(crate) fn explain(&self, what: &str, error: &LinkError) -> Error {
        match error {
            LinkError::WrongKey { presented, addr } => self.refusal(*presented, "", *addr),
            error => Error::from_link(what, error),
        }
    }

    /// How secure a connection to the server with this key is.
    pub(crate) fn link_security(&self, key: Option<Fingerprint>) -> LinkSecurity {
        match key {
            None => LinkSecurity::Plaintext,
            Some(key) if self.find(&key).is_some_and(KnownServer::is_verified) => LinkSecurity::Verified(key),
            Some(key) => LinkSecurity::Unverified(key),
        }
    }

    /// Whether the server with this key was joined before.
    pub(crate) fn was_known(&self, key: Fingerprint) -> bool {
        self.find(&key).is_some_and(|known| known.first != known.last)
    }

    /// Whether the server with this key has accepted this user's passphrase before.
    pub(crate) fn is_member(&self, key: Option<Fingerprint>) -> bool {
        key.and_then(|key| self.find(&key)).is_some_and(KnownServer::is_member)
    }

    /// Records that a server was joined just now.
    pub(crate) fn remember(
        &mut self,
        key: Option<Fingerprint>,
        name: &str,
        addr: SocketAddr,
        how: TrustBasis,
    ) {
        // A name without a proven key is not worth remembering.
        if let Some(fp) = key {
            let host = self.host.as_deref();
            let joined = Presented { asked_for: host.is_some(), host, ..Presented::found(fp, name, addr) };
            self.known.remember(&joined, how);
        }
    }

    /// Records where a server that has been joined says that its chat's servers are.
    pub(crate) fn name(&mut self, key: Option<Fingerprint>, named: &[SocketAddr]) {
        if let Some(key) = key {
            self.known.name(&key, named);
        }
    }

    /// Where the chat's servers with this key should be, by what one of them said last.
    pub(crate) fn named(&self, key: &Fingerprint) -> &[SocketAddr] {
        self.find(key).map_or(&[], |known| &known.named)
    }

    /// Records that the user has compared the key's digits.
    pub(crate) fn verify(&mut self, key: &Fingerprint) {
        self.known.verify(key);
    }

    /// Takes that back; returns false if there is other evidence for the key.
    pub(crate) fn unverify(&mut self, key: &Fingerprint) -> bool {
        self.known.unverify(key)
    }

    pub(crate) fn users(&self) -> &VerifiedUsers {
        &self.users
    }

    pub(crate) fn users_mut(&mut self) -> &mut VerifiedUsers {
        &mut self.users
    }

    fn find(&self, key: &Fingerprint) -> Option<&KnownServer> {
        self.known.iter().find(|known| known.fp == *key)
    }

    /// The known server whose id has this prefix; announcements have only the first digits.
    fn find_by_id(&self, announced: &str) -> Option<&KnownServer> {
        self.known.iter().find(|known| known.fp.id().starts_with(announced))
    }
}

/// Judges a presented key on the networks of this machine.
pub(crate) fn verdict<'a>(known: &'a KnownServers, presented: &Presented<'_>) -> KeyVerdict<'a> {
    let networks = LazyCell::new(networks);
    known.verdict(presented, |addr| networks.iter().any(|network| network.contains(&addr)))
}

/// A host and port in the form in which they are remembered; none for an address, which is stored separately.
pub(crate) fn host_name(name: &str, port: Option<u16>) -> Option<String> {
    let is_address = name.split('%').next().is_some_and(|ip| ip.parse::<IpAddr>().is_ok());
    (!is_address).then(|| format!("{name}:{}", port.unwrap_or(DEFAULT_PORT)))
}

/// Reads the known servers in `dir`, and the system's list.
pub(crate) fn known_servers(dir: Option<&Path>) -> Result<KnownServers, Error> {
    KnownServers::load(dir, trusted_system_dir().as_deref()).map_err(|error| Error::Local(error.to_string()))
}

/// The acceptable keys: those that the user named, limited to the system's list if there is one.
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
                users: VerifiedUsers::default(),
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
            // A name that consists of another server's digits does not either.
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
