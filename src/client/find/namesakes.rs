//! Looks for other servers that may be taken for the one that was joined: with its name and another key, or with its
//! key. The client joins a known server as soon as it answers, so it may hear of another a moment later.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::copies::ShownPlaces;
use crate::client::background::Background;
use crate::discovery::{MdnsSearch, SearchEvent, SearchOptions, Sighting};
use crate::fingerprint::Fingerprint;

/// How long to look. Responders may keep quiet for a second, and an ordinary browse then hears of them within
/// 1.1 s.
const WATCH: Duration = Duration::from_secs(2);

/// Another server that may be taken for the one that was joined.
#[derive(Debug)]
pub(crate) enum LookAlikeServer {
    /// It has the name and another key: its id.
    Namesake(String),
    /// Servers with the same key are at these addresses.
    Copies(Vec<SocketAddr>),
}

/// Reports the first server that has this name (`None`: look for no name) and another key; or servers that have the key at
/// the same time.
pub(crate) fn watch_look_alikes(name: Option<String>, key: Fingerprint) -> Background<LookAlikeServer> {
    Background::start(1, async move |sender| {
        let end = Instant::now() + WATCH;
        let mut search = MdnsSearch::start(SearchOptions::default());
        let mut shown = ShownPlaces::of(key);
        while let Ok(Some(change)) = timeout_at(end, search.next()).await {
            let SearchEvent::Seen(sighting) = change else { continue };
            shown.note(&sighting);
            if let Some(id) = name.as_ref().and_then(|name| namesake(&sighting, name, key)) {
                // Without a receiver, the client is about to end.
                let _ = sender.send(LookAlikeServer::Namesake(id)).await;
                return;
            }
        }
        drop(search);
        if shown.are_suspicious() {
            let runs = shown.runs(|_| true).await;
            if runs.len() > 1 {
                let _ = sender.send(LookAlikeServer::Copies(runs.into_values().collect())).await;
            }
        }
    })
}

/// The id of a server that has this name and another key.
fn namesake(sighting: &Sighting, name: &str, key: Fingerprint) -> Option<String> {
    let id = sighting.id.as_ref()?;
    let is_twin = sighting.name.to_lowercase() == name.to_lowercase() && !key.id().starts_with(id.as_str());
    is_twin.then(|| id.clone())
}
