//! From one server of a chat to the next: all prove the same key, so the first that lets the client in will do.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::credentials::{Credentials, JoinTerms};
use super::join_error::JoinError;
use super::register::Registered;
use crate::client::find::{Locator, reach};
use crate::client::link::LinkError;
use crate::fingerprint::Fingerprint;

/// How long people may take to leave a server that has ended, so that the next one does not meet all of them at once.
const SPREAD: Duration = Duration::from_millis(200);

/// How long a server may take to answer before the client also tries the next one. Much longer than an answer takes:
/// each attempt costs a server a handshake, and it gets many when another one has ended.
const NEXT_AFTER: Duration = Duration::from_millis(300);

/// How long a server may take to let the client in.
const ENTRY_WAIT: Duration = Duration::from_secs(3);

/// Joins the first of these servers that proves the key and lets the client in; none if no server does.
///
/// # Errors
/// If no further attempt would succeed.
pub(super) async fn join_next(
    addrs: Vec<SocketAddr>,
    key: Fingerprint,
    (locator, credentials): (&Locator, &Credentials),
    terms: JoinTerms,
) -> Result<Option<Registered>, JoinError> {
    let mut left = locator.may_try(addrs).into_iter();
    let mut reaching = JoinSet::new();
    sleep(spread()).await;
    loop {
        if let Some(addr) = left.next() {
            let channel = locator.channel().to(Some(key));
            reaching.spawn(async move { reach(&[addr], &channel).await });
        }
        let reached = tokio::select! {
            reached = reaching.join_next() => match reached {
                Some(Ok(Ok(reached))) => reached,
                Some(_) => continue,
                None => return Ok(None),
            },
            () = sleep(NEXT_AFTER), if left.len() > 0 => continue,
        };
        let peer = reached.link.peer();
        let entry = timeout(ENTRY_WAIT, credentials.admit(reached.link, "", false, terms)).await;
        match entry.unwrap_or(Err(JoinError::Link(LinkError::Silent))) {
            Ok(registered) => {
                locator.remember(&[peer]);
                return Ok(Some(registered));
            }
            Err(error) if error.is_final() => return Err(error),
            Err(error) => tracing::debug!("the server at {peer} does not let this client in: {error}"),
        }
    }
}

fn spread() -> Duration {
    let mut random = [0; 1];
    // Without randomness, all leave at once.
    let _ = getrandom::fill(&mut random);
    SPREAD * u32::from(random[0]) / 255
}
