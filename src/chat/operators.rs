//! Operators are keys: how a key becomes an operator, and how it stops being one.

use super::actor::{Actor, LoggedUser, Operation};
use super::archive::Account;
use super::call::Call;
use super::delivery::{Audience, Delivery};
use super::net::Net;
use super::peer::Peer;
use super::records::OperatorRecord;
use super::subject::Subject;
use super::user::User;
use super::who::SessionId;
use super::{Chat, Deliveries, Now, unknown};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_OPERATORS, OPERATOR_CODE_TIME, OPERATOR_CODE_TRIES, OPERATOR_CODE_TRIES_IN_ALL};
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use std::fmt;

const CODE_DIGITS: usize = 8;

/// Secrets that make a key an operator without another operator's help. The server makes both at its start.
pub(super) struct OperatorSecrets {
    /// Digits only; `None` once used or void.
    code: Option<String>,
    /// How many wrong codes came from each network. The limit on all attempts bounds it.
    tries: Vec<(Net, u8)>,
    /// Empty: none.
    token: String,
}

impl OperatorSecrets {
    /// Counts a wrong code; returns how many attempts the network has left.
    fn count_try(&mut self, network: Net) -> u8 {
        let place = self.tries.iter().position(|(net, _)| *net == network).unwrap_or_else(|| {
            self.tries.push((network, 0));
            self.tries.len() - 1
        });
        let (_, tries) = &mut self.tries[place];
        *tries += 1;
        OPERATOR_CODE_TRIES.saturating_sub(*tries)
    }
}

impl fmt::Debug for OperatorSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorSecrets").field("tries", &self.tries).finish_non_exhaustive()
    }
}

impl Call<'_> {
    pub(super) fn op_by_code(&mut self, code: &str) -> Result<(), Refusal> {
        let peer = self.chat.proven(self.session)?;
        let no_code = || {
            let msg = "the code is no longer valid; ask an operator to run /op YOUR-NAME, or run it at the \
                       server's console";
            Refusal::new(Code::NotAllowed, msg)
        };
        let secrets = self
            .chat
            .secrets
            .as_mut()
            .filter(|_| self.now.uptime < OPERATOR_CODE_TIME)
            .ok_or_else(no_code)?;
        let network = Net::network(peer.ip);
        let tried = secrets.tries.iter().find(|(net, _)| *net == network).map_or(0, |(_, tries)| *tries);
        if tried >= OPERATOR_CODE_TRIES {
            let msg = "too many wrong codes came from your network; ask an operator to run /op YOUR-NAME, \
                       or run it at the server's console";
            return Err(Refusal::new(Code::RateLimited, msg));
        }
        let wanted = secrets.code.take().ok_or_else(no_code)?;
        if is_same(&wanted, &digits(code)) {
            return self.make_operator(peer, "code");
        }
        let left = secrets.count_try(network);
        // It stays void once all attempts are used up.
        let all: u32 = secrets.tries.iter().map(|(_, tries)| u32::from(*tries)).sum();
        secrets.code = (all < u32::from(OPERATOR_CODE_TRIES_IN_ALL)).then_some(wanted);
        self.out.push(Delivery::Log(format!("{} gave a wrong operator's code", self.chat.who(self.session))));
        let tries = if left == 1 { "1 attempt is left".into() } else { format!("{left} attempts are left") };
        Err(Refusal::new(Code::NotAllowed, format!("wrong code; {tries}")))
    }

    /// Promotes a user who knows the secret in the server's data directory.
    pub(super) fn op_by_token(&mut self, token: &str) -> Result<(), Refusal> {
        let peer = self.chat.proven(self.session)?;
        let offered = self.chat.secrets.as_ref().map_or("", |secrets| secrets.token.as_str());
        if offered.is_empty() || !is_same(offered, token) {
            self.out.push(Delivery::Log(format!(
                "{} gave a wrong operator's token",
                self.chat.who(self.session)
            )));
            let msg = "wrong token; the right one is in the server's data directory";
            return Err(Refusal::new(Code::NotAllowed, msg));
        }
        self.make_operator(peer, "token")
    }

    fn make_operator(&mut self, peer: Peer, by: &str) -> Result<(), Refusal> {
        let Some(key) = peer.key else { return Ok(()) };
        let name = self.chat.user_of(self.session).map(|user| user.name.to_string()).unwrap_or_default();
        let mut msg = "you are an operator now; /help lists the commands".to_owned();
        if !self.chat.access.is_operator(Some(&key)) {
            self.chat.promote(key, &name, by, self.now, self.out)?;
            self.out
                .push(Delivery::Log(format!("{} became an operator by {by}", self.chat.who(self.session))));
            msg += &self.chat.unless_mended();
        }
        self.answer(Event::Operator { operator: true, msg });
        Ok(())
    }
}

