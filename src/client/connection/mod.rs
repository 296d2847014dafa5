//! Joining a server and staying connected: the hello and what it needs, coming back after a loss, and where in
//! the server's history to go on.

mod address_watch;
mod backoff;
mod credentials;
mod entry;
mod history_position;
mod reconnector;
mod register;
mod resume_file;

pub(crate) use address_watch::addresses;
pub(crate) use backoff::Backoff;
pub(crate) use credentials::{Unadmitted, Visitor};
pub(crate) use entry::{Entry, enter, join_at, prepare};
pub(crate) use history_position::{Progress, Return, Start};
pub(crate) use reconnector::{Connection, Up, Update};
pub(crate) use register::Registered;
pub(crate) use resume_file::FILE as RESUME_FILE;
