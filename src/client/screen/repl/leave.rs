//! The end of a conversation: what is on its way gets its receipt or is said to have none.

use std::time::Duration;

use tokio::time::timeout;

use super::Repl;
use crate::client::connection::{Connection, Update};
use crate::client::conversation::Moment;
use crate::protocol::Event;

/// How long leaving waits for receipts, or for a connection to get some.
const RECEIPT_WAIT: Duration = Duration::from_secs(2);

/// How long leaving waits for the server's last words.
const LAST_WAIT: Duration = Duration::from_secs(1);

impl Repl {
    /// Waits for receipts, says goodbye, shows the last words and what was not sent, and gives the
    /// terminal back.
    pub(super) async fn leave(mut self) {
        if let Some(mut connection) = self.connection.take() {
            let _ = timeout(RECEIPT_WAIT, self.receipts(&mut connection)).await;
            if self.session.say_goodbye() {
                let _ = timeout(LAST_WAIT, self.last_words(&mut connection)).await;
            }
        }
        let abandoned = self.session.abandon();
        self.show(abandoned);
        self.place.visitor.progress.save();
        if let Some(hosting) = self.place.hosting.take() {
            hosting.shutdown().await;
        }
        self.prompt.close();
    }

    /// Goes on until everything has its receipt, over a new connection if there is one in time.
    async fn receipts(&mut self, connection: &mut Connection) {
        while self.session.pending() > 0 {
            let now = Moment::now();
            let effects = match connection.next().await {
                Some(Update::Up(up)) => self.session.up(*up, now),
                Some(Update::Event(event, id)) => self.session.event(&event, id.as_deref(), now),
                Some(Update::Note(line)) => self.session.note(&line),
                Some(Update::Down(loss)) => self.session.down(&loss.why, now.back_to(loss.since)),
                Some(Update::Gone(_) | Update::Failed(_)) | None => return,
            };
            self.show(effects);
        }
    }

    async fn last_words(&mut self, connection: &mut Connection) {
        while let Some(Update::Event(event, id)) = connection.next().await {
            if !matches!(event, Event::Bye { .. }) {
                let effects = self.session.event(&event, id.as_deref(), Moment::now());
                self.show(effects);
            }
        }
    }
}
