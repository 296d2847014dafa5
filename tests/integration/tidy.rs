//! The house rules, held by tests: each rule is a function over the text of a file that returns
//! what is wrong, and each has a test that it catches a violation.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the bottom up. One may name those of earlier rows and itself, never those of
/// its own row or of later ones.
const LAYERS: [&[&str]; 9] = [
    &["limits"],
    &["name", "text", "files", "fingerprint", "pace", "clock"],
    &["protocol"],
    &["chat"],
    &["store", "discovery", "security", "prompt"],
    &["server", "client"],
    &["cli"],
    &["fuzzing"],
    &["main"],
];

/// What only one place may name, so that it can be replaced there.
const OWNERS: [(&str, &[&str]); 22] = [
    ("mio", &["src/server/"]),
    ("mdns_sd", &["src/discovery/"]),
    ("simple_dns", &["src/discovery/"]),
    ("if_addrs", &["src/discovery/"]),
    ("rustls", &["src/security/"]),
    ("tokio_rustls", &["src/security/"]),
    ("rcgen", &["src/security/"]),
    ("ring::", &["src/security/", "src/store/seal.rs"]),
    ("spake2", &["src/security/"]),
    ("unicode_security", &["src/name/"]),
    ("rusqlite", &["src/store/"]),
    ("rustyline", &["src/prompt/"]),
    ("rpassword", &["src/prompt/"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("clap_mangen", &["src/cli/"]),
    ("toml::", &["src/cli/"]),
    ("csv::", &["src/cli/"]),
    ("indicatif", &["src/cli/"]),
    ("anstream", &["src/cli/", "src/client/"]),
    ("println!", &["src/cli/", "src/client/"]),
    ("eprintln!", &["src/cli/", "src/client/"]),
];

/// What has no place outside tests.
const BANNED: [&str; 6] = [".unwrap()", ".unwrap_err()", ".expect(", "dbg!(", "todo!(", "unimplemented!("];

/// Longest file in lines, its tests not counted.
const MAX_FILE_LINES: usize = 420;

/// Longest `src/main.rs` in lines.
const MAX_MAIN_LINES: usize = 29;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file below `src`, as path from the root with slashes, and its text.
fn sources() -> Vec<(String, String)> {
    let mut folders: Vec<PathBuf> = vec![root().join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                files.push((name.replace('\\', "/"), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(files.len() > 20, "only {} files: the search is broken", files.len());
    files
}

/// Asserts that `rule` finds nothing wrong with any source file.
fn hold(rule: impl Fn(&str, &str) -> Vec<String>) {
    let wrong: Vec<_> = sources()
        .iter()
        .flat_map(|(path, text)| {
            rule(path, text).into_iter().map(|what| format!("{path}: {what}")).collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Unit tests that have a file of their own, as `mod tests` of the one beside it.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The lines before the unit tests, without comments.
fn code(text: &str) -> String {
    let end = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| {
        let is_comment = line.trim_start().starts_with("//");
        if is_comment { "" } else { line.split(" // ").next().unwrap_or(line) }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether `word` stands in `text` by itself, and not as part of a longer name.
fn names(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let goes_on = word.ends_with(char::is_alphanumeric) && after.is_some_and(part);
        !before.is_some_and(part) && !goes_on
    })
}

/// The modules of this crate that a file names by `crate::` paths, single or in braces.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => found.extend(first_words_in_braces(list)),
            None => found.push(word(rest)),
        }
    }
    found.retain(|module| !module.is_empty());
    found
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn first_words_in_braces(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            _ => {}
        }
        if depth == 0 {
            parts.last_mut().unwrap().push(c);
        }
    }
    parts.iter().map(|part| word(part.trim_start_matches(','))).collect()
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

fn layer_order(path: &str, text: &str) -> Vec<String> {
    let module = path.trim_start_matches("src/").split(['/', '.']).next().unwrap();
    if module == "lib" {
        return Vec::new();
    }
    let Some(own) = layer(module) else {
        return vec![format!("the module {module} has no layer")];
    };
    imports(&code(text))
        .into_iter()
        .filter(|import| import != module && layer(import).is_none_or(|theirs| theirs >= own))
        .map(|import| format!("{module} must not name {import}"))
        .collect()
}

fn owners(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let foreign = |(name, homes): &(&str, &[&str])| {
        !homes.iter().any(|home| path.starts_with(home)) && names(&code, name)
    };
    OWNERS.into_iter().filter(foreign).map(|(name, _)| format!("{name} is not used here")).collect()
}

fn opening(_: &str, text: &str) -> Vec<String> {
    let opens = text.starts_with("//! ");
    if opens { Vec::new() } else { vec!["does not open with what it is for (//!)".to_owned()] }
}

fn banned(path: &str, text: &str) -> Vec<String> {
    if is_test(path) {
        return Vec::new();
    }
    let code = code(text);
    let said = |what: &&str| match what.strip_prefix('.') {
        Some(_) => code.contains(*what),
        None => names(&code, what),
    };
    BANNED.into_iter().filter(said).map(|what| format!("{what} outside tests")).collect()
}

fn length(path: &str, text: &str) -> Vec<String> {
    let bound = if path == "src/main.rs" { MAX_MAIN_LINES } else { MAX_FILE_LINES };
    let lines = code(text).lines().count();
    if lines <= bound { Vec::new() } else { vec![format!("{lines} lines, {bound} at most; split it")] }
}

/// The first command of the readme that runs the tests.
fn test_command(readme: &str) -> Option<String> {
    let commands = readme.lines().map(str::trim).filter(|line| line.starts_with("cargo test "));
    commands.map(str::to_owned).next()
}

fn has_unreleased_head(changelog: &str) -> bool {
    changelog.lines().find(|line| line.starts_with("## ")) == Some("## [Unreleased]")
}

#[test]
fn imports_go_one_way() {
    hold(layer_order);
}

#[test]
fn heavy_crates_have_one_owner() {
    hold(owners);
}

#[test]
fn every_file_says_what_it_is_for() {
    hold(opening);
}

#[test]
fn nothing_unfinished_or_panicking_outside_tests() {
    hold(banned);
}

#[test]
fn files_are_short() {
    hold(length);
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
    fn of_the_layer_order() {
        let caught = |path: &str, text: &str| !layer_order(path, text).is_empty();
        assert!(caught("src/protocol/codec.rs", "//! x\nuse crate::chat::Room;"));
        assert!(caught("src/client/link.rs", "fn f() { crate::server::run() }"));
        assert!(caught("src/name.rs", "use crate::{limits, text::safe_line};"));
        assert!(caught("src/server/mod.rs", "use crate::{chat::{self, Room}, client};"));
        assert!(caught("src/strange.rs", ""));
        assert!(caught("src/chat/mod.rs", "use crate::strange;"));
        let clean = "use crate::{chat::{server, Room}, limits};\n// crate::client\nuse crate::server::hub;";
        assert!(!caught("src/server/mod.rs", clean));
        let tested = "use crate::limits;\n\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n}\n";
        assert!(!caught("src/chat/mod.rs", tested));
    }

    #[test]
    fn of_owners() {
        let caught = |path: &str, text: &str| !owners(path, text).is_empty();
        assert!(caught("src/server/mod.rs", "use mdns_sd::ServiceDaemon;"));
        assert!(caught("src/server/mod.rs", "println!(\"x\")"));
        assert!(caught("src/client/mod.rs", "let x: clap::Command;"));
        assert!(!caught("src/client/mod.rs", "let clap_trap = 1; // clap"));
        assert!(!caught("src/discovery/browse.rs", "use mdns_sd::ServiceDaemon;"));
    }

    #[test]
    fn of_openings() {
        assert!(!opening("", "use std::fs;\n//! late").is_empty());
        assert!(opening("", "//! What it is for.\n").is_empty());
    }

    #[test]
    fn of_banned_words() {
        for word in BANNED {
            let text =
                format!("//! x\nfn f() {{ x{word}) }}").replace("xtodo", "todo").replace("xdbg", "dbg");
            let text = text.replace("xunimplemented", "unimplemented");
            assert!(!banned("", &text).is_empty(), "{text}");
            let tested = format!("//! x\n#[cfg(test)]\nmod tests {{\nfn f() {{ x{word}) }}\n}}\n");
            assert!(banned("", &tested).is_empty(), "{tested}");
        }
        assert!(banned("", "x.unwrap_or(1); y.expected(2)").is_empty());
        assert!(banned("src/chat/tests.rs", "x.unwrap()").is_empty());
    }

    #[test]
    fn of_lengths() {
        let lines = |count: usize| "x\n".repeat(count);
        assert!(!length("src/main.rs", &lines(MAX_MAIN_LINES + 1)).is_empty());
        assert!(!length("src/chat.rs", &lines(MAX_FILE_LINES + 1)).is_empty());
        let tested = format!("x\n#[cfg(test)]\nmod tests {{\n{}}}\n", lines(MAX_FILE_LINES));
        assert!(length("src/chat.rs", &tested).is_empty());
    }

    #[test]
    fn of_documents() {
        assert!(has_unreleased_head("# Changelog\n\n## [Unreleased]\n\n## [0.1.0]\n"));
        assert!(!has_unreleased_head("# Changelog\n\n## [0.1.0]\n\n## [Unreleased]\n"));
        assert_eq!(
            test_command("# x\n\n```sh\ncargo test --locked\n```"),
            Some("cargo test --locked".into())
        );
        assert_eq!(test_command("Run cargo test."), None);
    }
}
