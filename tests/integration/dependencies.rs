//! ARCHITECTURE.md's table of dependencies is that of Cargo.toml, and says who uses each.

use crate::support::tree::{files, root};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The heading above the table.
const HEADING: &str = "## Dependencies";

/// The owner of what each module may use.
const ALL: &str = "all";

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// The crates that Cargo.toml names, for any system, without those that only tests and benches use.
fn named() -> BTreeSet<String> {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let systems = manifest["target"].as_table().unwrap().values();
    let whole = toml::Value::Table(manifest.clone());
    let tables = systems.chain([&whole]);
    let dependencies = tables.filter_map(|table| table.get("dependencies")?.as_table());
    dependencies.flat_map(|table| table.keys().cloned()).collect()
}

/// The rows of the table: a crate and its owners, which are paths in `src`.
fn listed() -> BTreeMap<String, Vec<String>> {
    let text = read("ARCHITECTURE.md");
    let (_, section) = text.split_once(HEADING).unwrap_or_else(|| panic!("ARCHITECTURE.md lacks {HEADING}"));
    let rows = section.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, purpose, owners] = cells[..] else {
            panic!("a row has a crate, a purpose and owners: {row}")
        };
        assert!(!purpose.is_empty(), "ARCHITECTURE.md does not say what {name} is for");
        let owners = owners.split(", ").map(|owner| owner.trim_matches('`').to_owned()).collect();
        (name.trim_matches('`').to_owned(), owners)
    })
    .collect()
}

/// Every Rust file below `src`, as its path from there.
fn sources() -> Vec<(String, String)> {
    files("src", "rs").into_iter().map(|(path, text)| (path["src/".len()..].to_owned(), text)).collect()
}

/// Whether the text names the crate in a path or an import.
fn uses(text: &str, krate: &str) -> bool {
    let name = krate.replace('-', "_");
    text.match_indices(&name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let is_whole = !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.'));
        is_whole && (after.starts_with("::") || (before.ends_with("use ") && after.starts_with(';')))
    })
}

#[test]
fn every_dependency_is_in_the_table_and_none_is_listed_that_is_gone() {
    let (named, listed) = (named(), listed());
    for krate in &named {
        assert!(listed.contains_key(krate), "ARCHITECTURE.md, Dependencies: add a row for {krate}");
    }
    for krate in listed.keys() {
        assert!(
            named.contains(krate),
            "ARCHITECTURE.md, Dependencies: {krate} is not in Cargo.toml; remove it"
        );
    }
}

#[test]
fn a_dependency_is_used_by_its_owners_and_by_nobody_else() {
    let sources = sources();
    for (krate, owners) in listed() {
        let users: Vec<&str> =
            sources.iter().filter(|(_, text)| uses(text, &krate)).map(|(path, _)| path.as_str()).collect();
        assert!(!users.is_empty(), "no file in src uses {krate}; remove it from Cargo.toml");
        if owners == [ALL] {
            continue;
        }
        for user in &users {
            let owned = owners.iter().any(|owner| user.starts_with(owner.as_str()));
            assert!(owned, "src/{user} uses {krate}, which ARCHITECTURE.md gives to {owners:?}");
        }
        for owner in &owners {
            let used = users.iter().any(|user| user.starts_with(owner.as_str()));
            assert!(used, "ARCHITECTURE.md gives {krate} to {owner}, which does not use it");
        }
    }
}

#[test]
fn a_use_is_told_from_a_word() {
    assert!(uses("use csv::Writer;", "csv") && uses("libc::malloc_trim(0)", "libc"));
    assert!(uses("use simple_dns::Packet;", "simple-dns"));
    assert!(!uses("use super::bytes::Frame;", "bytes") && !uses("let all = csv;", "csv"));
}
