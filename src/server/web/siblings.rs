//! The other servers of the chat, for browsers: a page goes on at another server when its own one is gone.
//!
//! All servers of a chat serve one page and have one key, so a page of any of them may open a WebSocket at each.

use crate::protocol::NodePlace;
use crate::server::options::ServerOptions;
use std::net::{IpAddr, SocketAddr};

/// See the module. Empty if the chat has one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Siblings {
    /// Where browsers load the page, this server's own places too: hosts, in lower case.
    places: Vec<(String, u16)>,
    /// Of the others.
    addresses: Vec<SocketAddr>,
}

impl Siblings {
    /// `id`: of the chat's key.
    pub(super) fn of(options: &ServerOptions, id: &str) -> Self {
        let (Some(nodes), Some(web)) = (&options.nodes, &options.web) else { return Self::default() };
        let mut places = Vec::new();
        for NodePlace { node, address, port } in nodes.places() {
            places.push((bracketed(*address), *port));
            places.push(((web.local_name)(&options.name, id, Some(node)).to_ascii_lowercase(), *port));
        }
        for address in options.node.iter().flat_map(|node| &node.addresses) {
            places.push((address.host.to_ascii_lowercase(), address.port));
        }
        let others = nodes.places().iter().filter(|place| place.node != nodes.node());
        Self { places, addresses: others.map(NodePlace::socket).collect() }
    }

    /// Whether a page of this origin is one of a server of the chat, over the same scheme. `is_named`: whether an
    /// administrator has given a host to this server.
    pub(super) fn serve(&self, origin: &str, is_encrypted: bool, is_named: impl Fn(&str) -> bool) -> bool {
        let Some(authority) = origin.strip_prefix(scheme("http", is_encrypted)) else { return false };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            _ => (authority, Some(if is_encrypted { 443 } else { 80 })),
        };
        let (host, Some(port)) = (host.to_ascii_lowercase(), port) else { return false };
        let mut at_port = self.places.iter().filter(|(_, known)| *known == port).peekable();
        at_port.peek().is_some()
            && (is_named(&host) || is_own_name(&host) || at_port.any(|(known, _)| *known == host))
    }

    /// The sources that the page may connect to besides its own, for its policy. Such a source cannot be an IPv6 address
    /// (CSP3 2.3.1).
    pub(super) fn sources(&self, is_encrypted: bool) -> String {
        let v4 = self.addresses.iter().filter(|address| address.is_ipv4());
        v4.map(|address| format!(" {}{address}", scheme("ws", is_encrypted))).collect()
    }
}

/// Whether a host may be another machine's own name, which only that machine knows: no page from the internet has a name
/// without a dot.
fn is_own_name(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `https://` or `wss://`, or the same without encryption.
fn scheme(name: &str, is_encrypted: bool) -> &'static str {
    match (name, is_encrypted) {
        ("http", true) => "https://",
        ("http", false) => "http://",
        (_, true) => "wss://",
        (_, false) => "ws://",
    }
}

fn bracketed(address: IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::memory::MemoryLog;
    use crate::protocol::{Nodes, WebAccess};
    use crate::server::options::{EngineSource, NodeAddress, NodeOptions, WebOptions};

    /// Of the server `a`.
    fn siblings() -> Siblings {
        let place = |node: &str, address: &str| NodePlace {
            node: node.into(),
            address: address.parse().unwrap(),
            port: 7667,
        };
        let places = vec![place("a", "192.168.1.21"), place("b", "192.168.1.22"), place("c", "fd00::23")];
        let address = |host: &str| NodeAddress { host: host.into(), port: 7667 };
        let log = MemoryLog::new(1);
        let options = ServerOptions {
            name: "office".into(),
            nodes: Some(Nodes::new("a", places).unwrap()),
            node: Some(NodeOptions {
                names: Vec::new(),
                number: 0,
                log: "x".into(),
                engine: EngineSource::Memory(0, log),
                addresses: vec![address("192.168.1.21"), address("B.example.org")],
            }),
            web: Some(WebOptions {
                mode: WebAccess::Https,
                hosts: Vec::new(),
                addresses: Vec::new(),
                certificate: None,
                local_name: |name, _, node| format!("{name}-{}.local", node.unwrap_or_default()),
            }),
            ..ServerOptions::default()
        };
        Siblings::of(&options, "3f9a")
    }

    #[test]
    fn pages_of_the_chats_servers_may_come_and_no_others() {
        let siblings = siblings();
        let serve = |origin: &str| siblings.serve(origin, true, |name| name == "chat.example.org");
        for origin in [
            "https://192.168.1.22:7667",
            "https://192.168.1.21:7667",
            "https://[fd00::23]:7667",
            "https://Office-c.local:7667",
            "https://b.example.org:7667",
            "https://chat.example.org:7667",
            "https://box-b:7667",
        ] {
            assert!(serve(origin), "{origin}");
        }
        for origin in [
            "http://192.168.1.22:7667",
            "https://192.168.1.22",
            "https://192.168.1.22:8000",
            "https://192.168.1.24:7667",
            "https://chat.example.org",
            "https://box-b:8000",
            "https://:7667",
            "https://192.168.1.22:7667.evil.example",
            "https://192.168.1.22:7667/",
            "https://192.168.1.22:x",
            "null",
            "",
        ] {
            assert!(!serve(origin), "{origin}");
        }
        assert!(siblings.serve("http://192.168.1.22:7667", false, |_| false));
        assert!(!Siblings::default().serve("https://192.168.1.22:7667", true, |_| true), "an only server");
    }

    #[test]
    fn the_policy_names_the_others() {
        assert_eq!(siblings().sources(true), " wss://192.168.1.22:7667");
        assert_eq!(siblings().sources(false), " ws://192.168.1.22:7667");
        assert_eq!(Siblings::default().sources(true), "");
    }
}
