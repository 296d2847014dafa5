//! Chat for a local network: no account, no Internet, no configuration.
//!
//! ARCHITECTURE.md shows how the modules fit; imports go one way, from the bottom of this list up.

pub mod chat;
pub mod cli;
pub mod client;
pub mod clock;
pub mod cluster;
pub mod cluster_files;
pub mod discovery;
pub mod encoding;
pub mod engine;
pub mod files;
pub mod fingerprint;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets/mod.rs"]
pub mod fuzzing;
pub mod limits;
pub mod name;
pub mod pace;
pub mod prompt;
pub mod protocol;
pub mod security;
pub mod server;
pub mod store;
pub mod text;
