//! The long crash test: the same storm as in the tests, for minutes instead of seconds.
//!
//! `cargo bench --bench crash -- --kills 200 --messages 10000` kills `lanchat serve` on loopback with
//! SIGKILL at random moments while people talk over connections that break, and then compares what each
//! of them holds with what the server kept. `LANCHAT_SEED` repeats the dice of a run. It fails if
//! anything is missing, double, out of order, or in the wrong hands.

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
#[path = "../../tests/integration/support/process.rs"]
mod process;
#[cfg(unix)]
#[path = "../../tests/integration/support/storm/mod.rs"]
#[allow(unused_imports, reason = "its own tests do not run here")]
mod storm;
#[cfg(unix)]
#[path = "../../tests/integration/support/tls.rs"]
mod tls;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let mut plan = storm::plan::Plan { seed: 0, kills: 200, messages: 10_000 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let figure = match word.as_str() {
            "--kills" => &mut plan.kills,
            "--messages" => &mut plan.messages,
            // From cargo.
            "--bench" => continue,
            other => {
                eprintln!("crash: {other} is unknown; there are --kills N and --messages N");
                return std::process::ExitCode::from(2);
            }
        };
        let Some(number) = words.next().and_then(|number| number.parse().ok()) else {
            eprintln!("crash: {word} needs a number");
            return std::process::ExitCode::from(2);
        };
        *figure = number;
    }
    plan.seed = storm::dice::seed();
    let start = std::time::Instant::now();
    let report = storm::plan::run(plan);
    print!("{report}");
    println!("{:>8.1} seconds", start.elapsed().as_secs_f64());
    std::process::ExitCode::from(u8::from(!report.verdict.faults.is_empty()))
}

#[cfg(not(unix))]
fn main() {
    eprintln!("crash: SIGKILL and orderly ends by signals need Unix");
}
