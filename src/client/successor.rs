//! The search for a server at the prompt: when none was there, or the one that was has gone for good. It
//! goes on until it finds one, so that an offer to host can be withdrawn as soon as somebody else has done it.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::error::Error;
use super::locate::{Located, Locator};
use super::trust::Trust;

/// Between two searches.
const PAUSE: Duration = Duration::from_millis(250);

/// A search under way. Dropping it ends it.
pub(super) struct Successor {
    found: mpsc::Receiver<Result<Located, Error>>,
    task: JoinHandle<()>,
}

impl Successor {
    /// Begins after a pause.
    pub(super) fn search(locator: Locator, trust: Trust, pause: Duration) -> Self {
        let (sender, found) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let mut told = None;
            sleep(pause).await;
            loop {
                let located = match locator.locate(&trust, || {}).await {
                    // Nobody goes by themselves from a server to another one of its name.
                    Ok(Located::One(reached)) => match trust.namesake(&reached) {
                        Some(refusal) => Err(refusal),
                        None => Ok(Located::One(reached)),
                    },
                    located => located,
                };
                let goes_on = matches!(located, Ok(Located::Nothing(_)) | Err(_));
                let error = located.as_ref().err().cloned();
                let is_news = error.is_none() || error != told;
                told = error;
                if (is_news && sender.send(located).await.is_err()) || !goes_on {
                    return;
                }
                sleep(PAUSE).await;
            }
        });
        Self { found, task }
    }

    /// What the next search comes to; none after the one that found something. Safe to cancel.
    pub(super) async fn next(&mut self) -> Option<Result<Located, Error>> {
        self.found.recv().await
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        self.task.abort();
    }
}
