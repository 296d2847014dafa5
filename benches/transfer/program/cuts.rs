//! Transfers whose connections break at random bytes, on either side, and servers that are killed, judged file by file.

use super::dice::Dice;
use super::lanchat::{self, Server};
use super::options::Options;
use super::place::{Part, Place};
use super::speed::{make, same};
use super::wire::Wire;
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Transfers at a time.
const TOGETHER: usize = 4;

/// Breaks of each side's connections; the chat's count as well.
const BREAKS: usize = 3;

/// How long a transfer may take in all.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn run(options: &Options, place: &Place, dir: &Path, (transfers, kills): (usize, usize)) -> Result<()> {
    let seed = options.seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("{transfers} transfers of up to {} bytes, {kills} kills, seed {seed}", options.bytes);
    let dice = Arc::new(Dice::new(seed));
    let mut server = Some(Server::start(place, dir, options.plaintext)?);
    let address = SocketAddr::from((place.relay(), lanchat::port()));
    let (mut done, mut breaks, mut killed) = (0, 0, 0);
    while done < transfers {
        let together = TOGETHER.min(transfers - done);
        let mut running = Vec::new();
        for number in done..done + together {
            running.push(Transfer::start(options, place, dir, number, address, &dice)?);
        }
        // So that the kills are spread over the run.
        while killed * transfers < kills * (done + together) && killed < kills {
            std::thread::sleep(Duration::from_millis(100 + dice.below(900)));
            drop(server.take());
            server = Some(Server::restart(place, dir, options.plaintext)?);
            killed += 1;
        }
        for transfer in running {
            breaks += transfer.finish(dir)?;
        }
        done += together;
        println!(
            "{done} transfers, {breaks} breaks, {killed} kills: all files are right, nothing is left behind"
        );
    }
    Ok(())
}

struct Transfer {
    number: usize,
    send: Child,
    receive: Child,
    wires: [Wire; 2],
    start: Instant,
}

impl Transfer {
    fn start(
        options: &Options,
        place: &Place,
        dir: &Path,
        number: usize,
        server: SocketAddr,
        dice: &Arc<Dice>,
    ) -> Result<Self> {
        let from = dir.join(format!("file{number}.bin"));
        make(&from, dice.below(options.bytes) + 1)?;
        let to = lanchat::fresh(dir, &format!("received{number}"))?;
        let wire = || Wire::to(server, Arc::clone(dice), BREAKS, options.bytes);
        let wires = [wire()?, wire()?];
        let (sender, receiver) = (format!("alice{number}"), format!("bob{number}"));
        let person = |part: Part, name: &str, wire: &Wire| -> Result<std::process::Command> {
            let mut command = lanchat::person(place, part, &lanchat::fresh(dir, name)?);
            command.args(["--no-discovery", "--host", &wire.address.to_string(), "--name", name]);
            command.args(["--timeout", "30s"]);
            if options.plaintext {
                command.arg("--plaintext");
            }
            let log = std::fs::File::create(dir.join(format!("{name}.log")))?;
            command.stdout(Stdio::null()).stderr(log);
            Ok(command)
        };
        let mut receive = person(Part::Receiver, &receiver, &wires[0])?;
        receive.args(["receive", "--once", "--from", &sender, "--yes-to-all", "--to"]).arg(&to);
        let mut send = person(Part::Sender, &sender, &wires[1])?;
        send.args(["send", "--wait", "100s", "--to", &receiver, "--file"]).arg(&from);
        let (receive, send) = (lanchat::waiting(receive)?, send.spawn()?);
        Ok(Self { number, send, receive, wires, start: Instant::now() })
    }

    /// Waits for its end and judges it; returns how many connections were broken.
    fn finish(mut self, dir: &Path) -> Result<usize> {
        let number = self.number;
        let name = format!("file{number}.bin");
        let (from, folder) = (dir.join(&name), dir.join(format!("received{number}")));
        for (child, who) in [(&mut self.send, "alice"), (&mut self.receive, "bob")] {
            let log = dir.join(format!("{who}{number}.log"));
            let said = || std::fs::read_to_string(&log).unwrap_or_default();
            let status = loop {
                match child.try_wait()? {
                    Some(status) => break status,
                    None if self.start.elapsed() > PATIENCE => {
                        let _ = child.kill();
                        anyhow::bail!("{who}{number} does not end:\n{}", said());
                    }
                    None => std::thread::sleep(Duration::from_millis(20)),
                }
            };
            ensure!(status.success(), "{who}{number} ended with {status}:\n{}", said());
        }
        same(&from, &folder.join(&name)).with_context(|| format!("transfer {number}"))?;
        let left: Vec<_> =
            std::fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
        ensure!(left.len() == 1, "transfer {number} left more behind: {left:?}");
        std::fs::remove_file(&from)?;
        std::fs::remove_dir_all(&folder)?;
        Ok(self.wires.iter().map(|wire| wire.breaks.load(Ordering::SeqCst)).sum())
    }
}
