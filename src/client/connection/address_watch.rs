//! Notices that one end of a connection has moved, long before TCP does: this machine has lost the
//! connection's address, or the server announces other ones. A sign that anyone can forge triggers at most a
//! ping.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::client::background::next_of;
use crate::discovery::{self, MdnsSearch, SearchEvent, SearchOptions, Sighting};

/// How often to check this machine's addresses, which takes some 50 us.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The same without a connection.
const LOOK_FOR_NEW: Duration = Duration::from_millis(250);

/// Why a connection is lost whose address this machine no longer has.
pub(crate) const MOVED: &str = "this machine's address has changed";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// This machine has lost the connection's address and has others, so nothing more will arrive. It had the
    /// address at that time.
    Moved(Instant),
    /// The connection may be dead since that time.
    Doubt(Instant),
}

pub(crate) struct AddressWatch {
    /// This machine's address, if it belongs to a watched interface.
    local: Option<IpAddr>,
    /// When this machine last had that address.
    there: Instant,
    is_away: bool,
    peer: SocketAddr,
    id: String,
    /// Its name within its chat, whose other servers have the same id.
    node: Option<String>,
    /// Announcements; none if the client does not search the network.
    search: Option<MdnsSearch>,
    announced: Vec<SocketAddr>,
    ticks: Interval,
}

impl AddressWatch {
    /// `searches` says whether mDNS may announce the server with this id, and this name within its chat.
    pub(crate) fn start(
        (local, peer): (Option<IpAddr>, SocketAddr),
        (id, node): (&str, Option<&str>),
        searches: bool,
    ) -> Self {
        let own = addresses();
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let listens = searches && !peer.ip().is_loopback();
        Self {
            local: local.filter(|local| own.contains(local)),
            there: Instant::now(),
            is_away: false,
            peer,
            id: id.to_owned(),
            node: node.map(str::to_owned),
            search: listens.then(|| MdnsSearch::start(SearchOptions { browse: true, one_shot: false })),
            announced: Vec::new(),
            ticks,
        }
    }

    /// Why no answer comes. Looks at the addresses again, as the last look may be a moment old.
    pub(crate) fn silence(&mut self) -> &'static str {
        self.silence_with(&addresses())
    }

    fn silence_with(&mut self, own: &[IpAddr]) -> &'static str {
        match self.look(own) {
            Some(Sign::Moved(_)) => MOVED,
            _ if self.is_away => "this machine has no network",
            _ => "the server has stopped answering",
        }
    }

    /// The next sign. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Sign {
        loop {
            let sign = tokio::select! {
                _ = self.ticks.tick() => self.look(&addresses()),
                change = next_of(&mut self.search, MdnsSearch::next) => match change {
                    Some(change) => self.hear(&change),
                    None => {
                        self.search = None;
                        None
                    }
                },
            };
            if let Some(sign) = sign {
                return sign;
            }
        }
    }

    fn look(&mut self, own: &[IpAddr]) -> Option<Sign> {
        let local = self.local?;
        if own.contains(&local) {
            let there = std::mem::replace(&mut self.there, Instant::now());
            return std::mem::take(&mut self.is_away).then_some(Sign::Doubt(there));
        }
        // Without any network, a new connection is impossible, and the old one may recover.
        self.is_away = true;
        own.iter().any(|ip| is_usable(*ip)).then_some(Sign::Moved(self.there))
    }

    fn hear(&mut self, change: &SearchEvent) -> Option<Sign> {
        let is_it = |sighting: &Sighting| {
            let has_id = |id: &String| !id.is_empty() && self.id.starts_with(id.as_str());
            sighting.id.as_ref().is_some_and(has_id) && sighting.node == self.node
        };
        match change {
            SearchEvent::Gone(sighting) => is_it(sighting).then(|| Sign::Doubt(Instant::now())),
            SearchEvent::Seen(sighting) if is_it(sighting) => {
                let same = |one: &SocketAddr| (one.ip(), one.port()) == (self.peer.ip(), self.peer.port());
                let has_peer = sighting.addrs.iter().any(same);
                let is_new = |addr: &SocketAddr| !self.announced.contains(addr);
                let has_new = !self.announced.is_empty() && sighting.addrs.iter().any(is_new);
                self.announced.clone_from(&sighting.addrs);
                (has_new || !has_peer).then(|| Sign::Doubt(Instant::now()))
            }
            SearchEvent::Seen(_) => None,
        }
    }
}

/// Waits until this machine's addresses change. Safe to cancel.
pub(crate) async fn addresses_change() {
    let before = addresses();
    let mut ticks = interval(LOOK_FOR_NEW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = addresses();
        if now != before && now.iter().any(|ip| is_usable(*ip)) {
            return;
        }
    }
}

pub(crate) fn addresses() -> Vec<IpAddr> {
    discovery::interfaces().unwrap_or_default().into_iter().flat_map(|link| link.addrs).collect()
}

fn is_usable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_loopback(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f9a1c77001122333f9a1c77001122333f9a1c77001122333f9a1c7700112233";

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn moves() -> AddressWatch {
        let mut moves = AddressWatch::start((None, "10.0.0.1:7667".parse().unwrap()), (ID, None), false);
        moves.local = Some(ip("10.0.0.2"));
        moves
    }

    fn seen(id: &str, addrs: &[&str]) -> SearchEvent {
        SearchEvent::Seen(Sighting {
            id: Some(id.into()),
            fp: None,
            closed: false,
            web: false,
            name: "office".into(),
            node: None,
            instance: "office-1".into(),
            addrs: addrs.iter().map(|addr| addr.parse().unwrap()).collect(),
            version: None,
            txt: Default::default(),
            heard: Default::default(),
        })
    }

    #[tokio::test]
    async fn an_address_that_is_replaced_has_moved_and_one_that_comes_back_is_in_doubt() {
        let mut moves = moves();
        let (lo, before, after) = (ip("127.0.0.1"), ip("10.0.0.2"), ip("10.0.0.3"));
        assert_eq!(moves.look(&[lo, before]), None);
        assert_eq!(moves.look(&[lo, ip("fe80::1")]), None, "no network at all");
        assert!(matches!(moves.look(&[lo, before]), Some(Sign::Doubt(_))));
        assert_eq!(moves.look(&[lo, before]), None);
        assert_eq!(moves.silence_with(&[lo]), "this machine has no network");
        assert_eq!(moves.silence_with(&[lo, after]), MOVED);
        assert!(matches!(moves.look(&[lo, after]), Some(Sign::Moved(_))));
    }

    #[tokio::test]
    async fn only_other_addresses_of_the_same_server_are_a_sign() {
        let mut moves = moves();
        assert_eq!(moves.hear(&seen(&ID[..16], &["10.0.0.1:7667"])), None);
        assert_eq!(moves.hear(&seen("a0b1c2d3e4f50617", &["10.0.0.9:7667"])), None);
        let SearchEvent::Seen(other) = seen(ID, &["10.0.0.9:7667"]) else { unreachable!() };
        let other = Sighting { node: Some("b".into()), ..other };
        assert_eq!(moves.hear(&SearchEvent::Seen(other.clone())), None, "another server of the chat");
        assert_eq!(moves.hear(&SearchEvent::Gone(other)), None);
        let both = seen(ID, &["10.0.0.1:7667", "10.0.0.9:7667"]);
        assert!(matches!(moves.hear(&both), Some(Sign::Doubt(_))));
        assert_eq!(moves.hear(&both), None);
        assert!(matches!(moves.hear(&seen(ID, &["10.0.0.9:7667"])), Some(Sign::Doubt(_))));
    }
}
