//! The servers of a chat: their names, and where the others reach them.

use crate::limits::{CLUSTER_SIZES, MAX_NODE_NAME_CHARS};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Longest name in DNS (RFC 1035 2.3.4).
const MAX_HOST_CHARS: usize = 253;

/// The name of a server among those of its chat: letters a to z and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

impl NodeName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        match !text.is_empty() && text.len() <= MAX_NODE_NAME_CHARS && text.chars().all(is_good) {
            true => Ok(Self(text.to_owned())),
            false => Err(format!(
                "'{}' cannot be a server's name; use 1 to {MAX_NODE_NAME_CHARS} letters a to z and digits, such as \
                 a, b, c",
                text.escape_debug()
            )),
        }
    }
}

/// A host that the servers use for each other: an address or a name, without a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeHost(String);

impl NodeHost {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None`: it is a name.
    pub fn address(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }

    /// As `scp` takes it before its colon.
    pub fn scp(&self) -> String {
        if self.0.contains(':') { format!("[{}]", self.0) } else { self.0.clone() }
    }

    /// With a port, as in a URL.
    pub fn with_port(&self, port: u16) -> String {
        match self.0.contains(':') {
            true => format!("[{}]:{port}", self.0),
            false => format!("{}:{port}", self.0),
        }
    }
}

impl FromStr for NodeHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            let is_shared = address.is_unspecified() || address.is_multicast();
            return match is_shared {
                true => {
                    Err(format!("{address} is not the address of one machine; use the one that others see"))
                }
                // One spelling, so that a second one of the same address is noticed.
                false => Ok(Self(address.to_string())),
            };
        }
        if text.starts_with('[') || text.split_once('%').is_some() || text.matches(':').count() > 1 {
            return Err(format!("'{}' is not an address without a scope", text.escape_debug()));
        }
        if text.contains(':') {
            return Err(format!(
                "'{}' has a port, which is the same on all servers; leave it out, and use --port",
                text.escape_debug()
            ));
        }
        let is_label = |label: &str| {
            let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            !label.is_empty() && !label.starts_with('-') && label.chars().all(is_good)
        };
        // Otherwise a wrong address would count as a name.
        let last = text.rsplit('.').next().unwrap_or_default();
        let is_number = last.chars().all(|c| c.is_ascii_digit());
        match text.len() <= MAX_HOST_CHARS && text.split('.').all(is_label) && !is_number {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(format!("'{}' is neither an IP address nor a host name", text.escape_debug())),
        }
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NodeHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Has files hold a type as text.
macro_rules! as_text {
    ($($kind:ty),*) => {$(
        impl TryFrom<String> for $kind {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$kind> for String {
            fn from(it: $kind) -> String {
                it.to_string()
            }
        }
    )*};
}

as_text!(NodeName, ClusterServer);

/// A server of the chat, written `a=192.168.1.21`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterServer {
    pub name: NodeName,
    pub host: NodeHost,
}

impl fmt::Display for ClusterServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.host)
    }
}

impl FromStr for ClusterServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, host) =
            text.split_once('=').ok_or("expected a name and an address, such as a=192.168.1.21")?;
        Ok(Self { name: name.parse()?, host: host.parse()? })
    }
}

/// All servers of a chat, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<ClusterServer>", into = "Vec<ClusterServer>")]
pub struct ServerList(Vec<ClusterServer>);

/// Why servers cannot form a chat.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerListError {
    /// Too few for a majority, or too many.
    #[error("a chat has {sizes}, not {0}{reason}", sizes = sizes(), reason = reason(*.0))]
    Count(usize),
    #[error("two servers are called {0}; give each a name of its own")]
    Name(NodeName),
    #[error("two servers have the address {0}; each needs a machine of its own")]
    Host(NodeHost),
}

/// `1, 3 or 5 servers`.
fn sizes() -> String {
    let sizes = CLUSTER_SIZES.map(|size| size.to_string());
    match sizes.split_last() {
        Some((last, others)) => format!("{} or {last} servers", others.join(", ")),
        None => String::new(),
    }
}

/// The reason, and a remedy.
fn reason(count: usize) -> String {
    let smaller = CLUSTER_SIZES.into_iter().rev().find(|size| *size < count);
    match smaller {
        Some(smaller) if count.is_multiple_of(2) => format!(
            ": more than half of them must be there, so {count} survive as few failures as {smaller}; add one or leave \
             one out"
        ),
        Some(smaller) => format!(": use {smaller}"),
        None => "; name them with --box".to_owned(),
    }
}

impl ServerList {
    /// Sorts the servers.
    ///
    /// # Errors
    /// If their number is not possible, or two have the same name or host.
    pub fn new(mut servers: Vec<ClusterServer>) -> Result<Self, ServerListError> {
        if !CLUSTER_SIZES.contains(&servers.len()) {
            return Err(ServerListError::Count(servers.len()));
        }
        servers.sort_by(|one, other| one.name.cmp(&other.name));
        let (mut names, mut hosts) = (BTreeSet::new(), BTreeSet::new());
        for server in &servers {
            if !names.insert(&server.name) {
                return Err(ServerListError::Name(server.name.clone()));
            }
            if !hosts.insert(&server.host) {
                return Err(ServerListError::Host(server.host.clone()));
            }
        }
        Ok(Self(servers))
    }

    pub fn as_slice(&self) -> &[ClusterServer] {
        &self.0
    }

    pub fn find(&self, name: &NodeName) -> Option<&ClusterServer> {
        self.0.iter().find(|server| server.name == *name)
    }
}

impl TryFrom<Vec<ClusterServer>> for ServerList {
    type Error = ServerListError;

    fn try_from(servers: Vec<ClusterServer>) -> Result<Self, ServerListError> {
        Self::new(servers)
    }
}

impl From<ServerList> for Vec<ClusterServer> {
    fn from(list: ServerList) -> Self {
        list.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<String, String> {
        let servers: Result<Vec<ClusterServer>, _> = text.split_whitespace().map(str::parse).collect();
        let list = ServerList::new(servers?).map_err(|error| error.to_string())?;
        let shown: Vec<String> = list.as_slice().iter().map(ToString::to_string).collect();
        Ok(shown.join(" "))
    }

    #[test]
    fn one_three_or_five_servers_form_a_chat_in_the_order_of_their_names() {
        assert_eq!(list("a=10.0.0.1").unwrap(), "a=10.0.0.1");
        assert_eq!(
            list("c=Chat-C.example b=[fd00::2] a=10.0.0.1").unwrap(),
            "a=10.0.0.1 b=fd00::2 c=chat-c.example"
        );
        assert!(list("a=n1 b=n2 c=n3 d=n4 e=n5").is_ok());
    }

    #[test]
    fn other_numbers_are_refused_with_the_reason() {
        assert_eq!(
            list("a=n1 b=n2").unwrap_err(),
            "a chat has 1, 3 or 5 servers, not 2: more than half of them must be there, so 2 survive as few failures \
             as 1; add one or leave one out"
        );
        assert!(list("a=n1 b=n2 c=n3 d=n4").unwrap_err().contains("4 survive as few failures as 3"));
        assert!(list("a=n1 b=n2 c=n3 d=n4 e=n5 f=n6").unwrap_err().contains("as 5"));
        assert!(list("a=n1 b=n2 c=n3 d=n4 e=n5 f=n6 g=n7").unwrap_err().ends_with("not 7: use 5"));
        assert!(list("").unwrap_err().ends_with("not 0; name them with --box"));
    }

    #[test]
    fn two_servers_share_neither_name_nor_host() {
        assert!(list("a=n1 a=n2 c=n3").unwrap_err().starts_with("two servers are called a;"));
        for same in ["a=n1 b=N1 c=n3", "a=fd00::1 b=fd00:0::1 c=n3"] {
            assert!(list(same).unwrap_err().starts_with("two servers have the address"), "{same}");
        }
    }

    #[test]
    fn wrong_names_and_hosts_say_what_is_wrong() {
        for (text, words) in [
            ("a", "such as a=192.168.1.21"),
            ("A=n1", "'A' cannot be a server's name; use 1 to 8 letters a to z and digits"),
            ("=n1", "cannot be a server's name"),
            ("ninechars=n1", "cannot be a server's name"),
            ("a-b=n1", "cannot be a server's name"),
            ("a=10.0.0.1:4222", "has a port"),
            ("a=n1:4222", "has a port"),
            ("a=0.0.0.0", "is not the address of one machine"),
            ("a=224.0.0.1", "is not the address of one machine"),
            ("a=10.0.0.256", "neither an IP address nor a host name"),
            ("a=", "neither an IP address nor a host name"),
            ("a=b\u{fc}ro", "neither an IP address nor a host name"),
            ("a=-n", "neither an IP address nor a host name"),
            ("a=fe80::1%eth0", "is not an address without a scope"),
            ("a=[fd00::1]:4222", "is not an address without a scope"),
        ] {
            let error = text.parse::<ClusterServer>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn an_address_of_ipv6_has_brackets_before_a_port() {
        let with_port = |text: &str| text.parse::<NodeHost>().unwrap().with_port(4222);
        assert_eq!(with_port("10.0.0.1"), "10.0.0.1:4222");
        assert_eq!(with_port("fd00::1"), "[fd00::1]:4222");
        assert_eq!(with_port("chat-a"), "chat-a:4222");
    }
}
