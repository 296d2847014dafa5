//! The user's choices for the client.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::preferences::{Preferences, PreferencesFile};
use super::terminal;
use crate::fingerprint::Fingerprint;
use crate::prompt::Screen;

/// Which server to join, and how.
#[derive(Clone)]
pub struct ClientOptions {
    /// The server's host and port; `None`: search for it.
    pub host: Option<(String, Option<u16>)>,
    /// Whether the client may open multicast sockets.
    pub discovery: bool,
    /// The name, or the start of the id, of the server to pick.
    pub server: Option<String>,
    /// How long to look for a server.
    pub timeout: Duration,
    /// The user's name; `None`: the login name.
    pub name: Option<String>,
    /// The file with the user's key; `None`: the usual one.
    pub key_file: Option<PathBuf>,
    /// Whether to own no name.
    pub guest: bool,
    /// Whether to connect without encryption.
    pub plaintext: bool,
    /// The only acceptable keys; any key if the list is empty.
    pub fingerprints: Vec<Fingerprint>,
    /// The file with a closed server's passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// Data directories of servers on this machine. The user owns those that the user may read.
    pub data_dirs: Vec<PathBuf>,
    /// Whether lines from a pipe that start with a slash are commands.
    pub commands: bool,
    /// Whether to use colours.
    pub color: bool,
    /// How the chat looks, and when it notifies the user.
    pub preferences: Preferences,
    /// Where changes of the preferences go; `None`: they last for this run.
    pub preferences_file: Option<Arc<dyn PreferencesFile>>,
    /// Whether to print nothing besides errors and what was asked for.
    pub quiet: bool,
    /// Whether to chat in plain lines even where a prompt is possible.
    pub plain: bool,
    /// Where the log appears while the prompt is open.
    pub screen: Screen,
}

impl ClientOptions {
    /// Tells the user something that is not a part of the output.
    pub(super) fn note(&self, line: &str) {
        if !self.quiet {
            terminal::tell(line);
        }
    }
}

#[cfg(test)]
impl ClientOptions {
    /// The options of a client that connects to nothing.
    pub(super) fn in_test() -> Self {
        Self {
            host: None,
            discovery: false,
            server: None,
            timeout: Duration::from_secs(1),
            name: None,
            key_file: None,
            guest: false,
            plaintext: true,
            fingerprints: Vec::new(),
            passphrase_file: None,
            data_dirs: Vec::new(),
            commands: false,
            color: false,
            preferences: Preferences::default(),
            preferences_file: None,
            quiet: true,
            plain: false,
            screen: Screen::new(),
        }
    }
}
