//! The exit statuses, and errors that carry one. Scripts depend on the numbers, so they never change.

use std::fmt;
use std::io;
use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Ok = 0,
    Failure = 1,
    Usage = 2,
    NoServer = 3,
    Disconnected = 4,
    Refused = 5,
    Protocol = 6,
}

impl Exit {
    pub(crate) const ALL: [Self; 7] = [
        Self::Ok,
        Self::Failure,
        Self::Usage,
        Self::NoServer,
        Self::Disconnected,
        Self::Refused,
        Self::Protocol,
    ];

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "Success.",
            Self::Failure => "Any other failure.",
            Self::Usage => "The command line, an environment variable or the config file is wrong.",
            Self::NoServer => "No server was found, or several were found and you chose none.",
            Self::Disconnected => "The server cannot be reached, or the connection was lost.",
            Self::Refused => {
                "The server refused (the name, a ban, too many clients, the passphrase, or the message), \
                 its key has changed, or the recipient did not take the file."
            }
            Self::Protocol => "The program at that address does not speak lanchat's protocol.",
        }
    }

    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error that ends the program, with its exit status.
#[derive(Debug)]
pub(crate) struct ExitError {
    exit: Exit,
    error: anyhow::Error,
    is_verbatim: bool,
}

impl ExitError {
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into(), is_verbatim: false }
    }

    /// Creates an error of several lines, which are printed unchanged.
    pub(crate) fn verbatim(exit: Exit, text: String) -> Self {
        Self { is_verbatim: true, ..Self::new(exit, anyhow::anyhow!(text)) }
    }

    /// Creates a usage error, for options that do not fit together.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, anyhow::anyhow!("{message}"))
    }

    /// Creates an error for a program that has already printed everything.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self::verbatim(exit, String::new())
    }

    /// Says more about an error of one line.
    pub(crate) fn with_hint(self, hint: &str) -> Self {
        if self.is_verbatim { self } else { Self::new(self.exit, anyhow::anyhow!("{self}; {hint}")) }
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.is_verbatim && self.to_string().is_empty()
    }

    pub(crate) fn line(&self) -> String {
        if self.is_verbatim { self.to_string() } else { format!("lanchat: {self}") }
    }

    /// Returns the exit status. A closed pipe is a success, as in `lanchat discover | head -1`: its reader has
    /// what it wanted.
    pub(crate) fn exit(&self) -> Exit {
        let gone = self.error.chain().any(|cause| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        });
        if gone { Exit::Ok } else { self.exit }
    }
}

/// For errors without a status of their own.
impl<E: Into<anyhow::Error>> From<E> for ExitError {
    fn from(error: E) -> Self {
        Self::new(Exit::Failure, error)
    }
}

/// Prints the error and its causes as one line.
impl fmt::Display for ExitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_verbatim {
            return write!(f, "{}", self.error);
        }
        let text = format!("{:#}", self.error);
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        write!(f, "{}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| write!(f, "; {line}"))
    }
}

/// Returns clap's message and tips as one line, without its usage.
pub(crate) fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let mut parts: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        parts.push(line.trim_start_matches("error: ").trim_start_matches("tip: "));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ").replace(":; ", ": ").replace("; [possible values: ", ": use one of [")
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
        let failure = ExitError::from(Err::<(), _>(pipe).context("cannot print").unwrap_err());
        assert_eq!(failure.exit(), Exit::Ok);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(ExitError::from(full).exit(), Exit::Failure);
    }

    #[test]
    fn an_error_is_one_line() {
        let failure = ExitError::new(Exit::Refused, anyhow::anyhow!("first\n\n  second"));
        assert_eq!(failure.to_string(), "first; second");
        assert_eq!(failure.exit(), Exit::Refused);
        assert_eq!(failure.line(), "lanchat: first; second");
        assert_eq!(ExitError::verbatim(Exit::Refused, "first\n  second".into()).line(), "first\n  second");
    }
}
