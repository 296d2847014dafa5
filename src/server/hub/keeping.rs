//! What the scribe, those who catch up and guests of a closed server need of the chat.

use super::super::turn::{Mark, Rest, Seam, What};
use super::Hub;
use crate::chat::{Arrival, Expired, Lack, Message, SessionId, View, Waited};
use crate::fingerprint::Fingerprint;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

impl Hub {
    /// Whether the key may come in to a closed server.
    pub(in crate::server) fn is_member(&self, key: &Fingerprint) -> bool {
        self.lock().chat.is_member(key)
    }

    /// The key may come in from now on.
    pub(in crate::server) fn add_member(&self, key: Fingerprint, ip: IpAddr, name: &str) {
        self.act(|chat, now, out| chat.add_member(key, ip, name, now, out));
    }

    /// What the session may be given of what is kept, and the latest number; `None`: it is gone.
    pub(in crate::server) fn view(&self, id: SessionId) -> Option<(View, u64)> {
        self.lock().chat.view(id)
    }

    /// Whether messages are kept, and so have numbers that are never given again.
    pub(in crate::server) fn keeps_messages(&self) -> bool {
        self.lock().chat.keeps_messages()
    }

    /// The latest message's number.
    pub(in crate::server) fn latest(&self) -> u64 {
        self.lock().chat.latest()
    }

    /// From here on the session follows, once it has what it missed after that number. Returns what tells,
    /// when that is written, what was too much for it; `None`: the session or the server is gone.
    pub(in crate::server) fn seam(
        &self,
        id: SessionId,
        after: u64,
        mark: Option<Mark>,
    ) -> Option<oneshot::Receiver<Option<Rest>>> {
        if self.is_closed() {
            return None;
        }
        let (sender, written) = oneshot::channel();
        let mut state = self.lock();
        let (view, upto) = state.chat.view(id)?;
        let after = after.min(upto);
        let seam = Seam { view, after, upto, mark, frames: Vec::new(), rest: None, written: Some(sender) };
        state.turn.step(id, What::Seam(Box::new(seam)));
        drop(state);
        self.turn_ready.notify_one();
        Some(written)
    }

    /// A client that says nothing of what it has got has been written its mail.
    pub(in crate::server) fn caught_up(&self, id: SessionId) {
        self.act(|chat, now, out| chat.caught_up(id, now, out));
    }

    /// Mail that had waited has arrived.
    pub(in crate::server) fn arrived(&self, arrivals: Vec<Arrival>) {
        self.act(|chat, now, out| chat.arrived(arrivals, now, out));
    }

    /// Mail that waited was removed for its age.
    pub(in crate::server) fn expired(&self, expired: Vec<Expired>) {
        if !expired.is_empty() {
            self.act(|chat, now, out| chat.expired(expired, now, out));
        }
    }

    /// Whether mail that waits takes all the room that it may.
    pub(in crate::server) fn set_mail_full(&self, is_full: bool) {
        self.lock().chat.set_mail_full(is_full);
    }

    /// The machine's clock is doubtful, and why; or no longer.
    pub(in crate::server) fn doubt_clock(&self, why: Option<Arc<str>>) {
        self.act(|chat, _, out| chat.doubt_clock(why, out));
    }

    /// Bans and mutes of the times when the clock was wrong are dated. To be called at the start.
    pub(in crate::server) fn date_sanctions(&self) {
        self.act(|chat, now, out| chat.date_sanctions(now, out));
    }

    /// Messages that were to wait for somebody do not.
    pub(in crate::server) fn not_waiting(&self, waited: &[Waited]) {
        if !waited.is_empty() {
            self.lock().chat.not_waiting(waited);
        }
    }

    /// Whether what is to be kept is; `failure`: why it is not. `stored`: the latest number that is stored.
    pub(in crate::server) fn set_keeping(&self, failure: Option<&str>, stored: u64) {
        self.act(|chat, now, out| chat.set_keeping(failure, stored, now, out));
    }

    /// These were passed on and could not be stored.
    pub(in crate::server) fn not_stored<'m>(&self, messages: impl Iterator<Item = &'m Message>) {
        self.lock().chat.not_stored(messages);
    }

    /// The last that was said since the store began to fail, and is stored nowhere.
    pub(in crate::server) fn lacks(&self) -> Option<Lack> {
        self.lock().chat.lacks()
    }

    /// Why nothing is stored, and what to do; `None`: all is well.
    pub(in crate::server) fn failure(&self) -> Option<String> {
        self.lock().chat.failure().map(str::to_owned)
    }
}
