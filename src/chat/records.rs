//! Records: name owners, operators, members, bans, mutes and read positions, as rows that outlive the server.
//!
//! A rule that changes one pushes its new state ([`Record`]), so it is on disk before anyone sees the result.
//! This module knows no files and no database. Rows keep members that this version does not know: earlier
//! versions kept them in files that people edited.

use super::account::Account;
use super::name_use::NameUse;
use super::net::Net;
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::ReadPosition;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::net::IpAddr;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Records {
    pub operators: Vec<OperatorRecord>,
    /// Keys that may enter a closed server without the passphrase.
    pub members: Vec<MemberRecord>,
    /// Each with its row's number.
    pub bans: Vec<(u32, BanRecord)>,
    /// Each with its row's number.
    pub mutes: Vec<(u32, BanRecord)>,
    pub names: Vec<NameRecord>,
    /// Never in a file.
    #[serde(skip)]
    pub reads: Vec<ReadRecord>,
}

/// A row's new state; `None` if the row was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// Identified by the name as its owner first wrote it.
    Name(String, Option<NameRecord>),
    Operator(Fingerprint, Option<OperatorRecord>),
    /// A key that may enter a closed server.
    Member(Fingerprint, Option<MemberRecord>),
    /// A ban or a mute, identified by its number.
    Sanction(Sanction, u32, Option<BanRecord>),
    /// Up to where a person has read.
    Read(Account, Option<ReadRecord>),
    /// The server was running at this second of Unix time, so names in use were in use then.
    Alive(i64),
}

/// Identifies a [`Record`]'s row: a later record of the same row replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKey {
    Sanction(Sanction, u32),
    Operator(Fingerprint),
    Member(Fingerprint),
    Name(String),
    Read(Account),
    /// See [`Record::Alive`].
    Alive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Sanction {
    Ban,
    Mute,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorRecord {
    pub key: Fingerprint,
    /// The name at that time, for people.
    #[serde(default)]
    pub name: String,
    /// Promoted by: a user's name, `console`, `code` or `token`.
    #[serde(default)]
    pub by: String,
    pub since: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A key that may enter a closed server without the passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    pub key: Fingerprint,
    /// The name at that time, for people.
    #[serde(default)]
    pub name: String,
    /// The address at that time, for people.
    pub ip: Option<IpAddr>,
    pub since: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A ban or a mute.
///
/// A ban matches the key and each of the addresses. A mute matches only the key; without a key, the name at
/// these addresses; without either, the addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Fingerprint>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<Net>,
    /// The user's name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Imposed by: a user's name, or `console`.
    #[serde(default)]
    pub by: String,
    pub since: Timestamp,
    /// When it ends; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRecord {
    /// As its owner first wrote it.
    pub name: String,
    pub key: Fingerprint,
    pub last: Timestamp,
    /// Total seconds of use.
    #[serde(default)]
    pub used: u32,
    /// Whether it is in use since `last`: after a crash it counts as used until [`Record::Alive`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_use: bool,
}

impl NameRecord {
    pub fn usage(&self) -> NameUse {
        NameUse { last: self.last.as_second(), used: self.used, in_use: self.in_use }
    }
}

/// Up to where a person has read each conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadRecord {
    pub account: Account,
    /// The one read most recently last.
    pub places: Vec<ReadPosition>,
    pub changed: Timestamp,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Record {
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Name(name, _) => RecordKey::Name(name.clone()),
            Self::Operator(key, _) => RecordKey::Operator(*key),
            Self::Member(key, _) => RecordKey::Member(*key),
            Self::Sanction(sanction, number, _) => RecordKey::Sanction(*sanction, *number),
            Self::Read(account, _) => RecordKey::Read(account.clone()),
            Self::Alive(_) => RecordKey::Alive,
        }
    }
}

impl BanRecord {
    pub fn holds(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| until > at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_what_this_version_does_not_know() {
        let key = Fingerprint::new([7; 32]);
        let row = format!(
            r#"{{"key":"{key}","name":"bob","by":"console","since":"2026-11-21T12:00:00Z","note":"trusted"}}"#
        );
        let record: OperatorRecord = serde_json::from_str(&row).unwrap();
        assert_eq!((record.key, record.name.as_str()), (key, "bob"));
        assert_eq!(serde_json::to_string(&record).unwrap(), row);
    }

    #[test]
    fn a_ban_is_written_with_what_it_has_and_times_as_people_read_them() {
        let row = r#"{"ips":["10.0.0.0/8","fe80::1"],"by":"alice","since":"2026-11-21T12:00:00Z"}"#;
        let record: BanRecord = serde_json::from_str(row).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), row);
        assert!(record.holds(Timestamp::MAX));
        let ends = BanRecord { until: Some(record.since), ..record.clone() };
        assert!(!ends.holds(record.since) && ends.holds(Timestamp::UNIX_EPOCH));
    }
}
