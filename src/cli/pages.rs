//! The text of the man pages beyond the command line's definition: files, prompt commands.

use crate::protocol::command::{self, Command, Place};
use crate::protocol::{NUMBERS, NumberKind, REFUSED, TEXTS};

/// A term and its description.
pub(super) type Paragraph = (String, String);

/// The day on which the pages' own text last changed.
pub(super) const DATE: &str = "2026-11-28";

/// Describes the variables that belong to no option.
pub(super) fn environment() -> Vec<Paragraph> {
    owned(&[
        ("LANCHAT_LOG", "Log directives such as lanchat=debug; overrides --verbose and --quiet."),
        ("NO_COLOR", "If set, lanchat uses no colour."),
    ])
}

/// Describes the files that a subcommand, or the program without one, reads and writes.
pub(super) fn files(subcommand: Option<&str>) -> Vec<Paragraph> {
    let mut files = vec![("$XDG_CONFIG_HOME/lanchat/config.toml".to_owned(), CONFIG_FILE.to_owned())];
    files.extend(match subcommand {
        None => owned(&[KEY, KNOWN_SERVERS, SYSTEM_SERVERS, TOKEN, HISTORY, RESUME]),
        Some("send" | "tail") => owned(&[KEY, KNOWN_SERVERS, SYSTEM_SERVERS, TOKEN]),
        Some("receive") => owned(&[KEY, KNOWN_SERVERS, SYSTEM_SERVERS, TOKEN, ACCEPTED]),
        Some("status") => owned(&[SECRET, KEY, KNOWN_SERVERS, SYSTEM_SERVERS]),
        Some("trust") => owned(&[KNOWN_SERVERS, SYSTEM_SERVERS]),
        Some("fingerprint") => owned(&[KEY, SERVER_KEY, WEB_CERTIFICATE]),
        Some("invite") => owned(&[SERVER_KEY]),
        Some("export") => owned(&[SERVER_HISTORY]),
        Some("backup") => owned(&[SERVER_HISTORY, SERVER_KEY, PASSPHRASE]),
        Some("restore") => owned(&[SERVER_HISTORY, SERVER_KEY, PASSPHRASE, REPLACED]),
        Some("repair") => owned(&[SERVER_HISTORY, DAMAGED]),
        Some("forget") => owned(&[SERVER_HISTORY]),
        Some("cluster") => cluster_files(),
        Some("serve") => server_files(),
        _ => Vec::new(),
    });
    files
}

/// The files of a server, and those of the system service.
fn server_files() -> Vec<Paragraph> {
    owned(&[
        (
            "$XDG_DATA_HOME/lanchat",
            "The server's data directory, unless --data-dir names another. Anyone who can read it can \
             impersonate the server.",
        ),
        (
            "$XDG_DATA_HOME/lanchat/history.db",
            "The server's SQLite database: messages and rooms, unless --no-history; and always names with their \
             owners, operators, members, bans and mutes, and up to where users have read. While the server runs, commands of the console and of \
             operators list and change these: /owners, /release, /operators, /op, /deop, /members, /admit, \
             /dismiss, /bans, /unban, /unmute. Earlier versions used files instead (names, operators, members, \
             bans, mutes); the first start imports these and renames them to names.taken-over and so on. While \
             the server runs, history.db-wal and history.db-shm belong to the database: copy it with lanchat \
             backup, not by hand.",
        ),
        (
            "$XDG_DATA_HOME/lanchat/history.last",
            "How far the history was at the end of the last run, by which the server notices that an older copy of \
             the database is in its place.",
        ),
        (
            "$XDG_DATA_HOME/lanchat/history.db.before-schema-N",
            "The database before an upgrade changed its form. The server deletes it after 30 days.",
        ),
        SERVER_KEY,
        WEB_CERTIFICATE,
        PASSPHRASE,
        SECRET,
        LOCK,
        REPLACED,
        DAMAGED,
        (
            "/var/lib/lanchat",
            "The system service's data directory, with the same files. It leads to /var/lib/private/lanchat, \
             which only root can enter.",
        ),
        ("/etc/lanchat/passphrase", "The passphrase of the system service, if you choose one: see SERVICE."),
        ("/etc/lanchat/config.toml", "The system service's config file; the service starts with --config."),
    ])
}

