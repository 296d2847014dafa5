//! What the man pages say beyond the command line's definition: files, examples, prompt commands.

use super::exit::Exit;
use crate::protocol::command::{self, Command, Place};

/// A term and what it means.
pub(super) type Entry = (String, String);

/// The day on which the pages' own text last changed.
pub(super) const DATE: &str = "2026-11-22";

/// Variables that belong to no option.
pub(super) fn environment() -> Vec<Entry> {
    owned(&[
        ("LANCHAT_LOG", "What to log, as directives such as lanchat=debug; wins over --verbose and --quiet."),
        ("NO_COLOR", "If set to anything, nothing is coloured."),
    ])
}

/// What the program's end means.
pub(super) fn exit_statuses(subcommand: Option<&str>) -> Vec<Entry> {
    let numbered = |exit: Exit, meaning: &str| (exit.code().to_string(), meaning.to_owned());
    let of_doctor = |exit: Exit| match exit {
        Exit::Ok => "A server answers that may be joined.",
        Exit::Failure => {
            "This machine is in the way: it has no network or address, its firewall or VPN forbids sending, the \
             server on it is closed to others, UDP port 5353 is taken, it cannot do multicast, or its name servers do not answer."
        }
        Exit::NoServer => "No server was found, or not the one that was asked for.",
        Exit::Disconnected => "A server was found, or named, and cannot be connected to.",
        Exit::Refused => "It does not take this client, or its key is refused.",
        Exit::Protocol => "What answers is no lanchat server.",
        Exit::Usage => exit.meaning(),
    };
    let is_doctor = subcommand == Some("doctor");
    Exit::ALL
        .into_iter()
        .map(|exit| numbered(exit, if is_doctor { of_doctor(exit) } else { exit.meaning() }))
        .collect()
}

/// The files that a subcommand, or the program without one, reads and writes.
pub(super) fn files(subcommand: Option<&str>) -> Vec<Entry> {
    let mut files = vec![("$XDG_CONFIG_HOME/lanchat/config.toml".to_owned(), CONFIG_FILE.to_owned())];
    files.extend(match subcommand {
        None => owned(&[KEY, KNOWN_SERVERS, SYSTEM_SERVERS, TOKEN, HISTORY, RESUME]),
        Some("send" | "tail") => owned(&[KEY, KNOWN_SERVERS, SYSTEM_SERVERS, TOKEN]),
        Some("trust") => owned(&[KNOWN_SERVERS, SYSTEM_SERVERS]),
        Some("fingerprint") => owned(&[KEY, SERVER_KEY]),
        Some("invite") => owned(&[SERVER_KEY]),
        Some("export") => owned(&[SERVER_HISTORY]),
        Some("backup") => owned(&[SERVER_HISTORY, SERVER_KEY, PASSPHRASE]),
        Some("restore") => owned(&[SERVER_HISTORY, SERVER_KEY, PASSPHRASE, REPLACED]),
        Some("repair") => owned(&[SERVER_HISTORY, DAMAGED]),
        Some("serve") => owned(&[
            (
                "$XDG_DATA_HOME/lanchat",
                "The server's data directory, unless --data-dir names another. Whoever can read it can \
                 pass for the server.",
            ),
            (
                "$XDG_DATA_HOME/lanchat/history.db",
                "What the server keeps, a SQLite database: messages, mail and rooms, unless --no-history; \
                 names and their owners, operators, members, bans and mutes in any case. The commands of the \
                 console and of operators list and change these while the server runs: /owners, /release, \
                 /operators, /op, /deop, /members, /admit, /dismiss, /bans, /unban, /unmute. Earlier versions \
                 had files for them (names, operators, members, bans, mutes), which are taken over at the first \
                 start and kept as names.taken-over and so on. While the server runs, history.db-wal and \
                 history.db-shm belong to it: copy it with lanchat backup, not by hand.",
            ),
            SERVER_KEY,
            PASSPHRASE,
            SECRET,
            LOCK,
            REPLACED,
            DAMAGED,
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
    "The servers that were used before, their keys and their last addresses, a JSON object a line; \
     ~/.local/state stands in for an unset variable.",
);

const SYSTEM_SERVERS: (&str, &str) = (
    "/etc/lanchat/known_servers",
    "The same for the whole machine (on Windows in %PROGRAMDATA%\\lanchat). If it is there, no \
     servers but those in it are accepted.",
);

const KEY: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/client.pem",
    "Your private key, made at the first start. Your name belongs to it; to be the same user on \
     another machine, copy it there.",
);

const SERVER_KEY: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/server.pem",
    "The server's private key, made at the first start. Clients know the server by it, so keep a \
     copy; the system's service has it in /var/lib/lanchat.",
);

const SERVER_HISTORY: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/history.db",
    "The server's history, direct messages among it, and names, operators, members, bans and mutes; the \
     system's service has it in /var/lib/lanchat. While the server runs, history.db-wal and history.db-shm \
     belong to it: copy it with lanchat backup, not by hand.",
);

const PASSPHRASE: (&str, &str) =
    ("$XDG_DATA_HOME/lanchat/passphrase", "A closed server's passphrase, if it made it up.");

const SECRET: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/operator-secret",
    "What makes whoever may read it an operator; another one at each start.",
);

