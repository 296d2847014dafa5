//! The server: sockets and tasks around the rules of [`chat`](crate::chat).
//!
//! `Server::bind` opens the port, `run` serves until told to stop. Tasks take connections as far as they
//! are open; one thread reads them all and hands packets to the hub, the hub applies the rules, and one
//! flusher writes what follows.

mod backlog;
mod connection;
mod console;
mod data_dir;
mod deferred;
mod descriptors;
mod desk;
mod door;
mod flusher;
mod frames;
mod gate;
mod giving_way;
mod guest;
mod handle;
mod history;
#[doc(hidden)]
pub mod hold;
mod hub;
mod listener;
mod memory;
mod multicast;
mod passed;
mod reactor;
mod rescue;
mod roll;
mod scribe;
mod secrets;
mod session;
mod signals;
mod slots;
mod swap;
mod timers;
mod turn;
mod watch;
mod wire;

pub use console::Console;
pub use data_dir::{DataDirError, HISTORY_FILE, KEY_FILE, PASSPHRASE_FILE, SECRET_FILE};
pub use handle::Handle;
pub use rescue::{RescueError, Restored, kept_files, repair, restore};
pub use signals::StopSignals;

use crate::chat::{Archive, Chat, Profile, Rules};
use crate::clock::Clock;
use crate::fingerprint::Fingerprint;
use crate::limits::{
    DEFAULT_BACKLOG_BYTES, DEFAULT_MAX_CLIENTS, DEFAULT_MAX_PER_ADDRESS, DEFAULT_PORT, DEFAULT_RETAIN,
    DEFAULT_RETAIN_BYTES, FRAME_TIMEOUT, MAX_TURN_BYTES, REGISTRATION_TIMEOUT, SHUTDOWN_GRACE,
};
use crate::protocol::packet::ServerInfo;
use crate::security::{ChannelError, Passphrase, ServerTls};
use crate::store::{Retention, Store, StoreError};
use data_dir::DataDir;
use desk::Desk;
use door::Door;
use gate::Gate;
use history::History;
use hub::Hub;
use listener::Admission;
use memory::Budget;
use multicast::Multicast;
use reactor::Reader;
use roll::Roll;
use scribe::Scribe;
use secrets::{Lock, Secrets};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// What a server is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name people see.
    pub name: String,
    /// The address to listen on; all of the machine's when absent.
    pub address: Option<IpAddr>,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Most clients at a time; as many as are usual and fit when absent.
    pub max_clients: Option<usize>,
    /// Bytes that may wait for a client that does not read.
    pub backlog: usize,
    /// Bytes that the process may use; as many as the system grants when absent.
    pub memory: Option<u64>,
    /// Where the server's key and books are kept; when absent it has another key each time.
    pub data_dir: Option<PathBuf>,
    /// The message of the day; empty for none.
    pub motd: String,
    /// How long a session may take to its first packet.
    pub registration: Duration,
    /// How long a frame may take from its first byte to its last.
    pub frame: Duration,
    /// Whether clients may come in without TLS.
    pub plaintext: bool,
    /// Whether only those may come in who know a passphrase.
    pub entrance: Entrance,
    /// Connections of one address that are taken however few places are left; `None`: no bound.
    pub max_per_address: Option<usize>,
    /// How long messages are kept, in the data directory; `None`: none are, nor mail and rooms.
    pub history: Option<Retention>,
    /// Whether clients may have multicast tested; else no multicast socket is opened.
    pub multicast: bool,
    /// What the chat goes by.
    pub rules: Rules,
}

/// Who may come in.
#[derive(Debug, Clone, Default)]
pub enum Entrance {
    /// Everybody.
    #[default]
    Open,
    /// Members, and who proves to know this passphrase.
    Closed(Passphrase),
    /// The same, with the passphrase that the data directory holds; made there if there is none.
    ClosedByOwn,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "lanchat".into(),
            address: None,
            port: DEFAULT_PORT,
            max_clients: None,
            backlog: DEFAULT_BACKLOG_BYTES,
            memory: None,
            data_dir: None,
            motd: String::new(),
            registration: REGISTRATION_TIMEOUT,
            frame: FRAME_TIMEOUT,
            plaintext: false,
            entrance: Entrance::Open,
            max_per_address: Some(DEFAULT_MAX_PER_ADDRESS),
            history: Some(Retention { age: Some(DEFAULT_RETAIN), bytes: Some(DEFAULT_RETAIN_BYTES) }),
            multicast: false,
            rules: Rules::default(),
        }
    }
}

