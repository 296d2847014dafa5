//! Multicast tests with a client's machine. A client that reaches the server but cannot discover it learns in
//! which direction multicast gets lost.
//!
//! Useless for attacks: the server sends four packets of 60 bytes, to the mDNS group, on the client's own link,
//! which no router passes on; tests are rate-limited per address and in total.

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

/// Without `places`, this server uses no multicast.
#[derive(Debug, Default)]
pub(super) struct MulticastTests {
    places: Option<Arc<Semaphore>>,
    /// When each address had its last test; old ones are dropped.
    last: HashMap<IpAddr, Instant>,
}

impl MulticastTests {
    pub(super) fn new(is_allowed: bool) -> Self {
        Self { places: is_allowed.then(|| Arc::new(Semaphore::new(MULTICAST_TESTS))), last: HashMap::new() }
    }

    /// Starts a test, which sends its result. The caller has sent everything up to now.
    pub(super) fn run(&mut self, connection: Arc<Connection>, echo: Option<String>, token: TestToken) {
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

    /// Admits a test; an error says why not. Must not look at interfaces: the output waits.
    fn admit(&mut self, address: IpAddr, now: Instant) -> Result<OwnedSemaphorePermit, (Code, String)> {
        let Some(places) = &self.places else {
            let why = "this server does not use multicast (--no-discovery); connect with --host";
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

/// Tests on the network that the server shares with the client.
async fn test(connection: &Connection, token: &TestToken) -> Event {
    let subnet = connection.ends().ok().and_then(|(own, peer)| Subnet::between(own, peer));
    let Some(subnet) = subnet else {
        let why =
            "your machine and the server are not on the same network link, and multicast stays on one link";
        return Event::error(Code::NoMulticast, why);
    };
    match MulticastTest::open(&subnet, Side::Server, token.as_str()) {
        Ok(trial) => {
            let came = trial.run().await;
            Event::Multicast { sent: came.sent, heard: came.heard }
        }
        Err(error) => {
            Event::error(Code::NoMulticast, format!("the server cannot use multicast here: {error}"))
        }
    }
}
