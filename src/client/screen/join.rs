//! `lanchat`: joins the chat, with a prompt or in plain lines.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use super::file_work::FileWork;
use super::plain;
use super::repl::{Network, Repl};
use crate::client::connection::{
    HistoryPosition, Joined, RESUME_FILE, Reconnector, StartFrom, enter, join_first, prepare,
};
use crate::client::conversation::{Conversation, IGNORED_FILE, IgnoreList, Outlet, Stamp, ViewState};
use crate::client::error::Error;
use crate::client::find::{self, Host, Located, watch_look_alikes};
use crate::client::options::ClientOptions;
use crate::client::shared_state::SharedState;
use crate::client::state_dir::state_dir;
use crate::client::terminal::{answer, can_ask, tell};
use crate::client::trust::UserIdentity;
use crate::name::Name;
use crate::prompt;
use crate::protocol::request::Mode;

/// Joins the chat: with a prompt at a terminal, otherwise in plain lines. `host` starts a server in this
/// process if the client finds none and the user wants it.
///
/// # Errors
/// See [`Error`]. It is not an error if the user leaves.
pub async fn join(options: ClientOptions, host: Arc<dyn Host>) -> Result<(), Error> {
    // A program that reads the output does not want again what was said before.
    let position = match io::stdout().is_terminal() {
        true => HistoryPosition::new(StartFrom::Newest, state_dir().map(|dir| dir.join(RESUME_FILE))),
        false => HistoryPosition::new(StartFrom::Now, None),
    };
    match prompt::is_available() && !options.plain {
        true => at_the_prompt(options, host, position).await,
        false => in_plain_lines(&options, position).await,
    }
}

async fn in_plain_lines(options: &ClientOptions, position: HistoryPosition) -> Result<(), Error> {
    let joined = enter(options, Mode::Chat, position.clone()).await?;
    let me = joined.registered.welcome.name.clone();
    let mut view = ViewState::new(me, options.color, options.preferences.clone(), Stamp::Time);
    let has_reader = io::stdout().is_terminal();
    if has_reader {
        view.outlet = Outlet::Lines;
    }
    let mut conversation = Conversation::new(view, SharedState::default(), &joined.credentials)
        .keeping(options.preferences_file.clone());
    if has_reader {
        conversation.ignore_these(ignored());
    }
    // A person types commands. The lines of a log may look like some.
    let has_commands = options.commands || io::stdin().is_terminal();
    let files = FileWork::new(joined.credentials.clone());
    let result =
        plain::run(Reconnector::staying(Mode::Chat, joined), conversation, files, has_commands).await;
    position.save();
    result
}

/// The users whom this user ignores.
fn ignored() -> IgnoreList {
    IgnoreList::load(state_dir().map(|dir| dir.join(IGNORED_FILE)))
}

/// Asks for a name if the program had to make one up. Returns false if the user wants to leave.
async fn ask_name(identity: &mut UserIdentity) -> bool {
    while identity.is_name_made_up && can_ask() {
        let usual = identity.name();
        let Some(answer) = answer(&format!("Your name for the chat? [{usual}] ")).await else {
            anstream::eprintln!();
            return false;
        };
        // The rest of a paste must not become messages.
        prompt::forget_typed();
        match answer.trim() {
            "" => identity.answer(usual),
            name => match Name::new(name) {
                Ok(name) => identity.answer(name),
                Err(error) => tell(&error.to_string()),
            },
        }
    }
    true
}

async fn at_the_prompt(
    options: ClientOptions,
    host: Arc<dyn Host>,
    position: HistoryPosition,
) -> Result<(), Error> {
    let (locator, mut credentials) = prepare(&options, position)?;
    if !ask_name(&mut credentials.identity).await {
        return Ok(());
    }
    let (registered, located) = match find::first_look(&locator).await? {
        Located::One(reached) => {
            (Some(join_first(&locator, &credentials, *reached, Mode::Chat, false).await?), None)
        }
        located => (None, Some(located)),
    };
    let me =
        registered.as_ref().map_or(credentials.identity.name().to_string(), |one| one.welcome.name.clone());
    let roster = SharedState::default();
    let view = ViewState::new(me, options.color, options.preferences.clone(), Stamp::Time);
    let mut conversation =
        Conversation::new(view, roster.clone(), &credentials).keeping(options.preferences_file.clone());
    conversation.ignore_these(ignored());
    // The known server is joined as soon as it answers, before others with its name can be heard of.
    let look_alikes = registered.as_ref().filter(|_| locator.searches()).and_then(|one| {
        let key = one.link.key()?;
        let is_news = !one.namesakes_are_told && credentials.trust.lock().was_known(key);
        Some(watch_look_alikes(is_news.then(|| one.welcome.server.name.clone()), key))
    });
    let connection = registered.map(|registered| {
        Reconnector::start(Joined { registered, credentials: credentials.clone(), locator: locator.clone() })
    });
    let network = Network { locator, credentials, host, hosting: None, look_alikes, rivals: None };
    Repl::open(conversation, connection, network, roster, &options)?.run(located).await
}
