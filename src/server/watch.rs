//! For those who watch the server: the journal's task, and the metrics.

use super::StartError;
use super::journal::{self, JournalNotes, ServerJournal};
use super::metrics;
use super::vitals::{LastCount, Vitals};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Before the server runs.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) journal: Arc<ServerJournal>,
    pub(super) counted: LastCount,
    notes: JournalNotes,
    metrics: Option<TcpListener>,
}

/// While it runs.
#[derive(Debug)]
pub(super) struct RunningWatch {
    journal: Arc<ServerJournal>,
    writing: JoinHandle<()>,
    metrics: Option<JoinHandle<()>>,
}

impl Watch {
    /// Opens the port for the metrics, if there are to be any.
    pub(super) fn open(metrics: Option<SocketAddr>) -> Result<Self, StartError> {
        let (journal, notes) = ServerJournal::new();
        let listen = |address| listen(address).map_err(|error| StartError::Metrics(address, error));
        let counted = LastCount::default();
        Ok(Self { journal, counted, notes, metrics: metrics.map(listen).transpose()? })
    }

    pub(super) fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|metrics| metrics.local_addr().ok())
    }

    pub(super) fn start(self, vitals: Vitals) -> RunningWatch {
        let Self { journal, notes, metrics, .. } = self;
        let writing = tokio::spawn(journal::write(Arc::clone(&journal), notes));
        let metrics = metrics.map(|listener| tokio::spawn(metrics::serve(listener, vitals)));
        RunningWatch { journal, writing, metrics }
    }
}

impl RunningWatch {
    /// Closes the port, and waits until the log has everything.
    pub(super) async fn end(self) {
        let Self { journal, writing, metrics } = self;
        if let Some(metrics) = metrics {
            metrics.abort();
        }
        journal.close().await;
        if let Err(error) = writing.await {
            tracing::error!(event = "task_panicked", %error, "the journal task panicked");
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
