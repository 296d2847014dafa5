//! Who is who: which keys servers may have, what this user goes by, and the passphrases of closed servers.

mod identity;
mod local_servers;
mod notices;
mod passphrase_source;
mod policy;

pub(crate) use identity::{Identity, load_key};
pub use local_servers::{PASSPHRASE_FILE, SECRET_FILE};
pub(crate) use notices::{JOIN_NAMESAKE, NOT_VERIFIED, not_joined, proven, twins, unproven};
pub(crate) use passphrase_source::Passphrases;
pub(crate) use policy::{Standing, Trust, expectation, host_name, known_servers};
