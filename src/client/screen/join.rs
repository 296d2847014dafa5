//! `lanchat`: joins the chat, with a prompt or in plain lines.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::completer::Completer;
use super::{plain, repl};
use crate::client::connection::{Connection, Progress, RESUME_FILE, Start, Visitor, join_at, prepare};
use crate::client::conversation::{Session, Stamp, ViewState};
use crate::client::error::Error;
use crate::client::find::{self, Host, Located, Twins};
use crate::client::options::Options;
use crate::client::state_dir::state_dir;
use crate::client::trust::Standing;
use crate::fingerprint::Fingerprint;
use crate::prompt;
use crate::protocol::request::Mode;

/// Joins the chat: with a prompt at a terminal, else in plain lines. `host` starts a server in this
/// process when there is none and the user wants it.
///
/// # Errors
/// See [`Error`]. Leaving by will is none.
pub async fn join(options: Options, host: Arc<dyn Host>) -> Result<(), Error> {
    // A program that reads our output wants what is said, and not again what was said before.
    let is_read_by_people = io::stdout().is_terminal();
    let progress = match is_read_by_people {
        true => Progress::new(Start::Newest, state_dir().map(|dir| dir.join(RESUME_FILE))),
        false => Progress::new(Start::Now, None),
    };
    let (mut locator, mut visitor) = prepare(&options, Mode::Chat, progress.clone())?;
    let (registered, located) = if prompt::is_available() {
        match find::first_look(&locator, &visitor.trust).await? {
            Located::One(reached) => {
                (Some(join_at(&mut locator, &mut visitor, *reached, Mode::Chat).await?), None)
            }
            located => (None, Some(located)),
        }
    } else {
        let reached = find::find(&locator, &visitor.trust).await?;
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
