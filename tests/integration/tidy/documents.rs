//! What the documents say is what the code does.

use super::{CLIENT_LAYERS, LAYERS, read};
use lanchat::protocol::{event, request};

/// A table: the cells of its rows, of which the first is its head.
type Table = Vec<Vec<String>>;

/// The first command of the readme that runs the tests.
fn test_command(readme: &str) -> Option<String> {
    let commands = readme.lines().map(str::trim).filter(|line| line.starts_with("cargo test "));
    commands.map(str::to_owned).next()
}

fn has_unreleased_head(changelog: &str) -> bool {
    changelog.lines().find(|line| line.starts_with("## ")) == Some("## [Unreleased]")
}

/// The rows of modules in the block that begins with `first`, such as `limits < name, text < main`.
fn documented_layers(text: &str, first: &str) -> Vec<Vec<String>> {
    let block = text.split("```").skip(1).step_by(2).find(|block| block.trim_start().starts_with(first));
    let rows = block.into_iter().flat_map(|block| block.split('<'));
    rows.map(|row| row.split(',').map(|module| module.trim().to_owned()).collect()).collect()
}

fn tables(text: &str) -> Vec<Table> {
    let mut tables = vec![Table::new()];
    for line in text.lines() {
        match line.strip_prefix("| ") {
            Some(row) if !row.starts_with("---") => {
                let row = row.replace("\\|", "");
                let cells = row.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned());
                tables.last_mut().unwrap().push(cells.collect());
            }
            Some(_) => {}
            None => tables.push(Table::new()),
        }
    }
    tables.retain(|table| !table.is_empty());
    tables
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The types that have a row in a table of requests, and those that a table names as events: in the first
/// column of theirs, or as the answer to a request.
fn documented_types(text: &str) -> [Vec<String>; 2] {
    let tables = tables(text);
    let of = |second: &str, column: fn(&Vec<String>) -> Option<&String>| {
        let tables = tables.iter().filter(|table| table[0][0] == "type" && table[0][1] == second);
        let cells = tables.flat_map(|table| table[1..].iter().filter_map(column));
        cells.flat_map(|cell| quoted(cell)).map(str::to_owned).collect::<Vec<_>>()
    };
    let requests = of("members", |row| row.first());
    let answers = of("members", |row| row.last());
    [requests, [of("members besides `msg`", |row| row.first()), answers].concat()]
}

fn assert_documented(what: &str, types: impl Iterator<Item = &'static str>, documented: &[String]) {
    let missing: Vec<_> = types.filter(|kind| !documented.iter().any(|row| row == kind)).collect();
    assert!(missing.is_empty(), "PROTOCOL.md: no table of {what} has {missing:?}; give each a row");
}

#[test]
fn the_import_order_is_as_documented() {
    for (layers, first) in [(&LAYERS[..], "limits <"), (&CLIENT_LAYERS[..], "preferences <")] {
        let layers: Vec<Vec<String>> =
            layers.iter().map(|row| row.iter().map(|module| (*module).to_owned()).collect()).collect();
        let documented = documented_layers(&read("ARCHITECTURE.md"), first);
        assert_eq!(
            documented, layers,
            "ARCHITECTURE.md: an import order (left) is not that of tidy.rs (right)"
        );
    }
}

/// The variants of an enum, without those that the table of commands names.
fn commands_without_a_row(definition: &str, table: &str) -> Vec<String> {
    let (_, body) = definition.split_once("pub enum PromptAction {").expect("no PromptAction");
    let body = body.split_once("\n}").map_or(body, |(body, _)| body);
    let lines = body.lines().map(str::trim).filter(|line| line.starts_with(char::is_uppercase));
    let variants = lines.filter_map(|line| line.split(|c: char| !c.is_alphanumeric()).next());
    variants
        .filter(|variant| !super::code::names(table, &format!("PromptAction::{variant}")))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_action_of_the_prompt_has_a_command() {
    let definition = read("src/protocol/command/mod.rs");
    // A row may leave the reading of its arguments to these.
    let table = ["table", "arguments", "attend", "files", "point"]
        .map(|file| read(&format!("src/protocol/command/{file}.rs")))
        .concat();
    let missing = commands_without_a_row(&definition, &table);
    assert!(missing.is_empty(), "src/protocol/command/table.rs: no command for {missing:?}; give each a row");
}

#[test]
fn every_request_type_is_in_a_table() {
    let types = request::Kind::all().map(request::Kind::as_str);
    assert_documented("requests", types, &documented_types(&read("PROTOCOL.md"))[0]);
}

#[test]
fn every_event_type_is_in_a_table() {
    // What a client does not know is no type that a server writes.
    let types = event::Kind::all().filter(|kind| *kind != event::Kind::Unknown).map(event::Kind::as_str);
    assert_documented("events", types, &documented_types(&read("PROTOCOL.md"))[1]);
}

#[test]
fn every_documented_request_is_known() {
    for kind in &documented_types(&read("PROTOCOL.md"))[0] {
        let is_known = request::Kind::parse(kind).is_some();
        assert!(is_known, "PROTOCOL.md: its table of requests has {kind:?}, which a server does not know");
    }
}

#[test]
fn the_changelog_has_an_unreleased_head() {
    assert!(has_unreleased_head(&read("CHANGELOG.md")));
}

#[test]
fn ci_runs_the_tests_as_the_readme_says() {
    let command = test_command(&read("README.md")).expect("README.md names no cargo test command");
    let found = read(".ci/run").lines().any(|line| line.trim().ends_with(&command));
    assert!(found, ".ci/run does not run {command:?}");
}

#[test]
fn the_minimum_rust_version_is_the_same_everywhere() {
    let manifest = read("Cargo.toml");
    let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let version = line.expect("Cargo.toml has no rust-version").trim_matches('"');
    for file in [".github/workflows/ci.yml", "README.md"] {
        assert!(read(file).contains(version), "{file} does not name Rust {version}");
    }
}

mod violations_are_caught {
    use super::*;

    #[test]
    fn of_documents() {
        assert!(has_unreleased_head("# Changelog\n\n## [Unreleased]\n\n## [0.1.0]\n"));
        assert!(!has_unreleased_head("# Changelog\n\n## [0.1.0]\n\n## [Unreleased]\n"));
        let readme = "# x\n\n```sh\ncargo test --locked\n```";
        assert_eq!(test_command(readme), Some("cargo test --locked".into()));
        assert_eq!(test_command("Run cargo test."), None);
    }

    #[test]
    fn of_the_documented_order() {
        let order = "x\n```\nlimits < name, text\n   < main\n```\ny";
        assert_eq!(
            documented_layers(order, "limits <"),
            [vec!["limits"], vec!["name", "text"], vec!["main"]]
        );
        assert!(documented_layers("limits < name", "limits <").is_empty());
    }

    #[test]
    fn of_actions_without_a_command() {
        let definition = "pub enum PromptAction {\n    /// Text.\n    Query(String),\n    Clear,\n}\n";
        assert_eq!(commands_without_a_row(definition, "PromptAction::Query(x)"), ["Clear"]);
    }

    #[test]
    fn of_types_without_a_row() {
        let missing = || assert_documented("events", ["a", "b"].into_iter(), &["a".to_owned()]);
        assert!(std::panic::catch_unwind(missing).is_err());
        let document = "| type | members | answer |\n| --- | --- | --- |\n| `a`, `b` | `c` | `d` |\n\n\
                        | type | members besides `msg` |\n| --- | --- |\n| `e` | `f` |\n";
        assert_eq!(documented_types(document), [vec!["a", "b"], vec!["e", "d"]]);
    }
}
