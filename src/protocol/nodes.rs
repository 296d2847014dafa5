//! The servers of one chat, as each of them names them to its clients. All prove the same key, so a list that is
//! wrong or hostile leads a client nowhere else. Says nothing about how the servers share the chat.

use super::whole;
use crate::limits::{MAX_NODE_NAME_CHARS, MAX_NODES};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// One of a chat's servers, and where clients reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePlace {
    /// Its name within the chat.
    pub node: String,
    pub address: IpAddr,
    #[serde(deserialize_with = "port")]
    pub port: u16,
}

/// A chat's servers, and which of them speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nodes {
    node: String,
    #[serde(rename = "servers", skip_serializing_if = "Vec::is_empty")]
    places: Vec<NodePlace>,
}

/// Why a list of servers is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNodes {
    /// A name has wrong characters, or too many.
    #[error("\"{0}\" is not a server's name in a chat; use 1 to {MAX_NODE_NAME_CHARS} of a-z and 0-9")]
    Name(String),
    /// Two servers have this name.
    #[error("two servers of the chat are called \"{0}\"; give each a name of its own")]
    Twice(String),
    /// The server that speaks is not one of them.
    #[error("the chat's servers do not include \"{0}\"; add it with its address")]
    Missing(String),
    /// There are too many.
    #[error("a chat has at most {MAX_NODES} servers, not {0}")]
    TooMany(usize),
}

/// Whether a text can name a server within its chat.
pub fn is_node_name(name: &str) -> bool {
    (1..=MAX_NODE_NAME_CHARS).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

impl NodePlace {
    pub fn socket(&self) -> SocketAddr {
        (self.address, self.port).into()
    }
}

impl Nodes {
    /// The servers of a chat, of which `node` is this one.
    ///
    /// # Errors
    /// See [`InvalidNodes`].
    pub fn new(node: &str, places: Vec<NodePlace>) -> Result<Self, InvalidNodes> {
        if places.len() > MAX_NODES {
            return Err(InvalidNodes::TooMany(places.len()));
        }
        if let Some(wrong) = places.iter().map(|place| &place.node).find(|name| !is_node_name(name)) {
            return Err(InvalidNodes::Name(wrong.clone()));
        }
        let is_twice =
            |(at, place): &(usize, &NodePlace)| places[..*at].iter().any(|one| one.node == place.node);
        if let Some((_, twice)) = places.iter().enumerate().find(is_twice) {
            return Err(InvalidNodes::Twice(twice.node.clone()));
        }
        if !places.iter().any(|place| place.node == node) {
            return Err(InvalidNodes::Missing(node.into()));
        }
        Ok(Self { node: node.into(), places })
    }

    /// Reads what a server says. Leaves out entries that are invalid or too many; `None`: the server is alone.
    pub(super) fn told(node: Option<String>, servers: Option<Vec<serde_json::Value>>) -> Option<Self> {
        let node = node.filter(|node| is_node_name(node))?;
        let mut places: Vec<NodePlace> = Vec::new();
        for entry in servers.unwrap_or_default() {
            let Ok(place) = serde_json::from_value::<NodePlace>(entry) else { continue };
            let is_twice = places.iter().any(|one| one.node == place.node);
            if is_node_name(&place.node) && !is_twice && places.len() < MAX_NODES {
                places.push(place);
            }
        }
        Some(Self { node, places })
    }

    /// The same, of which another one speaks.
    #[must_use]
    pub fn seen_from(&self, node: &str) -> Self {
        Self { node: node.into(), places: self.places.clone() }
    }

    /// The name of the server that speaks.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// All servers that it names, itself among them.
    pub fn places(&self) -> &[NodePlace] {
        &self.places
    }
}

fn port<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    u16::try_from(whole::number(deserializer)?).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place(node: &str, address: &str) -> NodePlace {
        NodePlace { node: node.into(), address: address.parse().unwrap(), port: 7667 }
    }

    #[test]
    fn a_chats_servers_have_names_of_their_own_and_this_one_is_among_them() {
        let both = || vec![place("a", "10.0.0.1"), place("b", "fd00::2")];
        let nodes = Nodes::new("b", both()).unwrap();
        assert_eq!((nodes.node(), nodes.places().len()), ("b", 2));
        assert_eq!(nodes.places()[1].socket(), "[fd00::2]:7667".parse().unwrap());
        let twice = vec![place("a", "10.0.0.1"), place("a", "10.0.0.2")];
        assert_eq!(Nodes::new("a", twice), Err(InvalidNodes::Twice("a".into())));
        assert_eq!(Nodes::new("c", both()), Err(InvalidNodes::Missing("c".into())));
        for name in ["", "B", "ninechars", "a-b", "é"] {
            let named = vec![place(name, "10.0.0.1")];
            assert_eq!(Nodes::new(name, named), Err(InvalidNodes::Name(name.into())), "{name}");
        }
        let many: Vec<_> = (0..=MAX_NODES).map(|n| place(&format!("n{n}"), "10.0.0.1")).collect();
        assert_eq!(Nodes::new("n0", many), Err(InvalidNodes::TooMany(MAX_NODES + 1)));
    }

    #[test]
    fn of_what_a_server_says_only_valid_entries_count_and_not_too_many() {
        let told = |servers| Nodes::told(Some("b".into()), Some(servers)).unwrap();
        let nodes = told(vec![
            json!({"node": "a", "address": "10.0.0.1", "port": 7667.0, "weight": 3}),
            json!({"node": "a", "address": "10.0.0.9", "port": 7667}),
            json!({"node": "\u{1b}[2J", "address": "10.0.0.1", "port": 7667}),
            json!({"node": "c", "address": "example.org", "port": 7667}),
            json!({"node": "d", "address": "10.0.0.1", "port": 65536}),
            json!({"node": "e", "address": "10.0.0.1"}),
            json!(["b"]),
            json!(null),
        ]);
        assert_eq!(nodes.places(), [place("a", "10.0.0.1")]);
        let entry = |n| json!({"node": format!("n{n}"), "address": "10.0.0.1", "port": 1});
        assert_eq!(told((0..5000).map(entry).collect()).places().len(), MAX_NODES);
        assert_eq!(Nodes::told(None, Some(vec![entry(1)])), None);
        assert_eq!(Nodes::told(Some("Büro".into()), None), None);
    }
}
