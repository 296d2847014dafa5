//! The options after flags, environment, config file and defaults have been put together.
//!
//! This is where the environment of the program is looked at: file system, host name, home.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use etcetera::BaseStrategy;

use super::args::{ConnectArgs, DiscoverArgs, JoinArgs, ServeArgs};
use super::bounds::{Age, Cap, Pace, Volume};
use super::config::{Config, ServeConfig};
use super::exit::Failure;
use super::invitation::Destination;
use super::values::HostPort;
use crate::fingerprint::Fingerprint;
use crate::limits;
use crate::pace::Rate;
use crate::store::Keep;
use crate::text::safe_line;

/// How long to look for a server unless `--timeout` says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long `lanchat discover` listens at most unless `--timeout` says otherwise. A browse that falls into
/// the second in which responders keep quiet (RFC 6762 section 6) gets its answer within 1.1 s.
const DISCOVER_TIMEOUT: Duration = Duration::from_secs(2);

/// Which server to talk to, and how to look for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// The server's host, if it need not be looked for.
    pub host: Option<HostPort>,
    /// The keys that alone are accepted; any if there are none.
    pub fingerprints: Vec<Fingerprint>,
    /// Whether to do without encryption.
    pub plaintext: bool,
    /// Whether multicast sockets may be opened.
    pub discovery: bool,
    /// The name or start of the id of the server to pick.
    pub server: Option<String>,
    /// How long to look for a server and wait for its answer.
    pub timeout: Duration,
}

impl Connect {
    /// Puts the sources together. No discovery and no host is a usage error.
    pub fn resolve(args: ConnectArgs, config: &Config) -> Result<Self, Failure> {
        // A key on the command line does not widen what another source has narrowed, nor the reverse.
        let (host, listed) = match args.host.or_else(|| config.host.clone()) {
            Some(Destination { at, fingerprint }) => (Some(at), fingerprint),
            None => (None, None),
        };
        let fingerprints = first_full(args.fingerprint, config.fingerprint.clone());
        let fingerprints = joined(fingerprints, listed)?;
        let plaintext = args.plaintext.or(config.plaintext).unwrap_or(false);
        if plaintext && !fingerprints.is_empty() {
            return Err(Failure::usage(
                "--plaintext proves no key, so it cannot be used together with --fingerprint or an invitation",
            ));
        }
        let no_discovery = args.no_discovery.or(config.no_discovery).unwrap_or(false);
        if no_discovery && host.is_none() {
            return Err(Failure::usage(
                "--no-discovery finds no server by itself; name one with --host HOST[:PORT]",
            ));
        }
        let timeout = args.timeout.or(config.timeout);
        Ok(Self {
            host,
            fingerprints,
            plaintext,
            discovery: !no_discovery,
            server: args.server.or_else(|| config.server.clone()),
            timeout: timeout.map_or(CONNECT_TIMEOUT, |span| span.0),
        })
    }
}

/// How to join the chat.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// The server.
    pub connect: Connect,
    /// The user's name, if one was chosen.
    pub name: Option<String>,
    /// The file with a closed server's passphrase.
    pub passphrase_file: Option<PathBuf>,
}

impl Join {
    /// Puts the sources together.
    pub fn resolve(args: JoinArgs, config: &Config) -> Result<Self, Failure> {
        Ok(Self {
            connect: Connect::resolve(args.connect, config)?,
            name: args.name.or_else(|| config.name.clone()),
            passphrase_file: args.passphrase_file.or_else(|| config.passphrase_file.clone()),
        })
    }
}

/// How to list servers.
#[derive(Clone, Debug, PartialEq)]
pub struct Discover {
    /// Print JSON instead of a table.
    pub json: bool,
    /// Also try every address of this machine's networks.
    pub scan: bool,
    /// Stop at the first server.
    pub first: bool,
    /// How long to listen for answers at most.
    pub timeout: Duration,
}

impl Discover {
    /// Puts the sources together.
    pub fn resolve(args: &DiscoverArgs, config: &Config) -> Self {
        let timeout = args.timeout.or(config.timeout);
        let timeout = timeout.map_or(DISCOVER_TIMEOUT, |span| span.0);
        Self { json: args.json, scan: args.scan, first: args.first, timeout }
    }
}

