//! From a server that was reached to a place in its chat: judges its key, proves the passphrase, says hello,
//! and remembers the server.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::credentials::{Credentials, JoinTerms};
use super::elsewhere::Elsewhere;
use super::join_error::JoinError;
use super::register::Registered;
use crate::client::error::Error;
use crate::client::find::Locator;
use crate::client::link::{LinkError, Reached, ServerLink};
use crate::client::terminal;
use crate::client::trust::{JOIN_NAMESAKE, NOT_VERIFIED, NOT_VERIFIED_BRIEFLY, not_joined, proven, unproven};
use crate::protocol::request::Mode;
use crate::security::TrustBasis;

impl Credentials {
    /// Joins a server, and remembers it. `tell` gets lines for the user, safe for the terminal.
    ///
    /// # Errors
    /// [`Error::Untrusted`] before anything is sent, or what [`LinkError`] means.
    pub(crate) async fn join(
        &self,
        reached: Reached,
        terms: JoinTerms,
        tell: impl Fn(String),
    ) -> Result<Registered, Error> {
        self.join_or_next(None, reached, terms, tell).await
    }

    /// The same. If that server has no place, joins another one of its chat.
    pub(crate) async fn join_any(
        &self,
        locator: &Locator,
        reached: Reached,
        terms: JoinTerms,
        tell: impl Fn(String),
    ) -> Result<Registered, Error> {
        self.join_or_next(Some(locator), reached, terms, tell).await
    }

    async fn join_or_next(
        &self,
        locator: Option<&Locator>,
        reached: Reached,
        terms: JoinTerms,
        tell: impl Fn(String),
    ) -> Result<Registered, Error> {
        let introduction = self.trust.lock().introduce(&reached)?;
        if let Some(refusal) = introduction.refusal {
            if terms.mode != Mode::Chat || !terms.may_ask || !terminal::can_ask() {
                return Err(Error::Untrusted(refusal));
            }
            introduction.lines.iter().cloned().for_each(&tell);
            if !terminal::says_yes(JOIN_NAMESAKE).await {
                return Err(Error::Refused(not_joined(&reached.server.name), None));
            }
        } else {
            let brief = introduction.brief.filter(|_| terms.mode != Mode::Chat);
            brief.map_or(introduction.lines, |line| vec![line]).into_iter().for_each(&tell);
        }
        let (key, mut instead) = (reached.link.key(), reached.instead);
        self.position.enter(&reached.server.id, key.is_some());
        let (name, closed, peer) = (reached.server.name, reached.closed, reached.link.peer());
        let elsewhere =
            locator.zip(key).map(|(locator, key)| Elsewhere::new(locator, key, reached.addrs, peer));
        let admitted = match (self.admit(reached.link, &name, closed, terms).await, elsewhere) {
            (Err(JoinError::Link(error)), Some(elsewhere)) if error.sends_elsewhere() => {
                instead = Some(format!("the server at {peer} {}", error.fate()));
                self.join_elsewhere(elsewhere, terms, error.into()).await
            }
            (admitted, _) => admitted,
        };
        let mut registered =
            admitted.map_err(|error| error.explain("cannot join the server", &self.trust.lock()))?;
        let peer = registered.link.peer();
        if let Some((why, node)) = instead.zip(registered.node()) {
            tell(format!("{why}; going on at server {node}"));
        }
        registered.namesakes_are_told = !reached.namesakes.is_empty();
        // An impostor can play an open server.
        if introduction.is_first && !registered.proven && self.passphrases.is_named() {
            return Err(Error::Refused(unproven(&name), None));
        }
        if introduction.is_first && closed {
            tell(match terms.mode {
                _ if registered.proven => proven(&name),
                Mode::Chat => NOT_VERIFIED.to_owned(),
                Mode::Send | Mode::Tail => NOT_VERIFIED_BRIEFLY.to_owned(),
            });
        }
        let how = if registered.proven { TrustBasis::Passphrase } else { introduction.how };
        self.trust.lock().remember(key, &registered.welcome.server.name, peer, how);
        self.note_servers(&registered);
        Ok(registered)
    }

    /// Registers on a link to a server whose key is accepted.
    pub(super) async fn admit(
        &self,
        mut link: ServerLink,
        server: &str,
        closed: bool,
        terms: JoinTerms,
    ) -> Result<Registered, JoinError> {
        let mut passphrase = None;
        // Asked for before the hello, because the server counts requests for a proof that get none.
        if closed && !self.trust.lock().is_member(link.key()) {
            let given = self.passphrases.given(self.local_file(&link)).await?;
            let must_ask = given.is_none() && terms.may_ask && terminal::can_ask();
            passphrase = if must_ask { Some(self.passphrases.ask(server).await?) } else { given };
            if must_ask || self.passphrases.is_pipe() {
                link = ServerLink::connect(link.peer(), &self.channel.to(link.key())).await?;
            }
        }
        let (peer, key) = (link.peer(), link.key());
        let local = self.local_file(&link);
        let error = match self.register(link, terms, passphrase.as_ref()).await {
            Ok(registered) => return Ok(registered),
            Err(error) => error,
        };
        if !matches!(error, LinkError::PassphraseNeeded) {
            return Err(error.into());
        }
        let passphrase = match self.passphrases.given(local).await? {
            Some(given) => given,
            None if terms.may_ask => self.passphrases.ask(server).await?,
            None => return Err(error.into()),
        };
        let link = ServerLink::connect(peer, &self.channel.to(key)).await?;
        Ok(self.register(link, terms, Some(&passphrase)).await?)
    }

    /// Remembers where the chat's servers are, for coming back and for a later start.
    pub(super) fn note_servers(&self, registered: &Registered) {
        let named: Vec<SocketAddr> = registered.named().map(|(_, addr)| addr).collect();
        self.trust.lock().name(registered.link.key(), &named);
    }

    fn local_file(&self, link: &ServerLink) -> Option<PathBuf> {
        self.trust.lock().local().passphrase_file(&link.key()?)
    }
}
