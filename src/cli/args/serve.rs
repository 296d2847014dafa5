//! Options of `lanchat serve`, and the server options that they become.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

#[cfg(feature = "nats")]
use super::engine;
use super::files::FileArgs;
use super::port::{one_port, port};
use super::serve_files::{access, apart, read_motd};
use super::watch::WatchArgs;
use super::web::WebArgs;
use crate::chat::{NewNames, Rules};
use crate::cli::exit::ExitError;
use crate::cli::own_server;
use crate::cli::values::{Bound, Count, HostPort, LogLevel, Size};
use crate::limits;
use crate::pace::Rate;
use crate::protocol::Term;
use crate::server::ServerOptions;
use crate::store::Retention;
use crate::text::safe_line;

#[derive(Clone, Debug, PartialEq, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on [default: all of this machine's addresses].
    #[arg(short = 'H', long, value_name = "HOST[:PORT]", env = "LANCHAT_SERVE_HOST")]
    pub(crate) host: Option<HostPort>,

    /// The port to listen on; 0 picks a free one [default: 7667].
    #[arg(short, long, env = "LANCHAT_SERVE_PORT", value_parser = port)]
    pub(crate) port: Option<u16>,

    /// The server's display name [default: the host name].
    #[arg(short, long, env = "LANCHAT_SERVE_NAME", value_parser = server_name)]
    pub(crate) name: Option<String>,

    /// Maximum number of connected clients [default: 20000, or as file descriptors allow].
    #[arg(long, value_name = "N", env = "LANCHAT_SERVE_MAX_CLIENTS")]
    pub(crate) max_clients: Option<Count>,

    /// Connections that one address may have even on a nearly full server. Connections from this
    /// machine are not limited.
    #[arg(
        long,
        value_name = "N|off",
        env = "LANCHAT_SERVE_MAX_PER_IP",
        default_value_t = Bound::At(Count(limits::DEFAULT_MAX_PER_ADDRESS))
    )]
    pub(crate) max_per_ip: Bound<Count>,

    /// Messages per second that a user may send, and how many at once. The server delays the rest.
    #[arg(
        long,
        value_name = "RATE[:BURST]|off",
        env = "LANCHAT_SERVE_RATE_LIMIT",
        default_value_t = Bound::At(Rate::default())
    )]
    pub(crate) rate_limit: Bound<Rate>,

    /// How many names per hour may begin to belong to users at one address [default: 600 at once, then 60
    /// per hour; on an open server, 5 for a public IPv4 address].
    ///
    /// Further users may use their names, but others can take these when they leave. The server tells them.
    /// Eight times as many are possible in one network.
    #[arg(long, value_name = "N|off", env = "LANCHAT_SERVE_NEW_NAMES_PER_HOUR")]
    pub(crate) new_names_per_hour: Option<Bound<Count>>,

    /// Data that may wait for a slow client before the server disconnects it.
    #[arg(
        long,
        value_name = "SIZE",
        env = "LANCHAT_SERVE_BACKLOG",
        default_value_t = Size(limits::DEFAULT_BACKLOG_BYTES as u64),
        value_parser = backlog
    )]
    pub(crate) backlog: Size,

    /// Memory that the server may use; a quarter of it is for data that waits for clients [default: the
    /// limit of the service or container, or half of the machine's memory].
    #[arg(long, value_name = "SIZE", env = "LANCHAT_SERVE_MEMORY", value_parser = memory)]
    pub(crate) memory: Option<Size>,

    /// Directory for the server's identity and history [default: ~/.local/share/lanchat].
    #[cfg_attr(
        windows,
        arg(
            help = "Directory for the server's identity and history [default: %LOCALAPPDATA%\\lanchat\\server]"
        )
    )]
    #[arg(
        long,
        value_name = "DIR",
        env = "LANCHAT_SERVE_DATA_DIR",
        value_hint = clap::ValueHint::DirPath
    )]
    pub(crate) data_dir: Option<PathBuf>,

    /// Keep no messages and rooms on disk: deliver messages only to the people online.
    ///
    /// The server still stores names, operators, members, bans and mutes. It neither deletes nor shows an
    /// existing history.
    #[arg(long, env = "LANCHAT_SERVE_NO_HISTORY")]
    pub(crate) no_history: bool,

    /// How long to keep messages.
    ///
    /// The server removes older messages, including undelivered ones; it tells their authors. If the
    /// machine's clock is wrong, messages go at most a day early, plus a day for each day that the clock
    /// stays wrong. After the machine was off for long, they go late.
    #[arg(
        long,
        value_name = "AGE|off",
        env = "LANCHAT_SERVE_RETAIN",
        default_value_t = Term::For(limits::DEFAULT_RETAIN),
        value_parser = age
    )]
    pub(crate) retain: Term,

    /// Disk space for messages before the server removes some.
    ///
    /// It removes the oldest messages of the user with the most data, but never undelivered ones. Once
    /// these take half of the space, it refuses further messages for people who are offline.
    #[arg(
        long,
        value_name = "SIZE|off",
        env = "LANCHAT_SERVE_RETAIN_SIZE",
        default_value_t = Bound::At(Size(limits::DEFAULT_RETAIN_BYTES)),
        value_parser = retained
    )]
    pub(crate) retain_size: Bound<Size>,

    /// Text file to show to everyone who joins.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_SERVE_MOTD",
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) motd: Option<PathBuf>,

    /// Admit only people who have proved the passphrase once.
    #[arg(long, env = "LANCHAT_SERVE_CLOSED")]
    pub(crate) closed: bool,

    /// File with the closed server's passphrase [default: systemd's credential "passphrase"; without one,
    /// generate a passphrase and keep it in the data directory].
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_SERVE_PASSPHRASE_FILE",
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Carry the chat on with other servers, as this file says; `lanchat cluster join` writes it.
    #[cfg(feature = "nats")]
    #[arg(long, value_name = "FILE", env = "LANCHAT_SERVE_ENGINE_FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) engine_file: Option<PathBuf>,

    /// Also accept unencrypted connections, on the same port. Their users cannot own names.
    #[arg(long, env = "LANCHAT_SERVE_ALLOW_PLAINTEXT")]
    pub(crate) allow_plaintext: bool,

    /// Allow only names of ASCII letters, digits and punctuation.
    #[arg(long, env = "LANCHAT_SERVE_ASCII_NAMES")]
    pub(crate) ascii_names: bool,

    #[command(flatten)]
    pub(crate) web: WebArgs,

    #[command(flatten)]
    pub(crate) files: FileArgs,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,

    /// Announce the server only on this network interface; may be repeated.
    #[arg(long, env = "LANCHAT_SERVE_INTERFACE", value_name = "NAME", value_delimiter = ',')]
    pub(crate) interface: Vec<String>,

    /// Announce only this address of the machine; may be repeated. It must belong to one of the
    /// machine's networks.
    #[arg(
        long,
        env = "LANCHAT_SERVE_ADVERTISE",
        value_name = "ADDR",
        value_delimiter = ',',
        value_parser = ip_address
    )]
    pub(crate) advertise: Vec<IpAddr>,

    /// Do not announce the server, and do not open a multicast socket.
    #[arg(long, env = "LANCHAT_SERVE_NO_DISCOVERY")]
    pub(crate) no_discovery: bool,

    /// How much to log: error, warn, info, debug or trace. --verbose and --quiet raise and lower it.
    #[arg(
        long,
        value_name = "LEVEL",
        env = "LANCHAT_SERVE_LOG_LEVEL",
        value_enum,
        hide_possible_values = true,
        default_value_t = LogLevel::Info
    )]
    pub(crate) log_level: LogLevel,

    /// Check the options, the config file and the files that they name, and exit without serving.
    #[arg(long)]
    pub(crate) check: bool,
}

