//! Mutes and bans.

use super::actor::Operation;
use super::answer::Content;
use super::archive::Account;
use super::net::Net;
use super::peer::Peer;
use super::records::{BanRecord, Sanction};
use super::subject::Subject;
use super::who::SessionId;
use super::{Chat, Deliveries, Now, unknown};
use crate::fingerprint::Fingerprint;
use crate::limits::{BANS_SHOWN, DEFAULT_BAN, DEFAULT_MUTE, EXPELLED_PORTION, MAX_BAN_ADDRESSES, MAX_BANS};
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event, Term};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// A session that is about to end.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) session: SessionId,
    pub(super) code: Code,
    pub(super) why: Arc<str>,
}

impl Operation<'_> {
    pub(super) fn mute(&mut self, who: &str, duration: Option<&str>) -> Result<Event, Refusal> {
        let mut row = self.row(who, duration, Term::For(DEFAULT_MUTE))?;
        if row.key.is_some() {
            // With a key, others at the same address go free.
            row.ips.clear();
        }
        self.impose(Sanction::Mute, who, row)
    }

    pub(super) fn impose_ban(&mut self, who: &str, duration: Option<&str>) -> Result<Event, Refusal> {
        let mut row = self.row(who, duration, Term::For(DEFAULT_BAN))?;
        if let Some((_, user)) = row.name.as_deref().and_then(|name| self.chat.find(name)) {
            // Other people may use the server's own machine.
            let sessions = user.sessions.iter().filter_map(|id| self.chat.sessions.get(id));
            let local: HashSet<Net> = sessions.filter(|s| s.is_local()).map(|s| Net::host(s.ip)).collect();
            row.ips.retain(|net| !local.contains(net));
        }
        if row.key.is_none() && row.ips.is_empty() {
            let msg = format!(
                "{who} has no key and is at the server's own address, which is never banned; use /kick or \
                 /mute"
            );
            return Err(Refusal::new(Code::NotAllowed, msg));
        }
        let done = self.impose(Sanction::Ban, who, row.clone())?;
        let why: Arc<str> = ban_text(&row, self.now).into();
        let hit =
            self.chat.sessions.iter().filter(|(_, session)| self.chat.access.hits(&row, &session.peer()));
        let leaving = hit.map(|(id, _)| Leaving { session: *id, code: Code::Banned, why: Arc::clone(&why) });
        let leaving: Vec<_> = leaving.collect();
        self.chat.leaving.extend(leaving);
        self.chat.expel_some(self.now, self.out);
        Ok(done)
    }

    /// The row to impose: the name, its key, and the addresses where it is connected.
    fn row(&self, who: &str, duration: Option<&str>, usual: Term) -> Result<BanRecord, Refusal> {
        let term = duration.map_or(Ok(usual), str::parse);
        let term = term.map_err(|error| Refusal::new(Code::BadCommand, error.to_string()))?;
        let since = self.now.second();
        let until = match term {
            Term::For(time) => Some(since.checked_add(time).unwrap_or(Timestamp::MAX)),
            Term::Forever => None,
        };
        let rest = serde_json::Map::new();
        let by = self.actor.name().to_owned();
        let mut row = BanRecord { key: None, ips: Vec::new(), name: None, by, since, until, rest };
        match Subject::parse(who)? {
            Subject::Key(key) => row.key = Some(key),
            Subject::Net(net) => row.ips.push(net),
            Subject::Name(name) => match self.chat.find(&name) {
                Some((_, user)) => {
                    row.key = user.owner.key().copied();
                    row.name = Some(user.name.to_string());
                    let peers = user.sessions.iter().filter_map(|id| self.chat.sessions.get(id));
                    let nets: BTreeSet<Net> = peers.map(|session| Net::host(session.ip)).collect();
                    row.ips.extend(nets.into_iter().take(MAX_BAN_ADDRESSES));
                }
                None => {
                    let unknown = || self.chat.nobody_named(&name, unknown::ANYBODY, self.now);
                    row.key = Some(self.chat.key_named(&name, self.now).ok_or_else(unknown)?);
                    row.name = Some(name);
                }
            },
        }
        self.check_rank(row.key.as_ref(), who)?;
        Ok(row)
    }

    fn impose(&mut self, sanction: Sanction, who: &str, row: BanRecord) -> Result<Event, Refusal> {
        let done = format!("{} {} {}", shown(&row, who), done(sanction), until(row.until, self.now));
        let log = format!("{}: {done} ({})", self.actor, targets(&row));
        if !self.chat.access.rows_mut(sanction).impose(row, self.now.steady, self.out) {
            let msg = format!("there are already {MAX_BANS}, which is the limit; lift some first (/bans)");
            return Err(Refusal::new(Code::NotAllowed, msg));
        }
        self.log(log);
        Ok(Event::Notice(done))
    }

    pub(super) fn lift(&mut self, sanction: Sanction, who: &str) -> Result<Event, Refusal> {
        let subject = Subject::parse(who)?;
        let owner = match &subject {
            Subject::Name(name) => self.chat.key_named(name, self.now),
            Subject::Key(_) | Subject::Net(_) => None,
        };
        let done = done(sanction);
        let rows = self.chat.access.rows_mut(sanction);
        if rows.lift(&subject, &self.chat.prepared.key(who), owner, self.out) == 0 {
            return Err(self.chat.no_such_sanction(who, sanction, done, self.now));
        }
        self.log(format!("{}: {who} is no longer {done}", self.actor));
        Ok(Event::Notice(format!("{who} is no longer {done}")))
    }
}

