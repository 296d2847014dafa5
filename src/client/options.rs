//! The user's choices for the client.

use std::path::PathBuf;
use std::time::Duration;

use super::preferences::Preferences;
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
    /// Whether to connect without encryption.
    pub plaintext: bool,
    /// The only acceptable keys; any key if the list is empty.
    pub fingerprints: Vec<Fingerprint>,
    /// The file with a closed server's passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// Data directories of servers on this machine. The user owns those that the user may read.
    pub data_dirs: Vec<PathBuf>,
    /// Whether to use colours.
    pub color: bool,
    /// How the chat looks and calls.
    pub preferences: Preferences,
    /// Where the log appears while the prompt is open.
    pub screen: Screen,
}
