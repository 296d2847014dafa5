//! Files from person to person, beside a relay that does nothing else.
//!
//! `cargo bench --bench transfer` sends a file of 2 GiB from `lanchat send --file` through `lanchat serve` to
//! `lanchat receive`, and the same file through three socat processes: a sender, a relay that ends TLS on both sides,
//! and a receiver. Both in turn, on a memory file system, with TLS 1.3; time and CPU of all processes together. It
//! compares the file afterwards, and prints the medians and the ratios.
//!
//! - `--bytes N`, `--turns N`: another size, and how often (5).
//! - `--link RATE`: between three hosts in network namespaces whose links are shaped to this rate (`1gbit`; root).
//! - `--plaintext`: without TLS, beside a plain relay.
//! - `--wormhole`: beside Magic Wormhole over its own relay instead of socat. It needs these in the `PATH`, for example
//!   from `pip install magic-wormhole magic-wormhole-mailbox-server magic-wormhole-transit-relay`, and ports 4000 and
//!   4001.
//! - `--chat N`: instead, the delay of chat messages while N transfers run at full speed, beside the delay without.
//! - `--cuts N`: instead, N transfers of up to `--bytes` whose connections break at random bytes, while the server is
//!   killed `--kills` times (10); each file is compared, and nothing may be left behind. `--seed N` repeats the dice.
//!
//! `LANCHAT_BIN` names another build of the program. Needs socat and openssl; `--link` also `ip` and `tc`.

#![allow(
    unreachable_pub,
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a program of its own"
)]

#[cfg(target_os = "linux")]
mod program {
    pub mod chat;
    pub mod cuts;
    pub mod dice;
    pub mod figures;
    #[path = "../../../tests/integration/support/lan.rs"]
    pub mod lan;
    pub mod lanchat;
    pub mod options;
    pub mod place;
    pub mod socat;
    pub mod speed;
    pub mod wire;
    pub mod wormhole;
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    match program::options::Options::from_args() {
        Ok(options) => match program::speed::run(&options) {
            Ok(()) => std::process::ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("transfer: {error:#}");
                std::process::ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!(
                "transfer: {error}; there are --bytes N, --turns N, --link RATE, --plaintext, --wormhole, --chat N, --cuts N, \
                 --kills N and --seed N"
            );
            std::process::ExitCode::from(2)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("transfer: runs on Linux only");
}
