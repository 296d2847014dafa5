//! Mutes and bans.

use super::delivery::{Audience, Delivery};
use super::net::Net;
use super::operate::Actor;
use super::records::BanRecord;
use super::standing::{Sanction, Subject};
use super::user::{Peer, SessionId};
use super::{Chat, Deliveries, Now};
use crate::fingerprint::Fingerprint;
use crate::limits::{BANS_SHOWN, DEFAULT_BAN, DEFAULT_MUTE, MAX_BANS, MAX_NAME_CHARS};
use crate::protocol::packet::BanInfo;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event, Term};
use jiff::Timestamp;

impl Subject {
    /// Reads `NAME`, `key:FINGERPRINT` or `ip:CIDR`; an address stands for itself too, as it is no name.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = |error: String| Refusal::new(Code::BadCommand, error);
        let after = |prefix: &str| {
            let head = text.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix));
            head.map(|_| &text[prefix.len()..])
        };
        if let Some(key) = after("key:") {
            return key
                .parse()
                .map(Self::Key)
                .map_err(|error: crate::fingerprint::NoFingerprint| bad(error.to_string()));
        }
        if let Some(net) = after("ip:") {
            return net.parse().map(Self::Net).map_err(|error: super::net::NoNet| bad(error.to_string()));
        }
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Net))
    }
}

impl Chat {
    pub(super) fn mute(
        &mut self,
        actor: &Actor,
        who: &str,
        duration: Option<&str>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        let mut row = self.row(actor, who, duration, Term::For(DEFAULT_MUTE), now)?;
        if row.key.is_some() {
            // The key is enough: whoever else is at that address has done nothing.
            row.ips.clear();
        }
        self.impose(Sanction::Mute, actor, who, row, now, out)
    }

    pub(super) fn impose_ban(
        &mut self,
        actor: &Actor,
        who: &str,
        duration: Option<&str>,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        let mut row = self.row(actor, who, duration, Term::For(DEFAULT_BAN), now)?;
        if row.name.is_some() {
            // The server's own machine is everybody's who works there.
            let local = |net: &Net| self.sessions.values().any(|s| s.local && Net::host(s.ip) == *net);
            row.ips.retain(|net| !local(net));
        }
        if row.key.is_none() && row.ips.is_empty() {
            let msg = format!(
                "{who} has no key and is at the server's own address, which is never banned; /kick and /mute work"
            );
            return Err(Refusal::new(Code::NotAllowed, msg));
        }
        let done = self.impose(Sanction::Ban, actor, who, row.clone(), now, out)?;
        let why = ban_text(&row, now);
        self.expel_all(|chat, peer| chat.standing.hits(&row, peer).then(|| why.clone()), now, out);
        Ok(done)
    }

    pub(super) fn unmute(
        &mut self,
        actor: &Actor,
        who: &str,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        self.lift(Sanction::Mute, actor, who, now, out)
    }

    pub(super) fn unban(
        &mut self,
        actor: &Actor,
        who: &str,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        self.lift(Sanction::Ban, actor, who, now, out)
    }

    /// Who is banned or muted.
    pub(super) fn bans(&self, now: &Now) -> Event {
        let all = self.standing.sanctions(now.clock.timestamp());
        let total = all.len();
        let bans = all.into_iter().take(BANS_SHOWN).map(|(sanction, row)| info(sanction, row)).collect();
        Event::Bans { bans, total }
    }

    /// Why the peer may not come in, if so.
    pub(crate) fn ban_text(&self, peer: &Peer, now: &Now) -> Option<String> {
        let row = self.standing.ban_of(peer, now.clock.timestamp())?;
        Some(ban_text(row, now))
    }

    /// Refuses what a muted session would say.
    pub(super) fn check_muted(&self, id: SessionId, now: &Now) -> Result<(), Refusal> {
        let (Some(session), Some(user)) = (self.sessions.get(&id), self.user_of(id)) else { return Ok(()) };
        match self.standing.mute_of(&session.peer(), &user.name, now.clock.timestamp()) {
            None => Ok(()),
            Some(row) => {
                let msg =
                    format!("you are muted {} by {}; nobody else gets this", until(row.until, now), by(row));
                Err(Refusal::new(Code::Muted, msg))
            }
        }
    }