impl ServeArgs {
    /// Rejects options that have no effect together, if they come from the command line or the environment. A
    /// config file may contain both, so that a user can switch one of them.
    pub(crate) fn check(matches: &ArgMatches) -> Result<(), ExitError> {
        let given = |id: &str| {
            let source = matches.value_source(id);
            matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
        };
        if given("passphrase_file") && !matches.get_flag("closed") {
            return Err(ExitError::usage("--passphrase-file has no effect without --closed; add --closed"));
        }
        let is_kept = given("retain") || given("retain_size");
        if given("no_history") && matches.get_flag("no_history") && is_kept {
            return Err(ExitError::usage(
                "--retain and --retain-size have no effect with --no-history; remove one or the other",
            ));
        }
        WebArgs::check(matches)?;
        FileArgs::check(matches)
    }

    /// Resolves the options: reads files and looks up names.
    pub(crate) async fn options(&self) -> Result<ServerOptions, ExitError> {
        let mut options = self.options_alone().await?;
        #[cfg(feature = "nats")]
        engine::apply(&mut options, self.engine_file.as_deref(), (self.host.as_ref(), self.port)).await?;
        Ok(options)
    }

    /// The options of an only server.
    async fn options_alone(&self) -> Result<ServerOptions, ExitError> {
        // Naming each option makes an unused one a compile error. `announce.rs` uses the interfaces and
        // addresses.
        let Self {
            host,
            port,
            name,
            max_clients,
            max_per_ip,
            rate_limit: _,
            new_names_per_hour: _,
            backlog,
            memory,
            data_dir,
            no_history,
            retain,
            retain_size,
            motd,
            closed,
            passphrase_file,
            #[cfg(feature = "nats")]
                engine_file: _,
            allow_plaintext,
            ascii_names: _,
            web,
            files,
            watch,
            interface: _,
            advertise: _,
            no_discovery,
            log_level: _,
            check: _,
        } = self;
        Ok(ServerOptions {
            name: name.clone().unwrap_or_else(host_name),
            address: listen_address(host.as_ref()).await?,
            port: one_port(host.as_ref(), *port)?,
            max_clients: max_clients.map(|count| count.0),
            max_per_address: max_per_ip.get().map(|count| count.0),
            backlog: usize::try_from(backlog.0).unwrap_or(usize::MAX),
            memory: memory.map(|size| size.0),
            data_dir: Some(match data_dir {
                Some(dir) => dir.clone(),
                None => own_server::default_data_dir()?,
            }),
            history: (!no_history).then(|| keep(retain, retain_size)),
            motd: apart(motd, |path| path.as_deref().map(read_motd).transpose()).await??.unwrap_or_default(),
            access: {
                let closed = *closed;
                apart(passphrase_file, move |path| access(closed, path.as_deref())).await??
            },
            plaintext: *allow_plaintext,
            web: web.options(host_name())?,
            metrics: watch.metrics,
            multicast: !no_discovery,
            files: files.options(),
            rules: self.rules(),
            ..ServerOptions::default()
        })
    }

