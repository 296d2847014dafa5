//! Programs that nobody here wrote, spoken with over their standard input and output.

use super::peer::DEADLINE;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The environment variable that turns a test that is skipped for want of a program into a failed one.
const REQUIRE: &str = "LANCHAT_REQUIRE_TOOLS";

/// How long an answer may take before it is asked for again.
const AGAIN: Duration = Duration::from_millis(500);

/// Whether all these programs are here, each with an argument that it knows; says which is not.
pub fn has_tools(tools: &[(&str, &str)]) -> bool {
    let works = |(tool, argument): &&(&str, &str)| {
        let mut command = Command::new(tool);
        let output = command.arg(argument).stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some((missing, _)) = tools.iter().find(|tool| !works(tool)) else { return true };
    let required = std::env::var(REQUIRE).is_ok_and(|value| value == "1");
    assert!(!required, "{REQUIRE}=1, but there is no {missing} here");
    eprintln!("skipped: there is no {missing} here");
    false
}

/// What a command prints; it must succeed.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the program");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// A running program that reads and writes packets, a line each. Killed when dropped.
pub struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    packets: Receiver<Value>,
    errors: Option<JoinHandle<String>>,
}

impl Talk {
    pub fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (sender, packets) = channel();
        // Both threads end with the program.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let packet = serde_json::from_str(&line).unwrap_or(Value::String(line));
                let _ = sender.send(packet);
            }
        });
        let mut stderr = child.stderr.take().expect("its errors");
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let input = child.stdin.take();
        Self { child, input, packets, errors: Some(errors) }
    }

    pub fn send(&mut self, packet: &Value) {
        assert!(self.try_send(packet), "the program reads");
    }

    /// The same to a program that may have ended.
    pub fn try_send(&mut self, packet: &Value) -> bool {
        self.try_say(&packet.to_string())
    }

    /// A line that is no packet.
    pub fn say(&mut self, line: &str) {
        assert!(self.try_say(line), "the program reads");
    }

    fn try_say(&mut self, line: &str) -> bool {
        let input = self.input.as_mut().expect("an open input");
        input.write_all(format!("{line}\n").as_bytes()).and_then(|()| input.flush()).is_ok()
    }

    /// Sends the packet until the answer of that type comes: for programs that may drop a line.
    pub fn ask(&mut self, packet: &Value, kind: &str) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            self.send(packet);
            while let Ok(answer) = self.packets.recv_timeout(AGAIN) {
                if answer["type"] == kind && answer["id"] == packet["id"] {
                    return answer;
                }
            }
            assert!(Instant::now() < deadline, "no {kind}; {}", self.kill());
        }
    }

    /// The next packet of that type; others are passed over.
    pub fn wait_for(&mut self, kind: &str) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.packets.recv_timeout(left) {
                Ok(packet) if packet["type"] == kind => return packet,
                Ok(_) => {}
                Err(_) => panic!("no {kind}; {}", self.kill()),
            }
        }
    }

    /// The next packet.
    pub fn packet(&mut self) -> Value {
        match self.packets.recv_timeout(DEADLINE) {
            Ok(packet) => packet,
            Err(_) => panic!("no packet; {}", self.kill()),
        }
    }

    /// The next packet, if it is there.
    pub fn try_packet(&mut self) -> Option<Value> {
        self.packets.try_recv().ok()
    }

    /// The process.
    pub fn process(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Ends what `strace` watches, and waits until that has ended in order.
    #[cfg(target_os = "linux")]
    pub fn stop_traced(mut self) {
        // To the child: strace itself would let it go on unwatched.
        let tracer = self.child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children")).expect("children");
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            let child = rustix::process::Pid::from_raw(child).expect("a process");
            rustix::process::kill_process(child, rustix::process::Signal::TERM).expect("it runs");
        }
        assert!(self.child.wait().expect("a status").success(), "{}", self.kill());
    }

    /// Ends its input, and waits until it ends: what else it printed, its status, and its errors.
    pub fn finish(mut self) -> (Vec<Value>, Option<i32>, String) {
        self.input = None;
        let packets = self.rest();
        let status = self.child.wait().expect("a status").code();
        (packets, status, self.kill())
    }

    /// Waits until it ends by itself; what it printed, and its errors.
    pub fn end(mut self) -> (Vec<Value>, String) {
        (self.rest(), self.kill())
    }

    /// What it prints until its output ends.
    fn rest(&mut self) -> Vec<Value> {
        let mut packets = Vec::new();
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.packets.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(packet) => packets.push(packet),
                Err(RecvTimeoutError::Disconnected) => return packets,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; {}", self.kill()),
            }
        }
    }

    /// Ends it; what it said on its error output.
    fn kill(&mut self) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.kill();
    }
}
