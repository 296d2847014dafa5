//! A network namespace that has no name: a descriptor keeps it alive.

use nix::sched::{CloneFlags, setns, unshare};
use std::fs::{File, read_link};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

pub(super) struct Namespace(File);

const OWN: &str = "/proc/thread-self/ns/net";

impl Namespace {
    /// A new one, or why there can be none.
    pub(super) fn new() -> Result<Namespace, String> {
        for tool in ["ip", "nsenter"] {
            let found = Command::new(tool).arg("-V").output();
            found.map_err(|error| format!("{tool}: {error}"))?;
        }
        // A thread of its own: only that thread leaves this process's network.
        std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("unshare: {error}"))?;
            // Some systems start with IPv6 off; where this cannot be written it is left as it is.
            for key in ["default", "all", "lo"] {
                let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{key}/disable_ipv6"), "0");
            }
            File::open(OWN).map(Namespace).map_err(|error| format!("{OWN}: {error}"))
        })
        .join()
        .expect("the thread ends")
    }

    /// The path under which other processes can enter it while this one lives.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()).into()
    }

    pub(super) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let inside = || {
            setns(&self.0, CloneFlags::CLONE_NEWNET).expect("setns");
            let (own, machine) = (read_link(OWN), read_link("/proc/self/ns/net"));
            assert_ne!(own.unwrap(), machine.unwrap(), "still on the machine's own network");
            work()
        };
        std::thread::scope(|scope| match scope.spawn(inside).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    pub(super) fn ip(&self, lines: &str) {
        self.feed("ip", &["-batch", "-"], lines);
    }

    /// Runs a program inside with this input; panics if it fails.
    pub(super) fn feed(&self, program: &str, args: &[&str], input: &str) {
        let output = self.run(|| {
            let mut child = Command::new(program)
                .args(args)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| panic!("{program}: {error}"));
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        });
        checked(output, &format!("{program} < {input:?}"));
    }

    /// The standard output of a program that is run inside; panics if it fails.
    pub(super) fn output(&self, program: &str, args: &[&str]) -> String {
        let output = self.run(|| Command::new(program).args(args).output());
        checked(output.unwrap_or_else(|error| panic!("{program}: {error}")), program)
    }
}

fn checked(output: Output, what: &str) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
