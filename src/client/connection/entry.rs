//! From the options to a registered link: finds a server, and joins it.

use super::credentials::Visitor;
use super::history_position::Progress;
use super::register::Registered;
use crate::client::error::Error;
use crate::client::find::{self, Locator};
use crate::client::link::Reached;
use crate::client::options::Options;
use crate::client::state_dir::state_dir;
use crate::client::trust::{Identity, Passphrases, Trust, load_key};
use crate::name::Name;
use crate::protocol::request::Mode;

/// The way in: a registered link, and what was needed to get it.
pub(crate) struct Entry {
    pub(crate) registered: Registered,
    pub(crate) visitor: Visitor,
    pub(crate) locator: Locator,
}

/// Finds a server, registers there and remembers it.
pub(crate) async fn enter(options: &Options, mode: Mode, progress: Progress) -> Result<Entry, Error> {
    let (mut locator, mut visitor) = prepare(options, mode, progress)?;
    let reached = find::find(&locator, &visitor.trust).await?;
    let registered = join_at(&mut locator, &mut visitor, reached, mode).await?;
    Ok(Entry { registered, visitor, locator })
}

/// Registers at a server that was found.
pub(crate) async fn join_at(
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
pub(crate) fn prepare(
    options: &Options,
    mode: Mode,
    progress: Progress,
) -> Result<(Locator, Visitor), Error> {
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
