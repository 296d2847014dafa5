//! From a server that was reached to a place in its chat: whether its key is to be believed, its
//! passphrase, the hello, and what is remembered of it.

use std::fmt;
use std::path::PathBuf;

use super::error::Error;
use super::identity::Identity;
use super::link::{Link, LinkError};
use super::passphrase::Passphrases;
use super::progress::Progress;
use super::reached::Reached;
use super::register::{Papers, Registered, register};
use super::trust::Trust;
use super::{startup, words};
use crate::protocol::Code;
use crate::protocol::request::Mode;
use crate::security::{Passphrase, TrustBasis};

/// Who wants to get in, and what they have to show.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) identity: Identity,
    pub(super) trust: Trust,
    pub(super) passphrases: Passphrases,
    /// How far they have got in a server's history.
    pub(super) progress: Progress,
    /// Whether the user can be asked for a passphrase.
    pub(super) can_be_asked: bool,
}

/// Why somebody is not let in.
#[derive(Debug)]
pub(super) enum Unadmitted {
    /// By the server, or for want of a connection.
    Link(LinkError),
    /// For a reason on this side.
    Here(Error),
}

impl From<LinkError> for Unadmitted {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<Error> for Unadmitted {
    fn from(error: Error) -> Self {
        Self::Here(error)
    }
}

impl Unadmitted {
    fn explain(self, trust: &Trust) -> Error {
        match self {
            Self::Link(error) => trust.explain("cannot join the server", &error),
            Self::Here(error) => error,
        }
    }

    /// The end, if there is no use in trying again; else a reason that may pass.
    pub(super) fn is_final(&self) -> bool {
        use Code::{BadName, Banned, KeyRequired, NotAllowed, TlsRequired};
        match self {
            Self::Here(_) | Self::Link(LinkError::PassphraseNeeded | LinkError::WrongPassphrase) => true,
            Self::Link(LinkError::Refused { code, .. }) => {
                matches!(code, Some(Banned | BadName | KeyRequired | NotAllowed | TlsRequired))
            }
            Self::Link(_) => false,
        }
    }
}

impl fmt::Display for Unadmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(error) => write!(f, "{error}"),
            Self::Here(error) => write!(f, "{error}"),
        }
    }
}

impl Visitor {
    /// Joins a server, and remembers it. `tell` is given lines for the user, safe for the terminal.
    ///
    /// # Errors
    /// [`Error::Untrusted`] before anything was sent, or what [`LinkError`] means.
    pub(super) async fn join(
        &mut self,
        reached: Reached,
        mode: Mode,
        tell: impl Fn(String),
    ) -> Result<Registered, Error> {
        let introduction = self.trust.introduce(&reached)?;
        if let Some(refusal) = introduction.refusal {
            if mode != Mode::Chat || !self.can_be_asked || !startup::can_ask() {
                return Err(Error::Untrusted(refusal));
            }
            introduction.lines.iter().cloned().for_each(&tell);
            if !startup::says_yes(words::JOIN_NAMESAKE).await {
                return Err(Error::Refused(words::not_joined(&reached.server.name)));
            }
        } else {
            introduction.lines.into_iter().for_each(&tell);
        }
        let (key, peer) = (reached.link.key(), reached.link.peer());
        self.progress.enter(&reached.server.id, key.is_some());
        let (name, closed) = (reached.server.name, reached.closed);
        let admitted = self.admit(reached.link, &name, closed, mode).await;
        let mut registered = admitted.map_err(|error| error.explain(&self.trust))?;
        registered.twins_are_told = !reached.namesakes.is_empty();
        // Whoever is in between could play an open server.
        if introduction.is_first && !registered.proven && self.passphrases.is_named() {
            return Err(Error::Refused(words::unproven(&name)));
        }
        if introduction.is_first && closed {
            tell(if registered.proven { words::proven(&name) } else { words::NOT_VERIFIED.to_owned() });
        }
        let how = if registered.proven { TrustBasis::Passphrase } else { introduction.how };
        self.trust.remember(key, &registered.welcome.server.name, peer, how);
        Ok(registered)
    }

    /// Registers on a link to a server that is believed.
    pub(super) async fn admit(
        &self,
        mut link: Link,
        server: &str,
        closed: bool,
        mode: Mode,
    ) -> Result<Registered, Unadmitted> {
        let mut passphrase = None;
        // Asked for before the hello, because a server counts proofs that were not given.
        if closed && !self.trust.is_member(link.key()) {
            let given = self.passphrases.given(self.local_file(&link))?;
            let must_ask = given.is_none() && self.can_be_asked && Passphrases::can_ask();
            passphrase = if must_ask { Some(self.passphrases.ask(server).await?) } else { given };
            if must_ask {
                link = Link::connect(link.peer(), &self.trust.channel().to(link.key())).await?;
            }
        }
        let (peer, key) = (link.peer(), link.key());
        let local = self.local_file(&link);
        let error = match self.register(link, mode, passphrase.as_ref()).await {
            Ok(registered) => return Ok(registered),
            Err(error) => error,
        };
        if !matches!(error, LinkError::PassphraseNeeded) {
            return Err(error.into());
        }
        let passphrase = match self.passphrases.given(local)? {
            Some(given) => given,
            None if self.can_be_asked => self.passphrases.ask(server).await?,
            None => return Err(error.into()),
        };
        let link = Link::connect(peer, &self.trust.channel().to(key)).await?;
        Ok(self.register(link, mode, Some(&passphrase)).await?)
    }

    async fn register(
        &self,
        link: Link,
        mode: Mode,
        passphrase: Option<&Passphrase>,
    ) -> Result<Registered, LinkError> {
        let operator = link.key().and_then(|key| self.trust.local().secret(&key));
        let (channel, own, progress) = (self.trust.channel(), self.trust.own(), &self.progress);
        let papers = Papers { channel, own, passphrase, progress, operator };
        register(link, &self.identity, mode, &papers).await
    }

    fn local_file(&self, link: &Link) -> Option<PathBuf> {
        link.key().and_then(|key| self.trust.local().passphrase_file(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Visitor {
        /// One who does without encryption, and remembers nothing.
        pub(in crate::client) fn in_the_open(name: &str) -> Self {
            let identity = Identity::load(None, crate::name::Name::new(name).ok()).unwrap();
            let (trust, passphrases) = (Trust::in_the_open(), Passphrases::new(None));
            let progress = Progress::new(crate::client::progress::Start::Newest, None);
            Self { identity, trust, passphrases, progress, can_be_asked: false }
        }
    }
}
