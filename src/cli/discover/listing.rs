//! Formats a list of servers as a table or as JSON. Pure.

use crate::client::ProbedServer;
use crate::discovery::{Found, Sighting};
use crate::text::{escape_json, safe_line};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use unicode_width::UnicodeWidthStr;

/// Spaces between two columns of the table.
const GAP: usize = 2;

/// Column widths for servers that are printed as they come: most names fit.
const USUAL_WIDTHS: [usize; 3] = [24, 8 + GAP, LONGEST_STATE.len() + GAP];

/// All traits at once.
const LONGEST_STATE: &str = "known, closed, web";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its name, unchecked.
    pub(crate) name: String,
    /// Its id; `None` if another program announces it.
    pub(crate) id: Option<String>,
    /// Its addresses, the likeliest first.
    pub(crate) addrs: Vec<SocketAddr>,
    /// Its chat's servers, if their announcements name them, with their addresses.
    pub(crate) nodes: Vec<ListedNode>,
    /// Its announcement's TXT record; empty if a scan found it.
    pub(crate) txt: Map<String, Value>,
    /// Whether it says that newcomers need a passphrase.
    pub(crate) closed: bool,
    /// Whether it says that it serves a page for browsers.
    pub(crate) web: bool,
    /// Whether the user has joined a server with that id before. An announcement proves nothing.
    pub(crate) known: bool,
    /// How it was found: `mdns` or `scan`.
    pub(crate) via: &'static str,
}

/// One of several servers of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedNode {
    pub(crate) node: String,
    pub(crate) addrs: Vec<SocketAddr>,
}

impl From<&Sighting> for Listed {
    fn from(seen: &Sighting) -> Listed {
        let txt = seen.txt.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let (name, id, addrs) = (seen.name.clone(), seen.id.clone(), seen.addrs.clone());
        let node = seen.node.iter().map(|node| ListedNode { node: node.clone(), addrs: addrs.clone() });
        let nodes = node.collect();
        Listed { name, id, addrs, nodes, txt, closed: seen.closed, web: seen.web, known: false, via: "mdns" }
    }
}

impl From<&Found<ProbedServer>> for Listed {
    fn from(found: &Found<ProbedServer>) -> Listed {
        let (name, id) = (found.name.clone(), Some(found.id.clone()));
        Listed {
            name,
            id,
            addrs: found.addrs.clone(),
            nodes: Vec::new(),
            txt: Map::new(),
            closed: found.link.closed,
            web: found.link.web.is_some(),
            known: false,
            via: "scan",
        }
    }
}

/// Adds the servers that a scan found to those that mDNS showed, without listing an id twice.
pub(crate) fn merge(mut seen: Vec<Listed>, scanned: Vec<Listed>) -> Vec<Listed> {
    for server in scanned {
        let same = |seen: &Listed| match (&seen.id, &server.id) {
            (Some(seen), Some(id)) => id.starts_with(seen.as_str()),
            _ => false,
        };
        if !seen.iter().any(same) {
            seen.push(server);
        }
    }
    seen
}

/// Lists each chat once: joins the servers that say that they belong to one. A server without a name within its chat stays
/// on its own.
pub(crate) fn by_chat(servers: Vec<Listed>) -> Vec<Listed> {
    let mut chats: Vec<Listed> = Vec::new();
    for server in servers {
        let same = |chat: &&mut Listed| {
            chat.id.is_some() && chat.id == server.id && chat.name == server.name && !chat.nodes.is_empty()
        };
        match chats.iter_mut().find(same).filter(|_| !server.nodes.is_empty()) {
            Some(chat) => chat.add(server),
            None => chats.push(server),
        }
    }
    for chat in &mut chats {
        chat.nodes.sort_by(|one, other| one.node.cmp(&other.node));
    }
    chats
}

impl Listed {
    fn add(&mut self, other: Listed) {
        self.web |= other.web;
        self.addrs.extend(other.addrs);
        for ListedNode { node, addrs } in other.nodes {
            match self.nodes.iter_mut().find(|known| known.node == node) {
                Some(known) => known.addrs.extend(addrs),
                None => self.nodes.push(ListedNode { node, addrs }),
            }
        }
    }

    /// Its addresses for people, each with its server's name if the chat has several.
    fn places(&self) -> Vec<String> {
        if self.nodes.is_empty() {
            return self.addrs.iter().map(SocketAddr::to_string).collect();
        }
        let of_node = |one: &ListedNode| {
            one.addrs.iter().map(|addr| format!("{addr} (server {})", one.node)).collect::<Vec<_>>()
        };
        self.nodes.iter().flat_map(of_node).collect()
    }
}

