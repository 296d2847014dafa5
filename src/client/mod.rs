//! The client: finds a server, joins it, and lets a person or a script talk. It knows no command line, and no
//! server: [`Host`] is how it may start one.
//!
//! Its folders in the order in which they may name each other, from the bottom up: `link` is one connection;
//! `trust` judges its key and has this user's own; `find` looks for servers; `connection` joins one and stays
//! with it; `transfer` carries files; `conversation` handles messages and how they look; `screen` has the ways to use it.

mod background;
mod connection;
mod conversation;
mod error;
mod find;
mod json_lines;
mod link;
mod local_time;
mod options;
mod preferences;
mod screen;
mod shared_state;
mod state_dir;
mod terminal;
pub mod transfer;
mod trust;
mod typed_paths;

pub use error::Error;
pub use find::{
    ChangedKey, Host, Hosting, Inspector, JoinRefusal, PageReport, ProbedServer, Task, Trusted, Untested,
    changed_keys, copies_of, fingerprint_at, own_fingerprint, page_certificate_at, trust,
};
pub use options::ClientOptions;
pub use preferences::{
    NotifyLevel, Preference, PreferenceValue, Preferences, PreferencesFile, PresenceLevel, SETTINGS,
    find_preference, nearest_key,
};
pub use screen::{
    Consent, ReceiveOptions, RememberedNames, SendFileOptions, SendOptions, ServedPage, TailOptions, join,
    json_chat, receive, remembered_names, send, send_file, served_page, servers_joined, status, tail,
};
pub(crate) use terminal::{can_ask, says_yes_here};
pub use trust::{OwnServer, PASSPHRASE_FILE, SECRET_FILE, local_server};
