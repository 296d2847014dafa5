//! Looks for servers that have one key at the same time, as machines made from one image do. mDNS says where they
//! may be. Only a proof of the key counts, and a server's run tells a copy from the same server at another address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::inspector::anonymous;
use crate::client::link::{Channel, ServerLink};
use crate::discovery::{MdnsSearch, Networks, SearchEvent, SearchOptions, Sighting};
use crate::fingerprint::Fingerprint;
use crate::limits::{COPY_ADDRESSES, PROBE_TIMEOUT};
use crate::security::Expect;

/// Where mDNS shows servers with a key.
#[derive(Debug)]
pub(super) struct ShownPlaces {
    key: Fingerprint,
    /// Where an announcement may lead: anyone can forge one.
    networks: Networks,
    /// The labels under which they are announced.
    labels: BTreeSet<String>,
    addrs: BTreeSet<SocketAddr>,
}

impl ShownPlaces {
    pub(super) fn of(key: Fingerprint) -> Self {
        let networks = Networks::now().unwrap_or_default();
        Self { key, networks, labels: BTreeSet::new(), addrs: BTreeSet::new() }
    }

    pub(super) fn note(&mut self, sighting: &Sighting) {
        let has_key = sighting.id.as_ref().is_some_and(|id| self.key.id().starts_with(id.as_str()));
        // The servers of one chat share its key; asking them would cost each as many handshakes as there are clients.
        if !has_key || sighting.node.is_some() {
            return;
        }
        if self.labels.len() < COPY_ADDRESSES {
            self.labels.insert(sighting.instance.clone());
        }
        let room = COPY_ADDRESSES.saturating_sub(self.addrs.len());
        let places = sighting.addrs.iter().filter(|addr| self.networks.may_be_at(**addr));
        self.addrs.extend(places.take(room));
    }

    /// Whether these are more places than those of a machine on one network.
    pub(super) fn are_suspicious(&self) -> bool {
        let v4: BTreeSet<&SocketAddr> = self.addrs.iter().filter(|addr| addr.is_ipv4()).collect();
        self.labels.len() > 1 || v4.len() > 1
    }

    /// Asks at each of these places that `wanted` picks, and returns where a server proved the key, by its run.
    pub(super) async fn runs(&self, wanted: impl Fn(SocketAddr) -> bool) -> BTreeMap<String, SocketAddr> {
        let Ok(channel) = anonymous(Expect::Only(vec![self.key])) else { return BTreeMap::new() };
        let mut asked = JoinSet::new();
        for addr in self.addrs.iter().copied().filter(|addr| wanted(*addr)) {
            asked.spawn(run_at(addr, channel.clone()));
        }
        let mut runs = BTreeMap::new();
        while let Some(answer) = asked.join_next().await {
            if let Ok(Some((addr, run))) = answer {
                let place = runs.entry(run).or_insert(addr);
                // The one that people can read best: IPv4 comes first.
                *place = addr.min(*place);
            }
        }
        runs
    }
}

/// Asks for the run of the server at an address. Older servers tell none.
async fn run_at(addr: SocketAddr, channel: Channel) -> Option<(SocketAddr, String)> {
    let (_, status) = timeout(PROBE_TIMEOUT, ServerLink::probe(addr, &channel)).await.ok()?.ok()?;
    Some((addr, status.run?))
}

/// Listens for `wait`, and returns where other servers than this `run` prove the key. `is_own` tells addresses at
/// which only that run can be.
pub async fn copies_of(
    key: Fingerprint,
    run: &str,
    wait: Duration,
    is_own: impl Fn(SocketAddr) -> bool,
) -> Vec<SocketAddr> {
    let end = Instant::now() + wait;
    let mut shown = ShownPlaces::of(key);
    {
        // Questions from a port of their own: the port of mDNS belongs to the server's announcements.
        let mut search = MdnsSearch::start(SearchOptions { browse: false, one_shot: true });
        while let Ok(Some(change)) = timeout_at(end, search.next()).await {
            if let SearchEvent::Seen(sighting) = change {
                shown.note(&sighting);
            }
        }
    }
    let runs = shown.runs(|addr| !is_own(addr)).await;
    runs.into_iter().filter(|(other, _)| other != run).map(|(_, addr)| addr).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::HeardBy;

    fn sighting(label: &str, key: Fingerprint, addrs: &[&str]) -> Sighting {
        Sighting {
            id: Some(key.id()),
            fp: Some(key),
            closed: false,
            web: false,
            name: "office".into(),
            node: None,
            instance: label.into(),
            addrs: addrs.iter().map(|addr| addr.parse().unwrap()).collect(),
            version: None,
            txt: BTreeMap::new(),
            heard: HeardBy::default(),
        }
    }

    #[test]
    fn a_server_at_an_address_of_each_kind_is_not_suspicious_and_two_places_are() {
        let (key, other) = (Fingerprint::new([1; 32]), Fingerprint::new([2; 32]));
        let shown = |sightings: &[Sighting]| {
            let mut shown = ShownPlaces::of(key);
            sightings.iter().for_each(|sighting| shown.note(sighting));
            shown.are_suspicious()
        };
        let here = sighting("office", key, &["10.0.0.1:7667", "[fd00::1]:7667"]);
        assert!(!shown(&[here.clone(), sighting("shop", other, &["10.0.0.2:7667"])]));
        assert!(shown(&[here.clone(), sighting("office", key, &["10.0.0.2:7667"])]));
        assert!(shown(&[here, sighting("office-2", key, &["[fd00::2]:7667"])]));
        let of_chat = |node: &str, addr| {
            let label = format!("office-{node}");
            Sighting { node: Some(node.into()), ..sighting(&label, key, &[addr]) }
        };
        assert!(!shown(&[of_chat("a", "10.0.0.1:7667"), of_chat("b", "10.0.0.2:7667")]));
    }
}
