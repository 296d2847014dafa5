//! Lines to paste. Each is complete: it works unchanged on the machine that it is for.

use super::machine::{Firewall, Machine, Proto};
use crate::limits::DEFAULT_PORT;
use serde::Serialize;
use std::net::SocketAddr;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// Where to run it, and for which program, in words for people.
    #[serde(rename = "for")]
    pub place: String,
    pub line: String,
}

impl Remedy {
    pub(super) fn new(place: impl Into<String>, line: impl Into<String>) -> Self {
        Self { place: place.into(), line: line.into() }
    }
}

/// The packets that a firewall should let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AllowRule {
    /// Connections or queries to a port.
    To(Proto, u16),
    /// Unicast answers from mDNS responders: their source port is that of mDNS, their destination port varies.
    FromMdns,
}

impl AllowRule {
    fn ufw(self) -> String {
        match self {
            AllowRule::To(proto, port) => format!("sudo ufw allow {port}/{}", proto.as_str()),
            AllowRule::FromMdns => "sudo ufw allow proto udp from any port 5353".into(),
        }
    }

    fn firewalld(self) -> String {
        let what = match self {
            AllowRule::To(Proto::Udp, 5353) => "--add-service=mdns".to_owned(),
            AllowRule::To(proto, port) => format!("--add-port={port}/{}", proto.as_str()),
            AllowRule::FromMdns => "--add-source-port=5353/udp".into(),
        };
        format!("sudo firewall-cmd --permanent {what} && sudo firewall-cmd --reload")
    }

    fn nft(self, chain: &str) -> String {
        let what = match self {
            AllowRule::To(proto, port) => format!("{} dport {port}", proto.as_str()),
            AllowRule::FromMdns => "udp sport 5353".into(),
        };
        format!("sudo nft insert rule {chain} {what} accept")
    }

    fn iptables(self) -> String {
        let what = match self {
            AllowRule::To(proto, port) => format!("-p {} --dport {port}", proto.as_str()),
            AllowRule::FromMdns => "-p udp --sport 5353".into(),
        };
        format!("sudo iptables -I INPUT {what} -j ACCEPT")
    }

    fn windows(self) -> String {
        let what = match self {
            AllowRule::To(proto, port) => {
                format!("-Protocol {} -LocalPort {port}", proto.as_str().to_ascii_uppercase())
            }
            AllowRule::FromMdns => "-Protocol UDP -RemotePort 5353".into(),
        };
        format!("New-NetFirewallRule -DisplayName lanchat -Direction Inbound {what} -Action Allow")
    }
}

/// Lists the lines for another machine, whose firewall is unknown.
pub(super) fn open_there(place: &str, rule: AllowRule) -> Vec<Remedy> {
    let of = |program: &str| format!("{place}, {program}");
    vec![
        Remedy::new(of("ufw"), rule.ufw()),
        Remedy::new(of("firewalld"), rule.firewalld()),
        Remedy::new(of("nft (Debian's tables)"), rule.nft("inet filter input")),
        Remedy::new(of("iptables"), rule.iptables()),
        Remedy::new(of("Windows (PowerShell)"), rule.windows()),
    ]
}

/// Lists the lines for this machine's firewall, or for the usual ones if none is known.
pub(super) fn open_here(machine: &Machine, rule: AllowRule) -> Vec<Remedy> {
    if cfg!(windows) {
        return vec![
            Remedy::new("here, PowerShell as administrator", rule.windows()),
            Remedy::new(
                "here, PowerShell: is the network \"Public\", which lets in less?",
                "Get-NetConnectionProfile",
            ),
        ];
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
        Firewall::Ufw(_) => Some(Remedy::new("here, ufw", rule.ufw())),
        Firewall::Firewalld(_) => Some(Remedy::new("here, firewalld", rule.firewalld())),
        Firewall::Nft { chain, .. } => {
            chain.as_deref().map(|chain| Remedy::new("here, nft", rule.nft(chain)))
        }
    };
    let known: Vec<Remedy> = machine.firewalls.iter().filter_map(of).collect();
    // ufw and firewalld are front ends of nft, so its rules are theirs.
    match known.split_first() {
        None => open_there("here", rule).into_iter().take(4).collect(),
        Some((first, _)) => vec![first.clone()],
    }
}

/// Lists the lines that show which rule blocks outgoing packets.
pub(super) fn outgoing_rules() -> Vec<Remedy> {
    if cfg!(windows) {
        return vec![Remedy::new(
            "here, PowerShell: the rules that block",
            "Get-NetFirewallRule -Direction Outbound -Action Block -Enabled True",
        )];
    }
    vec![
        Remedy::new("here: the rules, in the chains with \"hook output\"", "sudo nft list ruleset"),
        Remedy::new("here: the same, without nft", "sudo iptables -S OUTPUT"),
    ]
}

/// The line that joins a server by its address.
pub(super) fn by_address(addr: SocketAddr) -> Remedy {
    Remedy::new("here", format!("lanchat --host {}", host(addr)))
}

pub(super) fn host(addr: SocketAddr) -> String {
    match addr {
        // A link-local address includes its interface.
        SocketAddr::V6(v6) if v6.scope_id() > 0 => format!("'{addr}'"),
        addr if addr.port() == DEFAULT_PORT => addr.ip().to_string(),
        addr => addr.to_string(),
    }
}

/// The line that shows which program holds the mDNS port on this system.
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
    fn windows_gets_one_rule_for_its_own_firewall() {
        let rule = AllowRule::To(Proto::Tcp, 7667).windows();
        assert_eq!(
            rule,
            "New-NetFirewallRule -DisplayName lanchat -Direction Inbound -Protocol TCP -LocalPort 7667 -Action Allow"
        );
        assert!(AllowRule::FromMdns.windows().contains("-Protocol UDP -RemotePort 5353"));
        let lines = open_here(&Machine::default(), AllowRule::To(Proto::Tcp, 7667));
        assert_eq!(lines.iter().any(|remedy| remedy.line == rule), cfg!(windows));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_machine_with_a_known_firewall_gets_the_one_line_for_it() {
        let rule = AllowRule::To(Proto::Udp, 5353);
        let lines = |machine: &Machine| -> Vec<String> {
            open_here(machine, rule).into_iter().map(|remedy| remedy.line).collect()
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
        for rule in [AllowRule::To(Proto::Tcp, 7667), AllowRule::To(Proto::Udp, 5353), AllowRule::FromMdns] {
            let line = rule.firewalld();
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
