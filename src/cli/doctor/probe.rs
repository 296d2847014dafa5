//! Probes one address: is there a route, does something accept connections, and is it a lanchat server?

use super::findings::{PageFinding, Probe, ProbeOutcome, ProbeSource, SeenPage, ServerRun};
use super::prober::Prober;
use crate::client::{Error, JoinRefusal, ProbedServer};
use crate::discovery::{ConnectFailure, Proof, Subnet};
use crate::limits::{DOCTOR_CONNECT, PROBE_TIMEOUT};
use crate::protocol::WebAccess;
use crate::text::safe_line;
use jiff::Timestamp;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

#[derive(Clone, Debug)]
pub(super) struct ProbeTarget {
    pub(super) addr: SocketAddr,
    pub(super) source: ProbeSource,
    pub(super) name: Option<String>,
}

/// Probes an address, until `end` at the latest. `is_meant` decides by a server's name and id whether the user
/// asked for it.
pub(super) async fn probe<C: Prober>(
    prober: C,
    ProbeTarget { addr, source, name }: ProbeTarget,
    end: Instant,
    is_meant: impl Fn(&str, &str) -> bool,
) -> Probe {
    let start = Instant::now();
    let connected = timeout_at(end.min(start + DOCTOR_CONNECT), TcpStream::connect(addr)).await;
    let (mut run, mut page) = (None, PageFinding::Unknown);
    let (outcome, took) = match connected {
        // This connection only showed that there is a way; the question gets one of its own.
        Ok(Ok(_)) => {
            let asking = prober.clone().ask(addr);
            let answered = timeout_at(end.min(Instant::now() + PROBE_TIMEOUT), asking).await;
            let took = start.elapsed();
            let outcome = match answered {
                Ok(answered) => {
                    run = answered.as_ref().ok().and_then(server_run);
                    if let Ok(proof) = &answered {
                        page = look_at_page(prober, addr, proof.link.web, end).await;
                    }
                    outcome(answered, is_meant)
                }
                Err(_late) => ProbeOutcome::Hung,
            };
            (outcome, took)
        }
        Ok(Err(error)) => (unconnected(&error, start.elapsed()), start.elapsed()),
        Err(_late) => (ProbeOutcome::Silent, start.elapsed()),
    };
    Probe { addr, source, name, outcome, run, page, took, detour: None, is_there: None, is_swallowed: false }
}

/// `access`: how browsers join, as the server says.
async fn look_at_page<C: Prober>(
    prober: C,
    addr: SocketAddr,
    access: Option<WebAccess>,
    end: Instant,
) -> PageFinding {
    let Some(access) = access else { return PageFinding::None };
    match timeout_at(end, prober.page(addr)).await {
        Ok(report) => PageFinding::Served(Box::new(SeenPage { access, report, at: Timestamp::now() })),
        Err(_late) => PageFinding::Unknown,
    }
}

fn server_run(proof: &Proof<ProbedServer>) -> Option<ServerRun> {
    Some(ServerRun { id: proof.id.clone(), run: proof.link.run.clone()? })
}

fn outcome(
    answered: Result<Proof<ProbedServer>, Error>,
    is_meant: impl Fn(&str, &str) -> bool,
) -> ProbeOutcome {
    match answered {
        Ok(proof) => {
            let short: String = proof.id.chars().take(8).collect();
            let server = safe_line(&format!("{} ({short})", proof.name));
            ProbeOutcome::Answered { server, key: proof.link.key, is_meant: is_meant(&proof.name, &proof.id) }
        }
        Err(Error::Untrusted(lines)) => {
            let key = Err(JoinRefusal::Key(safe_line(&lines.join("; "))));
            ProbeOutcome::Answered { server: "a server".into(), key, is_meant: true }
        }
        Err(Error::Refused(why, _)) => ProbeOutcome::TurnedAway(safe_line(&why)),
        Err(Error::NoAnswer) => ProbeOutcome::Hung,
        Err(error) => ProbeOutcome::Foreign(safe_line(&error.to_string())),
    }
}

fn unconnected(error: &std::io::Error, took: Duration) -> ProbeOutcome {
    match ConnectFailure::of(error, took) {
        ConnectFailure::Refused => ProbeOutcome::Refused,
        ConnectFailure::Rejected => ProbeOutcome::Rejected,
        ConnectFailure::Nobody => ProbeOutcome::Unreachable,
        ConnectFailure::Forbidden => ProbeOutcome::Forbidden,
        ConnectFailure::NoRoute | ConnectFailure::Elsewhere => ProbeOutcome::NoRoute,
        ConnectFailure::Silent | ConnectFailure::Said(_) => ProbeOutcome::Silent,
    }
}

/// Finds the interface, or else the source address, through which this machine reaches `addr` if that is not
/// the network of `addr`: a VPN takes the traffic, for example. Sends nothing.
pub(super) fn detour(addr: SocketAddr, subnets: &[Subnet]) -> Option<String> {
    let direct: Vec<&Subnet> = subnets.iter().filter(|subnet| subnet.contains(addr.ip())).collect();
    // An address outside this machine's networks goes through a router, wherever that leads.
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
