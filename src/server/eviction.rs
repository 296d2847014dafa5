//! Chooses the connection to evict when the server is full and a client with a known key arrives.
//!
//! A stranger's goes first, then one of a known key that has more connections than the new client's. If each
//! known key has one, one person may have taken the places with many keys: then one from an address or a
//! network that exceeds its share goes.

use super::gate::{ConnectionShares, Gate, Heaviest, heaviest};
use super::hub::Hub;
use crate::chat::{Holder, SessionId};
use crate::fingerprint::Fingerprint;
use crate::limits::{CONNECTIONS_PER_KNOWN_KEY, RECORDS_PORTION};
use crate::protocol::Code;
use std::collections::HashMap;
use std::net::IpAddr;

/// The reason sent to the evicted client.
const WHY: &str = "this server is full, and a client that owns a name here has arrived, so it closes a connection \
                   from those with most: yours; connect again later";

/// The connection to evict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Session(SessionId),
    /// One that is not admitted yet, by the gate's number.
    Pending(u32),
}

/// Evicts a connection to make room for this key; `false`: no client exceeds its share.
pub(super) fn evict_for(hub: &Hub, gate: &Gate, key: &Fingerprint) -> bool {
    match victim(key, &holders(hub), &gate.pending(), gate.shares_when_full()) {
        Some(Victim::Session(id)) => hub.expel(id, Code::ServerFull, WHY),
        Some(Victim::Pending(number)) => gate.cut(number),
        None => return false,
    }
    true
}

/// All sessions with their keys. Reads them in portions, because the lock keeps everyone else waiting.
fn holders(hub: &Hub) -> Vec<Holder> {
    let (mut rows, mut from) = (Vec::new(), Some(0));
    while let Some(slot) = from {
        from = hub.more_holders(slot, RECORDS_PORTION, &mut rows);
    }
    rows
}

/// The last connection of the heaviest host, usually its newest. `shares`: as one address and network may
/// always have.
fn victim(
    key: &Fingerprint,
    holders: &[Holder],
    pending: &[(u32, IpAddr)],
    shares: Option<ConnectionShares>,
) -> Option<Victim> {
    let own = holders.iter().filter(|row| row.known.as_ref() == Some(key)).count();
    // Keys with most connections lose one first.
    for spared in (own + 1..=CONNECTIONS_PER_KNOWN_KEY).rev() {
        let mut all = beyond(spared, holders);
        all.extend(pending.iter().map(|(number, ip)| (*ip, Victim::Pending(*number))));
        if let Some(found) = heaviest_of(&all) {
            return last_of(&all, found.host);
        }
    }
    let ConnectionShares { address, network } = shares?;
    let all = beyond(0, holders);
    let found = heaviest_of(&all).filter(|found| found.by_host > address || found.by_network > network)?;
    last_of(&all, found.host)
}

/// Strangers' sessions, and those of known keys beyond their first `spared`.
fn beyond(spared: usize, holders: &[Holder]) -> Vec<(IpAddr, Victim)> {
    let mut seen: HashMap<Fingerprint, usize> = HashMap::new();
    let is_beyond = |row: &&Holder| {
        row.known.is_none_or(|key| {
            let count = seen.entry(key).or_insert(0);
            *count += 1;
            *count > spared
        })
    };
    holders.iter().filter(is_beyond).map(|row| (row.ip, Victim::Session(row.session))).collect()
}

fn heaviest_of(all: &[(IpAddr, Victim)]) -> Option<Heaviest> {
    heaviest(all.iter().map(|(host, _)| *host))
}

fn last_of(all: &[(IpAddr, Victim)], host: IpAddr) -> Option<Victim> {
    all.iter().rev().find(|(other, _)| *other == host).map(|(_, victim)| *victim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARES: Option<ConnectionShares> = Some(ConnectionShares { address: 64, network: 512 });

    fn key(number: u8) -> Fingerprint {
        Fingerprint::new([number; 32])
    }

    fn holder(session: u64, ip: &str, known: Option<u8>) -> Holder {
        Holder { session: SessionId(session), ip: ip.parse().expect("an address"), known: known.map(key) }
    }

    /// The session that is evicted for key 200.
    fn session(holders: &[Holder], shares: Option<ConnectionShares>) -> Option<u64> {
        match victim(&key(200), holders, &[], shares)? {
            Victim::Session(id) => Some(id.0),
            Victim::Pending(_) => None,
        }
    }

    #[test]
    fn strangers_of_the_heaviest_network_give_way_first() {
        let mut rows: Vec<Holder> = (0..20).map(|n| holder(n, "10.0.0.1", Some(n as u8))).collect();
        rows.push(holder(20, "10.0.9.9", None));
        rows.extend((30..40).map(|n| holder(n, &format!("fd00::{n}"), None)));
        rows.push(holder(40, "fd00::33", None));
        assert_eq!(session(&rows, SHARES), Some(40), "the last one of the address with two");
    }

    #[test]
    fn one_that_says_nothing_gives_way_too() {
        let rows = [holder(1, "10.0.0.1", Some(1))];
        let pending = [(7, "fd00::1".parse().expect("an address"))];
        assert_eq!(victim(&key(2), &rows, &pending, SHARES), Some(Victim::Pending(7)));
    }

    #[test]
    fn a_key_with_more_connections_loses_one_to_a_key_with_fewer() {
        let mut rows: Vec<Holder> = (0..5).map(|n| holder(n, "10.0.0.1", Some(1))).collect();
        rows.extend((5..7).map(|n| holder(n, "10.0.0.2", Some(2))));
        assert_eq!(session(&rows, SHARES), Some(4), "one of five");
        rows.remove(4);
        assert_eq!(session(&rows, SHARES), Some(3), "one of four, and not of two");
        rows.extend((7..9).map(|n| holder(n, "10.0.0.9", Some(200))));
        rows.remove(3);
        assert_eq!(session(&rows, SHARES), None, "not one of three, if the newcomer has two");
        assert_eq!(session(&rows[..1], SHARES), None, "nobody's only one");
    }

    #[test]
    fn many_known_keys_of_one_network_give_way_beyond_its_share() {
        let rows: Vec<Holder> = (0..90).map(|n| holder(n, &format!("fd00::{n}"), Some(n as u8))).collect();
        assert_eq!(
            session(&rows, Some(ConnectionShares { address: 64, network: 90 })),
            None,
            "it has its share"
        );
        assert_eq!(session(&rows, Some(ConnectionShares { address: 10, network: 80 })), Some(0));
        assert_eq!(session(&rows, None), None);
    }
}
