//! Where a closed server's passphrase comes from: a file, the server's own directory, or the user at
//! the terminal. Nothing of it is kept.

use std::path::PathBuf;

use crate::client::error::Error;
use crate::client::terminal;
use crate::prompt;
use crate::security::Passphrase;
use crate::text::safe_line;

/// The way to the passphrase.
#[derive(Debug, Clone)]
pub(crate) struct PassphraseSource {
    /// The file that the user named.
    file: Option<PathBuf>,
}

impl PassphraseSource {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// The one in the file that the user named, or else in the server's own, `local`.
    ///
    /// # Errors
    /// If the named file cannot be read; the server's own may be what others only may read.
    pub(crate) fn given(&self, local: Option<PathBuf>) -> Result<Option<Passphrase>, Error> {
        match &self.file {
            Some(file) => Passphrase::read(file).map(Some).map_err(|error| Error::Local(error.to_string())),
            None => Ok(local.and_then(|file| Passphrase::read(&file).ok())),
        }
    }

    /// Whether the user named a file, and so means a server that knows what is in it.
    pub(crate) fn is_named(&self) -> bool {
        self.file.is_some()
    }

    /// Asks the user, without showing what is typed.
    ///
    /// # Errors
    /// If nobody can be asked, or what is typed is none.
    pub(crate) async fn ask(&self, server: &str) -> Result<Passphrase, Error> {
        if !terminal::can_ask() {
            let why = crate::client::link::LinkError::PassphraseNeeded.to_string();
            return Err(Error::Refused(why));
        }
        let question = format!("Passphrase of \"{}\": ", safe_line(server));
        // On a thread of its own: it waits for a person.
        let typed = tokio::task::spawn_blocking(move || prompt::ask_secret(&question)).await;
        match typed {
            Ok(Ok(Some(text))) => {
                Passphrase::new(&text).map_err(|error| Error::Refused(format!("no passphrase: {error}")))
            }
            Ok(Ok(None)) => {
                Err(Error::Refused("you typed no passphrase, so you did not join the server".into()))
            }
            Ok(Err(error)) => {
                Err(Error::Local(format!("cannot read a passphrase from the terminal: {error}")))
            }
            Err(error) => Err(Error::Local(format!("cannot ask for the passphrase: {error}"))),
        }
    }
}
