//! ServerOptions of `lanchat serve`, and the server that they make.

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use crate::chat::Rules;
use crate::cli::exit::Failure;
use crate::cli::own_server;
use crate::cli::values::{Bound, Count, HostPort, Size};
use crate::limits;
use crate::pace::Rate;
use crate::protocol::Term;
use crate::security::Passphrase;
use crate::server::{Access, ServerOptions};
use crate::store::Retention;
use crate::text::safe_line;

/// What kind of server to run.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct ServeArgs {
    /// The address to listen on; all of this machine's if none is given.
    #[arg(short = 'H', long, value_name = "HOST[:PORT]", env = "LANCHAT_SERVE_HOST")]
    pub host: Option<HostPort>,

    /// The port to listen on; 0 takes any free one [default: 7667].
    #[arg(short, long, env = "LANCHAT_SERVE_PORT")]
    pub port: Option<u16>,

    /// The server's name, as people see it; the host name if none is given.
    #[arg(short, long, env = "LANCHAT_SERVE_NAME", value_parser = server_name)]
    pub name: Option<String>,

    /// How many clients may be connected at once [default: 20000, or what descriptors allow].
    #[arg(long, value_name = "N", env = "LANCHAT_SERVE_MAX_CLIENTS")]
    pub max_clients: Option<Count>,

    /// How many connections one address may have however few places are left; this machine's own
    /// may have any number.
    #[arg(
        long,
        value_name = "N|off",
        env = "LANCHAT_SERVE_MAX_PER_IP",
        default_value_t = Bound::At(Count(limits::DEFAULT_MAX_PER_ADDRESS))
    )]
    pub max_per_ip: Bound<Count>,

    /// How many messages a second a user may send, and how many at once; what is more waits its turn.
    #[arg(
        long,
        value_name = "RATE[:BURST]|off",
        env = "LANCHAT_SERVE_RATE_LIMIT",
        default_value_t = Bound::At(Rate::default())
    )]
    pub rate_limit: Bound<Rate>,

    /// What may wait for a client that reads too slowly, before it is disconnected.
    #[arg(
        long,
        value_name = "SIZE",
        env = "LANCHAT_SERVE_BACKLOG",
        default_value_t = Size(limits::DEFAULT_BACKLOG_BYTES as u64),
        value_parser = backlog
    )]
    pub backlog: Size,

    /// What the server may use of the machine's memory [default: what its service or container is granted,
    /// or half of the machine's]; a quarter of it is for what waits for clients.
    #[arg(long, value_name = "SIZE", env = "LANCHAT_SERVE_MEMORY", value_parser = memory)]
    pub memory: Option<Size>,

    /// Where the server keeps what must outlive it.
    #[arg(
        long,
        value_name = "DIR",
        env = "LANCHAT_SERVE_DATA_DIR",
        value_hint = clap::ValueHint::DirPath
    )]
    pub data_dir: Option<PathBuf>,

    /// Keep no messages, mail and rooms on disk: they are for those who are here, and gone.
    ///
    /// Names, operators, members, bans and mutes are kept all the same. A history that is there already stays,
    /// and nobody is told of it.
    #[arg(long, env = "LANCHAT_SERVE_NO_HISTORY")]
    pub no_history: bool,

    /// How long messages are kept.
    ///
    /// What grows older is removed, mail that waits for somebody too: its author is told. By a wrong clock
    /// things go a day early at most, and a day more for each day that it stays wrong; after a long absence
    /// of the machine they go late.
    #[arg(
        long,
        value_name = "AGE|off",
        env = "LANCHAT_SERVE_RETAIN",
        default_value_t = Term::For(limits::DEFAULT_RETAIN),
        value_parser = age
    )]
    pub retain: Term,

    /// How much of the disk they may take, before some are removed.
    ///
    /// The oldest go first of whoever has said most. Mail that waits for somebody is never removed for it;
    /// once that takes half, no more is taken for people who are away.
    #[arg(
        long,
        value_name = "SIZE|off",
        env = "LANCHAT_SERVE_RETAIN_SIZE",
        default_value_t = Bound::At(Size(limits::DEFAULT_RETAIN_BYTES)),
        value_parser = retained
    )]
    pub retain_size: Bound<Size>,

    /// A text file that everybody is shown on joining.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_SERVE_MOTD",
        value_hint = clap::ValueHint::FilePath
    )]
    pub motd: Option<PathBuf>,

    /// Let in those only who know the passphrase, and who have proved it once.
    #[arg(long, env = "LANCHAT_SERVE_CLOSED")]
    pub closed: bool,

    /// The file with a closed server's passphrase; without one it is made up and kept in the data
    /// directory.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_SERVE_PASSPHRASE_FILE",
        value_hint = clap::ValueHint::FilePath
    )]
    pub passphrase_file: Option<PathBuf>,

    /// Also take connections that are not encrypted, on the same port. Those who use them own no
    /// names.
    #[arg(long, env = "LANCHAT_SERVE_ALLOW_PLAINTEXT")]
    pub allow_plaintext: bool,

    /// Take names of ASCII letters, digits and punctuation only.
    #[arg(long, env = "LANCHAT_SERVE_ASCII_NAMES")]
    pub ascii_names: bool,

    /// Announce the server on this network interface only; may be repeated.
    #[arg(long, env = "LANCHAT_SERVE_INTERFACE", value_name = "NAME", value_delimiter = ',')]
    pub interface: Vec<String>,

    /// Announce this address of the machine's only; may be repeated. One that lies in none of the
    /// machine's networks can't be announced.
    #[arg(long, env = "LANCHAT_SERVE_ADVERTISE", value_name = "ADDR", value_delimiter = ',')]
    pub advertise: Vec<IpAddr>,

    /// Do not announce the server: no multicast socket is opened.
    #[arg(long, env = "LANCHAT_SERVE_NO_DISCOVERY")]
    pub no_discovery: bool,
}

