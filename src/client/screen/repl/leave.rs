//! The end of a conversation: waits for receipts, and lists messages without one.

use std::time::Duration;

use tokio::time::timeout;

use super::{Ending, OpenQuestion, Repl};
use crate::client::connection::{Reconnector, Update};
use crate::client::conversation::CallTime;
use crate::client::screen::draft_file;

/// How long to wait for receipts, or for a connection that brings some.
const RECEIPT_WAIT: Duration = Duration::from_secs(2);

/// How long to wait for the server's last words.
const LAST_WAIT: Duration = Duration::from_secs(1);

impl Repl {
    /// Leaves, after a question if others would lose their server, or files are on their way.
    pub(super) fn quit(&mut self) -> Ending {
        let others = self.network.hosting.as_ref().map_or(0, |hosting| hosting.users().saturating_sub(1));
        let who = match others {
            0 => None,
            1 => Some("1 other user is connected to the server that you run".to_owned()),
            others => Some(format!("{others} other users are connected to the server that you run")),
        };
        let what = match self.conversation.running_transfers() {
            0 => None,
            1 => Some("1 file is on its way".to_owned()),
            files => Some(format!("{files} files are on their way")),
        };
        let text = match (who, what) {
            (None, None) => return Some(Ok(())),
            (Some(who), None) => format!("{who}. Leave and stop it? [y/N] "),
            (None, Some(what)) => format!("{what}. Leave and interrupt that? [y/N] "),
            (Some(who), Some(what)) => format!("{who}, and {what}. Leave and stop both? [y/N] "),
        };
        self.ask(text, OpenQuestion::Quit)
    }

    /// Waits for receipts, says goodbye, shows the last words and unsent messages, and releases the terminal.
    pub(super) async fn leave(mut self) {
        if let Some(mut connection) = self.connection.take() {
            let _ = timeout(RECEIPT_WAIT, self.receipts(&mut connection)).await;
            if self.conversation.say_goodbye() {
                let _ = timeout(LAST_WAIT, self.last_words(&mut connection)).await;
            }
        }
        self.files.stop().await;
        draft_file::leave(&self.conversation.addressed(&self.prompt.draft()));
        let abandoned = self.conversation.abandon();
        self.show(abandoned);
        self.network.credentials.position.save();
        if let Some(hosting) = self.network.hosting.take() {
            hosting.shutdown().await;
        }
        if self.title.is_some() {
            self.prompt.printer().restore_title();
        }
        self.prompt.close();
    }

    /// Waits until every message has its receipt, over a new connection if there is one in time.
    async fn receipts(&mut self, connection: &mut Reconnector) {
        while self.conversation.pending() > 0 {
            let Ok(update) = connection.next().await else { return };
            let effects = self.conversation.update(update, CallTime::now());
            self.show(effects);
        }
    }

    async fn last_words(&mut self, connection: &mut Reconnector) {
        while let Ok(update @ Update::Event(..)) = connection.next().await {
            let effects = self.conversation.update(update, CallTime::now());
            self.show(effects);
        }
    }
}