/// Formats the table for people: one line per server, with its other addresses below the first. Safe for
/// terminals, and empty without servers.
pub(crate) fn table(servers: &[Listed]) -> String {
    if servers.is_empty() {
        return String::new();
    }
    let rows: Vec<Cells> = [head()].into_iter().chain(in_order(servers).into_iter().flat_map(rows)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0) + GAP;
    lines(&rows, [width(0), width(1), width(2)])
}

/// Formats servers that are printed as they come, in columns of fixed width.
pub(super) fn table_part(servers: &[Listed], with_head: bool) -> String {
    let rows: Vec<Cells> = with_head.then(head).into_iter().chain(servers.iter().flat_map(rows)).collect();
    lines(&rows, USUAL_WIDTHS)
}

/// Notes about servers that have the same id under different names, as after copying a data directory.
pub(crate) fn twins<'a>(shown: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut by_id: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, id) in shown {
        let (names, name) = (by_id.entry(id).or_default(), format!("\"{}\"", safe_line(name)));
        // The servers of one chat share its name.
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let twins = by_id.into_iter().filter(|(_, names)| names.len() > 1);
    twins
        .map(|(id, names)| {
            format!(
                "{} have the same key ({}), so clients take one for the other; if its data directory was copied, \
                 stop all of them but one, and on the others delete server.pem before you start them again",
                names.join(" and "),
                safe_line(id).chars().take(8).collect::<String>()
            )
        })
        .collect()
}

type Cells = [String; 4];

fn head() -> Cells {
    ["NAME", "ID", "STATE", "ADDRESS"].map(String::from)
}

fn rows(server: &Listed) -> Vec<Cells> {
    let id: String = server.id.as_deref().unwrap_or("-").chars().take(8).collect();
    let mut addrs = server.places().into_iter();
    let state = state(server);
    let mut rows = vec![[safe_line(&server.name), safe_line(&id), state, addrs.next().unwrap_or_default()]];
    rows.extend(addrs.map(|addr| [String::new(), String::new(), String::new(), addr]));
    rows
}

fn lines(rows: &[Cells], widths: [usize; 3]) -> String {
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()).max(GAP)));
        }
        text.push_str(&row[3]);
        text.push('\n');
    }
    text
}

/// Describes what to know before joining.
fn state(server: &Listed) -> String {
    let traits = [(server.known, "known"), (server.closed, "closed"), (server.web, "web")];
    let mut said: Vec<String> =
        traits.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word.to_owned()).collect();
    if server.nodes.len() > 1 {
        said.push(format!("{} servers", server.nodes.len()));
    }
    if said.is_empty() { "-".into() } else { said.join(", ") }
}

/// Formats the list for programs: one array of objects with `name`, `id` (or null), `addresses` (each with its
/// port), `closed`, `known`, `web`, `txt` and `via`; for a chat of several servers also `servers`, each with `node` and
/// `addresses`. Safe for a terminal.
pub(crate) fn json(servers: &[Listed]) -> String {
    let servers = in_order(servers).into_iter().map(|server| {
        let addresses = |addrs: &[SocketAddr]| addrs.iter().map(SocketAddr::to_string).collect::<Vec<_>>();
        let mut object = json!({
            "name": server.name,
            "id": server.id,
            "addresses": addresses(&server.addrs),
            "closed": server.closed,
            "known": server.known,
            "web": server.web,
            "txt": server.txt,
            "via": server.via,
        });
        if !server.nodes.is_empty() {
            let servers = server.nodes.iter();
            let servers = servers.map(|one| json!({ "node": one.node, "addresses": addresses(&one.addrs) }));
            object["servers"] = Value::from_iter(servers);
        }
        object
    });
    let mut text = escape_json(&Value::from_iter(servers).to_string());
    text.push('\n');
    text
}

