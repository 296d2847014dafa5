//! The server's own numbers, collected from those who count: the one place from which the console, operators
//! and metrics have them.
//!
//! Costs the chat one short look under the hub's lock, however many people are here.

use super::handshaker::Handshaker;
use super::hub::Hub;
use super::journal::ServerJournal;
use super::listener::Admission;
use super::node_report::NodeReport;
use super::transfer::TransferCounts;
use crate::chat::Chat;
use crate::files;
use crate::limits::COUNTING_PERCENT;
use crate::protocol::ServerNumbers;
use crate::store::{self, Store};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Vitals(Arc<VitalsSources>);

#[derive(Debug)]
pub(super) struct VitalsSources {
    pub(super) hub: Arc<Hub>,
    pub(super) handshaker: Arc<Handshaker>,
    pub(super) admission: Admission,
    pub(super) transfers: Arc<TransferCounts>,
    pub(super) journal: Arc<ServerJournal>,
    /// The database and its file, if it keeps messages.
    pub(super) history: Option<(Store, PathBuf)>,
    /// The last count of the stored messages. Held while counting, so that many readers count once.
    pub(super) counted: LastCount,
}

pub(super) type LastCount = Arc<tokio::sync::Mutex<Option<CountedMessages>>>;

#[derive(Debug, Clone, Copy)]
pub(super) struct CountedMessages {
    count: u64,
    /// Good until then: the longer it took, the longer.
    until: Instant,
}

/// The numbers of a server that shares its chat with others.
fn with_report(numbers: ServerNumbers, report: NodeReport) -> ServerNumbers {
    ServerNumbers {
        // The rules of another server may have them.
        users: report.present,
        connections: report.connections,
        storing: numbers.storing && report.storing,
        node: Some(report.name),
        leader: report.leader,
        leads: Some(report.leads),
        term: Some(report.term),
        log_position: Some(report.position),
        log_lag: Some(report.lag),
        proposals_waiting: Some(report.proposals),
        uplink_bytes: Some(report.uplink_bytes),
        settings_differing: Some(report.settings_differing),
        engine_reachable: Some(report.engine_trouble.is_none()),
        engine_trouble: report.engine_trouble,
        ..numbers
    }
}

impl Vitals {
    pub(super) fn new(sources: VitalsSources) -> Self {
        Self(Arc::new(sources))
    }

    pub(super) async fn numbers(&self) -> ServerNumbers {
        let mut numbers = self.counted_in_memory();
        if let Some((store, path)) = &self.0.history {
            numbers.stored_messages = self.stored(store).await;
            let path = path.clone();
            // A disk may hang.
            let sizes = tokio::task::spawn_blocking(move || {
                let (bytes, directory) = store::on_disk(&path)?;
                Some((bytes, files::free_space(&directory).ok()))
            });
            if let Ok(Some((bytes, free))) = sizes.await {
                (numbers.database_bytes, numbers.disk_free_bytes) = (Some(bytes), free);
            }
        }
        numbers
    }

    fn counted_in_memory(&self) -> ServerNumbers {
        let VitalsSources { hub, handshaker, admission, transfers, journal, .. } = &*self.0;
        let Admission { gate, memory, .. } = admission;
        let places = gate.places();
        let (handshakes, used) = (handshaker.in_progress(), memory.used());
        let of_chat = |chat: &Chat| ServerNumbers {
            server: chat.server().clone(),
            users: chat.present() as u64,
            connections: chat.connections() as u64,
            messages: chat.accepted(),
            storing: chat.failure().is_none(),
            trouble: chat.failure().map(str::to_owned),
            ..ServerNumbers::default()
        };
        let numbers = ServerNumbers {
            uptime_seconds: hub.uptime().as_secs(),
            places_taken: places.taken as u64,
            max_clients: places.max as u64,
            handshakes: handshakes as u64,
            handshakes_waiting: places.pending.saturating_sub(handshakes) as u64,
            refused: journal.counts(),
            held_bytes: memory.reserved() as u64,
            held_limit_bytes: memory.most() as u64,
            slow_readers_closed: memory.slow_readers_closed() as u64,
            memory_closed: memory.closed() as u64,
            memory_bytes: used,
            memory_limit_bytes: memory.granted(),
            transfers_running: transfers.running(),
            transfers_waiting: transfers.waiting(),
            transfers_done: transfers.done(),
            transfers_ended_early: transfers.cut(),
            transfers_refused: transfers.refused_connections(),
            transfer_bytes: transfers.bytes(),
            ..hub.read(of_chat)
        };
        match hub.node_report() {
            Some(report) => with_report(numbers, report),
            None => numbers,
        }
    }

    /// Counts the stored messages, or returns the last count if counting takes long.
    async fn stored(&self, store: &Store) -> Option<u64> {
        let mut counted = self.0.counted.lock().await;
        if let Some(last) = counted.filter(|last| last.until > Instant::now()) {
            return Some(last.count);
        }
        let begun = Instant::now();
        let count = store.count().await.ok()?;
        let pause: Duration = begun.elapsed() * (100 / COUNTING_PERCENT);
        *counted = Some(CountedMessages { count, until: Instant::now() + pause });
        Some(count)
    }
}
