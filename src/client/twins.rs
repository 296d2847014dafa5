//! Looks for others that go by the name of the server that was joined. The known one is joined as soon
//! as it answers, so that a twin may only be heard of a moment later.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::discovery::{MdnsSearch, SearchEvent, SearchOptions, Sighting};
use crate::fingerprint::Fingerprint;

/// How long twins are looked for. An ordinary browse that falls into the second in which responders
/// keep quiet hears of them within 1.1 s.
const WATCH: Duration = Duration::from_secs(2);

/// A look around under way. Dropping it ends it.
pub(super) struct Twins {
    found: mpsc::Receiver<String>,
    task: JoinHandle<()>,
}

impl Twins {
    /// Looks for servers with this name and another key.
    pub(super) fn watch(name: String, key: Fingerprint) -> Self {
        let (sender, found) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let end = Instant::now() + WATCH;
            let mut search = MdnsSearch::start(SearchOptions::default());
            while let Ok(Some(change)) = timeout_at(end, search.next()).await {
                let SearchEvent::Seen(sighting) = change else { continue };
                if let Some(id) = twin(&sighting, &name, key) {
                    // Nobody there to be told: the client ends.
                    let _ = sender.send(id).await;
                    return;
                }
            }
        });
        Self { found, task }
    }

    /// The id of a twin; none at the end. Safe to cancel.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.found.recv().await
    }
}

impl Drop for Twins {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The id of a server that has that name and not that key.
fn twin(sighting: &Sighting, name: &str, key: Fingerprint) -> Option<String> {
    let id = sighting.id.as_ref()?;
    let is_twin = sighting.name.to_lowercase() == name.to_lowercase() && !key.id().starts_with(id.as_str());
    is_twin.then(|| id.clone())
}
