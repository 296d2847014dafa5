//! What other tasks need from the rules: the persister, catch-ups, the passphrase check, the monitor.

use super::super::output_batch::{CatchUpSummary, Cutover, Remainder, StepKind};
use super::Hub;
use crate::chat::{Arrival, Expired, Lack, Message, SessionId, View, Waited};
use crate::fingerprint::Fingerprint;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

impl Hub {
    /// Whether the key may join a closed server.
    pub(in crate::server) fn is_member(&self, key: &Fingerprint) -> bool {
        self.lock().chat.is_member(key)
    }

    /// Lets the key join from now on.
    pub(in crate::server) fn add_member(&self, key: Fingerprint, ip: IpAddr, name: &str) {
        self.act(|chat, now, out| chat.add_member(key, ip, name, now, out));
    }

    /// What the session may read, and the latest message's number; `None`: the session is gone.
    pub(in crate::server) fn view(&self, id: SessionId) -> Option<(View, u64)> {
        self.lock().chat.view(id)
    }

    /// Whether the server stores messages, so that their numbers are never reused.
    pub(in crate::server) fn keeps_messages(&self) -> bool {
        self.lock().chat.keeps_messages()
    }

    pub(in crate::server) fn latest(&self) -> u64 {
        self.lock().chat.latest()
    }

    /// Schedules a session's cutover: it gets the messages after this number, then follows the lobby. The receiver resolves
    /// when that is written, with the remainder if there is one. `None`: the session or the server is gone.
    pub(in crate::server) fn cutover(
        &self,
        id: SessionId,
        after: u64,
        summary: Option<CatchUpSummary>,
    ) -> Option<oneshot::Receiver<Option<Remainder>>> {
        if self.is_closed() {
            return None;
        }
        let (sender, written) = oneshot::channel();
        let mut state = self.lock();
        let (view, upto) = state.chat.view(id)?;
        let after = after.min(upto);
        let cutover = Cutover {
            view,
            after,
            upto,
            summary,
            frames: Vec::new(),
            remainder: None,
            written: Some(sender),
        };
        state.batch.step(id, StepKind::Cutover(Box::new(cutover)));
        drop(state);
        self.batch_ready.notify_one();
        Some(written)
    }

    /// Its mail was written to a client that acknowledges nothing.
    pub(in crate::server) fn caught_up(&self, id: SessionId) {
        self.act(|chat, now, out| chat.caught_up(id, now, out));
    }

    /// Mail has reached its recipients.
    pub(in crate::server) fn arrived(&self, arrivals: Vec<Arrival>) {
        self.act(|chat, now, out| chat.arrived(arrivals, now, out));
    }

    /// Mail was removed because of its age.
    pub(in crate::server) fn expired(&self, expired: Vec<Expired>) {
        if !expired.is_empty() {
            self.act(|chat, now, out| chat.expired(expired, now, out));
        }
    }

    /// Whether there is no more room for mail.
    pub(in crate::server) fn set_mail_full(&self, is_full: bool) {
        self.lock().chat.set_mail_full(is_full);
    }

    /// Sets why the machine's clock is doubtful; `None`: it is right.
    pub(in crate::server) fn doubt_clock(&self, why: Option<Arc<str>>) {
        self.act(|chat, _, out| chat.doubt_clock(why, out));
    }

    /// Dates bans and mutes from times when the clock was wrong. Called at the start.
    pub(in crate::server) fn date_sanctions(&self) {
        self.act(|chat, now, out| chat.date_sanctions(now, out));
    }

    /// These messages do not wait as mail.
    pub(in crate::server) fn not_waiting(&self, waited: &[Waited]) {
        if !waited.is_empty() {
            self.lock().chat.not_waiting(waited);
        }
    }

    /// Sets why the store fails; `None`: it works. `stored`: the latest number that is stored.
    pub(in crate::server) fn set_keeping(&self, failure: Option<&str>, stored: u64) {
        self.act(|chat, now, out| chat.set_keeping(failure, stored, now, out));
    }

    /// These messages were sent but not stored.
    pub(in crate::server) fn not_stored<'m>(&self, messages: impl Iterator<Item = &'m Message>) {
        self.lock().chat.not_stored(messages);
    }

    /// The latest messages that are missing from the store since it failed.
    pub(in crate::server) fn lacks(&self) -> Option<Lack> {
        self.lock().chat.lacks()
    }

    /// Why messages are not stored, and the remedy; `None`: they are.
    pub(in crate::server) fn failure(&self) -> Option<String> {
        self.lock().chat.failure().map(str::to_owned)
    }
}
