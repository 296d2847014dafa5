//! The client: finds a server, keeps a connection to it, and lets a person or a script talk.
//!
//! `link` is one connection and `connection` one that lasts; `locate` and `startup` find the server;
//! `session` is the conversation, `view` its look; `repl`, `plain` and `send` are the three ways to
//! use it. It knows no command line, and no server: [`Host`] is how it may start one.

mod backoff;
mod completer;
mod connection;
mod error;
mod hosting;
mod identity;
mod known;
mod link;
mod locate;
mod pending;
mod plain;
mod register;
mod repl;
mod roster;
mod send;
mod session;
mod startup;
mod state_dir;
mod successor;
mod termination;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use error::Error;
pub use hosting::{Host, Hosting, Task};
pub use send::send;

use crate::discovery::Proof;
use crate::name::Name;
use crate::prompt::{self, Screen};
use crate::protocol::request::Mode;
use completer::Completer;
use connection::Connection;
use identity::Identity;
use known::KnownServers;
use link::Link;
use locate::Locator;
use register::{Registered, register};
use session::Session;
use startup::Start;
use state_dir::state_dir;
use view::ViewState;

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
    let entry = enter(&options, Some(&*host), Mode::Chat).await?;
    let is_interactive = prompt::is_available();
    let roster = Arc::default();
    let view = ViewState {
        me: entry.registered.welcome.name.clone(),
        color: options.color,
        zone: TimeZone::system(),
        now: Timestamp::now(),
    };
    let session = Session::new(view, Arc::clone(&roster));
    let Entry { registered, identity, locator, known, hosting } = entry;
    let connection = Connection::start(registered, identity.clone(), locator.clone());
    if !is_interactive {
        let result = plain::run(connection, session).await;
        if let Some(hosting) = hosting {
            hosting.shutdown().await;
        }
        return result;
    }
    let place = repl::Place { locator, identity, known, host, hosting };
    repl::Repl::open(session, connection, place, Completer(roster), &options)?.run().await
}

/// Asks the server at an address who it is, without joining it.
///
/// # Errors
/// [`Error::Disconnected`], [`Error::Protocol`] or [`Error::Refused`], with the bare reason.
pub async fn probe(addr: SocketAddr) -> Result<Proof<()>, Error> {
    let (_, server) = Link::probe(addr).await.map_err(|error| Error::from(&error))?;
    Ok(Proof { id: server.id, name: server.name, link: () })
}

/// The way in: a registered link, and what was needed to get it.
struct Entry {
    registered: Registered,
    identity: Identity,
    locator: Locator,
    known: KnownServers,
    hosting: Option<Box<dyn Hosting>>,
}

impl Entry {
    fn parts(self) -> (Registered, Identity) {
        (self.registered, self.identity)
    }
}

/// Finds a server, registers there and remembers it.
async fn enter(options: &Options, host: Option<&dyn Host>, mode: Mode) -> Result<Entry, Error> {
    let mut locator = Locator::new(options)?;
    let dir = state_dir();
    let name = options.name.as_deref().map(Name::new).transpose();
    let name = name.map_err(|error| Error::Usage(format!("--name: {error}")))?;
    let identity = Identity::load(dir.as_deref(), name).map_err(|error| {
        Error::Local(format!("cannot make up an identity: {error}; choose a name with --name"))
    })?;
    let mut known = KnownServers::load(dir.as_deref());
    let Start { reached, hosting } = startup::find(&locator, &known, host).await?;
    let registered = register(reached.link, &identity, mode)
        .await
        .map_err(|error| Error::from_link("cannot join the server", &error))?;
    known.remember(&registered.welcome.server, registered.link.peer());
    locator.remember(&reached.addrs);
    Ok(Entry { registered, identity, locator, known, hosting })
}
