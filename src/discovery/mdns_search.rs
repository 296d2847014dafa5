//! Searches by a browse and one-shot queries, and reports both as one stream of events.

use super::browse::Browser;
use super::interfaces::{interfaces, multicast_ports};
use super::oneshot::Querier;
use super::server_cache::ServerCache;
use super::sighting::{Observation, Sighting};
use crate::limits::SEARCH_QUEUE;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Which kinds of queries to use.
#[derive(Clone, Copy, Debug)]
pub struct SearchOptions {
    /// The usual browse.
    pub browse: bool,
    /// One-shot queries, which are faster.
    pub one_shot: bool,
}

impl Default for SearchOptions {
    fn default() -> SearchOptions {
        SearchOptions { browse: true, one_shot: true }
    }
}

/// An event of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchEvent {
    /// A server is new, or its data changed.
    Seen(Sighting),
    /// A server sent a goodbye, or was silent for its time to live (two minutes).
    Gone(Sighting),
}

/// Which sockets a search could open.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The interfaces that it asks on, without loopback.
    pub links: Vec<String>,
    /// Why UDP port 5353 cannot be shared, so the browse hears nothing.
    pub port: Option<String>,
    /// Other failures, each as a sentence with its reason.
    pub failures: Vec<String>,
}

/// A running search. It ends, with its sockets and tasks, when it is dropped.
#[derive(Debug)]
pub struct MdnsSearch {
    cache: ServerCache,
    events: mpsc::Receiver<Observation>,
    reach: Reach,
    /// The tasks of the browse and the one-shot queries, which end with the search.
    _tasks: JoinSet<()>,
}

impl MdnsSearch {
    /// Starts to search, on a tokio runtime. [`MdnsSearch::reach`] lists sockets that cannot be opened; the
    /// search continues without them.
    pub fn start(options: SearchOptions) -> MdnsSearch {
        let (sender, events) = mpsc::channel(SEARCH_QUEUE);
        let mut tasks = JoinSet::new();
        let mut reach = Reach::default();
        let links = interfaces().unwrap_or_else(|error| {
            reach.failures.push(format!("cannot list the network interfaces: {error}"));
            Vec::new()
        });
        reach.links = links.iter().filter(|l| !l.loopback).map(|l| l.name.clone()).collect();
        if options.one_shot {
            let mut querier = Querier::new(sender.clone());
            for (name, error) in querier.update(&links) {
                reach.failures.push(format!("cannot open a multicast socket on {name}: {error}"));
            }
            tasks.spawn(querier.keep_up());
        }
        if options.browse {
            if let Err(error) = multicast_ports().0 {
                reach.port = Some(error.to_string());
            }
            match Browser::start() {
                Ok(browser) => drop(tasks.spawn(browser.forward(sender))),
                Err(error) => reach.failures.push(format!("cannot start mDNS: {error}")),
            }
        }
        for failure in reach.failures.iter().chain(&reach.port) {
            tracing::debug!("search: {failure}");
        }
        MdnsSearch { cache: ServerCache::default(), events, reach, _tasks: tasks }
    }

    /// Waits for the next event. `None` if no socket is left. Safe to cancel.
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

    /// Takes in events until `deadline`, or until nothing has changed for `quiet` after a server was seen.
    pub async fn collect(&mut self, deadline: Instant, quiet: Duration) {
        let mut until = deadline;
        while let Ok(Some(_)) = timeout_at(until, self.next()).await {
            if self.sightings().next().is_some() {
                until = Instant::now().checked_add(quiet).map_or(deadline, |until| until.min(deadline));
            }
        }
    }

    /// All servers that are present, in the order of their discovery.
    pub fn sightings(&self) -> impl Iterator<Item = &Sighting> {
        self.cache.sightings()
    }

    /// Which sockets are open.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }
}
