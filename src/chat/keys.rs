//! Operators' commands on keys, besides mutes and bans: members of a closed server, and owners of names.

use super::actor::Operation;
use super::answer::{Content, KeyRow};
use super::owned::Owned;
use super::records::MemberRecord;
use super::subject::Subject;
use super::{Chat, Now, unknown};
use crate::fingerprint::Fingerprint;
use crate::limits::KEYS_PER_PAGE;
use crate::name::Name;
use crate::protocol::packet::KeyList;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};

impl Operation<'_> {
    pub(super) fn admit_member(&mut self, who: &str) -> Result<Event, Refusal> {
        let (key, name) = self.chat.whose(who, unknown::ANYBODY, self.now)?;
        if self.chat.access.is_member(&key) {
            return Ok(Event::Notice(format!("{who} may already enter")));
        }
        let (since, rest) = (self.now.second(), serde_json::Map::new());
        self.chat.access.add_member(MemberRecord { key, name, ip: None, since, rest }, self.out);
        self.log(format!("{} let {who} ({key}) enter without the passphrase", self.actor));
        Ok(Event::Notice(format!("{who} may enter without the passphrase from now on")))
    }

    pub(super) fn dismiss_member(&mut self, who: &str) -> Result<Event, Refusal> {
        let (key, _) = self.chat.whose(who, unknown::MEMBERS, self.now)?;
        self.check_rank_over(&key, who)?;
        if !self.chat.access.remove_member(&key, self.out) {
            let msg = format!("{who:?} is not a member; /members lists who is");
            return Err(Refusal::new(Code::NoSuchUser, msg));
        }
        self.log(format!("{}: {who} ({key}) needs the passphrase again", self.actor));
        let msg = if self.chat.access.is_operator(Some(&key)) {
            "is an operator and may still enter; /deop changes that"
        } else {
            "needs the passphrase again to enter; /kick ends current connections"
        };
        Ok(Event::Notice(format!("{who} {msg}")))
    }

    pub(super) fn release(&mut self, name: &str) -> Result<Event, Refusal> {
        let wanted = self.chat.prepared.key(name);
        let Some(Owned { key, last, .. }) = self.chat.owned.owned(&wanted, self.now.at()) else {
            return Err(self.chat.no_such_owner(name, self.now));
        };
        self.check_rank_over(&key, name)?;
        let name = self
            .chat
            .owned
            .release(&wanted, self.out)
            .map_or_else(|| name.to_owned(), |name| name.to_string());
        self.log(format!("{} took the name {name} from {key}", self.actor));
        let until = if last.is_none() { " once its current user leaves" } else { "" };
        Ok(Event::Notice(format!("the name {name} is free{until}; it belonged to key:{key}")))
    }
}

impl Chat {
    pub(super) fn keys(&self, list: KeyList, after: Option<&str>, now: &Now) -> Result<Content, Refusal> {
        if list == KeyList::Owners {
            let after = after.map(|after| self.prepared.key(after));
            let (rows, next, total) = self.owned.owners_after(after.as_ref(), KEYS_PER_PAGE, now.at());
            let rows = rows.iter().map(|row| KeyRow::of_owner(row.name, row.key, row.last)).collect();
            let next = next.map(Name::to_string);
            return Ok(Content::Keys { list, rows, total, next });
        }
        let after = after.map(|after| {
            let key = after.strip_prefix("key:").unwrap_or(after);
            key.parse::<Fingerprint>().map_err(|error| Refusal::new(Code::BadCommand, error.to_string()))
        });
        let after = after.transpose()?;
        let (rows, total): (Vec<KeyRow>, usize) = match list {
            KeyList::Operators => {
                let (rows, total) = self.access.operators_after(after, KEYS_PER_PAGE);
                (rows.map(KeyRow::of_operator).collect(), total)
            }
            KeyList::Members | KeyList::Owners => {
                let (rows, total) = self.access.members_after(after, KEYS_PER_PAGE);
                (rows.map(KeyRow::of_member).collect(), total)
            }
        };
        let next = rows.last().filter(|_| rows.len() == KEYS_PER_PAGE).map(|row| row.key.to_string());
        Ok(Content::Keys { list, rows, total, next })
    }

    /// The key of a user, online or offline, and a name for it. `lists` tells which command lists those who
    /// qualify.
    pub(super) fn whose(&self, who: &str, lists: &str, now: &Now) -> Result<(Fingerprint, String), Refusal> {
        match Subject::parse(who)? {
            Subject::Key(key) => {
                let name = self.owned.name_of(&key).map(Name::to_string);
                Ok((key, name.unwrap_or_default()))
            }
            Subject::Name(name) => {
                if let Some((_, user)) = self.find(&name) {
                    let key = user.owner.key().copied().ok_or_else(|| {
                        let msg =
                            format!("{} has no key, so the server cannot recognise them later", user.name);
                        Refusal::new(Code::KeyRequired, msg)
                    })?;
                    return Ok((key, user.name.to_string()));
                }
                let owned = self.owned.owned(&self.prepared.key(&name), now.at());
                owned
                    .map(|owned| (owned.key, owned.name.to_string()))
                    .ok_or_else(|| self.nobody_named(&name, lists, now))
            }
            Subject::Net(_) => Err(Refusal::new(
                Code::BadCommand,
                "give a user's name or a key, such as key:SHA256:..., not an address",
            )),
        }
    }
}
