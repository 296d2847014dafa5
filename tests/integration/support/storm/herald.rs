//! Says the first and the last words, over connections that do not break, so that it is known when
//! others have everything.

use super::super::tls::Key;
use super::line::Line;
use super::member::{Identity, Role};
use super::record::{Heard, Record, Said};
use serde_json::json;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long anything may take to come about. Generous: it only bounds a failure.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Says a few things on good connections.
pub struct Herald {
    key: Key,
    pub record: Record,
}

impl Herald {
    pub fn new() -> Self {
        Self { key: Key::new(), record: Record { name: "herald".into(), ..Record::default() } }
    }

    /// Returns the number when there is a receipt.
    pub fn say(&mut self, address: SocketAddr, to: &str, text: &str) -> u64 {
        let id = format!("h{}", self.record.said.len());
        let mut line = Line::open(address, Some(&self.key)).expect("a connection");
        let mut send = |packet| line.send(&packet).expect("the server reads");
        send(
            json!({"type": "hello", "v": 1, "mode": "send", "from": {"name": "herald"}, "to": "server", "msg": ""}),
        );
        send(json!({"to": to, "msg": text, "id": id}));
        let mut receipt = None;
        until("a receipt for the herald", || {
            let packets = line.read(Duration::from_millis(50)).expect("an open connection");
            receipt = packets.into_iter().find(|packet| packet["id"] == id.as_str());
            receipt.is_some()
        });
        let seq = receipt.and_then(|packet| packet["seq"].as_u64());
        self.record.said.push(Said {
            id,
            to: to.into(),
            text: text.into(),
            times: 1,
            seq,
            waits: false,
            is_done: true,
        });
        seq.expect("a number")
    }

    /// Waits until the server knows that these have gone. A message before that is for a user who is here, and does
    /// not wait for them.
    pub fn see_them_gone(&self, address: SocketAddr, names: &[&str]) {
        let mut line = Line::open(address, Some(&self.key)).expect("a connection");
        let hello = json!({"type": "hello", "v": 1, "mode": "send", "from": {"name": "herald"}, "to": "server", "msg": ""});
        line.send(&hello).expect("the server reads");
        until("they are gone", || {
            line.send(&json!({"type": "users", "id": "u"})).expect("the server reads");
            let packets = line.read(Duration::from_millis(50)).expect("an open connection");
            let list = packets.iter().rfind(|packet| packet["type"] == "users");
            let is_listed = |list: &serde_json::Value, name: &str| {
                list["users"].as_array().expect("users").iter().any(|user| user["name"] == name)
            };
            list.is_some_and(|list| !names.iter().any(|name| is_listed(list, name)))
        });
    }

    /// Somebody comes without saying what they have: the first time they get all their mail, and nothing of it once the
    /// server knows that. It ends with a message that is said when they are there. Returns their connection.
    pub fn fetch_mail(&mut self, address: SocketAddr, record: &mut Record, role: &Role) -> Line {
        let Identity::Key(key) = &role.identity else { panic!("somebody with a key") };
        let mut line = Line::open(address, Some(key)).expect("a connection");
        let hello =
            json!({"type": "hello", "v": 1, "from": {"name": record.name}, "to": "server", "msg": ""});
        line.send(&hello).expect("the server reads");
        let mut mail = Vec::new();
        until("a welcome", || {
            mail.extend(line.read(Duration::from_millis(50)).expect("an open connection"));
            !mail.is_empty()
        });
        let mark = format!("mark for {} after {} messages", record.name, record.heard.len());
        self.say(address, &record.name, &mark);
        until("the mark", || {
            mail.extend(line.read(Duration::from_millis(50)).expect("an open connection"));
            mail.iter().any(|packet| packet["msg"] == mark.as_str())
        });
        for packet in mail.iter().filter(|packet| packet["type"] == "chat") {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let heard = Heard {
                seq: packet["seq"].as_u64().expect("a number"),
                from: text(&packet["from"]["name"]),
                to: text(&packet["to"]),
                text: text(&packet["msg"]),
                history: packet["history"] == true,
            };
            record.since = record.since.max(heard.seq);
            record.caught_up += usize::from(heard.history);
            record.heard.push(heard);
        }
        // Of the lobby it asked for nothing.
        record.lobby_from = Some(u64::MAX);
        line
    }
}

/// Looks until it is so, which it must be.
pub fn until(what: &str, is_so: impl FnMut() -> bool) {
    assert!(comes_to(is_so), "it did not come to this within {DEADLINE:?}: {what}");
}

/// Looks until it is so; `false`: it never is.
pub fn comes_to(mut is_so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > DEADLINE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}
