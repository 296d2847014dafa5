//! Answers the server when it runs out of places: which keys it knows, and who has the places.

use super::who::SessionId;
use super::{Chat, Now};
use crate::fingerprint::Fingerprint;
use std::net::IpAddr;

/// A connection that has a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    pub session: SessionId,
    pub ip: IpAddr,
    /// Its key, if [known](Chat::is_known).
    pub known: Option<Fingerprint>,
}

impl Chat {
    /// Whether the key owns a name or belongs to a member or an operator.
    pub fn is_known(&self, key: &Fingerprint, now: &Now) -> bool {
        self.access.is_member(key) || self.owned.has_any(key, now.at())
    }

    /// Appends up to `count` holders, starting at `from`; returns where to continue. Connections that come or
    /// go between two calls may be left out.
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
