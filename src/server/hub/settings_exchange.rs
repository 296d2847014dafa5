//! A server of several tells the others its settings of the chat, hears theirs, and tells its log of differences.

use super::node_message::NodeMessage;
use super::node_news::NodeHappening;
use super::node_seat::NodeSeat;
use super::node_settings::SettingsNews;
use super::{Hub, HubState};
use crate::cluster::NodeId;
use crate::limits::MAX_NODES;
use crate::server::chat_settings::ChatSettings;
use std::time::Duration;

impl NodeSeat {
    /// Tells the other servers the settings of this one, now and then.
    pub(super) fn tell_settings(&mut self, uptime: Duration) {
        let (own, term) = (NodeId(self.number()), self.node.ledger().term);
        if self.news.trouble.is_none() && self.settings.is_due(uptime, term) {
            let message = NodeMessage::settings(own, self.settings.own());
            self.send(None, &message);
        }
    }

    /// Takes the settings of another server.
    pub(super) fn hear_settings(&mut self, from: NodeId, settings: &[u8]) {
        // Of a version that this one does not know.
        let Ok(settings) = serde_json::from_slice(settings) else { return };
        if from.0 != self.number() && usize::from(from.0) < MAX_NODES {
            let news = self.settings.hear(from.0, settings);
            self.note_settings(from.0, news);
        }
    }

    fn note_settings(&mut self, server: u8, news: SettingsNews) {
        let server = self.news.name(server);
        match news {
            SettingsNews::Nothing => {}
            SettingsNews::Agree => self.news.waiting.push(NodeHappening::SettingsAgree { server }),
            SettingsNews::Differ(differing) => {
                self.news.waiting.extend(differing.into_iter().map(|[setting, here, there]| {
                    NodeHappening::SettingDiffers { server: server.clone(), setting, here, there }
                }));
            }
        }
    }
}

impl HubState {
    fn set_settings(&mut self, settings: ChatSettings) {
        let Some(seat) = &mut self.node else { return };
        for (server, news) in seat.settings.replace(settings) {
            seat.note_settings(server, news);
        }
    }
}

impl Hub {
    /// Of a closed server.
    pub(in crate::server) fn passphrase_mark(&self) -> Option<String> {
        self.closed_server.as_ref().map(|closed| closed.mark())
    }

    /// Sets the settings of the chat at this server, at its start and when they change.
    pub(in crate::server) fn set_settings(&self, settings: ChatSettings) {
        if self.is_node() {
            self.at_node(|state, _| state.set_settings(settings));
        }
    }
}
