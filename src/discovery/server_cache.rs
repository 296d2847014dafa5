//! The servers seen so far, merged from the browse and the one-shot queries. Pure.

use super::order::in_order;
use super::sighting::{HeardBy, Sighting};
use crate::limits::MAX_SERVERS;
use std::net::SocketAddr;

/// The servers of a network, one entry per instance.
#[derive(Debug, Default)]
pub(super) struct ServerCache {
    entries: Vec<CachedServer>,
    observed: u64,
}

#[derive(Debug)]
struct CachedServer {
    sighting: Sighting,
    /// Addresses from the browse, which reports all current ones each time.
    browsed: Vec<SocketAddr>,
    /// Addresses from one-shot answers, which have those of one link each.
    answered: Vec<SocketAddr>,
    heard: u64,
}

impl ServerCache {
    /// Takes in an observation; returns the entry if it changed. Past [`MAX_SERVERS`], the entry that was
    /// silent for longest makes room, so a flood of forged servers keeps no real one out.
    pub(super) fn observe(&mut self, heard: Sighting) -> Option<Sighting> {
        let at = match self.position(&heard.instance) {
            Some(at) => at,
            None => {
                if self.entries.len() >= MAX_SERVERS
                    && let Some((at, _)) = self.entries.iter().enumerate().min_by_key(|(_, e)| e.heard)
                {
                    self.entries.remove(at);
                }
                self.entries.push(CachedServer::of(heard.clone()));
                self.entries.len() - 1
            }
        };
        self.observed += 1;
        let entry = &mut self.entries[at];
        entry.heard = self.observed;
        let before = entry.sighting.clone();
        let is_new = entry.browsed.is_empty() && entry.answered.is_empty();
        entry.merge(heard);
        (is_new || entry.sighting != before).then(|| entry.sighting.clone())
    }

    /// Removes a server that sent a goodbye, or was silent for its time to live.
    pub(super) fn remove(&mut self, instance: &str) -> Option<Sighting> {
        let at = self.position(instance)?;
        Some(self.entries.remove(at).sighting)
    }

    /// All servers, in the order of their discovery.
    pub(super) fn sightings(&self) -> impl Iterator<Item = &Sighting> {
        self.entries.iter().map(|entry| &entry.sighting)
    }

    /// DNS ignores case (RFC 6762 16).
    fn position(&self, instance: &str) -> Option<usize> {
        self.entries.iter().position(|e| e.sighting.instance.eq_ignore_ascii_case(instance))
    }
}

impl CachedServer {
    fn of(sighting: Sighting) -> CachedServer {
        CachedServer { sighting, browsed: Vec::new(), answered: Vec::new(), heard: 0 }
    }

    fn merge(&mut self, heard: Sighting) {
        let port = heard.addrs.first().map(SocketAddr::port);
        let same_port = |addr: &SocketAddr| Some(addr.port()) == port;
        if heard.heard.browse {
            // The browse reports all addresses of a family, so others of that family have expired.
            let told = |addr: &SocketAddr| heard.addrs.iter().any(|a| a.is_ipv4() == addr.is_ipv4());
            self.answered.retain(|addr| heard.addrs.contains(addr) || !told(addr));
            self.browsed.clone_from(&heard.addrs);
        } else {
            self.answered.extend(&heard.addrs);
            self.answered = in_order(std::mem::take(&mut self.answered));
        }
        // A restarted server may have another port.
        self.browsed.retain(same_port);
        self.answered.retain(same_port);
        let either = HeardBy {
            browse: self.sighting.heard.browse || heard.heard.browse,
            one_shot: self.sighting.heard.one_shot || heard.heard.one_shot,
        };
        let addrs = in_order(self.browsed.iter().chain(&self.answered).copied());
        self.sighting = Sighting { addrs, heard: either, ..heard };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWSE: HeardBy = HeardBy { browse: true, one_shot: false };
    const ONE_SHOT: HeardBy = HeardBy { browse: false, one_shot: true };

    fn seen(instance: &str, addrs: &[&str], heard: HeardBy) -> Sighting {
        Sighting::new(instance, [], addrs.iter().map(|text| text.parse().unwrap()), heard)
    }

    fn addrs(sighting: &Sighting) -> Vec<String> {
        sighting.addrs.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn both_ways_of_hearing_make_one_server() {
        let mut cache = ServerCache::default();
        cache.observe(seen("a", &["10.0.0.1:1"], ONE_SHOT)).unwrap();
        let both = cache.observe(seen("A", &["10.0.0.1:1", "[fd00::1]:1"], BROWSE)).unwrap();
        assert_eq!(addrs(&both), ["10.0.0.1:1", "[fd00::1]:1"]);
        assert_eq!(both.heard, HeardBy { browse: true, one_shot: true });
        assert_eq!(cache.sightings().count(), 1);
    }

    #[test]
    fn hearing_the_same_again_is_no_news() {
        let mut cache = ServerCache::default();
        assert!(cache.observe(seen("a", &["10.0.0.1:1"], ONE_SHOT)).is_some());
        assert!(cache.observe(seen("a", &["10.0.0.1:1"], ONE_SHOT)).is_none());
    }

    #[test]
    fn an_address_that_the_browser_does_not_tell_of_is_gone() {
        let mut cache = ServerCache::default();
        cache.observe(seen("a", &["10.0.0.1:1"], ONE_SHOT));
        let half = cache.observe(seen("a", &["[fd00::1]:1"], BROWSE)).unwrap();
        assert_eq!(addrs(&half), ["10.0.0.1:1", "[fd00::1]:1"], "the other family comes a moment later");
        let moved = cache.observe(seen("a", &["10.0.0.9:1", "[fd00::1]:1"], BROWSE)).unwrap();
        assert_eq!(addrs(&moved), ["10.0.0.9:1", "[fd00::1]:1"]);
    }

    #[test]
    fn a_new_port_replaces_the_old_one() {
        let mut cache = ServerCache::default();
        cache.observe(seen("a", &["10.0.0.1:1"], BROWSE));
        let moved = cache.observe(seen("a", &["10.0.0.1:2"], ONE_SHOT)).unwrap();
        assert_eq!(addrs(&moved), ["10.0.0.1:2"]);
    }

    #[test]
    fn one_shot_answers_of_several_links_add_up() {
        let mut cache = ServerCache::default();
        cache.observe(seen("a", &["10.0.0.1:1"], ONE_SHOT));
        let both = cache.observe(seen("a", &["10.0.1.1:1"], ONE_SHOT)).unwrap();
        assert_eq!(addrs(&both), ["10.0.0.1:1", "10.0.1.1:1"]);
    }

    #[test]
    fn in_a_flood_of_servers_a_new_one_is_seen_and_the_one_not_heard_of_for_longest_goes() {
        let mut cache = ServerCache::default();
        for number in 0..1000 {
            cache.observe(seen(&format!("s{number}"), &["10.0.0.1:1"], BROWSE));
            cache.observe(seen("s0", &["10.0.0.1:1"], BROWSE));
        }
        assert_eq!(cache.sightings().count(), MAX_SERVERS);
        assert!(cache.observe(seen("real", &["10.0.0.2:1"], BROWSE)).is_some());
        assert!(cache.remove("REAL").is_some() && cache.remove("real").is_none());
        assert!(cache.remove("s0").is_some(), "it was heard of all the time");
        assert!(cache.remove("s1").is_none() && cache.remove("s999").is_some());
    }
}
