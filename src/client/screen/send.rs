//! `lanchat send`: sends one message, waits for its receipt and ends. If the link breaks before the receipt,
//! sends the message again over a new one, under the same id.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::output::{json_line, output_ended};
use crate::client::connection::{
    Backoff, HistoryPosition, JoinError, JoinTerms, Joined, LostServer, StartFrom, enter,
};
use crate::client::conversation::PacketIds;
use crate::client::error::Error;
use crate::client::link::{LinkError, ServerLink};
use crate::client::options::ClientOptions;
use crate::encoding;
use crate::limits::MAX_TEXT_BYTES;
use crate::protocol::request::{Act, Mode};
use crate::protocol::{Code, Event, Request, Target};
use crate::text::{escape_json, safe_line, safe_lines};

/// How long the receipt may take, over however many links.
const RECEIPT_WAIT: Duration = Duration::from_secs(10);

/// How a user who is not an operator can give an operator's command.
const AS_OPERATOR: &str =
    "; the user who runs the server may do it on the server's machine, with the server's --data-dir";

/// A message, and its recipient.
#[derive(Debug, Clone)]
pub struct SendOptions {
    /// A name, a room, an address, `all` or `server`.
    pub to: String,
    /// The message. `None` or `-`: read it from standard input; only `-` reads from a terminal.
    pub text: Option<String>,
    /// Whether to join the room first, which creates it.
    pub join: bool,
    /// Whether to print the receipt or the error as one line of JSON.
    pub json: bool,
}

/// The server's answer: the receipt of a message, or the answer to a command.
struct ServerAnswer {
    event: Event,
    /// The answer in words.
    words: String,
    /// Notices that came before, such as that the server does not keep the name.
    notes: Vec<String>,
}

/// Sends a message. Returns once the server has it; an answer to a command goes to standard output.
///
/// # Errors
/// See [`Error`]; if the server refuses the message, [`Error::Refused`] with the server's words.
pub async fn send(options: ClientOptions, what: SendOptions) -> Result<(), Error> {
    let is_json = what.json;
    let sent = send_once(&options, what).await;
    if let (true, Err(error)) = (is_json, &sent) {
        let packet = json!({ "type": "error", "code": error.code(), "msg": error.to_string() });
        print(&escape_json(&packet.to_string()))?;
    }
    sent
}

async fn send_once(options: &ClientOptions, what: SendOptions) -> Result<(), Error> {
    let SendOptions { to, text, join, json } = what;
    let to = Target::parse(&to);
    let join = match &to {
        Target::Room(room) if join => Some(Act::Join { room: room.clone() }),
        _ if join => return Err(Error::Usage("--join needs a room: name it with --room".into())),
        _ => None,
    };
    let msg = message(text)?;
    let joined = enter(options, Mode::Send, HistoryPosition::new(StartFrom::Now, None)).await?;
    let welcome = &joined.registered.welcome;
    if let Some(taken) = &joined.registered.taken {
        options.note(&format!("the name {taken} is taken; the message is from {}", welcome.name));
    }
    let (me, server) = (welcome.name.clone(), safe_line(&welcome.server.name));
    let needs_operator = to == Target::Server && !welcome.operator;
    let recipient = match &to {
        Target::All => "everyone".to_owned(),
        to => safe_line(&to.to_string()),
    };
    let is_command = to == Target::Server;
    let trust = joined.credentials.trust.clone();
    let chat = Act::Chat { to, msg, action: false, reply: None };
    let outcome = timeout(RECEIPT_WAIT, deliver(joined, join, chat)).await;
    let outcome = outcome.unwrap_or(Err(JoinError::Link(LinkError::Silent))).map_err(|error| {
        let not_allowed =
            matches!(error, JoinError::Link(LinkError::Refused { code: Some(Code::NotAllowed), .. }));
        match error.explain("the message may not have been delivered", &trust.lock()) {
            Error::Refused(text, code) if not_allowed && needs_operator => {
                Error::Refused(text + AS_OPERATOR, code)
            }
            Error::Refused(text, Some(code)) => Error::Refused(for_command_line(&text, code), Some(code)),
            other => other,
        }
    })?;
    outcome.notes.iter().for_each(|note| options.note(&safe_line(note)));
    if json {
        return print(json_line(&outcome.event, &me).trim_end());
    }
    let Event::Sent { waits, stored, away, .. } = outcome.event else {
        return print(&safe_lines(&outcome.words).join("\n"));
    };
    if is_command {
        return print("the server has carried out the command");
    }
    if io::stderr().is_terminal() {
        options.note(&format!("sent to {recipient} on {server}"));
    }
    if let Some(name) = waits {
        options.note(&format!("{} is offline; the message waits for them", safe_line(&name)));
    }
    if let Some(absent) = away {
        options.note(&safe_line(&absent.to_string()));
    }
    if !stored {
        options
            .note("the server passed the message on but could not store it: users who are offline miss it");
    }
    Ok(())
}

