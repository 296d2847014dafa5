//! What somebody is told who names nobody: the nearest names, and which command lists those that there are.

use super::records::Sanction;
use super::{Chat, Now, nearest};
use crate::name::NameKey;
use crate::protocol::Code;
use crate::protocol::request::Refusal;

/// What lists those whom most of the operators' commands may be about.
pub(super) const ANYBODY: &str = "/users lists who is here, /owners who owns a name";

/// The same of a closed server's members.
pub(super) const MEMBERS: &str = "/members lists who may enter without the passphrase";

impl Chat {
    /// The refusal for a name that nobody here has.
    pub(super) fn no_such_user(&self, name: &str, now: &Now) -> Refusal {
        let key = self.terms.key(name);
        if let Some(owned) = self.owned.owned(&key, now.at()) {
            let msg = format!("{} is away; /users lists who is here", owned.name);
            return Refusal::new(Code::NoSuchUser, msg);
        }
        let near = self.near(&key, now);
        Refusal::new(Code::NoSuchUser, format!("nobody called {name:?} is here;{near} /users lists who is"))
    }

    /// The same for what may be about who is away, too.
    pub(super) fn nobody_named(&self, name: &str, lists: &str, now: &Now) -> Refusal {
        let near = self.near(&self.terms.key(name), now);
        let msg = format!("nobody called {name:?} is here or owns that name;{near} {lists}");
        Refusal::new(Code::NoSuchUser, msg)
    }

    /// For a name that no key owns.
    pub(super) fn no_such_owner(&self, name: &str, now: &Now) -> Refusal {
        let key = self.terms.key(name);
        let owned = self.owned.around(&key, nearest::EACH_WAY, now.at());
        let near = nearest::question(key.as_str(), owned.map(|(key, name)| (key.as_str(), name.as_str())));
        let msg = format!("nobody owns the name {name:?};{near} /owners lists who owns which");
        Refusal::new(Code::NoSuchUser, msg)
    }

    /// For a name that no operator has.
    pub(super) fn no_such_operator(&self, name: &str) -> Refusal {
        let operators = self.standing.operator_names().take(2 * nearest::EACH_WAY);
        let near = nearest::question(self.terms.key(name).as_str(), operators);
        let msg = format!("no operator is called {name:?};{near} /operators lists them with their keys");
        Refusal::new(Code::NoSuchUser, msg)
    }

    /// For what is neither banned nor muted.
    pub(super) fn no_such_sanction(&self, who: &str, sanction: Sanction, done: &str, now: &Now) -> Refusal {
        let key = self.terms.key(who);
        let names = self.standing.sanctioned_around(sanction, &key, nearest::EACH_WAY, now.steady);
        let near = nearest::question(key.as_str(), names);
        Refusal::new(Code::NoSuchUser, format!("{who:?} is not {done};{near} /bans lists who is"))
    }

    /// The nearest names, of those that somebody has, here or by right.
    fn near(&self, key: &NameKey, now: &Now) -> String {
        let after = self.names.range(key..).take(nearest::EACH_WAY);
        let before = self.names.range(..key).rev().take(nearest::EACH_WAY);
        let here = after
            .chain(before)
            .filter_map(|(key, id)| Some((key.as_str(), self.users.get(id)?.name.as_str())));
        let owned = self.owned.around(key, nearest::EACH_WAY, now.at());
        let owned = owned.map(|(key, name)| (key.as_str(), name.as_str()));
        // What was written is no suggestion.
        let others = here.chain(owned).filter(|(name, _)| *name != key.as_str());
        nearest::question(key.as_str(), others)
    }
}
