//! Connects to every address of this machine's networks, the last resort if multicast is blocked. Only at the
//! user's request, because it looks like an attack.

use super::interface_kind::InterfaceKind;
use super::interfaces::infos;
use super::outcome::{Found, Proof};
use crate::limits::{
    MAX_SCAN_NETWORKS, MAX_SCAN_PORTS, MAX_SCAN_PROBES, SCAN_BURST, SCAN_PER_SECOND, SCAN_PREFIX,
    SCAN_TIMEOUT,
};
use ipnet::IpNet;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// The addresses to scan: up to 1,022 around this machine's own in each of its private IPv4 networks.
/// Displayed as a list of networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanScope {
    parts: Vec<ScanBlock>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScanBlock {
    /// The network's address, which no host has.
    base: u32,
    prefix: u8,
    /// The address that this machine has in it.
    own: u32,
    /// The prefix of the whole network, if this is only a part.
    part_of: Option<u8>,
}

impl ScanScope {
    /// Selects up to four networks, except those of containers and virtual machines.
    pub fn survey() -> io::Result<ScanScope> {
        let all = infos()?;
        let meant = all.iter().filter(|one| !one.link.loopback && one.kind != InterfaceKind::Inner);
        Ok(ScanScope::of(meant.flat_map(|one| one.nets.iter().copied())))
    }

    fn of(nets: impl IntoIterator<Item = IpNet>) -> ScanScope {
        let mut parts: Vec<ScanBlock> = Vec::new();
        for net in nets {
            let IpNet::V4(net) = net else { continue };
            let ip = net.addr();
            // A network of one or two addresses has no other hosts to find.
            if !ip.is_private() || net.prefix_len() > 30 {
                continue;
            }
            let prefix = net.prefix_len().max(SCAN_PREFIX);
            let own = u32::from(ip);
            let base = own & (u32::MAX << (32 - prefix));
            if !parts.iter().any(|part| (part.base, part.prefix) == (base, prefix)) {
                let part_of = (net.prefix_len() < prefix).then(|| net.prefix_len());
                parts.push(ScanBlock { base, prefix, own, part_of });
            }
        }
        parts.truncate(MAX_SCAN_NETWORKS);
        ScanScope { parts }
    }

    /// Those of the /24 around this machine's own address come first.
    fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        let hosts = |part: &ScanBlock| {
            let (base, last) = (part.base, (1 << (32 - part.prefix)) - 1);
            let own_block = (part.own - base) & !0xff;
            (0..=last)
                .map(move |n| n ^ own_block)
                .filter(move |n| (1..last).contains(n))
                .map(move |n| base + n)
        };
        self.parts.iter().flat_map(hosts).map(Ipv4Addr::from)
    }

    /// The number of addresses.
    pub fn count(&self) -> usize {
        self.addresses().count()
    }

    /// Whether no network qualifies.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Probes up to four TCP ports at all addresses, and returns the servers that answered within 0.6 s: 254
    /// addresses take a second, 1,022 take ten. It ends after `within`, if given, with what it has found by
    /// then. `progress` gets the attempts done and their total.
    pub async fn scan<T, E, F>(
        &self,
        ports: &[u16],
        probe: impl Fn(SocketAddr) -> F,
        within: Option<Duration>,
        mut progress: impl FnMut(u64, u64),
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
            progress(total - attempts.len() as u64, total);
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

impl fmt::Display for ScanScope {
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

/// Probes one TCP port at the addresses of this machine's networks, for at most `within`. See
/// [`ScanScope`].
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
    Ok(ScanScope::survey()?.scan(&[port], probe, within, |_, _| {}).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(nets: &[(&str, u8)]) -> ScanScope {
        ScanScope::of(nets.iter().map(|(ip, prefix)| IpNet::new(ip.parse().unwrap(), *prefix).unwrap()))
    }

    #[test]
    fn a_network_is_gone_through_whole_up_to_1022_addresses_around_ones_own() {
        for (net, shown, count) in [
            (("10.78.0.9", 24), "10.78.0.0/24", 254),
            (("10.78.5.9", 22), "10.78.4.0/22", 1022),
            (("10.78.5.9", 16), "10.78.4.0/22 (a part of the /16)", 1022),
            (("192.168.1.6", 30), "192.168.1.4/30", 2),
        ] {
            let scope = scope(&[net]);
            assert_eq!((scope.to_string().as_str(), scope.addresses().count()), (shown, count), "{net:?}");
            assert!(scope.addresses().any(|ip| ip.to_string() == net.0), "{net:?}");
        }
    }

    #[test]
    fn ones_own_24_comes_first_and_every_address_once() {
        let addresses: Vec<Ipv4Addr> = scope(&[("10.78.6.9", 22)]).addresses().collect();
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
        let found = scope(&[("10.78.6.9", 22)]).scan(&[1, 2], probe, None, |_, _| {}).await;
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
            scope(&[("10.78.6.9", 22)]).scan(&[1], probe, Some(Duration::from_secs(2)), |_, _| {}).await;
        assert_eq!((found.len(), start.elapsed()), (1, Duration::from_secs(2)));
    }

    #[test]
    fn only_private_networks_are_gone_through_each_once_and_few() {
        let nets = [("10.0.0.1", 24), ("10.0.0.2", 24), ("8.8.8.8", 24), ("fd00::1", 64), ("10.1.1.1", 32)];
        assert_eq!(scope(&nets).to_string(), "10.0.0.0/24");
        assert!(scope(&[("169.254.1.1", 16)]).is_empty());
        let many: Vec<(String, u8)> = (0..9).map(|n| (format!("10.0.{n}.1"), 24)).collect();
        let many: Vec<(&str, u8)> = many.iter().map(|(ip, prefix)| (ip.as_str(), *prefix)).collect();
        assert_eq!(scope(&many).addresses().count(), 4 * 254);
    }
}
