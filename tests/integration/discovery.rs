//! Finding servers, on real multicast between hosts.

mod avahi;
mod doctor;
mod find;
mod network;
mod search;
mod serve;
mod station;
mod told;