    fn rules(&self) -> Rules {
        let (rate, new_names) = (self.rate_limit.get(), new_names(self.new_names_per_hour));
        let log_visits = self.watch.log_connections;
        Rules {
            rate,
            ascii_names: self.ascii_names,
            closed: self.closed,
            interim: false,
            log_visits,
            new_names,
        }
    }
}

fn new_names(per_hour: Option<Bound<Count>>) -> NewNames {
    match per_hour {
        None => NewNames::Usual,
        Some(Bound::At(count)) => {
            let count = count.0.min(limits::MAX_OWNED_NAMES);
            NewNames::PerHour(u32::try_from(count).unwrap_or(u32::MAX))
        }
        Some(Bound::Off) => NewNames::Unlimited,
    }
}

fn keep(retain: &Term, retain_size: &Bound<Size>) -> Retention {
    let age = match retain {
        Term::For(age) => Some(*age),
        Term::Forever => None,
    };
    Retention { age, bytes: retain_size.get().map(|size| size.0) }
}

fn ip_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "expected an IP address such as 192.168.1.20".into())
}

/// Checks that a name can be announced in full and shown unchanged.
pub(crate) fn server_name(name: &str) -> Result<String, String> {
    match name.len() {
        _ if name.trim().is_empty() => Err("the name is empty; type at least one letter".into()),
        _ if safe_line(name) != name => {
            Err("the name has characters that terminals do not show; remove them".into())
        }
        bytes if bytes > limits::MAX_ANNOUNCED_NAME_BYTES => Err(format!(
            "the name has {bytes} bytes, but announcements allow at most {}; shorten it",
            limits::MAX_ANNOUNCED_NAME_BYTES
        )),
        _ => Ok(name.to_owned()),
    }
}

/// Checks that a size is not below `least`; `why` explains the bound.
fn at_least(least: u64, size: Size, why: &str) -> Result<Size, String> {
    match size.0 < least {
        true => Err(format!("{why}; use at least {}", Size(least))),
        false => Ok(size),
    }
}

fn backlog(text: &str) -> Result<Size, String> {
    at_least(limits::MIN_BACKLOG_BYTES as u64, text.parse()?, "one message must fit")
}

