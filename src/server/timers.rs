//! The one timer of the server: gathered presence and late handshakes, not a timer a connection.

use super::hub::Hub;
use std::sync::Arc;

/// Runs until aborted. Sleeps while nothing is due.
pub(super) async fn run(hub: Arc<Hub>) {
    loop {
        match hub.tick() {
            None => hub.sooner().await,
            Some(due) => {
                tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    () = hub.sooner() => {}
                }
            }
        }
    }
}
