//! This session as the server describes it: in the welcome, and in events that change it.

use super::Conversation;
use crate::fingerprint::Fingerprint;
use crate::limits::MAX_TEXT_BYTES;
use crate::protocol::WebAccess;
use crate::protocol::event::Welcome;
use crate::protocol::packet::{Sender, ServerInfo};

#[derive(Debug)]
pub(super) struct SessionInfo {
    pub(super) server: ServerInfo,
    /// The server's name within its chat.
    pub(super) node: Option<String>,
    /// Whether the server stores messages, and so recognises one that comes twice.
    pub(super) keeps: bool,
    pub(super) ip: String,
    /// This user's key, as the server knows it.
    pub(super) key: Option<Fingerprint>,
    /// The longest text that the server accepts, in bytes.
    pub(super) text_bytes: usize,
    /// Users who are online, by the latest news.
    pub(super) total: usize,
    pub(super) closed: bool,
    /// How browsers join; `None`: the server does not serve them.
    pub(super) web: Option<WebAccess>,
    pub(super) operator: bool,
    /// Why messages are not stored, as the client has told the user; `None`: they are.
    pub(super) trouble: Option<String>,
}

impl Default for SessionInfo {
    fn default() -> Self {
        Self {
            server: ServerInfo::default(),
            node: None,
            keeps: false,
            ip: String::new(),
            key: None,
            text_bytes: MAX_TEXT_BYTES,
            total: 0,
            closed: false,
            web: None,
            operator: false,
            trouble: None,
        }
    }
}

impl SessionInfo {
    /// A new session has begun. The server tells about trouble again.
    pub(super) fn welcomed(&mut self, welcome: &Welcome) {
        let text_bytes = match welcome.limits.text_bytes {
            0 => self.text_bytes,
            bytes => bytes,
        };
        *self = Self {
            server: welcome.server.clone(),
            node: welcome.nodes.as_ref().map(|nodes| nodes.node().to_owned()),
            keeps: welcome.log.is_some(),
            ip: welcome.ip.clone(),
            key: welcome.key,
            text_bytes,
            total: welcome.total,
            closed: welcome.closed,
            web: welcome.web,
            operator: welcome.operator,
            trouble: None,
        };
    }
}

impl Conversation {
    /// This user, as others see the sender of a message.
    pub(super) fn own_sender(&self) -> Sender {
        let SessionInfo { ip, key, .. } = &self.session;
        Sender { name: self.view.me.clone(), ip: ip.clone(), key: key.as_ref().map(Fingerprint::tag) }
    }
}