impl ServeArgs {
    /// Refuses options that mean nothing together, if they were typed or are variables: a config file may hold
    /// both, so that the one can be switched.
    ///
    /// # Errors
    /// A usage error that says what to leave out or to add.
    pub fn check(matches: &ArgMatches) -> Result<(), Failure> {
        let given = |id: &str| {
            let source = matches.value_source(id);
            matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
        };
        if given("passphrase_file") && !matches.get_flag("closed") {
            return Err(Failure::usage("--passphrase-file means nothing without --closed; add that"));
        }
        let is_kept = given("retain") || given("retain_size");
        if given("no_history") && matches.get_flag("no_history") && is_kept {
            return Err(Failure::usage(
                "--retain and --retain-size mean nothing with --no-history; leave out the one or the other",
            ));
        }
        Ok(())
    }

    /// What the server is started with: here files are read, and names looked up.
    ///
    /// # Errors
    /// When an option can't be met; the text says what to do.
    pub async fn options(&self) -> Result<ServerOptions, Failure> {
        // Each is named here, so that one that changes nothing does not compile. Which interfaces and
        // addresses are announced is no matter of the server's (`announce.rs`).
        let Self {
            host,
            port,
            name,
            max_clients,
            max_per_ip,
            rate_limit,
            backlog,
            memory,
            data_dir,
            no_history,
            retain,
            retain_size,
            motd,
            closed,
            passphrase_file,
            allow_plaintext,
            ascii_names,
            interface: _,
            advertise: _,
            no_discovery,
        } = self;
        Ok(ServerOptions {
            name: name.clone().unwrap_or_else(host_name),
            address: match host {
                Some(host) => Some(own_address(&host.host).await?),
                None => None,
            },
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
            motd: motd.as_deref().map(read_motd).transpose()?.unwrap_or_default(),
            access: access(*closed, passphrase_file.as_deref())?,
            plaintext: *allow_plaintext,
            multicast: !no_discovery,
            rules: Rules {
                rate: rate_limit.get(),
                ascii_names: *ascii_names,
                closed: *closed,
                interim: false,
            },
            ..ServerOptions::default()
        })
    }
}

