//! The lines and the question for the user if no server answered: which known servers may be up all the same,
//! and whether to start one. Pure.

use std::net::IpAddr;

use crate::discovery::{SearchReport, Source};
use crate::text::safe_line;

/// Servers to name in one line.
const MAX_NAMED: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Advice {
    /// Servers are announced but do not answer: there is nothing to ask.
    Tell(Vec<String>),
    /// No server is announced.
    Ask(HostingOffer),
}

/// The offer to start a server, or to scan first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostingOffer {
    /// The lines above the question.
    pub(super) hints: Vec<String>,
    pub(super) question: String,
    /// Whether Enter means yes.
    hosts_by_default: bool,
    scans: bool,
}

/// The user's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Host,
    Scan,
    Nothing,
}

/// The advice after a search without a result. `scan` describes a scan of all addresses, unless there was
/// one; `own` are this machine's addresses: only this user can start a server there again.
pub(super) fn advice(tried: &SearchReport, scan: Option<String>, own: &[IpAddr]) -> Advice {
    let reasons: Vec<_> = tried.reasons().into_iter().filter(|failed| !failed.is_stopped_here(own)).collect();
    let up: Vec<String> = reasons
        .iter()
        .filter(|failed| matches!(failed.source, Source::Announced | Source::Named))
        .map(|failed| safe_line(&format!("{failed}; still trying")))
        .take(MAX_NAMED)
        .collect();
    if !up.is_empty() {
        return Advice::Tell(up);
    }
    let silent: Vec<String> = reasons
        .iter()
        .map(|failed| match failed.server.as_deref().filter(|server| !server.is_empty()) {
            Some(server) => format!("{server} at {}", failed.addr.ip()),
            None => failed.addr.to_string(),
        })
        .take(MAX_NAMED)
        .collect();
    let (question, hosts_by_default) = match silent.as_slice() {
        [] => ("No lanchat server found on this network. Start one here?", true),
        _ => ("Start one here anyway?", false),
    };
    let missing = match silent.as_slice() {
        [] => None,
        [one] => Some(format!("{one} does not answer; still trying")),
        several => Some(format!("{} do not answer; still trying", several.join(", "))),
    };
    let keys = match (hosts_by_default, scan.is_some()) {
        (true, true) => "[Y/n/s]",
        (true, false) => "[Y/n]",
        (false, true) => "[y/N/s]",
        (false, false) => "[y/N]",
    };
    let scans = scan.is_some();
    let hint =
        scan.map(|what| format!("s: try {what} first, in case a firewall hides a server from the search"));
    let hints = missing.into_iter().chain(hint).map(|line| safe_line(&line)).collect();
    Advice::Ask(HostingOffer { hints, question: format!("{question} {keys} "), hosts_by_default, scans })
}

impl HostingOffer {
    /// Reads an answer; `None`: it is not an answer.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::{ConnectFailure, FailedAddress};

    fn tried(source: Source, why: ConnectFailure) -> SearchReport {
        tried_at("10.78.0.1:7667", source, why)
    }

    fn tried_at(addr: &str, source: Source, why: ConnectFailure) -> SearchReport {
        let (addr, server) = (addr.parse().unwrap(), Some("office (3f9a1c77)".into()));
        SearchReport {
            failed: vec![FailedAddress { addr, server, source, near: true, why }],
            ..SearchReport::default()
        }
    }

    fn asked(tried: &SearchReport, scan: Option<String>) -> HostingOffer {
        match advice(tried, scan, &["10.78.0.9".parse().unwrap()]) {
            Advice::Ask(offer) => offer,
            Advice::Tell(lines) => panic!("{lines:?}"),
        }
    }

    #[test]
    fn where_nobody_is_known_enter_is_a_yes() {
        let offer = asked(&SearchReport::default(), None);
        assert_eq!(offer.question, "No lanchat server found on this network. Start one here? [Y/n] ");
        let wishes = ["", "y", " No\n", "s", "hello"].map(|answer| offer.wish(answer));
        assert_eq!(wishes, [Some(Wish::Host), Some(Wish::Host), Some(Wish::Nothing), None, None]);
    }

    #[test]
    fn whoever_hosted_the_last_time_is_asked_to_host_again_and_enter_is_a_yes() {
        for at in ["127.0.0.1:7667", "[::1]:7667", "10.78.0.9:7667"] {
            let own = tried_at(at, Source::Known { last_used: true }, ConnectFailure::Refused);
            let offer = asked(&own, None);
            assert!(offer.hints.is_empty() && offer.wish("") == Some(Wish::Host), "{at}: {offer:?}");
        }
        let hung = tried_at("127.0.0.1:7667", Source::Known { last_used: true }, ConnectFailure::Silent);
        assert_eq!(asked(&hung, None).wish(""), Some(Wish::Nothing), "it runs");
        let mut both = tried(Source::Known { last_used: false }, ConnectFailure::Silent);
        both.failed.extend(
            tried_at("127.0.0.1:7667", Source::Known { last_used: true }, ConnectFailure::Refused).failed,
        );
        both.failed[1].server = Some("vm (a9159416)".into());
        let offer = asked(&both, None);
        assert_eq!(offer.hints, ["office (3f9a1c77) at 10.78.0.1 does not answer; still trying"]);
        assert_eq!(offer.wish(""), Some(Wish::Nothing));
    }

    #[test]
    fn where_a_server_is_known_enter_is_a_no() {
        let known = tried(Source::Known { last_used: true }, ConnectFailure::Silent);
        let offer = asked(&known, Some("all 254 addresses of 10.78.0.0/24".into()));
        assert_eq!(offer.question, "Start one here anyway? [y/N/s] ");
        assert_eq!(
            offer.hints,
            [
                "office (3f9a1c77) at 10.78.0.1 does not answer; still trying",
                "s: try all 254 addresses of 10.78.0.0/24 first, in case a firewall hides a server from the search"
            ]
        );
        let wishes = ["", "Yes", "s"].map(|answer| offer.wish(answer));
        assert_eq!(wishes, [Some(Wish::Nothing), Some(Wish::Host), Some(Wish::Scan)]);
    }

    #[test]
    fn nobody_is_asked_to_host_beside_a_server_that_is_announced() {
        let Advice::Tell(lines) = advice(&tried(Source::Announced, ConnectFailure::Silent), None, &[]) else {
            panic!("a question")
        };
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(line.starts_with("office (3f9a1c77) is announced at 10.78.0.1:7667, but"), "{line}");
        assert!(line.ends_with("; still trying"), "{line}");
    }
}
