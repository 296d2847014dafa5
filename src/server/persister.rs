//! Has the store commit a batch before any of it is sent to clients.
//!
//! The batch is the group of a group commit: under load, many messages share one transaction and one disk sync,
//! without a timer. So a message that anyone has seen, or that has a receipt, is on the disk.
//!
//! While the store fails, messages are still sent, with receipts that say so; everything else waits
//! ([`deferred`](super::deferred)) until the store works again. Repeats of a message are recognised by the
//! store, and by a cache of messages that the store does not have.

mod turns;

use super::dedup_cache::{DedupCache, Repeat, RepeatKey};
use super::deferred::Deferred;
use super::hub::Hub;
use super::output_batch::OutputBatch;
use crate::chat::{Chat, Entry, Lack, Message, Waited, no_such_message};
use crate::limits::{CUTOVER_BYTES, CUTOVER_MESSAGES, MEND_EVERY};
use crate::protocol::packet::stamp;
use crate::store::{CommitOutcome, Duplicate, Page, Store, StoreError, ViewRange, WriteBatch};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

#[derive(Debug)]
pub(super) struct Persister {
    hub: Arc<Hub>,
    store: Option<Store>,
    /// The latest number that the store has recorded; `None`: the server stores no messages, and so no numbers.
    seq: Option<u64>,
    failing: Option<Failing>,
    /// Why a server that shares its chat can store nothing, as the log was told.
    told: Option<StoreError>,
    dedup: DedupCache,
}

#[derive(Debug)]
struct Failing {
    since: Timestamp,
    error: StoreError,
    next_try: Instant,
    deferred: Deferred,
    /// The missing messages that the store has recorded.
    lacks: Option<Lack>,
}

impl Persister {
    pub(super) fn new(hub: Arc<Hub>, store: Option<Store>) -> Self {
        let seq = hub.read(|chat| chat.keeps_messages().then(|| chat.latest()));
        Self { hub, store, seq, failing: None, told: None, dedup: DedupCache::default() }
    }

    /// Whether the batch may be sent after [`Self::pass`], without the store. Not if it has cutovers.
    pub(super) fn needs_no_store(&self, batch: &OutputBatch) -> bool {
        self.failing.is_none() && !self.must_record(batch)
    }

    fn must_record(&self, batch: &OutputBatch) -> bool {
        match self.seq {
            // A number without a readable message must be recorded too, so that it is never reused.
            Some(seq) => batch.seq > seq || !batch.entries.is_empty(),
            None => self.store.is_some() && !batch.entries.iter().all(is_message),
        }
    }

    /// Cuts repeats out of a batch that [needs no store](Self::needs_no_store).
    pub(super) fn pass(&mut self, batch: &mut OutputBatch) {
        if batch.entries.is_empty() {
            return;
        }
        let entries = std::mem::take(&mut batch.entries);
        let keys = self.dedup.keys(&entries);
        let mut repeats = self.dedup.known(&keys);
        self.note(&entries, &keys, &mut repeats);
        self.tell(batch, &repeats, waited(&entries));
    }

    /// Stores the batch's entries and corrects the batch accordingly. Afterwards, the batch may be sent.
    pub(super) async fn persist(&mut self, batch: &mut OutputBatch) {
        let spans: Vec<ViewRange> = batch.cutovers().map(|cutover| cutover.span()).collect();
        self.note_lack().await;
        if spans.is_empty() && !self.must_record(batch) {
            return self.pass(batch);
        }
        let entries = std::mem::take(&mut batch.entries);
        let keys = self.dedup.keys(&entries);
        let mut repeats = self.dedup.known(&keys);
        let waited = waited(&entries);
        let entries = without(entries, &repeats);
        let commit = Arc::new(WriteBatch {
            entries,
            seq: self.seq.map_or(0, |_| batch.seq),
            cutovers: spans.clone(),
            ledger: None,
        });
        let committed = match (self.store.as_ref(), &self.failing) {
            (None, _) => None,
            (Some(_), Some(_)) => Some(Err(None)),
            (Some(store), None) => Some(store.commit(Arc::clone(&commit)).await.map_err(Some)),
        };
        let (pages, arrivals) = match committed {
            None => (None, Vec::new()),
            Some(Ok(CommitOutcome { duplicates, cutovers, arrivals })) => {
                self.seq = self.seq.map(|_| batch.seq);
                learn(&mut repeats, duplicates);
                (Some(cutovers), arrivals)
            }
            Some(Err(error)) => {
                error.iter().for_each(|error| self.fails(error));
                self.defer(&commit.entries);
                batch.not_kept(|entry| matches!(commit.entries[entry], Entry::Message(_)));
                // An earlier copy may be stored, and may be readable.
                learn(&mut repeats, self.look(&commit).await);
                self.hub.act(|chat, _, _| chat.not_stored(unstored(&commit.entries, &repeats)));
                self.note_lack().await;
                (self.read_on(spans).await, Vec::new())
            }
        };
        self.note(&commit.entries, &keys, &mut repeats);
        self.tell(batch, &repeats, waited);
        close_cutovers(batch, pages);
        if !arrivals.is_empty() {
            self.hub.act(|chat, now, out| chat.arrived(arrivals, now, out));
        }
    }

