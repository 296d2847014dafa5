//! Warns an administrator of settings and certificates with which browsers do not reach the page.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::protocol::WebAccess;
use crate::security::{CertificateTime, WebCertificate};
use crate::server::{ServerOptions, WebOptions};

/// The ports that browsers open for no page, because they belong to other protocols (WHATWG Fetch, "bad port").
const BLOCKED_PORTS: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
    109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
    526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
    3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// How long before its end an administrator learns that a certificate has not been renewed.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Warnings about a server that serves browsers with this certificate; `None`: it will make its own.
pub(super) fn page_warnings(
    options: &ServerOptions,
    certificate: Option<&WebCertificate>,
    now: Timestamp,
) -> Vec<String> {
    let Some(web) = &options.web else { return Vec::new() };
    let mut warnings = Vec::new();
    if BLOCKED_PORTS.contains(&options.port) {
        warnings.push(format!(
            "browsers refuse to open port {}, which belongs to another protocol; choose another one with --port, such as \
             7667",
            options.port
        ));
    }
    if web.mode == WebAccess::Plaintext && options.rules.closed {
        warnings.push(
            "over http, nobody gets into this closed server, because a browser has a key only over https; use --web \
             without =plaintext"
                .into(),
        );
    }
    match (certificate, &web.certificate) {
        (Some(given), Some((file, _))) => warnings.extend(certificate_warning(given, file, now)),
        (Some(own), None) => warnings.extend(own_certificate_warning(own, now)),
        (None, _) => {}
    }
    warnings
}

/// For a server that has run for so long that no start has renewed it.
fn own_certificate_warning(certificate: &WebCertificate, now: Timestamp) -> Option<String> {
    let soon = now.checked_add(SOON).unwrap_or(now);
    let Some(CertificateTime::Ended(end)) = certificate.chain().review(soon).time else { return None };
    let end = day(end);
    Some(format!(
        "the certificate that the server has made for browsers ends on {end}; restart the server, which then makes \
         another one"
    ))
}

/// The certificate that the options name.
pub(super) fn named_certificate(web: Option<&WebOptions>) -> anyhow::Result<Option<WebCertificate>> {
    let files = web.and_then(|web| web.certificate.as_ref());
    Ok(files.map(|(certificate, key)| WebCertificate::load(certificate, key)).transpose()?)
}

/// One remark about a certificate that an administrator has given: the worst one.
fn certificate_warning(certificate: &WebCertificate, file: &Path, now: Timestamp) -> Option<String> {
    let (chain, file) = (certificate.chain(), file.display());
    let review = chain.review(now);
    let soon = now.checked_add(SOON).unwrap_or(now);
    let renew =
        "put the authority's next one into the files of --web-cert and --web-key, and reload the server";
    match (review.time, chain.review(soon).time) {
        (Some(CertificateTime::Ended(end)), _) => {
            Some(format!("the certificate in {file} ended on {}, so browsers warn; {renew}", day(end)))
        }
        (Some(CertificateTime::Begins(start)), _) => Some(format!(
            "the certificate in {file} begins on {}, but this machine's clock says {}; set the clock",
            day(start),
            day(now)
        )),
        (None, _) if !review.is_linked => Some(format!(
            "the certificates in {file} do not lead from the server's own to its authority, so browsers warn; append those \
             between, in this order"
        )),
        (None, Some(CertificateTime::Ended(end))) => {
            Some(format!("the certificate in {file} ends on {}; {renew}", day(end)))
        }
        (None, _) => None,
    }
}

/// A hint about a certificate that may be all there is to give, or may lack those between it and its authority.
pub(super) fn chain_hint(certificate: &WebCertificate, file: &Path, now: Timestamp) -> Option<String> {
    let review = certificate.chain().review(now);
    (!review.is_self_made && review.others == 0).then(|| {
        format!(
            "{} has only the server's own certificate; if an intermediate authority made it, append that one's as well, or \
             browsers warn",
            file.display()
        )
    })
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Rules;
    use crate::discovery::local_name;

    fn options(port: u16, mode: WebAccess, closed: bool) -> ServerOptions {
        let web =
            WebOptions { mode, hosts: Vec::new(), addresses: Vec::new(), certificate: None, local_name };
        let rules = Rules { closed, ..Rules::default() };
        ServerOptions { port, web: Some(web), rules, ..ServerOptions::default() }
    }

    fn now() -> Timestamp {
        "2026-06-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_port_that_browsers_refuse_and_http_that_lets_nobody_in_are_told() {
        let warned = |port, mode, closed| page_warnings(&options(port, mode, closed), None, now());
        assert!(warned(7667, WebAccess::Https, true).is_empty());
        assert!(warned(443, WebAccess::Plaintext, false).is_empty());
        assert!(warned(6667, WebAccess::Https, false)[0].contains("refuse to open port 6667"));
        assert!(warned(7667, WebAccess::Plaintext, true)[0].contains("nobody gets into this closed server"));
        assert!(
            page_warnings(&ServerOptions { port: 6667, ..ServerOptions::default() }, None, now()).is_empty()
        );
    }

    #[test]
    fn the_time_of_a_certificate_is_told_before_browsers_warn() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, file) = WebCertificate::sample(dir.path(), &["chat.example"], (2026, 2027));
        let warning = |at: &str| certificate_warning(&certificate, &file, at.parse().unwrap());
        assert_eq!(warning("2026-06-01T00:00:00Z"), None);
        let ends =
            |warning: Option<String>, text| assert!(warning.as_ref().unwrap().contains(text), "{warning:?}");
        ends(warning("2026-12-28T00:00:00Z"), "ends on 2027-01-01 00:00 UTC; put the authority's next one");
        ends(warning("2027-01-02T00:00:00Z"), "ended on 2027-01-01 00:00 UTC, so browsers warn");
        ends(
            warning("2025-12-01T00:00:00Z"),
            "this machine's clock says 2025-12-01 00:00 UTC; set the clock",
        );
        assert_eq!(chain_hint(&certificate, &file, now()), None, "nobody else vouches for it");
        let own = |at: &str| {
            page_warnings(&options(7667, WebAccess::Https, false), Some(&certificate), at.parse().unwrap())
        };
        assert!(own("2026-12-01T00:00:00Z").is_empty());
        assert!(
            own("2026-12-28T00:00:00Z")[0].contains("restart the server"),
            "as if it were the server's own"
        );
    }
}
