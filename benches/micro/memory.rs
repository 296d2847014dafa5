//! The memory that a user takes: what a process grows by when many come in, for each of them.

use super::crowd::{Crowd, Kind};
use lanchat::chat::SessionId;
use std::process::Command;

/// The argument that makes this program such a process.
pub const FLAG: &str = "--memory-of";

const CROWDS: [u64; 3] = [1000, 5000, 15_000];

/// Prints a table, each figure taken in a process of its own.
pub fn print() {
    println!("bytes a user     here      left behind");
    for (name, _) in Kind::ALL {
        for users in CROWDS {
            let own = std::env::current_exe().expect("a path");
            let output =
                Command::new(own).args([FLAG, name, &users.to_string()]).output().expect("a process");
            println!("{name:>7} {users:>6}  {}", String::from_utf8_lossy(&output.stdout).trim());
        }
    }
}

/// The figures of one row; `-` where memory can't be read.
pub fn of(words: &[String]) -> String {
    let [name, users] = words else { return "which?".into() };
    let kind = Kind::ALL.iter().find(|(known, _)| known == name).map_or(Kind::Local, |(_, kind)| *kind);
    let users: u64 = users.parse().expect("a number");
    // The costs that come with a first user are not theirs.
    drop(Crowd::new(kind, 50));
    let Some(before) = resident() else { return "-".into() };
    let mut crowd = Crowd::new(kind, users);
    let with = resident().unwrap_or(before);
    (0..users).for_each(|id| crowd.logout(SessionId(id)));
    crowd.settle();
    let after = resident().unwrap_or(before);
    let each = |bytes: u64| bytes.saturating_sub(before) / users;
    format!("{:>9} {:>14}", each(with), each(after))
}

/// Bytes of this process that are in memory.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = text.lines().find(|line| line.starts_with("Rss:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}
