//! From the options to a registered link: finds a server, and joins it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::credentials::{Credentials, JoinTerms};
use super::history_position::HistoryPosition;
use super::register::Registered;
use crate::client::error::Error;
use crate::client::find::{self, Locator};
use crate::client::link::Reached;
use crate::client::options::ClientOptions;
use crate::client::shared_state::SharedState;
use crate::client::state_dir::state_dir;
use crate::client::terminal;
use crate::client::trust::{KeySource, PassphraseSource, TrustPolicy, UserIdentity, UserKey, load_key};
use crate::name::Name;
use crate::prompt;
use crate::protocol::request::Mode;

/// A registered link, and what it takes to come back.
pub(crate) struct Joined {
    pub(crate) registered: Registered,
    pub(crate) credentials: Credentials,
    pub(crate) locator: Locator,
}

/// Finds a server and joins it.
pub(crate) async fn enter(
    options: &ClientOptions,
    mode: Mode,
    position: HistoryPosition,
) -> Result<Joined, Error> {
    let (locator, credentials) = prepare(options, position)?;
    let reached = find::find(&locator, options.quiet).await?;
    let registered = join_first(&locator, &credentials, reached, mode, options.quiet).await?;
    Ok(Joined { registered, credentials, locator })
}

/// For a user who joins a server for the first time.
const NEWCOMER: &str = "New here? /help lists the commands, Tab completes names, Ctrl-D leaves.";

/// Joins a server before there is a prompt. If `quiet`, says nothing about it.
pub(crate) async fn join_first(
    locator: &Locator,
    credentials: &Credentials,
    reached: Reached,
    mode: Mode,
    quiet: bool,
) -> Result<Registered, Error> {
    locator.remember(&reached.addrs);
    // `tail` runs in the background, where nobody answers.
    let needs_name = credentials.identity.is_name_chosen;
    let terms = JoinTerms { may_ask: mode != Mode::Tail, needs_name, ..JoinTerms::returning(mode) };
    let is_newcomer = mode == Mode::Chat && credentials.trust.lock().known().iter().next().is_none();
    let is_told = AtomicBool::new(false);
    let tell = |line: String| {
        if !quiet {
            terminal::tell(&line);
            is_told.store(true, Ordering::Relaxed);
        }
    };
    let registered = credentials.join_any(locator, reached, terms, tell).await?;
    // Programs need no advice, and a user with a link got it from its author.
    if is_newcomer && is_told.into_inner() && prompt::is_available() {
        terminal::tell(NEWCOMER);
    }
    Ok(registered)
}

/// Prepares the search for a server and the join.
pub(crate) fn prepare(
    options: &ClientOptions,
    position: HistoryPosition,
) -> Result<(Locator, Credentials), Error> {
    let dir = state_dir();
    let name = options.name.as_deref().map(Name::new).transpose();
    let name = name.map_err(|error| Error::Usage(format!("--name: {error}")))?;
    let identity = UserIdentity::load(dir.as_deref(), name).map_err(|error| {
        Error::Local(format!("cannot determine your user name: {error}; choose one with --name"))
    })?;
    let key = load_key(dir.as_deref(), options.key_file.as_deref());
    let UserKey { keypair, source } = key.map_err(|error| Error::Local(error.to_string()))?;
    // A name that belongs to a lost key is of no use to anyone, not even to this user's next run.
    let is_guest = options.guest || matches!(source, KeySource::Lost(_));
    if let Some(note) = source.note().filter(|_| !options.guest && !options.plaintext) {
        options.note(&note);
    }
    let trust = TrustPolicy::load(options, dir.as_deref())?;
    let channel = trust.channel(options.plaintext, &keypair)?;
    let trust = SharedState::new(trust);
    let locator = Locator::new(options, channel.clone(), trust.clone())?;
    let passphrases = PassphraseSource::new(options.passphrase_file.clone());
    let credentials =
        Credentials { identity, own: keypair.fingerprint(), is_guest, channel, trust, passphrases, position };
    Ok((locator, credentials))
}