const LOCK: (&str, &str) =
    ("$XDG_DATA_HOME/lanchat/lock", "Locked while the server runs, and so is the directory.");

const REPLACED: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/replaced-DATE",
    "What lanchat restore found in the places of the files that it put back. Nothing removes it.",
);

const DAMAGED: (&str, &str) =
    ("$XDG_DATA_HOME/lanchat/damaged-DATE", "The history as lanchat repair found it. Nothing removes it.");

const TOKEN: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/token",
    "What makes several connections the same user where nothing is encrypted (--plaintext).",
);

const HISTORY: (&str, &str) =
    ("$XDG_STATE_HOME/lanchat/history", "The lines that were typed at the prompt before.");

const RESUME: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/resume",
    "How far you have read on each server. Without it, the next time begins with the latest messages.",
);

/// What the user should know about messages that are under way, and about those that were.
pub(super) fn durability() -> Vec<Entry> {
    owned(&[
        (
            "a message that is shown",
            "It is in the server's history, which was written to the disk before anybody saw it. It survives a \
             crash of the server, and a power cut if the disk keeps its word. Not on a server that keeps no \
             history (serve --no-history), and not while its disk is full, which is said.",
        ),
        (
            "one without a receipt",
            "It waits, also for the next connection, and is then sent again; the server keeps it once. The \
             prompt says how many wait ([#lobby, 2 waiting]). What is left at the end is said line by line.",
        ),
        (
            "while you were away",
            "The next time begins with what you missed: of the lobby, of your rooms, and what was written to \
             you. The first time it begins with the latest messages of the lobby.",
        ),
        (
            "somebody who is away",
            "What you write to them waits, and you are told of that, and when they have it. It takes a name \
             that belongs to a key.",
        ),
        (
            "rooms",
            "You stay a member of those that you have joined until you leave them, over all connections. A \
             room without members is gone.",
        ),
    ])
}

/// What the user should know about keys.
pub(super) fn trust() -> Vec<Entry> {
    owned(&[
        (
            "first contact",
            "The connection is encrypted, and the server's key is remembered. To be sure that nobody sits in \
             between, compare its digits with what lanchat fingerprint prints on the server, then type \
             /verify; or join by a link that lanchat invite prints there.",
        ),
        (
            "changed key",
            "A server that has another key than before is refused, with exit status 5 and before anything is \
             sent. If it was reinstalled, lanchat trust --replace accepts the new key.",
        ),
        (
            "same name",
            "A name is no identity: on another network another machine may be called the same. It is shown as \
             new, with its digits, and joined only if you say yes; scripts need lanchat trust or \
             --server NAME-DIGITS. Both are then known, each by its own key.",
        ),
        (
            "names",
            "A name belongs to the first key that used it. A ? behind a name (<bob?>) means that no key \
             vouches for it, and anybody may use it. /verify NAME shows the digits of a key.",
        ),
        (
            "closed servers",
            "They ask newcomers for a passphrase, at the terminal or by --passphrase-file; this proves the \
             server as well. After the first time the key is enough.",
        ),
        ("what is left", "The server can read all messages, those to one person among them."),
    ])
}

