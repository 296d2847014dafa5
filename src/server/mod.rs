//! The server: sockets and tasks around the rules of [`chat`](crate::chat).
//!
//! [`Server::bind`] opens the port, [`Server::run`] serves until told to stop. Tasks accept connections and do
//! the handshakes. One thread reads all connections and hands packets to the hub, the hub applies the rules,
//! and one task writes the results. ARCHITECTURE.md has a drawing.

mod assembly;
mod backlog;
mod backlog_drain;
mod chat_settings;
mod connection;
mod connection_end;
mod connection_ids;
mod console;
mod cutover;
mod data_dir;
mod dedup_cache;
mod deferred;
mod descriptors;
mod early_read;
mod eviction;
mod flusher;
mod frame_arena;
mod frames;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gate;
mod handle;
mod handshaker;
mod headed_buffer;
mod history;
#[doc(hidden)]
pub mod hold;
mod hub;
mod journal;
mod listener;
mod memory;
mod metrics;
mod monitor;
mod multicast;
#[cfg(feature = "nats")]
mod node_inquiry;
mod node_report;
mod node_tasks;
mod options;
mod output_batch;
mod output_stage;
mod packet_reader;
mod passphrase_check;
mod persister;
mod reactor;
mod reactor_inbox;
mod readiness;
mod recovery;
mod refusal_reason;
mod reload;
mod secrets;
mod seed;
mod signals;
mod slots;
mod staging;
mod start_error;
mod timers;
mod transfer;
mod transport;
mod vitals;
mod watch;
mod web;
mod websocket;

pub use chat_settings::{ChatSettings, SettingDifference};
pub use console::{Console, PageGuide, PageNotice};
pub use data_dir::{
    DataDirError, HISTORY_FILE, KEY_FILE, PASSPHRASE_FILE, SECRET_FILE, WEB_CERTIFICATE_FILE, check_data_dir,
    is_in_use,
};
pub use handle::Handle;
#[cfg(feature = "nats")]
pub use node_inquiry::{NodeAnswer, ask_nodes};
pub use node_report::NodeReport;
pub use options::{
    EngineSource, FileOptions, JoinPolicy, NodeAddress, NodeOptions, ServerOptions, WebOptions,
};
pub use recovery::{RecoveryError, Restored, forget, kept_files, leave_log, old_copies, repair, restore};
pub use reload::{ReloadError, Reloaded};
pub use seed::add_files;
pub use signals::{ReloadSignal, StopSignals};
pub use transfer::TransferCounts;

use crate::clock::Clock;
use crate::engine::EngineEvents;
use crate::fingerprint::Fingerprint;
use crate::limits::SHUTDOWN_GRACE;
use crate::protocol::packet::ServerInfo;
use crate::security::WebCertificate;
use crate::store::Store;
use assembly::{admission, chat, identity, open_hub, open_store, output_stage, server_info, vitals};
use data_dir::DataDir;
use handshaker::Handshaker;
use hub::Hub;
use listener::Admission;
use memory::Budget;
use output_stage::OutputStage;
use reactor::ReactorThread;
use reactor_inbox::ReactorInbox;
use secrets::IssuedSecrets;
pub use start_error::StartError;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::time::timeout;
use transfer::Transfers;
use vitals::Vitals;
use watch::Watch;
use web::WebDoor;

/// A server that listens and does not serve yet.
#[derive(Debug)]
pub struct Server {
    hub: Arc<Hub>,
    handshaker: Arc<Handshaker>,
    listener: TcpListener,
    address: SocketAddr,
    info: ServerInfo,
    /// Its name within its chat.
    node: Option<String>,
    key: Fingerprint,
    admission: Admission,
    secrets: IssuedSecrets,
    /// Holds the directory's lock.
    data_dir: DataDir,
    store: Option<Store>,
    output: Arc<OutputStage>,
    reactor: ReactorThread,
    transfers: Transfers,
    vitals: Vitals,
    watch: Watch,
    /// Of a server that shares its chat with others.
    engine: Option<EngineEvents>,
}

impl Server {
    /// Opens the port. Must be called in a tokio runtime.
    pub fn bind(options: ServerOptions) -> Result<Self, StartError> {
        Self::bind_on(None, options)
    }

