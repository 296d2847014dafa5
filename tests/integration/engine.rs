//! The log of a chat on several servers, in real NATS servers: nothing is lost, doubled or merged, whatever happens to them.
//!
//! `LANCHAT_NATS_SERVER` names a server that is new enough, `LANCHAT_OLD_NATS_SERVER` one that is not; otherwise
//! `nats-server` is looked for in the PATH.

mod checks;
mod cluster;
mod core;
mod latency;
mod reader;
mod servers;
mod single;
mod storm;
