//! User names: what may be one, and when two are the same.
//!
//! Knows no users: whether a name is free is the chat's business.

use crate::limits::MAX_NAME_CHARS;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};
use std::fmt;
use std::net::IpAddr;

/// Words that mean something else as a target or a sender.
const RESERVED: [&str; 4] = ["all", "broadcast", "server", "system"];

/// A valid user name, as its owner writes it.
///
/// 1 to 32 characters of PRECIS' UsernameCasePreserved profile (RFC 8265 3.4): letters, digits
/// and ASCII punctuation, no white space, no control characters. It does not start with `#`, `@`
/// or `/`, is no reserved word and no IP address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(Box<str>);

/// What decides whether two names are the same: the name case-folded and normalised
/// (UsernameCaseMapped, RFC 8265 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameKey(Box<str>);

/// Why a text is no user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a name is missing; give one of 1 to {MAX_NAME_CHARS} characters")]
    Empty,
    /// More than [`MAX_NAME_CHARS`] characters.
    #[error("a name has at most {MAX_NAME_CHARS} characters, not {0}; choose a shorter one")]
    TooLong(usize),
    /// Starts with a character that marks a room, a person or a command.
    #[error("a name does not start with {0:?}; choose another")]
    Start(char),
    /// One of the words that have a meaning of their own.
    #[error("{0:?} has a meaning of its own here; choose another name")]
    Reserved(String),
    /// An IP address, which is a target of its own kind.
    #[error("an IP address is no name; choose another")]
    Address,
    /// White space, control characters, or others that names may not hold.
    #[error("a name holds letters, digits and punctuation, no spaces or symbols; choose another")]
    Characters,
}

impl Name {
    /// Checks and normalises `text`.
    ///
    /// # Errors
    /// A [`NameError`] that says what to change.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let chars = text.chars().count();
        if chars > MAX_NAME_CHARS {
            return Err(NameError::TooLong(chars));
        }
        let normal = if text.bytes().all(|b| b.is_ascii_graphic()) {
            text.into()
        } else {
            UsernameCasePreserved::enforce(text).map_err(|_| NameError::Characters)?
        };
        // Checked after normalising: full-width forms map to ASCII.
        if let Some(first) = normal.chars().next().filter(|c| "#@/".contains(*c)) {
            return Err(NameError::Start(first));
        }
        let name = Self(normal.into());
        if RESERVED.contains(&&*name.key().0) {
            return Err(NameError::Reserved(name.0.into()));
        }
        if name.0.parse::<IpAddr>().is_ok() {
            return Err(NameError::Address);
        }
        Ok(name)
    }

    /// The name as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What decides whether another name is the same.
    pub fn key(&self) -> NameKey {
        NameKey::of(&self.0)
    }

    /// The `n`th alternative to a name that is taken: `bob-2`, cut so that it is still a name.
    pub fn alternative(&self, n: u32) -> Option<Self> {
        let tail = format!("-{n}");
        let keep = MAX_NAME_CHARS.saturating_sub(tail.len());
        let head: String = self.0.chars().take(keep).collect();
        Self::new(&(head + &tail)).ok()
    }
}

impl NameKey {
    /// The key of any text, so that a lookup needs no valid name: what is no name has a key that
    /// no name has.
    pub fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self(text.to_ascii_lowercase().into());
        }
        match UsernameCaseMapped::enforce(text) {
            Ok(folded) => Self(folded.into()),
            Err(_) => Self(text.into()),
        }
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_many_scripts_and_machines_are_names() {
        for text in ["bob", "Bob_2", "José", "Зоя", "山田太郎", "pc-17.lan", "a", &"x".repeat(32)] {
            assert_eq!(Name::new(text).map(|n| n.as_str().to_owned()), Ok(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_reason() {
        for (text, error) in [
            ("", NameError::Empty),
            ("#room", NameError::Start('#')),
            ("@bob", NameError::Start('@')),
            ("/users", NameError::Start('/')),
            ("Server", NameError::Reserved("Server".into())),
            ("ALL", NameError::Reserved("ALL".into())),
            ("192.168.1.7", NameError::Address),
            ("::1", NameError::Address),
            ("two words", NameError::Characters),
            ("tab\there", NameError::Characters),
            ("esc\u{1b}[2J", NameError::Characters),
            ("zero\u{200b}width", NameError::Characters),
            ("rtl\u{202e}", NameError::Characters),
            ("😀", NameError::Characters),
        ] {
            assert_eq!(Name::new(text), Err(error), "{text:?}");
        }
        assert_eq!(Name::new(&"x".repeat(33)), Err(NameError::TooLong(33)));
    }

    #[test]
    fn names_differing_in_case_or_form_are_the_same() {
        for (one, other) in [("Bob", "bOB"), ("JOSÉ", "jose\u{301}"), ("ЗОЯ", "зоя"), ("ｂｏｂ", "bob")]
        {
            assert_eq!(NameKey::of(one), NameKey::of(other), "{one} {other}");
        }
        assert_ne!(NameKey::of("bob"), NameKey::of("rob"));
    }

    #[test]
    fn a_full_width_reserved_word_is_still_reserved() {
        assert!(matches!(Name::new("ｓｅｒｖｅｒ"), Err(NameError::Reserved(_))));
    }

    #[test]
    fn an_alternative_is_a_name_of_the_same_bound() {
        let long = Name::new(&"x".repeat(32)).expect("a name");
        assert_eq!(long.alternative(2).expect("a name").as_str(), format!("{}-2", "x".repeat(30)));
    }

    proptest! {
        #[test]
        fn any_name_round_trips_and_its_key_ignores_case(text in any::<String>()) {
            if let Ok(name) = Name::new(&text) {
                prop_assert_eq!(Name::new(name.as_str()), Ok(name.clone()));
                prop_assert!(!name.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
            }
        }
    }
}
