//! From nothing to a server: looks for one, and asks the user at a terminal when there are several
//! or none. This is before there is a prompt.

use std::io::{self, IsTerminal as _};

use anstream::eprintln;

use super::channel::Channel;
use super::error::Error;
use super::hosting::{Host, Hosting};
use super::link::LinkError;
use super::locate::{Located, Locator, Reached, reach};
use super::trust::Trust;
use crate::discovery::{Progress, Tried, server_label};
use crate::fingerprint::Fingerprint;
use crate::prompt;
use crate::text::safe_line;

/// The offer to be the server.
pub(super) const OFFER: &str = "No lanchat server answered on this network. Start one here? [Y/n] ";

/// A server to join.
pub(super) struct Start {
    pub(super) reached: Reached,
    /// The server itself, if it runs in this process.
    pub(super) hosting: Option<Box<dyn Hosting>>,
}

/// Finds the server to join. With `host`, and at a terminal, the user may choose among several and
/// start one if there is none.
pub(super) async fn find(locator: &Locator, trust: &Trust, host: Option<&dyn Host>) -> Result<Start, Error> {
    let asks = host.filter(|_| can_ask());
    let slow = |Progress::Slow| {
        if io::stderr().is_terminal() {
            eprintln!("Looking for a server...");
        }
    };
    match (locator.locate(trust, slow).await?, asks) {
        (Located::One(reached), _) => Ok(Start { reached: *reached, hosting: None }),
        (Located::Several(servers), Some(_)) => {
            Ok(Start { reached: choose(servers, trust).await?, hosting: None })
        }
        (Located::Several(servers), None) => Err(Error::NoServer(format!(
            "several servers answered; choose one with --server {}: {}",
            how_to_choose(&servers),
            servers.iter().map(describe).collect::<Vec<_>>().join(", ")
        ))),
        (Located::Nothing(tried), Some(host)) => offer(&tried, host, trust).await,
        (Located::Nothing(tried), None) => Err(nothing(&tried)),
    }
}

/// Whether there is somebody at a terminal who can answer.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question whose answer is no unless it is a clear yes.
pub(super) async fn says_yes(question: &str) -> bool {
    ask(question.to_owned()).await.is_some_and(|answer| !answer.trim().is_empty() && is_yes(&answer))
}

/// A server as people tell it from others, safe for the terminal.
pub(super) fn describe(reached: &Reached) -> String {
    let id = reached.server.id.get(..8).unwrap_or(&reached.server.id);
    safe_line(&format!("{} ({id}) at {}", reached.server.name, reached.link.peer()))
}

/// What is given to choose one of them: digits too, where two have the same name.
fn how_to_choose(servers: &[Reached]) -> String {
    let name = |reached: &Reached| reached.server.name.to_lowercase();
    let is_twice = |one: &&Reached| servers.iter().filter(|other| name(other) == name(one)).count() > 1;
    match servers.iter().find(is_twice) {
        Some(twin) => format!("NAME-DIGITS, as {}", server_label(&twin.server.name, &twin.server.id)),
        None => "NAME".into(),
    }
}

/// The lines of a numbered choice.
pub(super) fn choices(servers: &[Reached]) -> Vec<String> {
    servers.iter().enumerate().map(|(at, server)| format!("{:3}  {}", at + 1, describe(server))).collect()
}

/// The server that an answer to a numbered choice means.
pub(super) fn chosen(answer: &str, count: usize) -> Option<usize> {
    let number: usize = answer.trim().parse().ok()?;
    number.checked_sub(1).filter(|at| *at < count)
}

/// Whether an answer to the offer is a yes; Enter is one.
pub(super) fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

async fn choose(mut servers: Vec<Reached>, trust: &Trust) -> Result<Reached, Error> {
    eprintln!("Several servers answered:");
    choices(&servers).iter().for_each(|line| eprintln!("{line}"));
    loop {
        let Some(answer) = ask(format!("Which one? [1-{}] ", servers.len())).await else {
            return Err(Error::NoServer("no server was chosen; --server NAME picks one".into()));
        };
        if let Some(at) = chosen(&answer, servers.len()) {
            let server = servers.swap_remove(at);
            // Its link may have ended while the user was thinking.
            let what = format!("cannot connect to {}", describe(&server));
            return again(server, trust.channel()).await.map_err(|error| trust.explain(&what, &error));
        }
    }
}

/// A new link to a server that was chosen: to the same one.
pub(super) async fn again(server: Reached, channel: &Channel) -> Result<Reached, LinkError> {
    let again = reach(&server.addrs, &channel.to(server.link.key())).await?;
    Ok(Reached { link: again.link, ..server })
}

/// Why no server is joined: none is here, or none that is here can be connected to.
fn nothing(tried: &Tried) -> Error {
    let line = tried.to_string();
    if tried.is_here() { Error::Disconnected(line) } else { Error::NoServer(line) }
}

async fn offer(tried: &Tried, host: &dyn Host, trust: &Trust) -> Result<Start, Error> {
    match ask(OFFER.into()).await {
        Some(answer) if is_yes(&answer) => start(host, trust.channel()).await,
        _ => Err(nothing(tried)),
    }
}

/// Starts a server here and reaches it.
pub(super) async fn start(host: &dyn Host, channel: &Channel) -> Result<Start, Error> {
    let hosting =
        host.start().await.map_err(|error| Error::Local(format!("cannot start a server: {error}")))?;
    let what = "cannot connect to the server started here";
    // Nobody else is to answer in its place.
    let channel = channel.to(Fingerprint::from_id(&hosting.id()));
    let reached = reach(&[hosting.addr()], &channel).await.map_err(|error| Error::from_link(what, &error))?;
    Ok(Start { reached, hosting: Some(hosting) })
}

/// Asks on the terminal; none at its end. The line is read on a thread of its own.
async fn ask(question: String) -> Option<String> {
    let read = tokio::task::spawn_blocking(move || {
        // Somebody who pressed Enter while waiting has not agreed to anything.
        prompt::forget_typed();
        anstream::eprint!("{question}");
        let mut answer = String::new();
        match io::stdin().read_line(&mut answer) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(answer),
        }
    });
    read.await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_leniently_and_numbers_strictly() {
        assert!(["", "y", "Y\n", " yes "].iter().all(|answer| is_yes(answer)));
        assert!(["n", "no", "nope"].iter().all(|answer| !is_yes(answer)));
        assert_eq!(chosen(" 2\n", 3), Some(1));
        assert!(["0", "4", "x", "", "-1"].iter().all(|answer| chosen(answer, 3).is_none()));
    }
}