impl Operation<'_> {
    pub(super) fn op(&mut self, name: &str) -> Result<Event, Refusal> {
        let (key, known) = self.chat.whose(name, unknown::ANYBODY, self.now)?;
        let here = self.chat.find(&known).map(|(_, user)| self.chat.known(user));
        let here = here.filter(|here| here.key == Some(&key));
        let away =
            LoggedUser { name: if known.is_empty() { "someone" } else { &known }, key: Some(&key), ip: None };
        let whom = here.unwrap_or(away).to_string();
        let name = if known.is_empty() { name.to_owned() } else { known };
        if self.chat.access.is_operator(Some(&key)) {
            return Ok(Event::Notice(format!("{name} is an operator already")));
        }
        self.chat.promote(key, &name, self.actor.name(), self.now, self.out)?;
        self.log(format!("{} made {whom} an operator", self.actor));
        let msg = format!("{} made you an operator; /help lists the commands", by(&self.actor));
        self.chat.tell_key(&key, &Event::Operator { operator: true, msg }, self.out);
        Ok(Event::Notice(format!("{name} is an operator now")))
    }

    /// `/deop NAME`. Operators can only demote themselves.
    pub(super) fn deop(&mut self, who: &str) -> Result<Event, Refusal> {
        let key = match Subject::parse(who)? {
            Subject::Key(key) => Some(key),
            Subject::Name(name) => self
                .chat
                .key_named(&name, self.now)
                .or_else(|| self.chat.access.operator_named(&self.chat.prepared.key(&name))),
            Subject::Net(_) => None,
        };
        let key = key.filter(|key| self.chat.access.is_operator(Some(key)));
        let key = key.ok_or_else(|| self.chat.no_such_operator(who))?;
        self.check_rank_over(&key, who)?;
        self.chat.access.remove_operator(&key, self.out);
        self.log(format!("{} removed {who} ({key}) as an operator", self.actor));
        let msg = format!("{} removed you as an operator", by(&self.actor));
        self.chat.tell_key(&key, &Event::Operator { operator: false, msg }, self.out);
        // The operator's address may be banned.
        self.chat.expel_banned(&key, self.now, self.out);
        Ok(Event::Notice(format!("{who} is no longer an operator")))
    }
}

impl Chat {
    /// Sets both secrets at the server's start. `code` (8 digits, `4827-1163`) promotes one key within
    /// [`OPERATOR_CODE_TIME`]. `token` promotes any key; the server stores it where only its own user can
    /// read it.
    pub fn offer_operator(&mut self, code: &str, token: &str) {
        let secrets = OperatorSecrets {
            code: is_code(code).then(|| digits(code)),
            tries: Vec::new(),
            token: token.to_owned(),
        };
        self.secrets = Some(Box::new(secrets));
    }

    /// The session's peer, if it has proven a key.
    fn proven(&self, id: SessionId) -> Result<Peer, Refusal> {
        let peer = self.sessions.get(&id).map(|session| session.peer());
        peer.filter(|peer| peer.encrypted && peer.key.is_some()).ok_or_else(|| {
            let msg = "only a user with a key can become an operator, and this connection has none; join \
                       with the lanchat client";
            Refusal::new(Code::KeyRequired, msg)
        })
    }

    fn promote(
        &mut self,
        key: Fingerprint,
        name: &str,
        by: &str,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        let row = OperatorRecord {
            key,
            name: name.into(),
            by: by.into(),
            since: now.second(),
            rest: serde_json::Map::new(),
        };
        if self.access.add_operator(row, out) {
            return Ok(());
        }
        let msg = format!("there are already {MAX_OPERATORS} operators, which is the limit; /deop one first");
        Err(Refusal::new(Code::NotAllowed, msg))
    }

    /// Tells all connected operators; returns their sessions.
    pub(super) fn tell_operators(&self, event: &Event, out: &mut Deliveries) -> Vec<SessionId> {
        self.access.operator_keys().flat_map(|key| self.tell_key(key, event, out)).collect()
    }

    /// Tells all sessions of a key; returns them.
    fn tell_key(&self, key: &Fingerprint, event: &Event, out: &mut Deliveries) -> Vec<SessionId> {
        let mut told = Vec::new();
        let users = self.accounts.get(&Account::Key(*key)).into_iter().flatten();
        for user in users.filter_map(|user| self.users.get(user)) {
            told.extend(&user.sessions);
            let audience = Audience::Sessions(user.sessions.to_vec());
            out.push(Delivery::to(audience, event.to_packet(user.name.as_str(), None)));
        }
        told
    }

    /// The key behind a name: of its connected user or its owner.
    pub(super) fn key_named(&self, name: &str, now: &Now) -> Option<Fingerprint> {
        if let Some((_, user)) = self.find(name) {
            return user.owner.key().copied();
        }
        self.owned.owned(&self.prepared.key(name), now.at()).map(|owned| owned.key)
    }

    /// A user for the log, at the address of their oldest session.
    pub(super) fn known<'a>(&self, user: &'a User) -> LoggedUser<'a> {
        let first = user.sessions.first().and_then(|id| self.sessions.get(id));
        LoggedUser { name: user.name.as_str(), key: user.owner.key(), ip: first.map(|session| session.ip) }
    }

    /// A session's user for the log.
    fn who(&self, id: SessionId) -> String {
        self.user_of(id).map(|user| self.known(user).to_string()).unwrap_or_default()
    }
}

/// Whether the text is a one-time code, not a name: 8 digits, perhaps with a hyphen in the middle.
pub(super) fn is_code(text: &str) -> bool {
    let halves =
        text.split_once('-').unwrap_or_else(|| text.split_at_checked(CODE_DIGITS / 2).unwrap_or((text, "")));
    let is_half =
        |half: &str| half.len() == CODE_DIGITS / 2 && half.bytes().all(|byte| byte.is_ascii_digit());
    is_half(halves.0) && is_half(halves.1)
}

fn digits(code: &str) -> String {
    code.chars().filter(char::is_ascii_digit).collect()
}

/// Compares in constant time, to reveal nothing about a partial match.
fn is_same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differences) == 0
}

/// The actor at the start of a sentence.
fn by(actor: &Actor) -> &str {
    if actor.is_console() { "the server's console" } else { actor.name() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_from_names() {
        for text in ["4827-1163", "48271163"] {
            assert!(is_code(text), "{text}");
        }
        for text in ["", "4827", "4827-116", "48271-163", "4827--1163", "4827-1163-", "4827 1163", "é8271163"]
        {
            assert!(!is_code(text), "{text}");
        }
    }
}
