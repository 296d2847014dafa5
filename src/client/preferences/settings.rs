//! The one table of preferences: the names that the config file and `/set` use, and how each reads and shows
//! its value.

use std::fmt;
use std::path::{Path, is_separator};

use jiff::ZonedDateTime;
use jiff::fmt::strtime;

use super::{NotifyLevel, Preferences, PresenceLevel};
use crate::limits::MAX_ROOMS_PER_USER;
use crate::name::{RoomName, with_hash};
use crate::text::is_suspicious;

/// Highlighted words: each message is compared with all of them.
const MAX_HIGHLIGHTS: usize = 50;

/// The longest highlighted word, and the longest format of times, in characters.
const MAX_WORD_CHARS: usize = 64;

/// How similar two keys must be for "did you mean"; 1 means equal.
const LIKENESS: f64 = 0.7;

/// The longest command or path, in bytes.
const MAX_COMMAND_BYTES: usize = 1024;

/// A preference's value, as the config file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreferenceValue {
    Text(String),
    Switch(bool),
    List(Vec<String>),
}

/// One preference.
#[derive(Debug)]
pub struct Preference {
    pub name: &'static str,
    /// The values, for people.
    pub values: &'static str,
    /// Values that Tab completes.
    pub choices: &'static [&'static str],
    pub help: &'static str,
    get: fn(&Preferences) -> PreferenceValue,
    set: fn(&mut Preferences, &PreferenceValue) -> Option<()>,
}

const LEVELS: &[&str] = &["off", "dm", "mention", "all"];

const SWITCH: &[&str] = &["on", "off"];

const OFF: &[&str] = &["off"];

/// All preferences, in the order of `/set`.
pub const SETTINGS: &[Preference] = &[
    Preference {
        name: "bell",
        values: "off, dm, mention or all",
        choices: LEVELS,
        help: "messages that ring the bell",
        get: |all| text(level(all.bell)),
        set: |all, value| assign(&mut all.bell, notify_level(value)),
    },
    Preference {
        name: "notify",
        values: "off, dm, mention or all",
        choices: LEVELS,
        help: "messages that notify the desktop",
        get: |all| text(level(all.notify)),
        set: |all, value| assign(&mut all.notify, notify_level(value)),
    },
    Preference {
        name: "notify-command",
        values: "a command, or off",
        choices: OFF,
        help: "program to run for mentions and direct messages",
        get: |all| text(all.notify_command.as_deref().unwrap_or_default()),
        set: |all, value| assign(&mut all.notify_command, command(value)),
    },
    Preference {
        name: "highlight",
        values: "words, separated by commas, or off",
        choices: OFF,
        help: "words that count as mentions, besides your name",
        get: |all| PreferenceValue::List(all.highlight.clone()),
        set: |all, value| assign(&mut all.highlight, words(value)),
    },
    Preference {
        name: "presence",
        values: "off, smart or all",
        choices: &["off", "smart", "all"],
        help: "joins and leaves to show",
        get: |all| text(presence_name(all.presence)),
        set: |all, value| assign(&mut all.presence, presence(value)),
    },
    Preference {
        name: "time",
        values: "a strftime format such as %H:%M:%S, without invisible characters, or off",
        choices: &["%H:%M", "%H:%M:%S", "off"],
        help: "time before each line",
        get: |all| text(&all.time),
        set: |all, value| assign(&mut all.time, time(value)),
    },
    Preference {
        name: "wrap",
        values: "on or off",
        choices: SWITCH,
        help: "break lines at words",
        get: |all| PreferenceValue::Switch(all.wrap),
        set: |all, value| assign(&mut all.wrap, switch(value)),
    },
    Preference {
        name: "focus",
        values: "on or off",
        choices: SWITCH,
        help: "show only the current room or conversation",
        get: |all| PreferenceValue::Switch(all.focus),
        set: |all, value| assign(&mut all.focus, switch(value)),
    },
    Preference {
        name: "title",
        values: "on or off",
        choices: SWITCH,
        help: "count mentions and direct messages in the title",
        get: |all| PreferenceValue::Switch(all.title),
        set: |all, value| assign(&mut all.title, switch(value)),
    },
    Preference {
        name: "join",
        values: "rooms, separated by commas, or off",
        choices: OFF,
        help: "rooms to join at the start",
        get: |all| PreferenceValue::List(all.join.clone()),
        set: |all, value| assign(&mut all.join, rooms(value)),
    },
    Preference {
        name: "downloads",
        values: "the whole path of a folder, such as ~/Downloads or /srv/files",
        choices: &["~/Downloads"],
        help: "folder for files that you accept",
        get: |all| text(&all.downloads),
        set: |all, value| assign(&mut all.downloads, folder(value)),
    },
];

