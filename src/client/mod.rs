//! The client: finds a server, keeps a connection to it, and lets a person or a script talk.
//!
//! `link` is one connection and `connection` one that lasts; `locate` and `startup` find the server;
//! `trust` judges its key, in the words of `words`, and `entrance` is the way in; `session` is the conversation, `view` its look; `repl`, `plain` and `send` are the three ways to
//! use it. It knows no command line, and no server: [`Host`] is how it may start one.

mod backoff;
mod channel;
mod completer;
mod connection;
mod entrance;
mod error;
mod hosting;
mod identity;
mod inspect;
mod link;
mod local;
mod locate;
mod moves;
mod outbox;
mod passphrase;
mod plain;
mod points;
mod progress;
mod reached;
mod register;
mod repl;
mod rivals;
mod roster;
mod seen;
mod send;
mod session;
mod startup;
mod state_dir;
mod successor;
mod tail;
mod termination;
mod trust;
mod twins;
mod view;
mod words;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use error::Error;
pub use hosting::{Host, Hosting, Task};
pub use inspect::{Inspector, Refusal, Trusted, Untested, fingerprint_at, own_fingerprint, trust};
pub use local::{PASSPHRASE_FILE, SECRET_FILE};
pub use send::send;
pub use tail::{Tail, tail};

use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::prompt::{self, Screen};
use crate::protocol::request::Mode;
use completer::Completer;
use connection::Connection;
use entrance::Visitor;
use identity::{Identity, load_key};
use locate::{Located, Locator};
use passphrase::Passphrases;
use progress::{Progress, Start};
use reached::Reached;
use register::Registered;
use session::Session;
use state_dir::state_dir;
use trust::{Standing, Trust};
use twins::Twins;
use view::{Stamp, ViewState};

/// What to join, and how.
#[derive(Clone)]
pub struct Options {
    /// The server's host and port, if it need not be looked for.
    pub host: Option<(String, Option<u16>)>,
    /// Whether multicast sockets may be opened.
    pub discovery: bool,
    /// The name, or the start of the id, of the server to pick.
    pub server: Option<String>,
    /// How long to look for a server.
    pub timeout: Duration,
    /// The user's name, if one was chosen; else it is the login name.
    pub name: Option<String>,
    /// Whether to do without encryption.
    pub plaintext: bool,
    /// The keys that alone will do; any if there are none.
    pub fingerprints: Vec<Fingerprint>,
    /// The file with a closed server's passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// Where servers of this machine keep their data: those that this user may read are their own.
    pub data_dirs: Vec<PathBuf>,
    /// Whether to colour what is shown.
    pub color: bool,
    /// Where the log appears while the prompt is open.
    pub screen: Screen,
}

/// Joins the chat: with a prompt at a terminal, else in plain lines. `host` starts a server in this
/// process when there is none and the user wants it.
///
/// # Errors
/// See [`Error`]. Leaving by will is none.
pub async fn join(options: Options, host: Arc<dyn Host>) -> Result<(), Error> {
    // A program that reads our output wants what is said, and not again what was said before.
    let is_read_by_people = io::stdout().is_terminal();
    let progress = match is_read_by_people {
        true => Progress::new(Start::Newest, state_dir().map(|dir| dir.join(points::FILE))),
        false => Progress::new(Start::Now, None),
    };
    let (mut locator, mut visitor) = prepare(&options, Mode::Chat, progress.clone())?;
    let (registered, located) = if prompt::is_available() {
        match startup::first_look(&locator, &visitor.trust).await? {
            Located::One(reached) => {
                (Some(join_at(&mut locator, &mut visitor, *reached, Mode::Chat).await?), None)
            }
            located => (None, Some(located)),
        }
    } else {
        let reached = startup::find(&locator, &visitor.trust).await?;
        (Some(join_at(&mut locator, &mut visitor, reached, Mode::Chat).await?), None)
    };
    let roster = Arc::default();
    let me = registered.as_ref().map_or(visitor.identity.name.to_string(), |one| one.welcome.name.clone());
    let view = ViewState {
        me,
        color: options.color,
        zone: TimeZone::system(),
        now: Timestamp::now(),
        standing: Standing::Plaintext,
        room: None,
        stamp: Stamp::Time,
    };
    let session = Session::new(view, Arc::clone(&roster), progress.clone());
    let told_apart = registered.as_ref().filter(|one| !one.twins_are_told && locator.searches());
    let server = told_apart.and_then(|one| Some((one.link.key()?, one.welcome.server.name.clone())));
    let has_prompt = prompt::is_available();
    let connection = registered.map(|registered| match has_prompt {
        true => Connection::start(registered, visitor.clone(), locator.clone()),
        false => Connection::staying(Mode::Chat, registered, visitor.clone(), locator.clone()),
    });
    if !has_prompt {
        let connection = connection.ok_or_else(|| Error::Local("the terminal is gone".into()))?;
        let result = plain::run(connection, session, visitor.trust).await;
        progress.save();
        return result;
    }
    let twins = server.and_then(|server| watch_twins(&visitor, server));
    let place = repl::Place { locator, visitor, host, hosting: None, twins, rivals: None };
    repl::Repl::open(session, connection, place, Completer(roster), &options)?.run(located).await
}

/// Looks for twins of a server that is known.
fn watch_twins(visitor: &Visitor, (key, name): (Fingerprint, String)) -> Option<Twins> {
    visitor.trust.was_known(key).then(|| Twins::watch(name, key))
}

/// The way in: a registered link, and what was needed to get it.
struct Entry {
    registered: Registered,
    visitor: Visitor,
    locator: Locator,
}

/// Finds a server, registers there and remembers it.
async fn enter(options: &Options, mode: Mode, progress: Progress) -> Result<Entry, Error> {
    let (mut locator, mut visitor) = prepare(options, mode, progress)?;
    let reached = startup::find(&locator, &visitor.trust).await?;
    let registered = join_at(&mut locator, &mut visitor, reached, mode).await?;
    Ok(Entry { registered, visitor, locator })
}

/// Registers at a server that was found.
async fn join_at(
    locator: &mut Locator,
    visitor: &mut Visitor,
    reached: Reached,
    mode: Mode,
) -> Result<Registered, Error> {
    locator.remember(&reached.addrs);
    // Above the prompt, which is not there yet.
    visitor.join(reached, mode, |line| anstream::eprintln!("{line}")).await
}

/// What it takes to look for a server and to register there.
fn prepare(options: &Options, mode: Mode, progress: Progress) -> Result<(Locator, Visitor), Error> {
    let dir = state_dir();
    let name = options.name.as_deref().map(Name::new).transpose();
    let name = name.map_err(|error| Error::Usage(format!("--name: {error}")))?;
    let identity = Identity::load(dir.as_deref(), name).map_err(|error| {
        Error::Local(format!("cannot make up an identity: {error}; choose a name with --name"))
    })?;
    let keypair = load_key(dir.as_deref()).map_err(|error| Error::Local(error.to_string()))?;
    let trust = Trust::load(options, dir.as_deref(), &keypair)?;
    let locator = Locator::new(options, trust.channel().clone())?;
    let passphrases = Passphrases::new(options.passphrase_file.clone());
    // Who reads along in the background is not there to answer.
    let can_be_asked = mode != Mode::Tail;
    Ok((locator, Visitor { identity, trust, passphrases, progress, can_be_asked }))
}
