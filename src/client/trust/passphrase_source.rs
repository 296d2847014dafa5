//! Where a closed server's passphrase comes from: a file, the server's own directory, or the user at the
//! terminal. The client never stores it.

use std::path::PathBuf;

use crate::client::error::Error;
use crate::client::terminal;
use crate::prompt;
use crate::protocol::Code;
use crate::security::Passphrase;
use crate::text::safe_line;

#[derive(Debug, Clone)]
pub(crate) struct PassphraseSource {
    /// The file that the user named.
    file: Option<PathBuf>,
}

impl PassphraseSource {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// Reads the file that the user named, or otherwise the server's own file `local`, which this user may be
    /// unable to read.
    pub(crate) fn given(&self, local: Option<PathBuf>) -> Result<Option<Passphrase>, Error> {
        match &self.file {
            Some(file) => Passphrase::read(file).map(Some).map_err(|error| Error::Local(error.to_string())),
            None => Ok(local.and_then(|file| Passphrase::read(&file).ok())),
        }
    }

    /// Whether the user named a file: then the server must prove that it knows the passphrase.
    pub(crate) fn is_named(&self) -> bool {
        self.file.is_some()
    }

    /// Asks the user, without showing the input. Fails without a terminal, and on an invalid passphrase.
    pub(crate) async fn ask(&self, server: &str) -> Result<Passphrase, Error> {
        if !terminal::can_ask() {
            let why = crate::client::link::LinkError::PassphraseNeeded.to_string();
            return Err(Error::Refused(why, Some(Code::BadPassphrase)));
        }
        let question = format!("Passphrase of \"{}\": ", safe_line(server));
        // On its own thread, because it waits for a person.
        let typed = tokio::task::spawn_blocking(move || prompt::ask_secret(&question)).await;
        match typed {
            Ok(Ok(Some(text))) => Passphrase::new(&text).map_err(|error| {
                Error::Refused(format!("wrong passphrase: {error}"), Some(Code::BadPassphrase))
            }),
            Ok(Ok(None)) => {
                Err(Error::Refused("you typed no passphrase, so you did not join the server".into(), None))
            }
            Ok(Err(error)) => {
                Err(Error::Local(format!("cannot read a passphrase from the terminal: {error}")))
            }
            Err(error) => Err(Error::Local(format!("cannot ask for the passphrase: {error}"))),
        }
    }
}