    /// Has the store record that messages are missing from it, before anyone sees those.
    async fn note_lack(&mut self) {
        let (Some(store), Some(failing)) =
            (self.store.as_ref().filter(|_| self.seq.is_some()), &mut self.failing)
        else {
            return;
        };
        let lacks = self.hub.read(Chat::lacks);
        if lacks == failing.lacks {
            return;
        }
        failing.lacks = lacks;
        if let Some(lacks) = lacks
            && let Err(error) = store.lacks(lacks).await
        {
            tracing::debug!(event = "lack_not_recorded", %error, "cannot record what is not stored");
        }
    }

    /// Resolves when it is time to try the store again, or when the store reports an error. Borrows nothing, so
    /// that others may use the persister while it waits.
    pub(super) fn next_retry(&self) -> impl Future<Output = Option<StoreError>> + use<> {
        let (next, store) = (self.failing.as_ref().map(|failing| failing.next_try), self.store.clone());
        async move {
            match (next, store) {
                (Some(next), _) => {
                    sleep_until(next).await;
                    None
                }
                (None, Some(store)) => Some(store.problem().await),
                (None, None) => std::future::pending().await,
            }
        }
    }

    /// Tries the store again, or records the error that it reported.
    pub(super) async fn retry(&mut self, found: Option<StoreError>) {
        if let Some(error) = found {
            return self.fails(&error);
        }
        let (Some(store), Some(failing)) = (&self.store, &mut self.failing) else { return };
        failing.next_try = Instant::now() + MEND_EVERY;
        if let Err(error) = store.mend().await {
            if error != failing.error {
                tracing::error!(event = "storing_fails", "still not storing messages: {error}");
                set_failure(&self.hub, Some(&error), self.seq.unwrap_or_default());
                failing.error = error;
            }
            return;
        }
        let entries = failing.deferred.entries();
        let seq = self.seq.map_or(0, |_| self.hub.read(Chat::latest));
        match store.commit(WriteBatch { entries, seq, ..WriteBatch::default() }).await {
            Ok(outcome) => {
                tracing::info!(
                    event = "storing_again",
                    "storing messages again; those since {:.0} were not stored",
                    failing.since
                );
                let lost = failing.deferred.lost;
                if lost > 0 {
                    tracing::error!(
                        event = "changes_lost",
                        "lost {lost} changes of rooms, mail, names and members while the store failed"
                    );
                }
                self.failing = None;
                set_failure(&self.hub, None, seq);
                self.hub.act(|chat, now, out| chat.arrived(outcome.arrivals, now, out));
            }
            Err(error) => tracing::debug!(event = "storing_fails", %error, "still cannot write the history"),
        }
    }

    /// Writes what is deferred, and closes the store.
    pub(super) async fn close(mut self) {
        let Some(store) = self.store.take() else { return };
        if let Some(failing) = self.failing.take() {
            let seq = self.seq.map_or(0, |_| self.hub.read(Chat::latest));
            let batch = WriteBatch { entries: failing.deferred.entries(), seq, ..WriteBatch::default() };
            if let Err(error) = store.commit(batch).await {
                tracing::error!(event = "changes_lost", "lost {}: {error}", failing.deferred.described());
            }
        }
        store.close().await;
    }

