//! `lanchat discover`: the servers of this network, as a table or as JSON.

use super::args::CommonArgs;
use super::exit::{Exit, Failure};
use super::logging::{self, Level};
use super::runtime;
use super::settings::Discover;
use crate::discovery::{Found, Proof, Search, SearchOptions, Sighting, Tried, scan};
use crate::limits::DEFAULT_PORT;
use crate::text::safe_line;
use anyhow::Context;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;
use unicode_width::UnicodeWidthStr;

/// Between two columns of the table.
const GAP: usize = 2;

/// Lists the servers of this network on standard output. `probe` asks who is at an address, for
/// `--scan`; `knows` says whether the server with an id was joined before.
///
/// # Errors
/// Exit status 3 if there is none.
pub fn run<T, E, F>(
    common: &CommonArgs,
    discover: &Discover,
    probe: impl Fn(SocketAddr) -> F,
    knows: impl Fn(&str) -> bool,
) -> Result<(), Failure>
where
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    logging::start(common, Level::Error, std::io::stderr)?;
    let (mut servers, tried) = runtime::finish(runtime::small()?, gather(discover, probe))?;
    for server in &mut servers {
        server.known = server.id.as_deref().is_some_and(&knows);
    }
    let text = if discover.json { json(&servers) } else { table(&servers) };
    std::io::stdout().write_all(text.as_bytes())?;
    if servers.is_empty() {
        return Err(Failure::new(Exit::NoServer, anyhow::anyhow!("{tried}")));
    }
    Ok(())
}

/// What is found, and how far was looked.
async fn gather<T, E, F>(
    discover: &Discover,
    probe: impl Fn(SocketAddr) -> F,
) -> Result<(Vec<Listed>, Tried), Failure>
where
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut search = Search::start(SearchOptions::default());
    let reach = Some(search.reach().clone());
    // All of the time is used: who lists servers wants all of them.
    search.collect(Instant::now() + discover.timeout, Duration::MAX).await;
    let seen: Vec<Listed> = search.sightings().map(Listed::from).collect();
    let scanned = if discover.scan {
        scan(DEFAULT_PORT, probe).await.context("cannot scan the networks of this machine")?
    } else {
        Vec::new()
    };
    let tried = Tried { reach, waited: discover.timeout, ..Tried::default() };
    Ok((merge(seen, scanned.iter().map(Listed::from).collect()), tried))
}

/// A server to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name, as it gave it.
    pub name: String,
    /// Its id; `None` if it is announced by somebody else's program.
    pub id: Option<String>,
    /// Where it may be reached, likeliest first.
    pub addrs: Vec<SocketAddr>,
    /// What it announces of itself; empty if it was found by a scan.
    pub txt: Map<String, Value>,
    /// Whether it says that newcomers need a passphrase.
    pub closed: bool,
    /// Whether a server with that id was joined before. What is only announced proves nothing.
    pub known: bool,
    /// How it was found: `mdns` or `scan`.
    pub via: &'static str,
}

impl From<&Sighting> for Listed {
    fn from(seen: &Sighting) -> Listed {
        let txt = seen.txt.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let (name, id, addrs) = (seen.name.clone(), seen.id.clone(), seen.addrs.clone());
        Listed { name, id, addrs, txt, closed: seen.closed, known: false, via: "mdns" }
    }
}

impl<T> From<&Found<T>> for Listed {
    fn from(found: &Found<T>) -> Listed {
        let (name, id) = (found.name.clone(), Some(found.id.clone()));
        Listed {
            name,
            id,
            addrs: found.addrs.clone(),
            txt: Map::new(),
            closed: false,
            known: false,
            via: "scan",
        }
    }
}

/// Puts what a scan found to what mDNS showed; a server known by its id is listed once.
pub fn merge(mut seen: Vec<Listed>, scanned: Vec<Listed>) -> Vec<Listed> {
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

/// The table for people: a line a server, its further addresses below the first. Safe for terminals.
/// Empty for no servers.
pub fn table(servers: &[Listed]) -> String {
    if servers.is_empty() {
        return String::new();
    }
    let mut rows = vec![["NAME", "ID", "STATE", "ADDRESS"].map(String::from)];
    for server in in_order(servers) {
        let id: String = server.id.as_deref().unwrap_or("-").chars().take(8).collect();
        let mut addrs = server.addrs.iter().map(SocketAddr::to_string);
        let state = state(server).to_owned();
        rows.push([safe_line(&server.name), safe_line(&id), state, addrs.next().unwrap_or_default()]);
        rows.extend(addrs.map(|addr| [String::new(), String::new(), String::new(), addr]));
    }
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0) + GAP;
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cell.width()));
        }
        text.push_str(&row[3]);
        text.push('\n');
    }
    text
}

/// What there is to know before joining.
fn state(server: &Listed) -> &'static str {
    match (server.known, server.closed) {
        (true, true) => "known, closed",
        (true, false) => "known",
        (false, true) => "closed",
        (false, false) => "-",
    }
}

/// The same for programs: one array of objects with `name`, `id` (or null), `addresses` (each with
/// its port), `closed`, `known`, `txt` and `via`. Not made safe for terminals, but JSON escapes control characters.
pub fn json(servers: &[Listed]) -> String {
    let servers = in_order(servers).into_iter().map(|server| {
        json!({
            "name": server.name,
            "id": server.id,
            "addresses": server.addrs.iter().map(SocketAddr::to_string).collect::<Vec<_>>(),
            "closed": server.closed,
            "known": server.known,
            "txt": server.txt,
            "via": server.via,
        })
    });
    let mut text = Value::from_iter(servers).to_string();
    text.push('\n');
    text
}

/// By name, then by id, so that two runs can be compared.
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
        Listed { name, id, addrs, txt, closed: false, known: false, via: "mdns" }
    }

    fn servers() -> Vec<Listed> {
        let office = server("The Office", Some("3f9a1c7700112233"), &["10.0.0.1:7667", "[fd00::1]:7667"]);
        vec![
            Listed { closed: true, known: true, ..office },
            server("会議室", Some("a0b1c2d3e4f50617"), &["10.0.0.2:7667"]),
            server("Avahi\u{1b}[2J Room", None, &["[fe80::1%2]:7777"]),
        ]
    }

    #[test]
    fn the_table_has_a_line_an_address_in_straight_columns() {
        assert_eq!(
            table(&servers()),
            "NAME            ID        STATE          ADDRESS\n\
             Avahi\u{fffd}[2J Room  -         -              [fe80::1%2]:7777\n\
             The Office      3f9a1c77  known, closed  10.0.0.1:7667\n\
             \u{20}                                        [fd00::1]:7667\n\
             会議室          a0b1c2d3  -              10.0.0.2:7667\n"
        );
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn json_is_one_array_with_all_there_is() {
        let parsed: Value = serde_json::from_str(&json(&servers())).unwrap();
        assert_eq!(parsed[0]["id"], Value::Null);
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
