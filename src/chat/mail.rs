//! Direct messages: recipients, waiting mail, and the notice that it has arrived.

use super::archive::{Account, Arrival, Entry, Expired, Kind, Mail, Venue};
use super::delivery::Audience;
use super::owned::Owned;
use super::say::{Addressed, NewMessage};
use super::waiting::{MailboxLimit, Waited};
use super::who::{Correspondent, SessionId, UserId, Who};
use super::{Chat, Deliveries, Delivery, Now};
use crate::fingerprint::Fingerprint;
use crate::limits::{
    DUE_PORTION, MAX_ADDRESSED, MAX_WAITING, MAX_WAITING_OF_AUTHOR, MAX_WAITING_OF_AUTHOR_FOR_ONE, NAME_TRIED,
};
use crate::name::Name;
use crate::protocol::Code;
use crate::protocol::event::Absent;
use crate::protocol::packet::Sender;
use crate::protocol::request::Refusal;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The recipient of a direct message.
pub(super) struct Recipient {
    /// As its owner writes it.
    pub(super) name: String,
    pub(super) account: Option<Account>,
    pub(super) user: Option<UserId>,
}

impl Chat {
    /// Addresses a message to a user, online or offline.
    pub(super) fn to_user(&self, id: SessionId, name: &str, now: &Now) -> Result<Addressed, Refusal> {
        let Recipient { name, account, user } = self.recipient(name, now)?;
        let who = account.clone().map(|account| Who::Account(Arc::new(account))).or(user.map(Who::User));
        let key = || self.prepared.key(&name);
        let mut sessions = who.as_ref().map_or_else(Vec::new, |who| self.sessions_under(who, key));
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
            away: user.filter(|_| !is_away).and_then(|user| self.absent(user, &name)),
            waits: is_away.then_some(name),
            refusal,
            receiver: account,
            correspondent,
            cost: 1,
        })
    }

    /// Addresses a message to everyone who is connected from an address.
    pub(super) fn to_address(&self, id: SessionId, ip: IpAddr) -> Result<Addressed, Refusal> {
        // Walks all sessions at the sender's cost: too rare to pay for an index.
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
            away: None,
            refusal: None,
            receiver: None,
            correspondent: Some(Correspondent::Address(ip)),
            cost,
        })
    }

    /// Adds the sender's mailbox and other sessions; the sending session gets a receipt instead.
    fn add_own(&self, id: SessionId, mail: &mut Vec<Mail>, sessions: &mut Vec<SessionId>) {
        if let Some(asking) = self.asking(id) {
            let own = asking.who.account().filter(|own| mail.iter().all(|mail| mail.account != **own));
            mail.extend(own.map(|account| Mail { account: account.clone(), waits: false }));
            let user = self.users.get(&asking.user);
            sessions
                .extend(user.iter().flat_map(|user| self.sessions_under(&asking.who, || user.name.key())));
        }
        sessions.sort_unstable();
        sessions.dedup();
        sessions.retain(|session| *session != id);
    }

    /// The user as a recipient who does not read at the moment.
    fn absent(&self, user: UserId, name: &str) -> Option<Absent> {
        self.absences.of(user).map(|why| Absent { name: name.to_owned(), why: why.to_owned() })
    }

    /// Finds who has that name, online or as its owner.
    pub(super) fn recipient(&self, name: &str, now: &Now) -> Result<Recipient, Refusal> {
        if let Some((user, found)) = self.find(name) {
            let is_reached = found.owner.key().is_some() || found.sessions.iter().any(|id| self.listens(*id));
            let account = found.owner.account().map(|own| (**own).clone());
            return match is_reached {
                true => Ok(Recipient { name: found.name.to_string(), account, user: Some(user) }),
                false => Err(self.no_such_user(name, now)),
            };
        }
        match self.owned.owned(&self.prepared.key(name), now.at()) {
            Some(Owned { name, key, .. }) => {
                Ok(Recipient { name: name.to_string(), account: Some(Account::Key(key)), user: None })
            }
            None => Err(self.no_such_user(name, now)),
        }
    }

    /// Whether the account's mailbox takes one more message from the session.
    fn check_mailbox(&self, id: SessionId, account: &Account, name: &str, now: &Now) -> Result<(), Refusal> {
        let away = |code, why: &str| {
            Err(Refusal::new(code, format!("{name} is offline, and {why}; try again when they are here")))
        };
        if self.lineage.is_none() {
            return away(Code::NoHistory, "this server does not store messages");
        }
        if self.failure.is_some() {
            return away(Code::NotStored, "the server cannot store messages at the moment");
        }
        if self.is_mail_full {
            let msg = format!(
                "{name} is offline, and waiting messages take all the space that the server has for them; try \
                 again when they are here, or ask the server's administrator for more (--retain-size)"
            );
            return Err(Refusal::new(Code::MailboxFull, msg));
        }
        let author = self.user_of(id).and_then(|user| user.owner.account()).map(|own| &**own);
        let whose = if author.is_some() { "of yours" } else { "from clients without a key or token" };
        let why = match self.waiting.check(account, author, self.is_newcomer(author, now)) {
            Ok(()) => return Ok(()),
            Err(MailboxLimit::Mailbox) => format!("{MAX_WAITING} messages are already waiting for them"),
            Err(MailboxLimit::Theirs) => {
                format!("{MAX_WAITING_OF_AUTHOR_FOR_ONE} messages {whose} are already waiting for them")
            }
            Err(MailboxLimit::TheirsForAll) => {
                let msg = format!(
                    "{name} is offline, and {MAX_WAITING_OF_AUTHOR} messages {whose} are waiting for people \
                     who are offline, which is the limit; try again once some of them have been here"
                );
                return Err(Refusal::new(Code::MailboxFull, msg));
            }
            Err(MailboxLimit::Newcomers) => {
                let msg = format!(
                    "{name} is offline, and too many messages from new users are waiting; try again once you \
                     have had your name for {} minutes, with a key, or when they are here",
                    NAME_TRIED.as_secs() / 60
                );
                return Err(Refusal::new(Code::MailboxFull, msg));
            }
        };
        away(Code::MailboxFull, &why)
    }

    /// Whether the author counts as new here.
    pub(super) fn is_newcomer(&self, author: Option<&Account>, now: &Now) -> bool {
        match author {
            Some(Account::Key(key)) => !self.is_established(key, now),
            Some(Account::Token(_)) | None => true,
        }
    }

    /// Undoes counts of messages that do not wait: repeats, or messages that could not be stored.
    pub fn not_waiting(&mut self, waited: &[Waited]) {
        waited.iter().for_each(|waited| self.waiting.take_back(waited));
    }

    /// A client has received all mail up to that number.
    pub(super) fn received(&mut self, id: SessionId, upto: u64, now: &Now, out: &mut Deliveries) {
        let Some(account) = self.asking(id).and_then(|asking| asking.who.account().cloned()) else { return };
        let upto = upto.min(self.seq);
        if self.lineage.is_some() && self.waiting.take(&account, upto) {
            out.push(Delivery::Keep(Entry::Received { account, upto, at: now.clock.timestamp() }));
        }
    }

    /// Waiting mail has reached its recipients. Notifies its authors, a portion at a time, once the store can
    /// keep the notices.
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

    /// Waiting mail was removed because of its age. Updates the counts and notifies its authors.
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

    /// Sets whether waiting mail fills its space, so the server refuses more.
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
        let message = NewMessage {
            kind: if is_lost { Kind::Lost { count, last } } else { Kind::Delivered { count, last } },
            from: Sender { name, ip: String::new(), key },
            author: Some(account),
            text: String::new(),
            venue: Venue::Direct(self.name_of(&author).unwrap_or_default()),
            receiver: Some(author.clone()),
            mail: vec![Mail { account: author, waits: sessions.is_empty() }],
            audience: Audience::Sessions(sessions),
            waits: None,
            away: None,
            reply: None,
            refusal: None,
            receipt: None,
        };
        self.pass_on(message, now, out);
    }

    /// One of the account's names, in use or owned.
    fn name_of(&self, account: &Account) -> Option<String> {
        let here = self.accounts.get(account).and_then(|users| self.users.get(users.first()?));
        let owned = || match account {
            Account::Key(key) => self.owned.name_of(key).map(Name::to_string),
            Account::Token(_) => None,
        };
        here.map(|user| user.name.to_string()).or_else(owned)
    }
}
