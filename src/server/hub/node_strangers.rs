//! Counts the records of the log that are not of a server of the chat.

use super::node_news::NodeHappening;
use crate::limits::STRANGE_RECORDS_TOLD;
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct NodeStrangers {
    /// Since the log was told.
    count: u64,
    /// Of the latest.
    position: u64,
    told: Option<Duration>,
}

impl NodeStrangers {
    /// A record that this server passes over.
    pub(super) fn note(&mut self, position: u64) {
        self.count += 1;
        self.position = position;
    }

    /// Something to tell, once in a while.
    pub(super) fn due(&mut self, uptime: Duration) -> Option<NodeHappening> {
        if self.count == 0 || self.told.is_some_and(|told| uptime < told + STRANGE_RECORDS_TOLD) {
            return None;
        }
        self.told = Some(uptime);
        let count = std::mem::take(&mut self.count);
        Some(NodeHappening::Strangers { count, position: self.position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_a_flood_once_in_a_while() {
        let mut strangers = NodeStrangers::default();
        assert_eq!(strangers.due(Duration::ZERO), None);
        strangers.note(7);
        let told = |count, position| Some(NodeHappening::Strangers { count, position });
        assert_eq!(strangers.due(Duration::ZERO), told(1, 7));
        (8..=900).for_each(|position| strangers.note(position));
        assert_eq!(strangers.due(STRANGE_RECORDS_TOLD / 2), None);
        assert_eq!(strangers.due(STRANGE_RECORDS_TOLD), told(893, 900));
        assert_eq!(strangers.due(STRANGE_RECORDS_TOLD * 9), None, "nothing new");
    }
}
