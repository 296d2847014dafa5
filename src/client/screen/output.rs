//! Standard output that a program may read.

use std::io;

use crate::client::error::Error;

/// Explains an error of standard output. A reader that has closed it has all that it wanted.
pub(super) fn output_ended(error: &io::Error) -> Result<(), Error> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Error::Local(format!("cannot write to standard output: {error}"))),
    }
}