fn keep(retain: &Term, retain_size: &Bound<Size>) -> Retention {
    let age = match retain {
        Term::For(age) => Some(*age),
        Term::Forever => None,
    };
    Retention { age, bytes: retain_size.get().map(|size| size.0) }
}

fn access(closed: bool, passphrase_file: Option<&Path>) -> Result<Access, Failure> {
    Ok(match passphrase_file {
        _ if !closed => Access::Open,
        Some(file) => Access::Closed(Passphrase::read(file)?),
        None => Access::ClosedByOwn,
    })
}

fn one_port(host: Option<&HostPort>, port: Option<u16>) -> Result<u16, Failure> {
    match (host.and_then(|host| host.port), port) {
        (Some(a), Some(b)) if a != b => {
            Err(Failure::usage(format!("--host says port {a} and --port says {b}; give the port once")))
        }
        (a, b) => Ok(a.or(b).unwrap_or(limits::DEFAULT_PORT)),
    }
}

/// A name that can be announced whole and shown as it is.
fn server_name(name: &str) -> Result<String, String> {
    match name.len() {
        _ if name.trim().is_empty() => Err("the name is empty; give it some letters".into()),
        _ if safe_line(name) != name => {
            Err("the name has characters that terminals do not show; leave them out".into())
        }
        bytes if bytes > limits::MAX_ANNOUNCED_NAME_BYTES => Err(format!(
            "the name has {bytes} bytes; {} at most are announced",
            limits::MAX_ANNOUNCED_NAME_BYTES
        )),
        _ => Ok(name.to_owned()),
    }
}

/// A size that is not below `least`, which `why` explains.
fn at_least(least: u64, size: Size, why: &str) -> Result<Size, String> {
    match size.0 < least {
        true => Err(format!("{why}, so give {} at least", Size(least))),
        false => Ok(size),
    }
}

fn backlog(text: &str) -> Result<Size, String> {
    at_least(limits::MIN_BACKLOG_BYTES as u64, text.parse()?, "one message must fit")
}

fn memory(text: &str) -> Result<Size, String> {
    at_least(limits::MIN_MEMORY_BYTES, text.parse()?, "a server needs some")
}

fn retained(text: &str) -> Result<Bound<Size>, String> {
    match text.parse()? {
        Bound::At(size) => {
            at_least(limits::MIN_RETAIN_BYTES, size, "an empty history takes some").map(Bound::At)
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

/// The host name without its domain, or the program's name on a machine that has none.
fn host_name() -> String {
    let name = whoami::hostname().unwrap_or_default();
    match name.split('.').next() {
        Some(label) if !label.is_empty() => label.to_owned(),
        _ => "lanchat".to_owned(),
    }
}

async fn own_address(host: &str) -> anyhow::Result<IpAddr> {
    let mut found = tokio::net::lookup_host((host, 0)).await.with_context(|| {
        format!("can't listen on {host}: give one of this machine's addresses with --host")
    })?;
    found.next().map(|address| address.ip()).with_context(|| format!("{host} has no address"))
}

fn read_motd(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(limits::MAX_MOTD_BYTES as u64 + 1).read_to_string(&mut text))
        .with_context(|| format!("can't read the message of the day from {}", path.display()))?;
    if text.len() > limits::MAX_MOTD_BYTES {
        bail!(
            "the message of the day in {} is longer than {} bytes; shorten it",
            path.display(),
            limits::MAX_MOTD_BYTES
        );
    }
    Ok(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::definition;
    use crate::cli::config;
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

    /// A server that a test starts with no options of its own is the one that people get.
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
        assert!(message.contains("give the port once"), "{message}");
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
            assert!(read(words, "").unwrap_err().contains("mean nothing with --no-history"), "{words}");
        }
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
            ("--backlog 1KiB", "one message must fit, so give 64KiB at least"),
            ("--memory 1MiB", "give 32MiB at least"),
            ("--retain-size 5", "give 1MiB at least"),
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
