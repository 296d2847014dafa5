//! How a server of several is doing: for operators, and for programs that ask over the engine.

use super::chat_settings::ChatSettings;
use serde::{Deserialize, Serialize};

/// See the module. Members may be added, and never change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeReport {
    /// Its name and number among the servers of the chat.
    pub name: String,
    pub number: u8,
    /// Of lanchat.
    pub version: String,
    pub leads: bool,
    /// The name of the server that leads, and the last known term; `None`: none has led yet, or the server cannot use the
    /// engine, and so cannot know.
    pub leader: Option<String>,
    pub term: u64,
    /// The last record of the log that it has read.
    pub position: u64,
    /// Records that it has read, and not carried out yet.
    pub lag: u64,
    /// Results of the rules that are not in the log yet.
    pub proposals: u64,
    /// Bytes of its people's input that the server that leads has not taken yet.
    pub uplink_bytes: u64,
    pub connections: u64,
    /// Users who are connected to it, and those at all servers.
    pub users: u64,
    pub present: u64,
    /// Whether its database works.
    pub storing: bool,
    /// Why it cannot use the engine.
    pub engine_trouble: Option<String>,
    /// Why it takes no part in the chat any more.
    pub stopped: Option<String>,
    /// Its clock, in milliseconds of Unix time.
    pub clock: i64,
    pub uptime_seconds: u64,
    /// Its settings that concern the chat as a whole.
    pub settings: ChatSettings,
    /// How many of these it knows to differ at another server.
    pub settings_differing: u64,
}