/// Sorts by name, then by id, so that two runs can be compared.
fn in_order(servers: &[Listed]) -> Vec<&Listed> {
    let mut ordered: Vec<&Listed> = servers.iter().collect();
    ordered.sort_by_key(|server| (server.name.to_lowercase(), server.id.clone()));
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, id: Option<&str>, addrs: &[&str]) -> Listed {
        let addrs = addrs.iter().map(|text| text.parse().unwrap()).collect();
        let (name, id, txt) = (name.into(), id.map(String::from), Map::new());
        let nodes = Vec::new();
        Listed { name, id, addrs, nodes, txt, closed: false, web: false, known: false, via: "mdns" }
    }

    fn servers() -> Vec<Listed> {
        let office = server("The Office", Some("3f9a1c7700112233"), &["10.0.0.1:7667", "[fd00::1]:7667"]);
        vec![
            Listed { closed: true, known: true, ..office },
            Listed { web: true, ..server("会議室", Some("a0b1c2d3e4f50617"), &["10.0.0.2:7667"]) },
            server("Avahi\u{1b}[2J Room", None, &["[fe80::1%2]:7777"]),
        ]
    }

    #[test]
    fn a_note_tells_of_servers_with_the_same_key() {
        let shown = [("vm", "01e962ba77"), ("copy\u{1b}", "01e962ba77"), ("other", "5f")];
        let notes = twins(shown.into_iter());
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0].starts_with("\"vm\" and \"copy\u{fffd}\" have the same key (01e962ba), "),
            "{notes:?}"
        );
        assert!(twins(shown[1..].iter().copied()).is_empty());
    }

    #[test]
    fn the_table_has_a_line_an_address_in_straight_columns() {
        assert_eq!(
            table(&servers()),
            "NAME            ID        STATE          ADDRESS\n\
             Avahi\u{fffd}[2J Room  -         -              [fe80::1%2]:7777\n\
             The Office      3f9a1c77  known, closed  10.0.0.1:7667\n\
             \u{20}                                        [fd00::1]:7667\n\
             会議室          a0b1c2d3  web            10.0.0.2:7667\n"
        );
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn servers_that_come_one_by_one_stand_in_the_same_columns() {
        let mut servers = servers();
        servers[0].web = true;
        let text = table_part(&servers[..1], true) + &table_part(&servers[1..], false);
        let columns = text.lines().map(|line| {
            let place = line.find("ADDRESS").or_else(|| line.find("10.0")).or_else(|| line.rfind('['));
            line[..place.unwrap_or_default()].width()
        });
        assert_eq!(columns.collect::<Vec<_>>(), [54; 5], "{text}");
    }

    fn node_at(node: &str, addr: &str) -> Listed {
        let office = server("office", Some("3f9a1c7700112233"), &[addr]);
        let nodes = vec![ListedNode { node: node.into(), addrs: office.addrs.clone() }];
        Listed { nodes, ..office }
    }

    #[test]
    fn a_chat_with_several_servers_is_listed_once() {
        let alone = server("office", Some("3f9a1c7700112233"), &["10.0.0.9:7667"]);
        let seen = vec![node_at("b", "10.0.0.2:7667"), node_at("a", "10.0.0.1:7667"), alone.clone()];
        let chats = by_chat(seen);
        assert_eq!(
            table(&chats),
            "NAME    ID        STATE      ADDRESS\n\
             office  3f9a1c77  2 servers  10.0.0.1:7667 (server a)\n\
             \u{20}                            10.0.0.2:7667 (server b)\n\
             office  3f9a1c77  -          10.0.0.9:7667\n"
        );
        let parsed: Value = serde_json::from_str(&json(&chats)).unwrap();
        assert_eq!(parsed[0]["addresses"], json!(["10.0.0.2:7667", "10.0.0.1:7667"]));
        assert_eq!(parsed[0]["servers"][1], json!({ "node": "b", "addresses": ["10.0.0.2:7667"] }));
        assert_eq!(parsed[1].get("servers"), None);
        assert_eq!(by_chat(vec![alone.clone(), alone.clone()]), [alone.clone(), alone]);
    }

    #[test]
    fn json_is_one_array_with_all_there_is() {
        let parsed: Value = serde_json::from_str(&json(&servers())).unwrap();
        assert_eq!(parsed[0]["id"], Value::Null);
        assert_eq!((&parsed[1]["web"], &parsed[2]["web"]), (&json!(false), &json!(true)));
        assert_eq!(parsed[1]["addresses"], json!(["10.0.0.1:7667", "[fd00::1]:7667"]));
        assert!(json(&servers()).contains("\\u001b") && !json(&servers()).contains('\u{1b}'));
        assert_eq!(json(&[]), "[]\n");
    }

    #[test]
    fn a_server_that_is_seen_and_scanned_is_listed_once() {
        let scanned = vec![
            // A scan gives the whole id, an announcement may hold its beginning.
            server("The Office", Some(&"3f9a1c7700112233".repeat(4)), &["10.0.0.1:7667"]),
            server("hidden", Some("0000000000000000"), &["10.0.0.9:7667"]),
        ];
        let names: Vec<String> = merge(servers(), scanned).into_iter().map(|server| server.name).collect();
        assert_eq!(names, ["The Office", "会議室", "Avahi\u{1b}[2J Room", "hidden"]);
    }
}
