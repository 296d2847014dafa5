//! A server's own numbers: one set, for `lanchat status`, for metrics, and for `/status`.
//!
//! [`NUMBERS`] names each number once; its members in JSON, its metric and its documentation come from there.

use super::packet::ServerInfo;
use super::term::about;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A server's counts and measurements. Counts are since its start. Members may be added, and never change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerNumbers {
    #[serde(flatten)]
    pub server: ServerInfo,
    pub uptime_seconds: u64,
    pub users: u64,
    pub connections: u64,
    pub places_taken: u64,
    pub max_clients: u64,
    pub handshakes: u64,
    pub handshakes_waiting: u64,
    /// Refused connections by reason.
    pub refused: BTreeMap<String, u64>,
    pub held_bytes: u64,
    pub held_limit_bytes: u64,
    pub slow_readers_closed: u64,
    pub memory_closed: u64,
    /// `None`: the system does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    pub memory_limit_bytes: u64,
    pub messages: u64,
    /// Whether the database works. `true` on a server without one.
    pub storing: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// `None`, as the next two: the server keeps no messages, or they cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_messages: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_free_bytes: Option<u64>,
    pub transfers_running: u64,
    pub transfers_waiting: u64,
    pub transfers_done: u64,
    pub transfers_ended_early: u64,
    pub transfers_refused: u64,
    pub transfer_bytes: u64,
    /// `None`, as those below: the server is the only one of its chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// `None`: none has led yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leads: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_lag: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposals_waiting: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uplink_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings_differing: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_reachable: Option<bool>,
    /// Why the engine cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_trouble: Option<String>,
}

/// How a number changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// It only grows, and starts at 0 with the server.
    Counter,
    Gauge,
}

/// A number of [`ServerNumbers`].
#[derive(Debug)]
pub struct ServerNumber {
    /// Its member in JSON. The metric has `lanchat_` before it, and a counter `_total` behind it.
    pub member: &'static str,
    pub kind: NumberKind,
    /// Its meaning, as a sentence.
    pub help: &'static str,
    /// `None`: the server does not know it.
    pub read: fn(&ServerNumbers) -> Option<u64>,
}

/// The member with refused connections, whose metric has a label for the reason.
pub const REFUSED: (&str, &str) =
    ("refused", "Connections that the server did not let in since its start, by reason.");

/// Members that are texts.
pub const TEXTS: [(&str, &str); 7] = [
    ("name", "The server's name."),
    ("id", "The server's id: its key's fingerprint in hexadecimal digits."),
    ("version", "The server's version."),
    ("trouble", "Why the server cannot store messages; absent while it can."),
    ("node", "In a chat of several servers, this server's name among them."),
    ("leader", "There, the name of the server that leads; absent while the server cannot use the engine."),
    ("engine_trouble", "There, why the server cannot use the engine; absent while it can."),
];

macro_rules! numbers {
    ($($kind:ident $member:ident = $read:expr, $help:literal;)+) => {
        /// Every number, in the order of the man page and the metrics.
        pub const NUMBERS: &[ServerNumber] = &[$(ServerNumber {
            member: stringify!($member),
            kind: NumberKind::$kind,
            help: $help,
            read: $read,
        }),+];
    };
}