    /// Reads the cutovers' messages without a commit; `None`: the store cannot be read.
    async fn read_on(&self, spans: Vec<ViewRange>) -> Option<Vec<Page>> {
        let mut pages = Vec::new();
        for span in spans {
            pages.push(self.store.as_ref()?.page(span, CUTOVER_MESSAGES, CUTOVER_BYTES).await.ok()?);
        }
        Some(pages)
    }

    /// The batch's messages that are already stored.
    async fn look(&self, batch: &Arc<WriteBatch>) -> Vec<Duplicate> {
        let Some(store) = self.store.as_ref().filter(|_| batch.entries.iter().any(is_message)) else {
            return Vec::new();
        };
        store.known(Arc::clone(batch)).await.unwrap_or_else(|error| {
            tracing::debug!(event = "duplicates_unknown", "cannot look up what is already stored: {error}");
            Vec::new()
        })
    }

    /// Remembers messages that are sent but not stored; adds those that were sent before to `repeats`.
    fn note(&mut self, entries: &[Entry], keys: &[RepeatKey], repeats: &mut Vec<Repeat>) {
        let is_kept = self.store.is_some() && self.failing.is_none();
        for (place, (entry, key)) in entries.iter().zip(keys).enumerate() {
            let (message, seq) = match entry {
                Entry::Message(message) if !is_kept => (message, None),
                Entry::Passed(message) => (message, Some(message.seq).filter(|seq| *seq > 0)),
                _ => continue,
            };
            if repeats.binary_search_by_key(&place, |repeats| repeats.entry).is_ok() {
                continue;
            }
            if let Some(again) = self.dedup.note(place, (message, *key), seq) {
                learn(repeats, [again]);
            }
        }
    }

    /// Cuts repeats out of the batch; their receipts repeat the first ones. Refuses changes of messages that are
    /// gone. Messages that are repeated or not stored do not wait as mail.
    fn tell(&self, batch: &mut OutputBatch, repeats: &[Repeat], mut waited: Vec<(usize, Waited)>) {
        let places: Vec<usize> = repeats.iter().map(|repeats| repeats.entry).collect();
        if self.failing.is_none() {
            waited.retain(|(entry, _)| places.binary_search(entry).is_ok());
        }
        let waited: Vec<Waited> = waited.into_iter().map(|(_, waited)| waited).collect();
        if !waited.is_empty() {
            self.hub.act(|chat, _, _| chat.not_waiting(&waited));
        }
        if places.is_empty() {
            return;
        }
        batch.cut(&places, |place, receipt| {
            let Repeat { seq, at, waits, gone, .. } = repeats[place];
            let refusal = gone.map(no_such_message);
            (receipt.seq, receipt.ts, receipt.stored, receipt.refusal) =
                (seq, stamp(at), seq.is_some(), refusal);
            receipt.waits = receipt.waits.take().filter(|_| waits);
        });
    }

    fn fails(&mut self, error: &StoreError) {
        match self.seq {
            Some(_) => {
                tracing::error!(event = "storing_fails", "sending messages without storing them: {error}")
            }
            None => {
                tracing::error!(
                    event = "storing_fails",
                    "deferring changes of names, operators, members, bans and mutes: {error}"
                )
            }
        }
        self.failing = Some(Failing {
            since: Timestamp::now(),
            error: error.clone(),
            next_try: Instant::now() + MEND_EVERY,
            deferred: Deferred::default(),
            lacks: None,
        });
        set_failure(&self.hub, Some(error), self.seq.unwrap_or_default());
    }

    /// Defers everything but messages, whose senders learn that they are not stored.
    fn defer(&mut self, entries: &[Entry]) {
        let Some(failing) = &mut self.failing else { return };
        entries
            .iter()
            .filter(|entry| !is_message(entry))
            .for_each(|entry| failing.deferred.add(entry.clone()));
    }
}

/// Tells the rules why the store fails, if it does. `stored`: the latest number that is stored.
fn set_failure(hub: &Hub, error: Option<&StoreError>, stored: u64) {
    let error = error.map(StoreError::to_string);
    hub.act(|chat, now, out| chat.set_keeping(error.as_deref(), stored, now, out));
}

