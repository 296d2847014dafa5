//! Hears of the newest records: all appends, and the log's answers to them.

use super::api::append_position;
use super::config::EngineConfig;
use super::fresh_records::FreshRecords;
use super::link::Link;
use async_nats::{Message, SubscribeError, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

/// An append of this node, which the engine does not return to it.
#[derive(Debug)]
pub(super) struct OwnAppend {
    /// The subject for the answer.
    pub(super) reply: String,
    pub(super) bytes: Bytes,
}

#[derive(Debug)]
pub(super) struct Listener {
    pub(super) fresh: FreshRecords,
    appends: Subscriber,
    own: mpsc::Receiver<OwnAppend>,
    answers: Subscriber,
}

impl Listener {
    /// # Errors
    ///
    /// If the client has ended.
    pub(super) async fn new(
        link: &Link,
        config: &EngineConfig,
        own: mpsc::Receiver<OwnAppend>,
    ) -> Result<Self, SubscribeError> {
        let appends = link.client.subscribe(config.log_subject()).await?;
        let answers = link.client.subscribe(format!("{}.>", config.answers_subject())).await?;
        Ok(Self { fresh: FreshRecords::default(), appends, own, answers })
    }

    /// Waits for the next append or answer. Returns the position if the log has taken one.
    pub(super) async fn hear(&mut self) -> Option<u64> {
        tokio::select! {
            Some(append) = self.appends.next() => self.append(append),
            Some(append) = self.own.recv() => {
                self.fresh.append(&append.reply, append.bytes);
                None
            }
            Some(answer) = self.answers.next() => {
                let position = append_position(&answer.payload)?;
                self.fresh.acknowledged(&answer.subject, position);
                Some(position)
            }
            // The client has ended.
            else => std::future::pending().await,
        }
    }

    fn append(&mut self, append: Message) -> Option<u64> {
        self.fresh.append(&append.reply?, append.payload);
        None
    }
}
