//! What the chat remembers over a restart: rows that the server keeps in files.
//!
//! Knows no files. Rows that people may edit or that later versions write more into keep the
//! members that this version does not know.

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
    /// Who is kept out.
    pub bans: Vec<BanRecord>,
    /// Who is silenced.
    pub mutes: Vec<BanRecord>,
    /// Names and their owners.
    pub names: Vec<NameRecord>,
}

/// What of the [`Records`] has changed since it was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Operators, bans or mutes.
    pub standing: bool,
    /// Members.
    pub members: bool,
    /// Names. They change with every coming and going; nothing is lost if they are written seldom.
    pub names: bool,
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
}

impl Changes {
    /// Whether anything has.
    pub fn any(self) -> bool {
        self.is_urgent() || self.names
    }

    /// Whether anything has that somebody did on purpose, and relies upon.
    pub fn is_urgent(self) -> bool {
        self.standing || self.members
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
