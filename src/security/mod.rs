//! Identity and trust: keys and certificates, the encrypted channel, passphrases, and the servers that a user
//! trusts.
//!
//! Knows no sockets and no chat: takes and returns bytes, keys and verdicts. The only module that names
//! `rustls` and similar crates.

pub mod art;
mod certificate;
mod channel;
mod engine_certificate;
mod keys;
mod known;
mod page_certificate;
mod page_client;
mod pake;
mod passphrase;
mod process;
mod seal;
mod server_tls;
mod sniffing_stream;
mod tls_client;
mod web;
mod web_certificate;

pub use channel::{ChannelError, ServerChannel, Status};
pub use engine_certificate::{EngineAuthority, EngineCertificateError, EngineIdentity};
pub use keys::{KeyError, Keypair};
pub use known::{
    KeyVerdict, KnownServer, KnownServers, Presented, RequestedServer, TrustBasis, Unreadable, system_dir,
    trusted_system_dir,
};
pub use page_certificate::{CertificateChain, CertificateReview, CertificateTime};
pub use page_client::connect_as_browser;
pub use pake::{Binding, Challenge, PakeResponse, WrongPassphrase};
pub use passphrase::{Passphrase, PassphraseError};
pub use process::protect_memory;
pub use seal::{NotSealed, Seal, SecretMarks};
pub use server_tls::{ClientHelloReader, ServerTls, TlsProtocol};
pub use tls_client::{ClientStream, ClientTls, Expect, HandshakeError};
pub use web::{digest_of, is_websocket_key, proven_key, ticket_hash, websocket_accept};
pub use web_certificate::{WebCertificate, WebCertificateError, WebNames};
