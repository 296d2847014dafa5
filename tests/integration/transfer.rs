//! Files from person to person: offers, and the connections that carry them.

mod admission;
mod hostile;
mod relay;

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;

/// A server with alice, who has the first key, and bob, who has the second.
struct Pair {
    server: TestServer,
    keys: [Key; 2],
    alice: Peer,
    bob: Peer,
}

impl Pair {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut lanchat::server::ServerOptions)) -> Self {
        let server = TestServer::with(change);
        let keys = [Key::new(), Key::new()];
        let alice = Peer::join_with(server.address, "alice", &keys[0]);
        let bob = Peer::join_with(server.address, "bob", &keys[1]);
        Self { server, keys, alice, bob }
    }

    fn keys(&self) -> [Option<&Key>; 2] {
        [Some(&self.keys[0]), Some(&self.keys[1])]
    }
}
