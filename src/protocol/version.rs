//! The protocol version that a client's first packet asks for.

use crate::limits::PROTOCOL_VERSION;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// The member `v`. JSON has one kind of number (RFC 8259 6), so `1.0` is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A positive whole number; the largest value stands for all that are larger.
    Number(u64),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"v\" is not a version; give the highest that you know as a whole number, such as \
         {PROTOCOL_VERSION}"
)]
pub struct InvalidVersion;

impl Version {
    /// The highest version that both sides know.
    ///
    /// # Errors
    /// If the member is not a version.
    pub fn agreed(self) -> Result<u32, InvalidVersion> {
        match self {
            Self::Number(number) => {
                Ok(u32::try_from(number).map_or(PROTOCOL_VERSION, |v| v.min(PROTOCOL_VERSION)))
            }
            Self::Other => Err(InvalidVersion),
        }
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Other => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for Version {
    /// Never fails: only a first packet's version counts, and its refusal has its own text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Version;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Version, E> {
        Ok(if number == 0 { Version::Other } else { Version::Number(number) })
    }

    fn visit_i64<E>(self, _: i64) -> Result<Version, E> {
        Ok(Version::Other)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Version, E> {
        let is_whole = number >= 1.0 && number.fract() == 0.0;
        Ok(if is_whole { Version::Number(number as u64) } else { Version::Other })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Version, E> {
        Ok(Version::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Version, E> {
        Ok(Version::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Version, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Version::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Version, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Version::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(text: &str) -> Result<u32, InvalidVersion> {
        serde_json::from_str::<Version>(text).expect("JSON").agreed()
    }

    #[test]
    fn a_whole_number_from_1_on_is_a_version_and_the_highest_known_is_agreed_upon() {
        for text in
            ["1", "2", "99", "1.0", "1e0", "2.0", "18446744073709551615", "18446744073709551616", "1e300"]
        {
            assert_eq!(agreed(text), Ok(1), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_a_version() {
        for text in ["0", "-1", "0.0", "1.5", "-1e300", "\"1\"", "\"\"", "true", "[1]", "{}", "{\"v\":[1]}"] {
            assert_eq!(agreed(text), Err(InvalidVersion), "{text}");
        }
    }
}
