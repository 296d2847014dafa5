//! Reads the list of incarnations in a hello. Skips whatever exceeds its limit.

use crate::limits::MAX_LOGS;
use crate::protocol::packet::LogEnd;
use serde::Deserializer;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use std::fmt;

/// Reads the start of the list; `null` means absent.
///
/// # Errors
/// If it is not a list of incarnations.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<LogEnd>>, D::Error> {
    deserializer.deserialize_option(Logs)
}

struct Logs;

impl<'de> Visitor<'de> for Logs {
    type Value = Option<Vec<LogEnd>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of histories, each with log and last")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut logs = Vec::new();
        while logs.len() < MAX_LOGS {
            match list.next_element::<LogEnd>()? {
                Some(log) => logs.push(log),
                None => return Ok(Some(logs)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Some(logs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::request::ClientPacket;

    fn logs(json: &str) -> Option<Option<Vec<LogEnd>>> {
        let packet = format!(r#"{{"type":"hello","logs":{json}}}"#);
        ClientPacket::parse(packet.as_bytes()).ok().map(|packet| packet.logs)
    }

    #[test]
    fn a_list_is_cut_at_the_bound_and_anything_else_is_refused() {
        assert_eq!(logs("null"), Some(None));
        assert_eq!(logs("[]"), Some(Some(Vec::new())));
        let one = LogEnd { log: "a".into(), last: 7 };
        assert_eq!(logs(r#"[{"log":"a","last":7,"colour":"red"}]"#), Some(Some(vec![one])));
        let many = format!("[{}]", vec![r#"{"log":"a","last":7}"#; 1000].join(","));
        assert_eq!(logs(&many).flatten().map(|logs| logs.len()), Some(MAX_LOGS));
        for wrong in ["7", "\"a\"", "{}", "[7]", r#"[{"log":7}]"#, r#"[{"last":-1}]"#] {
            assert_eq!(logs(wrong), None, "{wrong}");
        }
    }
}
