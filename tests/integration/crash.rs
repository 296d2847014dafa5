//! Nothing is lost, whatever crashes: see `support/storm`; `benches/crash` has the long version.

use crate::support::storm::dice::{self, Dice};
use crate::support::storm::herald::{Herald, until};
use crate::support::storm::plan::{Plan, run};
use crate::support::storm::server::Mortal;
use crate::support::storm::wild::Wild;
use crate::support::terminal::{Home, LANCHAT};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

#[test]
fn twenty_kills_lose_nothing_and_double_nothing() {
    let report = run(Plan { seed: dice::seed(), kills: 20, messages: 1_200 });
    eprintln!("{report}");
    assert!(report.verdict.faults.is_empty(), "{report}");
}

/// Lines that each sender gives to its pipe, and how far apart they are.
const LINES: usize = 60;
const EVERY: Duration = Duration::from_millis(40);

/// The program itself, over the proxy.
fn program(home: &Home, link: &str, args: &[&str]) -> Child {
    let mut command = Command::new(LANCHAT);
    command.env_clear().envs(home.env()).args(args).args(["--no-discovery", "--host", link]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program")
}

/// What a `lanchat tail --json` has printed so far: numbers and texts of chat.
struct Tail {
    child: Child,
    heard: Arc<Mutex<Vec<(u64, String)>>>,
    _home: Home,
}

impl Tail {
    fn start(link: &str, name: &str) -> Self {
        let home = Home::new();
        let mut child = program(&home, link, &["tail", "--json", "--name", name]);
        let lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&heard);
        // Ends with the program.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let packet: Value = serde_json::from_str(&line).expect("a packet a line");
                if packet["type"] == "chat" {
                    let seq = packet["seq"].as_u64().expect("a number");
                    let text = packet["msg"].as_str().expect("a text").to_owned();
                    shared.lock().expect("the lines").push((seq, text));
                }
            }
        });
        Self { child, heard, _home: home }
    }

    fn heard(&self) -> Vec<(u64, String)> {
        self.heard.lock().expect("the lines").clone()
    }

    fn has(&self, text: &str) -> bool {
        self.heard().iter().any(|(_, heard)| heard == text)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What became of a sender's lines.
#[derive(Default)]
struct Sender {
    /// Those that were shown as said, which is on their receipts.
    confirmed: Vec<String>,
    /// Those of which it was told that nobody knows.
    unsure: Vec<String>,
    ends: usize,
}

/// Pipes lines into the program, now and then one, and starts it again with the next line when it has
/// ended because the server went away.
fn pipe(home: Home, link: String, name: &'static str) -> JoinHandle<Sender> {
    std::thread::spawn(move || {
        let mut sender = Sender::default();
        let mut next = 0;
        while next < LINES {
            let mut child = program(&home, &link, &["--name", name]);
            let mut input = child.stdin.take().expect("an input");
            while next < LINES && writeln!(input, "{name} line {next}").is_ok() {
                next += 1;
                std::thread::sleep(EVERY);
            }
            drop(input);
            let output = child.wait_with_output().expect("an output");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let texts = |mark: &str| {
                let mark = format!("{mark}{name} line ");
                let lines = said.lines().filter_map(move |line| line.split_once(&mark));
                lines.map(|(_, n)| format!("{name} line {n}")).collect::<Vec<_>>()
            };
            sender.confirmed.extend(texts(&format!("<{name}> ")));
            sender.unsure.extend(texts("may not have been delivered: "));
            match output.status.code() {
                Some(0) => {}
                // Not there, or gone.
                Some(4) => sender.ends += 1,
                status => panic!("{status:?}: {said} {}", String::from_utf8_lossy(&output.stderr)),
            }
        }
        sender
    })
}

#[test]
fn tails_and_pipes_over_two_kills_have_every_line_once() {
    let mut dice = Dice::new(dice::seed());
    let mut server = Mortal::start(&["--rate-limit", "off"]);
    let wire = Wild::to(server.address(), dice.fork());
    let key = server.wait_for_log("key SHA256:");
    let key = key.split_whitespace().find(|word| word.starts_with("SHA256:")).expect("a key");
    let link = format!("lanchat://{}/?fp={key}", wire.address);
    let mut herald = Herald::new();
    let tails = [Tail::start(&link, "tail1"), Tail::start(&link, "tail2")];
    let mut marks = 0;
    until("the tails hear", || {
        marks += 1;
        herald.say(wire.address, "all", &format!("mark {marks}"));
        tails.iter().all(|tail| !tail.heard().is_empty())
    });
    let names = ["ann", "bob"];
    let senders = names.map(|name| pipe(Home::new(), link.clone(), name));
    for name in names {
        until("the senders talk", || tails.iter().all(|tail| tail.has(&format!("{name} line 0"))));
    }
    for _ in 0..2 {
        std::thread::sleep(dice.millis(200, 800));
        server.kill();
        std::thread::sleep(dice.millis(0, 300));
        server.start_again();
        wire.lead_to(server.address());
    }
    let senders = senders.map(|sender| sender.join().expect("a sender"));
    herald.say(wire.address, "all", "the last words");
    until("the tails hear the end", || tails.iter().all(|tail| tail.has("the last words")));
    let [one, other] = tails.map(|tail| tail.heard());
    let common = one.iter().position(|heard| heard.1.ends_with("line 0")).expect("a line");
    let of_other = other.iter().position(|heard| *heard == one[common]).expect("the same line");
    assert_eq!(one[common..], other[of_other..], "both have the same");
    assert!(one.is_sorted_by(|one, other| one.0 < other.0), "each once, in order: {one:#?}");
    for (name, sender) in names.iter().zip(&senders) {
        let Sender { confirmed, unsure, ends } = sender;
        let heard: Vec<_> = one.iter().map(|(_, text)| text).filter(|text| text.starts_with(name)).collect();
        eprintln!(
            "{name}: {} lines heard, {} confirmed, {} unsure, {ends} runs ended early",
            heard.len(),
            confirmed.len(),
            unsure.len()
        );
        assert!(confirmed.len() > LINES / 3, "too little to tell");
        assert_eq!(*ends, 0, "a pipe comes back by itself");
        for line in confirmed {
            assert_eq!(heard.iter().filter(|heard| **heard == line).count(), 1, "{line}");
        }
        for line in heard {
            assert_eq!(confirmed.iter().chain(unsure).filter(|said| *said == line).count(), 1, "{line}");
        }
    }
}
