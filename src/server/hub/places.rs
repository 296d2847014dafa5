//! What the rules say of keys and connections when places run out.

use super::Hub;
use crate::chat::{Holder, SessionId};
use crate::fingerprint::Fingerprint;
use crate::limits::RECORDS_PORTION;
use crate::protocol::Code;
use crate::protocol::request::Refusal;

impl Hub {
    /// Whether the key owns a name, or is a member's or an operator's.
    pub(in crate::server) fn is_known(&self, key: &Fingerprint) -> bool {
        let now = self.now();
        self.lock().chat.is_known(key, &now)
    }

    /// Who has a place. Read a portion at a time, as nobody else is served meanwhile.
    pub(in crate::server) fn holders(&self) -> Vec<Holder> {
        let (now, mut rows, mut from) = (self.now(), Vec::new(), Some(0));
        while let Some(place) = from {
            from = self.lock().chat.more_holders(place, RECORDS_PORTION, &now, &mut rows);
        }
        rows
    }

    /// Ends a connection for want of places.
    pub(in crate::server) fn give_way(&self, id: SessionId, why: &str) {
        self.act(|chat, now, out| chat.expel(id, None, Refusal::new(Code::ServerFull, why), now, out));
    }
}
