//! What attackers achieve against the server, next to the bounds that it promises.
//!
//! `cargo bench --bench abuse` puts a fresh server, attackers and honest people on hosts of a network in
//! namespaces (Linux, as root) for each attack, and prints what was measured. It fails if a bound does
//! not hold. Every attack is bounded in number and time.

#![allow(
    unreachable_pub,
    dead_code,
    clippy::expect_used,
    clippy::new_without_default,
    reason = "a program of its own"
)]
#![allow(clippy::unwrap_used, missing_docs, reason = "a program of its own")]

#[cfg(target_os = "linux")]
#[path = "../../tests/integration/support/browser.rs"]
mod browser;
#[cfg(target_os = "linux")]
#[path = "../../tests/integration/support/lan.rs"]
mod lan;
#[cfg(target_os = "linux")]
#[path = "../../tests/integration/support/peer.rs"]
mod peer;
#[cfg(target_os = "linux")]
#[path = "../rig/process.rs"]
mod process;
#[cfg(target_os = "linux")]
#[path = "../store/talk.rs"]
mod talk;
#[cfg(target_os = "linux")]
#[path = "../../tests/integration/support/tls.rs"]
mod tls;

#[cfg(target_os = "linux")]
mod askers;
#[cfg(target_os = "linux")]
mod browsers;
#[cfg(target_os = "linux")]
mod connections;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod people;
#[cfg(target_os = "linux")]
mod places;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod readers;
#[cfg(target_os = "linux")]
mod requests;
#[cfg(target_os = "linux")]
mod secrets;
#[cfg(target_os = "linux")]
mod stage;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("abuse: its hosts are network namespaces, so this bench needs Linux");
}