/// The files that `lanchat cluster` writes.
fn cluster_files() -> Vec<Paragraph> {
    owned(&[
        (
            "NAME.join",
            "A join file: the chat's key, a certificate for the engine, and all servers' addresses. It is a secret.",
        ),
        SERVER_KEY,
        PASSPHRASE,
        (
            "$XDG_DATA_HOME/lanchat/engine.toml",
            "The engine file: this server's name, all servers' addresses, and how to reach the engine. \
             engine-ca.pem, engine-cert.pem and engine-key.pem beside it are the server's certificate for the engine. A \
             backup does not contain these four: after a restore on a new machine, join again.",
        ),
        (
            "/etc/nats/nats-server.conf",
            "The engine's settings; beside it are copies of the three certificates. --out names another directory. The \
             packages of nats-server expect the settings in /etc/nats-server.conf.",
        ),
        ("/var/lib/nats", "The engine's data; --store-dir names another directory."),
    ])
}

/// Describes the server's signals.
pub(super) fn signals() -> Vec<Paragraph> {
    owned(&[
        (
            "SIGTERM, SIGINT",
            "Stop: the server says goodbye to all clients, for at most a few seconds. A second signal ends it at once, \
             with status 1.",
        ),
        (
            "SIGHUP",
            "Read the config file and the files that it names again, and log what has changed. motd, rate-limit, \
             max-clients, max-per-ip, max-file, new-names-per-hour, retain, retain-size, ascii-names, log-level, log-connections and \
             the passphrase are in force at once, for those who come or act from then on: nobody who is there has to \
             leave. The other settings need a restart; the log names them. If something is wrong, the log says so, and all settings stay as they were. \
             Variables and options are those of the start. Names, operators, members, bans and mutes need no reload. \
             At a terminal, SIGHUP stops the server: the terminal is gone.",
        ),
    ])
}

/// Describes the server under systemd.
pub(super) fn service() -> Vec<Paragraph> {
    owned(&[
        ("systemctl reload lanchat", "Sends SIGHUP. systemctl status shows what the log says of it."),
        (
            "lanchat serve --check --config /etc/lanchat/config.toml",
            "Checks the settings before a restart: status 0 if they are right.",
        ),
        (
            "Restart=always, StartLimitIntervalSec=0",
            "The unit starts the server again whenever it ends, every 2 seconds, for as long as it takes: its address \
             may come late. Only wrong options and a wrong config file (status 2) stay failed.",
        ),
        (
            "WatchdogSec=30",
            "systemd ends and restarts the server if its main loop does not answer for 30 seconds.",
        ),
        (
            "LoadCredential=passphrase:/etc/lanchat/passphrase",
            "A closed server takes its passphrase from that file, which only root must be able to read. Without the \
             file, it generates one. To change it, write the file and restart the service; members need no new \
             passphrase.",
        ),
        (
            "lanchat.socket",
            "Optional: keeps the port open while the server restarts, so that clients wait instead of being refused. \
             The port is then that of the socket's unit, whatever --host and --port say.",
        ),
    ])
}

const CONFIG_FILE: &str = "The config file; the default for XDG_CONFIG_HOME is ~/.config, and on Windows the \
    folder is %APPDATA%. Keys are the options' long names (host = \"office\"); those of lanchat serve are in the \
    table [serve], and the preferences that /set lists in the table [chat]. The command line overrides the \
    environment, and the environment overrides the file.";

const KNOWN_SERVERS: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/known_servers",
    "The servers that you have used, with their keys and last addresses, one JSON object per line; the default for \
     XDG_STATE_HOME is ~/.local/state.",
);

const SYSTEM_SERVERS: (&str, &str) = (
    "/etc/lanchat/known_servers",
    "The same for all users of this machine (on Windows in %PROGRAMDATA%\\lanchat). If this file exists, lanchat \
     accepts only the servers in it.",
);

const KEY: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/client.pem",
    "Your private key, created at the first start. Your name belongs to it; to be the same user on another \
     machine, copy it there. --key-file names another file. A systemd service can load one as a credential: \
     LoadCredential=lanchat.pem:/etc/lanchat/build.pem and Environment=LANCHAT_KEY_FILE=%d/lanchat.pem. If the \
     file cannot be written, the key lasts for one run, lanchat says so, and the server reserves no name for it.",
);

const WEB_CERTIFICATE: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/web-certificate.json",
    "The certificate that the server has made for browsers (--web). If it is deleted, the next start makes another one, of \
     which browsers warn once more.",
);

