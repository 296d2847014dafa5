//! The committed man pages and completions are what the binary prints, and other programs read them.

use crate::support::tree::root;
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Writes the committed files anew when this variable is set.
const RENEW: &str = "LANCHAT_RENEW";

/// The names under which shells and packagers expect the completions.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "lanchat.bash"),
    ("zsh", "_lanchat"),
    ("fish", "lanchat.fish"),
    ("powershell", "_lanchat.ps1"),
    ("elvish", "lanchat.elv"),
];

fn printed(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lanchat")).args(args).output().unwrap();
    assert!(output.status.success(), "lanchat {args:?}: {output:?}");
    assert!(output.stderr.is_empty(), "lanchat {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What `folder` must hold: `files`, each with its text, and nothing else.
fn hold(folder: &str, files: &BTreeMap<String, String>) {
    let folder = root().join(folder);
    if env::var_os(RENEW).is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let renewal = format!("renew it with: just docs (or {RENEW}=1 cargo test --test integration generated)");
    for (name, text) in files {
        let committed = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(committed == *text, "{folder:?}/{name} is not what lanchat prints; {renewal}");
    }
    let listed = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    for name in listed.map(|name| name.to_string_lossy().into_owned()) {
        assert!(files.contains_key(&name), "{folder:?}/{name} is nothing that lanchat prints; remove it");
    }
}

#[test]
fn man_pages_are_what_the_binary_prints() {
    let mut pages = BTreeMap::from([("lanchat.1".to_owned(), printed(&["man"]))]);
    for name in lanchat::cli::SUBCOMMANDS {
        pages.insert(format!("lanchat-{name}.1"), printed(&["man", name]));
    }
    hold("man", &pages);
}

#[test]
fn the_table_of_limits_is_that_of_the_program() {
    let path = root().join("docs/limits.md");
    let table = lanchat::cli::limits_table();
    if env::var_os(RENEW).is_some() {
        fs::write(&path, &table).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == table, "docs/limits.md is not that of the program; renew it with: just docs");
}

#[test]
fn completions_are_what_the_binary_prints() {
    let print = |(shell, file): (&str, &str)| (file.to_owned(), printed(&["completions", shell]));
    hold("completions", &COMPLETIONS.into_iter().map(print).collect());
}

/// Runs a program of the system; none if it is not installed, which is an error where all are.
fn run<S: AsRef<OsStr>>(program: &str, args: &[S]) -> Option<String> {
    let command = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .output();
    let Ok(output) = command else {
        let all_installed = cfg!(target_os = "linux") && env::var_os("CI").is_some();
        assert!(!all_installed, "{program} is missing, and CI must run this test");
        eprintln!("skipped: {program} is not installed");
        return None;
    };
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaints.is_empty(), "{program}: {} {complaints}", output.status);
    Some(String::from_utf8(output.stdout).unwrap())
}

fn pages() -> Vec<PathBuf> {
    fs::read_dir(root().join("man")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn mandoc_finds_nothing_to_say_about_the_pages() {
    for page in pages() {
        let args = [OsStr::new("-T"), OsStr::new("lint"), page.as_os_str()];
        let said = run("mandoc", &args);
        assert_eq!(said.unwrap_or_default(), "", "{page:?}");
    }
}

#[test]
fn groff_sets_the_pages_without_a_warning() {
    for page in pages() {
        let args = ["-ww", "-z", "-man", "-Tutf8"].map(OsStr::new);
        let said = run("groff", &[&args[..], &[page.as_os_str()]].concat());
        assert_eq!(said.unwrap_or_default(), "", "{page:?}");
    }
}
