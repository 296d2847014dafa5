//! What an examination comes to: one line with the remedy, and whether a server answered. Pure.

use std::fmt;
use std::net::SocketAddr;

/// The result of an examination. Displayed as one line that ends with what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A server answered.
    Answers {
        /// Its name and short id, safe for a terminal.
        server: String,
        /// Where.
        addr: SocketAddr,
    },
    /// A server answered that has another key than it should.
    Untrusted {
        /// Its name and short id, safe for a terminal.
        server: String,
        /// Where.
        addr: SocketAddr,
    },
    /// The host's name leads to no address.
    UnknownHost {
        /// As it was given.
        host: String,
    },
    /// The machine is there, and nothing listens on the port.
    Refused {
        /// Where.
        addr: SocketAddr,
    },
    /// Nothing came back from any of the addresses.
    Silent {
        /// Where.
        addrs: Vec<SocketAddr>,
    },
    /// Something accepts connections that does not answer as a lanchat server does.
    NotLanchat {
        /// Where.
        addr: SocketAddr,
    },
    /// This machine has no network.
    NoNetwork,
    /// This machine cannot do multicast.
    NoMulticast {
        /// Why, as the system says it.
        reason: String,
    },
    /// Another program keeps the port of mDNS to itself.
    PortTaken {
        /// Why, as the system says it.
        reason: String,
    },
    /// Multicast works, and no server is announced.
    NoServer {
        /// How many other machines were heard.
        others: usize,
    },
    /// Servers were heard, but not the one that was asked for.
    NotAmongThem {
        /// The name that was asked for.
        wanted: String,
        /// Those that were heard, safe for a terminal.
        others: String,
    },
    /// Nobody at all was heard.
    Nobody,
}

impl Verdict {
    /// The verdict when no server was heard of, from the most certain cause to the least.
    pub(super) fn nothing_heard(
        no_link: bool,
        port: Option<String>,
        failures: &[String],
        others: usize,
    ) -> Verdict {
        match (port, failures.first()) {
            _ if no_link => Verdict::NoNetwork,
            (Some(reason), _) => Verdict::PortTaken { reason },
            _ if others > 0 => Verdict::NoServer { others },
            (None, Some(reason)) => Verdict::NoMulticast { reason: reason.clone() },
            (None, None) => Verdict::Nobody,
        }
    }

    /// Whether a server answered.
    pub fn is_good(&self) -> bool {
        matches!(self, Verdict::Answers { .. })
    }

    /// Whether the search found no server, as opposed to one that cannot be connected to.
    pub fn is_no_server(&self) -> bool {
        use Verdict::{NoMulticast, NoNetwork, NoServer, Nobody, NotAmongThem, PortTaken};
        matches!(
            self,
            NoNetwork
                | NoMulticast { .. }
                | PortTaken { .. }
                | NoServer { .. }
                | NotAmongThem { .. }
                | Nobody
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Answers { server, addr } => write!(f, "all is well: {server} answers at {addr}"),
            Verdict::Untrusted { server, addr } => write!(
                f,
                "{server} at {addr} has another key than it should: someone may be impersonating it; ask its \
                 administrator to read out `lanchat fingerprint`, and if that is the new one accept it with \
                 `lanchat trust`"
            ),
            Verdict::UnknownHost { host } => write!(
                f,
                "no address is known for {host}: check the spelling, or give the server's IP address"
            ),
            Verdict::Refused { addr } => write!(
                f,
                "nothing listens on port {} of {}: start `lanchat serve` there, or give its port with \
                 --host HOST:PORT",
                addr.port(),
                addr.ip()
            ),
            Verdict::Silent { addrs } => write!(f, "{}", Silence(addrs)),
            Verdict::NotLanchat { addr } => write!(
                f,
                "what listens at {addr} does not answer as a lanchat server: give the server's own port \
                 with --host HOST:PORT, or update the older of the two programs"
            ),
            Verdict::NoNetwork => f.write_str(
                "this machine has no network: connect it to the Wi-Fi or cable that the server is on",
            ),
            Verdict::NoMulticast { reason } => write!(
                f,
                "this machine cannot do multicast ({reason}): in a container use the host's network; \
                 elsewhere connect with `lanchat --host HOST`"
            ),
            Verdict::PortTaken { reason } => write!(
                f,
                "another program keeps UDP port 5353 to itself ({reason}): {}, or connect with \
                 `lanchat --host HOST`",
                PORT_OWNER
            ),
            Verdict::NoServer { others } => write!(
                f,
                "multicast works here ({others} other machines were heard), but no lanchat server is \
                 announced: start one with `lanchat serve`; if there is one, its firewall must let UDP \
                 port 5353 in"
            ),
            Verdict::NotAmongThem { wanted, others } => write!(
                f,
                "no server is called {wanted}: choose with --server among those that there are, {others}"
            ),
            Verdict::Nobody => write!(
                f,
                "no machine answered by multicast: either no server is on, or a firewall or the access \
                 point keeps it away: {MDNS_REMEDY}, or connect with `lanchat --host HOST`"
            ),
        }
    }
}

