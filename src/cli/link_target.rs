//! A value of `--host`: a host, or a link that also contains the server's key,
//! `lanchat://HOST:PORT/?fp=SHA256:...`.

use std::fmt;
use std::str::FromStr;

use super::values::HostPort;
use crate::fingerprint::Fingerprint;

const SCHEME: &str = "lanchat://";

/// A server to connect to: a host with an optional port, and the key if a link gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkTarget {
    pub(crate) at: HostPort,
    pub(crate) fingerprint: Option<Fingerprint>,
}

impl FromStr for LinkTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_link = text.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME));
        if !is_link {
            return Ok(Self { at: text.parse()?, fingerprint: None });
        }
        let rest = &text[SCHEME.len()..];
        let (at, query) = rest.split_once('?').unwrap_or((rest, ""));
        // RFC 6874: the percent sign before an interface is written as %25 in a link.
        let at = at.trim_end_matches('/').replacen("%25", "%", 1).parse()?;
        let value = query.split('&').find_map(|pair| pair.strip_prefix("fp="));
        let fingerprint = value.ok_or("the link has no key (fp=); ask for the complete link")?;
        let fingerprint = fingerprint.replace("%3A", ":").replace("%3a", ":").parse();
        Ok(Self { at, fingerprint: Some(fingerprint.map_err(|error| format!("in the link, {error}"))?) })
    }
}

impl fmt::Display for LinkTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(fingerprint) = &self.fingerprint else { return write!(f, "{}", self.at) };
        let brackets = self.at.host.contains(':') && self.at.port.is_none();
        let at = if brackets { format!("[{}]", self.at) } else { self.at.to_string() };
        write!(f, "{SCHEME}{}/?fp={fingerprint}", at.replacen('%', "%25", 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844";

    #[test]
    fn links_come_back_from_their_text() {
        for at in ["192.168.1.20:7700", "office", "[fe80::1%eth0]:7667", "fe80::1%2"] {
            let there = LinkTarget { at: at.parse().unwrap(), fingerprint: KEY.parse().ok() };
            let link = there.to_string();
            assert_eq!(link.parse(), Ok(there), "{link}");
        }
        let link = format!("lanchat://192.168.1.20:7700/?fp={KEY}");
        assert_eq!(link.parse::<LinkTarget>().unwrap().to_string(), link);
    }

    #[test]
    fn links_are_read_as_programs_and_people_pass_them_on() {
        let bare = &KEY[7..];
        for link in [
            format!("LANCHAT://office?fp={KEY}"),
            format!("lanchat://office/?v=1&fp={bare}&x=y"),
            format!("lanchat://office/?fp={}", KEY.replace(':', "%3A")),
        ] {
            let read: LinkTarget = link.parse().unwrap();
            assert_eq!((read.at.host.as_str(), read.fingerprint), ("office", KEY.parse().ok()), "{link}");
        }
        let plain: LinkTarget = "office:1".parse().unwrap();
        assert_eq!((plain.to_string().as_str(), plain.fingerprint), ("office:1", None));
    }

    #[test]
    fn a_link_without_a_whole_key_is_refused() {
        for (link, words) in [
            ("lanchat://office/", "has no key"),
            ("lanchat://office/?fp=SHA256:short", "invalid fingerprint"),
            (&format!("lanchat:///?fp={KEY}"), "the host is empty"),
            (&format!("lanchat://office:0/?fp={KEY}"), "invalid port"),
        ] {
            let message = link.parse::<LinkTarget>().unwrap_err();
            assert!(message.contains(words) && !message.contains('\n'), "{link}: {message}");
        }
    }
}
