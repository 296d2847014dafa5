//! How the user wants the chat to look and to notify: the table `[chat]` of the config file, and `/set`.

mod settings;

pub use settings::{Preference, PreferenceValue, SETTINGS, find_preference, nearest_key};

/// Which messages notify the user, from none to all. Each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotifyLevel {
    Off,
    Direct,
    /// Messages with the user's name or a highlighted word, and direct ones.
    Mention,
    All,
}

/// Which joins and leaves are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceLevel {
    Off,
    /// Those of users who spoke lately, or to whom the user wrote.
    Smart,
    All,
}

/// The user's preferences. Missing ones have their defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// Which messages ring the terminal's bell.
    pub bell: NotifyLevel,
    /// Which messages cause a notification of the desktop, by OSC 9 and OSC 777.
    pub notify: NotifyLevel,
    /// A command to run for each mention and direct message.
    pub notify_command: Option<String>,
    /// Words that count as a mention, besides the user's name.
    pub highlight: Vec<String>,
    pub presence: PresenceLevel,
    /// The format of times, as in strftime; empty for none.
    pub time: String,
    /// Whether to break lines at words, with an indent.
    pub wrap: bool,
    /// Whether to show only the current room or conversation, and to count messages elsewhere.
    pub focus: bool,
    /// Whether to count unread mentions and direct messages in the terminal's title.
    pub title: bool,
    /// Rooms to join at the start.
    pub join: Vec<String>,
    /// The folder for files that the user accepts.
    pub downloads: String,
}

/// Keeps changed preferences for the next run. The caller of the client implements it.
pub trait PreferencesFile: Send + Sync {
    /// Saves a preference, or removes it, so that its default holds.
    ///
    /// # Errors
    /// Why that is impossible, as a line for the user.
    fn save(&self, name: &str, value: Option<&PreferenceValue>) -> Result<(), String>;

    /// Where they are kept, for the user.
    fn place(&self) -> String;
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            bell: NotifyLevel::Mention,
            notify: NotifyLevel::Off,
            notify_command: None,
            highlight: Vec::new(),
            presence: PresenceLevel::Smart,
            time: "%H:%M".into(),
            wrap: true,
            focus: false,
            title: true,
            join: Vec::new(),
            downloads: "~/Downloads".into(),
        }
    }
}