const SERVER_KEY: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/server.pem",
    "The server's private key, created at the first start. Clients recognise the server by it, so keep a copy; the \
     system service has it in /var/lib/lanchat.",
);

const SERVER_HISTORY: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/history.db",
    "The server's history, including direct messages, and its names, operators, members, bans and mutes; the system \
     service has it in /var/lib/lanchat. While the server runs, history.db-wal and history.db-shm belong to it: \
     copy it with lanchat backup, not by hand.",
);

const PASSPHRASE: (&str, &str) =
    ("$XDG_DATA_HOME/lanchat/passphrase", "A closed server's passphrase, if the server generated it.");

const SECRET: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/operator-secret",
    "A secret that makes its readers operators, the address at which the server listens, and the file of its \
     passphrase if --passphrase-file names one; each start creates a new one.",
);

const LOCK: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/lock",
    "Locked while the server runs, so that no second server uses the directory.",
);

const REPLACED: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/replaced-DATE",
    "The files that lanchat restore replaced. Delete them when you no longer need them.",
);

const DAMAGED: (&str, &str) = (
    "$XDG_DATA_HOME/lanchat/damaged-DATE",
    "The damaged history that lanchat repair replaced. Delete it when you no longer need it.",
);

const TOKEN: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/token",
    "A secret that makes several unencrypted connections (--plaintext) the same user.",
);

const HISTORY: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/history",
    "The lines that you typed at the prompt. Beside it, draft has the line that you left half-typed, and \
     verified_users the keys of users that you compared, and ignored the users whose messages you hide.",
);

const RESUME: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/resume",
    "How far you have read on each server. Without it, lanchat starts with the latest messages.",
);

const ACCEPTED: (&str, &str) = (
    "$XDG_STATE_HOME/lanchat/accepted_files",
    "The files that you have accepted, and where they go, so that cut transfers go on. The folder transfers beside it \
     has what is known of unfinished ones.",
);

/// Explains delivery and history.
pub(super) fn durability() -> Vec<Paragraph> {
    owned(&[
        (
            "messages on your screen",
            "The server writes a message to its disk before anyone sees it. So it survives a crash of the server, and a \
             power cut if the disk honours flushes. This does not hold on a server without history (serve \
             --no-history), or while its disk is full, which lanchat tells you.",
        ),
        (
            "messages without a receipt",
            "lanchat sends them again when it is connected again; the server stores them only once. The prompt shows how \
             many wait ([#lobby, 2 waiting]). When you quit, lanchat lists those that are still unsent.",
        ),
        (
            "while you were away",
            "When you return, lanchat first shows what you missed in the lobby, in your rooms and in direct messages. \
             The first time, it shows the latest messages of the lobby.",
        ),
        (
            "users who are offline",
            "Your message waits for them. lanchat tells you so, and again when they get it. This works for names that \
             belong to a key.",
        ),
        (
            "rooms",
            "You stay a member of a room until you leave it, even while you are offline. A room without members is \
             deleted.",
        ),
    ])
}

/// Explains keys.
pub(super) fn trust() -> Vec<Paragraph> {
    owned(&[
        (
            "first contact",
            "The connection is encrypted, and lanchat remembers the server's key. To rule out a man in the middle, \
             compare its digits with the output of lanchat fingerprint on the server, then type /verify; or join with \
             a link that lanchat invite prints on the server.",
        ),
        (
            "changed key",
            "If a server's key has changed, lanchat refuses it with exit status 5 before it sends anything. If the \
             server was reinstalled, lanchat trust --replace accepts the new key.",
        ),
        (
            "same name",
            "A name is not an identity: a server on another network may have the same name. lanchat shows it as new, \
             with its digits, and asks before it joins; scripts need lanchat trust or --server NAME-ID. Then lanchat \
             knows both servers, each by its own key.",
        ),
        (
            "names",
            "A name belongs to the first key that used it. A ? after a name (<bob?>) means that no key backs it: anyone \
             could be using it. /verify NAME compares the digits of a user's key, and remembers it.",
        ),
        (
            "closed servers",
            "They ask newcomers for a passphrase, at the terminal or with --passphrase-file; this also proves the \
             server's identity. After the first time, your key is enough.",
        ),
        ("limits", "The server can read all messages, including direct messages."),
    ])
}