impl Chat {
    pub(super) fn bans(&self, now: &Now) -> Content {
        let (mut bans, total) = self.access.sanctions(now.steady, BANS_SHOWN);
        if now.shown(now.steady) != now.steady {
            for (_, row) in &mut bans {
                let row = Arc::make_mut(row);
                (row.since, row.until) = (now.shown(row.since), row.until.map(|until| now.shown(until)));
            }
        }
        Content::Bans(bans, total)
    }

    /// Why the peer is banned, if it is.
    pub(crate) fn ban_text(&self, peer: &Peer, now: &Now) -> Option<String> {
        let row = self.access.ban_of(peer, now.steady)?;
        Some(ban_text(row, now))
    }

    /// Refuses messages from a muted session.
    pub(super) fn check_muted(&self, id: SessionId, now: &Now) -> Result<(), Refusal> {
        let (Some(session), Some(user)) = (self.sessions.get(&id), self.user_of(id)) else { return Ok(()) };
        match self.access.mute_of(&session.peer(), &user.name, now.steady) {
            None => Ok(()),
            Some(row) => {
                let msg =
                    format!("you are muted {} by {}; nobody else saw this", until(row.until, now), by(row));
                Err(Refusal::new(Code::Muted, msg))
            }
        }
    }

    /// Ends every session of a key that a ban matches.
    pub(super) fn expel_banned(&mut self, key: &Fingerprint, now: &Now, out: &mut Deliveries) {
        let users = self.accounts.get(&Account::Key(*key)).into_iter().flatten();
        let sessions = users.filter_map(|user| self.users.get(user)).flat_map(|user| &user.sessions);
        let hit = sessions.filter_map(|id| Some((*id, self.ban_text(&self.sessions.get(id)?.peer(), now)?)));
        let leaving = |(session, why): (_, String)| Leaving { session, code: Code::Banned, why: why.into() };
        let hit: Vec<_> = hit.map(leaving).collect();
        self.leaving.extend(hit);
        self.expel_some(now, out);
    }

    /// Ends some of the leaving sessions; [`Self::proceed`] ends the rest.
    pub(super) fn expel_some(&mut self, now: &Now, out: &mut Deliveries) {
        for _ in 0..EXPELLED_PORTION {
            let Some(leaving) = self.leaving.pop_front() else { break };
            self.say_bye(leaving, now, out);
        }
    }

    /// Ends the session at once if it is leaving.
    pub(super) fn leaves(&mut self, id: SessionId, now: &Now, out: &mut Deliveries) -> bool {
        let at = self.leaving.iter().position(|leaving| leaving.session == id);
        let leaving = at.and_then(|at| self.leaving.remove(at));
        leaving.map(|leaving| self.say_bye(leaving, now, out)).is_some()
    }

    fn say_bye(&mut self, leaving: Leaving, now: &Now, out: &mut Deliveries) {
        let Leaving { session, code, why } = leaving;
        if self.sessions.contains_key(&session) {
            self.inform(session, Event::Bye { code: Some(code), msg: why.to_string(), server: None }, out);
            self.close(session, now, out);
        }
    }
}

pub(super) fn ban_text(row: &BanRecord, now: &Now) -> String {
    format!("you are banned {} by {}", until(row.until, now), by(row))
}

fn done(sanction: Sanction) -> &'static str {
    match sanction {
        Sanction::Ban => "banned",
        Sanction::Mute => "muted",
    }
}

/// `until 2026-11-22 14:00 CET` by the server's clock, or `forever`.
fn until(until: Option<Timestamp>, now: &Now) -> String {
    let Some(until) = until else { return "forever".into() };
    let until = now.shown(until).to_zoned_datetime(now.clock.time_zone().clone());
    format!("until {}", until.strftime("%Y-%m-%d %H:%M %Z"))
}

fn by(row: &BanRecord) -> &str {
    match row.by.as_str() {
        "" => "an operator",
        "console" => "the server's console",
        name => name,
    }
}

fn shown<'a>(row: &'a BanRecord, typed: &'a str) -> &'a str {
    row.name.as_deref().unwrap_or(typed)
}

/// The key and addresses that it matches, for the log.
fn targets(row: &BanRecord) -> String {
    let key = row.key.iter().map(ToString::to_string);
    key.chain(row.ips.iter().map(ToString::to_string)).collect::<Vec<_>>().join(", ")
}
