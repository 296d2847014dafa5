//! Looks for other servers while a server runs that was started at the prompt. Of two that started at the
//! same time, one gives way, and both sides choose the same one.

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

/// How often to ask the other servers how many users they have.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// The pause before the server that would stay on equal terms looks again. The other one has decided by then,
/// so that never both give way.
const SECOND_LOOK: Duration = Duration::from_millis(1500);

/// A server younger than this gives way even with users. An older one does so only without, because anyone
/// could end it by announcing another.
const YOUTH: Duration = Duration::from_secs(60);

/// Rivals to watch; a LAN usually has one.
const MAX_RIVALS: usize = 8;

/// The way to deal with another server.
#[derive(Debug)]
pub(crate) enum Rival {
    /// Move there, with all users.
    GiveWay(ServerInfo),
    /// Both servers have users, who must decide.
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
    /// Where the other servers are, by instance name.
    rivals: HashMap<String, Sighting>,
    /// The ids that the user was told about.
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

    /// Records the servers that are there. Returns those to ask.
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
        // For example, another address of this server.
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
        // The other server gives way, or its user gets the same notice.
        let is_told = self.told.contains(&rival.server.id);
        if is_told || here.total <= 1 || rival.total <= 1 || self.start.elapsed() < YOUTH {
            return None;
        }
        self.told.push(rival.server.id.clone());
        Some(Rival::Beside(rival.server))
    }
}

/// Whether the server here must give way: to any server that was started to stay, otherwise to the one with
/// more users, or with the smaller id.
fn yields(here: &ServerStatus, rival: &ServerStatus) -> bool {
    let (own, other) = ((here.total, &rival.server.id), (rival.total, &here.server.id));
    !rival.interim || own < other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(id: &str, total: usize, interim: bool) -> ServerStatus {
        let server = ServerInfo { id: id.into(), ..ServerInfo::default() };
        ServerStatus { server, node: None, closed: false, total, interim, run: None, web: None }
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
