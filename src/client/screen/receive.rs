//! `lanchat receive`: takes offered files. At a terminal, it asks; elsewhere, it takes what it was told to take, and
//! refuses the rest. It survives lost connections and restarts, and resumes what was cut.

mod consent;
mod file_receiver;
mod questions;
mod seen_offer;

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;
use tokio::time::interval;

pub use consent::Consent;
use consent::unproven;
use file_receiver::FileReceiver;

use super::file_display::{FileDisplay, GoesOn, TICK};
use super::termination::Termination;
use crate::client::connection::{HistoryPosition, Reconnector, StartFrom, enter};
use crate::client::error::Error;
use crate::client::options::ClientOptions;
use crate::client::state_dir::state_dir;
use crate::client::transfer::{Accepted, check_folder, download_folder, no_folder};
use crate::name::Name;
use crate::protocol::request::Mode;

/// The offers to take, and where they go.
#[derive(Debug, Clone, Default)]
pub struct ReceiveOptions {
    /// Leave the offers of all others to this user's other sessions.
    pub from: Option<Name>,
    /// The folder; `None`: the one for downloads.
    pub to: Option<PathBuf>,
    /// Whether to end after one offer.
    pub once: bool,
    /// Whose offers to take without a question.
    pub yes_from: Vec<Consent>,
    /// Whether to take everybody's.
    pub yes_to_all: bool,
    /// The most bytes to take in one offer.
    pub max: Option<u64>,
    /// Whether to print events as lines of JSON.
    pub json: bool,
}

/// Takes offered files until a signal asks the process to end, or once.
///
/// # Errors
/// See [`Error`]: for example if there is no server, or, once, if the transfer fails.
pub async fn receive(options: ClientOptions, what: ReceiveOptions) -> Result<(), Error> {
    let display = FileDisplay::new(&options, what.json);
    let received = take_offers(&options, what).await;
    if let (true, Err(error)) = (display.is_json(), &received) {
        let event = json!({ "type": "error", "code": error.code(), "msg": error.to_string() });
        display.tell("", &event)?;
    }
    received
}

async fn take_offers(options: &ClientOptions, what: ReceiveOptions) -> Result<(), Error> {
    let no_downloads = || Error::Usage("there is no folder for downloads here; name one with --to".into());
    if let Some(missing) = what.to.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(Error::Usage(no_folder(missing)));
    }
    let folder = what.to.clone().or_else(download_folder).ok_or_else(no_downloads)?;
    if folder.is_dir() {
        check_folder(&folder).map_err(Error::Local)?;
    }
    let mut termination =
        Termination::new().map_err(|error| Error::Local(format!("cannot take signals: {error}")))?;
    let mut accepted = Accepted::load(state_dir().as_deref());
    accepted.clean(Timestamp::now());
    let position = HistoryPosition::new(StartFrom::Now, None);
    let joined = tokio::select! {
        joined = enter(options, Mode::Tail, position) => joined?,
        () = termination.wait() => return Ok(()),
    };
    let (channel, trust) = (joined.credentials.channel.clone(), joined.credentials.trust.clone());
    unproven(&what.yes_from, trust.lock().users().names()).iter().for_each(|hint| options.note(hint));
    let mut connection = Reconnector::staying(Mode::Tail, joined);
    let display = FileDisplay::new(options, what.json);
    let mut receiver = FileReceiver::new(what, folder, display, channel, trust, accepted);
    let mut ticks = interval(TICK);
    loop {
        let next = tokio::select! {
            update = connection.next() => match update {
                Ok(update) => receiver.take(update)?,
                Err(ended) => receiver.gone(ended.into())?,
            },
            Some(done) = receiver.running.join_next() => {
                receiver.ended(done.map_err(|error| Error::Local(error.to_string()))?)?
            }
            Some((question, is_yes)) = receiver.questions.answer() => receiver.answered(&question, is_yes)?,
            _ = ticks.tick() => receiver.tick()?,
            () = termination.wait() => return receiver.interrupted(),
        };
        if let GoesOn::No = next {
            return Ok(());
        }
    }
}
