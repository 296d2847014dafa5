//! The integration tests: one binary, a module a behaviour.
//!
//! Modules for Unix only use pseudoterminals or signals; those for Linux also network namespaces, `/proc` or small
//! disks. The others run on Windows as well.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

#[cfg_attr(windows, allow(dead_code, reason = "tests that need Unix use the rest"))]
mod support;

#[cfg(target_os = "linux")]
mod airgap;
mod askers;
mod books;
#[cfg(target_os = "linux")]
mod browser;
mod catching_up;
mod changes;
#[cfg(target_os = "linux")]
mod clock;
mod closed;
mod cluster;
#[cfg(target_os = "linux")]
mod cluster_setup;
mod command_line;
#[cfg(unix)]
mod console;
#[cfg(unix)]
mod conversation;
#[cfg(unix)]
mod crash;
#[cfg(unix)]
mod cutover;
#[cfg(target_os = "linux")]
mod damage;
mod dependencies;
mod discovery;
mod encrypted;
#[cfg(all(unix, feature = "nats"))]
mod engine;
#[cfg(unix)]
mod examples;
mod file_transfer;
#[cfg(target_os = "linux")]
mod full_disk;
// What is committed names directories of Unix.
#[cfg(unix)]
mod generated;
mod history;
mod history_files;
#[cfg(target_os = "linux")]
mod lost_ends;
#[cfg(target_os = "linux")]
mod manual;
mod memory;
mod moderation;
#[cfg(unix)]
mod moves;
#[cfg(unix)]
mod named_files;
#[cfg(target_os = "linux")]
mod once;
#[cfg(unix)]
mod packaging;
mod plain;
mod plain_english;
#[cfg(unix)]
mod programs;
#[cfg(unix)]
mod prompt;
#[cfg(unix)]
mod prompt_cmdline;
#[cfg(unix)]
mod prompt_files;
#[cfg(unix)]
mod prompt_name;
#[cfg(target_os = "linux")]
mod prompt_numbered;
#[cfg(unix)]
mod prompt_places;
#[cfg(unix)]
mod prompt_reading;
#[cfg(unix)]
mod prompt_session;
#[cfg(unix)]
mod prompt_stopped;
#[cfg(unix)]
mod prompt_typing;
mod protocol_document;
#[cfg(unix)]
mod reload;
#[cfg(unix)]
mod rendezvous;
mod replaced_system;
#[cfg(target_os = "linux")]
mod rescue;
#[cfg(unix)]
mod restored;
#[cfg(unix)]
mod security;
#[cfg(target_os = "linux")]
mod serve_page;
#[cfg(unix)]
mod server_process;
#[cfg(target_os = "linux")]
mod service_manager;
mod sessions;
#[cfg(unix)]
mod several_servers;
mod slow_readers;
#[cfg(unix)]
mod stateless;
#[cfg(target_os = "linux")]
mod strays;
mod stress;
#[cfg(unix)]
mod tab;
mod tail;
mod tidy;
mod transfer;
#[cfg(unix)]
mod trust;
#[cfg(unix)]
mod watched;
mod web;
mod wire;
#[cfg(unix)]
mod workflows;
