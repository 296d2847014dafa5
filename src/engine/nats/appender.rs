//! Appends: several under way at a time, each answered or given up.

use super::super::EngineEvent;
use super::api::{ApiFault, append_fault, code};
use super::config::EngineConfig;
use super::health::EngineHealth;
use super::link::Link;
use super::listener::OwnAppend;
use async_nats::header::NATS_EXPECTED_LAST_SEQUENCE;
use async_nats::{HeaderMap, Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Appends under way. A log on three servers gets no faster with more.
const IN_FLIGHT: usize = 16;

/// How long to wait for an answer: less than a node waits before it appends the same again.
const PATIENCE: Duration = Duration::from_millis(900);

/// An append that a node asks for.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) after: u64,
    pub(super) bytes: Bytes,
}

#[derive(Debug)]
pub(super) struct Appender {
    link: Link,
    subject: String,
    health: EngineHealth,
    events: mpsc::Sender<EngineEvent>,
    /// For the listener.
    own: mpsc::Sender<OwnAppend>,
    /// The answers' subjects begin with it.
    inbox: String,
    answers: Subscriber,
    elections: Subscriber,
    /// The oldest first.
    in_flight: VecDeque<Pending>,
    sent: u64,
}

#[derive(Debug)]
struct Pending {
    number: u64,
    after: u64,
    until: Instant,
}

impl Appender {
    /// # Errors
    ///
    /// If the client has ended.
    pub(super) async fn new(
        link: Link,
        config: &EngineConfig,
        health: EngineHealth,
        events: mpsc::Sender<EngineEvent>,
        own: mpsc::Sender<OwnAppend>,
    ) -> Result<Self, async_nats::SubscribeError> {
        let unique = link.client.new_inbox();
        let unique = unique.rsplit('.').next().unwrap_or_default();
        let inbox = format!("{}.{unique}", config.answers_subject());
        let answers = link.client.subscribe(format!("{inbox}.*")).await?;
        let elections = link.client.subscribe(config.elections_subject()).await?;
        let (subject, in_flight) = (config.log_subject(), VecDeque::new());
        Ok(Self { link, subject, health, events, own, inbox, answers, elections, in_flight, sent: 0 })
    }

    /// Appends until the node's handle is gone.
    pub(super) async fn run(mut self, mut appends: mpsc::Receiver<Append>) {
        loop {
            let until = self.in_flight.front().map(|pending| pending.until);
            let expired = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                answer = self.answers.next() => match answer {
                    Some(answer) => self.answer(&answer),
                    None => return,
                },
                // Appends on their way to the last leader will get no answer.
                Some(_) = self.elections.next() => self.give_up(|_| true, "the engine has elected a leader"),
                () = self.link.changed() => self.give_up(|_| true, "the connection was lost"),
                () = expired => self.give_up(|pending| pending.until <= Instant::now(), "no answer"),
                append = appends.recv(), if self.in_flight.len() < IN_FLIGHT => match append {
                    Some(append) => self.append(append).await,
                    None => return,
                },
            }
        }
    }

    async fn append(&mut self, append: Append) {
        let Append { after, bytes } = append;
        if !self.link.is_connected() || !self.health.is_fit() {
            self.tell(EngineEvent::Unanswered { after });
            return;
        }
        self.sent += 1;
        let number = self.sent;
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, after.to_string());
        let reply = format!("{}.{number}", self.inbox);
        // If the listener is slow, it asks the log for the record.
        let _ = self.own.try_send(OwnAppend { reply: reply.clone(), bytes: bytes.clone() });
        let sent =
            self.link.client.publish_with_reply_and_headers(self.subject.clone(), reply, headers, bytes);
        if let Err(error) = sent.await {
            self.health.append_failed(&error.to_string());
            self.tell(EngineEvent::Unanswered { after });
            return;
        }
        self.in_flight.push_back(Pending { number, after, until: Instant::now() + PATIENCE });
    }

    fn answer(&mut self, answer: &Message) {
        let number = answer.subject.rsplit('.').next().and_then(|number| number.parse().ok());
        // An answer to an append that was given up changes nothing: the caller may have repeated it.
        let Some(at) = self.in_flight.iter().position(|pending| Some(pending.number) == number) else {
            return;
        };
        let Some(Pending { after, .. }) = self.in_flight.remove(at) else { return };
        let fault = match answer.status {
            Some(StatusCode::NO_RESPONDERS) => Some(ApiFault::Unanswered("no log, or no leader".to_owned())),
            _ => append_fault(&answer.payload),
        };
        match fault {
            None => self.health.append_worked(),
            Some(fault) if fault.is_code(&code::WRONG_LAST_SEQUENCE) => {
                self.health.append_worked();
                self.tell(EngineEvent::Refused { after });
            }
            Some(fault) => {
                self.health.append_failed(&fault.text());
                self.tell(EngineEvent::Unanswered { after });
            }
        }
    }

    fn give_up(&mut self, which: impl Fn(&Pending) -> bool, why: &str) {
        let all = std::mem::take(&mut self.in_flight);
        for pending in all {
            if which(&pending) {
                self.health.append_failed(why);
                self.tell(EngineEvent::Unanswered { after: pending.after });
            } else {
                self.in_flight.push_back(pending);
            }
        }
    }

    /// Tells the node, unless it is slow: it repeats an append that it does not read back.
    fn tell(&self, event: EngineEvent) {
        let _ = self.events.try_send(event);
    }
}
