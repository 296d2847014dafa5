//! The client's resume point: the member `since` of a hello.

use super::whole;
use jiff::Timestamp;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// How much a client already has: on the wire, a number or a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Since {
    /// All messages up to this number; 0: none.
    Seq(u64),
    /// All messages before this time, as written: see [`Since::time`].
    Time(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"since\" is not a time; give the highest seq that you have as a number, or a time such as \
     \"2026-11-21T12:00:00Z\""
)]
pub struct InvalidTime;

impl Since {
    /// Reads a time.
    ///
    /// # Errors
    /// If the text is not an RFC 3339 time.
    pub fn time(text: &str) -> Result<Timestamp, InvalidTime> {
        text.trim().parse().map_err(|_| InvalidTime)
    }
}

impl<'de> Deserialize<'de> for Since {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

/// For an untagged enum, serde's own error would mention neither form.
struct Either;

impl Visitor<'_> for Either {
    type Value = Since;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a message or a time")
    }

    fn visit_u64<E: de::Error>(self, seq: u64) -> Result<Since, E> {
        Ok(Since::Seq(seq))
    }

    fn visit_f64<E: de::Error>(self, seq: f64) -> Result<Since, E> {
        let whole = whole::of_fraction(seq).map(Since::Seq);
        whole.ok_or_else(|| E::invalid_value(Unexpected::Float(seq), &self))
    }

    fn visit_str<E: de::Error>(self, time: &str) -> Result<Since, E> {
        Ok(Since::Time(time.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_number_or_a_text_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<Since>(text);
        assert_eq!(read("7").ok(), Some(Since::Seq(7)));
        assert_eq!(read("\"then\"").ok(), Some(Since::Time("then".into())));
        for text in ["-1", "1.5", "true", "[1]", "{}"] {
            let error = read(text).map_err(|error| error.to_string());
            assert!(error.is_err_and(|error| error.contains("expected the number of a message or a time")));
        }
        for since in [Since::Seq(7), Since::Time("then".into())] {
            let text = serde_json::to_string(&since).expect("JSON");
            assert_eq!(read(&text).ok(), Some(since));
        }
    }

    #[test]
    fn a_time_has_an_offset() {
        assert!(Since::time("2026-11-21T12:00:00.5+01:00").is_ok());
        for text in ["", "now", "2026-11-21", "2026-11-21T12:00:00"] {
            assert_eq!(Since::time(text), Err(InvalidTime));
        }
    }
}
