//! Joining a server and staying connected: the hello and what it needs, coming back after a loss, and where in
//! the server's history to go on.

mod address_watch;
mod admission;
mod backoff;
mod credentials;
mod elsewhere;
mod entry;
mod history_position;
mod join_error;
mod next_server;
mod reconnector;
mod register;
mod resume_file;
mod returning;

pub(crate) use address_watch::addresses;
pub(crate) use backoff::Backoff;
pub(crate) use credentials::{Credentials, JoinTerms};
pub(crate) use entry::{Joined, enter, join_first, prepare};
pub(crate) use history_position::{HistoryPosition, Resumption, StartFrom};
pub(crate) use join_error::JoinError;
pub(crate) use reconnector::{Ended, Loss, Reconnector, Up, Update};
pub(crate) use resume_file::FILE as RESUME_FILE;
pub(crate) use returning::LostServer;
