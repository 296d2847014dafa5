//! Standard output that a program may read.

use std::io;

use crate::client::error::Error;

/// What it means that standard output takes no more: a reader that has closed it has what it wanted.
pub(super) fn output_ended(error: &io::Error) -> Result<(), Error> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Error::Local(format!("cannot write to standard output: {error}"))),
    }
}
