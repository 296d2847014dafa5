//! A connection for which there is no place, or whose address has misbehaved: it comes in if its key is
//! known, and is told why not if it is not.

use super::{Door, Failure, Opened};
use crate::fingerprint::Fingerprint;
use crate::limits::{CONNECTIONS_PER_KNOWN_KEY, GIVING_WAY_TIMEOUT};
use crate::protocol::Code;
use crate::security::ServerChannel;
use crate::server::gate::{Claim, Doubt, Pass};
use crate::server::giving_way::make_room;
use std::time::{Duration, Instant};

/// How often it is looked whether the connection that gave way is gone.
const PAUSE: Duration = Duration::from_millis(20);

/// Lets the connection in, or says why not.
pub(super) async fn prove(door: &Door, pass: &mut Pass, opened: &Opened) -> Result<(), Failure> {
    let Some(doubt) = pass.doubt(door.hub.uptime()) else { return Ok(()) };
    let key = opened.channel.as_ref().and_then(ServerChannel::peer_key);
    let Some(key) = key.filter(|key| door.hub.is_known(key)) else { return Err(refusal(doubt)) };
    match pass.claim(&key).ok_or(Failure::Gone)? {
        Claim::In => Ok(()),
        Claim::Enough => Err(full(format!(
            "your key has the {CONNECTIONS_PER_KNOWN_KEY} connections that it may have while this server is \
             full, or your address is kept out; close one of them"
        ))),
        Claim::Full => in_place_of_another(door, pass, &key).await,
    }
}

/// Another connection gives way, and this one has its place.
async fn in_place_of_another(door: &Door, pass: &mut Pass, key: &Fingerprint) -> Result<(), Failure> {
    let start = Instant::now();
    if !pass.may_give_way(door.hub.uptime()) {
        return Err(full("every place is taken at the moment; try again in a few seconds".into()));
    }
    let room = door.room.lock().await;
    if !make_room(&door.hub, pass.gate(), key) {
        return Err(full("every place is taken, by others who own a name here; try again later".into()));
    }
    drop(room);
    // It is given a little time to read why.
    while start.elapsed() < GIVING_WAY_TIMEOUT {
        if pass.claim(key).ok_or(Failure::Gone)? == Claim::In {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(full("every place is taken at the moment; try again in a few seconds".into()))
}

/// What somebody is told whose key is not known.
pub(super) fn refusal(doubt: Doubt) -> Failure {
    let why = match doubt {
        Doubt::Boxed => {
            let why = "somebody at your address has misbehaved, so that only those come in from there who own \
                       a name here; try again later";
            return Failure::Refused(Code::RateLimited, why.into());
        }
        Doubt::Memory => "this server is short of memory and takes no more clients; try again later",
        Doubt::Full => {
            "this server has all the clients it takes; only those still come in who own a name here; try again \
             later"
        }
        Doubt::Share => {
            "this server fills up and has as many clients of your address or network as it takes; try again \
             later"
        }
    };
    full(why.into())
}

fn full(why: String) -> Failure {
    Failure::Refused(Code::ServerFull, why)
}
