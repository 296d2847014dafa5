//! Reads the log without a gap.
//!
//! The newest records come by themselves ([`listener`](super::listener)). The follower asks the log for those
//! that did not come. It uses no consumer of JetStream: only the leader of the engine's servers can create one, and after
//! a failure that leader may be missing, or take no requests, for half a minute after the log itself works again.

use super::super::EngineEvent;
use super::api::{StreamInfo, get_record};
use super::config::EngineConfig;
use super::fresh_records::FreshRecords;
use super::health::EngineHealth;
use super::link::Link;
use super::listener::Listener;
use super::log_reading::{LogReading, Survey};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// How often to look whether the log has more, if nothing comes.
const LOOK_IDLE: Duration = Duration::from_millis(500);

/// How often to look whether it is still the same log, whatever comes.
const LOOK_BUSY: Duration = Duration::from_secs(2);

/// How long to wait for the rest of a record that others already follow.
const GRACE: Duration = Duration::from_millis(20);

/// Pause before another look.
const PAUSE: Duration = Duration::from_millis(200);

/// Requests under way for records that did not come by themselves.
const REQUESTS: usize = 64;

#[derive(Debug)]
pub(super) struct Follower {
    pub(super) link: Link,
    pub(super) config: EngineConfig,
    pub(super) health: EngineHealth,
    pub(super) events: mpsc::Sender<EngineEvent>,
    pub(super) listener: Listener,
}

/// The reader is gone.
struct Gone;

impl Follower {
    /// Follows whenever the node asks for it.
    pub(super) async fn run(mut self, mut wanted: watch::Receiver<Option<u64>>) {
        loop {
            let after = *wanted.borrow_and_update();
            let lost = match after {
                Some(after) => {
                    // It may be of another log.
                    self.listener.fresh = FreshRecords::default();
                    let mut place = LogReading::after(after);
                    tokio::select! {
                        lost = self.follow(&mut place) => lost,
                        again = wanted.changed() => match again {
                            Ok(()) => continue,
                            Err(_) => return,
                        },
                    }
                }
                None => Ok(None),
            };
            let Ok(lost) = lost else { return };
            if let Some(lost) = lost
                && self.events.send(lost).await.is_err()
            {
                return;
            }
            if wanted.changed().await.is_err() {
                return;
            }
        }
    }

    /// Follows until the log is lost.
    async fn follow(&mut self, place: &mut LogReading) -> Result<Option<EngineEvent>, Gone> {
        loop {
            self.link.connected().await;
            self.health.fit().await;
            if self.events.is_closed() {
                return Err(Gone);
            }
            let found = StreamInfo::get(&self.link, &self.config).await;
            match place.judge(found, Instant::now()) {
                Survey::Good(last) => self.read(place, last).await?,
                Survey::Unclear => tokio::time::sleep(PAUSE).await,
                Survey::Lost(first, last) => return Ok(Some(EngineEvent::Lost { first, last })),
            }
        }
    }

    /// Reads up to the last record, and on as records come, until it is time to look at the log again.
    async fn read(&mut self, place: &mut LogReading, mut last: u64) -> Result<(), Gone> {
        let end = Instant::now() + LOOK_BUSY;
        // Since when the next record is overdue.
        let mut overdue = (place.next() <= last).then(Instant::now);
        let mut grace = Duration::ZERO;
        loop {
            while place.has_begun()
                && let Some(bytes) = self.listener.fresh.take(place.next())
            {
                self.deliver(place, bytes, true).await?;
                overdue = None;
            }
            let now = Instant::now();
            let is_behind = place.next() <= last;
            let until = if is_behind { *overdue.get_or_insert(now) + grace } else { now + LOOK_IDLE };
            tokio::select! {
                () = self.link.changed() => return Ok(()),
                () = sleep_until(until.min(end)) => {
                    if !is_behind || !self.ask(place, last).await? {
                        return Ok(());
                    }
                    (overdue, grace) = (None, GRACE);
                }
                // If the record did not come by an answer to a request, this is another log.
                heard = self.listener.hear() => match heard {
                    Some(position) if position < place.next() => return Ok(()),
                    heard => last = last.max(heard.unwrap_or(0)),
                },
            }
        }
    }

    /// Asks for the records up to this one, or to the first that came by itself; at the beginning, for the next one alone.
    /// `false`: not all are to be had now.
    async fn ask(&mut self, place: &mut LogReading, last: u64) -> Result<bool, Gone> {
        let last = match place.has_begun() {
            true => self.listener.fresh.first().map_or(last, |first| last.min(first - 1)),
            false => place.next(),
        };
        let (link, config) = (self.link.clone(), self.config.clone());
        let requests = stream::iter(place.next()..=last).map(|position| get_record(&link, &config, position));
        let mut answers = requests.buffered(REQUESTS);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(Some(bytes)) => self.deliver(place, bytes, false).await?,
                missing => {
                    if missing.is_ok() {
                        place.miss();
                    }
                    tokio::time::sleep(PAUSE).await;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Hands the next record to the node, and waits for a slow one.
    async fn deliver(&self, place: &mut LogReading, bytes: Bytes, is_heard: bool) -> Result<(), Gone> {
        let record = EngineEvent::Record { position: place.next(), bytes, is_heard };
        self.events.send(record).await.map_err(|_| Gone)?;
        place.advance();
        Ok(())
    }
}