fn memory(text: &str) -> Result<Size, String> {
    at_least(limits::MIN_MEMORY_BYTES, text.parse()?, "too little for a server")
}

fn retained(text: &str) -> Result<Bound<Size>, String> {
    match text.parse()? {
        Bound::At(size) => {
            at_least(limits::MIN_RETAIN_BYTES, size, "too little even for an empty history").map(Bound::At)
        }
        Bound::Off => Ok(Bound::Off),
    }
}

fn age(text: &str) -> Result<Term, String> {
    match text.parse::<Bound<Term>>() {
        Ok(age) => Ok(age.get().unwrap_or(Term::Forever)),
        Err(_) => Err("expected an age such as 12h, 90d or 4w, or off".into()),
    }
}

/// Returns the host name without its domain, or the program's name if the machine has none.
fn host_name() -> String {
    let name = whoami::hostname().unwrap_or_default();
    match name.split('.').next() {
        Some(label) if !label.is_empty() => label.to_owned(),
        _ => "lanchat".to_owned(),
    }
}

/// `None`: every address of the machine.
async fn listen_address(host: Option<&HostPort>) -> anyhow::Result<Option<IpAddr>> {
    Ok(match host {
        Some(host) => Some(own_address(&host.host).await?),
        None => None,
    })
}

