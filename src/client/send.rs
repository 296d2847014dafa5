//! `lanchat send`: one message, its receipt, and nothing else.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::time::Duration;

use anstream::eprintln;
use tokio::time::timeout;

use super::Options;
use super::error::Error;
use super::link::{Link, LinkError};
use super::register::Registered;
use crate::limits::MAX_TEXT_BYTES;
use crate::protocol::request::Mode;
use crate::protocol::{Event, Packet, Request, Target};
use crate::text::safe_lines;

/// How long the receipt may take.
const RECEIPT_WAIT: Duration = Duration::from_secs(10);

/// The message's `id`.
const ID: &str = "send";

/// Sends `text` to `to`: a name, an address or `all`. `-` or no text reads it from standard input,
/// which then must not be a terminal unless it was asked for. Returns once the server has it; what
/// the server answers to a command (`to` is `server`) goes to standard output.
///
/// # Errors
/// See [`Error`]; a message that the server refuses is [`Error::Refused`] with the server's words.
pub async fn send(options: Options, to: &str, text: Option<String>) -> Result<(), Error> {
    let msg = message(text)?;
    let Registered { link, welcome, taken, .. } = super::enter(&options, None, Mode::Send).await?.registered;
    if let Some(taken) = taken {
        eprintln!("the name {taken} is taken; the message is from {}", welcome.name);
    }
    let packet = Request::Chat { to: Target::parse(to), msg, action: false }.to_packet(Some(ID.into()));
    let receipt = timeout(RECEIPT_WAIT, deliver(link, packet)).await;
    let answer = receipt
        .unwrap_or(Err(LinkError::Silent))
        .map_err(|error| Error::from_link("the message may not have been delivered", &error))?;
    answer.map_or(Ok(()), |text| print(&text))
}

/// The server's words, if it has answered with more than a receipt.
async fn deliver(link: Link, packet: Packet) -> Result<Option<String>, LinkError> {
    let (mut reader, mut writer) = link.split();
    writer.send(&packet).await?;
    let answer = loop {
        let packet = reader.next().await?;
        let is_answer = packet.id.as_deref() == Some(ID);
        let words = packet.msg.clone();
        match Event::from_packet(packet) {
            Event::Error { code, msg, name } => return Err(LinkError::Refused { code, msg, free: name }),
            Event::Bye { code, msg } => return Err(LinkError::Refused { code, msg, free: None }),
            Event::Sent { .. } if is_answer => break None,
            _ if is_answer => break Some(words),
            _ => {}
        }
    };
    writer.finish().await;
    Ok(answer)
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
