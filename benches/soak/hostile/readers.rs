//! Clients that request much and do not read it.

use super::foe::{Foe, Line};
use std::io;
use std::time::Duration;

/// Asked for at once: no more than a pace lets through.
const QUESTIONS: usize = 17;

pub fn deaf(foe: &Foe) -> io::Result<()> {
    let _line = asked(foe, "deaf")?;
    foe.bout(Duration::from_secs(1), |_| Ok(()))
}

pub fn slow(foe: &Foe) -> io::Result<()> {
    let mut line = asked(foe, "slow")?;
    foe.bout(Duration::from_secs(1), |_| line.read(300))
}

fn asked(foe: &Foe, name: &str) -> io::Result<Line> {
    let mut line = foe.join(&foe.name(name))?;
    line.narrow()?;
    line.send(&"{\"type\":\"users\",\"to\":\"server\"}\n".repeat(QUESTIONS))?;
    Ok(line)
}
