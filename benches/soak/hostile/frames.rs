//! Bytes that cost the server more than the client.

use super::foe::Foe;
use std::io;
use std::time::Duration;

/// Of the longest frame, all but its end.
const ALMOST: usize = 64 * 1024 - 100;

pub fn unfinished(foe: &Foe) -> io::Result<()> {
    let mut line = if foe.turn().is_multiple_of(2) {
        foe.join(&foe.name("carry"))?
    } else {
        foe.join_with(0, &foe.name("carry"))?
    };
    line.send(&format!("{{\"to\":\"all\",\"msg\":\"{}", "x".repeat(ALMOST)))?;
    foe.bout(Duration::from_millis(500), |_| line.read(64 * 1024))
}

pub fn empty(foe: &Foe) -> io::Result<()> {
    let mut line = foe.join(&foe.name("empty"))?;
    foe.bout(Duration::from_secs(1), |_| line.send(&"{}\n".repeat(170)))
}

pub fn junk(foe: &Foe) -> io::Result<()> {
    let mut line = foe.join(&foe.name("junk"))?;
    let junk = format!("{}\n", "[{\"a\":".repeat(ALMOST / 6));
    foe.bout(Duration::from_millis(200), |_| {
        line.send(&junk)?;
        line.read(64 * 1024)
    })
}
