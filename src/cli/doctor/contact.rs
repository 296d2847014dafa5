//! How the doctor asks servers, which the client knows.

use super::findings::{Standing, Tested};
use crate::client::{self, Inspector};
use crate::discovery::Proof;
use crate::protocol::request::TestToken;
use std::future::Future;
use std::net::SocketAddr;

/// What a server says of itself.
pub type Answer = Proof<Standing>;

/// Why no server answered where something took the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has a key that is not accepted.
    WrongKey(String),
    /// It is one, and does not take this client.
    TurnedAway(String),
    /// It is none, or one that this program does not understand.
    Foreign(String),
    /// Nothing came.
    Silent,
}

/// How servers are asked.
pub trait Contact: Clone + Send + 'static {
    /// Who is there?
    fn ask(self, addr: SocketAddr) -> impl Future<Output = Result<Answer, Fault>> + Send + 'static;

    /// Asks the server to send and to hear multicast: whether it heard this machine's, or why it did not
    /// take part.
    fn test(
        self,
        addr: SocketAddr,
        token: TestToken,
    ) -> impl Future<Output = Result<bool, Tested>> + Send + 'static;

    /// Where servers answered before, the last used first: name and addresses.
    fn remembered(&self) -> Vec<(String, Vec<SocketAddr>)>;
}

impl Contact for Inspector {
    async fn ask(self, addr: SocketAddr) -> Result<Answer, Fault> {
        self.probe(addr).await.map_err(|error| match error {
            client::Error::Untrusted(lines) => Fault::WrongKey(lines.join("; ")),
            client::Error::Refused(why) => Fault::TurnedAway(why),
            client::Error::Disconnected(why) if why == client::NO_ANSWER => Fault::Silent,
            error => Fault::Foreign(error.to_string()),
        })
    }

    async fn test(self, addr: SocketAddr, token: TestToken) -> Result<bool, Tested> {
        self.test_multicast(addr, token).await.map_err(|why| match why {
            client::Untested::Unused(why) => Tested::Unused(why),
            client::Untested::Impossible(why) => Tested::Impossible(why),
        })
    }

    fn remembered(&self) -> Vec<(String, Vec<SocketAddr>)> {
        self.addresses().map(|(name, addrs)| (name.to_owned(), addrs.to_vec())).collect()
    }
}
