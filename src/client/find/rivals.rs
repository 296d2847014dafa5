//! Looks for other servers while one runs here that was started from the prompt. Of two that came to be at the
//! same time one gives way, and both sides find the same one.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::locator::status;
use crate::client::background::Background;
use crate::client::link::{Channel, ServerStatus};
use crate::discovery::{MdnsSearch, SearchEvent, SearchOptions, Sighting};
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::ServerInfo;

/// How often the others are asked how many they are.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Between the two looks of the one that should stay if all were equal: the other one has decided by then, so
/// that never both give way.
const SECOND_LOOK: Duration = Duration::from_millis(1500);

/// For so long after its start a server with people gives way. Later only one without: it would be too easy to
/// end another's server by announcing one.
const YOUTH: Duration = Duration::from_secs(60);

/// RivalWatch that are watched; a LAN has one.
const MAX_RIVALS: usize = 8;

/// What there is to do about another server.
#[derive(Debug)]
pub(crate) enum Rival {
    /// Go there, with everybody.
    GiveWay(ServerInfo),
    /// Both have people, so that these have to decide.
    Beside(ServerInfo),
}

/// Reports other servers than the one with this id at this address; the last report is the one to give way to.
pub(crate) fn watch_rivals(id: String, addr: SocketAddr, channel: Channel) -> Background<Rival> {
    let (start, rivals, told) = (Instant::now(), HashMap::new(), Vec::new());
    Background::start(1, |sender| RivalSearch { id, addr, channel, start, rivals, told }.run(sender))
}

struct RivalSearch {
    id: String,
    addr: SocketAddr,
    channel: Channel,
    start: Instant,
    /// Where the others are, by their instances.
    rivals: HashMap<String, Sighting>,
    /// The ids of those of which the user knows.
    told: Vec<String>,
}

impl RivalSearch {
    async fn run(mut self, sender: mpsc::Sender<Rival>) {
        let mut search = MdnsSearch::start(SearchOptions::default());
        let mut ticks = interval(ASK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                change = search.next() => match change {
                    Some(change) => self.take(change),
                    None => return,
                },
                _ = ticks.tick() => self.rivals.values().cloned().collect(),
            };
            for sighting in asked {
                let Some(rival) = self.judge(&sighting).await else { continue };
                let is_last = matches!(rival, Rival::GiveWay(_));
                if sender.send(rival).await.is_err() || is_last {
                    return;
                }
            }
        }
    }

    /// Notes who is there; gives those that are to be asked.
    fn take(&mut self, change: SearchEvent) -> Vec<Sighting> {
        match change {
            SearchEvent::Gone(sighting) => {
                self.rivals.remove(&sighting.instance);
                Vec::new()
            }
            SearchEvent::Seen(sighting) => {
                let is_own = sighting.id.as_ref().is_none_or(|id| self.id.starts_with(id.as_str()));
                let is_known = self.rivals.contains_key(&sighting.instance);
                if is_own || (!is_known && self.rivals.len() >= MAX_RIVALS) {
                    return Vec::new();
                }
                self.rivals.insert(sighting.instance.clone(), sighting.clone());
                vec![sighting]
            }
        }
    }

    async fn judge(&mut self, sighting: &Sighting) -> Option<Rival> {
        let own = self.channel.to(Fingerprint::from_id(&self.id));
        let other = self.channel.to(sighting.fp);
        let mut rival = status(&sighting.addrs, &other).await?;
        // Another address of this server, say.
        if rival.server.id == self.id || rival.server.id.is_empty() {
            return None;
        }
        let mut here = status(&[self.addr], &own).await?;
        if yields(&here, &rival) && rival.interim && self.id < rival.server.id {
            sleep(SECOND_LOOK).await;
            rival = status(&sighting.addrs, &other).await?;
            here = status(&[self.addr], &own).await?;
        }
        if yields(&here, &rival) && (here.total <= 1 || self.start.elapsed() < YOUTH) {
            return Some(Rival::GiveWay(rival.server));
        }
        // The other one gives way, or is told the same.
        let is_told = self.told.contains(&rival.server.id);
        if is_told || here.total <= 1 || rival.total <= 1 || self.start.elapsed() < YOUTH {
            return None;
        }
        self.told.push(rival.server.id.clone());
        Some(Rival::Beside(rival.server))
    }
}

/// Whether the server here is the one to give way: to any that was started to stay, and else the one with fewer
/// people, or with the greater id.
fn yields(here: &ServerStatus, rival: &ServerStatus) -> bool {
    let (own, other) = ((here.total, &rival.server.id), (rival.total, &here.server.id));
    !rival.interim || own < other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(id: &str, total: usize, interim: bool) -> ServerStatus {
        let server = ServerInfo { id: id.into(), ..ServerInfo::default() };
        ServerStatus { server, closed: false, total, interim }
    }

    #[test]
    fn of_two_servers_exactly_one_gives_way() {
        let all = [server("a", 1, true), server("b", 1, true), server("c", 2, true), server("d", 7, true)];
        for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
            if one.server.id != other.server.id {
                assert_ne!(yields(one, other), yields(other, one), "{one:?} {other:?}");
            }
        }
        assert!(yields(&server("b", 1, true), &server("a", 1, true)), "the smaller id stays");
        assert!(yields(&server("a", 1, true), &server("b", 2, true)), "and so do more people");
        assert!(yields(&server("a", 9, true), &server("b", 0, false)), "and who was started to stay");
    }
}
