//! `lanchat send`: one message, its receipt, and nothing else. A link that breaks before the receipt is
//! replaced, and the message sent again under its id.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::time::Duration;

use anstream::eprintln;
use tokio::time::{sleep, timeout};

use crate::client::connection::Backoff;
use crate::client::connection::Registered;
use crate::client::connection::{Entry, enter};
use crate::client::connection::{Progress, Start};
use crate::client::connection::{Unadmitted, Visitor};
use crate::client::conversation::Ids;
use crate::client::error::Error;
use crate::client::find::Locator;
use crate::client::link::{Link, LinkError};
use crate::client::options::Options;
use crate::limits::MAX_TEXT_BYTES;
use crate::protocol::request::{Act, Mode};
use crate::protocol::{Code, Event, Request, Target};
use crate::text::{safe_line, safe_lines};

/// How long the receipt may take, over however many links.
const RECEIPT_WAIT: Duration = Duration::from_secs(10);

/// What an operator's command needs besides, of whoever is no operator by their own key.
const AS_OPERATOR: &str =
    "; on the server's machine, its own user may do it: give the --data-dir that the server has";

/// What the server has made of the message.
enum Outcome {
    /// It has it.
    Taken {
        /// Who is away, so that it waits for them.
        waits: Option<String>,
        /// Whether it could be stored.
        stored: bool,
    },
    /// It was a command, and this is the answer.
    Answered(String),
}

/// Sends `text` to `to`: a name, a room, an address or `all`. `-` or no text reads it from standard
/// input, which then must not be a terminal unless it was asked for. Returns once the server has it;
/// what the server answers to a command (`to` is `server`) goes to standard output.
///
/// # Errors
/// See [`Error`]; a message that the server refuses is [`Error::Refused`] with the server's words.
pub async fn send(options: Options, to: &str, text: Option<String>) -> Result<(), Error> {
    let msg = message(text)?;
    let entry = enter(&options, Mode::Send, Progress::new(Start::Now, None)).await?;
    let Entry { registered, visitor, locator, .. } = entry;
    if let Some(taken) = &registered.taken {
        eprintln!("the name {taken} is taken; the message is from {}", registered.welcome.name);
    }
    let id = Ids::new().next();
    let to = Target::parse(to);
    let (is_for_server, is_operator) = (to == Target::Server, registered.welcome.operator);
    let frame = Request::Act(Act::Chat { to, msg, action: false }).to_frame(Some(&id));
    let courier = Courier { visitor: Visitor { can_be_asked: false, ..visitor }, locator, frame, id };
    let outcome = timeout(RECEIPT_WAIT, courier.deliver(registered)).await;
    let outcome = outcome.unwrap_or(Err(LinkError::Silent)).map_err(|error| {
        let is_command =
            matches!(error, LinkError::Refused { code: Some(Code::NotAllowed), .. }) && is_for_server;
        match Error::from_link("the message may not have been delivered", &error) {
            Error::Refused(text) if is_command && !is_operator => Error::Refused(text + AS_OPERATOR),
            other => other,
        }
    })?;
    match outcome {
        Outcome::Answered(text) => print(&text),
        Outcome::Taken { waits, stored } => {
            if let Some(name) = waits {
                eprintln!("{} is away; the message waits for them", safe_line(&name));
            }
            if !stored {
                eprintln!("the message was passed on and not stored: whoever is away misses it");
            }
            Ok(())
        }
    }
}

/// A message on its way.
struct Courier {
    visitor: Visitor,
    locator: Locator,
    frame: Vec<u8>,
    id: String,
}

impl Courier {
    /// Sends it until the server has answered. Another server than one that keeps messages would not
    /// know it again, and is sent it once.
    async fn deliver(&self, mut registered: Registered) -> Result<Outcome, LinkError> {
        loop {
            let Registered { link, welcome, .. } = registered;
            let error = match self.try_to_deliver(link).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            if welcome.log.is_none() || !matches!(error, LinkError::Lost(_)) {
                return Err(error);
            }
            tracing::debug!("sending again: {}", safe_line(&error.to_string()));
            registered = self.come_back(&welcome.server.id).await?;
        }
    }

    async fn try_to_deliver(&self, link: Link) -> Result<Outcome, LinkError> {
        let (mut reader, mut writer) = link.split();
        writer.send(&self.frame).await?;
        let outcome = loop {
            let packet = reader.next().await?;
            let is_answer = packet.id.as_deref() == Some(self.id.as_str());
            let words = packet.msg.clone();
            match Event::from_packet(packet) {
                Event::Error { code: Some(Code::ShuttingDown), msg, .. }
                | Event::Bye { code: Some(Code::ShuttingDown), msg, .. } => return Err(LinkError::Lost(msg)),
                Event::Error { code, msg, name } => return Err(LinkError::Refused { code, msg, free: name }),
                Event::Bye { code, msg, .. } => return Err(LinkError::Refused { code, msg, free: None }),
                Event::Sent { waits, stored, .. } if is_answer => break Outcome::Taken { waits, stored },
                _ if is_answer => break Outcome::Answered(words),
                _ => {}
            }
        };
        writer.finish().await;
        Ok(outcome)
    }

    /// A new link to the same server, however long that takes.
    async fn come_back(&self, id: &str) -> Result<Registered, LinkError> {
        let mut backoff = Backoff::default();
        loop {
            sleep(backoff.next_pause()).await;
            let admitted = match self.locator.again(id).await {
                Ok(link) => self.visitor.admit(link, "", false, Mode::Send).await,
                Err(error) => Err(Unadmitted::Link(error)),
            };
            match admitted {
                Ok(registered) => return Ok(registered),
                Err(Unadmitted::Link(error @ LinkError::WrongKey { .. })) => return Err(error),
                Err(error) if !error.is_final() => {}
                Err(Unadmitted::Link(error)) => return Err(error),
                Err(Unadmitted::Here(error)) => {
                    return Err(LinkError::Refused { code: None, msg: error.to_string(), free: None });
                }
            }
        }
    }
}

fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{}", safe_lines(text).join("\n")) {
        // Whoever read our output has what they wanted.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Local(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The text to send: the argument, or standard input without its last line end.
fn message(text: Option<String>) -> Result<String, Error> {
    let text = match text {
        Some(text) if text != "-" => text,
        None if io::stdin().is_terminal() => {
            return Err(Error::Usage("there is nothing to send; give the text, or - to type it".into()));
        }
        _ => read_input()?,
    };
    match text.trim_end() {
        "" => Err(Error::Usage("the message is empty; give it some text".into())),
        text if text.len() > MAX_TEXT_BYTES => Err(Error::Usage(format!(
            "the message has more bytes than the {MAX_TEXT_BYTES} that a server takes; send it in parts"
        ))),
        text => Ok(text.to_owned()),
    }
}

fn read_input() -> Result<String, Error> {
    let mut bytes = Vec::new();
    // Twice the bound is enough to know that it is too long, even with blanks at its end.
    let read = io::stdin().lock().take(2 * MAX_TEXT_BYTES as u64).read_to_end(&mut bytes);
    read.map_err(|error| Error::Local(format!("cannot read the message from standard input: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
