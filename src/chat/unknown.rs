//! Refusals for unknown names: the most similar names, and the command that lists the rest.

use super::records::Sanction;
use super::{Chat, Now, nearest};
use crate::name::NameKey;
use crate::protocol::Code;
use crate::protocol::request::Refusal;

/// For commands that apply to anyone.
pub(super) const ANYBODY: &str = "/users lists who is here, /owners who owns a name";

/// For commands that apply to a closed server's members.
pub(super) const MEMBERS: &str = "/members lists who may enter without the passphrase";

impl Chat {
    /// For a name that no connected user has.
    pub(super) fn no_such_user(&self, name: &str, now: &Now) -> Refusal {
        let key = self.prepared.key(name);
        if let Some(owned) = self.owned.owned(&key, now.at()) {
            let msg = format!("{} is offline; /users lists who is here", owned.name);
            return Refusal::new(Code::NoSuchUser, msg);
        }
        let near = self.near(&key, now);
        Refusal::new(Code::NoSuchUser, format!("nobody called {name:?} is here;{near} /users lists who is"))
    }

    /// The same where offline users count, too.
    pub(super) fn nobody_named(&self, name: &str, lists: &str, now: &Now) -> Refusal {
        let near = self.near(&self.prepared.key(name), now);
        let msg = format!("no user is called {name:?}, here or away;{near} {lists}");
        Refusal::new(Code::NoSuchUser, msg)
    }

    /// For a name that no key owns.
    pub(super) fn no_such_owner(&self, name: &str, now: &Now) -> Refusal {
        let key = self.prepared.key(name);
        let owned = self.owned.around(&key, nearest::EACH_WAY, now.at());
        let near = nearest::question(key.as_str(), owned.map(|(key, name)| (key.as_str(), name.as_str())));
        let msg = format!("nobody owns the name {name:?};{near} /owners lists who owns which");
        Refusal::new(Code::NoSuchUser, msg)
    }

    /// For a name that no operator has.
    pub(super) fn no_such_operator(&self, name: &str) -> Refusal {
        let operators = self.access.operator_names().take(2 * nearest::EACH_WAY);
        let near = nearest::question(self.prepared.key(name).as_str(), operators);
        let msg = format!("no operator is called {name:?};{near} /operators lists them with their keys");
        Refusal::new(Code::NoSuchUser, msg)
    }

    /// For a subject that is not banned or muted.
    pub(super) fn no_such_sanction(&self, who: &str, sanction: Sanction, done: &str, now: &Now) -> Refusal {
        let key = self.prepared.key(who);
        let names = self.access.rows(sanction).around(&key, nearest::EACH_WAY, now.steady);
        let near = nearest::question(key.as_str(), names.map(|(key, name)| (key.as_str(), name)));
        Refusal::new(Code::NoSuchUser, format!("{who:?} is not {done};{near} /bans lists who is"))
    }

    /// Suggests similar names, in use or owned.
    fn near(&self, key: &NameKey, now: &Now) -> String {
        let after = self.names.range(key..).take(nearest::EACH_WAY);
        let before = self.names.range(..key).rev().take(nearest::EACH_WAY);
        let here = after
            .chain(before)
            .filter_map(|(key, id)| Some((key.as_str(), self.users.get(id)?.name.as_str())));
        let owned = self.owned.around(key, nearest::EACH_WAY, now.at());
        let owned = owned.map(|(key, name)| (key.as_str(), name.as_str()));
        // The name itself is not a suggestion.
        let others = here.chain(owned).filter(|(name, _)| *name != key.as_str());
        nearest::question(key.as_str(), others)
    }
}

/// Also for a message that the asking user may not know.
pub fn no_such_message(seq: u64) -> Refusal {
    let msg = format!("there is no message {seq}, or it is gone, or it is not yours to read");
    Refusal::new(Code::NoSuchMessage, msg)
}