numbers! {
    Gauge uptime_seconds = |n| Some(n.uptime_seconds), "Seconds since the server's start.";
    Gauge users = |n| Some(n.users), "Users who are present.";
    Gauge connections = |n| Some(n.connections), "Connections to the chat.";
    Gauge places_taken = |n| Some(n.places_taken), "Connections that count towards --max-clients.";
    Gauge max_clients = |n| Some(n.max_clients), "The limit for these (--max-clients).";
    Gauge handshakes = |n| Some(n.handshakes), "TLS handshakes in progress.";
    Gauge handshakes_waiting = |n| Some(n.handshakes_waiting),
        "Connections that have not begun their handshake, or wait for their turn.";
    Gauge held_bytes = |n| Some(n.held_bytes),
        "Bytes held for clients: backlogs of those that read slowly, unfinished packets, and transfers.";
    Gauge held_limit_bytes = |n| Some(n.held_limit_bytes), "The limit for these, a share of --memory.";
    Counter slow_readers_closed = |n| Some(n.slow_readers_closed),
        "Clients closed because they did not read (--backlog).";
    Counter memory_closed = |n| Some(n.memory_closed), "Clients closed because memory was short (--memory).";
    Gauge memory_bytes = |n| n.memory_bytes, "Memory of the process; absent if the system does not tell.";
    Gauge memory_limit_bytes = |n| Some(n.memory_limit_bytes), "The limit for the process (--memory).";
    Counter messages = |n| Some(n.messages), "Messages that the server has accepted since its start.";
    Gauge storing = |n| Some(n.storing.into()),
        "Whether the database takes messages: in JSON true or false, as a metric 1 or 0.";
    Gauge stored_messages = |n| n.stored_messages,
        "Messages in the database, with changes and notices of delivery; in a big one, counted some seconds ago.";
    Gauge database_bytes = |n| n.database_bytes, "Size of the database and its log.";
    Gauge disk_free_bytes = |n| n.disk_free_bytes, "Free space on the database's disk.";
    Gauge transfers_running = |n| Some(n.transfers_running), "Transfers of files in progress.";
    Gauge transfers_waiting = |n| Some(n.transfers_waiting),
        "Connections for a transfer whose other side is not there yet.";
    Counter transfers_done = |n| Some(n.transfers_done), "Transfers whose receivers have everything, or seem to.";
    Counter transfers_ended_early = |n| Some(n.transfers_ended_early), "Transfers that ended early.";
    Counter transfers_refused = |n| Some(n.transfers_refused), "Connections that no transfer admitted.";
    Counter transfer_bytes = |n| Some(n.transfer_bytes), "Bytes of files passed on.";
    Gauge leads = |n| n.leads.map(u64::from),
        "In a chat of several servers, as all below: whether this server leads. In JSON true or false, as a metric 1 \
         or 0.";
    Gauge term = |n| n.term, "How often the lead has changed.";
    Gauge log_position = |n| n.log_position, "The last record of the servers' log that the server has read.";
    Gauge log_lag = |n| n.log_lag, "Records that it has read, and not carried out yet.";
    Gauge proposals_waiting = |n| n.proposals_waiting,
        "Results that a server that leads has sent to the log, and has not read there yet.";
    Gauge uplink_bytes = |n| n.uplink_bytes,
        "Bytes of input of this server's people that the server that leads has not taken yet.";
    Gauge settings_differing = |n| n.settings_differing,
        "Settings of the chat that this server knows to differ at another one: its log and lanchat cluster status name them.";
    Gauge engine_reachable = |n| n.engine_reachable.map(u64::from),
        "Whether the server can use the engine: in JSON true or false, as a metric 1 or 0.";
}

impl ServerNumbers {
    /// The numbers as lines for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.presence(), self.admission(), self.memory(), self.history()];
        lines.extend(self.transfers());
        lines.extend(self.servers());
        lines.extend(self.engine_trouble.as_ref().map(|why| format!("messages wait for the engine: {why}")));
        lines.extend(self.trouble.as_ref().map(|why| format!("messages are not being stored: {why}")));
        lines
    }

    fn presence(&self) -> String {
        let ServerInfo { name, id, version } = &self.server;
        let plural = if self.connections == 1 { "" } else { "s" };
        let here = if self.users == 1 { "1 user is".into() } else { format!("{} users are", self.users) };
        format!(
            "{name} (id {}, lanchat {version}) up {}; {here} here over {} connection{plural}",
            id.get(..8).unwrap_or(id),
            about(Duration::from_secs(self.uptime_seconds)),
            self.connections
        )
    }

    fn admission(&self) -> String {
        let refused: Vec<String> = self
            .refused
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(reason, count)| format!("{count} {}", reason.replace('_', " ")))
            .collect();
        let refused = match refused.as_slice() {
            [] => "no connections refused".to_owned(),
            some => format!("connections refused since the start: {}", some.join(", ")),
        };
        format!(
            "{} of {} places taken; {} in their handshake, {} waiting for it; {refused}",
            self.places_taken, self.max_clients, self.handshakes, self.handshakes_waiting
        )
    }

    fn memory(&self) -> String {
        let used = self.memory_bytes.map_or_else(String::new, |used| {
            format!("{} of {} of memory used; ", size(used), size(self.memory_limit_bytes))
        });
        format!(
            "{used}{} of {} hold data for clients; closed: {} slow to read, {} for memory",
            size(self.held_bytes),
            size(self.held_limit_bytes),
            self.slow_readers_closed,
            self.memory_closed
        )
    }

    fn history(&self) -> String {
        let plural = if self.messages == 1 { "" } else { "s" };
        let mut text = format!("{} message{plural} since the start", self.messages);
        if let Some(stored) = self.stored_messages {
            text += &format!("; {stored} stored");
        }
        if let (Some(bytes), Some(free)) = (self.database_bytes, self.disk_free_bytes) {
            text += &format!("; {} of database, {} free on its disk", size(bytes), size(free));
        }
        text
    }

    /// `None` if it is the only server of its chat.
    fn servers(&self) -> Option<String> {
        let (node, position, lag) = (self.node.as_ref()?, self.log_position?, self.log_lag?);
        let leader = match (self.leads, &self.leader) {
            (Some(true), _) => "which leads".to_owned(),
            (_, Some(leader)) => format!("and {leader} leads"),
            (_, None) if self.engine_trouble.is_some() => "which cannot tell who leads".to_owned(),
            (_, None) => "and none leads".to_owned(),
        };
        let plural = if lag == 1 { "" } else { "s" };
        let waiting =
            match (self.proposals_waiting.unwrap_or_default(), self.uplink_bytes.unwrap_or_default()) {
                (0, 0) => String::new(),
                (results, bytes) => format!("; on their way: {results} results, {} of input", size(bytes)),
            };
        let differing = match self.settings_differing.unwrap_or_default() {
            0 => String::new(),
            1 => "; 1 setting differs at another server (lanchat cluster status)".to_owned(),
            count => format!("; {count} settings differ at another server (lanchat cluster status)"),
        };
        Some(format!(
            "one of several servers: {node}, {leader} (term {}); at position {position} of the log, {lag} \
             record{plural} to carry out{waiting}{differing}",
            self.term.unwrap_or_default()
        ))
    }

    /// `None` if there was none.
    fn transfers(&self) -> Option<String> {
        let refused = match self.transfers_refused {
            0 => String::new(),
            refused => format!(", {refused} connections refused"),
        };
        let has_any = self.transfers_running
            + self.transfers_done
            + self.transfers_ended_early
            + self.transfers_refused
            > 0;
        has_any.then(|| {
            format!(
                "files: {} running, {} done, {} ended early{refused}; {} passed on",
                self.transfers_running,
                self.transfers_done,
                self.transfers_ended_early,
                size(self.transfer_bytes)
            )
        })
    }
}