    /// Like [`Self::bind`], on a socket that listens already instead of the address and port in the options.
    pub fn bind_on(
        socket: Option<std::net::TcpListener>,
        options: ServerOptions,
    ) -> Result<Self, StartError> {
        let data_dir = options.data_dir.as_deref().map_or_else(|| Ok(DataDir::none()), DataDir::open)?;
        let clock = Arc::new(Clock::new());
        let keys = data_dir.key()?;
        let (tls, key, closed_server) = identity(&keys, &data_dir, &options)?;
        let of_port = |error| StartError::of_port(error, options.address, options.port);
        let socket = listener::take(socket, (options.address, options.port)).map_err(of_port)?;
        let local = listener::local_address(&socket).map_err(of_port)?;
        let info = server_info(&options, &key);
        let web = Arc::new(WebDoor::of(&options, &info, &tls));
        let watch = Watch::open(options.metrics)?;
        let journal = || Arc::clone(&watch.journal);
        let (store, state) = open_store(&data_dir, &options, &clock)?;
        let node = node_tasks::join(&options, &keys, &state, clock.started())?;
        let archive = state.archive;
        let is_closed = closed_server.is_some();
        let (chat, secrets) = chat(&options, info.clone(), is_closed, (&data_dir, local), archive)?;
        // Only now: if the history cannot be used, no client has connected yet.
        let listener = listener::listen(socket).map_err(of_port)?;
        let address = listener.local_addr().map_err(of_port)?;
        let budget = Budget::new(options.memory);
        let opened = ReactorInbox::open(options.backlog, Arc::clone(&budget));
        let (inbox, poll) = opened.map_err(StartError::Poll)?;
        let rules = (chat, journal(), closed_server);
        let (seat, engine) = node_tasks::with_secrets(node, &secrets).unzip();
        let links = node_tasks::links(&options, &keys)?;
        let (hub, (transfers, file_door)) =
            open_hub(&options, rules, Arc::clone(&inbox), clock, (seat, links));
        let admission = admission(&options, budget, journal())?;
        let (doors, inboxes) = ((options.plaintext, web), (Arc::clone(&inbox), journal()));
        let handshaker = Handshaker::new(Arc::clone(&hub), tls, doors, inboxes, options.registration);
        let history = store.clone().zip(data_dir.file(HISTORY_FILE));
        let counters = (&handshaker, &admission, transfers.counts());
        let vitals = vitals(&hub, counters, history, &watch);
        let output = output_stage(&hub, store.as_ref(), options.multicast, &vitals);
        let ways = (Arc::clone(&hub), Arc::clone(&output), file_door);
        let reactor = ReactorThread::start(poll, inbox, ways, options.frame).map_err(StartError::Poll)?;
        Ok(Self {
            hub,
            handshaker,
            listener,
            address,
            info,
            node: options.nodes.as_ref().map(|nodes| nodes.node().to_owned()),
            key,
            admission,
            secrets,
            data_dir,
            store,
            output,
            reactor,
            transfers,
            vitals,
            watch,
            engine,
        })
    }

    /// The certificate that browsers see; `None`: it does not serve them.
    pub fn web_certificate(&self) -> Option<WebCertificate> {
        self.handshaker.tls.web_certificate()
    }

    /// The fingerprint of the server's key.
    pub fn key(&self) -> Fingerprint {
        self.key
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's id, name and version.
    pub fn info(&self) -> &ServerInfo {
        &self.info
    }

    /// Its name within its chat; `None`: the chat has no other server.
    pub fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    /// Random for each start: tells this server from a copy of it.
    pub fn run_id(&self) -> &str {
        &self.secrets.run
    }

    /// The address of its metrics; `None`: it serves none.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.watch.metrics_address()
    }

    /// Maximum clients at a time.
    pub fn max_clients(&self) -> usize {
        self.admission.gate.places().max
    }

    /// A handle for use while the server runs.
    pub fn handle(&self) -> Handle {
        let (hub, counts) = (Arc::clone(&self.hub), self.transfers.counts());
        let doors = (self.admission.clone(), self.store.clone(), self.handshaker.tls.clone());
        Handle::new(hub, self.secrets.code.clone(), counts, self.vitals.clone(), doors)
    }

    /// Serves until `stop` ends. Then closes the port, sends everyone `bye`, and returns once all clients have
    /// read it, or after [`SHUTDOWN_GRACE`].
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self {
            hub,
            handshaker,
            listener,
            admission,
            data_dir,
            store,
            output,
            reactor,
            transfers,
            vitals,
            watch,
            engine,
            ..
        } = self;
        let watch = watch.start(vitals);
        let ids = Arc::clone(&admission.ids);
        // All of these end below: output and monitor with the hub, the timers by being aborted.
        let monitor = tokio::spawn(monitor::run(Arc::clone(&hub), store));
        let writing = tokio::spawn(Arc::clone(&output).run());
        let timers = tokio::spawn(timers::run(Arc::clone(&hub)));
        let transfers = tokio::spawn(transfers.run());
        let following = engine.map(|events| tokio::spawn(node_tasks::run(Arc::clone(&hub), events)));
        // A task of its own, so that what it starts runs on the thread that has the connection in its cache.
        let entrance = Arc::clone(&handshaker);
        let accepting = tokio::spawn(async move { listener::accept(&listener, &entrance, &admission).await });
        stop.await;
        accepting.abort();
        // The error is the cancellation: the port is closed.
        let _ = accepting.await;
        handshaker.close();
        // Ends all transfers; clients resume them later.
        transfers.abort();
        hub.shut_down();
        if timeout(SHUTDOWN_GRACE, ids.all_returned()).await.is_err() {
            tracing::warn!(
                event = "clients_not_closed",
                clients = ids.open(),
                "could not close all clients in time"
            );
        }
        // If the log does not take the rest in time, the other servers notice the silence.
        hub.retire(SHUTDOWN_GRACE).await;
        timers.abort();
        drop(reactor);
        hub.close();
        for (task, name) in [(writing, "output"), (monitor, "monitor")] {
            if let Err(error) = task.await {
                tracing::error!(event = "task_panicked", %error, "the {name} task panicked");
            }
        }
        if let Some(following) = following {
            following.abort();
        }
        output.close().await;
        watch.end().await;
        // Keeps the lock until nothing writes to the directory any more.
        drop(data_dir);
    }
}