/// Explains backups and damage to administrators.
pub(super) fn rescue() -> Vec<Paragraph> {
    owned(&[
        (
            "back up",
            "lanchat backup FILE copies the history, the key, the passphrase and the other files of a server to one \
             file, even while the server runs. Only its owner can read FILE, and lanchat checks it after writing. It \
             does not contain the options of lanchat serve or the config file.",
        ),
        (
            "restore",
            "Stop the server, then run lanchat restore FILE. It keeps the replaced files in a directory of their own. If \
             it is interrupted, either nothing has changed, or the next start of the server or the next lanchat restore \
             finishes it. Users who had read newer messages than those in the backup learn of the gap.",
        ),
        (
            "move",
            "Restore the backup on the new machine before a server first runs there: clients recognise the server by its \
             key. Do not run both servers.",
        ),
        (
            "upgrade",
            "Install the new version and restart the server. If the form of the history has changed, the server first \
             copies it to history.db.before-schema-N beside it, where N is the old form, and deletes that copy after \
             30 days. To return to the earlier version, stop the server, install that version, run lanchat restore \
             with the copy, and start the server: messages since the upgrade are lost. An earlier version refuses the \
             new form, and changes nothing.",
        ),
        (
            "forget",
            "Stop the server, then run lanchat forget with a user's name or key. It erases this person's messages, names \
             and mail from the history. Backups, exports, and directories that earlier commands kept still have them.",
        ),
        (
            "system service",
            "Only root can reach its data, in /var/lib/private/lanchat, where /var/lib/lanchat leads: run these commands \
             with sudo. They find it if you have no server of your own; otherwise, add --data-dir /var/lib/lanchat. \
             Removing the package keeps the data; apt purge deletes it, with the server's key: make a backup first.",
        ),
        (
            "damage",
            "If a running server finds its history damaged, deleted, replaced or truncated, it tells operators and its \
             log, and delivers messages without storing them. A server does not start with a damaged history, and \
             creates a new one if it is gone. lanchat repair recovers what is readable; lanchat restore restores a \
             backup. If the history was only moved away, the server uses it again as soon as it is back.",
        ),
    ])
}

/// Describes the members of `lanchat status --json`.
pub(super) fn numbers() -> Vec<Paragraph> {
    let texts = TEXTS.iter().map(|(member, help)| ((*member).to_owned(), (*help).to_owned()));
    let numbers = NUMBERS.iter().map(|number| (number.member.to_owned(), number.help.to_owned()));
    let (refused, help) = REFUSED;
    let refused = (refused.to_owned(), format!("{help} An object; lanchat-serve(1) has the reasons."));
    texts.chain(numbers).chain([refused]).collect()
}

/// Describes `--metrics`.
pub(super) fn metrics() -> Vec<Paragraph> {
    let of_kind = |kind| {
        let names = NUMBERS.iter().filter(|number| number.kind == kind);
        let end = if kind == NumberKind::Counter { "_total" } else { "" };
        names.map(|number| format!("lanchat_{}{end}", number.member)).collect::<Vec<_>>().join(", ")
    };
    let what = "lanchat-status(1) explains each number under the same name.";
    vec![
        ("gauges".into(), format!("{}. {what}", of_kind(NumberKind::Gauge))),
        (
            "counters".into(),
            format!("{}, lanchat_connections_refused_total{{reason}}.", of_kind(NumberKind::Counter)),
        ),
        ("information".into(), "lanchat_server_info{version,name}.".into()),
        (
            "readers".into(),
            "Prometheus and others that read OpenMetrics. Packages have a dashboard for Grafana, grafana.json, and an \
             example for fail2ban beside README.md."
                .into(),
        ),
    ]
}

/// Describes the prompt's commands, from the table that the prompt itself uses.
pub(super) fn prompt_commands() -> Vec<Paragraph> {
    command::available(Place::Prompt, true).map(entry).collect()
}

fn entry(command: &Command) -> Paragraph {
    let mut first = command.help.chars();
    let mut text: String = first.next().into_iter().flat_map(char::to_uppercase).chain(first).collect();
    text.push('.');
    if !command.aliases.is_empty() {
        text += &format!(" Also /{}.", command.aliases.join(", /"));
    }
    if command.operator {
        text += " Operators only.";
    }
    (command.synopsis(), text)
}

fn owned(entries: &[(&str, &str)]) -> Vec<Paragraph> {
    entries.iter().map(|(term, text)| ((*term).to_owned(), (*text).to_owned())).collect()
}
