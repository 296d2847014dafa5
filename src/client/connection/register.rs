//! From an open link to a registered one: the hello, the proof for a closed server, what to do when
//! the name is taken, and the operator's rights on one's own server.

use std::net::SocketAddr;

use super::credentials::{Credentials, JoinTerms};
use crate::client::link::{LinkError, PassphraseProof, ServerLink};
use crate::discovery::Networks;
use crate::name::Name;
use crate::protocol::event::Welcome;
use crate::protocol::request::{Hello, Mode};
use crate::protocol::{Code, Nodes};
use crate::security::Passphrase;

/// Names tried when the login name is taken.
const ATTEMPTS: u32 = 20;

/// A link with a name.
pub(crate) struct Registered {
    pub(crate) link: ServerLink,
    pub(crate) welcome: Welcome,
    /// The name that the user wanted, if another user has it.
    pub(crate) taken: Option<Name>,
    /// Whether the server proved that it knows the passphrase.
    pub(crate) proven: bool,
    /// Whether the hello asked for missed messages.
    pub(crate) resumes: bool,
    /// Whether the user was told of other servers with this server's name.
    pub(crate) namesakes_are_told: bool,
}

impl Registered {
    /// The server's name within its chat; `None`: the chat has no other server.
    pub(super) fn node(&self) -> Option<&str> {
        self.welcome.nodes.as_ref().map(Nodes::node)
    }

    /// The chat's servers, by the words of this one, at addresses where a client may look for them. None without a
    /// key, because nothing would prove which server answers.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        let places =
            self.welcome.nodes.as_ref().filter(|_| self.link.key().is_some()).map_or(&[][..], Nodes::places);
        let networks =
            if places.is_empty() { Networks::default() } else { Networks::now().unwrap_or_default() };
        let named = places.iter().map(|place| (place.node.as_str(), place.socket()));
        named.filter(move |(_, addr)| networks.may_be_named(*addr, self.link.peer()))
    }
}

impl Credentials {
    /// Says hello. If the name is taken and another will do, registers under a free one.
    pub(super) async fn register(
        &self,
        mut link: ServerLink,
        terms: JoinTerms,
        passphrase: Option<&Passphrase>,
    ) -> Result<Registered, LinkError> {
        let wanted = self.identity.name();
        let mut name = wanted.clone();
        let mut proven = false;
        for attempt in 0.. {
            // A key says who this is, so the token stays secret.
            let token = link.key().is_none().then(|| self.identity.token.clone());
            let (since, log, logs) = self.position.hello();
            let resumes = since.is_some();
            // A program that only reads along under the login name is nobody whom others could want to reach.
            let tails = terms.mode == Mode::Tail && !self.identity.is_name_chosen;
            let guest = self.is_guest || terms.guest || tails;
            let hello = Hello { name: name.to_string(), mode: terms.mode, token, since, log, logs, guest };
            let proof = passphrase.map(|passphrase| PassphraseProof { passphrase, own: self.own });
            let mut is_proven_now = false;
            let answer = link.hello(hello, proof, &mut is_proven_now).await;
            proven |= is_proven_now;
            let error = match answer {
                Ok(welcome) => {
                    let taken = (name != wanted).then_some(wanted);
                    let namesakes_are_told = false;
                    let registered = Registered { link, welcome, taken, proven, resumes, namesakes_are_told };
                    return self.with_operator(registered).await;
                }
                Err(error) => error,
            };
            let LinkError::Refused { code: Some(Code::NameTaken), free, .. } = &error else {
                return Err(error);
            };
            let free = free.as_deref().and_then(|free| Name::new(free).ok());
            match free.or_else(|| wanted.alternative(attempt + 2)) {
                Some(other) if !terms.needs_name && attempt < ATTEMPTS => name = other,
                _ => return Err(error),
            }
            // A refused hello ends its connection.
            link = ServerLink::connect(link.peer(), &self.channel.to(link.key())).await?;
        }
        Err(LinkError::Silent)
    }

    /// Becomes an operator of this user's own server.
    async fn with_operator(&self, mut registered: Registered) -> Result<Registered, LinkError> {
        let key = registered.link.key();
        let secret = key.and_then(|key| self.trust.lock().local().secret(&key).map(str::to_owned));
        if let Some(secret) = secret.filter(|_| !registered.welcome.operator) {
            registered.welcome.operator = registered.link.become_operator(&secret).await?;
        }
        Ok(registered)
    }
}
