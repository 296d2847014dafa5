//! What of a turn is to be kept goes to the store before anybody is written anything of the turn.
//!
//! The turn is the group of the group commit: under load many messages share one transaction and one
//! sync of the disk, with no timer. A message that is shown to anybody, or has a receipt, is on the
//! disk; one that a crash swallows was seen by nobody.
//!
//! While the store fails, messages are passed on all the same and their senders told that they are not
//! kept; what else was to be kept waits ([`deferred`](super::deferred)) for the store to work again. A message
//! that its author sends again is known here, by the store or by what is remembered of those that it does not
//! have.

use super::deferred::Deferred;
use super::hub::Hub;
use super::passed::{Known, Passed};
use super::turn::Turn;
use crate::chat::{Entry, Lack, Message, Waited};
use crate::limits::{MEND_EVERY, SEAM_BYTES, SEAM_MESSAGES};
use crate::protocol::packet::stamp;
use crate::store::{CommitOutcome, Duplicate, Page, Store, StoreError, ViewRange, WriteBatch};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// See the module.
#[derive(Debug)]
pub(super) struct Scribe {
    hub: Arc<Hub>,
    store: Option<Store>,
    /// The latest number that the store knows to be given; `None`: messages are not kept, and so none is.
    seq: Option<u64>,
    failing: Option<Failing>,
    passed: Passed,
}

#[derive(Debug)]
struct Failing {
    since: Timestamp,
    error: StoreError,
    next_try: Instant,
    deferred: Deferred,
    /// What the store knows of what was said since.
    lacks: Option<Lack>,
}

impl Scribe {
    pub(super) fn new(hub: Arc<Hub>, store: Option<Store>) -> Self {
        let seq = hub.keeps_messages().then(|| hub.latest());
        Self { hub, store, seq, failing: None, passed: Passed::default() }
    }

    /// Has the turn's entries kept, and does what follows from it. When it returns, the turn may be
    /// written.
    pub(super) async fn settle(&mut self, turn: &mut Turn) {
        let spans: Vec<ViewRange> = turn.seams().map(|seam| seam.span()).collect();
        // A number whose message nobody can ask for is given too, and so never again.
        let has_number = self.seq.is_some_and(|seq| turn.seq > seq);
        self.note_lack().await;
        if turn.entries.is_empty() && spans.is_empty() && !has_number {
            return;
        }
        let entries = std::mem::take(&mut turn.entries);
        let mut known = self.passed.known(&entries);
        let waited = waited(&entries);
        let entries = without(entries, &known);
        let batch = WriteBatch { entries, seq: self.seq.map_or(0, |_| turn.seq), seams: spans.clone() };
        let batch = Arc::new(batch);
        // Where messages are not kept there is seldom anything to write.
        let is_read = self.seq.is_some() || batch.entries.iter().any(|entry| !is_message(entry));
        let committed = match (self.store.as_ref().filter(|_| is_read), &self.failing) {
            (None, _) => None,
            (Some(_), Some(_)) => Some(Err(None)),
            (Some(store), None) => Some(store.commit(Arc::clone(&batch)).await.map_err(Some)),
        };
        let (pages, arrivals) = match committed {
            None => (None, Vec::new()),
            Some(Ok(CommitOutcome { duplicates, seams, arrivals })) => {
                self.seq = self.seq.map(|_| turn.seq);
                learn(&mut known, duplicates);
                (Some(seams), arrivals)
            }
            Some(Err(error)) => {
                error.iter().for_each(|error| self.fails(error));
                self.defer(&batch.entries);
                turn.not_kept(|entry| matches!(batch.entries[entry], Entry::Message(_)));
                // It may have been stored before, and can perhaps be read.
                learn(&mut known, self.look(&batch).await);
                self.hub.not_stored(unstored(&batch.entries, &known));
                self.note_lack().await;
                (self.read_on(spans).await, Vec::new())
            }
        };
        self.note(&batch.entries, &mut known);
        self.tell(turn, &known, waited);
        close_seams(turn, pages);
        if !arrivals.is_empty() {
            self.hub.arrived(arrivals);
        }
    }

