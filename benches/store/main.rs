//! The store's cost: messages per second, catching up, searches, opening, and memory.
//!
//! `cargo bench --bench store` makes a history of a million messages below the target directory, which
//! takes minutes and 1.5 GB; `-- --quick` makes a small one, and `-- --mixed` searches in one of many scripts
//! instead. Figures depend on the disk: each commit
//! waits for it.

#![allow(unreachable_pub, clippy::expect_used, reason = "a program of its own")]

#[cfg(target_os = "linux")]
mod commits;
#[cfg(target_os = "linux")]
mod floor;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod mixed;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod reading;
#[cfg(target_os = "linux")]
#[path = "../rig/mod.rs"]
#[allow(dead_code, reason = "shared with other benches, which use more of it")]
mod rig;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod sizes;
#[cfg(target_os = "linux")]
mod talk;
#[cfg(target_os = "linux")]
mod times;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("store: memory is read from /proc, so this bench needs Linux");
}
