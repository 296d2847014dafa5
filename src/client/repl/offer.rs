//! What the user is told and asked when no server answered: the truth about those that may be up all the
//! same, and whether to be the server. Pure.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::discovery::{Sighting, Tried};
use crate::text::safe_line;

/// Servers named in one line.
const MAX_NAMED: usize = 3;

/// A server of an earlier time.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) name: String,
    pub(super) addrs: Vec<SocketAddr>,
}

/// What there is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Advice {
    /// Servers are up, as far as anybody can hear, and cannot be connected to: nothing is offered.
    Tell(Vec<String>),
    /// Nobody is heard of.
    Ask(Offer),
}

/// The offer to be the server, and to look further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// The line above the question, if there is one.
    pub(super) hint: Option<String>,
    pub(super) question: String,
    /// Whether Enter is a yes.
    hosts_by_default: bool,
    scans: bool,
}

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Host,
    Scan,
    Nothing,
}

/// What to say after a search in vain. `own` are this machine's addresses; `scan` what a look at all
/// addresses would be, if it has not been made.
pub(super) fn advice(
    tried: &Tried,
    announced: &[Sighting],
    known: &[Past],
    own: &[IpAddr],
    scan: Option<String>,
) -> Advice {
    if !announced.is_empty() {
        return Advice::Tell(announced.iter().take(MAX_NAMED).filter_map(|one| mute(one, tried)).collect());
    }
    let near = |addr: &&SocketAddr| own.iter().any(|own| is_near(addr.ip(), *own));
    let silent: Vec<String> = known
        .iter()
        .filter_map(|past| Some(format!("{} ({})", past.name, past.addrs.iter().find(near)?.ip())))
        .take(MAX_NAMED)
        .collect();
    let (question, hosts_by_default) = match silent.as_slice() {
        [] => ("No lanchat server answered on this network. Start one here?".to_owned(), true),
        [one] => (format!("{one} does not answer. Start a server here in its place?"), false),
        several => (format!("{} do not answer. Start a server here?", several.join(", ")), false),
    };
    let keys = match (hosts_by_default, scan.is_some()) {
        (true, true) => "[Y/n/s]",
        (true, false) => "[Y/n]",
        (false, true) => "[y/N/s]",
        (false, false) => "[y/N]",
    };
    let hint = scan.map(|what| format!("s: look at {what}, should multicast be blocked here"));
    let (question, scans) = (safe_line(&format!("{question} {keys} ")), hint.is_some());
    Advice::Ask(Offer { hint, question, hosts_by_default, scans })
}

impl Offer {
    /// What an answer means; none if it is no answer.
    pub(super) fn wish(&self, answer: &str) -> Option<Wish> {
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Some(Wish::Host),
            "n" | "no" => Some(Wish::Nothing),
            "s" | "scan" if self.scans => Some(Wish::Scan),
            "" if self.hosts_by_default => Some(Wish::Host),
            "" => Some(Wish::Nothing),
            _ => None,
        }
    }
}

/// What is wrong with a server that is announced and does not answer; none if it was heard of too late to
/// have been tried.
fn mute(sighting: &Sighting, tried: &Tried) -> Option<String> {
    let (addr, why) = tried.failed.iter().find(|(addr, _)| sighting.addrs.contains(addr))?;
    let why = why.split(" (os error").next().unwrap_or(why);
    Some(safe_line(&format!(
        "{} ({}) is announced but does not answer on TCP {}: {why}; the search goes on",
        sighting.name,
        addr.ip(),
        addr.port()
    )))
}

/// Whether the two are likely to be on one network, so that a server there may be up.
fn is_near(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => network(one) == network(other),
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            !one.is_unicast_link_local() && one.segments()[..4] == other.segments()[..4]
        }
        _ => false,
    }
}

fn network(ip: Ipv4Addr) -> [u8; 3] {
    let [a, b, c, _] = ip.octets();
    [a, b, c]
}

/// What a look at all addresses would be; none without a private network.
pub(super) fn scan(own: &[IpAddr]) -> Option<String> {
    let mut networks: Vec<[u8; 3]> = Vec::new();
    for ip in own {
        if let IpAddr::V4(v4) = ip
            && v4.is_private()
            && !networks.contains(&network(*v4))
        {
            networks.push(network(*v4));
        }
    }
    networks.truncate(crate::limits::MAX_SCAN_NETWORKS);
    let names: Vec<String> = networks.iter().map(|[a, b, c]| format!("{a}.{b}.{c}.0/24")).collect();
    (!names.is_empty()).then(|| format!("all {} addresses of {}", 254 * names.len(), names.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Vec<IpAddr> {
        vec!["10.78.0.2".parse().unwrap()]
    }

    fn past(name: &str, addr: &str) -> Past {
        Past { name: name.into(), addrs: vec![addr.parse().unwrap()] }
    }

    fn asked(known: &[Past], scan: Option<String>) -> Offer {
        match advice(&Tried::default(), &[], known, &own(), scan) {
            Advice::Ask(offer) => offer,
            Advice::Tell(lines) => panic!("{lines:?}"),
        }
    }

    #[test]
    fn where_nobody_is_known_enter_is_a_yes() {
        let offer = asked(&[past("home", "192.168.1.1:7667")], None);
        assert_eq!(offer.question, "No lanchat server answered on this network. Start one here? [Y/n] ");
        let wishes = ["", "y", " No\n", "s", "hello"].map(|answer| offer.wish(answer));
        assert_eq!(wishes, [Some(Wish::Host), Some(Wish::Host), Some(Wish::Nothing), None, None]);
    }

    #[test]
    fn where_a_server_is_known_enter_is_a_no() {
        let offer = asked(&[past("office", "10.78.0.1:7667")], scan(&own()));
        assert_eq!(
            offer.question,
            "office (10.78.0.1) does not answer. Start a server here in its place? [y/N/s] "
        );
        assert_eq!(
            offer.hint.as_deref(),
            Some("s: look at all 254 addresses of 10.78.0.0/24, should multicast be blocked here")
        );
        let wishes = ["", "Yes", "s"].map(|answer| offer.wish(answer));
        assert_eq!(wishes, [Some(Wish::Nothing), Some(Wish::Host), Some(Wish::Scan)]);
    }

    #[test]
    fn nobody_is_asked_to_host_beside_a_server_that_is_announced() {
        let addr: SocketAddr = "10.78.0.1:7667".parse().unwrap();
        let sighting = Sighting {
            id: None,
            fp: None,
            closed: false,
            name: "office".into(),
            instance: "office-1".into(),
            addrs: vec![addr],
            version: None,
            txt: Default::default(),
            heard: Default::default(),
        };
        let failed = vec![(addr, "Connection refused (os error 111)".to_owned())];
        let tried = Tried { failed, ..Tried::default() };
        let Advice::Tell(lines) = advice(&tried, std::slice::from_ref(&sighting), &[], &own(), None) else {
            panic!("a question")
        };
        assert_eq!(
            lines,
            ["office (10.78.0.1) is announced but does not answer on TCP 7667: Connection refused; the search \
              goes on"]
        );
        assert_eq!(advice(&Tried::default(), &[sighting], &[], &own(), None), Advice::Tell(Vec::new()));
    }
}
