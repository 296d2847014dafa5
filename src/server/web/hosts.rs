//! Which names a request may be for, and which pages may open a WebSocket.
//!
//! A page from the Internet can have its own name lead to this machine (DNS rebinding); it then has that name in `Host`.
//! Another page on the network can open a WebSocket here; it then has its own origin.

use crate::security::ServerTls;
use std::net::IpAddr;

/// The names of this server.
#[derive(Debug, Clone, Default)]
pub(super) struct WebHosts {
    /// In lower case.
    names: Vec<String>,
    /// With the certificate that browsers see.
    certified: Option<ServerTls>,
}

impl WebHosts {
    pub(super) fn new(names: &[String]) -> Self {
        let names = names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect();
        Self { names, certified: None }
    }

    /// Also accepts the names in the present certificate, if an administrator has given it.
    pub(super) fn certified_by(self, tls: ServerTls) -> Self {
        Self { certified: Some(tls), ..self }
    }

    /// Whether a `Host` names this server: by an address, `localhost`, a name that only the local network resolves, or
    /// one that the administrator has given, also in a certificate.
    pub(super) fn accepts(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let is_address = match name.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok()),
            None => name.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4()),
        };
        let is_local = name.strip_suffix(".local").is_some_and(|label| !label.is_empty());
        is_address || name == "localhost" || is_local || self.are_given(&name)
    }

    /// Whether an administrator has given this name, in lower case, here or in a certificate.
    pub(super) fn are_given(&self, name: &str) -> bool {
        self.names.iter().any(|given| given == name) || self.has_certificate_for(name)
    }

    fn has_certificate_for(&self, name: &str) -> bool {
        let certificate = self.certified.as_ref().and_then(ServerTls::web_certificate);
        certificate.is_some_and(|certificate| certificate.is_given() && certificate.chain().is_for(name))
    }
}

/// Whether a page of this origin is this server's own.
pub(super) fn is_own_origin(origin: &str, is_encrypted: bool, host: &str) -> bool {
    let scheme = if is_encrypted { "https://" } else { "http://" };
    origin.strip_prefix(scheme).is_some_and(|rest| rest.eq_ignore_ascii_case(host))
}

/// `None`: it is not a host, or its port is not a number.
fn without_port(host: &str) -> Option<&str> {
    let is_host = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    let end = host.rfind(']').map_or(0, |at| at + 1);
    let (name, port) = match host[end..].find(':') {
        Some(at) => (&host[..end + at], &host[end + at + 1..]),
        None => (host, "0"),
    };
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_host(name) && is_port && !name.contains(['/', '@', '\\'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_only_this_network_resolves_are_accepted_and_others_are_not() {
        let hosts = WebHosts::new(&["Office".into(), "chat.example.org.".into()]);
        for host in [
            "192.168.1.20:7667",
            "192.168.1.20",
            "[fe80::1]:7667",
            "[::1]",
            "localhost:7667",
            "office-3f9a1c77.local:7667",
            "OFFICE.LOCAL",
            "office.local.:7667",
            "office:7667",
            "Chat.Example.org",
        ] {
            assert!(hosts.accepts(host), "{host}");
        }
        for host in [
            "",
            ":7667",
            "evil.example:7667",
            "192.168.1.20.evil.example",
            "local",
            ".local",
            "evil.example/.local",
            "evil@office.local",
            "office.local:7667:7667",
            "office.local:x",
            "[fe80::1",
            "[office]",
            "fe80::1",
            "office .local",
            "1.2.3",
            "0x7f.1",
        ] {
            assert!(!hosts.accepts(host), "{host}");
        }
    }

    #[test]
    fn only_the_server_s_own_page_has_its_origin() {
        let host = "192.168.1.20:7667";
        assert!(is_own_origin("https://192.168.1.20:7667", true, host));
        assert!(is_own_origin("http://192.168.1.20:7667", false, host));
        for origin in [
            "http://192.168.1.20:7667",
            "https://192.168.1.20",
            "https://192.168.1.20:8000",
            "https://evil.example",
            "https://192.168.1.20:7667.evil.example",
            "null",
            "",
        ] {
            assert!(!is_own_origin(origin, true, host), "{origin}");
        }
    }
}