/// The line for addresses from which nothing came back.
struct Silence<'a>(&'a [SocketAddr]);

impl fmt::Display for Silence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(addr) = self.0.first() else {
            return f.write_str("there is no address to connect to: give one with --host HOST[:PORT]");
        };
        write!(
            f,
            "{} does not answer on port {port}: it is off, on another network, or its firewall drops the \
             connection (there: `sudo ufw allow {port}/tcp`, or `sudo firewall-cmd --add-port={port}/tcp`)",
            addr.ip(),
            port = addr.port()
        )
    }
}

/// How to let mDNS in on this system.
const MDNS_REMEDY: &str = if cfg!(target_os = "macos") {
    "allow this terminal under System Settings, Privacy & Security, Local Network"
} else if cfg!(windows) {
    "allow lanchat in Windows Defender Firewall for private networks"
} else {
    "on both machines `sudo ufw allow 5353/udp` or `sudo firewall-cmd --add-service=mdns`, and no guest \
     Wi-Fi"
};

/// How to find the program that keeps a port on this system.
const PORT_OWNER: &str = if cfg!(windows) {
    "see `netstat -abn -p UDP`"
} else if cfg!(target_os = "macos") {
    "see `sudo lsof -iUDP:5353`"
} else {
    "see `sudo ss -ulpn sport = :5353`"
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_certain_cause_is_named() {
        let taken = || Some("address in use".to_owned());
        let failures = ["no socket".to_owned()];
        assert_eq!(Verdict::nothing_heard(true, taken(), &failures, 0), Verdict::NoNetwork);
        let reason = "address in use".to_owned();
        assert_eq!(Verdict::nothing_heard(false, taken(), &failures, 3), Verdict::PortTaken { reason });
        assert_eq!(Verdict::nothing_heard(false, None, &failures, 3), Verdict::NoServer { others: 3 });
        let reason = "no socket".to_owned();
        assert_eq!(Verdict::nothing_heard(false, None, &failures, 0), Verdict::NoMulticast { reason });
        assert_eq!(Verdict::nothing_heard(false, None, &[], 0), Verdict::Nobody);
    }

    #[test]
    fn every_verdict_is_one_line() {
        let addr: SocketAddr = "10.0.0.1:7667".parse().unwrap();
        let text = || "x".to_owned();
        for verdict in [
            Verdict::Answers { server: text(), addr },
            Verdict::Untrusted { server: text(), addr },
            Verdict::UnknownHost { host: text() },
            Verdict::Refused { addr },
            Verdict::Silent { addrs: vec![addr] },
            Verdict::Silent { addrs: Vec::new() },
            Verdict::NotLanchat { addr },
            Verdict::NoNetwork,
            Verdict::NoMulticast { reason: text() },
            Verdict::PortTaken { reason: text() },
            Verdict::NoServer { others: 1 },
            Verdict::NotAmongThem { wanted: text(), others: text() },
            Verdict::Nobody,
        ] {
            let line = verdict.to_string();
            assert!(!line.contains('\n') && !line.contains("  "), "{line}");
            assert!(!(verdict.is_good() && verdict.is_no_server()));
        }
    }
}
