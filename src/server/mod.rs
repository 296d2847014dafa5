//! The server: sockets and tasks around the rules of [`chat`](crate::chat).
//!
//! [`Server::bind`] opens the port, [`Server::run`] serves until told to stop. Tasks accept connections and do
//! the handshakes. One thread reads all connections and hands packets to the hub, the hub applies the rules,
//! and one task writes the results. ARCHITECTURE.md has a drawing.

mod backlog;
mod backlog_drain;
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

pub use console::{Console, PageGuide, PageNotice};
pub use data_dir::{
    DataDirError, HISTORY_FILE, KEY_FILE, PASSPHRASE_FILE, SECRET_FILE, WEB_CERTIFICATE_FILE, check_data_dir,
    is_in_use,
};
pub use handle::Handle;
pub use options::{
    EngineSource, FileOptions, JoinPolicy, NodeAddress, NodeOptions, ServerOptions, WebOptions,
};
pub use recovery::{RecoveryError, Restored, forget, kept_files, old_copies, repair, restore};
pub use reload::{ReloadError, Reloaded};
pub use seed::add_files;
pub use signals::{ReloadSignal, StopSignals};
pub use transfer::TransferCounts;

use crate::chat::{Archive, Chat, Profile, Rules, TicketSource, TokenSource};
use crate::clock::Clock;
use crate::engine::EngineEvents;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_BATCH_BYTES, SHUTDOWN_GRACE};
use crate::protocol::packet::ServerInfo;
use crate::security::{Keypair, ServerTls, WebCertificate, ticket_hash};
use crate::store::{SharedState, Store};
use connection_ids::ConnectionIds;
use data_dir::DataDir;
use flusher::Flusher;
use gate::{Gate, GateLimits};
use handshaker::Handshaker;
use history::History;
use hub::{Hub, NodeSeat};
use journal::ServerJournal;
use listener::Admission;
use memory::Budget;
use multicast::MulticastTests;
use output_stage::OutputStage;
use persister::Persister;
use reactor::ReactorThread;
use reactor_inbox::ReactorInbox;
use secrets::{ClosedServer, IssuedSecrets};
pub use start_error::StartError;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use transfer::{FileDoor, Links, Transfers};
use vitals::{Vitals, VitalsSources};
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
    node: Option<EngineEvents>,
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
        let (seat, node) = node.unzip();
        let links = node_tasks::links(&options, &keys)?;
        let (hub, (transfers, file_door)) =
            open_hub(&options, rules, Arc::clone(&inbox), clock, (seat, links));
        let admission = admission(&options, budget, journal());
        let (doors, inboxes) = ((options.plaintext, web), (Arc::clone(&inbox), journal()));
        let handshaker = Handshaker::new(Arc::clone(&hub), tls, doors, inboxes, options.registration);
        let kept = store.clone().filter(|_| hub.read(Chat::keeps_messages));
        let vitals = Vitals::new(VitalsSources {
            hub: Arc::clone(&hub),
            handshaker: Arc::clone(&handshaker),
            admission: admission.clone(),
            transfers: transfers.counts(),
            journal: journal(),
            history: kept.zip(data_dir.file(HISTORY_FILE)),
            counted: Arc::clone(&watch.counted),
        });
        let output = output_stage(&hub, store.as_ref(), options.multicast, &vitals);
        let ways = (Arc::clone(&hub), Arc::clone(&output), file_door);
        let reactor = ReactorThread::start(poll, inbox, ways, options.frame).map_err(StartError::Poll)?;
        Ok(Self {
            hub,
            handshaker,
            listener,
            address,
            info,
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
            node,
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
            node,
            ..
        } = self;
        let watch = watch.start(vitals);
        let ids = Arc::clone(&admission.ids);
        // All of these end below: output and monitor with the hub, the timers by being aborted.
        let monitor = tokio::spawn(monitor::run(Arc::clone(&hub), store));
        let writing = tokio::spawn(Arc::clone(&output).run());
        let timers = tokio::spawn(timers::run(Arc::clone(&hub)));
        let transfers = tokio::spawn(transfers.run());
        let node = node.map(|events| tokio::spawn(node_tasks::run(Arc::clone(&hub), events)));
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
        // What it still has to say goes again from nowhere: the others find out by its silence.
        drop(timeout(SHUTDOWN_GRACE, hub.retire()).await);
        timers.abort();
        drop(reactor);
        hub.close();
        for (task, name) in [(writing, "output"), (monitor, "monitor")] {
            if let Err(error) = task.await {
                tracing::error!(event = "task_panicked", %error, "the {name} task panicked");
            }
        }
        if let Some(node) = node {
            node.abort();
        }
        output.close().await;
        watch.end().await;
        // Keeps the lock until nothing writes to the directory any more.
        drop(data_dir);
    }
}

/// Its number among the servers of the chat.
fn node_number(options: &ServerOptions) -> u8 {
    options.node.as_ref().map_or(0, |node| node.number)
}

fn server_info(options: &ServerOptions, key: &Fingerprint) -> ServerInfo {
    ServerInfo { id: key.id(), name: options.name.clone(), version: env!("CARGO_PKG_VERSION").into() }
}

