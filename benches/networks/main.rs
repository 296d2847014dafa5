//! Finding the server, and being told why not, in some sixty networks, each row beside the figure of version
//! 0.1.0 on 26 November 2026 (a release binary, two shared CPUs).
//!
//! `cargo bench --bench networks` as root (Linux, `ip`, `nft`, `nsenter`, `unshare`); at most ten minutes, `--
//! --quick` three. `-- --only NAME` runs the cases with NAME in their names, `-- --list` names them, `-- --all`
//! prints what `doctor` says in full. `LANCHAT_BIN` names another binary than the one that cargo built.
//!
//! It drives the binary as people do, and goes by what they see. All networks are namespaces without names, in
//! a process namespace of their own: with the program all of it is gone, however it ends.

#![allow(
    unreachable_pub,
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a program of its own"
)]

#[cfg(target_os = "linux")]
mod cases;
#[cfg(target_os = "linux")]
mod fakes;
#[cfg(target_os = "linux")]
mod figures;
#[cfg(target_os = "linux")]
#[path = "../../tests/integration/support/lan.rs"]
mod lan;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod pasted;
#[cfg(target_os = "linux")]
mod person;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod talker;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("networks: network namespaces are a thing of Linux");
}
