//! The server's only timer task: collected presence and late handshakes. No connection has a timer.

use super::hub::Hub;
use std::sync::Arc;

/// Runs until aborted; sleeps while nothing is due.
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
