//! Both ends of an encrypted channel, in memory.

use crate::fingerprint::Fingerprint;
use crate::security::{ClientTls, Keypair, ServerChannel, ServerTls};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use std::io::{Read as _, Write as _};
use std::sync::{Arc, LazyLock};

/// Made once, since making keys takes long.
struct Keys {
    server: ServerTls,
    client: Arc<ClientConfig>,
    clients_key: Fingerprint,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let keypair = Keypair::ephemeral().expect("a key");
    let client = Arc::new(ClientTls::trusting_anyone(&keypair).expect("settings"));
    let server = ServerTls::new(&Keypair::ephemeral().expect("a key")).expect("settings");
    Keys { server, client, clients_key: keypair.fingerprint() }
});

/// A server's end that has read nothing.
pub(super) fn server() -> ServerChannel {
    ServerChannel::new(&KEYS.server).expect("settings")
}

/// The key of every [`client`].
pub(super) fn clients_key() -> Fingerprint {
    KEYS.clients_key
}

/// A client's end, straight on the library.
pub(super) struct Client(ClientConnection);

impl Client {
    pub(super) fn new() -> Self {
        let name = ServerName::try_from("lanchat.local").expect("a name");
        Self(ClientConnection::new(KEYS.client.clone(), name).expect("settings"))
    }

    /// The data that it wants to send now.
    pub(super) fn written(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.0.wants_write() {
            self.0.write_tls(&mut bytes).expect("memory");
        }
        bytes
    }

    /// The data with which it says so.
    pub(super) fn say(&mut self, text: &[u8]) -> Vec<u8> {
        self.0.writer().write_all(text).expect("memory");
        self.written()
    }

    /// The text in what it was sent; `None`: it does not take it.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Option<Vec<u8>> {
        while !bytes.is_empty() {
            self.0.read_tls(&mut bytes).ok()?;
            self.0.process_new_packets().ok()?;
        }
        let mut text = Vec::new();
        // An error means that there is nothing more for now.
        let _ = self.0.reader().read_to_end(&mut text);
        Some(text)
    }
}
