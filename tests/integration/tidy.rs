//! The house rules, held by tests: each rule is a function over the text of a file that returns
//! what is wrong and what to do, and each has a test that it catches a violation.

mod code;
mod documents;
mod imports;
mod words;

use code::{Source, functions, names};
use imports::{Module, Modules, from_root, module};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The modules from the bottom up. One may name those of earlier rows and itself, never those of
/// its own row or of later ones.
const LAYERS: [&[&str]; 9] = [
    &["limits"],
    &["name", "text", "encoding", "files", "fingerprint", "pace", "clock"],
    &["protocol", "cluster"],
    &["chat"],
    &["store", "discovery", "security", "prompt", "engine"],
    &["cluster_files"],
    &["server", "client"],
    &["cli"],
    &["main"],
];

/// The modules of the client in the same order. None of them names what `client/mod.rs` hands out: that is for
/// the layers above the client.
const CLIENT_LAYERS: [&[&str]; 11] = [
    &["preferences"],
    &["background", "json_lines", "local_time", "shared_state", "state_dir", "terminal", "typed_paths"],
    &["options"],
    &["link"],
    &["error"],
    &["trust"],
    &["find"],
    &["connection"],
    &["transfer"],
    &["conversation"],
    &["screen"],
];

/// What only one place may name, so that it can be replaced there.
const OWNERS: [(&str, &[&str]); 23] = [
    ("mio", &["src/server/"]),
    ("mdns_sd", &["src/discovery/"]),
    ("simple_dns", &["src/discovery/"]),
    ("if_addrs", &["src/discovery/"]),
    ("rustls", &["src/security/"]),
    ("tokio_rustls", &["src/security/"]),
    ("rcgen", &["src/security/"]),
    ("ring::", &["src/security/", "src/store/checksum.rs"]),
    ("spake2", &["src/security/"]),
    ("async_nats", &["src/engine/nats/"]),
    ("unicode_security", &["src/name/"]),
    ("rusqlite", &["src/store/"]),
    ("rustyline", &["src/prompt/"]),
    ("windows_service", &["src/cli/"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("clap_mangen", &["src/cli/"]),
    ("toml::", &["src/cli/", "src/cluster_files/"]),
    ("csv::", &["src/cli/"]),
    ("indicatif", &["src/cli/", "src/client/screen/"]),
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

/// Longest function in lines, from `fn` to its closing brace.
const MAX_FUNCTION_LINES: usize = 60;

/// The functions that are longer, and why that is easier to read than parts would be.
const LONG_FUNCTIONS: [(&str, &str, &str); 4] = [
    ("src/cli/limits_page.rs", "people", "rows of a table"),
    ("src/cli/limits_page.rs", "strangers", "rows of a table"),
    ("src/cli/page_examples.rs", "examples", "rows of a table"),
    ("src/protocol/event/read.rs", "from_packet", "an arm for each type"),
];

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(Source::all);

fn read(path: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Asserts that `rule` finds nothing wrong with any source file.
fn hold(rule: impl Fn(&Source) -> Vec<String>) {
    let wrong = |source: &Source| {
        rule(source).into_iter().map(|what| format!("{}: {what}", source.path)).collect::<Vec<_>>()
    };
    let wrong: Vec<_> = SOURCES.iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn layer_order(source: &Source) -> Vec<String> {
    let own = module(&source.path);
    let mut wrong = order_within(&LAYERS, &own, &[], source);
    if own.first().is_some_and(|top| top == "client") {
        wrong.extend(order_within(&CLIENT_LAYERS, &own, &["client"], source));
    }
    wrong
}

/// The order of the modules in `parent`.
fn order_within(layers: &[&[&str]], own: &Module, parent: &[&str], source: &Source) -> Vec<String> {
    let layer = |module: &str| layers.iter().position(|row| row.contains(&module));
    let Some(part) = own.get(parent.len()) else { return Vec::new() };
    let Some(floor) = layer(part) else {
        return vec![format!("the module {part} has no layer; give it one in tests/integration/tidy.rs")];
    };
    let imports = from_root(own, &source.code).into_iter();
    let imports =
        imports.filter_map(|path| match parent.iter().zip(&path).all(|(one, other)| one == other) {
            true => path.get(parent.len()).cloned(),
            false => None,
        });
    let imports: BTreeSet<String> = imports.collect();
    imports
        .into_iter()
        .filter(|import| import != part && layer(import).is_none_or(|theirs| theirs >= floor))
        .map(|import| {
            format!(
                "{part} must not name {import}, which is not below it; move what it needs to a lower layer"
            )
        })
        .collect()
}

fn owners(source: &Source) -> Vec<String> {
    let foreign = |(name, homes): &(&str, &[&str])| {
        !homes.iter().any(|home| source.path.starts_with(home)) && names(&source.code, name)
    };
    let wrong = OWNERS.into_iter().filter(foreign);
    wrong.map(|(name, homes)| format!("{name} is for {} only; call that", homes.join(", "))).collect()
}

fn opening(source: &Source) -> Vec<String> {
    let opens = source.text.starts_with("//! ");
    if opens { Vec::new() } else { vec!["does not open with what it is for; begin it with //!".to_owned()] }
}

fn banned(source: &Source) -> Vec<String> {
    if source.is_test {
        return Vec::new();
    }
    let said = |what: &&str| match what.strip_prefix('.') {
        Some(_) => source.code.contains(*what),
        None => names(&source.code, what),
    };
    let wrong = BANNED.into_iter().filter(said);
    wrong.map(|what| format!("{what} outside tests; return the error, or finish it")).collect()
}

fn length(source: &Source) -> Vec<String> {
    let bound = if source.path == "src/main.rs" { MAX_MAIN_LINES } else { MAX_FILE_LINES };
    let lines = source.code.lines().count();
    if lines <= bound { Vec::new() } else { vec![format!("{lines} lines, {bound} at most; split it")] }
}

fn is_listed(path: &str, function: &str) -> bool {
    LONG_FUNCTIONS.iter().any(|(file, name, _)| *file == path && *name == function)
}

fn function_length(source: &Source) -> Vec<String> {
    if source.is_test {
        return Vec::new();
    }
    let long = functions(&source.code).into_iter().filter(|function| function.lines > MAX_FUNCTION_LINES);
    long.filter(|function| !is_listed(&source.path, &function.name))
        .map(|function| {
            let (name, lines) = (function.name, function.lines);
            format!("fn {name} has {lines} lines, {MAX_FUNCTION_LINES} at most; give its parts names")
        })
        .collect()
}

/// The files of each circle, with the paths that close it.
fn circles(sources: &[Source]) -> Vec<String> {
    let circles = Modules::of(sources).circles();
    let steps = circles.into_iter().map(|circle| {
        let steps = circle.into_iter().map(|(from, to, path)| format!("{from} names {path} of {to}"));
        steps.collect::<Vec<_>>().join("\n  ")
    });
    steps.map(|steps| format!("  {steps}\n  move what they share to a file below them")).collect()
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
fn functions_are_short() {
    hold(function_length);
}

#[test]
fn each_listed_long_function_is_one() {
    for (path, name, _) in LONG_FUNCTIONS {
        let source = SOURCES.iter().find(|source| source.path == path);
        let found = source.is_some_and(|source| {
            let is_long = |lines| lines > MAX_FUNCTION_LINES;
            functions(&source.code).iter().any(|function| function.name == name && is_long(function.lines))
        });
        assert!(
            found,
            "{path}: fn {name} is not longer than {MAX_FUNCTION_LINES} lines; take it off the list"
        );
    }
}

#[test]
fn no_files_import_each_other() {
    let circles = circles(&SOURCES);
    assert!(circles.is_empty(), "\n{}\n", circles.join("\n\n"));
}

#[test]
fn a_type_that_other_files_see_has_a_name_of_its_own() {
    let ambiguous = words::ambiguous(&SOURCES);
    assert!(ambiguous.is_empty(), "\n{}\n", ambiguous.join("\n"));
}

mod violations_are_caught {
    use super::*;

    fn catches(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> bool {
        !rule(&Source::new(path, text)).is_empty()
    }

    #[test]
    fn of_the_layer_order() {
        let caught = |path: &str, text: &str| catches(layer_order, path, text);
        assert!(caught("src/protocol/codec.rs", "//! x\nuse crate::chat::Room;"));
        assert!(caught("src/client/link/channel.rs", "fn f() { crate::server::run() }"));
        assert!(caught("src/client/link/channel.rs", "fn f() { super::super::super::server::run() }"));
        assert!(caught("src/name.rs", "use crate::{limits, text::safe_line};"));
        assert!(caught("src/server/mod.rs", "use crate::{chat::{self, Room}, client};"));
        assert!(caught("src/strange.rs", ""));
        assert!(caught("src/chat/mod.rs", "use crate::strange;"));
        assert!(caught("src/chat/mod.rs", "#[cfg(test)]\nmod tests;\nuse crate::server::Server;\n"));
        let clean = "use crate::{chat::{server, Room}, limits};\n// crate::client\nuse crate::server::hub;";
        assert!(!caught("src/server/mod.rs", clean));
        let tested = "use crate::limits;\n\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n}\n";
        assert!(!caught("src/chat/mod.rs", tested));
    }

    #[test]
    fn of_the_order_within_the_client() {
        let caught = |path: &str, text: &str| catches(layer_order, path, text);
        assert!(caught("src/client/link/channel.rs", "use crate::client::trust::TrustPolicy;"));
        assert!(caught("src/client/find/locator.rs", "fn f() { super::super::connection::run() }"));
        assert!(caught("src/client/find/locator.rs", "use crate::client::ClientOptions;"));
        assert!(caught("src/client/strange.rs", ""));
        assert!(!caught("src/client/find/locator.rs", "use crate::client::{link::Channel, find::Rival};"));
        assert!(!caught("src/client/find/locator.rs", "use super::hosting::Host;\nuse crate::chat;"));
        assert!(!caught("src/client/mod.rs", "pub use screen::join;"));
    }

    #[test]
    fn of_owners() {
        let caught = |path: &str, text: &str| catches(owners, path, text);
        assert!(caught("src/server/mod.rs", "use mdns_sd::ServiceDaemon;"));
        assert!(caught("src/server/mod.rs", "#[cfg(test)]\nmod tests;\nuse mdns_sd::ServiceDaemon;"));
        assert!(caught("src/server/mod.rs", "println!(\"x\")"));
        assert!(caught("src/client/mod.rs", "let x: clap::Command;"));
        assert!(!caught("src/client/mod.rs", "let clap_trap = \"clap\"; // clap"));
        assert!(!caught("src/discovery/browse.rs", "use mdns_sd::ServiceDaemon;"));
    }

    #[test]
    fn of_openings() {
        assert!(catches(opening, "", "use std::fs;\n//! late"));
        assert!(!catches(opening, "", "//! What it is for.\n"));
    }

    #[test]
    fn of_banned_words() {
        for word in BANNED {
            let word = if word.starts_with('.') { format!("x{word}") } else { word.to_owned() };
            let call = format!("fn f() {{ {word}) }}");
            assert!(catches(banned, "", &call), "{call}");
            assert!(catches(banned, "", &format!("#[cfg(test)]\nmod tests;\n{call}\n")), "{call}");
            assert!(!catches(banned, "", &format!("#[cfg(test)]\nmod tests {{\n{call}\n}}\n")), "{call}");
            assert!(!catches(banned, "src/chat/tests.rs", &call), "{call}");
        }
        assert!(!catches(banned, "", "x.unwrap_or(1); y.expected(2)"));
    }

    #[test]
    fn of_lengths() {
        let lines = |count: usize| "x\n".repeat(count);
        assert!(catches(length, "src/main.rs", &lines(MAX_MAIN_LINES + 1)));
        assert!(catches(length, "src/chat.rs", &lines(MAX_FILE_LINES + 1)));
        let declared = format!("#[cfg(test)]\nmod tests;\n{}", lines(MAX_FILE_LINES + 1));
        assert!(catches(length, "src/chat/mod.rs", &declared));
        let tested = format!("x\n#[cfg(test)]\nmod tests {{\n{}}}\n", lines(MAX_FILE_LINES));
        assert!(!catches(length, "src/chat.rs", &tested));
    }

    #[test]
    fn of_lengths_of_functions() {
        let function = |lines: usize| format!("pub fn f() {{\n{}}}\n", "x\n".repeat(lines - 2));
        assert!(catches(function_length, "src/chat.rs", &function(MAX_FUNCTION_LINES + 1)));
        assert!(!catches(function_length, "src/chat.rs", &function(MAX_FUNCTION_LINES)));
        assert!(!catches(function_length, "src/chat/tests.rs", &function(MAX_FUNCTION_LINES + 1)));
    }

    #[test]
    fn of_circles() {
        let caught = |files: &[(&str, &str)]| {
            let sources: Vec<_> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
            !circles(&sources).is_empty()
        };
        let parent = ("src/chat/mod.rs", "mod ask;\nmod say;\npub use say::Said;\nuse ask::X;");
        assert!(caught(&[
            parent,
            ("src/chat/ask.rs", "use super::say::Said;"),
            ("src/chat/say.rs", "use super::ask::A;")
        ]));
        assert!(caught(&[
            parent,
            ("src/chat/ask.rs", "use super::Said;"),
            ("src/chat/say.rs", "super::ask::f()")
        ]));
        let with_state = |state: &'static str| {
            caught(&[
                ("src/server/mod.rs", "mod hub;\nmod turn;"),
                ("src/server/turn.rs", "use super::hub::Hub;"),
                ("src/server/hub/mod.rs", "mod state;"),
                ("src/server/hub/state.rs", state),
            ])
        };
        assert!(with_state("use crate::server::turn::T;"));
        assert!(!with_state("use super::Hub;"));
        assert!(!caught(&[
            parent,
            ("src/chat/ask.rs", "use super::Chat;"),
            ("src/chat/say.rs", "use super::ask::A;")
        ]));
    }
}