/// What an administrator should know of backups and damage.
pub(super) fn rescue() -> Vec<Entry> {
    owned(&[
        (
            "back up",
            "lanchat backup FILE copies the history, the key, the passphrase and what else a server knows into \
             one file, while the server runs. FILE is its owner's alone, and is read through once it is written. \
             The options of lanchat serve and its config file are not in it.",
        ),
        (
            "restore",
            "Stop the server, then lanchat restore FILE. What was there is kept in a directory of its own. If it \
             is interrupted, all is as before, or the next start of the server or the next lanchat restore \
             finishes it. Whoever had read more than the backup holds is told of a gap.",
        ),
        (
            "move",
            "Restore the backup on the other machine before the server runs there for the first time: clients \
             know it by its key. Do not run both.",
        ),
        (
            "damage",
            "A server that finds its history damaged, deleted, replaced or cut says so in its log and to \
             operators, and passes messages on without keeping them; one that is stopped does not start with a damaged one, and begins a new one in the place of one that is gone. \
             lanchat repair saves what can be read, or lanchat restore puts a backup in its place. A history that \
             was only moved away counts again as soon as it is back.",
        ),
    ])
}

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
            (
                "Join a server whose key you were given:",
                "lanchat --host 'lanchat://192.168.1.20:7667/?fp=SHA256:I3aEa...'",
            ),
            ("Let a program talk:", "tail -F build.log | lanchat --name builds"),
        ],
        Some("serve") => &[
            ("Run a server for everybody on this network:", "lanchat serve --name Office"),
            ("Run one that only this machine reaches:", "lanchat serve --host 127.0.0.1 --no-discovery"),
            ("Run one for those who know a passphrase:", "lanchat serve --closed"),
            (
                "Run one that is announced with one of the machine's addresses only:",
                "lanchat serve --advertise 192.168.1.20",
            ),
        ],
        Some("fingerprint") => &[
            ("On the server, for others to compare:", "lanchat fingerprint"),
            ("Your own:", "lanchat fingerprint --me"),
        ],
        Some("trust") => &[
            (
                "Accept the new key of a server that was reinstalled:",
                "lanchat trust --replace \"Office\" SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844",
            ),
            (
                "Accept a second server of that name, on another network:",
                "lanchat trust \"Office\" SHA256:Yb0TGq_FApVIJ7dLPY6YpfIaPqgLLJoOzWIXHqw_8lM",
            ),
        ],
        Some("export") => &[
            ("Read what was said in the last two hours:", "lanchat export --since 2h | less"),
            ("Put a room into a table:", "lanchat export --room '#games' --format csv --output games.csv"),
            ("Count who says how much:", "lanchat export --format jsonl | jq -r .from.name | sort | uniq -c"),
        ],
        Some("backup") => &[
            ("Copy your own server:", "lanchat backup lanchat.db"),
            (
                "Copy the system's service, each day another file:",
                "sudo lanchat backup \"/var/backups/lanchat-$(date +%F).db\"",
            ),
        ],
        Some("restore") => &[
            ("Go back to a backup of your own server:", "lanchat restore lanchat.db"),
            (
                "Go back to a backup of the system's service:",
                "sudo systemctl stop lanchat && sudo lanchat restore /var/backups/lanchat-2026-11-26.db && \
                 sudo systemctl start lanchat",
            ),
            (
                "Move a service to another machine, where lanchat is installed and has not run:",
                "sudo lanchat restore lanchat.db --data-dir /var/lib/lanchat",
            ),
        ],
        Some("repair") => &[
            ("Save the history of your own server:", "lanchat repair"),
            (
                "Save that of the system's service:",
                "sudo systemctl stop lanchat && sudo lanchat repair && sudo systemctl start lanchat",
            ),
        ],
        Some("invite") => &[
            ("Print the links:", "lanchat invite"),
            ("For guests who come by another name:", "lanchat invite --host chat.example:7667"),
            ("For the system's service:", "sudo lanchat invite --data-dir /var/lib/lanchat"),
        ],
        Some("discover") => &[
            ("List the servers:", "lanchat discover"),
            ("Where multicast is blocked:", "lanchat discover --scan"),
            ("Take the first server's name:", "lanchat discover --json | jq -r '.[0].name'"),
        ],
        Some("send") => &[
            ("Tell everybody:", "lanchat send 'lunch is ready'"),
            ("Tell a room:", "lanchat send --to '#builds' 'the build is done'"),
            ("Tell one person what a program printed:", "make 2>&1 | tail -5 | lanchat send --to bob -"),
        ],
        Some("tail") => &[
            ("Read along:", "lanchat tail"),
            ("Keep a log that goes on where it ended:", "lanchat tail --since 1h >> chat.log"),
            ("Let a program hear a room:", "lanchat tail --json --room '#builds' | jq -r .msg"),
        ],
        Some("doctor") => &[
            ("Find out why no server is found:", "lanchat doctor"),
            ("Check that a server answers, in a script:", "lanchat doctor --host 127.0.0.1 -q"),
            ("Put all of it into a ticket:", "lanchat doctor --report > report.txt"),
            ("Print the lines that may help:", "lanchat doctor --json | jq -r '.remedies[].line'"),
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
