//! How the doctor asks servers: the client does it; tests bring their own.

use crate::client::{Error, Inspector, PageReport, ProbedServer, Untested};
use crate::discovery::Proof;
use crate::protocol::request::TestToken;
use std::future::Future;
use std::net::SocketAddr;

/// Asks servers for the doctor.
pub trait Prober: Clone + Send + 'static {
    /// Asks the server at an address for its name, its id, its key and its run.
    fn ask(
        self,
        addr: SocketAddr,
    ) -> impl Future<Output = Result<Proof<ProbedServer>, Error>> + Send + 'static;

    /// Asks the server to send multicast and to listen for ours. Returns whether it heard us, or why it did
    /// not take part.
    fn test(
        self,
        addr: SocketAddr,
        token: TestToken,
    ) -> impl Future<Output = Result<bool, Untested>> + Send + 'static;

    /// Looks at the page of the server at an address, as a browser would.
    fn page(self, addr: SocketAddr) -> impl Future<Output = PageReport> + Send + 'static;

    /// Servers that answered before, the last used first: name and addresses.
    fn remembered(&self) -> Vec<(String, Vec<SocketAddr>)>;
}

impl Prober for Inspector {
    async fn ask(self, addr: SocketAddr) -> Result<Proof<ProbedServer>, Error> {
        self.probe(addr).await
    }

    async fn test(self, addr: SocketAddr, token: TestToken) -> Result<bool, Untested> {
        self.test_multicast(addr, token).await
    }

    async fn page(self, addr: SocketAddr) -> PageReport {
        self.look_at_page(addr).await
    }

    fn remembered(&self) -> Vec<(String, Vec<SocketAddr>)> {
        self.addresses().map(|(name, addrs)| (name.to_owned(), addrs.to_vec())).collect()
    }
}
