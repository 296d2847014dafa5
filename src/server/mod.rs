//! The server: sockets and tasks around the rules of [`chat`](crate::chat).
//!
//! `Server::bind` opens the port, `run` serves until told to stop. A reader a connection hands
//! packets to the hub, the hub applies the rules, one flusher writes what follows.

mod backlog;
mod connection;
mod console;
mod data_dir;
mod descriptors;
mod flusher;
mod hub;
mod listener;
mod roll;
mod session;
mod signals;
mod timers;
mod turn;

pub use console::Console;
pub use data_dir::DataDirError;
pub use signals::StopSignals;

use crate::chat::Profile;
use crate::limits::{
    DEFAULT_BACKLOG_BYTES, DEFAULT_MAX_CLIENTS, DEFAULT_PORT, HANDSHAKE_TIMEOUT, MAX_TURN_BYTES,
    SHUTDOWN_GRACE,
};
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::Refusal;
use crate::protocol::{Event, Request};
use data_dir::DataDir;
use hub::Hub;
use listener::Admission;
use roll::Roll;
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
    /// Where the server's id is kept; when absent it has another one each time.
    pub data_dir: Option<PathBuf>,
    /// The message of the day; empty for none.
    pub motd: String,
    /// How long a connection may take to its first packet.
    pub handshake: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "lanchat".into(),
            address: None,
            port: DEFAULT_PORT,
            max_clients: None,
            backlog: DEFAULT_BACKLOG_BYTES,
            data_dir: None,
            motd: String::new(),
            handshake: HANDSHAKE_TIMEOUT,
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
}

/// A server whose port is open.
#[derive(Debug)]
pub struct Server {
    hub: Arc<Hub>,
    listener: TcpListener,
    address: SocketAddr,
    info: ServerInfo,
    admission: Admission,
    /// Locked while the server lives.
    _data_dir: DataDir,
}

/// A way to a running server from the same process: its console, or the client that hosts it.
#[derive(Debug, Clone)]
pub struct Handle {
    hub: Arc<Hub>,
}

impl Server {
    /// Opens the port. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// A [`StartError`] with its remedy.
    pub fn bind(options: Options) -> Result<Self, StartError> {
        let data_dir = match &options.data_dir {
            Some(path) => DataDir::open(path)?,
            None => DataDir::none()?,
        };
        let admission = Admission {
            max_clients: max_clients(options.max_clients, descriptors::clients_that_fit()),
            max_backlog: options.backlog,
        };
        let listener = listener::listen(options.address, options.port)
            .map_err(|error| start_error(error, options.address, options.port))?;
        let address =
            listener.local_addr().map_err(|error| start_error(error, options.address, options.port))?;
        let info = ServerInfo {
            id: data_dir.id.clone(),
            name: options.name,
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let hub = Hub::new(
            Profile { server: info.clone(), motd: options.motd },
            options.handshake,
            // No single turn closes a client that reads.
            MAX_TURN_BYTES.min(options.backlog / 4),
        );
        Ok(Self { hub, listener, address, info, admission, _data_dir: data_dir })
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
        self.admission.max_clients
    }

    /// A way to it while it runs.
    pub fn handle(&self) -> Handle {
        Handle { hub: Arc::clone(&self.hub) }
    }

    /// Serves until `stop` ends; then takes no more connections, tells everybody `bye`, and
    /// returns once all have read it, or after [`SHUTDOWN_GRACE`].
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { hub, listener, admission, _data_dir, .. } = self;
        // Both end below: the flusher with the hub, the timers by being aborted.
        let flusher = tokio::spawn(flusher::run(Arc::clone(&hub)));
        let timers = tokio::spawn(timers::run(Arc::clone(&hub)));
        let roll = Arc::new(Roll::default());
        tokio::select! {
            () = listener::accept(&listener, &hub, admission, &roll) => {}
            () = stop => {}
        }
        drop(listener);
        hub.shut_down();
        if timeout(SHUTDOWN_GRACE, roll.empty()).await.is_err() {
            tracing::warn!(clients = roll.open(), "some clients could not be closed in time");
        }
        timers.abort();
        hub.close();
        if let Err(error) = flusher.await {
            tracing::error!(%error, "the flusher ended badly");
        }
    }
}

impl Handle {
    /// Users who are present.
    pub fn users(&self) -> usize {
        self.hub.census().0
    }

    /// Connections there are.
    pub fn connections(&self) -> usize {
        self.hub.census().1
    }

    /// Since the server started.
    pub fn uptime(&self) -> Duration {
        self.hub.uptime()
    }

    /// A request of the operator at the server's console.
    ///
    /// # Errors
    /// A [`Refusal`] to show there.
    pub fn request(&self, request: &Request) -> Result<Event, Refusal> {
        self.hub.console(request)
    }
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
