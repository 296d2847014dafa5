//! The last resort where multicast is blocked: knocking at every address of one's own networks. Only
//! ever done when the user asks for it, because to others it looks like an attack.

use super::interfaces::attachments;
use super::kind::Kind;
use super::net::Net;
use super::outcome::{Found, Proof};
use crate::limits::{
    MAX_SCAN_NETWORKS, MAX_SCAN_PORTS, MAX_SCAN_PROBES, SCAN_BURST, SCAN_PER_SECOND, SCAN_PREFIX,
    SCAN_TIMEOUT,
};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// What a scan goes through: the private IPv4 networks that this machine is in, of each 1,022 addresses
/// around its own at most. Displayed as a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terrain {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    /// Its first address, which no host has.
    base: u32,
    prefix: u8,
    /// The address that this machine has in it.
    own: u32,
    /// The prefix of the network that it is a part of, if it is not all of it.
    part_of: Option<u8>,
}

impl Terrain {
    /// Looks which networks there are: four at most, those of containers and virtual machines left out.
    ///
    /// # Errors
    /// If the machine's interfaces can't be listed.
    pub fn survey() -> io::Result<Terrain> {
        let all = attachments()?;
        let meant = all.iter().filter(|one| !one.link.loopback && one.kind != Kind::Inner);
        Ok(Terrain::of(meant.flat_map(|one| one.nets.iter().copied())))
    }

    fn of(nets: impl IntoIterator<Item = Net>) -> Terrain {
        let mut parts: Vec<Part> = Vec::new();
        for net in nets {
            let IpAddr::V4(ip) = net.ip else { continue };
            // In a network of one or two addresses there is nobody to look for.
            if !ip.is_private() || net.prefix > 30 {
                continue;
            }
            let prefix = net.prefix.max(SCAN_PREFIX);
            let own = u32::from(ip);
            let base = own & (u32::MAX << (32 - prefix));
            if !parts.iter().any(|part| (part.base, part.prefix) == (base, prefix)) {
                let part_of = (net.prefix < prefix).then_some(net.prefix);
                parts.push(Part { base, prefix, own, part_of });
            }
        }
        parts.truncate(MAX_SCAN_NETWORKS);
        Terrain { parts }
    }

    /// Those of the /24 around this machine's own address come first.
    fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        let hosts = |part: &Part| {
            let (base, last) = (part.base, (1 << (32 - part.prefix)) - 1);
            let own_block = (part.own - base) & !0xff;
            (0..=last)
                .map(move |n| n ^ own_block)
                .filter(move |n| (1..last).contains(n))
                .map(move |n| base + n)
        };
        self.parts.iter().flat_map(hosts).map(Ipv4Addr::from)
    }

    /// How many addresses it has.
    pub fn count(&self) -> usize {
        self.addresses().count()
    }

    /// Whether there is nothing to go through.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Probes these TCP ports, four at most, at all addresses, and returns the servers that answered
    /// within 0.6 s each; 254 addresses take a second, 1,022 take ten. It ends after `within`, if that is given,
    /// with what was found by then. `tell` gets how many of how many attempts are over.
    pub async fn scan<T, E, F>(
        &self,
        ports: &[u16],
        probe: impl Fn(SocketAddr) -> F,
        within: Option<Duration>,
        mut tell: impl FnMut(u64, u64),
    ) -> Vec<Found<T>>
    where
        F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let permits = Arc::new(Semaphore::new(MAX_SCAN_PROBES));
        let mut attempts = JoinSet::new();
        let start = Instant::now();
        for (n, ip) in (0..).zip(self.addresses()) {
            let turn = start + Duration::from_secs(1) * u32::saturating_sub(n, SCAN_BURST) / SCAN_PER_SECOND;
            for port in ports.iter().take(MAX_SCAN_PORTS) {
                let addr = SocketAddr::from((ip, *port));
                let (attempt, permits) = (probe(addr), permits.clone());
                attempts.spawn(async move {
                    sleep_until(turn).await;
                    let _permit = permits.acquire_owned().await;
                    (addr, timeout(SCAN_TIMEOUT, attempt).await)
                });
            }
        }
        let total = attempts.len() as u64;
        let mut found: Vec<Found<T>> = Vec::new();
        // Without a limit, the attempts' own limits end it.
        let end = start + within.unwrap_or(Duration::from_secs(3600));
        while let Ok(Some(ended)) = timeout_at(end, attempts.join_next()).await {
            tell(total - attempts.len() as u64, total);
            if let Ok((addr, Ok(Ok(Proof { id, name, link })))) = ended {
                match found.iter_mut().find(|known| known.id == id) {
                    Some(known) => known.addrs.push(addr),
                    None => {
                        let (addrs, namesakes) = (vec![addr], Vec::new());
                        found.push(Found { id, name, addr, addrs, namesakes, link });
                    }
                }
            }
        }
        found
    }
}