/// The preference with that name, or else the name that is nearest to it.
///
/// # Errors
/// The nearest name, if one is near.
pub fn find_preference(name: &str) -> Result<&'static Preference, Option<&'static str>> {
    let found = SETTINGS.iter().find(|preference| preference.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| nearest_key(name, SETTINGS.iter().map(|preference| preference.name)))
}

/// The known key that the user probably meant: for "did you mean".
pub fn nearest_key<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|name| (strsim::jaro(key, name), name)).filter(|(score, _)| *score >= LIKENESS);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

impl Preference {
    /// The value among these preferences.
    pub fn of(&self, all: &Preferences) -> PreferenceValue {
        (self.get)(all)
    }

    /// Changes the value.
    ///
    /// # Errors
    /// The valid values.
    pub fn set(&self, all: &mut Preferences, value: &PreferenceValue) -> Result<(), String> {
        (self.set)(all, value).ok_or_else(|| format!("{}: expected {}", self.name, self.values))
    }

    /// Reads a value as typed at the prompt; the kind of the default decides how.
    ///
    /// # Errors
    /// The valid values.
    pub fn read(&self, typed: &str) -> Result<PreferenceValue, String> {
        let typed = typed.trim();
        let value = match self.of(&Preferences::default()) {
            PreferenceValue::Text(_) => text(typed),
            PreferenceValue::Switch(_) => PreferenceValue::Switch(match typed.to_lowercase().as_str() {
                "on" | "yes" | "true" => true,
                "off" | "no" | "false" => false,
                _ => return Err(format!("{}: expected {}", self.name, self.values)),
            }),
            PreferenceValue::List(_) if is_off(typed) => PreferenceValue::List(Vec::new()),
            PreferenceValue::List(_) => {
                let parts = typed.split(',').map(str::trim).filter(|part| !part.is_empty());
                PreferenceValue::List(parts.map(str::to_owned).collect())
            }
        };
        // The file gets the value in its usual form.
        let mut changed = Preferences::default();
        self.set(&mut changed, &value)?;
        Ok(self.of(&changed))
    }
}

/// For people, as they would type it.
impl fmt::Display for PreferenceValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.is_empty() => f.write_str("off"),
            Self::Text(text) => f.write_str(text),
            Self::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
            Self::List(list) if list.is_empty() => f.write_str("off"),
            Self::List(list) => f.write_str(&list.join(", ")),
        }
    }
}

fn assign<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn text(text: &str) -> PreferenceValue {
    PreferenceValue::Text(text.to_owned())
}

fn is_off(typed: &str) -> bool {
    typed.eq_ignore_ascii_case("off")
}

fn level(level: NotifyLevel) -> &'static str {
    match level {
        NotifyLevel::Off => "off",
        NotifyLevel::Direct => "dm",
        NotifyLevel::Mention => "mention",
        NotifyLevel::All => "all",
    }
}

