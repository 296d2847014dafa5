//! A search: the browse and the one-shot queries together, as one stream of changes.

use super::browse::Browser;
use super::interfaces::{interfaces, multicast_port};
use super::oneshot::Querier;
use super::server_cache::ServerCache;
use super::sighting::{Observation, Sighting};
use crate::limits::SEARCH_QUEUE;
use std::fmt;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Which ways of searching to use.
#[derive(Clone, Copy, Debug)]
pub struct SearchOptions {
    /// The ordinary browse, which goes on for as long as the search does.
    pub browse: bool,
    /// The one-shot queries, which are fast, and go on as well.
    pub one_shot: bool,
}

impl Default for SearchOptions {
    fn default() -> SearchOptions {
        SearchOptions { browse: true, one_shot: true }
    }
}

/// News of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchEvent {
    /// A server was seen, or what is known of it changed: all that is known now.
    Seen(Sighting),
    /// A server said goodbye, or was not heard of for its time to live (two minutes).
    Gone(Sighting),
}

/// How far a search reaches: what was opened, and what could not be.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The interfaces on which was asked, without the loopback.
    pub links: Vec<String>,
    /// Why UDP port 5353 cannot be shared, without which the browse hears nothing.
    pub port: Option<String>,
    /// What else failed, each as a sentence with its reason.
    pub failures: Vec<String>,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.links.as_slice() {
            [] => f.write_str("no network interface"),
            links => write!(f, "{}", links.join(", ")),
        }
    }
}

/// A running search. It ends, with its sockets and tasks, when it is dropped.
#[derive(Debug)]
pub struct MdnsSearch {
    cache: ServerCache,
    events: mpsc::Receiver<Observation>,
    reach: Reach,
    /// The browse's task and that of the one-shot queries; both end with the search.
    _tasks: JoinSet<()>,
}

impl MdnsSearch {
    /// Starts searching, on a tokio runtime. What can't be opened is noted in [`MdnsSearch::reach`]; the
    /// rest goes on without it.
    pub fn start(options: SearchOptions) -> MdnsSearch {
        let (sender, events) = mpsc::channel(SEARCH_QUEUE);
        let mut tasks = JoinSet::new();
        let mut reach = Reach::default();
        let links = interfaces().unwrap_or_else(|error| {
            reach.failures.push(format!("the network interfaces cannot be listed: {error}"));
            Vec::new()
        });
        reach.links = links.iter().filter(|l| !l.loopback).map(|l| l.name.clone()).collect();
        if options.one_shot {
            let mut querier = Querier::new(sender.clone());
            for (name, error) in querier.update(&links) {
                reach.failures.push(format!("no multicast socket on {name}: {error}"));
            }
            tasks.spawn(querier.keep_up());
        }
        if options.browse {
            if let Err(error) = multicast_port() {
                reach.port = Some(error.to_string());
            }
            match Browser::start() {
                Ok(browser) => drop(tasks.spawn(browser.forward(sender))),
                Err(error) => reach.failures.push(format!("mDNS cannot be started: {error}")),
            }
        }
        for failure in reach.failures.iter().chain(&reach.port) {
            tracing::debug!("search: {failure}");
        }
        MdnsSearch { cache: ServerCache::default(), events, reach, _tasks: tasks }
    }

    /// The next change; waits for it. `None` if nothing is left by which to hear of any. May be
    /// cancelled and called again.
    pub async fn next(&mut self) -> Option<SearchEvent> {
        loop {
            let change = match self.events.recv().await? {
                Observation::Seen(sighting) => self.cache.observe(sighting).map(SearchEvent::Seen),
                Observation::Gone(instance) => self.cache.remove(&instance).map(SearchEvent::Gone),
            };
            if change.is_some() {
                return change;
            }
        }
    }

    /// Takes in changes until `deadline`, or until nothing has changed for `quiet` since a server was
    /// seen.
    pub async fn collect(&mut self, deadline: Instant, quiet: Duration) {
        let mut until = deadline;
        while let Ok(Some(_)) = timeout_at(until, self.next()).await {
            if self.sightings().next().is_some() {
                until = Instant::now().checked_add(quiet).map_or(deadline, |until| until.min(deadline));
            }
        }
    }

    /// All servers seen and not gone, in the order in which they were first seen.
    pub fn sightings(&self) -> impl Iterator<Item = &Sighting> {
        self.cache.sightings()
    }

    /// How far the search reaches.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }
}
