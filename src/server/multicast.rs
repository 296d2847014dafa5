//! Tests of multicast with a client's machine: where a client reaches this server but does not find it, it
//! learns by these in which of the two directions multicast gets lost.
//!
//! Nobody can make the server send to others: its packets go to the group of mDNS, on the link by which the
//! client is connected, which no router passes on. There are four of them, of 60 bytes,
//! paced by address and for all clients together.

use super::connection::Connection;
use crate::discovery::{MulticastTest, Side, Subnet};
use crate::limits::{MULTICAST_TEST_PAUSE, MULTICAST_TESTS};
use crate::protocol::request::TestToken;
use crate::protocol::{Code, Event};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) echo: Option<String>,
    pub(super) token: TestToken,
}

/// Who does the tests; without `places` multicast is not used here.
#[derive(Debug, Default)]
pub(super) struct Multicast {
    places: Option<Arc<Semaphore>>,
    /// When each address had its last one; those of longer ago are dropped.
    last: HashMap<IpAddr, Instant>,
}

impl Multicast {
    pub(super) fn new(is_allowed: bool) -> Self {
        Self { places: is_allowed.then(|| Arc::new(Semaphore::new(MULTICAST_TESTS))), last: HashMap::new() }
    }

    /// Begins a test, which answers when it is over. What was sent to the connection before reaches it before.
    pub(super) fn run(&mut self, connection: Arc<Connection>, asked: Asked) {
        let Asked { echo, token } = asked;
        let answer = |event: Event, echo| event.into_packet("", echo).to_frame();
        match self.admit(connection.ip(), Instant::now()) {
            Err((code, why)) => connection.send(&answer(Event::error(code, why), echo).into()),
            Ok(permit) => {
                tokio::spawn(async move {
                    let event = test(&connection, &token).await;
                    drop(permit);
                    // A client that has left gets nothing.
                    connection.send(&answer(event, echo).into());
                });
            }
        }
    }

    /// A place; an error says why there is none. Looks at no interface, since the writer of all connections waits.
    fn admit(&mut self, address: IpAddr, now: Instant) -> Result<OwnedSemaphorePermit, (Code, String)> {
        let Some(places) = &self.places else {
            let why = "this server uses no multicast (--no-discovery): connect with --host";
            return Err((Code::NoMulticast, why.into()));
        };
        self.last.retain(|_, last| now.saturating_duration_since(*last) < MULTICAST_TEST_PAUSE);
        let too_often = || (Code::RateLimited, format!("test again in {} s", MULTICAST_TEST_PAUSE.as_secs()));
        if self.last.contains_key(&address) {
            return Err(too_often());
        }
        let permit = Arc::clone(places).try_acquire_owned().map_err(|_| too_often())?;
        self.last.insert(address, now);
        Ok(permit)
    }
}

/// Tests on the network that the server shares with the client's machine.
async fn test(connection: &Connection, token: &TestToken) -> Event {
    let subnet = connection.ends().ok().and_then(|(own, peer)| Subnet::between(own, peer));
    let Some(subnet) = subnet else {
        let why = "your machine and the server share no network link, and multicast stays on one link";
        return Event::error(Code::NoMulticast, why);
    };
    match MulticastTest::open(&subnet, Side::Server, token.as_str()) {
        Ok(trial) => {
            let came = trial.run().await;
            Event::Multicast { sent: came.sent, heard: came.heard }
        }
        Err(error) => Event::error(Code::NoMulticast, format!("no multicast here: {error}")),
    }
}
