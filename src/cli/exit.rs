//! How the program ends: the exit statuses, and errors that carry one.
//!
//! Scripts depend on the numbers; they never change meaning.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// An exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It worked.
    Ok = 0,
    /// Something else failed.
    Failure = 1,
    /// The command line, an environment variable or the config file is wrong.
    Usage = 2,
    /// No server was found, or several and none was chosen.
    NoServer = 3,
    /// The server cannot be reached, or the connection was lost.
    Disconnected = 4,
    /// The server refused: the name, a ban, no room, or the message.
    Refused = 5,
    /// The other side does not speak the protocol.
    Protocol = 6,
}

impl Exit {
    /// Every status, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Failure,
        Self::Usage,
        Self::NoServer,
        Self::Disconnected,
        Self::Refused,
        Self::Protocol,
    ];

    /// What the status means, for the man page.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "It worked.",
            Self::Failure => "Another failure than those below.",
            Self::Usage => "The command line, an environment variable or the config file is wrong.",
            Self::NoServer => "No server was found, or several were and none was chosen.",
            Self::Disconnected => "The server cannot be reached, or the connection was lost.",
            Self::Refused => {
                "The server refused (the name, a ban, too many clients, the passphrase, or the message), \
                 or its key was refused."
            }
            Self::Protocol => "The other side does not speak the protocol.",
        }
    }

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error together with the status that the program ends with.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: anyhow::Error,
    /// Whether the text is to be shown as it is, lines and all.
    is_whole: bool,
}

impl Failure {
    /// An error that ends the program with `exit`.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into(), is_whole: false }
    }

    /// What cannot be told in one line: `text` is shown as it is.
    pub fn told(exit: Exit, text: String) -> Self {
        Self { is_whole: true, ..Self::new(exit, anyhow::anyhow!(text)) }
    }

    /// A wrong command line that only shows once several options are seen together.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, anyhow::anyhow!("{message}"))
    }

    /// The end of a program that has said all there is to say.
    pub fn silent(exit: Exit) -> Self {
        Self::told(exit, String::new())
    }

    /// Whether there is nothing left to say.
    pub fn is_silent(&self) -> bool {
        self.is_whole && self.to_string().is_empty()
    }

    /// What is printed: the error, with whose it is unless it is to be shown as it is.
    pub fn line(&self) -> String {
        if self.is_whole { self.to_string() } else { format!("lanchat: {self}") }
    }

    /// The status to end with. A reader that went away (`lanchat discover | head -1`) is success:
    /// it has what it wanted.
    pub fn exit(&self) -> Exit {
        let gone = self.error.chain().any(|cause| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        });
        if gone { Exit::Ok } else { self.exit }
    }
}

/// Everything that no status of its own was chosen for.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(Exit::Failure, error)
    }
}

/// One line: the error and its causes.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole {
            return write!(f, "{}", self.error);
        }
        let text = format!("{:#}", self.error);
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        write!(f, "{}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| write!(f, "; {line}"))
    }
}

/// clap's message without its paragraphs: what is wrong, and tips.
pub fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let mut parts: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        parts.push(line.trim_start_matches("error: ").trim_start_matches("tip: "));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ").replace(":; ", ": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn statuses_are_their_places_in_the_list() {
        for (place, exit) in Exit::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(exit.code()), place);
        }
    }

    #[test]
    fn a_broken_pipe_is_success_however_deep_it_lies() {
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        let failure = Failure::from(Err::<(), _>(pipe).context("cannot print").unwrap_err());
        assert_eq!(failure.exit(), Exit::Ok);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(Failure::from(full).exit(), Exit::Failure);
    }

    #[test]
    fn an_error_is_one_line() {
        let failure = Failure::new(Exit::Refused, anyhow::anyhow!("first\n\n  second"));
        assert_eq!(failure.to_string(), "first; second");
        assert_eq!(failure.exit(), Exit::Refused);
        assert_eq!(failure.line(), "lanchat: first; second");
        assert_eq!(Failure::told(Exit::Refused, "first\n  second".into()).line(), "first\n  second");
    }
}
