//! A handle to a running server in the same process.

use super::hub::Hub;
use super::listener::Admission;
use super::transfer::TransferCounts;
use super::vitals::Vitals;
use crate::chat::Chat;
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::{Ask, Operate, Refusal};
use crate::protocol::{Event, ServerNumbers, WebAccess};
use crate::security::{ServerTls, WebCertificate};
use crate::store::Store;
use std::sync::Arc;

/// For the server's console, and for the client that hosts the server.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) hub: Arc<Hub>,
    code: String,
    pub(super) admission: Admission,
    transfers: Arc<TransferCounts>,
    pub(super) store: Option<Store>,
    pub(super) tls: ServerTls,
    vitals: Vitals,
}

impl Handle {
    /// Names the server to which all clients should move when this one ends.
    pub fn hand_over(&self, to: ServerInfo) {
        self.hub.act(|chat, _, _| chat.hand_over(to));
    }

    pub(super) fn new(
        hub: Arc<Hub>,
        code: String,
        transfers: Arc<TransferCounts>,
        vitals: Vitals,
        (admission, store, tls): (Admission, Option<Store>, ServerTls),
    ) -> Self {
        Self { hub, code, admission, transfers, store, tls, vitals }
    }

    /// The certificate that browsers see; `None`: they are not served.
    pub fn web_certificate(&self) -> Option<WebCertificate> {
        self.tls.web_certificate()
    }

    /// Counts of the files that users send each other.
    pub fn transfers(&self) -> &TransferCounts {
        &self.transfers
    }

    /// Users who are present.
    pub fn users(&self) -> usize {
        self.hub.present()
    }

    /// Whether this server decides what happens in the chat: it is the only one, or leads the others.
    pub fn leads(&self) -> bool {
        self.hub.decides()
    }

    /// How browsers join; `None`: not at all.
    pub fn web_access(&self) -> Option<WebAccess> {
        self.hub.read(Chat::web_access)
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.hub.connections()
    }

    /// The code that makes the first user who types `/op CODE` an operator, within ten minutes of the server's
    /// start.
    pub fn operator_code(&self) -> &str {
        &self.code
    }

    /// Answers a question from the console.
    pub async fn ask(&self, question: &Ask) -> Result<Event, Refusal> {
        self.hub.ask(question).await
    }

    /// Runs an operator's command from the console.
    pub async fn operate(&self, command: &Operate) -> Result<Event, Refusal> {
        self.hub.operate(command).await
    }

    /// Resolves once the reactor has answered: its loop turns, and the hub's lock is free.
    pub async fn answers(&self) {
        // The error is that of a reactor that has ended, with the server.
        if self.hub.probe().await.is_err() {
            std::future::pending().await
        }
    }

    /// The server's own numbers.
    pub async fn numbers(&self) -> ServerNumbers {
        self.vitals.numbers().await
    }
}
