//! The delay of chat messages while files pass through the same server.
//!
//! Two plaintext clients: each 2 ms, one sends the other a direct message, which nobody else receives: a message to
//! the lobby would also go to the transfers' own clients, and take longer for that reason. With two CPUs, these run on
//! one, and the server and the two clients on the other; elsewhere they would be other machines.

use super::figures::median;
use super::lanchat::{self, Server};
use super::options::Options;
use super::place::Place;
use anyhow::{Context, Result, ensure};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// Messages in each stretch.
const MESSAGES: usize = 2000;

const PAUSE: Duration = Duration::from_millis(2);

struct Talk {
    says: TcpStream,
    hears: BufReader<TcpStream>,
}

impl Talk {
    fn new(place: &Place) -> Result<Self> {
        let join = |name: &str| -> Result<TcpStream> {
            let mut stream = TcpStream::connect((place.relay(), lanchat::port()))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            writeln!(stream, r#"{{"from":{{"name":"{name}"}},"to":"server","msg":"","type":"hello"}}"#)?;
            Ok(stream)
        };
        let mut hears = BufReader::new(join("ear")?);
        // The welcome: from here on, messages reach it.
        hears.read_line(&mut String::new())?;
        let mut talk = Self { says: join("mouth")?, hears };
        talk.delay(0)?;
        Ok(talk)
    }

    /// From saying something to hearing it, in microseconds.
    fn delay(&mut self, number: usize) -> Result<f64> {
        let (start, text) = (Instant::now(), format!("number {number};"));
        let frame = format!("{{\"to\":\"ear\",\"msg\":\"{text}\",\"type\":\"chat\"}}\n");
        self.says.write_all(frame.as_bytes())?;
        let mut line = String::new();
        while !line.contains(&text) {
            line.clear();
            ensure!(self.hears.read_line(&mut line)? > 0, "the server closed the connection");
        }
        Ok(start.elapsed().as_secs_f64() * 1e6)
    }

    fn delays(&mut self) -> Result<Vec<f64>> {
        (0..MESSAGES)
            .map(|number| {
                std::thread::sleep(PAUSE);
                self.delay(number)
            })
            .collect()
    }
}

pub fn run(options: &Options, place: &Place, dir: &Path, transfers: usize) -> Result<()> {
    let from = dir.join("file.bin");
    super::speed::make(&from, options.bytes)?;
    let (mut without, mut with, mut late) = (Vec::new(), Vec::new(), (Vec::new(), Vec::new()));
    for turn in 0..options.turns {
        stay_on(0)?;
        let server = Server::start(place, dir, true)?;
        let mut talk = Talk::new(place)?;
        let calm = talk.delays()?;
        let mut running = Vec::new();
        // Programs run where the one that starts them does.
        stay_on(1)?;
        for number in 0..transfers {
            let to = lanchat::fresh(dir, &format!("received{number}"))?;
            let (send, receive) = lanchat::pair(place, dir, (number, options.plaintext), (&from, &to))?;
            lower(&send)?;
            lower(&receive)?;
            running.extend([send, receive]);
        }
        stay_on(0)?;
        wait_for_parts(dir, transfers)?;
        let busy = talk.delays()?;
        let unfinished =
            running.iter_mut().filter_map(|child| child.try_wait().ok()).filter(Option::is_none).count();
        for mut child in running {
            let _ = child.kill();
            let _ = child.wait();
        }
        drop(server);
        ensure!(
            unfinished > transfers,
            "the transfers ended before the chat was measured; give --bytes more"
        );
        let (calm_p99, busy_p99) = (percentile(&calm, 99), percentile(&busy, 99));
        println!(
            "turn {}: median {:.0} us without, {:.0} us with {transfers} transfers; 99th percentile {calm_p99:.0} and {busy_p99:.0} us",
            turn + 1,
            median(calm.iter().copied()),
            median(busy.iter().copied()),
        );
        without.push(median(calm));
        with.push(median(busy));
        late.0.push(calm_p99);
        late.1.push(busy_p99);
    }
    let (calm, busy) = (median(without), median(with));
    println!(
        "\nmedians of {} turns: {calm:.0} us without, {busy:.0} us with, ratio {:.2}",
        options.turns,
        busy / calm
    );
    println!("99th percentile: ratio {:.2}", median(late.1) / median(late.0));
    Ok(())
}

/// Runs on this CPU from now on. With only one, there is nothing to choose.
fn stay_on(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    let _ = sched_setaffinity(Pid::from_raw(0), &set);
    Ok(())
}

/// Gives a transfer's program the lowest priority.
fn lower(child: &Child) -> Result<()> {
    let pid = rustix::process::Pid::from_raw(child.id() as i32).context("no such process")?;
    Ok(rustix::process::setpriority_process(Some(pid), 19)?)
}

/// Waits until each receiver has begun its file.
fn wait_for_parts(dir: &Path, transfers: usize) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    for number in 0..transfers {
        let folder = dir.join(format!("received{number}"));
        while std::fs::read_dir(&folder)?.next().is_none() {
            ensure!(Instant::now() < deadline, "transfer {number} did not begin");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    Ok(())
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * percent / 100]
}
