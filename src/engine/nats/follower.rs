//! Reads the log without a gap.
//!
//! A consumer within the engine sends the records. It may vanish with its server, get stuck, or lose records on the way.
//! So the follower trusts positions and heartbeats only: at the first doubt, it creates another consumer, from the
//! position that it needs next.

use super::super::EngineEvent;
use super::api::{StreamInfo, code, create_consumer};
use super::config::EngineConfig;
use super::health::EngineHealth;
use super::link::Link;
use async_nats::header::NATS_LAST_CONSUMER;
use async_nats::{HeaderName, Message, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

/// How often an idle consumer says that it is there.
const BEAT_EVERY: Duration = Duration::from_millis(500);

/// How long a consumer may be silent.
const SILENCE: Duration = Duration::from_millis(1600);

/// How long the log has to look lost before it is: servers that have just started may not know all that is in it.
const DOUBT: Duration = Duration::from_secs(4);

/// How many consumers leave out a record before it is missing from the log.
const MAX_SKIPPED: u8 = 3;

/// Pause before another consumer.
const PAUSE: Duration = Duration::from_millis(200);

/// The header of a heartbeat that asks for an answer, because the last one got lost.
const STALLED: &str = "Nats-Consumer-Stalled";

#[derive(Debug)]
pub(super) struct Follower {
    pub(super) link: Link,
    pub(super) config: EngineConfig,
    pub(super) health: EngineHealth,
    pub(super) events: mpsc::Sender<EngineEvent>,
}

/// Where the follower is in one log.
#[derive(Debug)]
struct LogReading {
    next: u64,
    /// When the log was created.
    log: Option<String>,
    /// Since when it looks lost.
    doubted: Option<Instant>,
    /// How many consumers in a row have left out the next record.
    skipped: u8,
}

impl LogReading {
    fn after(position: u64) -> Self {
        Self { next: position + 1, log: None, doubted: None, skipped: 0 }
    }
}

/// A record's numbers, from its reply subject.
#[derive(Debug, PartialEq, Eq)]
struct Numbers {
    /// In the log.
    position: u64,
    /// Among those that this consumer has sent, from 1 on.
    count: u64,
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
            match self.survey(place).await {
                Survey::Good => self.consume(place).await?,
                Survey::Unclear => {}
                Survey::Lost(first, last) => return Ok(Some(EngineEvent::Lost { first, last })),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Looks whether the log goes on from where the follower is.
    async fn survey(&self, place: &mut LogReading) -> Survey {
        let found = match StreamInfo::get(&self.link, &self.config).await {
            Ok(info) => {
                let other = place.log.as_ref().is_some_and(|log| *log != info.created);
                let (first, last) = (info.state.first_seq, info.state.last_seq);
                // An empty log has no first record.
                let first = if last == 0 { 1 } else { first };
                if other || place.next < first {
                    return Survey::Lost(first, last);
                }
                if place.skipped >= MAX_SKIPPED {
                    return Survey::Lost(place.next + 1, last);
                }
                if place.next <= last + 1 {
                    place.log = Some(info.created);
                    place.doubted = None;
                    return Survey::Good;
                }
                (first, last)
            }
            Err(fault) if fault.is_code(&[code::STREAM_NOT_FOUND]) && place.next > 1 => (1, 0),
            Err(_) => return Survey::Unclear,
        };
        let since = *place.doubted.get_or_insert_with(Instant::now);
        if since.elapsed() < DOUBT { Survey::Unclear } else { Survey::Lost(found.0, found.1) }
    }

    /// Reads from a new consumer until there is a doubt.
    async fn consume(&mut self, place: &mut LogReading) -> Result<(), Gone> {
        let subject = self.link.client.new_inbox();
        let Ok(mut records) = self.link.client.subscribe(subject.clone()).await else { return Ok(()) };
        let created = create_consumer(&self.link, &self.config, place.next, &subject, BEAT_EVERY).await;
        if let Err(fault) = created {
            tracing::debug!(event = "engine_no_consumer", why = fault.text(), "cannot create a consumer");
            return Ok(());
        }
        let mut count = 0;
        loop {
            let next = tokio::select! {
                next = timeout(SILENCE, records.next()) => next,
                () = self.link.changed() => return Ok(()),
            };
            let Ok(Some(message)) = next else { return Ok(()) };
            if let Some(status) = message.status {
                if !self.beat(status, &message, count).await {
                    return Ok(());
                }
                continue;
            }
            let Some(numbers) = message.reply.as_deref().and_then(numbers) else { return Ok(()) };
            count += 1;
            if numbers.count != count {
                return Ok(());
            }
            if numbers.position > place.next {
                place.skipped += 1;
                return Ok(());
            }
            // A replica that lags behind lets a consumer begin earlier.
            if numbers.position == place.next {
                self.deliver(numbers.position, message.payload).await?;
                place.next += 1;
                place.skipped = 0;
            }
        }
    }

    /// Hands a record to the node, and waits for a slow one.
    async fn deliver(&self, position: u64, bytes: Bytes) -> Result<(), Gone> {
        self.events.send(EngineEvent::Record { position, bytes }).await.map_err(|_| Gone)
    }

    /// Answers a heartbeat. `false`: the consumer has ended, or has sent records that did not arrive.
    async fn beat(&self, status: StatusCode, message: &Message, count: u64) -> bool {
        if status != StatusCode::IDLE_HEARTBEAT {
            return false;
        }
        let header = |name: HeaderName| {
            message
                .headers
                .as_ref()
                .and_then(|headers| headers.get(name))
                .map(|value| value.as_str().to_owned())
        };
        let stalled = header(HeaderName::from_static(STALLED));
        // The engine waits for this answer before it sends on.
        if let Some(reply) = message.reply.as_deref().map(str::to_owned).or(stalled)
            && self.link.client.publish(reply, Bytes::new()).await.is_err()
        {
            return false;
        }
        let sent = header(NATS_LAST_CONSUMER).and_then(|sent| sent.parse::<u64>().ok());
        sent.is_none_or(|sent| sent <= count)
    }
}

/// The result of a look at the log.
enum Survey {
    Good,
    Unclear,
    /// The positions of its first and its last record.
    Lost(u64, u64),
}

/// Reads `$JS.ACK.<stream>.<consumer>.<deliveries>.<position>.<count>.<time>.<pending>`, which has a domain and an
/// account after `ACK` in its longer form.
fn numbers(reply: &str) -> Option<Numbers> {
    let parts: Vec<&str> = reply.split('.').collect();
    let (position, count) = match parts.len() {
        9 => (parts[5], parts[6]),
        11.. => (parts[7], parts[8]),
        _ => return None,
    };
    Some(Numbers { position: position.parse().ok()?, count: count.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_its_position_in_the_short_and_in_the_long_form() {
        let short = "$JS.ACK.lanchat-x.abc.1.42.7.1700000000000000000.3";
        let long = "$JS.ACK._.HASH.lanchat-x.abc.1.42.7.1700000000000000000.3.token";
        assert_eq!(numbers(short), Some(Numbers { position: 42, count: 7 }));
        assert_eq!(numbers(long), Some(Numbers { position: 42, count: 7 }));
        assert_eq!(numbers("_INBOX.x"), None);
    }
}
