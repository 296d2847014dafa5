//! A server as seen by mDNS. Pure.

use super::SERVICE;
use super::label::{MIN_ID_DIGITS, is_called, plain_name, short_id};
use super::order::in_order;
use crate::fingerprint::Fingerprint;
use crate::limits::MAX_SERVER_ADDRS;
use crate::protocol::is_node_name;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Digits of an id: from the 16 that we announce up to a whole SHA-256.
const ID_DIGITS: std::ops::RangeInclusive<usize> = MIN_ID_DIGITS..=64;

/// Maximum bytes of a TXT entry's key; ours have two (RFC 6763 6.4 recommends at most nine).
const MAX_TXT_KEY_BYTES: usize = 32;

/// Maximum TXT entries; we send seven.
const MAX_TXT_ENTRIES: usize = 16;

/// A server as seen by mDNS. Anyone on the network can forge all of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The server's id in lower-case hexadecimal: that of `fp`, or else TXT `id`, which may be only its
    /// beginning. `None` if another program announces the server.
    pub id: Option<String>,
    /// The fingerprint of the key that it claims to have: TXT `fp`. Copying one is useless, because the
    /// server has to prove that it has the key.
    pub fp: Option<Fingerprint>,
    /// Whether it claims to ask newcomers for a passphrase: TXT `pw`.
    pub closed: bool,
    /// Whether it claims to serve browsers: TXT `web`.
    pub web: bool,
    /// Its name within a chat of several servers: TXT `node`.
    pub node: Option<String>,
    /// Its name: TXT `n`, or else the instance label. At most 63 bytes, without control characters.
    pub name: String,
    /// The DNS label of the service's instance, which is unique on a network.
    pub instance: String,
    /// Its addresses, likeliest first; link-local ones with their interface. At most 16.
    pub addrs: Vec<SocketAddr>,
    /// Its protocol version: TXT `v`.
    pub version: Option<String>,
    /// The whole TXT record, with keys in lower case, and without control characters.
    pub txt: BTreeMap<String, String>,
    /// How it was heard of.
    pub heard: HeardBy,
}

/// A report of a browse or a one-shot query.
#[derive(Debug)]
pub(super) enum Observation {
    Seen(Sighting),
    Gone(String),
}

/// The ways in which a server was heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeardBy {
    /// By the usual multicast answer to a question from port 5353.
    pub browse: bool,
    /// By the unicast answer to a question from a port of our own (RFC 6762 6.7).
    pub one_shot: bool,
}

impl Sighting {
    /// Builds one from a responder's records: removes control characters and applies the bounds.
    pub(super) fn new(
        instance: &str,
        txt: impl IntoIterator<Item = (String, String)>,
        addrs: impl IntoIterator<Item = SocketAddr>,
        heard: HeardBy,
    ) -> Sighting {
        let mut entries = BTreeMap::new();
        for (key, value) in txt.into_iter().take(MAX_TXT_ENTRIES) {
            let key = plain_name(&key).to_ascii_lowercase();
            if !key.is_empty() && key.len() <= MAX_TXT_KEY_BYTES {
                let value: String = value.chars().filter(|character| !character.is_control()).collect();
                // The first of several entries with the same key counts (RFC 6763 6.4).
                entries.entry(key).or_insert(value);
            }
        }
        let instance = plain_name(instance);
        let named = entries.get("n").map(|name| plain_name(name)).filter(|name| !name.is_empty());
        let fp = entries.get("fp").and_then(|fp| fp.parse::<Fingerprint>().ok());
        Sighting {
            id: fp.map(|fp| fp.id()).or_else(|| entries.get("id").and_then(|id| valid_id(id))),
            fp,
            web: entries.get("web").is_some_and(|web| web == "1"),
            node: entries.get("node").filter(|node| is_node_name(node)).cloned(),
            closed: entries.get("pw").is_some_and(|pw| pw == "1"),
            name: named.unwrap_or_else(|| instance.clone()),
            version: entries.get("v").cloned(),
            addrs: in_order(addrs),
            txt: entries,
            instance,
            heard,
        }
    }

    /// Adds an address as the least likely one, within the bound.
    pub(super) fn add(&mut self, addr: SocketAddr) {
        if !self.addrs.contains(&addr) && self.addrs.len() < MAX_SERVER_ADDRS {
            self.addrs.push(addr);
        }
    }

