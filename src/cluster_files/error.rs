//! Why one of the files is of no use. Each error is one line with its remedy.

use jiff::Timestamp;
use std::io;
use std::path::PathBuf;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum ClusterFileError {
    /// It cannot be read.
    #[error("cannot read the {what} {path}: {error}")]
    Unreadable { what: &'static str, path: PathBuf, error: io::Error },
    /// It is some other file.
    #[error("{path} is not {article} {what}; {remedy}", article = article(what))]
    Other { what: &'static str, path: PathBuf, remedy: &'static str },
    /// Another version of lanchat has made it.
    #[error(
        "the {what} {path} has version {found}, and this lanchat reads version {known}; use the same version of \
         lanchat for all servers of the chat"
    )]
    Version { what: &'static str, path: PathBuf, found: String, known: u32 },
    /// The certificates in it have ended.
    #[error(
        "the certificates in the join file {path} have ended, by this machine's clock ({date}); set the clock if it is wrong, \
         or make new join files with `lanchat cluster new`",
        date = .now.strftime("%Y-%m-%d")
    )]
    Ended { path: PathBuf, now: Timestamp },
    /// A part of it is missing, or wrong.
    #[error("the {what} {path}{at} {why}; {remedy}", at = place(*.line))]
    Wrong { what: &'static str, path: PathBuf, line: Option<usize>, why: String, remedy: &'static str },
}

fn place(line: Option<usize>) -> String {
    line.map_or(String::new(), |line| format!(", line {line},"))
}

fn article(what: &str) -> &'static str {
    if what.starts_with('e') { "an" } else { "a" }
}
