//! The checks of a server's page for browsers. Pure.

use super::check_line::{CheckLine, failed, note, ok};
use super::findings::{PageFinding, SeenPage};
use crate::protocol::{WebAccess, page_link};
use crate::security::{CertificateChain, CertificateTime};
use jiff::Timestamp;
use std::net::{IpAddr, Ipv6Addr};

const PAGE: &str = "page for browsers";
const CERTIFICATE: &str = "certificate for browsers";

/// The statuses that the page has over HTTPS, and over HTTP where that is not served.
const FOUND: u16 = 200;
const REDIRECT: u16 = 307;

/// The server does not know itself by that name.
const MISDIRECTED: u16 = 421;

/// Where these answers come from if not from the server.
const OTHER_PROGRAM: &str =
    "another program, such as a proxy, may answer in its place: try it on the server's machine";

pub(super) fn page_lines(page: &PageFinding, server: &str, port: u16) -> Vec<CheckLine> {
    match page {
        PageFinding::Unknown => Vec::new(),
        PageFinding::None => {
            vec![note(PAGE, format!("{server} serves none; its administrator can with: lanchat serve --web"))]
        }
        PageFinding::Served(seen) => {
            let mut lines = vec![encrypted(seen, port)];
            lines.extend(plain(seen));
            if let Ok((chain, _)) = &seen.report.https {
                lines.push(certificate(seen, chain, port));
            }
            lines
        }
    }
}

fn encrypted(seen: &SeenPage, port: u16) -> CheckLine {
    let host = &seen.report.host;
    let link = match is_link_local(host) {
        // Browsers know no interface behind an address.
        true => format!("https at {host}, an address that browsers cannot open"),
        false => page_link(host, port, None),
    };
    match &seen.report.https {
        Ok((_, FOUND)) => ok(
            PAGE,
            match seen.access {
                WebAccess::Https => format!("{link}, encrypted only"),
                WebAccess::Plaintext => format!("{link}; also over http, which is not encrypted"),
            },
        ),
        Ok((_, MISDIRECTED)) => failed(
            PAGE,
            format!("the server does not know itself by the name {host}; start it with --web-host {host}"),
        ),
        Ok((_, status)) => failed(PAGE, format!("{link} answers with status {status}; {OTHER_PROGRAM}")),
        Err(why) => failed(PAGE, format!("{link}: {why}; {OTHER_PROGRAM}")),
    }
}

fn plain(seen: &SeenPage) -> Option<CheckLine> {
    let wanted = match seen.access {
        WebAccess::Https => REDIRECT,
        WebAccess::Plaintext => FOUND,
    };
    let purpose = match seen.access {
        WebAccess::Https => "which should lead to https",
        WebAccess::Plaintext => "which should have the page",
    };
    Some(match &seen.report.http {
        // The line about HTTPS has said it.
        Ok(status) if *status == wanted || *status == MISDIRECTED => return None,
        Ok(status) => {
            failed(PAGE, format!("http://, {purpose}, answers with status {status}; {OTHER_PROGRAM}"))
        }
        Err(why) => failed(PAGE, format!("http://, {purpose}: {why}; {OTHER_PROGRAM}")),
    })
}

fn certificate(seen: &SeenPage, chain: &CertificateChain, port: u16) -> CheckLine {
    let (review, host) = (chain.review(seen.at), &seen.report.host);
    let now = day(seen.at);
    match review.time {
        Some(CertificateTime::Ended(end)) => {
            let remedy = match review.is_self_made {
                true => "restart the server, which then makes another one",
                false => {
                    "put the authority's next one into the files of --web-cert and --web-key, and reload the server"
                }
            };
            let ended = day(end);
            failed(CERTIFICATE, format!("it ended on {ended}, and this machine's clock says {now}; {remedy}"))
        }
        Some(CertificateTime::Begins(start)) => failed(
            CERTIFICATE,
            format!(
                "it begins on {}, but this machine's clock says {now}; set the clock, here or, if it is right here, on \
                 the server",
                day(start)
            ),
        ),
        None if review.is_self_made => CheckLine {
            is_about_keys: true,
            ..note(
                CERTIFICATE,
                format!(
                    "the server's own, so browsers warn of it; the SHA-256 that they show must be that of \
                     `lanchat fingerprint --web` on the server, {}",
                    chain.sha256().colons()
                ),
            )
        },
        None if !review.is_linked => failed(
            CERTIFICATE,
            "those that come with it do not lead to its authority; put the ones between into the file of --web-cert",
        ),
        None if chain.is_for(host) => {
            ok(CERTIFICATE, format!("for {host}; browsers that know its authority do not warn"))
        }
        None => {
            let names = chain.names();
            let detail = format!("it is for {}, so browsers warn at {host}; ", names.join(", "));
            let name = names.iter().find(|name| !name.starts_with('*'));
            let link = name.map(|name| page_link(name, port, None));
            let remedy = link.map_or("get one with that name".into(), |link| format!("give people {link}"));
            // People go by the name, and lanchat by the address.
            let line = if host.parse::<IpAddr>().is_ok() { note } else { failed };
            line(CERTIFICATE, detail + &remedy)
        }
    }
}