    /// Whether this server matches a name, a label, or the first four or more digits of an id.
    pub fn is_called(&self, wanted: &str) -> bool {
        is_called(wanted, &self.name, self.id.as_deref().unwrap_or_default())
            || self.instance.eq_ignore_ascii_case(wanted)
    }

    /// The first 8 digits of its id, as shown beside the name.
    pub fn short_id(&self) -> Option<&str> {
        self.id.as_deref().map(short_id)
    }
}

/// The label in an instance's full name, where `\` escapes dots (RFC 6763 4.3). `None` for another service.
pub(super) fn instance_label(full_name: &str) -> Option<String> {
    let full_name = full_name.strip_suffix('.').unwrap_or(full_name);
    let split = full_name.len().checked_sub(SERVICE.len() + 1)?;
    let (label, rest) = full_name.split_at_checked(split)?;
    if !rest.strip_prefix('.')?.eq_ignore_ascii_case(SERVICE) {
        return None;
    }
    let mut unescaped = String::new();
    let mut characters = label.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => unescaped.extend(characters.next()),
            other => unescaped.push(other),
        }
    }
    Some(unescaped)
}

fn valid_id(text: &str) -> Option<String> {
    let id = text.to_ascii_lowercase();
    let valid = ID_DIGITS.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_txt(txt: &[(&str, &str)]) -> Sighting {
        let txt = txt.iter().map(|(key, value)| (key.to_string(), value.to_string()));
        Sighting::new("office-3f9a1c77", txt, [], HeardBy::default())
    }

    #[test]
    fn the_txt_record_names_the_server() {
        let seen = with_txt(&[("V", "1"), ("id", "3F9A1C7700112233"), ("n", "The Office")]);
        assert_eq!(seen.name, "The Office");
        assert_eq!(seen.short_id(), Some("3f9a1c77"));
        assert_eq!(seen.version.as_deref(), Some("1"));
    }

    #[test]
    fn the_fingerprint_makes_the_id() {
        let fp = Fingerprint::new([0x3f; 32]);
        let text = fp.base64();
        let seen = with_txt(&[("fp", &text), ("id", "a0b1c2d3e4f50617"), ("pw", "1")]);
        assert_eq!((seen.fp, seen.id, seen.closed), (Some(fp), Some("3f".repeat(32)), true));
        let damaged = with_txt(&[("fp", &text[1..]), ("id", "a0b1c2d3e4f50617"), ("pw", "yes")]);
        assert_eq!((damaged.fp, damaged.closed), (None, false));
        assert_eq!(damaged.id.as_deref(), Some("a0b1c2d3e4f50617"));
        assert_eq!(with_txt(&[("node", "b")]).node.as_deref(), Some("b"));
        assert_eq!(with_txt(&[("node", "B 2")]).node, None);
    }

    #[test]
    fn without_one_the_label_does() {
        let seen = with_txt(&[("note", "hand-made"), ("id", "short"), ("n", "")]);
        assert_eq!((seen.name.as_str(), seen.id), ("office-3f9a1c77", None));
        assert_eq!(seen.txt["note"], "hand-made");
    }

    #[test]
    fn terminal_escapes_do_not_get_in() {
        let seen = with_txt(&[("n", "a\u{1b}]0;x\u{7}b"), ("k", "\u{1b}[2J")]);
        assert_eq!((seen.name.as_str(), seen.txt["k"].as_str()), ("a]0;xb", "[2J"));
    }

    #[test]
    fn a_label_is_what_comes_before_the_service() {
        for (full, label) in [
            ("office-3f9a1c77._lanchat._tcp.local.", Some("office-3f9a1c77")),
            ("Avahi Room._LanChat._tcp.local", Some("Avahi Room")),
            (r"v1\.2 \\ x._lanchat._tcp.local.", Some(r"v1.2 \ x")),
            ("x._http._tcp.local.", None),
            ("_lanchat._tcp.local.", None),
            ("", None),
        ] {
            assert_eq!(instance_label(full).as_deref(), label, "{full}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_full_name_makes_it_panic(text in "\\PC*") {
            instance_label(&text);
            instance_label(&format!("{text}._lanchat._tcp.local."));
        }
    }
}
