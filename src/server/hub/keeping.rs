//! What the scribe and those who catch up need of the chat.

use super::super::turn::{Mark, Rest, Seam, What};
use super::Hub;
use crate::chat::{Arrival, SessionId, View, Waited};
use tokio::sync::oneshot;

impl Hub {
    /// What the session may be given of what is kept, and the latest number; `None`: it is gone.
    pub(in crate::server) fn view(&self, id: SessionId) -> Option<(View, u64)> {
        self.lock().chat.view(id)
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

    /// Messages that were to wait for somebody do not.
    pub(in crate::server) fn not_waiting(&self, waited: &[Waited]) {
        if !waited.is_empty() {
            self.lock().chat.not_waiting(waited);
        }
    }

    /// Whether what is to be kept is; `failure`: why it is not.
    pub(in crate::server) fn set_keeping(&self, failure: Option<&str>) {
        self.act(|chat, now, out| chat.set_keeping(failure, now, out));
    }
}
