//! Whom a direct message is for, what waits for those who are away, and who is told that it has come.

use super::archive::{Account, Arrival, Entry, Expired, Kind, Mail, Venue};
use super::delivery::Audience;
use super::say::{Addressed, Said};
use super::waiting::{Full, Waited};
use super::who::{Correspondent, SessionId, UserId, Who};
use super::{Chat, Deliveries, Delivery, Now};
use crate::fingerprint::Fingerprint;
use crate::limits::{
    DUE_PORTION, MAX_ADDRESSED, MAX_WAITING, MAX_WAITING_OF_AUTHOR, MAX_WAITING_OF_AUTHOR_FOR_ONE, NAME_TRIED,
};
use crate::name::Name;
use crate::protocol::Code;
use crate::protocol::packet::Sender;
use crate::protocol::request::Refusal;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Somebody who was written to.
pub(super) struct Recipient {
    /// As they write it.
    pub(super) name: String,
    pub(super) account: Option<Account>,
    user: Option<UserId>,
}

impl Chat {
    /// A message to a user, here or away.
    pub(super) fn to_user(&self, id: SessionId, name: &str, now: &Now) -> Result<Addressed, Refusal> {
        let Recipient { name, account, user } = self.recipient(name, now)?;
        let who = account.clone().map(|account| Who::Account(Arc::new(account))).or(user.map(Who::User));
        let mut sessions = who.as_ref().map_or_else(Vec::new, |who| self.sessions_of(who));
        let is_away = sessions.is_empty();
        let refusal = match &account {
            Some(account) if is_away => self.check_mailbox(id, account, &name, now).err(),
            None if is_away => return Err(self.no_such_user(&name, now)),
            _ => None,
        };
        let correspondent = Correspondent::of(account.as_ref(), user);
        let mut mail: Vec<Mail> =
            account.iter().map(|account| Mail { account: account.clone(), waits: is_away }).collect();
        self.add_own(id, &mut mail, &mut sessions);
        Ok(Addressed {
            audience: Audience::Sessions(sessions),
            venue: Venue::Direct(name.clone()),
            mail,
            waits: is_away.then_some(name),
            refusal,
            receiver: account,
            correspondent,
            cost: 1,
        })
    }

    /// A message to everybody who is connected from an address.
    pub(super) fn to_address(&self, id: SessionId, ip: IpAddr) -> Result<Addressed, Refusal> {
        // Walks all sessions, which whoever asks pays for: rare enough that an index would cost more than it
        // saves.
        let here = self.sessions.values().filter(|session| session.ip == ip && session.listens());
        let mut users: Vec<UserId> = here.filter_map(|session| session.user).collect();
        users.sort_unstable();
        users.dedup();
        if users.is_empty() {
            return Err(Refusal::new(
                Code::NoSuchUser,
                format!("nobody is connected from {ip}; /users lists who is here"),
            ));
        }
        if users.len() > MAX_ADDRESSED {
            let why =
                format!("over {MAX_ADDRESSED} users are connected from {ip}; write to all, or to a room");
            return Err(Refusal::new(Code::NotAllowed, why));
        }
        let (mut sessions, mut mail, cost) = (Vec::new(), Vec::new(), users.len());
        for who in users.into_iter().filter_map(|user| self.person(user)) {
            sessions.extend(self.sessions_of(&who));
            mail.extend(who.account().map(|account| Mail { account: account.clone(), waits: false }));
        }
        mail.sort_unstable_by(|one, other| one.account.cmp(&other.account));
        mail.dedup();
        self.add_own(id, &mut mail, &mut sessions);
        Ok(Addressed {
            audience: Audience::Sessions(sessions),
            venue: Venue::Direct(ip.to_string()),
            mail,
            waits: None,
            refusal: None,
            receiver: None,
            correspondent: Some(Correspondent::Address(ip)),
            cost,
        })
    }

    /// What one of a user's sessions sends, the others see; the one itself has its receipt.
    fn add_own(&self, id: SessionId, mail: &mut Vec<Mail>, sessions: &mut Vec<SessionId>) {
        if let Some(asking) = self.asking(id) {
            let own = asking.who.account().filter(|own| mail.iter().all(|mail| mail.account != **own));
            mail.extend(own.map(|account| Mail { account: account.clone(), waits: false }));
            sessions.extend(self.sessions_of(&asking.who));
        }
        sessions.sort_unstable();
        sessions.dedup();
        sessions.retain(|session| *session != id);
    }

    /// Whoever has that name, here or by right.
    pub(super) fn recipient(&self, name: &str, now: &Now) -> Result<Recipient, Refusal> {
        if let Some((user, found)) = self.find(name) {
            let is_reached = found.owner.key().is_some() || found.sessions.iter().any(|id| self.listens(*id));
            let account = found.owner.account().map(|own| (**own).clone());
            return match is_reached {
                true => Ok(Recipient { name: found.name.to_string(), account, user: Some(user) }),
                false => Err(self.no_such_user(name, now)),
            };
        }
        match self.owned.bearer(&self.terms.key(name), now.at()) {
            Some((name, key)) => {
                Ok(Recipient { name: name.to_string(), account: Some(Account::Key(key)), user: None })
            }
            None => Err(self.no_such_user(name, now)),
        }
    }

