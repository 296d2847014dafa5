//! A restricted connection: the server is full, or the address was penalized or has its share. Only a known
//! key is let in; anyone else learns why not.

use super::{Failure, Handshaker, Opened};
use crate::fingerprint::Fingerprint;
use crate::limits::{CONNECTIONS_PER_KNOWN_KEY, EVICTION_TIMEOUT};
use crate::protocol::Code;
use crate::server::eviction::evict_for;
use crate::server::gate::{KeyAdmission, Pass, Restriction};
use std::time::{Duration, Instant};

/// How often to check whether the evicted connection is gone.
const PAUSE: Duration = Duration::from_millis(20);

/// Lets the connection in if its key is known.
pub(super) async fn prove(handshaker: &Handshaker, pass: &mut Pass, opened: &Opened) -> Result<(), Failure> {
    let Some(restriction) = pass.restriction(handshaker.hub.uptime()) else { return Ok(()) };
    let key = opened.transport.peer_key();
    let Some(key) = key.filter(|key| handshaker.hub.is_known(key)) else { return Err(refusal(restriction)) };
    match pass.claim(&key).ok_or(Failure::Gone)? {
        KeyAdmission::Admitted => Ok(()),
        KeyAdmission::TooMany => Err(full(format!(
            "your key already has {CONNECTIONS_PER_KNOWN_KEY} connections, the most while this server is full or \
                         restricts your address; close one of them"
        ))),
        KeyAdmission::Full => evict_and_claim(handshaker, pass, &key).await,
    }
}

/// Evicts another connection, and claims its place.
async fn evict_and_claim(handshaker: &Handshaker, pass: &mut Pass, key: &Fingerprint) -> Result<(), Failure> {
    let start = Instant::now();
    if !pass.may_evict(handshaker.hub.uptime()) {
        return Err(full("this server is full at the moment; try again in a few seconds".into()));
    }
    let evicting = handshaker.evicting.lock().await;
    if !evict_for(&handshaker.hub, pass.gate(), key) {
        return Err(full("this server is full, with clients that own names here; try again later".into()));
    }
    drop(evicting);
    // The evicted client gets a little time to read why.
    while start.elapsed() < EVICTION_TIMEOUT {
        if pass.claim(key).ok_or(Failure::Gone)? == KeyAdmission::Admitted {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(full("this server is full at the moment; try again in a few seconds".into()))
}

/// The answer to a client whose key is unknown.
pub(super) fn refusal(restriction: Restriction) -> Failure {
    let why = match restriction {
        Restriction::Penalized => {
            let why = "because of misbehaviour from your address, only clients that own a name here may connect from \
                                   there; try again later";
            return Failure::Refused(Code::RateLimited, why.into());
        }
        Restriction::Memory => "this server is short of memory and accepts no new clients; try again later",
        Restriction::Full => {
            "this server is full; only clients that own a name here may still connect; try again later"
        }
        Restriction::Share => {
            "this server is filling up, and your address or network has its share of connections; try again \
                         later"
        }
    };
    full(why.into())
}

fn full(why: String) -> Failure {
    Failure::Refused(Code::ServerFull, why)
}
