//! What the thread that writes finds out by itself, for whoever runs the chat.

use crate::chat::Expired;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// What has come up since it was last asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    /// Mail that waited and was removed for its age.
    pub expired: Vec<Expired>,
    /// Whether mail that waits takes all the room that it may, if that has changed.
    pub is_full_of_mail: Option<bool>,
}

/// Where news are left and fetched.
#[derive(Debug, Clone, Default)]
pub(super) struct NoticeQueue {
    shared: Arc<(Mutex<Notices>, Notify)>,
}

impl NoticeQueue {
    /// Mail was removed for its age.
    pub(super) fn expired(&self, expired: Vec<Expired>) {
        if !expired.is_empty() {
            self.change(|news| news.expired.extend(expired));
        }
    }

    /// Mail that waits takes all the room that it may, or no longer does.
    pub(super) fn full_of_mail(&self, is_full: bool) {
        self.change(|news| news.is_full_of_mail = Some(is_full));
    }

    fn change(&self, change: impl FnOnce(&mut Notices)) {
        let (news, is_changed) = &*self.shared;
        change(&mut news.lock().unwrap_or_else(PoisonError::into_inner));
        is_changed.notify_one();
    }

    /// Waits until there are any.
    pub(super) async fn next(&self) -> Notices {
        let (news, is_changed) = &*self.shared;
        loop {
            let found = std::mem::take(&mut *news.lock().unwrap_or_else(PoisonError::into_inner));
            if found != Notices::default() {
                return found;
            }
            is_changed.notified().await;
        }
    }
}
