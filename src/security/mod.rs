//! Who is who: keys and certificates, the encrypted channel, passphrases, and the servers that this
//! user trusts.
//!
//! Knows no sockets and no chat: what comes in are bytes and what goes out are bytes, keys and
//! verdicts. The only place that names `rustls` and its like.

pub mod art;
mod certificate;
mod channel;
mod keys;
mod known;
mod opening;
mod pake;
mod passphrase;
mod process;
mod server_tls;
mod tls_client;

pub use channel::{ChannelError, ServerChannel, Status};
pub use keys::{KeyError, Keypair};
pub use known::{How, KnownServer, KnownServers, Presented, Sought, Unreadable, Verdict, system_dir};
pub use pake::{Answer, Binding, Challenge, WrongPassphrase};
pub use passphrase::{Passphrase, PassphraseError};
pub use process::protect_memory;
pub use server_tls::ServerTls;
pub use tls_client::{ClientStream, ClientTls, Expect, HandshakeError};
