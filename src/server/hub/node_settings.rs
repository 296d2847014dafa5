//! The settings of the chat at its servers. Each tells the others its own, so that they notice a difference.

use crate::limits::SETTINGS_TOLD;
use crate::server::chat_settings::ChatSettings;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct NodeSettings {
    own: ChatSettings,
    /// Of the other servers, as they have said last.
    others: BTreeMap<u8, ChatSettings>,
    /// When this server told them last, and in which term.
    told: Option<(Duration, u64)>,
}

/// The news about the settings of another server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SettingsNews {
    Nothing,
    /// The settings that differ and did not before: the name, the value here, and that there.
    Differ(Vec<[String; 3]>),
    Agree,
}

impl NodeSettings {
    pub(super) fn own(&self) -> &ChatSettings {
        &self.own
    }

    /// How many settings differ at another server.
    pub(super) fn differing(&self) -> u64 {
        let differing = self.others.values().flat_map(|there| self.own.other_at(there));
        differing.map(|[setting, ..]| setting).collect::<BTreeSet<_>>().len() as u64
    }

    /// Whether it is time to tell the others; if so, the caller does.
    pub(super) fn is_due(&mut self, uptime: Duration, term: u64) -> bool {
        let is_told = self.told.is_some_and(|(at, of)| of == term && uptime < at + SETTINGS_TOLD);
        if !is_told {
            self.told = Some((uptime, term));
        }
        !is_told
    }

    /// Takes what another server says.
    pub(super) fn hear(&mut self, server: u8, there: ChatSettings) -> SettingsNews {
        let before = self.others.insert(server, there.clone());
        if before.as_ref() != Some(&there) {
            // It has just started, or heard nothing of this server for long.
            self.told = None;
        }
        let known = before.map_or_else(Vec::new, |before| self.own.other_at(&before));
        SettingsNews::of(&known, self.own.other_at(&there))
    }

    /// Takes other settings of this server. Returns the news about each other one.
    pub(super) fn replace(&mut self, own: ChatSettings) -> Vec<(u8, SettingsNews)> {
        let before = std::mem::replace(&mut self.own, own);
        self.told = None;
        let news = |there| SettingsNews::of(&before.other_at(there), self.own.other_at(there));
        self.others.iter().map(|(server, there)| (*server, news(there))).collect()
    }
}

impl SettingsNews {
    fn of(known: &[[String; 3]], mut differing: Vec<[String; 3]>) -> Self {
        if differing.is_empty() {
            return if known.is_empty() { Self::Nothing } else { Self::Agree };
        }
        differing.retain(|difference| !known.contains(difference));
        if differing.is_empty() { Self::Nothing } else { Self::Differ(differing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(rate: &str, closed: &str) -> ChatSettings {
        serde_json::from_str(&format!(r#"{{"rate-limit":"{rate}","closed":"{closed}"}}"#)).unwrap()
    }

    fn owned(differences: &[[&str; 3]]) -> SettingsNews {
        SettingsNews::Differ(differences.iter().map(|texts| texts.map(str::to_owned)).collect())
    }

    #[test]
    fn each_difference_is_news_once_and_so_is_its_end() {
        let mut all = NodeSettings { own: settings("5:20", "on"), ..NodeSettings::default() };
        assert_eq!(all.hear(1, settings("5:20", "on")), SettingsNews::Nothing);
        assert_eq!(all.hear(1, settings("5:20", "off")), owned(&[["closed", "on", "off"]]));
        assert_eq!(all.hear(1, settings("5:20", "off")), SettingsNews::Nothing);
        assert_eq!(
            all.hear(2, settings("off", "off")),
            owned(&[["closed", "on", "off"], ["rate-limit", "5:20", "off"]])
        );
        assert_eq!(all.differing(), 2);
        assert_eq!(all.hear(1, settings("9:20", "off")), owned(&[["rate-limit", "5:20", "9:20"]]));
        assert_eq!(all.hear(1, settings("5:20", "on")), SettingsNews::Agree);
        assert_eq!(
            all.replace(settings("off", "off")),
            [(1, owned(&[["closed", "off", "on"], ["rate-limit", "off", "5:20"]])), (2, SettingsNews::Agree),]
        );
    }

    #[test]
    fn the_others_are_told_at_the_start_to_each_leader_now_and_then_and_when_they_say_something_new() {
        let mut all = NodeSettings::default();
        let at = Duration::from_secs;
        assert!(all.is_due(at(1), 1) && !all.is_due(at(60), 1) && all.is_due(at(61), 1));
        assert!(all.is_due(at(62), 2) && !all.is_due(at(63), 2));
        all.hear(1, settings("5:20", "on"));
        assert!(all.is_due(at(64), 2));
        all.hear(1, settings("5:20", "on"));
        assert!(!all.is_due(at(65), 2));
    }
}
