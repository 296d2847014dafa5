//! The files of a chat of several servers: what one of them brings along to join (`a.join`), what it needs at
//! each start (`engine.toml`), and the settings of its engine (`nats-server.conf`).
//!
//! Knows their form and whether they make sense, and neither where they are nor who uses them.

mod engine_file;
mod error;
mod join_file;
mod nats_conf;
mod servers;
mod text_file;

pub use engine_file::{EngineAccess, EngineFile, EngineTlsFiles};
pub use error::ClusterFileError;
pub use join_file::{ClusterPorts, JoinFile};
pub use nats_conf::{ConfPlaces, UnusualPath, nats_conf};
pub use servers::{ClusterServer, NodeHost, NodeName, ServerList, ServerListError};
