//! Which keys there are, and what operators decide of them besides mutes and bans: who may enter a closed
//! server, and whose a name is.

use super::actor::Operation;
use super::answer::{KeyRow, Told};
use super::delivery::Delivery;
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
    /// `/admit WHO`.
    pub(super) fn admit_member(&mut self, who: &str) -> Result<Event, Refusal> {
        let (key, name) = self.chat.whose(who, unknown::ANYBODY, self.now)?;
        if self.chat.standing.is_member(&key) {
            return Ok(Event::Notice(format!("{who} may enter already")));
        }
        let (since, rest) = (self.now.second(), serde_json::Map::new());
        self.chat.standing.add_member(MemberRecord { key, name, ip: None, since, rest }, self.out);
        self.out
            .push(Delivery::Log(format!("{} let {who} ({key}) enter without the passphrase", self.actor)));
        Ok(Event::Notice(format!("{who} may enter without the passphrase from now on")))
    }

    /// `/dismiss WHO`.
    pub(super) fn dismiss_member(&mut self, who: &str) -> Result<Event, Refusal> {
        let (key, _) = self.chat.whose(who, unknown::MEMBERS, self.now)?;
        self.check_rank_over(&key, who)?;
        if !self.chat.standing.remove_member(&key, self.out) {
            let msg = format!("{who:?} is not a member; /members lists who is");
            return Err(Refusal::new(Code::NoSuchUser, msg));
        }
        self.out.push(Delivery::Log(format!("{}: {who} ({key}) needs the passphrase again", self.actor)));
        let msg = if self.chat.standing.is_operator(Some(&key)) {
            "is an operator and may enter all the same; /deop takes that away"
        } else {
            "needs the passphrase again to enter; /kick ends the connections that there are"
        };
        Ok(Event::Notice(format!("{who} {msg}")))
    }

    /// `/release NAME`.
    pub(super) fn release(&mut self, name: &str) -> Result<Event, Refusal> {
        let wanted = self.chat.terms.key(name);
        let Some(Owned { key, last, .. }) = self.chat.owned.owned(&wanted, self.now.at()) else {
            return Err(self.chat.no_such_owner(name, self.now));
        };
        self.check_rank_over(&key, name)?;
        let name = self
            .chat
            .owned
            .release(&wanted, self.out)
            .map_or_else(|| name.to_owned(), |name| name.to_string());
        self.out.push(Delivery::Log(format!("{} took the name {name} from {key}", self.actor)));
        let until = if last.is_none() { " once whoever is here under it leaves" } else { "" };
        Ok(Event::Notice(format!("the name {name} is nobody's any more{until}; it was key:{key}'s")))
    }
}

impl Chat {
    /// A page of a list.
    pub(super) fn keys(&self, list: KeyList, after: Option<&str>, now: &Now) -> Result<Told, Refusal> {
        if list == KeyList::Owners {
            let after = after.map(|after| self.terms.key(after));
            let (rows, next, total) = self.owned.owners_after(after.as_ref(), KEYS_PER_PAGE, now.at());
            let rows = rows.iter().map(|row| KeyRow::of_owner(row.name, row.key, row.last)).collect();
            let next = next.map(Name::to_string);
            return Ok(Told::Keys { list, rows, total, next });
        }
        let after = after.map(|after| {
            let key = after.strip_prefix("key:").unwrap_or(after);
            key.parse::<Fingerprint>().map_err(|error| Refusal::new(Code::BadCommand, error.to_string()))
        });
        let after = after.transpose()?;
        let (rows, total): (Vec<KeyRow>, usize) = match list {
            KeyList::Operators => {
                let (rows, total) = self.standing.operators_after(after, KEYS_PER_PAGE);
                (rows.map(KeyRow::of_operator).collect(), total)
            }
            KeyList::Members | KeyList::Owners => {
                let (rows, total) = self.standing.members_after(after, KEYS_PER_PAGE);
                (rows.map(KeyRow::of_member).collect(), total)
            }
        };
        let next = rows.last().filter(|_| rows.len() == KEYS_PER_PAGE).map(|row| row.key.to_string());
        Ok(Told::Keys { list, rows, total, next })
    }

    /// The key that is meant, of somebody here or away, and a name for it. `lists`: which command lists those
    /// that may be meant.
    pub(super) fn whose(&self, who: &str, lists: &str, now: &Now) -> Result<(Fingerprint, String), Refusal> {
        match Subject::parse(who)? {
            Subject::Key(key) => {
                let name = self.owned.name_of(&key).map(Name::to_string);
                Ok((key, name.unwrap_or_default()))
            }
            Subject::Name(name) => {
                if let Some((_, user)) = self.find(&name) {
                    let key = user.owner.key().copied().ok_or_else(|| {
                        let msg = format!("{} has no key, and only keys are known again", user.name);
                        Refusal::new(Code::KeyRequired, msg)
                    })?;
                    return Ok((key, user.name.to_string()));
                }
                let owned = self.owned.owned(&self.terms.key(&name), now.at());
                owned
                    .map(|owned| (owned.key, owned.name.to_string()))
                    .ok_or_else(|| self.nobody_named(&name, lists, now))
            }
            Subject::Net(_) => Err(Refusal::new(
                Code::BadCommand,
                "name a user or a key, such as key:SHA256:..., not an address",
            )),
        }
    }
}
