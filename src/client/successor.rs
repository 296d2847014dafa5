//! The search for a server at the prompt: when none was there, or the one that was has gone for good. It
//! goes on until it finds one, so that an offer to host can be withdrawn as soon as somebody else has done it.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::error::Error;
use super::locate::{Located, Locator};
use super::trust::Trust;
use crate::discovery::{Progress, Search, SearchOptions, Sighting};

/// Between two searches.
const PAUSE: Duration = Duration::from_millis(250);

/// When a search begins to note who is announced: by then most have found their server, and need not know.
const LISTEN_AFTER: Duration = Duration::from_millis(500);

/// What a search comes to.
pub(super) struct News {
    pub(super) located: Result<Located, Error>,
    /// The servers that are announced at the moment.
    pub(super) announced: Vec<Sighting>,
}

/// A search under way. Dropping it ends it.
pub(super) struct Successor {
    news: mpsc::Receiver<News>,
    task: JoinHandle<()>,
}

impl Successor {
    /// Begins after a pause.
    pub(super) fn search(locator: Locator, trust: Trust, pause: Duration) -> Self {
        let (sender, news) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let mut ear = Ear::default();
            sleep(pause).await;
            loop {
                let news = look(&locator, &trust, &mut ear, |_| {}).await;
                let goes_on = matches!(news.located, Ok(Located::Nothing(_)) | Err(_));
                if sender.send(news).await.is_err() || !goes_on {
                    return;
                }
                sleep(PAUSE).await;
            }
        });
        Self { news, task }
    }

    /// What the next search comes to; none after the one that found something. Safe to cancel.
    pub(super) async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Hears who is announced.
#[derive(Default)]
pub(super) struct Ear {
    search: Option<Search>,
    is_deaf: bool,
}

impl Ear {
    /// Goes on for ever. Safe to cancel.
    async fn listen(&mut self) {
        loop {
            match &mut self.search {
                Some(search) => {
                    if search.next().await.is_none() {
                        (self.search, self.is_deaf) = (None, true);
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    fn open(&mut self) {
        self.search = Some(Search::start(SearchOptions { browse: true, one_shot: false }));
    }

    fn is_closed(&self) -> bool {
        self.search.is_none() && !self.is_deaf
    }
}

/// Searches once, and notes who is announced if that takes longer.
pub(super) async fn look(
    locator: &Locator,
    trust: &Trust,
    ear: &mut Ear,
    slow: impl FnMut(Progress),
) -> News {
    let mut locating = std::pin::pin!(locator.locate(trust, slow));
    let listens_at = Instant::now() + LISTEN_AFTER;
    let located = loop {
        let waits = locator.searches() && ear.is_closed();
        tokio::select! {
            located = &mut locating => break located,
            () = sleep_until(listens_at), if waits => ear.open(),
            () = ear.listen() => {}
        }
    };
    let announced = ear.search.iter().flat_map(Search::sightings).cloned().collect();
    News { located, announced }
}
