//! Where a closed server's passphrase comes from: a file, the server's own directory, or the user at the
//! terminal. The client never stores it.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::client::error::Error;
use crate::client::terminal;
use crate::files;
use crate::prompt;
use crate::protocol::Code;
use crate::security::Passphrase;
use crate::text::safe_line;

#[derive(Debug, Clone)]
pub(crate) struct PassphraseSource {
    /// The file or pipe that the user named.
    file: Option<PathBuf>,
    /// The passphrase from a pipe, which has it only once.
    from_pipe: Arc<OnceLock<Passphrase>>,
}

impl PassphraseSource {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self { file, from_pipe: Arc::default() }
    }

    /// Reads the file or pipe that the user named, or otherwise the server's own file `local`, which this user may be
    /// unable to read.
    pub(crate) async fn given(&self, local: Option<PathBuf>) -> Result<Option<Passphrase>, Error> {
        let Some(file) = self.file.clone() else {
            return Ok(local.and_then(|file| Passphrase::read(&file).ok()));
        };
        if let Some(read) = self.from_pipe.get() {
            return Ok(Some(read.clone()));
        }
        // On its own thread, because it may wait for another program.
        let read = tokio::task::spawn_blocking(move || Passphrase::read(&file)).await;
        let read = read.map_err(|error| Error::Local(format!("cannot read the passphrase: {error}")))?;
        let read = read.map_err(|error| Error::Local(error.to_string()))?;
        Ok(Some(if self.is_pipe() { self.from_pipe.get_or_init(|| read).clone() } else { read }))
    }

    /// Whether to read may take longer than a server waits.
    pub(crate) fn is_pipe(&self) -> bool {
        self.file.as_deref().is_some_and(|file| files::refuse_odd(file).is_err())
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
