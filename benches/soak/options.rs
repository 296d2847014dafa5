//! The options of the command line.

use crate::rig::cpus::Cpus;
use std::time::Duration;

pub const HELP: &str = "\
cargo bench --bench soak -- [OPTIONS]

  --minutes N     how long (30)
  --clients N     connections (5000); one in ten is a browser's
  --plaintext     clients that speak plaintext instead of TLS
  --kept          with a history on the disk
  --hostile P     so many percent as many clients again do harm, at least one of each kind, after a
                  stretch in peace; with a history, and people keep to the server's pace
  --cpus S,C|off  CPUs of the server and of its clients (the first two; off if there is one)
  --json          everything that was looked at, as JSON on standard output

Traffic stays on 127.0.0.0/8.";

/// See the module.
#[derive(Debug, Clone)]
pub struct Plan {
    pub time: Duration,
    pub clients: usize,
    pub tls: bool,
    pub kept: bool,
    /// Hostile clients that are wanted.
    pub hostile: Option<usize>,
    pub cpus: Cpus,
    pub json: bool,
}

impl Plan {
    /// `None`: help was asked for.
    pub fn parse(args: &[String]) -> Result<Option<Self>, String> {
        let mut plan = Self {
            time: Duration::from_secs(30 * 60),
            clients: 5000,
            tls: true,
            kept: false,
            hostile: None,
            cpus: Cpus::choose(),
            json: false,
        };
        let mut percent = None;
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--minutes" => plan.time = Duration::from_secs(60 * number(arg, value()?)?),
                "--clients" => plan.clients = number(arg, value()?)? as usize,
                "--plaintext" => plan.tls = false,
                "--kept" => plan.kept = true,
                "--hostile" => percent = Some(number(arg, value()?)?),
                "--cpus" => {
                    let value = value()?;
                    plan.cpus = Cpus::parse(value).ok_or(format!("--cpus: {value:?} is not S,C or off"))?;
                }
                "--json" => plan.json = true,
                // Cargo adds it.
                "--bench" => {}
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("unknown option {other}")),
            }
        }
        if plan.clients < 100 {
            return Err("--clients: at least 100".into());
        }
        plan.hostile = percent.map(|percent| plan.clients * percent as usize / 100);
        plan.kept |= plan.hostile.is_some();
        Ok(Some(plan))
    }
}

fn number(option: &str, text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or(format!("{option}: {text:?} is no number above 0"))
}
