//! What the client needs from a server that it may start in its own process. It knows no server:
//! whoever calls the client brings one.

use std::net::SocketAddr;
use std::pin::Pin;

use crate::protocol::packet::ServerInfo;

/// A piece of work under way.
pub type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Starts a server in this process.
pub trait Host: Send + Sync {
    /// Starts it. The error is one line for the user.
    fn start(&self) -> Task<Result<Box<dyn Hosting>, String>>;
}

/// A server that runs in this process.
pub trait Hosting: Send {
    /// Where the client of the same process reaches it.
    fn addr(&self) -> SocketAddr;

    /// Its id, by which the client of the same process knows that it got there.
    fn id(&self) -> String;

    /// Users who are present, the one who hosts among them.
    fn users(&self) -> usize;

    /// Tells everybody to go to that server and ends it.
    fn give_way(self: Box<Self>, to: ServerInfo) -> Task<()>;

    /// Says goodbye to everybody and ends it.
    fn shutdown(self: Box<Self>) -> Task<()>;
}