/// Why a server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken.
    #[error(
        "port {0} is in use, perhaps by another lanchat server; stop that, or choose another with --port"
    )]
    PortInUse(u16),
    /// The port is not for everybody.
    #[error("port {0} may not be used by this user; choose one above 1023 with --port")]
    PortForbidden(u16),
    /// The address is not one of this machine's.
    #[error("can't listen on {0}: {1}; give one of this machine's addresses with --host")]
    Address(String, io::Error),
    /// See [`DataDirError`].
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The history can't be used.
    #[error(transparent)]
    History(#[from] StoreError),
    /// The system gives no random numbers.
    #[error("no random numbers from the system: {0}")]
    Random(#[from] getrandom::Error),
    /// Sockets can't be waited for.
    #[error("no socket can be waited for: {0}; raise the limit of open files (ulimit -n)")]
    Poll(#[source] io::Error),
    /// No TLS with this key.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] ChannelError),
}

/// A server whose port is open.
#[derive(Debug)]
pub struct Server {
    hub: Arc<Hub>,
    door: Arc<Door>,
    listener: TcpListener,
    address: SocketAddr,
    info: ServerInfo,
    key: Fingerprint,
    admission: Admission,
    max_clients: usize,
    code: String,
    /// Locked while the server lives.
    data_dir: DataDir,
    store: Option<Store>,
    reader: Reader,
    multicast: Multicast,
}

impl Server {
    /// Opens the port. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// A [`StartError`] with its remedy.
    pub fn bind(options: Options) -> Result<Self, StartError> {
        let data_dir = match &options.data_dir {
            Some(path) => DataDir::open(path)?,
            None => DataDir::none(),
        };
        // Before anybody can come in.
        let clock = Arc::new(Clock::new());
        let keys = data_dir.key()?;
        let key = keys.fingerprint();
        let passphrase = match options.entrance.clone() {
            Entrance::Open => None,
            Entrance::Closed(passphrase) => Some(passphrase),
            Entrance::ClosedByOwn => Some(data_dir.passphrase()?),
        };
        let lock = passphrase.map(|passphrase| Arc::new(Lock { passphrase, key }));
        let tls = ServerTls::new(&keys)?;
        let of_port = |error| start_error(error, options.address, options.port);
        let socket = listener::reserve(options.address, options.port).map_err(of_port)?;
        let info = ServerInfo {
            id: key.id(),
            name: options.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let (store, archive) = open_store(&data_dir, &options, &clock)?;
        let (chat, code) = chat(&options, info.clone(), lock.is_some(), &data_dir, archive)?;
        // Only now, so that nobody is let in whom a history that can't be used would have to throw out.
        let listener = listener::listen(socket).map_err(of_port)?;
        let address = listener.local_addr().map_err(of_port)?;
        // No single turn closes a client that reads.
        let max_turn = MAX_TURN_BYTES.min(options.backlog / 4);
        let budget = Budget::new(options.memory);
        let (desk, poll) = Desk::open(options.backlog, Arc::clone(&budget)).map_err(StartError::Poll)?;
        let hub = Hub::by_clock(chat, lock, options.registration, max_turn, Arc::clone(&desk), clock);
        hub.date_sanctions();
        let max_clients = max_clients(options.max_clients, descriptors::clients_that_fit());
        let admission = Admission {
            gate: Gate::new(options.max_per_address, max_clients),
            roll: Arc::new(Roll::default()),
            memory: budget,
        };
        let door =
            Door::new(Arc::clone(&hub), tls, options.plaintext, Arc::clone(&desk), options.registration);
        let reader = Reader::start(poll, desk, Arc::clone(&hub), options.frame).map_err(StartError::Poll)?;
        Ok(Self {
            hub,
            door,
            listener,
            address,
            info,
            key,
            admission,
            max_clients,
            code,
            data_dir,
            store,
            reader,
            multicast: Multicast::new(options.multicast),
        })
    }

    /// The fingerprint of its key.
    pub fn key(&self) -> Fingerprint {
        self.key
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its id, name and version.
    pub fn info(&self) -> &ServerInfo {
        &self.info
    }

    /// Most clients at a time.
    pub fn max_clients(&self) -> usize {
        self.max_clients
    }

    /// A way to it while it runs.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.hub), self.code.clone(), self.admission.clone())
    }

    /// Serves until `stop` ends; then takes no more connections, tells everybody `bye`, and
    /// returns once all have read it, or after [`SHUTDOWN_GRACE`].
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { hub, door, listener, admission, data_dir, store, reader, multicast, .. } = self;
        let roll = Arc::clone(&admission.roll);
        // All of them end below: the flusher and the watch with the hub, the timers by being aborted.
        let history = store.clone().filter(|_| hub.keeps_messages());
        let history = history.map(|store| History::new(Arc::clone(&hub), store));
        let watch = tokio::spawn(watch::run(Arc::clone(&hub), store.clone()));
        let scribe = Scribe::new(Arc::clone(&hub), store);
        let flusher = tokio::spawn(flusher::run(Arc::clone(&hub), scribe, history, multicast));
        let timers = tokio::spawn(timers::run(Arc::clone(&hub)));
        // A task of its own, so that what it starts runs on the thread that has the connection in its cache.
        let entrance = Arc::clone(&door);
        let accepting = tokio::spawn(async move { listener::accept(&listener, &entrance, &admission).await });
        stop.await;
        accepting.abort();
        // An error is what it waits for: the port is closed.
        let _ = accepting.await;
        door.close();
        hub.shut_down();
        if timeout(SHUTDOWN_GRACE, roll.empty()).await.is_err() {
            tracing::warn!(clients = roll.open(), "some clients could not be closed in time");
        }
        timers.abort();
        drop(reader);
        hub.close();
        for (task, name) in [(flusher, "flusher"), (watch, "watch")] {
            if let Err(error) = task.await {
                tracing::error!(%error, "the {name} ended badly");
            }
        }
        // Nobody else may have the directory while anything is still written to it.
        drop(data_dir);
    }
}

/// What is kept in the data directory, and what is in it already.
fn open_store(
    data_dir: &DataDir,
    options: &Options,
    clock: &Arc<Clock>,
) -> Result<(Option<Store>, Archive), StartError> {
    let (store, archive) = match (data_dir.file(HISTORY_FILE), options.history) {
        (Some(path), Some(keep)) => Store::open_by(&path, keep, Arc::clone(clock))?,
        (Some(path), None) => Store::open_books(&path, Arc::clone(clock))?,
        (None, _) => return Ok((None, Archive::default())),
    };
    Ok((Some(store), archive))
}

/// The rules with what is kept, and the operator's code.
fn chat(
    options: &Options,
    server: ServerInfo,
    closed: bool,
    data_dir: &DataDir,
    archive: Archive,
) -> Result<(Chat, String), StartError> {
    let secrets = Secrets::make()?;
    data_dir.leave_secret(&server.id, &secrets.token)?;
    let profile = Profile { server, motd: options.motd.clone() };
    let rules = Rules { closed, ..options.rules.clone() };
    let mut chat = Chat::new(profile, rules, archive);
    chat.offer_operator(&secrets.code, &secrets.token);
    Ok((chat, secrets.code))
}

/// The bound that holds: what was asked for or is usual, as far as the descriptors allow it.
fn max_clients(wanted: Option<usize>, fit: Option<usize>) -> usize {
    let fit = fit.unwrap_or(usize::MAX);
    match wanted {
        Some(wanted) if wanted > fit => {
            tracing::warn!(
                "--max-clients {wanted} does not fit: this process may open files for {fit} clients, \
                 so {fit} are taken; raise the limit (ulimit -Hn, LimitNOFILE=) for more"
            );
            fit
        }
        Some(wanted) => wanted,
        None => DEFAULT_MAX_CLIENTS.min(fit),
    }
}

fn start_error(error: io::Error, address: Option<IpAddr>, port: u16) -> StartError {
    match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(port),
        io::ErrorKind::PermissionDenied => StartError::PortForbidden(port),
        _ => StartError::Address(address.map_or("any address".into(), |ip| ip.to_string()), error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_does_not_fit_is_cut_to_what_does() {
        assert_eq!(max_clients(Some(50_000), Some(19_936)), 19_936);
        assert_eq!(max_clients(Some(100), Some(19_936)), 100);
        assert_eq!(max_clients(None, Some(960)), 960);
        assert_eq!(max_clients(None, None), DEFAULT_MAX_CLIENTS);
    }
}
