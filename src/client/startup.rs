//! From nothing to a server: looks for one before there is a prompt, and starts one in this process.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use anstream::eprintln;

use super::channel::Channel;
use super::error::Error;
use super::hosting::{Host, Hosting};
use super::link::LinkError;
use super::locate::{Located, Locator, reach};
use super::reached::Reached;
use super::trust::Trust;
use crate::discovery::{SearchReport, is_called, server_label};
use crate::fingerprint::Fingerprint;
use crate::prompt;
use crate::text::safe_line;

/// How long is looked for a server before there is a prompt, at which the search goes on.
const FIRST_LOOK: Duration = Duration::from_secs(3);

/// A server that was started here.
pub(super) struct Start {
    pub(super) reached: Reached,
    pub(super) hosting: Box<dyn Hosting>,
}

/// Finds the server to join.
///
/// # Errors
/// There is none, or there are several and none is named.
pub(super) async fn find(locator: &Locator, trust: &Trust) -> Result<Reached, Error> {
    match locator.locate(trust, slow).await? {
        Located::One(reached) => Ok(*reached),
        Located::Several(servers) => Err(several(&servers)),
        Located::Nothing(tried) => Err(nothing(&tried)),
    }
}

/// Why no server is joined: none is here, or none that is here can be connected to.
pub(super) fn nothing(tried: &SearchReport) -> Error {
    let line = tried.to_string();
    if tried.is_here() { Error::Disconnected(line) } else { Error::NoServer(line) }
}

/// Nobody said which of several servers is to be joined.
pub(super) fn several(servers: &[Reached]) -> Error {
    Error::NoServer(format!(
        "several servers answered; choose one with --server {}: {}",
        how_to_choose(servers),
        servers.iter().map(describe).collect::<Vec<_>>().join(", ")
    ))
}

/// Looks for servers for as long as somebody waits who will have a prompt then.
///
/// # Errors
/// There is no use in going on.
pub(super) async fn first_look(locator: &Locator, trust: &Trust) -> Result<Located, Error> {
    match locator.within(FIRST_LOOK).locate(trust, slow).await? {
        Located::Nothing(tried) if tried.wanted.is_some() => Err(nothing(&tried)),
        located => Ok(located),
    }
}

fn slow() {
    if io::stderr().is_terminal() {
        eprintln!("Looking for a server...");
    }
}

/// Whether there is somebody at a terminal who can answer.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question on the terminal, whose answer is no unless it is a clear yes. The line is read on a
/// thread of its own.
pub(super) async fn says_yes(question: &'static str) -> bool {
    let read = tokio::task::spawn_blocking(move || {
        // Somebody who pressed a key while waiting has not agreed to anything.
        prompt::forget_typed();
        anstream::eprint!("{question}");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = read.await.ok().and_then(Result::ok).unwrap_or_default();
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
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

/// The names and ids of the servers of a numbered choice.
pub(super) struct Choice(Vec<(String, String)>);

impl Choice {
    pub(super) fn among(servers: &[Reached]) -> Self {
        Self(servers.iter().map(|one| (one.server.name.clone(), one.server.id.clone())).collect())
    }

    /// The place of the server that an answer means: by its number, or by what `--server` takes.
    pub(super) fn chosen(&self, answer: &str) -> Option<usize> {
        if let Ok(number) = answer.trim().parse::<usize>() {
            return number.checked_sub(1).filter(|at| *at < self.0.len());
        }
        let mut called = self.called(answer);
        called.next().filter(|_| called.next().is_none())
    }

    /// Whether somebody who types that means to answer, though it may be wrong: it is no line for the chat.
    pub(super) fn is_answer(&self, typed: &str) -> bool {
        typed.trim().parse::<u64>().is_ok() || self.called(typed).next().is_some()
    }

    fn called(&self, answer: &str) -> impl Iterator<Item = usize> {
        let is_called = move |(name, id): &(String, String)| is_called(answer.trim(), name, id);
        self.0.iter().enumerate().filter(move |(_, one)| is_called(one)).map(|(at, _)| at)
    }
}

/// A new link to a server that was chosen: to the same one.
pub(super) async fn again(server: Reached, channel: &Channel) -> Result<Reached, LinkError> {
    let again = reach(&server.addrs, &channel.to(server.link.key())).await?;
    Ok(Reached { link: again.link, ..server })
}

/// Starts a server here and reaches it.
pub(super) async fn start(host: &dyn Host, channel: &Channel) -> Result<Start, Error> {
    let hosting =
        host.start().await.map_err(|error| Error::Local(format!("cannot start a server: {error}")))?;
    let what = "cannot connect to the server started here";
    // Nobody else is to answer in its place.
    let channel = channel.to(Fingerprint::from_id(&hosting.id()));
    let reached = reach(&[hosting.addr()], &channel).await.map_err(|error| Error::from_link(what, &error))?;
    Ok(Start { reached, hosting })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_chosen_by_its_number_or_its_name_and_a_wrong_number_is_no_line_for_the_chat() {
        let pair = |name: &str, id: &str| (name.to_owned(), id.to_owned());
        let choice = Choice(vec![
            pair("kitchen", "26276bf8bb43d319"),
            pair("vm", "a0b1c2d3e4f50617"),
            pair("VM", "3f9a1c7700112233"),
        ]);
        for (typed, place) in [(" 2\n", 1), ("Kitchen", 0), ("vm-3f9a1c77", 2), ("a0b1c2d3", 1)] {
            assert_eq!((choice.chosen(typed), choice.is_answer(typed)), (Some(place), true), "{typed}");
        }
        for wrong in ["0", "4", "vm"] {
            assert_eq!((choice.chosen(wrong), choice.is_answer(wrong)), (None, true), "{wrong}");
        }
        for line in ["", "-1", "hello", "kitchen sink", "2 of us"] {
            assert_eq!((choice.chosen(line), choice.is_answer(line)), (None, false), "{line}");
        }
    }
}
