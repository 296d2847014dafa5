//! Packets in documents, compared with those of a live server.

use serde_json::Value;

/// Members whose values differ from run to run. They must be there, with the same type.
const VOLATILE: [&str; 10] = ["seq", "ts", "time", "uptime", "since", "id", "version", "key", "token", "run"];

pub fn is_presence(packet: &Value) -> bool {
    packet["type"] == "joined" || packet["type"] == "left"
}

/// The packet with its volatile values replaced by their types, and times in texts cut out.
pub fn settled(value: &Value, top: bool) -> Value {
    match value {
        Value::Object(members) => {
            let settle = |(key, value): (&String, &Value)| {
                // The client's own `id` is echoed to the letter; a server's is its own.
                let volatile = VOLATILE.contains(&key.as_str()) && !(top && key == "id");
                let value = if volatile { type_of(value) } else { settled(value, false) };
                (key.clone(), value)
            };
            Value::Object(members.iter().map(settle).collect())
        }
        Value::Array(values) => values.iter().map(|value| settled(value, false)).collect(),
        Value::String(text) => text
            .split(' ')
            .map(|word| {
                if word.starts_with("2026-") || word.starts_with("20") && word.contains('T') {
                    "TIME"
                } else {
                    word
                }
            })
            .collect::<Vec<_>>()
            .join(" ")
            .into(),
        other => other.clone(),
    }
}

fn type_of(value: &Value) -> Value {
    match value {
        Value::String(_) => "a string".into(),
        Value::Number(_) => "a number".into(),
        other => other.clone(),
    }
}