    /// What would be imposed: on a name, its key and the addresses of whoever is here under it.
    fn row(
        &self,
        actor: &Actor,
        who: &str,
        duration: Option<&str>,
        usual: Term,
        now: &Now,
    ) -> Result<BanRecord, Refusal> {
        let term = duration.map_or(Ok(usual), str::parse);
        let term = term.map_err(|error| Refusal::new(Code::BadCommand, error.to_string()))?;
        let since = now.second();
        let until = match term {
            Term::For(time) => Some(since.checked_add(time).unwrap_or(Timestamp::MAX)),
            Term::Forever => None,
        };
        let rest = serde_json::Map::new();
        let by = actor.name().to_owned();
        let mut row = BanRecord { key: None, ips: Vec::new(), name: None, by, since, until, rest };
        match Subject::parse(who)? {
            Subject::Key(key) => row.key = Some(key),
            Subject::Net(net) => row.ips.push(net),
            Subject::Name(name) => match self.find(&name) {
                Some((_, user)) => {
                    row.key = user.owner.key().copied();
                    row.name = Some(user.name.to_string());
                    let peers = user.sessions.iter().filter_map(|id| self.sessions.get(id));
                    row.ips.extend(peers.map(|session| Net::host(session.ip)));
                    row.ips.sort_unstable_by_key(Net::to_string);
                    row.ips.dedup();
                }
                None => {
                    row.key = Some(self.key_named(&name, now).ok_or_else(|| self.no_such_user(&name, now))?);
                    row.name = Some(name);
                }
            },
        }
        self.check_rank(actor, row.key.as_ref(), who)?;
        Ok(row)
    }

    fn impose(
        &mut self,
        sanction: Sanction,
        actor: &Actor,
        who: &str,
        row: BanRecord,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        let done = format!("{} {} {}", shown(&row, who), done(sanction), until(row.until, now));
        let log = format!("{actor}: {done} ({})", targets(&row));
        if !self.standing.impose(sanction, row, now.clock.timestamp()) {
            let msg =
                format!("there are {MAX_BANS} already, the most there can be; take some back first (/bans)");
            return Err(Refusal::new(Code::NotAllowed, msg));
        }
        out.push(Delivery::Log(log));
        Ok(Event::Notice(done))
    }

    fn lift(
        &mut self,
        sanction: Sanction,
        actor: &Actor,
        who: &str,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<Event, Refusal> {
        let subject = Subject::parse(who)?;
        let owner = match &subject {
            Subject::Name(name) => self.key_named(name, now),
            Subject::Key(_) | Subject::Net(_) => None,
        };
        let done = done(sanction);
        if self.standing.lift(sanction, &subject, owner) == 0 {
            let msg = format!("{who:?} is not {done}; /bans lists who is");
            return Err(Refusal::new(Code::NoSuchUser, msg));
        }
        out.push(Delivery::Log(format!("{actor}: {who} is no longer {done}")));
        Ok(Event::Notice(format!("{who} is no longer {done}")))
    }

    /// Ends every session of a key that a ban hits.
    pub(super) fn expel_banned(&mut self, key: &Fingerprint, now: &Now, out: &mut Deliveries) {
        let is_theirs = |peer: &Peer| peer.key.as_ref() == Some(key);
        self.expel_all(|chat, peer| is_theirs(peer).then(|| chat.ban_text(peer, now))?, now, out);
    }

    /// Ends every session for whose peer there is a reason.
    fn expel_all(&mut self, why: impl Fn(&Self, &Peer) -> Option<String>, now: &Now, out: &mut Deliveries) {
        let hit = self.sessions.iter().filter_map(|(id, session)| Some((*id, why(self, &session.peer())?)));
        let hit: Vec<_> = hit.collect();
        for (id, msg) in hit {
            let bye = Event::Bye { code: Some(Code::Banned), msg };
            let to = self.user_of(id).map_or("", |user| user.name.as_str());
            out.push(Delivery::to(Audience::Sessions(vec![id]), bye.to_packet(to, None)));
            self.close(id, now, out);
        }
    }
}

fn ban_text(row: &BanRecord, now: &Now) -> String {
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
    let until = until.to_zoned(now.clock.time_zone().clone());
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

/// Everything that it hits, for the log.
fn targets(row: &BanRecord) -> String {
    let key = row.key.iter().map(ToString::to_string);
    key.chain(row.ips.iter().map(ToString::to_string)).collect::<Vec<_>>().join(", ")
}

fn info(sanction: Sanction, row: &BanRecord) -> BanInfo {
    // A row may come from a file that somebody has edited.
    let cut = |name: &String| name.chars().take(MAX_NAME_CHARS).collect::<String>();
    let (who, name) = match (&row.key, &row.name) {
        (Some(key), name) => (format!("key:{key}"), name.as_ref().map(cut)),
        (None, Some(name)) => (cut(name), None),
        (None, None) => (row.ips.first().map_or(String::new(), |net| format!("ip:{net}")), None),
    };
    let kind = match sanction {
        Sanction::Ban => "ban",
        Sanction::Mute => "mute",
    };
    BanInfo {
        kind: kind.into(),
        who,
        name,
        by: cut(&row.by),
        until: row.until.map(|until| until.to_string()),
    }
}
