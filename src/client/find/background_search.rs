//! The search for a server at the prompt: when none was there, or the one that was has gone for good. It goes
//! on until it finds one, so the client can withdraw its offer as soon as another user has started a server.

use std::time::Duration;

use tokio::time::sleep;

use super::locator::{Located, Locator};
use crate::client::background::Background;
use crate::client::error::Error;

/// Between two searches.
const PAUSE: Duration = Duration::from_millis(250);

/// Searches after a pause. Reports what each search finds, and ends with the one that finds something.
pub(crate) fn search_in_background(locator: Locator, pause: Duration) -> Background<Result<Located, Error>> {
    Background::start(1, async move |sender| {
        let mut told = None;
        sleep(pause).await;
        loop {
            let located = match locator.locate(|| {}).await {
                // Only the user decides to join another server of the same name.
                Ok(Located::One(reached)) => match locator.trust().namesake(&reached) {
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
    })
}