/// A refusal without what only the prompt's commands could remedy.
pub(super) fn for_command_line(text: &str, code: Code) -> String {
    let remedy = match code {
        Code::NoSuchRoom => "check --room, or create the room with --join",
        Code::NoSuchUser => "check --to",
        _ => return text.to_owned(),
    };
    match text.find(" /") {
        Some(at) => format!("{}; {remedy}", text[..at].trim_end_matches(';')).replace("?;", "?"),
        None => text.to_owned(),
    }
}

fn print(text: &str) -> Result<(), Error> {
    let written = writeln!(io::stdout().lock(), "{text}");
    written.or_else(|error| output_ended(&error))
}

/// Sends the message until the server has answered. Only a server that keeps messages recognises one that comes
/// again; any other gets it once.
async fn deliver(joined: Joined, join: Option<Act>, message: Act) -> Result<ServerAnswer, JoinError> {
    let Joined { mut registered, credentials, locator } = joined;
    let id = PacketIds::new().next();
    let mut frames = join.map(|join| Request::Act(join).to_frame(None)).unwrap_or_default();
    frames.extend(Request::Act(message).to_frame(Some(&id)));
    let needs_name = credentials.identity.is_name_chosen;
    let terms = JoinTerms { needs_name, ..JoinTerms::returning(Mode::Send) };
    loop {
        let lost = LostServer::of(&registered, None);
        let keeps_messages = registered.welcome.log.is_some();
        let error = match try_to_deliver(registered.link, &frames, &id).await {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error,
        };
        let is_lost = match &error {
            LinkError::Lost(_) => true,
            LinkError::Refused { code: Some(Code::ServerFull), .. } => !lost.is_alone(),
            _ => false,
        };
        if !keeps_messages || !is_lost {
            return Err(error.into());
        }
        tracing::debug!("sending again: {}", safe_line(&error.to_string()));
        let next = match lost.go_on(&locator, &credentials, terms).await? {
            Some(next) => Some(next),
            None => lost.come_back(&locator, &credentials, terms, &mut Backoff::default()).await?,
        };
        registered = next.ok_or(LinkError::Silent)?;
    }
}

async fn try_to_deliver(link: ServerLink, frames: &[u8], id: &str) -> Result<ServerAnswer, LinkError> {
    let (mut reader, mut writer) = link.split();
    let mut notes = Vec::new();
    writer.send(frames).await?;
    let outcome = loop {
        let packet = reader.next().await?;
        let is_answer = packet.id.as_deref() == Some(id);
        let words = packet.msg.clone();
        match Event::from_packet(packet) {
            Event::Error { code: Some(Code::ShuttingDown), msg, .. }
            | Event::Bye { code: Some(Code::ShuttingDown), msg, .. } => return Err(LinkError::Lost(msg)),
            Event::Error { code, msg, name } => return Err(LinkError::Refused { code, msg, free: name }),
            Event::Bye { code, msg, .. } => return Err(LinkError::Refused { code, msg, free: None }),
            event if is_answer => break ServerAnswer { event, words, notes },
            Event::Notice(note) => notes.push(note),
            _ => {}
        }
    };
    writer.finish().await;
    Ok(outcome)
}

/// The text to send: the argument, or standard input without its last line end.
fn message(text: Option<String>) -> Result<String, Error> {
    let text = match text {
        Some(text) if text != "-" => text,
        None if io::stdin().is_terminal() => {
            return Err(Error::Usage(
                "nothing to send; give a text, or - to read it from standard input".into(),
            ));
        }
        _ => read_input()?,
    };
    match text.trim_end() {
        "" => Err(Error::Usage("the message is empty; give it some text".into())),
        text if text.len() > MAX_TEXT_BYTES => Err(too_long()),
        text => Ok(text.to_owned()),
    }
}

fn read_input() -> Result<String, Error> {
    let mut bytes = Vec::new();
    // In UTF-16, a line end of two characters takes four times as much as in the message.
    let most = 4 * MAX_TEXT_BYTES;
    let read = io::stdin().lock().take(most as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::Local(format!("cannot read the message from standard input: {error}")))?;
    if bytes.len() > most {
        return Err(too_long());
    }
    let text = encoding::decode(&bytes).map(|(text, _)| text);
    text.map_err(|error| Error::Usage(format!("not sent: {error}; convert it to UTF-8")))
}

fn too_long() -> Error {
    Error::Usage(format!("the message exceeds the server's limit of {MAX_TEXT_BYTES} bytes; split it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_options_not_commands() {
        let text =
            "the server refused: there is no room #nope; /rooms lists all rooms, /join #nope creates it";
        assert_eq!(
            for_command_line(text, Code::NoSuchRoom),
            "the server refused: there is no room #nope; check --room, or create the room with --join"
        );
        let text = "no user is called \"bo\", here or away; did you mean bob? /users lists who is here";
        assert_eq!(
            for_command_line(text, Code::NoSuchUser),
            "no user is called \"bo\", here or away; did you mean bob? check --to"
        );
    }
}