fn notify_level(value: &PreferenceValue) -> Option<NotifyLevel> {
    match value {
        PreferenceValue::Switch(false) => Some(NotifyLevel::Off),
        PreferenceValue::Switch(true) => Some(NotifyLevel::Mention),
        PreferenceValue::Text(text) => match text.to_lowercase().as_str() {
            "off" => Some(NotifyLevel::Off),
            "dm" | "direct" => Some(NotifyLevel::Direct),
            "on" | "mention" | "mentions" => Some(NotifyLevel::Mention),
            "all" => Some(NotifyLevel::All),
            _ => None,
        },
        PreferenceValue::List(_) => None,
    }
}

fn presence_name(level: PresenceLevel) -> &'static str {
    match level {
        PresenceLevel::Off => "off",
        PresenceLevel::Smart => "smart",
        PresenceLevel::All => "all",
    }
}

fn presence(value: &PreferenceValue) -> Option<PresenceLevel> {
    match value {
        PreferenceValue::Switch(false) => Some(PresenceLevel::Off),
        PreferenceValue::Switch(true) => Some(PresenceLevel::All),
        PreferenceValue::Text(text) => match text.to_lowercase().as_str() {
            "off" => Some(PresenceLevel::Off),
            "smart" => Some(PresenceLevel::Smart),
            "on" | "all" => Some(PresenceLevel::All),
            _ => None,
        },
        PreferenceValue::List(_) => None,
    }
}

fn switch(value: &PreferenceValue) -> Option<bool> {
    if let PreferenceValue::Switch(on) = value { Some(*on) } else { None }
}

/// A format that gives a short text, so that a line never begins with a wrong time.
fn time(value: &PreferenceValue) -> Option<String> {
    match value {
        PreferenceValue::Switch(false) => Some(String::new()),
        PreferenceValue::Text(text) if text.is_empty() || is_off(text) => Some(String::new()),
        PreferenceValue::Text(text) => {
            let written = strtime::format(text, &ZonedDateTime::now()).ok()?;
            // No line may begin with what hides or turns around the rest.
            let is_plain = !text.chars().chain(written.chars()).any(is_suspicious);
            let is_time = written != *text && written.chars().count() <= MAX_WORD_CHARS;
            (is_plain && is_time && text.chars().count() <= MAX_WORD_CHARS).then(|| text.clone())
        }
        PreferenceValue::Switch(true) | PreferenceValue::List(_) => None,
    }
}

fn command(value: &PreferenceValue) -> Option<Option<String>> {
    match value {
        PreferenceValue::Switch(false) => Some(None),
        PreferenceValue::Text(text) if text.trim().is_empty() || is_off(text) => Some(None),
        PreferenceValue::Text(text) => {
            let is_line = text.len() <= MAX_COMMAND_BYTES && !text.chars().any(char::is_control);
            is_line.then(|| Some(text.clone()))
        }
        PreferenceValue::Switch(true) | PreferenceValue::List(_) => None,
    }
}

/// A whole path or one from `~` on, because lanchat may start in any folder. Drops the quotes around it.
fn folder(value: &PreferenceValue) -> Option<String> {
    let PreferenceValue::Text(text) = value else { return None };
    let text = text.trim();
    let quoted = ['"', '\''].iter().find_map(|&quote| text.strip_prefix(quote)?.strip_suffix(quote));
    let text = quoted.unwrap_or(text);
    let is_path = text.len() <= MAX_COMMAND_BYTES && !text.chars().any(char::is_control);
    let is_home = text.strip_prefix('~').is_some_and(|rest| rest.chars().next().is_none_or(is_separator));
    let is_whole = is_home || Path::new(text).is_absolute();
    (is_path && is_whole).then(|| text.to_owned())
}

fn list(value: &PreferenceValue) -> Option<&[String]> {
    match value {
        PreferenceValue::Switch(false) => Some(&[]),
        PreferenceValue::List(list) => Some(list),
        PreferenceValue::Switch(true) | PreferenceValue::Text(_) => None,
    }
}

fn words(value: &PreferenceValue) -> Option<Vec<String>> {
    let words = list(value)?;
    let is_word = |word: &String| {
        !word.trim().is_empty()
            && word.chars().count() <= MAX_WORD_CHARS
            && !word.chars().any(char::is_control)
    };
    (words.len() <= MAX_HIGHLIGHTS && words.iter().all(is_word)).then(|| words.to_vec())
}

