//! The keys that servers may have, this user's own identity, and the passphrases of closed servers.

mod identity;
mod local_servers;
mod notices;
mod passphrase_source;
mod policy;
mod verified_users;

pub(crate) use identity::{KeySource, UserIdentity, UserKey, load_key};
pub use local_servers::{OwnServer, PASSPHRASE_FILE, SECRET_FILE, local_server};
pub(crate) use notices::{
    JOIN_NAMESAKE, NOT_VERIFIED, NOT_VERIFIED_BRIEFLY, namesakes, not_joined, proven, unproven,
};
pub(crate) use passphrase_source::PassphraseSource;
pub(crate) use policy::{LinkSecurity, TrustPolicy, expectation, host_name, known_servers, verdict};
pub(crate) use verified_users::{VerifiedUser, VerifiedUsers};
