//! Lines to paste. Each is whole: it works as it stands, on the machine that it is for.

use super::machine::{Firewall, Machine, Proto};
use crate::limits::DEFAULT_PORT;
use serde::Serialize;
use std::net::SocketAddr;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// Where, and for which program: words for people.
    #[serde(rename = "for")]
    pub place: String,
    /// A line for a shell.
    pub line: String,
}

impl Remedy {
    /// One of these two.
    pub fn new(place: impl Into<String>, line: impl Into<String>) -> Self {
        Self { place: place.into(), line: line.into() }
    }
}

/// What is to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Connections and questions to a port.
    To(Proto, u16),
    /// The answers of responders to a port of one's own, which come from the port of mDNS.
    FromMdns,
}

impl Opening {
    fn ufw(self) -> String {
        match self {
            Opening::To(proto, port) => format!("sudo ufw allow {port}/{}", proto.as_str()),
            Opening::FromMdns => "sudo ufw allow proto udp from any port 5353".into(),
        }
    }

    fn firewalld(self) -> String {
        let what = match self {
            Opening::To(Proto::Udp, 5353) => "--add-service=mdns".to_owned(),
            Opening::To(proto, port) => format!("--add-port={port}/{}", proto.as_str()),
            Opening::FromMdns => "--add-source-port=5353/udp".into(),
        };
        format!("sudo firewall-cmd --permanent {what} && sudo firewall-cmd --reload")
    }

    fn nft(self, chain: &str) -> String {
        let what = match self {
            Opening::To(proto, port) => format!("{} dport {port}", proto.as_str()),
            Opening::FromMdns => "udp sport 5353".into(),
        };
        format!("sudo nft insert rule {chain} {what} accept")
    }

    fn iptables(self) -> String {
        let what = match self {
            Opening::To(proto, port) => format!("-p {} --dport {port}", proto.as_str()),
            Opening::FromMdns => "-p udp --sport 5353".into(),
        };
        format!("sudo iptables -I INPUT {what} -j ACCEPT")
    }

    fn windows(self) -> String {
        let what = match self {
            Opening::To(proto, port) => {
                format!("-Protocol {} -LocalPort {port}", proto.as_str().to_ascii_uppercase())
            }
            Opening::FromMdns => "-Protocol UDP -RemotePort 5353".into(),
        };
        format!("New-NetFirewallRule -DisplayName lanchat -Direction Inbound {what} -Action Allow")
    }
}

/// The lines for another machine, of which it is not known what it has.
pub(super) fn there(place: &str, opening: Opening) -> Vec<Remedy> {
    let of = |program: &str| format!("{place}, {program}");
    vec![
        Remedy::new(of("ufw"), opening.ufw()),
        Remedy::new(of("firewalld"), opening.firewalld()),
        Remedy::new(of("nft (Debian's tables)"), opening.nft("inet filter input")),
        Remedy::new(of("iptables"), opening.iptables()),
        Remedy::new(of("Windows (PowerShell)"), opening.windows()),
    ]
}

/// The lines for this machine: of the firewalls that it is known to have, or else of all.
pub(super) fn here(machine: &Machine, opening: Opening) -> Vec<Remedy> {
    if cfg!(windows) {
        return vec![Remedy::new("here, PowerShell as administrator", opening.windows())];
    }
    if cfg!(target_os = "macos") {
        let place =
            "here, under System Settings, Privacy & Security, Local Network: allow this terminal; and";
        return vec![Remedy::new(
            place,
            "open 'x-apple.systempreferences:com.apple.preference.security?Firewall'",
        )];
    }
    let of = |wall: &Firewall| match wall {
        Firewall::Ufw(_) => Some(Remedy::new("here, ufw", opening.ufw())),
        Firewall::Firewalld(_) => Some(Remedy::new("here, firewalld", opening.firewalld())),
        Firewall::Nft { chain, .. } => {
            chain.as_deref().map(|chain| Remedy::new("here, nft", opening.nft(chain)))
        }
    };
    let known: Vec<Remedy> = machine.firewalls.iter().filter_map(of).collect();
    // nft's rules are those of the others, where there are others.
    match known.split_first() {
        None => there("here", opening).into_iter().take(4).collect(),
        Some((first, _)) => vec![first.clone()],
    }
}

/// How to find out which rule stops what goes out.
pub(super) fn rules_for_leaving() -> Vec<Remedy> {
    if cfg!(windows) {
        return vec![Remedy::new(
            "here, PowerShell: what is forbidden",
            "Get-NetFirewallRule -Direction Outbound -Action Block -Enabled True",
        )];
    }
    vec![
        Remedy::new("here: the rules, in the chains with \"hook output\"", "sudo nft list ruleset"),
        Remedy::new("here: the same where there is no nft", "sudo iptables -S OUTPUT"),
    ]
}

/// How to connect by an address.
pub(super) fn by_address(addr: SocketAddr) -> Remedy {
    Remedy::new("here", format!("lanchat --host {}", host(addr)))
}

/// An address as `--host` takes it.
pub(super) fn host(addr: SocketAddr) -> String {
    match addr {
        // Its interface belongs to it.
        SocketAddr::V6(v6) if v6.scope_id() > 0 => format!("'{addr}'"),
        addr if addr.port() == DEFAULT_PORT => addr.ip().to_string(),
        addr => addr.to_string(),
    }
}

/// How to find the program that keeps a port on this system.
pub(super) const PORT_OWNER: &str = if cfg!(windows) {
    "netstat -abn -p UDP"
} else if cfg!(target_os = "macos") {
    "sudo lsof -iUDP:5353"
} else {
    "sudo ss -ulpn sport = :5353"
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_with_a_known_firewall_gets_the_one_line_for_it() {
        let opening = Opening::To(Proto::Udp, 5353);
        let lines = |machine: &Machine| -> Vec<String> {
            here(machine, opening).into_iter().map(|remedy| remedy.line).collect()
        };
        let mut machine = Machine::default();
        assert_eq!(lines(&machine).len(), 4);
        machine.firewalls = vec![Firewall::Nft { rules: String::new(), chain: Some("inet f i".into()) }];
        assert_eq!(lines(&machine), ["sudo nft insert rule inet f i udp dport 5353 accept"]);
        machine.firewalls.insert(0, Firewall::Ufw(None));
        assert_eq!(lines(&machine), ["sudo ufw allow 5353/udp"]);
    }

    #[test]
    fn firewalld_keeps_what_it_is_told() {
        for opening in [Opening::To(Proto::Tcp, 7667), Opening::To(Proto::Udp, 5353), Opening::FromMdns] {
            let line = opening.firewalld();
            assert!(line.contains("--permanent") && line.ends_with("--reload"), "{line}");
        }
    }

    #[test]
    fn an_address_is_written_as_it_is_typed() {
        let at = |addr: &str| host(addr.parse().unwrap());
        assert_eq!(at("10.0.0.1:7667"), "10.0.0.1");
        assert_eq!(at("10.0.0.1:80"), "10.0.0.1:80");
        assert_eq!(at("[fd00::1]:7667"), "fd00::1");
        assert_eq!(at("[fd00::1]:80"), "[fd00::1]:80");
        assert_eq!(at("[fe80::1%2]:7667"), "'[fe80::1%2]:7667'");
    }
}
