//! The long crash test: the same storm as in the tests, for minutes instead of seconds.
//!
//! `cargo bench --bench crash -- --kills 200 --messages 10000` kills `lanchat serve` on loopback with
//! SIGKILL at random moments while people talk over connections that break, a third of them in browsers, and then compares what each
//! of them holds with what the server kept. `LANCHAT_SEED` repeats the dice of a run. It fails if
//! anything is missing, double, out of order, or in the wrong hands.
//!
//! `cargo bench --bench crash -- --faults 200` does what happens to real servers besides: older backups are put
//! back, the clock is wrong by a day or a year, the disk is full, the database is deleted. `--minutes N` ends
//! it in any case; `--seed N` repeats its dice, and not the machine's; with `--lose 1` a message is taken away,
//! and it fails unless that is found.
//!
//! `cargo bench --bench crash -- --servers 3 --kills 100` as root (Linux, `ip`, `nsenter`, nats-server 2.10.23 or newer in
//! the PATH or in `LANCHAT_NATS_SERVER`) sets up a chat of three servers, each on a machine of its own with an engine, and
//! has one of them fail after another: killed, stopped, frozen, cut off, with an older copy of its data. It prints how long
//! it takes until everybody talks again, and compares what people hold with all three databases. `LANCHAT_FAULTS=WORDS`:
//! only faults with these words in their line; `LANCHAT_KEEP=1` keeps all files, with debug logs; `LANCHAT_STEPS=1` prints
//! who does not talk yet at each step, and what the servers say of themselves if that lasts.

#![allow(
    unreachable_pub,
    dead_code,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::new_without_default,
    missing_docs,
    reason = "a program of its own"
)]

#[cfg(unix)]
use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
#[path = "../../tests/integration/support/lan.rs"]
mod lan;
#[cfg(unix)]
mod peer {
    /// How long the small disk and a browser wait for anything.
    pub const DEADLINE: std::time::Duration = std::time::Duration::from_secs(20);
}
#[cfg(unix)]
#[path = "../../tests/integration/support/browser.rs"]
mod browser;
#[cfg(unix)]
#[path = "../../tests/integration/support/clock.rs"]
mod clock;
#[cfg(unix)]
#[path = "../../tests/integration/support/one_engine.rs"]
mod one_engine;
#[cfg(unix)]
#[path = "../../tests/integration/support/one_node.rs"]
mod one_node;
#[cfg(unix)]
#[path = "../../tests/integration/support/process.rs"]
mod process;
#[cfg(target_os = "linux")]
mod servers;
#[cfg(target_os = "linux")]
#[path = "../../tests/integration/support/small_disk.rs"]
mod small_disk;
#[cfg(unix)]
#[path = "../../tests/integration/support/storm/mod.rs"]
#[allow(unused_imports, reason = "its own tests do not run here")]
mod storm;
#[cfg(unix)]
#[path = "../../tests/integration/support/tls.rs"]
mod tls;

#[cfg(unix)]
fn main() -> ExitCode {
    let mut plan = storm::plan::Plan { seed: 0, kills: 200, messages: 10_000 };
    let (mut faults, mut minutes, mut lose, mut seed, mut servers) = (None, 60, 0, None, 1);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        // From cargo.
        if word == "--bench" {
            continue;
        }
        let number = words.next().and_then(|number| number.parse::<u64>().ok());
        let count = number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
        match word.as_str() {
            "--kills" => plan.kills = count,
            "--messages" => plan.messages = count,
            "--faults" => faults = Some(count),
            "--minutes" => minutes = number.unwrap_or_default(),
            "--seed" => seed = number,
            "--lose" => lose = count,
            "--servers" => servers = count,
            other => {
                eprintln!(
                    "crash: {other} is unknown; there are --kills N and --messages N, with --servers 3 and --minutes N or \
                     without, or --faults N with --minutes N, --seed N and --lose 1"
                );
                return ExitCode::from(2);
            }
        }
        if number.is_none() {
            eprintln!("crash: {word} needs a number");
            return ExitCode::from(2);
        }
    }
    plan.seed = seed.unwrap_or_else(storm::dice::seed);
    let start = std::time::Instant::now();
    let is_good = match faults {
        _ if servers == 3 => fail_in_turn(&plan, minutes),
        Some(rounds) => go_wrong(plan.seed, rounds, minutes, lose > 0),
        None => {
            let report = storm::plan::run(plan);
            print!("{report}");
            report.verdict.faults.is_empty()
        }
    };
    println!("{:>8.1} seconds", start.elapsed().as_secs_f64());
    ExitCode::from(u8::from(!is_good))
}

#[cfg(target_os = "linux")]
fn go_wrong(seed: u64, rounds: usize, minutes: u64, lose: bool) -> bool {
    match faults::run(faults::Plan { seed, rounds, minutes, lose }) {
        Ok(report) => {
            print!("{report}");
            report.is_good()
        }
        Err(wrong) => {
            wrong.iter().for_each(|wrong| println!("the judge is wrong: {wrong}"));
            false
        }
    }
}

#[cfg(target_os = "linux")]
fn fail_in_turn(plan: &storm::plan::Plan, minutes: u64) -> bool {
    let storm::plan::Plan { seed, kills: faults, messages } = *plan;
    let report = servers::run(servers::Plan { seed, faults, messages, minutes });
    print!("{report}");
    report.is_good()
}

#[cfg(all(unix, not(target_os = "linux")))]
fn fail_in_turn(_: &storm::plan::Plan, _: u64) -> bool {
    eprintln!("crash: --servers needs Linux: network namespaces");
    false
}

#[cfg(not(target_os = "linux"))]
fn go_wrong(_: u64, _: usize, _: u64, _: bool) -> bool {
    eprintln!("crash: --faults needs Linux: a small disk and a clock that is wrong");
    false
}

#[cfg(not(unix))]
fn main() {
    eprintln!("crash: SIGKILL and orderly ends by signals need Unix");
}
