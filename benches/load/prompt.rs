//! What a prompt costs its user in a busy room, beside the prompt of another binary: both are in the same
//! room and show the same lines.

use super::screen::{PROMPT, Screen};
use crate::rig::clients::{Clients, Speech, Target};
use crate::rig::cpus::Cpus;
use crate::rig::serve::{Serve, Server};
use crate::rig::{median, say};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Clients that speak.
const TALKERS: usize = 50;

/// Messages of a room where people talk, and how many come per second.
const TALK: usize = 3000;
const TALK_RATE: f64 = 300.0;

/// Messages that come at once.
const BURST: usize = 1500;

/// Starts of each binary.
const STARTS: usize = 10;

const PATIENCE: Duration = Duration::from_secs(60);

/// A binary, and the client that runs it.
struct Subject {
    name: String,
    program: PathBuf,
    home: tempfile::TempDir,
    screen: Screen,
}

/// The figures of one binary.
#[derive(Default)]
struct Cost {
    talk_cpu: f64,
    burst_cpu: f64,
    bytes_a_line: f64,
    memory: f64,
    start: f64,
}

type Figure = fn(&Cost) -> f64;

/// Measures, and prints what it found.
pub fn run(clients: usize, against: Option<&Path>, cpus: Cpus) -> Result<()> {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let serve = Serve {
        data_dir: home.path(),
        port: 0,
        max_clients: clients + 2,
        kept: true,
        paced: false,
        web: false,
    };
    let server = Server::start(serve.command(), cpus)?;
    let target =
        Target { address: server.address, speech: Speech::Packets, keys: None, sources: 1, first: 0, web: 0 };
    let mut room = Clients::new(target)?;
    room.join(clients, 50, PATIENCE, |_| false)?;
    say(&format!("{clients} clients are in"));
    let own = Path::new(env!("CARGO_BIN_EXE_lanchat"));
    let mut subjects = Vec::new();
    for (name, program) in [("this", Some(own)), ("against", against)] {
        let Some(program) = program else { continue };
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mut screen = Screen::start(program, home.path(), server.address, name)?;
        screen.wait_for(PROMPT, PATIENCE)?;
        subjects.push(Subject { name: name.into(), program: program.into(), home, screen });
    }
    let talk = measure(&mut room, &mut subjects, TALK, Some(TALK_RATE))?;
    let burst = measure(&mut room, &mut subjects, BURST, None)?;
    let mut costs = Vec::new();
    for (at, subject) in subjects.iter().enumerate() {
        costs.push(Cost {
            talk_cpu: talk[at].0,
            bytes_a_line: talk[at].1,
            burst_cpu: burst[at].0,
            memory: subject.screen.process()?.memory()? as f64 / 1e6,
            start: 0.0,
        });
    }
    let starts = starts(&mut room, subjects, &server)?;
    costs.iter_mut().zip(starts).for_each(|(cost, start)| cost.start = start);
    print(clients, &costs);
    Ok(())
}

/// Has the room say so many lines; the CPU time in microseconds and the bytes that each client needed for one.
fn measure(
    room: &mut Clients,
    subjects: &mut [Subject],
    lines: usize,
    rate: Option<f64>,
) -> Result<Vec<(f64, f64)>> {
    let before: Vec<_> = subjects
        .iter()
        .map(|subject| Ok((subject.screen.process()?.cpu()?, subject.screen.written)))
        .collect::<Result<_>>()?;
    let start = Instant::now();
    for line in 0..lines {
        if let Some(rate) = rate {
            let due = start + Duration::from_secs_f64(line as f64 / rate);
            while Instant::now() < due {
                room.turn(due.saturating_duration_since(Instant::now()))?;
            }
        }
        room.say(line % TALKERS, &packet(&text(line)))?;
        if line % TALKERS == 0 {
            room.turn(Duration::ZERO)?;
        }
    }
    let last = format!("that was line {lines} at {:?}", start.elapsed());
    // Longer than what the server takes for the others.
    room.idle(Duration::from_secs(1))?;
    room.say(0, &packet(&last))?;
    room.idle(Duration::from_millis(200))?;
    let mut figures = Vec::new();
    for (subject, (cpu, written)) in subjects.iter_mut().zip(before) {
        subject.screen.wait_for(&last, PATIENCE)?;
        let cpu = subject.screen.process()?.cpu()?.saturating_sub(cpu);
        let lines = lines as f64;
        figures.push((cpu.as_secs_f64() * 1e6 / lines, (subject.screen.written - written) as f64 / lines));
    }
    Ok(figures)
}

/// From start to prompt in milliseconds, in turn, each with the server known.
fn starts(room: &mut Clients, subjects: Vec<Subject>, server: &Server) -> Result<Vec<f64>> {
    let mut times = vec![Vec::new(); subjects.len()];
    let subjects: Vec<_> = subjects.into_iter().map(|one| (one.name, one.program, one.home)).collect();
    room.idle(Duration::from_millis(500))?;
    for _ in 0..STARTS {
        for (at, (name, program, home)) in subjects.iter().enumerate() {
            let mut screen = Screen::start(program, home.path(), server.address, name)?;
            times[at].push(screen.wait_for(PROMPT, PATIENCE)?.as_secs_f64() * 1e3);
            drop(screen);
            room.idle(Duration::from_millis(50))?;
        }
    }
    Ok(times.into_iter().map(|times| median(times).unwrap_or_default()).collect())
}

fn packet(text: &str) -> String {
    format!("{{\"to\":\"all\",\"msg\":\"{text}\"}}\n")
}

/// What people say: short and long lines, some of them with a URL or to one of the clients.
fn text(line: usize) -> String {
    let words = ["the", "printer", "upstairs", "works", "again", "who", "has", "a", "cable", "for", "lunch"];
    let count = 3 + line * 7 % 25;
    let said: Vec<_> = (0..count).map(|at| words[(line + at * 3) % words.len()]).collect();
    match line % 50 {
        10 => format!("this and against: {} {line}", said.join(" ")),
        20 => format!("see http://10.0.0.7/wiki/page-{line} {}", said.join(" ")),
        _ => format!("{} {line}", said.join(" ")),
    }
}

fn print(clients: usize, costs: &[Cost]) {
    println!("a prompt in a room of {clients}; ratios are those of this binary to the other\n");
    let rows: [(&str, Figure); 5] = [
        ("CPU a line while people talk, us", |cost| cost.talk_cpu),
        ("CPU a line of a burst, us", |cost| cost.burst_cpu),
        ("bytes to the terminal a line", |cost| cost.bytes_a_line),
        ("resident memory after that, MB", |cost| cost.memory),
        ("start to prompt, server known, ms", |cost| cost.start),
    ];
    for (name, value) in rows {
        match costs {
            [own, other] => {
                println!("{name:36}{:10.1}{:10.1}{:8.2}", value(own), value(other), value(own) / value(other))
            }
            _ => costs.iter().for_each(|cost| println!("{name:36}{:10.1}", value(cost))),
        }
    }
}
