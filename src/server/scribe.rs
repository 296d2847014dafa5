//! What of a turn is to be kept goes to the store before anybody is written anything of the turn.
//!
//! The turn is the group of the group commit: under load many messages share one transaction and one
//! sync of the disk, with no timer. A message that is shown to anybody, or has a receipt, is on the
//! disk; one that a crash swallows was seen by nobody.
//!
//! While the store fails, messages are passed on all the same and their senders told that they are not
//! kept; what else was to be kept waits here for the store to work again.

use super::hub::Hub;
use super::turn::Turn;
use crate::chat::{Entry, Waited};
use crate::limits::{MAX_DEFERRED, MEND_EVERY, SEAM_BYTES, SEAM_MESSAGES};
use crate::protocol::packet::stamp;
use crate::store::{Batch, Outcome, Page, Span, Store, StoreError};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// See the module.
#[derive(Debug)]
pub(super) struct Scribe {
    hub: Arc<Hub>,
    store: Option<Store>,
    /// The latest number that the store knows to be given.
    seq: u64,
    failing: Option<Failing>,
}

#[derive(Debug)]
struct Failing {
    since: Timestamp,
    error: StoreError,
    next_try: Instant,
    deferred: VecDeque<Entry>,
    /// Of those that were too many.
    lost: usize,
}

impl Scribe {
    pub(super) fn new(hub: Arc<Hub>, store: Option<Store>) -> Self {
        let seq = hub.latest();
        Self { hub, store, seq, failing: None }
    }

    /// Has the turn's entries kept, and does what follows from it. When it returns, the turn may be
    /// written.
    pub(super) async fn settle(&mut self, turn: &mut Turn) {
        let spans: Vec<Span> = turn.seams().map(|seam| seam.span()).collect();
        // A number whose message nobody can ask for is given too, and so never again.
        if turn.entries.is_empty() && spans.is_empty() && turn.seq <= self.seq {
            return;
        }
        let entries = std::mem::take(&mut turn.entries);
        let Some(store) = self.store.clone() else { return close_seams(turn, None) };
        let waited = waited(&entries);
        if self.failing.is_some() {
            turn.not_kept();
            self.none_waits(waited);
            self.defer(entries);
            let read = read_on(&store, spans).await;
            return close_seams(turn, read);
        }
        // Copied, as they are few and must not be lost; messages are many, and their senders are told.
        let others: Vec<Entry> = entries.iter().filter(|entry| !is_message(entry)).cloned().collect();
        let batch = Batch { entries, seq: turn.seq, seams: spans.clone() };
        match store.commit(batch).await {
            Ok(outcome) => {
                self.seq = turn.seq;
                self.kept(turn, outcome, waited);
            }
            Err(error) => {
                self.fails(&error);
                self.none_waits(waited);
                self.defer(others);
                turn.not_kept();
                let read = read_on(&store, spans).await;
                close_seams(turn, read);
            }
        }
    }

    /// Waits until the store should be tried again, or is found to fail, which is returned; for ever if it
    /// works.
    pub(super) async fn due(&self) -> Option<StoreError> {
        match (&self.failing, &self.store) {
            (Some(failing), _) => {
                sleep_until(failing.next_try).await;
                None
            }
            (None, Some(store)) => Some(store.hurt().await),
            (None, None) => std::future::pending().await,
        }
    }

    /// Tries the store again, or begins to do so if it was found to fail.
    pub(super) async fn mend(&mut self, found: Option<StoreError>) {
        if let Some(error) = found {
            return self.fails(&error);
        }
        let (Some(store), Some(failing)) = (&self.store, &mut self.failing) else { return };
        failing.next_try = Instant::now() + MEND_EVERY;
        if let Err(error) = store.mend().await {
            if error != failing.error {
                tracing::error!("messages are still not kept: {error}");
                self.hub.set_keeping(Some(&error.to_string()));
                failing.error = error;
            }
            return;
        }
        let entries = failing.deferred.iter().cloned().collect();
        let seq = self.hub.latest();
        match store.commit(Batch { entries, seq, seams: Vec::new() }).await {
            Ok(outcome) => {
                tracing::info!("the history is written again; nothing is in it since {}", failing.since);
                if failing.lost > 0 {
                    tracing::error!("{} changes of rooms and mail were lost meanwhile", failing.lost);
                }
                self.failing = None;
                self.hub.set_keeping(None);
                self.hub.arrived(outcome.arrivals);
            }
            Err(error) => tracing::debug!(%error, "the history can't be written yet"),
        }
    }

    /// Writes what is left, and closes the store.
    pub(super) async fn close(mut self) {
        let Some(store) = self.store.take() else { return };
        if let Some(failing) = self.failing.take() {
            let batch = Batch { entries: failing.deferred.into(), seq: self.hub.latest(), seams: Vec::new() };
            if let Err(error) = store.commit(batch).await {
                tracing::error!("changes of rooms and mail are lost: {error}");
            }
        }
        store.close().await;
    }

    fn none_waits(&self, waited: Vec<(usize, Waited)>) {
        let waited: Vec<Waited> = waited.into_iter().map(|(_, waited)| waited).collect();
        self.hub.not_waiting(&waited);
    }

    fn kept(&self, turn: &mut Turn, outcome: Outcome, mut waited: Vec<(usize, Waited)>) {
        let Outcome { mut duplicates, seams, arrivals } = outcome;
        duplicates.sort_unstable_by_key(|duplicate| duplicate.entry);
        let known: Vec<usize> = duplicates.iter().map(|duplicate| duplicate.entry).collect();
        if !known.is_empty() {
            waited.retain(|(entry, _)| known.binary_search(entry).is_ok());
            self.none_waits(waited);
            turn.cut(&known, |place, receipt| {
                let duplicate = &duplicates[place];
                receipt.seq = Some(duplicate.seq);
                receipt.ts = stamp(duplicate.at);
                receipt.waits = receipt.waits.take().filter(|_| duplicate.waits);
            });
        }
        close_seams(turn, Some(seams));
        if !arrivals.is_empty() {
            self.hub.arrived(arrivals);
        }
    }

