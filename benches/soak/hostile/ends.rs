//! Connections that end in ways that a server may miss, or never begin.

use super::foe::{Foe, Line};
use socket2::SockRef;
use std::io::{self, Write};
use std::net::Shutdown;
use std::time::Duration;

const PACE: Duration = Duration::from_millis(100);

/// Reads until the server must have closed, too.
const PATIENCE: usize = 10;

const PING: &str = "{\"type\":\"ping\",\"to\":\"server\"}\n";

pub fn reset(foe: &Foe) -> io::Result<()> {
    foe.bout(PACE, |_| {
        let mut line = either(foe, "reset")?;
        SockRef::from(&line.stream).set_linger(Some(Duration::ZERO))?;
        line.send(PING)
    })
}

pub fn last(foe: &Foe) -> io::Result<()> {
    foe.bout(PACE, |_| {
        let mut line = either(foe, "last")?;
        // Written data waits for the end.
        SockRef::from(&line.stream).set_tcp_cork(true)?;
        line.send(PING)?;
        line.stream.shutdown(Shutdown::Write)?;
        // Closing at once would send a reset as well.
        let _ = (0..PATIENCE).try_for_each(|_| line.read(64 * 1024));
        Ok(())
    })
}

pub fn half(foe: &Foe) -> io::Result<()> {
    let hello = foe.client_hello()?;
    let mut stream = foe.connect()?;
    // After the first byte, in the middle, or before the last words.
    let end = [1, hello.len() / 2, hello.len()][foe.turn() % 3];
    stream.write_all(&hello[..end])?;
    foe.wait(Duration::from_secs(5));
    Ok(())
}

pub fn dropped(foe: &Foe) -> io::Result<()> {
    foe.bout(PACE, |n| {
        let mut stream = foe.connect()?;
        if n.is_multiple_of(2) { stream.write_all(b"{") } else { Ok(()) }
    })
}

fn either(foe: &Foe, name: &str) -> io::Result<Line> {
    let name = foe.name(name);
    if foe.turn().is_multiple_of(2) { foe.join(&name) } else { foe.join_with(0, &name) }
}
