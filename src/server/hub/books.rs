//! What of the chat outlives it: who may come in, and what is to be saved.

use super::Hub;
use crate::chat::{Changes, Records, StandingRead};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_BANS, MAX_OPERATORS, RECORDS_PORTION};
use std::net::IpAddr;

impl Hub {
    /// Whether the key may come in to a closed server.
    pub(in crate::server) fn is_member(&self, key: &Fingerprint) -> bool {
        self.lock().chat.is_member(key)
    }

    /// The key may come in from now on.
    pub(in crate::server) fn add_member(&self, key: Fingerprint, ip: IpAddr, name: &str) {
        self.act(|chat, now, _| chat.add_member(key, ip, name, now));
    }

    /// Waits until the books have changed in such a way; `false` once the hub is closed.
    pub(in crate::server) async fn changed(&self, how: impl Fn(Changes) -> bool) -> bool {
        while !how(self.lock().chat.changes()) {
            tokio::select! {
                () = self.changed.notified() => {}
                () = self.closed() => return false,
            }
        }
        true
    }

    /// What has changed of the books since it was last taken, and no more than that. What may be much
    /// is read a portion at a time, as nobody else is served meanwhile; what changes between two of
    /// them counts as changed again.
    pub(in crate::server) fn take_records(&self) -> (Changes, Records) {
        let now = self.now();
        let changes = self.lock().chat.take_changes();
        let (mut records, mut read) = (Records::default(), StandingRead::default());
        if changes.standing {
            // Here, as lists that grow are copied.
            records.operators.reserve(MAX_OPERATORS);
            records.bans.reserve(MAX_BANS);
            records.mutes.reserve(MAX_BANS);
        }
        while changes.standing && self.lock().chat.more_standing(&mut read, &now, &mut records) {}
        records.operators.sort_by_key(|row| (row.since, row.key));
        while changes.members && self.lock().chat.more_members(&mut records.members) {
            records.members.reserve(RECORDS_PORTION);
        }
        let mut from = changes.names.then_some(0);
        while let Some(place) = from {
            records.names.reserve(RECORDS_PORTION);
            from = self.lock().chat.more_names(place, &now, &mut records.names);
        }
        (changes, records)
    }

    /// What was taken of the books could not be saved.
    pub(in crate::server) fn give_back(&self, lost: Changes) {
        self.lock().chat.give_back_changes(lost);
    }
}
