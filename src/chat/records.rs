//! The chat's books: who owns which name, operators, members, bans and mutes, as rows that are kept.
//!
//! A rule that changes one pushes the row as it is from then on ([`Record`]), so that it is on the disk
//! before anybody sees what follows. Knows no files and no database. Rows keep the members that this
//! version does not know: earlier versions kept them in files that people edited.

use super::net::Net;
use crate::fingerprint::Fingerprint;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// All rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Records {
    /// Keys that may use the operators' commands.
    pub operators: Vec<OperatorRecord>,
    /// Keys that may enter a closed server without the passphrase.
    pub members: Vec<MemberRecord>,
    /// Who is kept out, each with its row's number.
    pub bans: Vec<(u32, BanRecord)>,
    /// Who is silenced, each with its row's number.
    pub mutes: Vec<(u32, BanRecord)>,
    /// Names and their owners.
    pub names: Vec<NameRecord>,
}

/// A row as it is from now on; with `None` there is none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A name, by how its owner wrote it first.
    Name(String, Option<NameRecord>),
    /// An operator.
    Operator(Fingerprint, Option<OperatorRecord>),
    /// Somebody who may enter a closed server.
    Member(Fingerprint, Option<MemberRecord>),
    /// A ban or a mute, by its number.
    Sanction(Sanction, u32, Option<BanRecord>),
    /// The server runs: names that are in use were so at this second of Unix time.
    Alive(i64),
}

/// Which row a [`Record`] is about: a later record of the same row replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKey {
    /// A ban or a mute.
    Sanction(Sanction, u32),
    /// An operator.
    Operator(Fingerprint),
    /// A member.
    Member(Fingerprint),
    /// A name.
    Name(String),
    /// See [`Record::Alive`].
    Alive,
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sanction {
    /// Keeps out.
    Ban,
    /// Silences.
    Mute,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorRecord {
    /// Who.
    pub key: Fingerprint,
    /// The name at that time, for people.
    #[serde(default)]
    pub name: String,
    /// Who made them one: a user's name, `console`, `code` or `token`.
    #[serde(default)]
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// What this version does not know.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A key that has proved to know the passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Who.
    pub key: Fingerprint,
    /// The name asked for then, for people.
    #[serde(default)]
    pub name: String,
    /// The address then, for people.
    pub ip: Option<IpAddr>,
    /// Since when.
    pub since: Timestamp,
    /// What this version does not know.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A ban or a mute.
///
/// A ban hits the key and every one of the addresses. A mute hits the key alone; without a key, the
/// name at these addresses; without either, the addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanRecord {
    /// Whom it hits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Fingerprint>,
    /// Where it hits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<Net>,
    /// The user's name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who did it: a user's name, or `console`.
    #[serde(default)]
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// When it ends; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What this version does not know.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A name and its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRecord {
    /// As its owner wrote it first.
    pub name: String,
    /// Whose it is.
    pub key: Fingerprint,
    /// When it was last used.
    pub last: Timestamp,
    /// For how long it was used in all, in seconds.
    #[serde(default)]
    pub used: u32,
    /// Whether it is in use since `last`: after a crash it counts as used until [`Record::Alive`].
    #[serde(skip)]
    pub in_use: bool,
}

impl Record {
    /// Which row it is about.
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Name(name, _) => RecordKey::Name(name.clone()),
            Self::Operator(key, _) => RecordKey::Operator(*key),
            Self::Member(key, _) => RecordKey::Member(*key),
            Self::Sanction(sanction, number, _) => RecordKey::Sanction(*sanction, *number),
            Self::Alive(_) => RecordKey::Alive,
        }
    }
}

impl BanRecord {
    /// Whether it holds at that time.
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
