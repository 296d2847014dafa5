//! The bans as each server of several knows them from the log: it refuses banned people at its own door, although the
//! rules may run at another server.

use super::moderate::ban_text;
use super::now::Now;
use super::peer::Peer;
use super::records::{BanRecord, Record, Sanction};
use super::sanctions::Sanctions;
use crate::protocol::Code;
use crate::protocol::request::Refusal;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct DoorBans {
    rows: Sanctions,
    /// When each was imposed, by number.
    since: HashMap<u32, Timestamp>,
}

impl DoorBans {
    pub fn new(rows: Vec<(u32, BanRecord)>) -> Self {
        let since = rows.iter().map(|(number, row)| (*number, row.since)).collect();
        Self { rows: Sanctions::new(Sanction::Ban, rows), since }
    }

    /// Follows a change of a record.
    pub fn learn(&mut self, record: &Record) {
        let Record::Sanction(Sanction::Ban, number, row) = record else { return };
        if let Some(since) = self.since.remove(number) {
            self.rows.remove((since, *number));
        }
        if let Some(row) = row {
            self.since.insert(*number, row.since);
            self.rows.insert_at((row.since, *number), Arc::new(row.clone()));
        }
    }

    /// Why the peer may not come in, in the words of an only server.
    pub fn refusal(&self, peer: &Peer, is_operator: bool, now: &Now) -> Option<Refusal> {
        let row = self.rows.ban_of(peer, is_operator, now.steady)?;
        Some(Refusal::new(Code::Banned, ban_text(row, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use jiff::{ZonedDateTime, tz::TimeZone};
    use serde_json::Map;
    use std::time::Duration;

    fn ban(key: Option<Fingerprint>, net: &str, until: Option<i64>) -> BanRecord {
        let second = |second| Timestamp::from_second(1_900_000_000 + second).unwrap();
        let (since, until) = (second(0), until.map(second));
        let ips = vec![net.parse().unwrap()];
        BanRecord { key, ips, name: None, by: "alice".into(), since, until, rest: Map::new() }
    }

    fn at(second: i64) -> Now {
        let time = Timestamp::from_second(1_900_000_000 + second).unwrap();
        Now::new(ZonedDateTime::new(time, TimeZone::UTC), Duration::from_secs(9))
    }

    fn peer(ip: &str, key: Option<Fingerprint>) -> Peer {
        Peer { ip: ip.parse().unwrap(), key, encrypted: true, local: false, web: false }
    }

    fn set(number: u32, row: Option<BanRecord>) -> Record {
        Record::Sanction(Sanction::Ban, number, row)
    }

    #[test]
    fn a_ban_counts_from_its_record_to_its_end_or_until_it_is_lifted() {
        let key = Fingerprint::new([7; 32]);
        let mut bans = DoorBans::new(vec![(3, ban(Some(key), "10.0.0.1", None))]);
        bans.learn(&set(4, Some(ban(None, "10.1.0.0/16", Some(60)))));
        let is_out = |bans: &DoorBans, peer: Peer, second| bans.refusal(&peer, false, &at(second)).is_some();
        assert!(is_out(&bans, peer("10.9.9.9", Some(key)), 1) && is_out(&bans, peer("10.0.0.1", None), 1));
        assert!(is_out(&bans, peer("10.1.2.3", None), 59) && !is_out(&bans, peer("10.1.2.3", None), 60));
        bans.learn(&set(3, Some(ban(Some(key), "10.0.0.2", None))));
        assert!(is_out(&bans, peer("10.0.0.2", None), 1) && !is_out(&bans, peer("10.0.0.1", None), 1));
        bans.learn(&set(3, None));
        assert!(!is_out(&bans, peer("10.0.0.2", Some(key)), 1));
    }

    #[test]
    fn an_address_is_never_banned_for_an_operator_or_on_the_server_s_own_machine() {
        let bans = DoorBans::new(vec![(1, ban(None, "127.0.0.0/8", None))]);
        let stranger = peer("127.0.0.1", None);
        assert!(bans.refusal(&stranger, false, &at(1)).is_some());
        assert_eq!(bans.refusal(&stranger, true, &at(1)), None);
        assert_eq!(bans.refusal(&Peer { local: true, ..stranger }, false, &at(1)), None);
    }
}
