//! Events that the writing thread causes itself, for the server.

use super::lock::lock;
use crate::chat::Expired;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Events since the last call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    /// Waiting mail that was removed for its age.
    pub expired: Vec<Expired>,
    /// Whether waiting mail has used up its share of the room, if that has changed.
    pub is_full_of_mail: Option<bool>,
}

/// Holds events until the server fetches them.
#[derive(Debug, Clone, Default)]
pub(super) struct NoticeQueue {
    shared: Arc<(Mutex<Notices>, Notify)>,
}

impl NoticeQueue {
    pub(super) fn expired(&self, expired: Vec<Expired>) {
        if !expired.is_empty() {
            self.change(|news| news.expired.extend(expired));
        }
    }

    pub(super) fn full_of_mail(&self, is_full: bool) {
        self.change(|news| news.is_full_of_mail = Some(is_full));
    }

    fn change(&self, change: impl FnOnce(&mut Notices)) {
        let (news, is_changed) = &*self.shared;
        change(&mut lock(news));
        is_changed.notify_one();
    }

    pub(super) async fn next(&self) -> Notices {
        let (news, is_changed) = &*self.shared;
        loop {
            let found = std::mem::take(&mut *lock(news));
            if found != Notices::default() {
                return found;
            }
            is_changed.notified().await;
        }
    }
}
