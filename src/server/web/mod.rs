//! Browsers: the page over HTTP, and the way to a WebSocket, which is a connection like others.
//!
//! All of this happens in the task of the handshake, with its place at the gate and within deadlines. Only a connection
//! whose browser has said who it is goes to the reactor. Bytes of HTTP never reach the chat, and bytes of the chat's own
//! protocol are never read as HTTP: the first byte decides, and in TLS the name of the protocol (ALPN).

mod entry;
mod files;
mod head;
mod hosts;
mod identity;
mod response;
mod setup;
mod siblings;
mod stream;

pub(super) use entry::enter;
#[cfg(any(test, fuzzing))]
pub(super) use head::parse_head;
pub(super) use setup::server_tls;

use super::options::ServerOptions;
use super::transport::Transport;
use crate::protocol::packet::ServerInfo;
use crate::protocol::{Code, WebAccess};
use crate::security::ServerTls;
use hosts::{WebHosts, is_own_origin};
use siblings::Siblings;

/// How this server treats browsers.
#[derive(Debug)]
pub(super) struct WebDoor {
    /// `None`: they only learn that there is nothing for them.
    mode: Option<WebAccess>,
    hosts: WebHosts,
    /// The server's.
    id: String,
    siblings: Siblings,
}

impl WebDoor {
    pub(super) fn of(options: &ServerOptions, info: &ServerInfo, tls: &ServerTls) -> Self {
        let hosts = WebHosts::new(options.web.as_ref().map_or(&[][..], |web| &web.hosts));
        let (mode, siblings) = (options.web.as_ref().map(|web| web.mode), Siblings::of(options, &info.id));
        Self { siblings, ..Self::new(mode, hosts.certified_by(tls.clone()), info.id.clone()) }
    }

    fn new(mode: Option<WebAccess>, hosts: WebHosts, id: String) -> Self {
        Self { mode, hosts, id, siblings: Siblings::default() }
    }

    /// Whether a page of this origin may open a WebSocket: this server's own, or one of another server of its chat.
    fn is_for(&self, origin: &str, is_encrypted: bool, host: &str) -> bool {
        let is_named = |name: &str| self.hosts.are_given(name);
        is_own_origin(origin, is_encrypted, host) || self.siblings.serve(origin, is_encrypted, is_named)
    }
}

/// Why a browser's connection has ended before a session began.
pub(super) enum WebEnd {
    /// It has its answer, or is gone.
    Done,
    /// It sent nothing that browsers send.
    Garbage,
    /// It began a request and did not end it.
    Slow,
    /// Its address or network asks for too much.
    Busy,
    /// After the upgrade.
    Refused(Transport, Code, String),
}

/// A browser that has said who it is.
pub(super) struct WebCaller {
    pub(super) transport: Transport,
    /// Lines that came after that.
    pub(super) rest: Vec<u8>,
    /// Whether the peer has closed its side.
    pub(super) is_all: bool,
}