/// A size in the unit that leaves it at least one digit before the point.
pub fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let power = (1..=units.len()).rev().find(|power| bytes >> (10 * power) > 0);
    let Some(power) = power else { return format!("{bytes} bytes") };
    let tenths = u128::from(bytes) * 10 / (1 << (10 * power));
    format!("{}.{} {}", tenths / 10, tenths % 10, units[power - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn numbers() -> ServerNumbers {
        ServerNumbers {
            server: ServerInfo { id: "01e962ba44".into(), name: "Office".into(), version: "0.1.0".into() },
            uptime_seconds: 7384,
            users: 3,
            connections: 5,
            refused: [("full".to_owned(), 3), ("banned".to_owned(), 0)].into(),
            memory_bytes: Some(14 << 20),
            memory_limit_bytes: 2 << 30,
            storing: true,
            trouble: Some("the disk is full".into()),
            stored_messages: Some(340),
            database_bytes: Some(1_300_000),
            disk_free_bytes: Some(30 << 30),
            transfers_done: 1,
            transfer_bytes: 700,
            node: Some("b".into()),
            leader: Some("a".into()),
            leads: Some(false),
            term: Some(3),
            log_position: Some(120),
            log_lag: Some(1),
            proposals_waiting: Some(0),
            uplink_bytes: Some(2048),
            settings_differing: Some(2),
            engine_reachable: Some(false),
            engine_trouble: Some("no answer".into()),
            ..ServerNumbers::default()
        }
    }

    #[test]
    fn every_member_is_in_the_table_and_keeps_its_name() {
        let json = serde_json::to_value(numbers()).unwrap();
        let members: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let named = NUMBERS.iter().map(|number| number.member).chain(TEXTS.map(|(member, _)| member));
        assert_eq!(members, named.chain([REFUSED.0]).collect());
        assert_eq!(serde_json::from_value::<ServerNumbers>(json.clone()).unwrap(), numbers());
        for number in NUMBERS.iter().filter(|number| !json[number.member].is_boolean()) {
            assert_eq!(json[number.member].as_u64(), (number.read)(&numbers()), "{}", number.member);
        }
    }

    #[test]
    fn people_read_them_as_sentences() {
        let text = numbers().lines().join("\n");
        let expected = "\
Office (id 01e962ba, lanchat 0.1.0) up 2h 3m; 3 users are here over 5 connections
0 of 0 places taken; 0 in their handshake, 0 waiting for it; connections refused since the start: 3 full
14.0 MiB of 2.0 GiB of memory used; 0 bytes of 0 bytes hold data for clients; closed: 0 slow to read, 0 for memory
0 messages since the start; 340 stored; 1.2 MiB of database, 30.0 GiB free on its disk
files: 0 running, 1 done, 0 ended early; 700 bytes passed on
one of several servers: b, and a leads (term 3); at position 120 of the log, 1 record to carry out; on their way: 0 \
         results, 2.0 KiB of input; 2 settings differ at another server (lanchat cluster status)
messages wait for the engine: no answer
messages are not being stored: the disk is full";
        assert_eq!(text, expected);
        let cut_off = ServerNumbers { leader: None, ..numbers() };
        let text = cut_off.lines().join("\n");
        assert!(
            text.contains("\none of several servers: b, which cannot tell who leads (term 3);"),
            "{text}"
        );
    }
}
