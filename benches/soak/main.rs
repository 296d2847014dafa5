//! A server in use for half an hour: does it stay as small as it was?
//!
//! `cargo bench --bench soak` has thousands of clients talk, flood and keep silent in turn while some
//! leave, others come and some change their names. It fails if memory in the silent spells of the end
//! differs from that of the beginning, if a descriptor stays open when all have left, or if anything is
//! lost, doubled, corrupt or out of order.
//!
//! With `--hostile 1` one in a hundred more does harm in every way there is, after a stretch in peace. Then
//! it fails too if that grows with time, or if people notice it: latency, memory, descriptors and threads.

#![allow(unreachable_pub, missing_docs, reason = "a program of its own")]

#[cfg(target_os = "linux")]
mod flat;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
mod life;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
#[path = "../rig/mod.rs"]
#[allow(dead_code, reason = "shared with other benches, which use more of it")]
mod rig;
#[cfg(target_os = "linux")]
mod verdict;
#[cfg(target_os = "linux")]
mod watch;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("soak: memory and descriptors are read from /proc, so this bench needs Linux");
}
