//! Room names: `#` followed by the characters of a user name.

use super::{NameError, NameKey, normalised};
use crate::limits::MAX_ROOM_NAME_CHARS;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The room where everyone is.
pub const LOBBY: &str = "#lobby";

/// A valid room name with its `#`, as the room's creator writes it.
///
/// `#` and 1 to [`MAX_ROOM_NAME_CHARS`] characters under the rules of [`Name`](super::Name), except that
/// reserved words and addresses are allowed. Names that are equal after case folding are the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RoomName {
    text: SmolStr,
    key: NameKey,
}

/// Why text is not a room name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    #[error("a room's name starts with #; try #{0}")]
    NoSign(String),
    #[error("a room's name is missing; give # and 1 to {MAX_ROOM_NAME_CHARS} characters, such as #games")]
    Empty,
    #[error(
        "a room's name has at most {MAX_ROOM_NAME_CHARS} characters after its #, not {0}; choose a shorter one"
    )]
    TooLong(usize),
    #[error(
        "a room's name may contain letters of one script, digits and punctuation after its #, but no \
         spaces or symbols; choose another"
    )]
    Characters,
}

/// A room's name as people may type it: adds a missing `#`.
pub fn with_hash(room: &str) -> String {
    if room.starts_with('#') { room.to_owned() } else { format!("#{room}") }
}

impl From<RoomName> for String {
    fn from(room: RoomName) -> Self {
        room.text.into()
    }
}

impl TryFrom<String> for RoomName {
    type Error = RoomNameError;

    fn try_from(text: String) -> Result<Self, RoomNameError> {
        Self::new(&text)
    }
}

impl RoomName {
    /// Checks and normalises `text`, with its `#`.
    ///
    /// # Errors
    /// A [`RoomNameError`] that says what to change.
    pub fn new(text: &str) -> Result<Self, RoomNameError> {
        if text.is_empty() {
            return Err(RoomNameError::Empty);
        }
        let rest = text
            .strip_prefix('#')
            .ok_or_else(|| RoomNameError::NoSign(text.chars().take(MAX_ROOM_NAME_CHARS).collect()))?;
        match rest.chars().count() {
            0 => return Err(RoomNameError::Empty),
            chars if chars > MAX_ROOM_NAME_CHARS => return Err(RoomNameError::TooLong(chars)),
            _ => {}
        }
        let normal = normalised(rest).map_err(|_: NameError| RoomNameError::Characters)?;
        Ok(Self::of(&format!("#{normal}")))
    }

    /// `#lobby`, where everyone is.
    pub fn lobby() -> Self {
        Self::of(LOBBY)
    }

    pub fn is_lobby(&self) -> bool {
        self.key.as_str() == LOBBY
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Equal for equal names.
    pub fn key(&self) -> &NameKey {
        &self.key
    }

    fn of(text: &str) -> Self {
        let key = if text.is_ascii() {
            NameKey::of(text)
        } else {
            // PRECIS rejects the `#`, so it is not part of the text to fold.
            NameKey(format!("#{}", NameKey::of(&text[1..]).as_str()).into())
        };
        Self { text: text.into(), key }
    }
}

impl PartialEq for RoomName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for RoomName {}

impl Hash for RoomName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl PartialOrd for RoomName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RoomName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_named_like_users_after_the_sign() {
        for name in ["#games", "#Spiele-2", "#Зал", "#admin", "#10.0.0.1", "#山田"] {
            assert_eq!(RoomName::new(name).map(|room| room.to_string()), Ok(name.to_owned()));
        }
        for name in ["#two words", "##games", "#@bob", "#/x", "#\u{1b}[0m", "#\u{301}x"] {
            assert_eq!(RoomName::new(name), Err(RoomNameError::Characters), "{name:?}");
        }
        assert_eq!(RoomName::new("games"), Err(RoomNameError::NoSign("games".into())));
        assert_eq!(RoomName::new("#"), Err(RoomNameError::Empty));
        let long = format!("#{}", "x".repeat(MAX_ROOM_NAME_CHARS + 1));
        assert_eq!(RoomName::new(&long), Err(RoomNameError::TooLong(MAX_ROOM_NAME_CHARS + 1)));
    }

    #[test]
    fn case_makes_no_other_room() {
        assert_eq!(RoomName::new("#GAMES"), RoomName::new("#games"));
        assert_eq!(RoomName::new("#ЗАЛ"), RoomName::new("#зал"));
        assert!(RoomName::new("#Lobby").is_ok_and(|room| room.is_lobby() && room == RoomName::lobby()));
    }
}
