//! `/verify`: compares the digits of a key with the user, who confirms them or takes that back.

use super::{Conversation, Effect, LinkState, PendingRequest, shown};
use crate::client::trust::{LinkSecurity, VerifiedUser};
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::UserInfo;
use crate::protocol::request;
use crate::text::safe_line;

const QUESTION: &str = "Do they match? [y/N] ";

/// The key that the user was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeySubject {
    Server(Fingerprint),
    User(String, Fingerprint),
}

impl Conversation {
    /// Handles `/verify`.
    pub(super) fn verify(&mut self, name: Option<String>, answer: Option<bool>) -> Vec<Effect> {
        match name {
            Some(name) => self.ask(&request::Ask::Whois { name }.into(), PendingRequest::Digits(answer)),
            None if !matches!(self.state, LinkState::Up { .. }) => {
                self.failure("you are not connected to a server whose key could be verified")
            }
            None => self.verify_server(answer),
        }
    }

    fn verify_server(&mut self, answer: Option<bool>) -> Vec<Effect> {
        let name = self.session.server.name.clone();
        match (self.view.security, answer) {
            (LinkSecurity::Plaintext, _) => self.failure(
                "this connection is not encrypted, so the server cannot be verified; connect without --plaintext",
            ),
            (LinkSecurity::Verified(key), Some(false)) => match self.trust.lock().unverify(&key) {
                true => {
                    self.view.security = LinkSecurity::Unverified(key);
                    self.note(&format!("{name} is no longer verified; to compare its key again: /verify"))
                }
                false => self.failure(&format!(
                    "{name} proved its key by a passphrase or by your command line, so /verify cannot take that back"
                )),
            },
            (LinkSecurity::Unverified(_), Some(false)) => self.note(&format!("{name} is not verified")),
            (LinkSecurity::Verified(key), _) => self.note(&format!(
                "you verified {name} before; its key is {} (/verify no takes that back)",
                key.spoken()
            )),
            (LinkSecurity::Unverified(key), Some(true)) => self.confirm(KeySubject::Server(key)),
            (LinkSecurity::Unverified(key), None) => {
                let text = format!(
                    "{name}'s key: {}; compare it with the output of `lanchat fingerprint` on the server \
                     (/verify yes confirms it)",
                    key.spoken()
                );
                self.ask_about(&text, KeySubject::Server(key))
            }
        }
    }

    /// Handles the digits of a user's key, for `/verify NAME`.
    pub(super) fn digits(&mut self, user: &UserInfo, answer: Option<bool>) -> Vec<Effect> {
        let name = &user.name;
        let Some(Ok(key)) = user.key.as_deref().map(str::parse::<Fingerprint>) else {
            return self.failure(&format!("no key backs the name {name}: anyone could be using it"));
        };
        let subject = KeySubject::User(name.clone(), key);
        let before = self.trust.lock().users().find(&key).cloned();
        match (before, answer) {
            (Some(_), Some(false)) => {
                self.trust.lock().users_mut().remove(&key);
                self.note(&format!("{name}'s key is no longer verified; to compare it again: /verify {name}"))
            }
            (None, Some(false)) => self.note(&format!("{name}'s key is not verified")),
            (Some(before), _) => {
                let day = self.view.date(before.at);
                let spoken = key.spoken();
                self.note(&format!(
                    "you verified {name}'s key on {day}: {spoken} (/verify {name} no takes that back)"
                ))
            }
            (None, Some(true)) => self.confirm(subject),
            (None, None) => {
                let other = self.trust.lock().users().other(name, &key).cloned();
                let warning = other.map(|other| {
                    let day = self.view.date(other.at);
                    self.failure(&format!(
                        "this is not the key that you verified for {name} on {day}: it is someone else, or {name} \
                         has a new key"
                    ))
                });
                let mut effects = warning.unwrap_or_default();
                let text = format!(
                    "{name}'s key: {}; {name} can compare it with the output of `lanchat fingerprint --me` \
                     (/verify {name} yes confirms it)",
                    key.spoken()
                );
                effects.extend(self.ask_about(&text, subject));
                effects
            }
        }
    }

    /// The known facts about a user, and since when their key is verified.
    pub(super) fn whois(&self, user: &UserInfo) -> Vec<Effect> {
        let key = user.key.as_deref().and_then(|key| key.parse::<Fingerprint>().ok());
        let verified = key.and_then(|key| self.trust.lock().users().find(&key).map(|user| user.at));
        shown(self.view.whois(user, verified))
    }

    fn ask_about(&mut self, text: &str, subject: KeySubject) -> Vec<Effect> {
        self.verifying = Some(subject);
        let mut effects = self.note(text);
        effects.push(Effect::Ask(QUESTION.into()));
        effects
    }

    /// Handles the answer to [`Effect::Ask`].
    pub(crate) fn answered_question(&mut self, is_yes: bool) -> Vec<Effect> {
        match (self.verifying.take(), is_yes) {
            (Some(subject), true) => self.confirm(subject),
            (Some(KeySubject::Server(_)), false) => {
                let name = &self.session.server.name;
                self.note(&format!(
                    "{name} is not verified; if the digits differ, leave: someone is intercepting the connection"
                ))
            }
            (Some(KeySubject::User(name, _)), false) => self.note(&format!("{name}'s key is not verified")),
            (None, _) => Vec::new(),
        }
    }

    fn confirm(&mut self, subject: KeySubject) -> Vec<Effect> {
        match subject {
            KeySubject::Server(key) if self.view.security.key() == Some(key) => {
                self.trust.lock().verify(&key);
                self.view.security = LinkSecurity::Verified(key);
                let name = &self.session.server.name;
                self.note(&format!("verified: {name} is the server with the key {}", key.spoken()))
            }
            KeySubject::Server(_) => self.failure("this is another server now; to see its key: /verify"),
            KeySubject::User(name, key) => {
                let at = self.view.now;
                self.trust.lock().users_mut().add(VerifiedUser { key, name: name.clone(), at });
                self.note(&format!("verified: {} has the key {}", safe_line(&name), key.spoken()))
            }
        }
    }
}
