//! Trying one address: is there a way, does something take connections, and is it a lanchat server?

use super::contact::{Answer, Contact, Fault};
use super::findings::{By, Knock, Outcome};
use crate::client::JoinRefusal;
use crate::discovery::{ConnectFailure, Subnet};
use crate::limits::{DOCTOR_KNOCK, PROBE_TIMEOUT};
use crate::text::safe_line;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// An address to try.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) addr: SocketAddr,
    pub(super) by: By,
    pub(super) of: Option<String>,
}

/// Tries it, until `end` at the latest. `is_meant` says of a name and an id whether that is the server.
pub(super) async fn knock<C: Contact>(
    contact: C,
    Target { addr, by, of }: Target,
    end: Instant,
    is_meant: impl Fn(&str, &str) -> bool,
) -> Knock {
    let start = Instant::now();
    let connected = timeout_at(end.min(start + DOCTOR_KNOCK), TcpStream::connect(addr)).await;
    let (outcome, took) = match connected {
        // The bare connection ends here: who is asked gets one of their own.
        Ok(Ok(_)) => {
            let outcome = match timeout_at(end.min(Instant::now() + PROBE_TIMEOUT), contact.ask(addr)).await {
                Ok(answered) => outcome(answered, is_meant),
                Err(_late) => Outcome::Hung,
            };
            (outcome, start.elapsed())
        }
        Ok(Err(error)) => (unconnected(&error, start.elapsed()), start.elapsed()),
        Err(_late) => (Outcome::Silent, start.elapsed()),
    };
    Knock { addr, by, of, outcome, took, detour: None, is_there: None, is_swallowed: false }
}

fn outcome(answered: Result<Answer, Fault>, is_meant: impl Fn(&str, &str) -> bool) -> Outcome {
    match answered {
        Ok(proof) => {
            let short: String = proof.id.chars().take(8).collect();
            let server = safe_line(&format!("{} ({short})", proof.name));
            Outcome::Answered { server, standing: proof.link, is_meant: is_meant(&proof.name, &proof.id) }
        }
        Err(Fault::WrongKey(why)) => {
            let standing = Err(JoinRefusal::Key(safe_line(&why)));
            Outcome::Answered { server: "a server".into(), standing, is_meant: true }
        }
        Err(Fault::TurnedAway(why)) => Outcome::TurnedAway(safe_line(&why)),
        Err(Fault::Foreign(why)) => Outcome::Foreign(safe_line(&why)),
        Err(Fault::Silent) => Outcome::Hung,
    }
}

fn unconnected(error: &std::io::Error, took: Duration) -> Outcome {
    match ConnectFailure::of(error, took) {
        ConnectFailure::Refused => Outcome::Refused,
        ConnectFailure::Rejected => Outcome::Rejected,
        ConnectFailure::Nobody => Outcome::Unreachable,
        ConnectFailure::Forbidden => Outcome::Forbidden,
        ConnectFailure::NoRoute | ConnectFailure::Elsewhere => Outcome::NoRoute,
        ConnectFailure::Silent | ConnectFailure::Said(_) => Outcome::Silent,
    }
}

/// The interface, or else address, from which this machine sends to `addr`, if that is not the network that
/// it is in: a VPN takes the traffic, say. Sends nothing.
pub(super) fn detour(addr: SocketAddr, subnets: &[Subnet]) -> Option<String> {
    let direct: Vec<&Subnet> = subnets.iter().filter(|subnet| subnet.contains(addr.ip())).collect();
    // What has no network of its own goes by a router, wherever that leads.
    let first = direct.first()?;
    let any: IpAddr = if addr.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(addr).ok()?;
    let source = socket.local_addr().ok()?.ip();
    let is_own = source == addr.ip() || source.is_loopback();
    let is_direct = is_own || direct.iter().any(|subnet| subnet.contains(source) && first.prefix > 0);
    if is_direct {
        return None;
    }
    let by = subnets.iter().find(|subnet| subnet.address == source);
    Some(by.map_or_else(|| source.to_string(), |subnet| subnet.link.clone()))
}