/// The mail among the entries, with the index of each.
fn waited(entries: &[Entry]) -> Vec<(usize, Waited)> {
    let places = entries.iter().enumerate().filter_map(|(place, entry)| match entry {
        Entry::Message(message) => Some(message.waited().map(move |waited| (place, waited))),
        _ => None,
    });
    places.flatten().collect()
}

/// Messages that are not stored and are not repeats.
fn unstored<'b>(entries: &'b [Entry], repeats: &'b [Repeat]) -> impl Iterator<Item = &'b Message> {
    let is_new = |place: &usize| repeats.binary_search_by_key(place, |repeats| repeats.entry).is_err();
    entries.iter().enumerate().filter_map(move |(place, entry)| match entry {
        Entry::Message(message) if is_new(&place) => Some(&**message),
        _ => None,
    })
}

fn is_message(entry: &Entry) -> bool {
    matches!(entry, Entry::Message(_) | Entry::Passed(_) | Entry::Refused(_))
}

/// Marks messages as not to be stored if they are repeats of messages that were not stored.
fn without(mut entries: Vec<Entry>, repeats: &[Repeat]) -> Vec<Entry> {
    for Repeat { entry, .. } in repeats {
        if let Entry::Message(message) = &entries[*entry] {
            entries[*entry] = Entry::Passed(message.clone());
        }
    }
    entries
}

/// Adds repeats, in the order of entries. If an entry occurs twice, the first counts.
fn learn(repeats: &mut Vec<Repeat>, more: impl IntoIterator<Item = impl Into<Repeat>>) {
    repeats.extend(more.into_iter().map(Into::into));
    repeats.sort_by_key(|repeats| repeats.entry);
    repeats.dedup_by_key(|repeats| repeats.entry);
}

fn close_cutovers(batch: &mut OutputBatch, pages: Option<Vec<Page>>) {
    let mut pages = pages.into_iter().flatten();
    for cutover in batch.cutovers() {
        cutover.close(pages.next());
    }
}

#[cfg(test)]
mod tests {
    use super::super::hub::Incoming;
    use super::super::reactor_inbox::ReactorInbox;
    use super::*;
    use crate::chat::{Deliveries, Delivery, Now, Parsed, Peer, Profile, Rules, SessionId};
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
            web: false,
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
    async fn messages_that_are_not_stored_take_no_place_in_a_mailbox() {
        let dir = tempfile::tempdir().unwrap();
        let (store, archive) = Store::open(&dir.path().join("history.db"), Retention::default()).unwrap();
        let rules = Rules { rate: None, ..Rules::default() };
        let mut chat = Chat::new(Profile::default(), rules, archive);
        enter(&mut chat, 1, "alice");
        enter(&mut chat, 2, "bob");
        chat.disconnect(SessionId(2), &now(), &mut Vec::new());
        let message = || packet(r#"{"to":"bob","msg":"x"}"#);
        let mut out = Vec::new();
        for _ in 0..2 * MAX_WAITING_OF_AUTHOR_FOR_ONE {
            chat.receive(SessionId(1), Parsed::new(Box::new(message()), false), &now(), &mut out);
        }
        let entries = entries(out);
        assert_eq!(entries.len(), MAX_WAITING_OF_AUTHOR_FOR_ONE as usize, "the mailbox is full for alice");
        let (inbox, _poll) =
            ReactorInbox::open(DEFAULT_BACKLOG_BYTES, super::super::memory::Budget::new(None)).unwrap();
        let hub = Hub::new(
            (chat, tokio::sync::mpsc::unbounded_channel().0, super::super::journal::ServerJournal::silent()),
            None,
            REGISTRATION_TIMEOUT,
            usize::MAX,
            inbox,
            Arc::default(),
            None,
        );
        store.clone().close().await;
        let mut persister = Persister::new(Arc::clone(&hub), Some(store));
        let mut batch = OutputBatch::default();
        entries.into_iter().for_each(|entry| _ = batch.keep(entry));
        persister.persist(&mut batch).await;
        assert!(persister.failing.is_some());
        hub.act(|chat, now, out| chat.set_keeping(None, 0, now, out));
        hub.receive(SessionId(1), &mut [Incoming::Packet(Box::new(message()))].into());
        let next = hub.take_batch(&mut Vec::new(), |_| true).unwrap();
        assert!(next.entries.iter().any(is_message), "there is room again");
    }
}