impl fmt::Display for Terrain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{}/{}", Ipv4Addr::from(part.base), part.prefix)?;
            if let Some(whole) = part.part_of {
                write!(f, " (a part of the /{whole})")?;
            }
        }
        Ok(())
    }
}

/// Probes one TCP port at the addresses of this machine's networks, until `within` is over if that is given. See
/// [`Terrain`].
///
/// # Errors
/// If the machine's interfaces can't be listed.
pub async fn scan<T, E, F>(
    port: u16,
    probe: impl Fn(SocketAddr) -> F,
    within: Option<Duration>,
) -> io::Result<Vec<Found<T>>>
where
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    Ok(Terrain::survey()?.scan(&[port], probe, within, |_, _| {}).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terrain(nets: &[(&str, u8)]) -> Terrain {
        Terrain::of(nets.iter().map(|(ip, prefix)| Net { ip: ip.parse().unwrap(), prefix: *prefix }))
    }

    #[test]
    fn a_network_is_gone_through_whole_up_to_1022_addresses_around_ones_own() {
        for (net, shown, count) in [
            (("10.78.0.9", 24), "10.78.0.0/24", 254),
            (("10.78.5.9", 22), "10.78.4.0/22", 1022),
            (("10.78.5.9", 16), "10.78.4.0/22 (a part of the /16)", 1022),
            (("192.168.1.6", 30), "192.168.1.4/30", 2),
        ] {
            let terrain = terrain(&[net]);
            assert_eq!(
                (terrain.to_string().as_str(), terrain.addresses().count()),
                (shown, count),
                "{net:?}"
            );
            assert!(terrain.addresses().any(|ip| ip.to_string() == net.0), "{net:?}");
        }
    }

    #[test]
    fn ones_own_24_comes_first_and_every_address_once() {
        let addresses: Vec<Ipv4Addr> = terrain(&[("10.78.6.9", 22)]).addresses().collect();
        assert!(addresses[..256].iter().all(|ip| ip.octets()[2] == 6), "{:?}", &addresses[..256]);
        let mut each_once = addresses.clone();
        each_once.sort();
        each_once.dedup();
        assert_eq!((each_once.len(), addresses.len()), (1022, 1022));
        assert_eq!((each_once[0], each_once[1021]), ([10, 78, 4, 1].into(), [10, 78, 7, 254].into()));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_half_a_table_of_neighbours_waits_for_an_answer() {
        let (start, begun) = (Instant::now(), Arc::new(std::sync::Mutex::new(Vec::new())));
        let probe = |addr: SocketAddr| {
            let begun = begun.clone();
            async move {
                begun.lock().unwrap().push((start.elapsed(), addr.ip()));
                std::future::pending::<Result<Proof<()>, ()>>().await
            }
        };
        let found = terrain(&[("10.78.6.9", 22)]).scan(&[1, 2], probe, None, |_, _| {}).await;
        assert!(found.is_empty() && start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
        let begun = begun.lock().unwrap();
        assert_eq!(begun.len(), 2 * 1022);
        for (now, _) in begun.iter() {
            // Linux asks for an address for 3 s.
            let is_asked_for = |at: &Duration| at <= now && *at + Duration::from_secs(3) > *now;
            let asked: std::collections::HashSet<_> =
                begun.iter().filter(|(at, _)| is_asked_for(at)).map(|(_, ip)| ip).collect();
            assert!(asked.len() <= 512, "{} at {now:?}", asked.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_found_by_the_end_of_its_time_counts() {
        let probe = |addr: SocketAddr| async move {
            let proof = Proof { id: addr.to_string(), name: "office".into(), link: () };
            if addr.ip().to_string().ends_with(".6.20") {
                Ok(proof)
            } else {
                std::future::pending::<Result<_, ()>>().await
            }
        };
        let start = Instant::now();
        let found =
            terrain(&[("10.78.6.9", 22)]).scan(&[1], probe, Some(Duration::from_secs(2)), |_, _| {}).await;
        assert_eq!((found.len(), start.elapsed()), (1, Duration::from_secs(2)));
    }

    #[test]
    fn only_private_networks_are_gone_through_each_once_and_few() {
        let nets = [("10.0.0.1", 24), ("10.0.0.2", 24), ("8.8.8.8", 24), ("fd00::1", 64), ("10.1.1.1", 32)];
        assert_eq!(terrain(&nets).to_string(), "10.0.0.0/24");
        assert!(terrain(&[("169.254.1.1", 16)]).is_empty());
        let many: Vec<(String, u8)> = (0..9).map(|n| (format!("10.0.{n}.1"), 24)).collect();
        let many: Vec<(&str, u8)> = many.iter().map(|(ip, prefix)| (ip.as_str(), *prefix)).collect();
        assert_eq!(terrain(&many).addresses().count(), 4 * 254);
    }
}
