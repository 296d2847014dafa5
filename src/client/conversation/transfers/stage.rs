//! How far one transfer is.

use std::sync::Arc;
use std::time::Instant;

use crate::client::transfer::{FilePhase, FileProgress, ProgressNow};

/// How far a transfer is.
#[derive(Debug)]
pub(in crate::client::conversation) enum OfferStage {
    /// Nobody has accepted it yet.
    Open,
    /// The screen looks for a place.
    Preparing(u64),
    /// The server knows that this user accepts.
    Asked,
    Running {
        task: u64,
        progress: Arc<FileProgress>,
        /// Whether the other side has ended it.
        is_ended: bool,
    },
    /// At so many percent, if the size is known.
    Interrupted {
        percent: Option<u64>,
        retry: Option<Instant>,
    },
    Done,
}

impl OfferStage {
    pub(super) fn task(&self) -> Option<u64> {
        match self {
            Self::Running { task, .. } => Some(*task),
            _ => None,
        }
    }

    /// Whether both sides are there and agree on the place.
    pub(super) fn flows(&self) -> bool {
        let phase = match self {
            Self::Running { progress, .. } => progress.now().phase,
            _ => return false,
        };
        matches!(phase, FilePhase::Moving | FilePhase::Finishing)
    }

    /// How much of it is there; `None` also while the transfer finds that out.
    pub(super) fn percent(&self) -> Option<u64> {
        match self {
            Self::Running { progress, .. } if self.flows() => percent(&progress.now()),
            Self::Interrupted { percent, .. } => *percent,
            _ => None,
        }
    }
}

pub(super) fn percent(now: &ProgressNow) -> Option<u64> {
    let total = now.total?;
    let percent = u128::from(now.done.min(total)) * 100 / u128::from(total.max(1));
    u64::try_from(percent).ok()
}