    /// Whether one more message of the session's can wait for them.
    fn check_mailbox(&self, id: SessionId, account: &Account, name: &str, now: &Now) -> Result<(), Refusal> {
        let away = |code, why: &str| {
            Err(Refusal::new(code, format!("{name} is away, and {why}; try again when they are here")))
        };
        if self.log.is_none() {
            return away(Code::NoHistory, "this server keeps nothing for who is away");
        }
        if self.failure.is_some() {
            return away(Code::NotStored, "nothing can be stored at the moment");
        }
        if self.is_mail_full {
            let msg = format!(
                "{name} is away, and the mail that waits here takes all the room there is for it; try again when \
                 they are here, or have the server's operator give it more (--retain-size)"
            );
            return Err(Refusal::new(Code::MailboxFull, msg));
        }
        let author = self.user_of(id).and_then(|user| user.owner.account()).map(|own| &**own);
        let whose = if author.is_some() { "of yours" } else { "of clients with neither key nor token" };
        let why = match self.waiting.check(account, author, self.is_newcomer(author, now)) {
            Ok(()) => return Ok(()),
            Err(Full::Mailbox) => format!("{MAX_WAITING} messages wait for them already"),
            Err(Full::Theirs) => {
                format!("{MAX_WAITING_OF_AUTHOR_FOR_ONE} messages {whose} wait for them already")
            }
            Err(Full::TheirsForAll) => {
                let msg = format!(
                    "{name} is away, and {MAX_WAITING_OF_AUTHOR} messages {whose} wait for people who are away, \
                     the most there can be; try again when some of them have been here"
                );
                return Err(Refusal::new(Code::MailboxFull, msg));
            }
            Err(Full::Newcomers) => {
                let msg = format!(
                    "{name} is away, and as many messages of people who are new here wait as may; try again once \
                     you have had your name for {} minutes, with a key, or when they are here",
                    NAME_TRIED.as_secs() / 60
                );
                return Err(Refusal::new(Code::MailboxFull, msg));
            }
        };
        away(Code::MailboxFull, &why)
    }

    /// Whether somebody is not known here yet.
    pub(super) fn is_newcomer(&self, author: Option<&Account>, now: &Now) -> bool {
        match author {
            Some(Account::Key(key)) => !self.is_established(key, now),
            Some(Account::Token(_)) | None => true,
        }
    }

    /// Messages that were counted as waiting do not wait: they could not be kept, or had been before.
    pub fn not_waiting(&mut self, waited: &[Waited]) {
        waited.iter().for_each(|waited| self.waiting.take_back(waited));
    }

    /// A client has got all mail up to that number.
    pub(super) fn received(&mut self, id: SessionId, upto: u64, now: &Now, out: &mut Deliveries) {
        let Some(account) = self.asking(id).and_then(|asking| asking.who.account().cloned()) else { return };
        let upto = upto.min(self.seq);
        if self.log.is_some() && self.waiting.take(&account, upto) {
            out.push(Delivery::Keep(Entry::Received { account, upto, at: now.clock.timestamp() }));
        }
    }

    /// Mail that had waited has come to whom it was for: whoever wrote it is told, a portion at a time, now or
    /// when what is told can be kept again.
    pub fn arrived(&mut self, arrivals: Vec<Arrival>, now: &Now, out: &mut Deliveries) {
        self.untold.extend(arrivals);
        if !self.keeps() {
            return;
        }
        for _ in 0..DUE_PORTION {
            let Some(arrival) = self.untold.pop_front() else { break };
            self.tell_arrival(arrival, now, out);
        }
    }

    /// Mail that waited was removed for its age: it waits no longer, and whoever wrote it is told.
    pub fn expired(&mut self, expired: Vec<Expired>, now: &Now, out: &mut Deliveries) {
        let mut lost: Vec<Arrival> = Vec::new();
        let mut places: HashMap<(Account, Account), usize> = HashMap::new();
        for one in expired {
            self.waiting.take_back(&one.waited());
            let Some(arrival) = one.arrival() else { continue };
            let pair = (arrival.author.clone(), arrival.account.clone());
            match places.get(&pair) {
                Some(place) => {
                    lost[*place].count += 1;
                    lost[*place].last = arrival.last;
                }
                None => {
                    places.insert(pair, lost.len());
                    lost.push(arrival);
                }
            }
        }
        self.arrived(lost, now, out);
    }

    /// Whether mail that waits takes all the room that it may, so that no more is taken.
    pub fn set_mail_full(&mut self, is_full: bool) {
        self.is_mail_full = is_full;
    }

    fn tell_arrival(&mut self, arrival: Arrival, now: &Now, out: &mut Deliveries) {
        let Arrival { author, account, name, count, last, is_lost } = arrival;
        let sessions = self.sessions_of(&Who::Account(Arc::new(author.clone())));
        let key = match &account {
            Account::Key(key) => Some(Fingerprint::tag(key)),
            Account::Token(_) => None,
        };
        let said = Said {
            kind: if is_lost { Kind::Lost { count, last } } else { Kind::Delivered { count, last } },
            from: Sender { name, ip: String::new(), key },
            author: Some(account),
            text: String::new(),
            venue: Venue::Direct(self.name_of(&author).unwrap_or_default()),
            receiver: Some(author.clone()),
            mail: vec![Mail { account: author, waits: sessions.is_empty() }],
            audience: Audience::Sessions(sessions),
            waits: None,
            refusal: None,
            receipt: None,
        };
        self.pass_on(said, now, out);
    }

    /// A name that they have, here or by right.
    fn name_of(&self, account: &Account) -> Option<String> {
        let here = self.accounts.get(account).and_then(|users| self.users.get(users.first()?));
        let owned = || match account {
            Account::Key(key) => self.owned.name_of(key).map(Name::to_string),
            Account::Token(_) => None,
        };
        here.map(|user| user.name.to_string()).or_else(owned)
    }
}
