//! The last resort where multicast is blocked: knocking at every address of one's own networks. Only
//! ever done when the user asks for it, because to others it looks like an attack.

use super::interfaces::attachments;
use super::kind::Kind;
use super::outcome::{Found, Proof};
use crate::limits::{MAX_PROBES, MAX_SCAN_NETWORKS, SCAN_TIMEOUT};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Probes this TCP port at the 254 addresses of the private IPv4 networks that this machine is in
/// (four at most, each taken as a /24), and gives the servers that answered within 0.5 s each.
///
/// # Errors
/// If the machine's interfaces can't be listed.
pub async fn scan<T, E, F>(port: u16, probe: impl Fn(SocketAddr) -> F) -> io::Result<Vec<Found<T>>>
where
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut networks: Vec<[u8; 3]> = Vec::new();
    for ip in attachments()?.into_iter().filter(|one| one.kind != Kind::Inner).flat_map(|one| one.link.addrs) {
        if let IpAddr::V4(v4) = ip
            && v4.is_private()
            && let [a, b, c, _] = v4.octets()
            && !networks.contains(&[a, b, c])
        {
            networks.push([a, b, c]);
        }
    }
    let permits = Arc::new(Semaphore::new(MAX_PROBES));
    let mut attempts = JoinSet::new();
    for [a, b, c] in networks.into_iter().take(MAX_SCAN_NETWORKS) {
        for host in 1..=254 {
            let addr = SocketAddr::from(([a, b, c, host], port));
            let (attempt, permits) = (probe(addr), permits.clone());
            attempts.spawn(async move {
                let _permit = permits.acquire_owned().await;
                (addr, timeout(SCAN_TIMEOUT, attempt).await)
            });
        }
    }
    let mut found: Vec<Found<T>> = Vec::new();
    while let Some(ended) = attempts.join_next().await {
        if let Ok((addr, Ok(Ok(Proof { id, name, link })))) = ended
            && !found.iter().any(|known| known.id == id)
        {
            found.push(Found { id, name, addr, addrs: vec![addr], namesakes: Vec::new(), link });
        }
    }
    Ok(found)
}