/// What server to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Serve {
    /// The host or address to listen on; all addresses if there is none.
    pub host: Option<String>,
    /// The port to listen on; 0 is any free one.
    pub port: u16,
    /// The server's name.
    pub name: String,
    /// How many clients may be connected at once, if it was said.
    pub max_clients: Option<u32>,
    /// Connections that one address may have; the usual number if it was not said.
    pub max_per_ip: Option<Cap>,
    /// How fast a user may send.
    pub rate: Pace,
    /// Whether newcomers need a passphrase.
    pub closed: bool,
    /// The file with the passphrase; one is made in the data directory if there is none.
    pub passphrase_file: Option<PathBuf>,
    /// Whether connections may be unencrypted.
    pub plaintext: bool,
    /// Whether names are ASCII only.
    pub ascii_names: bool,
    /// Bytes that may wait for a slow client.
    pub backlog: usize,
    /// Bytes that the process may use; as many as the system grants if absent.
    pub memory: Option<u64>,
    /// Where the server keeps what must outlive it.
    pub data_dir: PathBuf,
    /// What is kept of the chat; none keeps nothing.
    pub history: Option<Keep>,
    /// The file with the message of the day.
    pub motd: Option<PathBuf>,
    /// The interfaces to announce on; the usual ones if there are none.
    pub interfaces: Vec<String>,
    /// The addresses to announce; the machine's own if there are none.
    pub advertise: Vec<IpAddr>,
    /// Whether to announce the server at all.
    pub discovery: bool,
}

impl Serve {
    /// Puts the sources together.
    pub fn resolve(args: ServeArgs, config: ServeConfig) -> Result<Self, Failure> {
        let host = args.host.clone().or(config.host.clone());
        let port = port(host.as_ref(), args.port.or(config.port))?;
        let no_discovery = args.no_discovery.or(config.no_discovery).unwrap_or(false);
        let closed = args.closed.or(config.closed).unwrap_or(false);
        let plaintext = args.allow_plaintext.or(config.allow_plaintext).unwrap_or(false);
        if args.passphrase_file.is_some() && !closed {
            return Err(Failure::usage("--passphrase-file means nothing without --closed; add that"));
        }
        let history = history(&args, &config)?;
        Ok(Self {
            host: host.map(|host| host.host),
            port,
            name: args.name.or(config.name).map_or_else(|| Ok(host_name()), server_name)?,
            max_clients: args.max_clients.or(config.max_clients.map(Into::into)),
            max_per_ip: args.max_per_ip.or(config.max_per_ip),
            rate: args.rate_limit.or(config.rate_limit).unwrap_or(Pace::At(Rate::default())),
            closed,
            passphrase_file: args.passphrase_file.or(config.passphrase_file),
            plaintext,
            ascii_names: args.ascii_names.or(config.ascii_names).unwrap_or(false),
            backlog: backlog(args.backlog.or(config.backlog).map(|size| size.0))?,
            memory: memory(args.memory.or(config.memory).map(|size| size.0))?,
            data_dir: match args.data_dir.or(config.data_dir) {
                Some(dir) => dir,
                None => default_data_dir()?,
            },
            history,
            motd: args.motd.or(config.motd),
            interfaces: first_full(args.interface, config.interface),
            advertise: first_full(args.advertise, config.advertise),
            discovery: !no_discovery,
        })
    }
}

/// The keys that are accepted when a link names one too: no others than that one.
fn joined(listed: Vec<Fingerprint>, linked: Option<Fingerprint>) -> Result<Vec<Fingerprint>, Failure> {
    match linked {
        None => Ok(listed),
        Some(linked) if listed.is_empty() || listed.contains(&linked) => Ok(vec![linked]),
        Some(_) => Err(Failure::usage(
            "the link of --host and --fingerprint name different keys; leave out the one that is wrong",
        )),
    }
}

/// A repeatable option replaces the config file's list; it does not add to it.
fn first_full<T>(flags: Vec<T>, config: Option<Vec<T>>) -> Vec<T> {
    if flags.is_empty() { config.unwrap_or_default() } else { flags }
}

