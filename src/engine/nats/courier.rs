//! Messages between nodes. They are not part of the log, and may get lost.

use super::super::EngineEvent;
use super::config::EngineConfig;
use super::link::Link;
use async_nats::{SubscribeError, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

/// A message to send.
#[derive(Debug)]
pub(super) enum Letter {
    To(u8, Bytes),
    Others(Bytes),
}

#[derive(Debug)]
pub(super) struct Courier {
    link: Link,
    config: EngineConfig,
    events: mpsc::Sender<EngineEvent>,
    mine: Subscriber,
    all: Subscriber,
}

impl Courier {
    /// # Errors
    ///
    /// If the client has ended.
    pub(super) async fn new(
        link: Link,
        config: EngineConfig,
        events: mpsc::Sender<EngineEvent>,
    ) -> Result<Self, SubscribeError> {
        let mine = link.client.subscribe(config.node_subject(config.node)).await?;
        let all = link.client.subscribe(config.all_subject()).await?;
        Ok(Self { link, config, events, mine, all })
    }

    /// Sends and receives until the node's handle is gone.
    pub(super) async fn run(mut self, mut letters: mpsc::Receiver<Letter>) {
        loop {
            tokio::select! {
                Some(message) = self.mine.next() => self.receive(message.payload),
                Some(message) = self.all.next() => self.receive(message.payload),
                letter = letters.recv() => match letter {
                    Some(letter) => self.send(letter).await,
                    None => return,
                },
            }
        }
    }

    async fn send(&self, letter: Letter) {
        let (subject, bytes) = match letter {
            // The engine does not return a connection's own messages.
            Letter::To(node, bytes) if node == self.config.node => return self.receive(bytes),
            Letter::To(node, bytes) => (self.config.node_subject(node), bytes),
            Letter::Others(bytes) => (self.config.all_subject(), bytes),
        };
        // The client would keep it until it is connected again, when nobody waits for it.
        if !self.link.is_connected() {
            return;
        }
        if let Err(error) = self.link.client.publish(subject, bytes).await {
            tracing::debug!(event = "engine_message_lost", %error, "cannot send a message to a node");
        }
    }

    /// Hands a message to the node, unless it is slow.
    fn receive(&self, bytes: Bytes) {
        let _ = self.events.try_send(EngineEvent::Message { bytes });
    }
}
