//! Finding servers, on real multicast between hosts.

mod announce;
mod avahi;
#[cfg(unix)]
mod chat;
#[cfg(target_os = "linux")]
mod copies;
mod doctor;
mod doctor_program;
mod find;
mod list;
mod network;
mod search;
mod serve;
mod station;
#[cfg(target_os = "linux")]
mod tab;
mod told;
