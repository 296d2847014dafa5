//! Stores the turns of a chat that several servers share.
//!
//! A turn is stored as a whole, or the server waits: what it has written to its people must be in its database, as in
//! that of all others.

use super::{Persister, close_cutovers, learn, waited, without};
use crate::cluster::Ledger;
use crate::limits::MEND_EVERY;
use crate::server::flusher::Flusher;
use crate::server::output_batch::OutputBatch;
use crate::store::{CommitOutcome, ReplicaState, Store, StoreError, ViewRange, WriteBatch};
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

impl Persister {
    /// The latest message's number that the store has.
    pub(in crate::server) fn latest(&self) -> u64 {
        self.seq.unwrap_or_default()
    }

    /// Stores a turn, and corrects it accordingly. `false`: the server ends first.
    pub(in crate::server) async fn persist_turn(
        &mut self,
        batch: &mut OutputBatch,
        ledger: &Ledger,
        flusher: &mut Flusher,
    ) -> bool {
        let Some(store) = self.store.clone() else { return false };
        let cutovers: Vec<ViewRange> = batch.cutovers().map(|cutover| cutover.span()).collect();
        let entries = std::mem::take(&mut batch.entries);
        let (keys, position) = (self.dedup.keys(&entries), ledger.position);
        let mut repeats = self.dedup.known(&keys);
        let waited = waited(&entries);
        let entries = without(entries, &repeats);
        // Memory takes everything, and each part can be serialised.
        let ledger = rmp_serde::to_vec(ledger).ok();
        let commit = Arc::new(WriteBatch { entries, seq: batch.seq, cutovers, ledger });
        let Some(outcome) = self.commit_turn(&store, &commit, flusher).await else { return false };
        let CommitOutcome { duplicates, cutovers, arrivals } = outcome;
        self.seq = Some(batch.seq);
        self.hub.turn_stored(position);
        learn(&mut repeats, duplicates);
        self.note(&commit.entries, &keys, &mut repeats);
        self.tell(batch, &repeats, waited);
        close_cutovers(batch, Some(cutovers));
        if !arrivals.is_empty() {
            self.hub.act(|chat, now, out| chat.arrived(arrivals, now, out));
        }
        true
    }

    /// Tries until it is stored. While it waits, it writes to people what needs no store, such as why they have to
    /// wait. `None`: the server ends first.
    async fn commit_turn(
        &mut self,
        store: &Store,
        commit: &Arc<WriteBatch>,
        flusher: &mut Flusher,
    ) -> Option<CommitOutcome> {
        loop {
            match store.commit(Arc::clone(commit)).await {
                Ok(outcome) => {
                    self.note_failure(None);
                    return Some(outcome);
                }
                Err(error) => self.note_failure(Some(error)),
            }
            let again = Instant::now() + MEND_EVERY;
            while Instant::now() < again {
                while let Some(local) = self.hub.next_local() {
                    flusher.flush(local).await;
                }
                tokio::select! {
                    () = sleep_until(again) => {}
                    () = self.hub.batch_ready() => {}
                    () = self.hub.closed() => return None,
                }
            }
            // The next attempt tells how that went.
            let _ = store.mend().await;
        }
    }

    /// The state from which the rules start; `None`: it cannot be read, so another server should lead.
    pub(in crate::server) async fn shared_state(&mut self) -> Option<ReplicaState> {
        let state = self.store.as_ref()?.shared_state().await;
        state.inspect_err(|error| self.note_failure(Some(error.clone()))).ok()
    }

    /// Takes part in the chat only while the store works, and tells the log of a change.
    fn note_failure(&mut self, error: Option<StoreError>) {
        if self.told == error {
            return;
        }
        match &error {
            None => tracing::info!(event = "storing_again", "storing what the servers' log says again"),
            Some(error) => tracing::error!(
                event = "storing_fails",
                "this server takes no part in the chat until it can store what the servers' log says: {error}"
            ),
        }
        self.hub.set_failing(error.is_some());
        self.told = error;
    }
}
