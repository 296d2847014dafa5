//! The work that the conversation has the screen do, and its results.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::client::transfer::{FileProgress, Landing, OfferOrigin, Parcel, Received, Sent, TransferError};
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::FileInfo;

/// A piece of work for the screen. Each has a number of its own, under which it reports.
#[derive(Debug)]
pub(crate) struct TransferOrder {
    pub(crate) task: u64,
    pub(crate) work: TransferWork,
}

#[derive(Debug)]
pub(crate) enum TransferWork {
    /// Look at the files to offer, by their paths as typed; the whole text may also be one path.
    Collect(String),
    /// Look whether the user has accepted this in an earlier run.
    Recall { origin: OfferOrigin, file: Box<FileInfo> },
    /// Find a place for the offered files.
    Prepare {
        origin: OfferOrigin,
        file: Box<FileInfo>,
        /// As typed.
        folder: Option<String>,
        /// As in the preferences.
        downloads: String,
    },
    /// Connect to the server with the token, and send.
    Send { meeting: MeetingPoint, parcel: Arc<Parcel>, progress: Arc<FileProgress> },
    /// The same, and receive.
    Receive { meeting: MeetingPoint, landing: Arc<Landing>, progress: Arc<FileProgress> },
    /// Remove the beginning of an offer that will not go on.
    Forget(Arc<Landing>),
    /// End the work with this number, and tell the other side.
    Cancel,
    /// End it without a word, because its connection is dead.
    Abandon,
}

/// Where both sides of a transfer meet.
#[derive(Debug, Clone)]
pub(crate) struct MeetingPoint {
    pub(crate) server: SocketAddr,
    pub(crate) key: Option<Fingerprint>,
    pub(crate) token: String,
}

/// Files to offer.
#[derive(Debug)]
pub(crate) struct CollectedFiles {
    pub(crate) parcel: Arc<Parcel>,
    pub(crate) file: FileInfo,
    /// Notes about them that the user may not expect.
    pub(crate) notes: Vec<String>,
}

/// The result of a [`TransferOrder`].
#[derive(Debug)]
pub(crate) enum TransferReport {
    Collected(Result<CollectedFiles, String>),
    Recalled(Option<Arc<Landing>>),
    Prepared(Result<Arc<Landing>, String>),
    Sent(Result<Sent, TransferError>),
    Received(Result<Received, TransferError>),
    /// It has failed unexpectedly.
    Failed,
}
