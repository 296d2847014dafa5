//! The state of an offer, for another server of the same chat that goes on with it.

use super::account::Account;
use super::who::SessionId;
use crate::protocol::packet::FileInfo;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// An offer's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferRecord {
    pub number: u64,
    pub(super) session: SessionId,
    pub(super) scope: ScopeRecord,
    pub(super) to: String,
    pub(super) file: Box<FileInfo>,
    pub(super) transfers: Vec<TransferRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ScopeRecord {
    Lobby,
    /// The room that [`OfferRecord::to`] names.
    Room,
    Account(Account),
    User(NonZeroU64),
}

/// A transfer's state. Its tokens are secrets, which stay where the rules run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TransferRecord {
    pub(super) id: u64,
    pub(super) session: SessionId,
    pub(super) names: [String; 2],
    /// Whether both sides have connected.
    pub(super) has_met: bool,
}
