//! Looks for a server before there is a prompt, and starts one in this process.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use anstream::eprintln;

use super::choice::several;
use super::hosting::{Host, Hosting};
use super::locator::{Located, Locator, reach};
use crate::client::error::Error;
use crate::client::link::{Channel, LinkError, Reached};
use crate::discovery::SearchReport;
use crate::fingerprint::Fingerprint;

/// How long to look before the prompt opens, where the search goes on.
const FIRST_LOOK: Duration = Duration::from_secs(3);

pub(crate) struct StartedServer {
    pub(crate) reached: Reached,
    pub(crate) hosting: Box<dyn Hosting>,
}

/// Finds the server to join. Fails without a server, or with several if the user named none. If `quiet`, says
/// nothing while it takes long.
pub(crate) async fn find(locator: &Locator, quiet: bool) -> Result<Reached, Error> {
    let slow = if quiet { || {} } else { slow };
    match locator.locate(slow).await? {
        Located::One(reached) => Ok(*reached),
        Located::Several(servers) => Err(several(&servers)),
        Located::Nothing(tried) => Err(nothing(&tried)),
    }
}

/// Why the client joined no server: it found none, or none that answers.
pub(crate) fn nothing(tried: &SearchReport) -> Error {
    let line = tried.to_string();
    if tried.is_here() { Error::Disconnected(line) } else { Error::NoServer(line) }
}

/// Looks for servers until the prompt should open. Fails if further searching is pointless.
pub(crate) async fn first_look(locator: &Locator) -> Result<Located, Error> {
    match locator.within(FIRST_LOOK).locate(slow).await? {
        Located::Nothing(tried) if tried.wanted.is_some() => Err(nothing(&tried)),
        located => Ok(located),
    }
}

fn slow() {
    if io::stderr().is_terminal() {
        eprintln!("Looking for a server...");
    }
}

/// A new link to the chosen server.
pub(crate) async fn again(server: Reached, channel: &Channel) -> Result<Reached, LinkError> {
    let again = reach(&server.addrs, &channel.to(server.link.key())).await?;
    Ok(Reached { link: again.link, ..server })
}

/// Starts a server here and connects to it.
pub(crate) async fn start(host: &dyn Host, channel: &Channel) -> Result<StartedServer, Error> {
    let hosting =
        host.start().await.map_err(|error| Error::Local(format!("cannot start a server: {error}")))?;
    let what = "cannot connect to the server started here";
    // No other server may answer in its place.
    let channel = channel.to(Fingerprint::from_id(&hosting.id()));
    let reached = reach(&[hosting.addr()], &channel).await.map_err(|error| Error::from_link(what, &error))?;
    Ok(StartedServer { reached, hosting })
}
