//! The state of a session, as a row that outlives the server.

use super::account::Account;
use super::peer::Peer;
use super::who::SessionId;
use crate::name::RoomName;
use crate::protocol::request::Mode;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// A session's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    pub id: SessionId,
    pub peer: Peer,
    pub mode: Mode,
    /// Whether it tells what its user has read.
    pub reads: bool,
    /// Up to which number it receives mail that it never confirms.
    pub greeted: Option<u64>,
    /// `None` before its first packet.
    pub user: Option<UserRecord>,
}

/// The state of a session's user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// The same for all sessions of the user.
    pub number: NonZeroU64,
    pub name: String,
    pub account: Option<Account>,
    /// When they joined, in seconds of Unix time.
    pub since: i64,
    pub away: Option<String>,
    /// The rooms of a user without an account, each with the latest message number when they joined.
    pub rooms: Vec<(RoomName, u64)>,
}