    fn fails(&mut self, error: &StoreError) {
        tracing::error!("messages are passed on but not kept: {error}");
        self.failing = Some(Failing {
            since: Timestamp::now(),
            error: error.clone(),
            next_try: Instant::now() + MEND_EVERY,
            deferred: VecDeque::new(),
            lost: 0,
        });
        self.hub.set_keeping(Some(&error.to_string()));
    }

    fn defer(&mut self, entries: Vec<Entry>) {
        let Some(failing) = &mut self.failing else { return };
        failing.deferred.extend(entries.into_iter().filter(|entry| !is_message(entry)));
        while failing.deferred.len() > MAX_DEFERRED {
            failing.deferred.pop_front();
            failing.lost += 1;
        }
    }
}

/// What of the messages was counted as waiting, and the place of each: few do.
fn waited(entries: &[Entry]) -> Vec<(usize, Waited)> {
    let places = entries.iter().enumerate().filter_map(|(place, entry)| match entry {
        Entry::Message(message) => Some(message.waited().map(move |waited| (place, waited))),
        _ => None,
    });
    places.flatten().collect()
}

fn is_message(entry: &Entry) -> bool {
    matches!(entry, Entry::Message(_))
}

/// What the seams are to be given, when there is no commit to read it with; `None`: it can't be read.
async fn read_on(store: &Store, spans: Vec<Span>) -> Option<Vec<Page>> {
    let mut pages = Vec::new();
    for span in spans {
        pages.push(store.page(span, SEAM_MESSAGES, SEAM_BYTES).await.ok()?);
    }
    Some(pages)
}

/// Puts what was missed into its place.
fn close_seams(turn: &mut Turn, pages: Option<Vec<Page>>) {
    let mut pages = pages.into_iter().flatten();
    for seam in turn.seams() {
        seam.close(pages.next());
    }
}

#[cfg(test)]
mod tests {
    use super::super::desk::Desk;
    use super::super::hub::Incoming;
    use super::*;
    use crate::chat::{Chat, Deliveries, Delivery, Now, Parsed, Peer, Profile, Records, Rules, SessionId};
    use crate::fingerprint::Fingerprint;
    use crate::limits::{DEFAULT_BACKLOG_BYTES, MAX_WAITING_OF_AUTHOR_FOR_ONE, REGISTRATION_TIMEOUT};
    use crate::protocol::request::ClientPacket;
    use crate::store::Keep;

    fn now() -> Now {
        Now { clock: jiff::Zoned::now(), ..Now::default() }
    }

    fn packet(json: &str) -> ClientPacket {
        ClientPacket::parse(json.as_bytes()).unwrap()
    }

    fn enter(chat: &mut Chat, number: u8, name: &str) {
        let peer = Peer {
            ip: [10, 0, 0, number].into(),
            key: Some(Fingerprint::new([number; 32])),
            encrypted: true,
            local: false,
        };
        let id = SessionId(number.into());
        chat.connect(id, peer);
        let hello = packet(&format!(r#"{{"type":"hello","from":{{"name":"{name}"}}}}"#));
        chat.receive(id, Parsed::new(Box::new(hello), true), &now(), &mut Vec::new());
    }

    fn entries(out: Deliveries) -> Vec<Entry> {
        let messages = out.into_iter().filter_map(|delivery| match delivery {
            Delivery::Message { entry, .. } => entry,
            _ => None,
        });
        messages.map(Entry::Message).collect()
    }

    #[tokio::test]
    async fn what_could_not_be_stored_takes_no_place_in_a_mailbox() {
        let dir = tempfile::tempdir().unwrap();
        let (store, archive) = Store::open(&dir.path().join("history.db"), Keep::default()).unwrap();
        let rules = Rules { rate: None, ..Rules::default() };
        let mut chat = Chat::new(Profile::default(), rules, Records::default(), archive);
        enter(&mut chat, 1, "alice");
        enter(&mut chat, 2, "bob");
        chat.disconnect(SessionId(2), &now());
        let message = || packet(r#"{"to":"bob","msg":"x"}"#);
        let mut out = Vec::new();
        for _ in 0..2 * MAX_WAITING_OF_AUTHOR_FOR_ONE {
            chat.receive(SessionId(1), Parsed::new(Box::new(message()), false), &now(), &mut out);
        }
        let entries = entries(out);
        assert_eq!(entries.len(), MAX_WAITING_OF_AUTHOR_FOR_ONE as usize, "the mailbox is full for alice");
        let (desk, _poll) =
            Desk::open(DEFAULT_BACKLOG_BYTES, super::super::memory::Budget::new(None)).unwrap();
        let hub = Hub::new(chat, None, REGISTRATION_TIMEOUT, usize::MAX, desk);
        store.clone().close().await;
        let mut scribe = Scribe::new(Arc::clone(&hub), Some(store));
        let mut turn = Turn::default();
        entries.into_iter().for_each(|entry| _ = turn.keep(entry));
        scribe.settle(&mut turn).await;
        assert!(scribe.failing.is_some());
        hub.set_keeping(None);
        hub.receive(SessionId(1), &mut [Incoming::Packet(Box::new(message()))].into());
        let next = hub.next_turn().await.unwrap();
        assert!(next.entries.iter().any(is_message), "there is room again");
    }
}
