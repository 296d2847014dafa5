//! What the eviction and the gate need from the rules.

use super::Hub;
use crate::chat::{Holder, SessionId};
use crate::fingerprint::Fingerprint;
use crate::limits::RECORDS_PORTION;
use crate::protocol::Code;
use crate::protocol::request::Refusal;

impl Hub {
    /// Whether the key owns a name, or belongs to a member or an operator.
    pub(in crate::server) fn is_known(&self, key: &Fingerprint) -> bool {
        let now = self.now();
        self.lock().chat.is_known(key, &now)
    }

    /// All sessions with their keys. Reads them in portions, because the lock keeps everyone else waiting.
    pub(in crate::server) fn holders(&self) -> Vec<Holder> {
        let (now, mut rows, mut from) = (self.now(), Vec::new(), Some(0));
        while let Some(place) = from {
            from = self.lock().chat.more_holders(place, RECORDS_PORTION, &now, &mut rows);
        }
        rows
    }

    pub(in crate::server) fn evict(&self, id: SessionId, why: &str) {
        self.act(|chat, now, out| chat.expel(id, None, Refusal::new(Code::ServerFull, why), now, out));
    }
}
