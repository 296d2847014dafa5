//! What the user asked of the client.

use std::path::PathBuf;
use std::time::Duration;

use crate::fingerprint::Fingerprint;
use crate::prompt::Screen;

/// What to join, and how.
#[derive(Clone)]
pub struct ClientOptions {
    /// The server's host and port, if it need not be looked for.
    pub host: Option<(String, Option<u16>)>,
    /// Whether multicast sockets may be opened.
    pub discovery: bool,
    /// The name, or the start of the id, of the server to pick.
    pub server: Option<String>,
    /// How long to look for a server.
    pub timeout: Duration,
    /// The user's name, if one was chosen; else it is the login name.
    pub name: Option<String>,
    /// Whether to do without encryption.
    pub plaintext: bool,
    /// The keys that alone will do; any if there are none.
    pub fingerprints: Vec<Fingerprint>,
    /// The file with a closed server's passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// Where servers of this machine keep their data: those that this user may read are their own.
    pub data_dirs: Vec<PathBuf>,
    /// Whether to colour what is shown.
    pub color: bool,
    /// Where the log appears while the prompt is open.
    pub screen: Screen,
}