fn is_link_local(host: &str) -> bool {
    host.parse().is_ok_and(|ip: Ipv6Addr| ip.is_unicast_link_local())
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::check_line::CheckResult;
    use super::*;
    use crate::client::PageReport;
    use crate::security::WebCertificate;

    /// By nobody but itself, in 2026.
    fn chain() -> CertificateChain {
        let dir = tempfile::tempdir().unwrap();
        WebCertificate::sample(dir.path(), &["chat.example"], (2026, 2027)).0.chain()
    }

    fn seen(access: WebAccess, https: Result<u16, &str>, http: Result<u16, &str>, at: &str) -> PageFinding {
        let https = https.map(|status| (chain(), status)).map_err(str::to_owned);
        let report = PageReport { host: "office".into(), https, http: http.map_err(str::to_owned) };
        PageFinding::Served(Box::new(SeenPage { access, report, at: at.parse().unwrap() }))
    }

    /// The lines that are not good.
    fn bad(access: WebAccess, https: Result<u16, &str>, http: Result<u16, &str>, at: &str) -> Vec<String> {
        let lines = page_lines(&seen(access, https, http, at), "office (3f9a1c77)", 7667);
        let bad = lines.into_iter().filter(|line| line.state == CheckResult::Failed);
        bad.map(|line| line.to_string()).collect()
    }

    const NOW: &str = "2026-06-01T00:00:00Z";

    #[test]
    fn each_way_to_the_page_is_judged_by_what_it_should_answer() {
        assert!(bad(WebAccess::Https, Ok(200), Ok(307), NOW).is_empty());
        assert!(bad(WebAccess::Plaintext, Ok(200), Ok(200), NOW).is_empty());
        for (access, https, http, part) in [
            (WebAccess::Https, Ok(200), Ok(200), "should lead to https, answers with status 200"),
            (WebAccess::Plaintext, Ok(200), Ok(307), "should have the page, answers with status 307"),
            (WebAccess::Https, Ok(502), Ok(307), "https://office:7667/ answers with status 502"),
            (WebAccess::Https, Err("no answer in time"), Ok(307), "https://office:7667/: no answer in time"),
            (WebAccess::Https, Ok(200), Err("the answer is not HTTP"), "the answer is not HTTP"),
            (WebAccess::Https, Ok(421), Ok(421), "start it with --web-host office"),
        ] {
            let lines = bad(access, https, http, NOW);
            assert!(lines.len() == 1 && lines[0].contains(part), "{part}: {lines:?}");
        }
    }

    #[test]
    fn a_clock_and_a_certificate_that_disagree_are_told_with_both_dates() {
        let late = bad(WebAccess::Https, Ok(200), Ok(307), "2027-03-01T10:00:00Z");
        assert!(
            late[0].contains("ended on 2027-01-01 00:00 UTC") && late[0].contains("2027-03-01 10:00"),
            "{late:?}"
        );
        assert!(late[0].contains("restart the server, which then makes another one"), "{late:?}");
        let early = bad(WebAccess::Https, Ok(200), Ok(307), "1970-01-01T00:10:00Z");
        assert!(
            early[0].contains("begins on 2026-01-01") && early[0].contains("1970-01-01 00:10"),
            "{early:?}"
        );
        assert!(early[0].contains("set the clock"), "{early:?}");
    }
}
