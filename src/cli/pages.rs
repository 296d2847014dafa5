//! What the man pages say beyond the command line's definition: files, examples, prompt commands.

use crate::protocol::command::{self, Command, Place};

/// A term and what it means.
pub(super) type Entry = (String, String);

/// The day on which the pages' own text last changed.
pub(super) const DATE: &str = "2026-11-21";

/// Variables that belong to no option.
pub(super) fn environment() -> Vec<Entry> {
    owned(&[
        ("LANCHAT_LOG", "What to log, as directives such as lanchat=debug; wins over --verbose and --quiet."),
        ("NO_COLOR", "If set to anything, nothing is coloured."),
    ])
}

/// The files that a subcommand, or the program without one, reads and writes.
pub(super) fn files(subcommand: Option<&str>) -> Vec<Entry> {
    let mut files = vec![("$XDG_CONFIG_HOME/lanchat/config.toml".to_owned(), CONFIG_FILE.to_owned())];
    files.extend(match subcommand {
        None => owned(&[KNOWN_SERVERS, TOKEN, HISTORY]),
        Some("send") => owned(&[KNOWN_SERVERS, TOKEN]),
        Some("serve") => owned(&[
            (
                "$XDG_DATA_HOME/lanchat",
                "The server's data directory, unless --data-dir names another: its id.",
            ),
            (
                "/etc/lanchat/config.toml",
                "The config file of the system's service, which starts with --config.",
            ),
        ]),
        _ => Vec::new(),
    });
    files
}

const CONFIG_FILE: &str = "The config file; ~/.config stands in for an unset variable, and on \
    Windows the folder is %APPDATA%. Keys are the options' long names (host = \"office\"), those \
    of lanchat serve are in the table [serve]. An option on the command line wins over the \
    environment, and that over the file.";

const KNOWN_SERVERS: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/known_servers",
    "The servers that were used before and their last addresses, a JSON object a line; \
     ~/.local/state stands in for an unset variable.",
);

const TOKEN: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/token",
    "What makes several connections the same user; whoever has it can take part under the name.",
);

const HISTORY: (&str, &str) =
    ("$XDG_STATE_HOME/lanchat/history", "The lines that were typed at the prompt before.");

/// The commands of the prompt, from the table that the prompt itself uses.
pub(super) fn prompt_commands() -> Vec<Entry> {
    command::available(Place::Prompt, true).map(entry).collect()
}

fn entry(command: &Command) -> Entry {
    let mut text = command.help.to_owned();
    for alias in command.aliases {
        text += &format!("; also /{alias}");
    }
    if command.operator {
        text += " (operators only)";
    }
    (command.synopsis(), text)
}

/// What one does with a subcommand, and the line that does it.
pub(super) fn examples(subcommand: Option<&str>) -> &'static [(&'static str, &'static str)] {
    match subcommand {
        None => &[
            ("Find the server on this network and join the chat:", "lanchat"),
            ("Join a server that discovery does not reach:", "lanchat --host 192.168.1.20"),
            ("Join under another name:", "lanchat --name alice"),
            ("Let a program talk:", "tail -F build.log | lanchat --name builds"),
        ],
        Some("serve") => &[
            ("Run a server for everybody on this network:", "lanchat serve --name Office"),
            ("Run one that only this machine reaches:", "lanchat serve --host 127.0.0.1 --no-discovery"),
            (
                "Run one that is announced with one of the machine's addresses only:",
                "lanchat serve --advertise 192.168.1.20",
            ),
        ],
        Some("discover") => &[
            ("List the servers:", "lanchat discover"),
            ("Take the first server's name:", "lanchat discover --json | jq -r '.[0].name'"),
        ],
        Some("send") => &[
            ("Tell everybody:", "lanchat send 'lunch is ready'"),
            ("Tell one person what a program printed:", "make 2>&1 | tail -5 | lanchat send --to bob -"),
        ],
        Some("doctor") => &[
            ("Find out why no server is found:", "lanchat doctor"),
            ("Check that a server answers, in a script:", "lanchat doctor --host 127.0.0.1 -q"),
        ],
        Some("completions") => &[
            (
                "Install the completions for bash:",
                "lanchat completions bash > ~/.local/share/bash-completion/completions/lanchat",
            ),
            (
                "Install the completions for fish:",
                "lanchat completions fish > ~/.config/fish/completions/lanchat.fish",
            ),
        ],
        Some("man") => &[
            ("Read a page:", "lanchat man serve | man -l -"),
            ("Install a page:", "lanchat man > /usr/local/share/man/man1/lanchat.1"),
        ],
        _ => &[],
    }
}

fn owned(entries: &[(&str, &str)]) -> Vec<Entry> {
    entries.iter().map(|(term, text)| ((*term).to_owned(), (*text).to_owned())).collect()
}
