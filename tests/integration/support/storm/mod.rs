//! A storm over a real server: members who talk while it is killed and their connections break, and a
//! judge who compares what they hold in the end with what the server kept.
//!
//! Shared by the tests and by `benches/crash`.

pub mod dice;
pub mod doors;
pub mod herald;
pub mod judge;
pub mod line;
pub mod member;
pub mod plan;
pub mod record;
pub mod server;
pub mod wild;
pub mod words;