    /// Has the store note that something is said which is not stored, before anybody is shown it.
    async fn note_lack(&mut self) {
        let (Some(store), Some(failing)) =
            (self.store.as_ref().filter(|_| self.seq.is_some()), &mut self.failing)
        else {
            return;
        };
        let lacks = self.hub.lacks();
        if lacks == failing.lacks {
            return;
        }
        failing.lacks = lacks;
        if let Some(lacks) = lacks
            && let Err(error) = store.lacks(lacks).await
        {
            tracing::debug!(%error, "what is not stored can't be noted");
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
            (None, Some(store)) => Some(store.problem().await),
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
                self.hub.set_keeping(Some(&error.to_string()), self.seq.unwrap_or_default());
                failing.error = error;
            }
            return;
        }
        let entries = failing.deferred.entries();
        let seq = self.seq.map_or(0, |_| self.hub.latest());
        match store.commit(WriteBatch { entries, seq, seams: Vec::new() }).await {
            Ok(outcome) => {
                tracing::info!("the history is written again; nothing is in it since {:.0}", failing.since);
                let lost = failing.deferred.lost();
                if lost > 0 {
                    tracing::error!("{lost} changes of rooms, mail, names and members were lost meanwhile");
                }
                self.failing = None;
                self.hub.set_keeping(None, seq);
                self.hub.arrived(outcome.arrivals);
            }
            Err(error) => tracing::debug!(%error, "the history can't be written yet"),
        }
    }

    /// Writes what is left, and closes the store.
    pub(super) async fn close(mut self) {
        let Some(store) = self.store.take() else { return };
        if let Some(failing) = self.failing.take() {
            let seq = self.seq.map_or(0, |_| self.hub.latest());
            let batch = WriteBatch { entries: failing.deferred.entries(), seq, seams: Vec::new() };
            if let Err(error) = store.commit(batch).await {
                tracing::error!("{}, are lost: {error}", failing.deferred.described());
            }
        }
        store.close().await;
    }

    /// What the seams are to be given, when there is no commit to read it with; `None`: it can't be read.
    async fn read_on(&self, spans: Vec<ViewRange>) -> Option<Vec<Page>> {
        let mut pages = Vec::new();
        for span in spans {
            pages.push(self.store.as_ref()?.page(span, SEAM_MESSAGES, SEAM_BYTES).await.ok()?);
        }
        Some(pages)
    }

    /// Which of a batch's messages are stored already.
    async fn look(&self, batch: &Arc<WriteBatch>) -> Vec<Duplicate> {
        let Some(store) = self.store.as_ref().filter(|_| batch.entries.iter().any(is_message)) else {
            return Vec::new();
        };
        store.known(Arc::clone(batch)).await.unwrap_or_else(|error| {
            tracing::debug!("what is stored already can't be read: {error}");
            Vec::new()
        })
    }

    /// Remembers what is passed on and not stored. If that was before, it is known.
    fn note(&mut self, entries: &[Entry], known: &mut Vec<Known>) {
        let is_kept = self.store.is_some() && self.failing.is_none();
        for (place, entry) in entries.iter().enumerate() {
            let (message, seq) = match entry {
                Entry::Message(message) if !is_kept => (message, None),
                Entry::Passed(message) => (message, Some(message.seq).filter(|seq| *seq > 0)),
                _ => continue,
            };
            if known.binary_search_by_key(&place, |known| known.entry).is_ok() {
                continue;
            }
            if let Some(again) = self.passed.note(place, message, seq) {
                learn(known, [again]);
            }
        }
    }

    /// What is known goes to nobody again, and its author is told what the first receipt said. Nor does it wait;
    /// and nothing does that is not stored.
    fn tell(&self, turn: &mut Turn, known: &[Known], mut waited: Vec<(usize, Waited)>) {
        let places: Vec<usize> = known.iter().map(|known| known.entry).collect();
        if self.failing.is_none() {
            waited.retain(|(entry, _)| places.binary_search(entry).is_ok());
        }
        let waited: Vec<Waited> = waited.into_iter().map(|(_, waited)| waited).collect();
        self.hub.not_waiting(&waited);
        if places.is_empty() {
            return;
        }
        turn.cut(&places, |place, receipt| {
            let Known { seq, at, waits, .. } = known[place];
            (receipt.seq, receipt.ts, receipt.stored, receipt.refusal) =
                (seq, stamp(at), seq.is_some(), None);
            receipt.waits = receipt.waits.take().filter(|_| waits);
        });
    }

    fn fails(&mut self, error: &StoreError) {
        match self.seq {
            Some(_) => tracing::error!("messages are passed on but not kept: {error}"),
            None => tracing::error!("changes of names, operators, members, bans and mutes wait: {error}"),
        }
        self.failing = Some(Failing {
            since: Timestamp::now(),
            error: error.clone(),
            next_try: Instant::now() + MEND_EVERY,
            deferred: Deferred::default(),
            lacks: None,
        });
        self.hub.set_keeping(Some(&error.to_string()), self.seq.unwrap_or_default());
    }

    /// Messages are not kept, and their senders are told; what else there is must not be lost.
    fn defer(&mut self, entries: &[Entry]) {
        let Some(failing) = &mut self.failing else { return };
        entries
            .iter()
            .filter(|entry| !is_message(entry))
            .for_each(|entry| failing.deferred.add(entry.clone()));
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

/// Messages that were to be stored and are not, nor were before.
fn unstored<'b>(entries: &'b [Entry], known: &'b [Known]) -> impl Iterator<Item = &'b Message> {
    let is_new = |place: &usize| known.binary_search_by_key(place, |known| known.entry).is_err();
    entries.iter().enumerate().filter_map(move |(place, entry)| match entry {
        Entry::Message(message) if is_new(&place) => Some(&**message),
        _ => None,
    })
}

fn is_message(entry: &Entry) -> bool {
    matches!(entry, Entry::Message(_) | Entry::Passed(_) | Entry::Refused(_))
}

/// The entries, of which those messages are not to be stored that were passed on unstored.
fn without(mut entries: Vec<Entry>, known: &[Known]) -> Vec<Entry> {
    for Known { entry, .. } in known {
        if let Entry::Message(message) = &entries[*entry] {
            entries[*entry] = Entry::Passed(message.clone());
        }
    }
    entries
}

/// Adds to what is known; of each entry what was known first counts. In the order of the entries.
fn learn(known: &mut Vec<Known>, more: impl IntoIterator<Item = impl Into<Known>>) {
    known.extend(more.into_iter().map(Into::into));
    known.sort_by_key(|known| known.entry);
    known.dedup_by_key(|known| known.entry);
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
    use crate::chat::{Chat, Deliveries, Delivery, Now, Parsed, Peer, Profile, Rules, SessionId};
    use crate::fingerprint::Fingerprint;
    use crate::limits::{DEFAULT_BACKLOG_BYTES, MAX_WAITING_OF_AUTHOR_FOR_ONE, REGISTRATION_TIMEOUT};
    use crate::protocol::request::ClientPacket;
    use crate::store::Retention;

    fn now() -> Now {
        Now::new(jiff::ZonedDateTime::now(), std::time::Duration::ZERO)
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
        messages.collect()
    }

    #[tokio::test]
    async fn what_could_not_be_stored_takes_no_place_in_a_mailbox() {
        let dir = tempfile::tempdir().unwrap();
        let (store, archive) = Store::open(&dir.path().join("history.db"), Retention::default()).unwrap();
        let rules = Rules { rate: None, ..Rules::default() };
        let mut chat = Chat::new(Profile::default(), rules, archive);
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
        hub.set_keeping(None, 0);
        hub.receive(SessionId(1), &mut [Incoming::Packet(Box::new(message()))].into());
        let next = hub.next_turn().await.unwrap();
        assert!(next.entries.iter().any(is_message), "there is room again");
    }
}