fn admission(options: &ServerOptions, memory: Arc<Budget>, journal: Arc<ServerJournal>) -> Admission {
    let limits = GateLimits { max_per_address: options.max_per_address, max_clients: most_clients(options) };
    Admission {
        gate: Gate::new(limits, journal),
        ids: Arc::new(ConnectionIds::of(node_number(options))),
        memory,
    }
}

type Identity = (ServerTls, Fingerprint, Option<Arc<ClosedServer>>);

/// The server's key, and its passphrase if it is closed.
fn identity(keys: &Keypair, data_dir: &DataDir, options: &ServerOptions) -> Result<Identity, StartError> {
    let key = keys.fingerprint();
    let passphrase = options.access.passphrase(data_dir)?;
    let closed_server = passphrase.map(|words| Arc::new(ClosedServer::new(words, key)));
    Ok((web::server_tls(options, keys, data_dir)?, key, closed_server))
}

/// The hub, and what passes its transfers on.
fn open_hub(
    options: &ServerOptions,
    (chat, journal, closed_server): (Chat, Arc<ServerJournal>, Option<Arc<ClosedServer>>),
    inbox: Arc<ReactorInbox>,
    clock: Arc<Clock>,
    (seat, links): (Option<NodeSeat>, Option<Links>),
) -> (Arc<Hub>, (Transfers, FileDoor)) {
    let max_batch = max_batch(options);
    let (ends, ended) = mpsc::unbounded_channel();
    let rules = (chat, ends, journal);
    let hub = Hub::new(rules, closed_server, options.registration, max_batch, inbox, clock, seat);
    hub.act(|chat, now, out| chat.date_sanctions(now, out));
    let transfers = Transfers::new(Arc::clone(&hub), ended, options.file_rate(), links);
    (hub, transfers)
}

/// Bytes of a batch above which connections wait, so that one batch never closes a client that reads.
fn max_batch(options: &ServerOptions) -> usize {
    MAX_BATCH_BYTES.min(options.backlog / 4)
}

fn output_stage(hub: &Arc<Hub>, store: Option<&Store>, multicast: bool, vitals: &Vitals) -> Arc<OutputStage> {
    let kept = store.filter(|_| hub.read(Chat::keeps_messages));
    let history = kept.map(|store| History::new(Arc::clone(hub), store.clone()));
    let flusher = Flusher::new(hub.node_number(), history, MulticastTests::new(multicast), vitals.clone());
    let persister = Persister::new(Arc::clone(hub), store.cloned());
    Arc::new(OutputStage::new(Arc::clone(hub), persister, flusher))
}

/// Opens the store, and returns what it holds already.
fn open_store(
    data_dir: &DataDir,
    options: &ServerOptions,
    clock: &Arc<Clock>,
) -> Result<(Option<Store>, SharedState), StartError> {
    let clock = Arc::clone(clock);
    let (store, archive) = match (data_dir.file(HISTORY_FILE), options.history, &options.node) {
        (Some(path), Some(keep), Some(node)) => {
            let (store, state) = Store::open_shared(&path, keep, clock, &node.log)?;
            return Ok((Some(store), state));
        }
        (_, _, Some(_)) => return Err(StartError::NodeWithoutHistory),
        (Some(path), Some(keep), None) => Store::open_by(&path, keep, clock)?,
        (Some(path), None, None) => Store::open_records(&path, clock)?,
        (None, _, None) => return Ok((None, SharedState::default())),
    };
    Ok((Some(store), SharedState { archive, ..SharedState::default() }))
}

/// Builds the rules from what is stored; also returns the secrets.
fn chat(
    options: &ServerOptions,
    server: ServerInfo,
    closed: bool,
    (data_dir, address): (&DataDir, SocketAddr),
    archive: Archive,
) -> Result<(Chat, IssuedSecrets), StartError> {
    let secrets = IssuedSecrets::make()?;
    data_dir.leave_secret(&server.id, &secrets.token, (address, options.access.file()))?;
    let profile = Profile { server, run: Some(secrets.run.clone()), motd: options.motd.clone() };
    let rules = Rules { closed, ..options.rules.clone() };
    let mut chat = Chat::new(profile, rules, archive);
    chat.offer_operator(&secrets.code, &secrets.token);
    if let Some(files) = options.files {
        let rules = files.bounded_rules();
        if rules.max_transfers < files.rules.max_transfers {
            tracing::warn!(
                event = "file_rate_low",
                "--file-rate is enough for {} transfers at a time, so --max-transfers {} is too high; raise the rate for \
                 more",
                rules.max_transfers,
                files.rules.max_transfers
            );
        }
        chat.pass_files(rules, TokenSource::new(secrets::random));
    }
    if let Some(web) = &options.web {
        chat.serve_browsers(web.mode, TicketSource { random: secrets::random, hash: ticket_hash });
    }
    Ok((chat, secrets))
}

/// The most clients at a time: as the file descriptors allow beside the transfers.
fn most_clients(options: &ServerOptions) -> usize {
    let transfers = options.files.map_or(0, |files| files.rules.max_transfers);
    let fit = descriptors::clients_that_fit().map(|fit| descriptors::less_those_of_files(fit, transfers));
    descriptors::max_clients(options.max_clients, fit)
}
