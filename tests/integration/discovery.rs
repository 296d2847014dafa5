//! Finding servers, on real multicast between hosts.

mod avahi;
mod doctor;
mod doctor_program;
mod find;
mod network;
mod search;
mod serve;
mod station;
