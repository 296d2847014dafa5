//! What the server costs under load, next to a floor that does nothing but write.
//!
//! `cargo bench --bench load` starts a raw epoll relay and `lanchat serve` in turn, the latter with
//! clients that speak plaintext, with clients that speak TLS, and with a history on the disk, each as a
//! process of its own on loopback, and prints their figures side by side. Only ratios within one run compare: machines
//! differ, and are shared.

#![allow(unreachable_pub, clippy::expect_used, clippy::new_without_default, reason = "a program of its own")]

#[cfg(target_os = "linux")]
mod clients;
#[cfg(target_os = "linux")]
mod figures;
#[cfg(target_os = "linux")]
mod floor;
#[cfg(target_os = "linux")]
mod phases;
#[cfg(target_os = "linux")]
mod plan;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
#[path = "../../tests/integration/support/tls.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod tls;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("load: memory and CPU time are read from /proc, so this bench needs Linux");
}
