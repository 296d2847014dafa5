//! What is asked when places run out: whom the server knows, and who has the places.

use super::who::SessionId;
use super::{Chat, Now};
use crate::fingerprint::Fingerprint;
use std::net::IpAddr;

/// Who has a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// By which connection.
    pub session: SessionId,
    /// Where it comes from.
    pub ip: IpAddr,
    /// Its key, if that [is known](Chat::is_known).
    pub known: Option<Fingerprint>,
}

impl Chat {
    /// Whether the key is somebody's: it owns a name, or is a member's or an operator's.
    pub fn is_known(&self, key: &Fingerprint, now: &Now) -> bool {
        self.standing.is_member(key) || self.owned.has_any(key, now.at())
    }

    /// Appends `count` of those who have a place, from the one at `from` on; returns the next place.
    /// Between two calls somebody may come or go, and be left out.
    pub fn more_holders(
        &self,
        from: usize,
        count: usize,
        now: &Now,
        rows: &mut Vec<Holder>,
    ) -> Option<usize> {
        let known = |key: Option<&Fingerprint>| key.filter(|key| self.is_known(key, now)).copied();
        rows.extend(self.sessions.iter().skip(from).take(count).map(|(session, row)| Holder {
            session: *session,
            ip: row.ip,
            known: known(row.key()),
        }));
        Some(from + count).filter(|next| *next < self.sessions.len())
    }
}
