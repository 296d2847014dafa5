//! Addresses at which a chat's server says that the chat's other servers are. Only a proof of the same key makes a
//! server of the chat. Until then an address is a mere claim, so the client tries few of them.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Locator, NamedHost, reach};
use crate::client::link::{Channel, LinkError, Reached};
use crate::client::trust::host_name;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_NODES, NAMED_TRIES_AT_ONCE, NAMED_TRIES_PER_MINUTE};
use crate::pace::{Bucket, Rate};

/// How long the host that the user gave may be silent before the client also tries the chat's other servers.
const HOST_FIRST: Duration = Duration::from_secs(1);

const RATE: Rate = Rate::every(60, NAMED_TRIES_PER_MINUTE, NAMED_TRIES_AT_ONCE);

/// How many more such addresses may be tried.
#[derive(Debug)]
pub(super) struct NamedTries {
    bucket: Bucket,
    start: Instant,
}

impl Default for NamedTries {
    fn default() -> Self {
        Self { bucket: Bucket::default(), start: Instant::now() }
    }
}

impl NamedTries {
    fn take(&mut self) -> bool {
        self.bucket.take(RATE, self.start.elapsed()).is_ok()
    }
}

impl Locator {
    /// Those of these addresses that may be tried now, in random order: a chat's users must not all go to the same
    /// server. None without encryption, because nothing would prove which server answers.
    pub(crate) fn may_try(&self, named: Vec<SocketAddr>) -> Vec<SocketAddr> {
        if !matches!(self.channel, Channel::Tls { .. }) {
            return Vec::new();
        }
        let mut tries = self.named_tries.lock();
        shuffled(named).into_iter().take(MAX_NODES).filter(|_| tries.take()).collect()
    }

    /// Reaches a server with this key where its chat's servers should be.
    pub(crate) async fn reach_named(&self, key: Fingerprint) -> Result<Reached, LinkError> {
        let named = self.trust.lock().named(&key).to_vec();
        match self.may_try(named).as_slice() {
            [] => Err(LinkError::Silent),
            named => reach(named, &self.channel.to(Some(key))).await,
        }
    }

    /// Reaches the host that the user gave. If no server answers there, reaches another one of the chat whose server
    /// used to.
    pub(super) async fn reach_host_or_named(&self, host: &NamedHost) -> Result<Reached, LinkError> {
        let by_name = host_name(&host.name, Some(host.port));
        let addr = host.name.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, host.port));
        let chat =
            self.trust.lock().known().met_at(addr.as_slice(), by_name.as_deref()).map(|known| known.fp);
        let mut at_host = pin!(self.reach_host(host, true));
        let Some(key) = chat else {
            return match at_host.await {
                Err(error @ LinkError::Refused { .. }) if error.sends_elsewhere() => {
                    instead(host, self.reach_beside(host).await, error)
                }
                at_host => at_host,
            };
        };
        let mut named = pin!(self.reach_named(key));
        let at_host = match timeout(HOST_FIRST, &mut at_host).await {
            Ok(at_host) => at_host,
            Err(_late) => tokio::select! {
                at_host = &mut at_host => at_host,
                reached = &mut named => match reached {
                    Ok(reached) => return instead(host, Ok(reached), LinkError::Silent),
                    Err(_) => return at_host.await,
                },
            },
        };
        match at_host {
            // Another key at that host is for the user to judge.
            Ok(_) | Err(LinkError::WrongKey { .. }) => at_host,
            Err(error) => {
                let reached = match named.await {
                    Err(_) if error.sends_elsewhere() => self.reach_shown(key).await,
                    reached => reached,
                };
                instead(host, reached, error)
            }
        }
    }
}

/// A server that was reached instead of the one at `host`, which failed so; that error if no server was.
fn instead(
    host: &NamedHost,
    reached: Result<Reached, LinkError>,
    error: LinkError,
) -> Result<Reached, LinkError> {
    let why = format!("the server at {host} {}", error.fate());
    reached.map(|reached| Reached { instead: Some(why), ..reached }).map_err(|_| error)
}

fn shuffled(mut addrs: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut random = [0; MAX_NODES];
    // Without randomness, they only stay in the server's order.
    let _ = getrandom::fill(&mut random);
    for (at, number) in (1..addrs.len()).zip(random) {
        addrs.swap(at, usize::from(number) % (at + 1));
    }
    addrs
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn addrs() -> Vec<SocketAddr> {
        (1..=4).map(|port| SocketAddr::from(([10, 0, 0, 1], port))).collect()
    }

    #[test]
    fn each_order_is_possible_and_nothing_is_lost() {
        let orders: BTreeSet<Vec<SocketAddr>> = (0..2000).map(|_| shuffled(addrs())).collect();
        assert_eq!(orders.len(), 24);
        let firsts: BTreeSet<SocketAddr> = orders.iter().flat_map(|order| order.iter().copied()).collect();
        assert_eq!(firsts.into_iter().collect::<Vec<_>>(), addrs());
    }

    #[test]
    fn a_server_that_names_many_addresses_gets_few_tried_and_one_in_plaintext_none() {
        let plain = Locator::at(addrs()[0]);
        assert!(plain.may_try(addrs()).is_empty());
        let channel = crate::client::find::inspector::anonymous(crate::security::Expect::Anyone).unwrap();
        let locator = Locator { channel, ..plain };
        let many = |n: u16| (1..=n).map(|port| SocketAddr::from(([10, 0, 0, 1], port))).collect();
        assert_eq!(locator.may_try(many(500)).len(), MAX_NODES);
        let tried: usize = (0..50).map(|_| locator.may_try(many(9)).len()).sum();
        assert!(tried + MAX_NODES <= NAMED_TRIES_AT_ONCE as usize + 1, "{tried}");
    }
}