fn rooms(value: &PreferenceValue) -> Option<Vec<String>> {
    let rooms = list(value)?;
    let room = |name: &String| RoomName::new(&with_hash(name)).ok().map(|room| room.to_string());
    (rooms.len() <= MAX_ROOMS_PER_USER).then(|| rooms.iter().map(room).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, typed: &str) -> Result<PreferenceValue, String> {
        find_preference(name).unwrap().read(typed)
    }

    #[test]
    fn each_default_is_a_value_that_can_be_set_and_typed() {
        let defaults = Preferences::default();
        for preference in SETTINGS {
            let value = preference.of(&defaults);
            let mut all = defaults.clone();
            preference.set(&mut all, &value).unwrap();
            assert_eq!(all, defaults, "{}", preference.name);
            assert_eq!(preference.read(&value.to_string()), Ok(value), "{}", preference.name);
        }
    }

    #[test]
    fn tab_offers_only_valid_values() {
        for preference in SETTINGS {
            assert!(
                preference.choices.iter().all(|choice| preference.read(choice).is_ok()),
                "{}",
                preference.name
            );
        }
    }

    #[test]
    fn values_are_read_as_people_type_them() {
        let text = |text: &str| Ok(PreferenceValue::Text(text.into()));
        assert_eq!(set("bell", "ALL"), text("all"));
        assert_eq!(set("bell", "direct"), text("dm"));
        assert_eq!(set("time", "off"), text(""));
        assert_eq!(set("time", "%H:%M:%S"), text("%H:%M:%S"));
        assert_eq!(set("wrap", "No"), Ok(PreferenceValue::Switch(false)));
        assert_eq!(set("downloads", "~/my films"), text("~/my films"));
        assert_eq!(set("downloads", "'~/my films'"), text("~/my films"));
        #[cfg(unix)]
        assert_eq!(set("downloads", "\"/srv/films\""), text("/srv/films"));
        let list =
            |words: &[&str]| Ok(PreferenceValue::List(words.iter().map(|&word| word.into()).collect()));
        assert_eq!(set("highlight", "deploy,  on fire"), list(&["deploy", "on fire"]));
        assert_eq!(set("join", "dev, #Ops"), list(&["#dev", "#Ops"]));
        assert_eq!(set("join", "off"), list(&[]));
    }

    #[test]
    fn a_wrong_value_is_answered_with_the_right_ones() {
        assert_eq!(set("bell", "loud").unwrap_err(), "bell: expected off, dm, mention or all");
        assert_eq!(
            set("downloads", "films").unwrap_err(),
            "downloads: expected the whole path of a folder, such as ~/Downloads or /srv/files"
        );
        for (name, typed) in [
            ("time", "%"),
            ("time", "noon"),
            ("time", "\u{1b}[31m%H"),
            ("time", "%H:%"),
            ("time", "%!"),
            ("time", "\u{202e}%H"),
            ("time", "%H\u{200b}"),
            ("time", "%H%n"),
            ("time", "%H:%"),
            ("time", "%!"),
            ("time", "\u{202e}%H"),
            ("time", "%H\u{200b}"),
            ("time", "%H%n"),
            ("downloads", ""),
            ("downloads", "''"),
            ("downloads", "off"),
            ("downloads", "films"),
            ("downloads", "../films"),
            ("downloads", "\"films\""),
            ("downloads", "~bob/films"),
            ("wrap", "maybe"),
            ("join", "#a b"),
            ("presence", "some"),
            ("highlight", &"x".repeat(65)),
        ] {
            assert!(set(name, typed).is_err(), "{name} {typed}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        assert_eq!(find_preference("BELL").unwrap().name, "bell");
        assert_eq!(find_preference("highlights").unwrap_err(), Some("highlight"));
        assert_eq!(find_preference("zzz").unwrap_err(), None);
    }
}
