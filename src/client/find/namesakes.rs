//! Looks for other servers with the name of the one that was joined. The client joins a known server as soon
//! as it answers, so it may hear of a namesake a moment later.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::client::background::Background;
use crate::discovery::{MdnsSearch, SearchEvent, SearchOptions, Sighting};
use crate::fingerprint::Fingerprint;

/// How long to look. Responders may keep quiet for a second, and an ordinary browse then hears of them within
/// 1.1 s.
const WATCH: Duration = Duration::from_secs(2);

/// Reports the id of the first server that has this name and another key.
pub(crate) fn watch_namesakes(name: String, key: Fingerprint) -> Background<String> {
    Background::start(1, async move |sender| {
        let end = Instant::now() + WATCH;
        let mut search = MdnsSearch::start(SearchOptions::default());
        while let Ok(Some(change)) = timeout_at(end, search.next()).await {
            let SearchEvent::Seen(sighting) = change else { continue };
            if let Some(id) = namesake(&sighting, &name, key) {
                // Without a receiver, the client is about to end.
                let _ = sender.send(id).await;
                return;
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
