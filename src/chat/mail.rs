//! Whom a direct message is for, what waits for those who are away, and who is told that it has come.

use super::archive::{Account, Arrival, Entry, Kind, Mail, Message, Venue};
use super::delivery::Audience;
use super::rooms::Who;
use super::say::{Addressed, Said};
use super::user::{Correspondent, SessionId, UserId};
use super::{Chat, Deliveries, Delivery, Now, nearest};
use crate::fingerprint::Fingerprint;
use crate::limits::{DUE_PORTION, MAX_ADDRESSED, MAX_WAITING};
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

/// How many messages wait for whom. Never too low, so that nothing that waits is overlooked; it is
/// right again when they have got all.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    accounts: HashMap<Account, Waits>,
}

#[derive(Debug, Clone, Copy)]
struct Waits {
    count: u32,
    /// The number of the last.
    last: u64,
}

impl Waiting {
    /// What an archive says; none of them has a number above `seq`.
    pub(super) fn new(waiting: Vec<(Account, u32)>, seq: u64) -> Self {
        let waits = waiting.into_iter().map(|(account, count)| (account, Waits { count, last: seq }));
        Self { accounts: waits.collect() }
    }

    pub(super) fn count(&self, account: &Account) -> u32 {
        self.accounts.get(account).map_or(0, |waits| waits.count)
    }

    fn add(&mut self, account: &Account, seq: u64) {
        let waits = self.accounts.entry(account.clone()).or_insert(Waits { count: 0, last: seq });
        *waits = Waits { count: waits.count.saturating_add(1), last: seq };
    }

    /// They have got all up to that number. Returns whether anything may have waited.
    fn take(&mut self, account: &Account, upto: u64) -> bool {
        let Some(waits) = self.accounts.get(account) else { return false };
        if upto >= waits.last {
            self.accounts.remove(account);
        }
        true
    }
}

impl Chat {
    /// A message to a user, here or away.
    pub(super) fn to_user(&self, id: SessionId, name: &str, now: &Now) -> Result<Addressed, Refusal> {
        let Recipient { name, account, user } = self.recipient(name, now)?;
        let who = account.clone().map(|account| Who::Account(Arc::new(account))).or(user.map(Who::User));
        let mut sessions = who.as_ref().map_or_else(Vec::new, |who| self.sessions_of(who));
        let answers = who.as_ref().map_or_else(Vec::new, |who| self.users_of(who).to_vec());
        let is_away = sessions.is_empty();
        match &account {
            Some(account) if is_away => self.check_mailbox(account, &name)?,
            None if is_away => return Err(self.no_such_user(&name, now)),
            _ => {}
        }
        let correspondent = Correspondent::of(account.as_ref(), user);
        let mut mail: Vec<Mail> =
            account.into_iter().map(|account| Mail { account, waits: is_away }).collect();
        self.add_own(id, &mut mail, &mut sessions);
        Ok(Addressed {
            audience: Audience::Sessions(sessions),
            venue: Venue::Direct(name.clone()),
            mail,
            waits: is_away.then_some(name),
            correspondent,
            answers,
        })
    }

    /// A message to everybody who is connected from an address.
    pub(super) fn to_address(&self, id: SessionId, ip: IpAddr) -> Result<Addressed, Refusal> {
        // Walks all sessions: rare enough that an index would cost more than it saves.
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
        let (mut sessions, mut mail) = (Vec::new(), Vec::new());
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
            correspondent: Some(Correspondent::Address(ip)),
            answers: Vec::new(),
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

    /// Whether one more message can wait for them.
    fn check_mailbox(&self, account: &Account, name: &str) -> Result<(), Refusal> {
        let (code, why) = if self.log.is_none() {
            (Code::NoHistory, "this server keeps nothing for who is away")
        } else if !self.works {
            (Code::NotStored, "nothing can be stored at the moment")
        } else if self.waiting.count(account) >= MAX_WAITING {
            let msg = format!(
                "{name} is away and {MAX_WAITING} messages wait for them already; try again when they are here"
            );
            return Err(Refusal::new(Code::MailboxFull, msg));
        } else {
            return Ok(());
        };
        Err(Refusal::new(code, format!("{name} is away, and {why}; try again when they are here")))
    }

    /// Counts what now waits.
    pub(super) fn count_waiting(&mut self, message: &Message) {
        for mail in message.mail.iter().filter(|mail| mail.waits) {
            self.waiting.add(&mail.account, message.seq);
        }
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

    fn tell_arrival(&mut self, arrival: Arrival, now: &Now, out: &mut Deliveries) {
        let Arrival { author, account, name, count, last } = arrival;
        let sessions = self.sessions_of(&Who::Account(Arc::new(author.clone())));
        let key = match &account {
            Account::Key(key) => Some(Fingerprint::tag(key)),
            Account::Token(_) => None,
        };
        let said = Said {
            kind: Kind::Delivered { count, last },
            from: Sender { name, ip: String::new(), key },
            author: Some(account),
            text: String::new(),
            venue: Venue::Direct(self.name_of(&author).unwrap_or_default()),
            mail: vec![Mail { account: author, waits: sessions.is_empty() }],
            audience: Audience::Sessions(sessions),
            waits: None,
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

    /// The refusal for a name that nobody has, with the nearest ones that somebody has.
    pub(super) fn no_such_user(&self, name: &str, now: &Now) -> Refusal {
        let key = self.terms.key(name);
        let after = self.names.range(&key..).take(nearest::EACH_WAY);
        let before = self.names.range(..&key).rev().take(nearest::EACH_WAY);
        let here = after
            .chain(before)
            .filter_map(|(key, id)| Some((key.as_str(), self.users.get(id)?.name.as_str())));
        let owned = self.owned.around(&key, nearest::EACH_WAY, now.at());
        let owned = owned.map(|(key, name)| (key.as_str(), name.as_str()));
        let near = nearest::question(key.as_str(), here.chain(owned));
        Refusal::new(Code::NoSuchUser, format!("nobody called {name:?} is here;{near} /users lists who is"))
    }
}
