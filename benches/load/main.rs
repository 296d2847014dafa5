//! The server's cost under load, next to a floor that only writes.
//!
//! `cargo bench --bench load` starts a raw epoll relay and `lanchat serve` in turn, each with clients
//! that speak plaintext and with clients that speak TLS, and the latter with a history on the disk as
//! well: each as a process of its own on loopback. It prints their figures side by side. Only ratios
//! within one run compare: machines differ, and are shared.
//!
//! `-- --directs` and `-- --rooms` compare messages from person to person and in rooms with a relay that
//! looks up the receivers in a hash table and, for a direct message, answers a receipt. Each message counts:
//! lost, doubled, corrupt or out of order, and each receipt.

#![allow(unreachable_pub, missing_docs, clippy::expect_used, reason = "a program of its own")]

#[cfg(target_os = "linux")]
mod arrivals;
#[cfg(target_os = "linux")]
mod chart;
#[cfg(target_os = "linux")]
mod crowd;
#[cfg(target_os = "linux")]
mod figures;
#[cfg(target_os = "linux")]
mod floor;
#[cfg(target_os = "linux")]
mod groups;
#[cfg(target_os = "linux")]
mod kind;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod phases;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod prompt;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
#[path = "../rig/mod.rs"]
#[allow(dead_code, reason = "shared with other benches, which use more of it")]
mod rig;
#[cfg(target_os = "linux")]
mod screen;
#[cfg(target_os = "linux")]
mod seekers;
#[cfg(target_os = "linux")]
mod slow;
#[cfg(target_os = "linux")]
mod starts;
#[cfg(target_os = "linux")]
mod storm;
#[cfg(target_os = "linux")]
mod turn;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("load: memory and CPU time are read from /proc, so this bench needs Linux");
}
