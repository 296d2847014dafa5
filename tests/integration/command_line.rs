//! The command line: help, errors, exit statuses, and where options come from.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A run of the program with a home directory of its own and none of the caller's variables.
struct Run {
    command: Command,
    home: tempfile::TempDir,
}

impl Run {
    fn new(args: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanchat"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_lanchats(name)) {
            command.env_remove(name);
        }
        let folders = ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "APPDATA"];
        command.args(args).envs(folders.map(|folder| (folder, home.path())));
        Self { command, home }
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    fn config(self, text: &str) -> Self {
        let folder = self.home.path().join("lanchat");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("config.toml"), text).unwrap();
        self
    }

    /// Asserts that the run fails with `status` and one line on standard error, and returns it.
    #[track_caller]
    fn fails_with(mut self, status: i32) -> String {
        let output = self.command.output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        assert_eq!(text(&output.stdout), "");
        let said = text(&output.stderr);
        assert!(said.starts_with("lanchat: ") && said.ends_with('\n'), "{said:?}");
        assert_eq!(said.lines().count(), 1, "{said:?}");
        said.trim_end().to_owned()
    }

    #[track_caller]
    fn succeeds(mut self) -> Output {
        let output = self.command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(text(&output.stderr), "");
        output
    }
}

fn is_lanchats(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().starts_with("LANCHAT_")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = text(&Run::new(&["--help"]).succeeds().stdout);
    for word in ["serve", "discover", "send", "doctor", "--host", "--no-discovery", "LANCHAT_HOST"] {
        assert!(help.contains(word), "{word} is missing:\n{help}");
    }
    let version = text(&Run::new(&["--version"]).succeeds().stdout);
    assert_eq!(version, concat!("lanchat ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn help_shows_no_values_of_the_environment() {
    let plain = Run::new(&["serve", "--help"]).succeeds().stdout;
    let set = Run::new(&["serve", "--help"]).env("LANCHAT_SERVE_NAME", "secret").succeeds().stdout;
    assert_eq!(text(&plain), text(&set));
}

#[test]
fn a_misspelt_option_is_one_line_with_the_nearest_one() {
    let said = Run::new(&["--hots", "office"]).fails_with(2);
    assert!(said.contains("'--hots'") && said.contains("'--host'"), "{said}");
}

#[test]
fn no_discovery_without_a_host_is_a_usage_error_that_names_host() {
    for args in [&["--no-discovery"][..], &["send", "--no-discovery", "hi"], &["doctor", "--no-discovery"]] {
        let said = Run::new(args).fails_with(2);
        assert!(said.contains("--host HOST"), "{args:?}: {said}");
    }
}

#[test]
fn a_variable_and_the_config_file_can_turn_discovery_off() {
    Run::new(&["send", "hi"]).env("LANCHAT_NO_DISCOVERY", "1").fails_with(2);
    Run::new(&["send", "hi"]).config("no-discovery = true").fails_with(2);
    let said = Run::new(&["send", "hi"]).env("LANCHAT_NO_DISCOVERY", "perhaps").fails_with(2);
    assert!(said.contains("'perhaps'"), "{said}");
}

/// The wrong value that the program complains about shows which source won.
#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_config_file() {
    let config = "[serve]\nhost = '127.0.0.1:1001'\nport = 1002";
    let said = Run::new(&["serve"]).config(config).fails_with(2);
    assert!(said.contains("1001") && said.contains("1002"), "{said}");
    let said = Run::new(&["serve"]).config(config).env("LANCHAT_SERVE_PORT", "1003").fails_with(2);
    assert!(said.contains("1001") && said.contains("1003"), "{said}");
    let flagged = Run::new(&["serve", "--port", "1004"]).config(config).env("LANCHAT_SERVE_PORT", "1003");
    let said = flagged.fails_with(2);
    assert!(said.contains("1001") && said.contains("1004"), "{said}");
}

#[test]
fn a_variable_that_is_set_to_nothing_counts_as_not_set() {
    let run = Run::new(&["serve", "--host", "127.0.0.1:1", "--port", "2"]);
    let said = run.env("LANCHAT_SERVE_BACKLOG", "").env("LANCHAT_SERVE_ADVERTISE", "").fails_with(2);
    assert!(said.contains("remove one of them"), "{said}");
}

#[test]
fn a_wrong_config_file_is_named_with_the_line_and_the_nearest_key() {
    let said = Run::new(&["discover"]).config("timeuot = '5s'").fails_with(2);
    assert!(said.contains("config.toml") && said.contains("\"timeout\""), "{said}");
    let said = Run::new(&["discover"]).config("name = 'a'\ntimeout = 5").fails_with(2);
    assert!(said.contains("config.toml:2: "), "{said}");
    let missing = Path::new("no-such-file.toml");
    let said = Run::new(&["discover", "--config", "no-such-file.toml"]).fails_with(2);
    assert!(!missing.exists() && said.contains("no-such-file.toml"), "{said}");
}

#[test]
fn a_broken_config_file_does_not_break_the_completions() {
    let output = Run::new(&["completions", "bash"]).config("nonsense").succeeds();
    assert!(!output.stdout.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let script = "\"$0\" completions zsh | :; echo \"${PIPESTATUS[0]}\"";
    let args = ["-c", script, env!("CARGO_BIN_EXE_lanchat")];
    let output = Command::new("bash").args(args).output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), "0\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut run = Run::new(&["man"]);
    let status = run.command.stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
}