fn port(host: Option<&HostPort>, port: Option<u16>) -> Result<u16, Failure> {
    match (host.and_then(|host| host.port), port) {
        (Some(a), Some(b)) if a != b => {
            Err(Failure::usage(format!("--host says port {a} and --port says {b}; give the port once")))
        }
        (a, b) => Ok(a.or(b).unwrap_or(limits::DEFAULT_PORT)),
    }
}

/// An option that says how much to keep means nothing where nothing is.
fn history(args: &ServeArgs, config: &ServeConfig) -> Result<Option<Keep>, Failure> {
    if args.no_history.or(config.no_history).unwrap_or(false) {
        return match args.no_history == Some(true) && (args.retain.is_some() || args.retain_size.is_some()) {
            true => Err(Failure::usage(
                "--retain and --retain-size mean nothing with --no-history; leave out the one or the other",
            )),
            false => Ok(None),
        };
    }
    let age = match args.retain.or(config.retain) {
        None => Some(limits::DEFAULT_RETAIN),
        Some(Age::At(age)) => Some(age),
        Some(Age::Off) => None,
    };
    let bytes = match args.retain_size.or(config.retain_size) {
        None => Some(limits::DEFAULT_RETAIN_BYTES),
        Some(Volume::At(bytes)) if bytes < limits::MIN_RETAIN_BYTES => {
            return Err(Failure::usage(format!(
                "--retain-size of {bytes} bytes is too small: an empty history takes some, so {} at least; \
                 --no-history keeps nothing",
                limits::MIN_RETAIN_BYTES
            )));
        }
        Some(Volume::At(bytes)) => Some(bytes),
        Some(Volume::Off) => None,
    };
    Ok(Some(Keep { age, bytes }))
}

fn memory(bytes: Option<usize>) -> Result<Option<u64>, Failure> {
    match bytes.map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX)) {
        Some(bytes) if bytes < limits::MIN_MEMORY_BYTES => Err(Failure::usage(format!(
            "--memory {bytes} is too small for a server; give {}MiB at least",
            limits::MIN_MEMORY_BYTES >> 20
        ))),
        bytes => Ok(bytes),
    }
}

fn backlog(bytes: Option<usize>) -> Result<usize, Failure> {
    match bytes {
        Some(bytes) if bytes < limits::MIN_BACKLOG_BYTES => Err(Failure::usage(format!(
            "--backlog of {bytes} bytes is too small: one message must fit, so {} at least",
            limits::MIN_BACKLOG_BYTES
        ))),
        bytes => Ok(bytes.unwrap_or(limits::DEFAULT_BACKLOG_BYTES)),
    }
}

/// A name that can be announced whole and shown as it is.
fn server_name(name: String) -> Result<String, Failure> {
    let wrong = match name.len() {
        _ if name.trim().is_empty() => "is empty; give it some letters".to_owned(),
        _ if safe_line(&name) != name => {
            "holds characters that terminals do not show; leave them out".to_owned()
        }
        bytes if bytes > limits::MAX_ANNOUNCED_NAME_BYTES => {
            format!("has {bytes} bytes; {} at most are announced", limits::MAX_ANNOUNCED_NAME_BYTES)
        }
        _ => return Ok(name),
    };
    Err(Failure::usage(format!("the server's --name {wrong}")))
}

/// The host name without its domain, or the program's name on a machine that has none.
fn host_name() -> String {
    let name = hostname::get().unwrap_or_default();
    let name = name.to_string_lossy();
    match name.split('.').next() {
        Some(label) if !label.is_empty() => label.to_owned(),
        _ => "lanchat".to_owned(),
    }
}

