//! Why a server does not start, and what to do about it.

use super::data_dir::DataDirError;
#[cfg(feature = "nats")]
use crate::engine::nats::EngineFault;
use crate::security::{ChannelError, HandshakeError, WebCertificateError};
use crate::store::StoreError;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address for the metrics cannot be used.
    #[error(
        "cannot serve metrics on {0}: {1}; choose one of this machine's addresses and a free port with --metrics"
    )]
    Metrics(SocketAddr, io::Error),
    /// Another process uses the port.
    #[error(
        "port {0} is in use, perhaps by another lanchat server; stop that one, or choose another port with --port"
    )]
    PortInUse(u16),
    /// The port needs privileges.
    #[error("this user may not open port {0}; choose one above 1023 with --port")]
    PortForbidden(u16),
    /// The address does not belong to this machine.
    #[error("cannot listen on {0}: {1}; give one of this machine's addresses with --host")]
    Address(String, io::Error),
    /// See [`DataDirError`].
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The history cannot be used.
    #[error(transparent)]
    History(#[from] StoreError),
    /// Servers of one chat each keep its history.
    #[error(
        "a server that shares its chat with others keeps its history; start it with a data directory and without --no-history"
    )]
    NodeWithoutHistory,
    /// See [`EngineFault`].
    #[cfg(feature = "nats")]
    #[error(transparent)]
    Engine(#[from] EngineFault),
    /// The database has a ledger of another version.
    #[error(
        "a later version of lanchat has followed the servers' log in this data directory; update lanchat"
    )]
    LedgerUnreadable,
    /// The key in the data directory is not that of the servers whose log the history follows.
    #[error(
        "the history here is that of servers with another key than this server's; put the chat's server.pem, which all its \
         servers have, into the data directory, or run `lanchat cluster restore` on all machines if the chat has a new key"
    )]
    OtherKey,
    /// The system provides no random numbers.
    #[error("cannot get random numbers from the system: {0}")]
    Random(#[from] getrandom::Error),
    /// The system provides no poll.
    #[error("cannot wait for sockets: {0}; raise the limit on open files (ulimit -n)")]
    Poll(#[source] io::Error),
    /// See [`WebCertificateError`].
    #[error(transparent)]
    WebCertificate(#[from] WebCertificateError),
    /// TLS refuses the key.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] ChannelError),
    /// The same for connections to other servers.
    #[error("cannot set up TLS to the other servers: {0}")]
    TlsToServers(#[from] HandshakeError),
}

impl StartError {
    /// Of opening the port.
    pub(super) fn of_port(error: io::Error, address: Option<IpAddr>, port: u16) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::PortInUse(port),
            io::ErrorKind::PermissionDenied => Self::PortForbidden(port),
            _ => Self::Address(address.map_or("any address".into(), |ip| ip.to_string()), error),
        }
    }
}
