//! The interface to a server that the client may start in its own process. The caller of the client
//! implements it.

use std::net::SocketAddr;
use std::pin::Pin;

use crate::protocol::packet::ServerInfo;

/// A piece of work under way.
pub type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Starts a server in this process.
pub trait Host: Send + Sync {
    /// The error is one line for the user.
    fn start(&self) -> Task<Result<Box<dyn Hosting>, String>>;
}

/// A server that runs in this process.
pub trait Hosting: Send {
    /// The address for the client in this process.
    fn addr(&self) -> SocketAddr;

    /// The id by which that client recognises the server.
    fn id(&self) -> String;

    /// A warning for the host, in one line.
    fn warning(&self) -> Option<String>;

    /// Users who are online, including the one who hosts.
    fn users(&self) -> usize;

    /// Sends everyone to that server and stops.
    fn give_way(self: Box<Self>, to: ServerInfo) -> Task<()>;

    /// Says goodbye to everyone and stops.
    fn shutdown(self: Box<Self>) -> Task<()>;
}