pub(super) fn default_data_dir() -> Result<PathBuf, Failure> {
    match etcetera::choose_base_strategy() {
        Ok(strategy) => Ok(strategy.data_dir().join("lanchat")),
        Err(_) => Err(Failure::usage(
            "this user has no home directory to keep the server's data in; name one with --data-dir DIR",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config;
    use std::collections::BTreeSet;

    fn serve(args: ServeArgs, config: &str) -> Result<Serve, Failure> {
        Serve::resolve(args, config::parse(config).unwrap().serve)
    }

    #[test]
    fn a_flag_wins_over_the_config_file_and_that_over_the_default() {
        let config = "[serve]\nport = 1000";
        let flag = ServeArgs { port: Some(2000), ..ServeArgs::default() };
        assert_eq!(serve(flag, config).unwrap().port, 2000);
        assert_eq!(serve(ServeArgs::default(), config).unwrap().port, 1000);
        let nothing = serve(ServeArgs::default(), "").unwrap();
        assert_eq!(nothing.port, limits::DEFAULT_PORT);
    }

    #[test]
    fn the_port_may_stand_with_the_host_but_not_twice() {
        let both = "[serve]\nhost = '127.0.0.1:1000'\nport = 2000";
        let message = serve(ServeArgs::default(), both).unwrap_err().to_string();
        assert!(message.contains("give the port once"), "{message}");
        let one = serve(ServeArgs::default(), "[serve]\nhost = '[::1]:1000'").unwrap();
        assert_eq!((one.host.as_deref(), one.port), (Some("::1"), 1000));
    }

    #[test]
    fn a_backlog_that_no_message_fits_is_refused() {
        let message = serve(ServeArgs::default(), "[serve]\nbacklog = '1KiB'").unwrap_err().to_string();
        assert!(message.contains("one message must fit"), "{message}");
    }

    #[test]
    fn history_is_kept_unless_told_otherwise_and_bounds_can_be_off() {
        let kept = |args: ServeArgs, config: &str| serve(args, config).map(|serve| serve.history);
        let usual = Keep { age: Some(limits::DEFAULT_RETAIN), bytes: Some(limits::DEFAULT_RETAIN_BYTES) };
        assert_eq!(kept(ServeArgs::default(), "").unwrap(), Some(usual));
        let off = "[serve]\nretain = 'off'\nretain-size = 'off'";
        assert_eq!(kept(ServeArgs::default(), off).unwrap(), Some(Keep { age: None, bytes: None }));
        assert_eq!(kept(ServeArgs::default(), "[serve]\nno-history = true\nretain = '1d'").unwrap(), None);
        let both = ServeArgs { no_history: Some(true), retain: Some(Age::Off), ..ServeArgs::default() };
        assert!(kept(both, "").unwrap_err().to_string().contains("mean nothing with --no-history"));
        let message = kept(ServeArgs::default(), "[serve]\nretain-size = 5").unwrap_err().to_string();
        assert!(message.contains("too small"), "{message}");
    }

    #[test]
    fn a_server_has_a_name_that_can_be_announced_and_shown_whole() {
        let named = |name: &str| {
            serve(ServeArgs { name: Some(name.to_owned()), ..ServeArgs::default() }, "")
                .map(|serve| serve.name)
        };
        assert_eq!(named("Küche, 5. Stock 🎉").unwrap(), "Küche, 5. Stock 🎉");
        for (wrong, words) in [
            ("", "is empty"),
            (" ", "is empty"),
            ("a\x1b[31mb", "do not show"),
            (&"x".repeat(64), "64 bytes"),
        ] {
            let message = named(wrong).unwrap_err().to_string();
            assert!(message.contains(words), "{wrong:?}: {message}");
        }
    }

    const SAMPLE: &str = include_str!("../../dist/config.toml");

    #[test]
    fn the_annotated_sample_says_what_the_defaults_are() {
        let sample = config::parse(SAMPLE).unwrap();
        let nothing = Config::default();
        assert_eq!(
            Join::resolve(JoinArgs::default(), &sample).unwrap(),
            Join::resolve(JoinArgs::default(), &nothing).unwrap()
        );
        assert_eq!(serve(ServeArgs::default(), SAMPLE).unwrap(), serve(ServeArgs::default(), "").unwrap());
    }

    #[test]
    fn the_annotated_sample_has_every_key() {
        let whole = SAMPLE.replace("\n# ", "\n");
        let keys = |table: &toml::Table| table.keys().cloned().collect::<BTreeSet<_>>();
        let lines = whole.lines().filter(|line| line.starts_with('[') || line.contains(" = "));
        let text = lines.collect::<Vec<_>>().join("\n");
        let sample: toml::Table = toml::from_str(&text).unwrap();
        assert!(config::parse(&text).is_ok(), "{text}");
        assert_eq!(keys(&sample), config::KEYS.map(str::to_owned).into());
        assert_eq!(keys(sample["serve"].as_table().unwrap()), config::SERVE_KEYS.map(str::to_owned).into());
    }
}
