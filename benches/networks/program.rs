//! The program: a process namespace of its own, the cases one after the other or several at a time, and what it
//! prints.

use super::cases::{self, Case};
use super::figures::Outcome;
use super::options::{HELP, Plan};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Says that this is the inner process.
const INSIDE: &str = "LANCHAT_NETWORKS_INSIDE";

/// Cases at a time of those that mostly wait.
const TOGETHER: usize = 4;

pub fn main() -> ExitCode {
    let plan = match Plan::parse(std::env::args().skip(1)) {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("networks: {why}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let mut cases = cases::all();
    let is_exact = cases.iter().any(|case| plan.only.as_ref() == Some(&case.name));
    cases.retain(
        |case| if is_exact { plan.only.as_ref() == Some(&case.name) } else { plan.wants(&case.name) },
    );
    if plan.list {
        cases.iter().for_each(|case| println!("{}", case.name));
        return ExitCode::SUCCESS;
    }
    if std::env::var_os(INSIDE).is_none() {
        return within();
    }
    std::thread::spawn(end_with_the_outer);
    // The case's row shows the error.
    std::panic::set_hook(Box::new(|_| {}));
    run(&plan, &cases)
}

/// Runs this program in a process namespace, which takes all that it started with it when it ends.
fn within() -> ExitCode {
    if !rustix::process::getuid().is_root() {
        eprintln!("networks: network namespaces are for root; run it with sudo");
        return ExitCode::from(2);
    }
    let own = std::env::current_exe().expect("this program");
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--"]).arg(own);
    command.args(std::env::args().skip(1)).env(INSIDE, "1").stdin(Stdio::piped());
    let ended = command.spawn().and_then(|mut child| {
        // Held open until the inner one has ended; it ends when this is closed, however that comes about.
        let _held = child.stdin.take();
        child.wait()
    });
    match ended {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("networks: cannot run unshare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn end_with_the_outer() {
    let mut nothing = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut nothing);
    std::process::exit(130);
}

fn run(plan: &Plan, cases: &[Case]) -> ExitCode {
    let (start, most) = (Instant::now(), Duration::from_secs(plan.seconds()));
    let deadline = start + most;
    println!("{}", super::person::binary().display());
    println!("times in ms: p50 / p90 / max, good of all; then: 26 Nov 2026, a release binary\n");
    let mut broken = 0;
    for case in cases.iter().filter(|case| !case.waits) {
        broken += show(case, &judge(plan, case, deadline));
    }
    for (case, outcome) in together(plan, cases, deadline) {
        broken += show(case, &outcome);
    }
    println!(
        "\n{} cases in {:.0} s; {broken} could not be tried",
        cases.len(),
        start.elapsed().as_secs_f64()
    );
    ExitCode::from(u8::from(broken > 0))
}

/// The cases that mostly wait, several at a time; the outcomes in their order.
fn together<'a>(plan: &Plan, cases: &'a [Case], deadline: Instant) -> Vec<(&'a Case, Outcome)> {
    let waiting: Vec<&Case> = cases.iter().filter(|case| case.waits).collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some(case) = waiting.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = judge(plan, case, deadline);
                    done.lock().expect("a lock").push((*case, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("a lock");
    done.sort_by_key(|(case, _)| waiting.iter().position(|other| other.name == case.name));
    done
}

fn judge(plan: &Plan, case: &Case, deadline: Instant) -> Outcome {
    if plan.quick && case.slow {
        return Outcome::Not("left out by --quick".into());
    }
    if Instant::now() >= deadline {
        return Outcome::Not("no time was left for it".into());
    }
    let done = catch_unwind(AssertUnwindSafe(|| (case.run)(plan)));
    done.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it broke");
        Outcome::Not(format!("broke: {text}"))
    })
}

/// Prints a row; 1 if there is nothing in it that should be.
fn show(case: &Case, outcome: &Outcome) -> u32 {
    match outcome {
        Outcome::Told(_) => println!("\n{}\n  then           {}{outcome}", case.name, case.then),
        outcome => println!("{:<28} then {:<34} now {outcome}", case.name, case.then),
    }
    u32::from(matches!(outcome, Outcome::Not(why) if !why.starts_with("left out")))
}