async fn own_address(host: &str) -> anyhow::Result<IpAddr> {
    let mut found = tokio::net::lookup_host((host, 0)).await.map_err(|error| {
        anyhow!("cannot listen on {host}: {error}; use one of this machine's addresses with --host")
    })?;
    let found = found.next().map(|address| address.ip());
    found.with_context(|| format!("{host} has no address; use one of this machine's addresses with --host"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::definition;
    use crate::cli::config;
    use crate::encoding;
    use clap::FromArgMatches;

    fn read(words: &str, config: &str) -> Result<ServeArgs, String> {
        let cli = config::parse(config)?.defaults(definition());
        let cli = cli.mut_subcommands(|command| command.mut_args(|arg| arg.env(None::<&str>)));
        let words = ["lanchat", "serve"].into_iter().chain(words.split_whitespace());
        let matches = cli.try_get_matches_from(words).map_err(|error| error.to_string())?;
        let matches = matches.subcommand_matches("serve").unwrap();
        ServeArgs::check(matches).map_err(|error| error.to_string())?;
        ServeArgs::from_arg_matches(matches).map_err(|error| error.to_string())
    }

    async fn made(words: &str, config: &str) -> ServerOptions {
        read(words, config).unwrap().options().await.unwrap()
    }

    #[tokio::test]
    async fn a_flag_wins_over_the_config_file_and_that_over_the_default() {
        let config = "[serve]\nport = 1000\nbacklog = '2MiB'";
        let both = made("--port 2000 --backlog 3MiB", config).await;
        assert_eq!((both.port, both.backlog), (2000, 3 << 20));
        let file = made("", config).await;
        assert_eq!((file.port, file.backlog), (1000, 2 << 20));
        let nothing = made("", "").await;
        assert_eq!((nothing.port, nothing.backlog), (limits::DEFAULT_PORT, limits::DEFAULT_BACKLOG_BYTES));
    }

    /// A server that a test starts without options is the one that people get.
    #[tokio::test]
    async fn the_defaults_are_those_of_the_server() {
        let (made, usual) = (made("", "").await, ServerOptions::default());
        assert_eq!((made.port, made.backlog, made.memory), (usual.port, usual.backlog, usual.memory));
        assert_eq!((made.max_clients, made.max_per_address), (usual.max_clients, usual.max_per_address));
        assert_eq!((made.history, made.rules.rate), (usual.history, usual.rules.rate));
    }

    #[tokio::test]
    async fn the_port_may_stand_with_the_host_but_not_twice() {
        let both = read("", "[serve]\nhost = '127.0.0.1:1000'\nport = 2000").unwrap();
        let message = both.options().await.unwrap_err().to_string();
        assert!(message.contains("remove one of them"), "{message}");
        let one = made("", "[serve]\nhost = '[::1]:1000'").await;
        assert_eq!((one.address, one.port), (Some("::1".parse().unwrap()), 1000));
    }

    #[tokio::test]
    async fn history_is_kept_unless_told_otherwise_and_bounds_can_be_off() {
        let off = "[serve]\nretain = 'off'\nretain-size = 'off'";
        assert_eq!(made("", off).await.history, Some(Retention { age: None, bytes: None }));
        assert_eq!(made("--no-history", off).await.history, None);
        assert_eq!(made("", "[serve]\nno-history = true\nretain = '1d'").await.history, None);
        for words in ["--no-history --retain off", "--no-history --retain-size 1GiB"] {
            assert!(read(words, "").unwrap_err().contains("have no effect with --no-history"), "{words}");
        }
    }

    #[test]
    fn a_message_of_the_day_is_the_same_however_an_editor_saved_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("motd");
        for saved in encoding::saved("Gr\u{fc}\u{df}e\nin two lines\n") {
            std::fs::write(&path, &saved).unwrap();
            assert_eq!(read_motd(&path).unwrap(), "Gr\u{fc}\u{df}e\nin two lines", "{saved:?}");
        }
        let longest = "x".repeat(limits::MAX_MOTD_BYTES);
        for saved in encoding::saved(&longest) {
            std::fs::write(&path, saved).unwrap();
            assert_eq!(read_motd(&path).unwrap(), longest);
        }
        for long in [longest.clone() + "y", "\n".repeat(limits::MAX_MOTD_BYTES + 1), longest.repeat(9)] {
            for saved in encoding::saved(&long) {
                std::fs::write(&path, saved).unwrap();
                assert!(
                    read_motd(&path)
                        .unwrap_err()
                        .to_string()
                        .contains("is longer than 4096 bytes; shorten it")
                );
            }
        }
        std::fs::write(&path, b"Gr\xFC\xDFe").unwrap();
        let error = read_motd(&path).unwrap_err().to_string();
        assert!(error.ends_with("motd: line 1 is not UTF-8 text; save the file as UTF-8"), "{error}");
    }

    #[tokio::test]
    async fn files_are_passed_on_within_bounds_or_not_at_all() {
        let files =
            made("--max-file 2GiB --max-transfers 5", "[serve]\nfile-rate = '10MiB'").await.files.unwrap();
        assert_eq!((files.rules.max_transfers, files.rules.max_bytes), (5, Some(2 << 30)));
        assert_eq!(files.rate, Some(10 << 20));
        assert_eq!(made("", "").await.files, ServerOptions::default().files);
        assert_eq!(made("--no-files", "[serve]\nmax-file = '1MiB'").await.files, None);
        assert!(
            read("--no-files --file-rate 1MiB", "").unwrap_err().contains("have no effect with --no-files")
        );
        assert!(read("--file-rate 1KiB", "").unwrap_err().contains("use at least 64KiB, or off"));
    }

    #[test]
    fn a_passphrase_is_for_a_closed_server_unless_the_config_file_has_it() {
        assert!(read("--passphrase-file x", "").unwrap_err().contains("--closed"));
        assert!(read("--passphrase-file x", "[serve]\nclosed = true").is_ok());
        assert!(read("", "[serve]\npassphrase-file = 'x'").is_ok());
    }

    #[test]
    fn values_that_no_server_can_have_are_refused() {
        for (words, why) in [
            ("--backlog 1KiB", "one message must fit; use at least 64KiB"),
            ("--memory 1MiB", "use at least 32MiB"),
            ("--retain-size 5", "use at least 1MiB"),
            ("--retain 90", "such as 12h, 90d or 4w, or off"),
            ("--retain 0d", "such as 12h, 90d or 4w, or off"),
            ("--rate-limit 0", "5:20"),
            ("--max-per-ip 0", "above zero, or off"),
        ] {
            let message = read(words, "").unwrap_err();
            assert!(message.contains(why), "{words}: {message}");
        }
        assert_eq!(read("--retain forever", "").unwrap().retain, Term::Forever);
    }

    #[test]
    fn a_server_has_a_name_that_can_be_announced_and_shown_whole() {
        assert_eq!(server_name("Küche, 5. Stock 🎉").unwrap(), "Küche, 5. Stock 🎉");
        for (wrong, words) in [
            ("", "is empty"),
            (" ", "is empty"),
            ("a\x1b[31mb", "do not show"),
            (&"x".repeat(64), "64 bytes"),
        ] {
            let message = server_name(wrong).unwrap_err();
            assert!(message.contains(words), "{wrong:?}: {message}");
        }
    }
}
