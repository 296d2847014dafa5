//! People who say and ask what costs others more than them.

use super::foe::{Foe, Line};
use std::io;
use std::time::Duration;

/// Names that one key uses at a time.
pub const NAMES: usize = 4;

/// As fast as the server's pace for a user lets them.
const PACE: Duration = Duration::from_millis(200);

/// Faster than that, for what need not be counted.
const RUSH: Duration = Duration::from_millis(20);

pub fn renames(foe: &Foe) -> io::Result<()> {
    let mut line = foe.join(&foe.name("nick"))?;
    foe.bout(RUSH, |n| {
        line.send(&format!("{{\"type\":\"nick\",\"to\":\"server\",\"name\":\"user{}\"}}\n", n % 50))?;
        if n.is_multiple_of(50) { line.read(64 * 1024) } else { Ok(()) }
    })
}

pub fn addressed(foe: &Foe) -> io::Result<()> {
    let mut line = foe.join_with(0, &foe.name("wide"))?;
    foe.bout(PACE, |_| {
        line.send(&format!("{{\"to\":\"{}\",\"msg\":\"to all of you\"}}\n", foe.victims()))?;
        line.read(64 * 1024)
    })
}

pub fn names(foe: &Foe) -> io::Result<()> {
    let mut lines = Vec::new();
    for n in 0..NAMES {
        lines.push(foe.join_with(0, &foe.name(&format!("name{n}")))?);
    }
    foe.bout(PACE, |_| {
        lines.iter_mut().try_for_each(|line: &mut Line| {
            line.send("{\"to\":\"all\",\"msg\":\"hear me\"}\n")?;
            line.read(64 * 1024)
        })
    })
}

pub fn mail(foe: &Foe) -> io::Result<()> {
    let away = foe.name("away");
    drop(foe.join_with(1, &away)?);
    let mut line = foe.join_with(0, &foe.name("mail"))?;
    foe.bout(PACE, |_| {
        line.send(&format!("{{\"to\":\"{away}\",\"msg\":\"{}\",\"id\":\"one\"}}\n", "m".repeat(400)))?;
        line.read(64 * 1024)
    })
}

pub fn searches(foe: &Foe) -> io::Result<()> {
    let mut line = foe.join_with(0, &foe.name("search"))?;
    let search = "{\"type\":\"search\",\"to\":\"server\",\"msg\":\"a* b* c* h* m* t* x* y*\"}\n";
    foe.bout(PACE, |_| {
        line.send(search)?;
        line.read(64 * 1024)
    })
}

pub fn resumes(foe: &Foe) -> io::Result<()> {
    foe.bout(PACE, |_| foe.join_since(0, &foe.name("old"), ",\"mode\":\"tail\",\"since\":1")?.read(64 * 1024))
}
