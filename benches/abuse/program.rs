//! Runs the attacks, and prints a table of what they achieved.

use std::process::ExitCode;

use crate::{askers, browsers, connections, lan, memory, people, places, readers, requests, secrets};

/// One line of the table.
pub struct Row {
    what: &'static str,
    /// The promised bound.
    bound: String,
    measured: String,
    holds: bool,
}

impl Row {
    /// A figure that must not be over a bound, both in `unit`.
    pub fn at_most(what: &'static str, measured: f64, bound: f64, unit: &str) -> Self {
        let figure = |value: f64| format!("{value:.1} {unit}");
        Self {
            what,
            bound: format!("<= {}", figure(bound)),
            measured: figure(measured),
            holds: measured <= bound,
        }
    }

    /// Something that is so or is not.
    pub fn so(what: &'static str, measured: String, holds: bool) -> Self {
        Self { what, bound: "-".into(), measured, holds }
    }
}

/// Attacks a server on a network of its own, and tells what it cost.
type Attack = fn(&lan::Lan) -> Vec<Row>;

pub fn main() -> ExitCode {
    let attacks: &[(&str, Attack)] = &[
        ("2,000 silent connections", connections::silent),
        ("2,000 half handshakes of one address", connections::half_of_one),
        ("2,000 half handshakes of 64 addresses", connections::half_of_many),
        ("10,000 upgrades of browsers of 64 addresses", browsers::upgrades),
        ("2,000 slow heads of HTTP of 64 addresses", browsers::slow_heads),
        ("10,000 upgrades for pages of another site", browsers::cross_site),
        ("2,000 browsers whose frames break the protocol", browsers::broken_frames),
        ("10,000 half handshakes of browsers of 64 addresses", browsers::half_https),
        ("60 browsers that send pings in a flood", browsers::pings),
        ("60 browsers whose messages never end", browsers::endless),
        ("60 browsers that send a byte in a frame", browsers::single_bytes),
        ("200 requests with a head of 20 MB", browsers::long_heads),
        ("200 requests with a body of 20 MB", browsers::long_bodies),
        ("10,000 proofs, forged or replayed, of 64 addresses", requests::proofs),
        ("requests for the page in a flood, of one address", requests::pages_of_one),
        ("requests for the page in a flood, of 64 addresses", requests::pages_of_many),
        ("200 readers that do not read", readers::stuck),
        ("200 browsers that do not read", readers::stuck_browsers),
        ("9,000 unfinished frames of one address", memory::unfinished),
        ("9,000 who ask for much and read little of it", memory::unread),
        ("all places of one IPv4 and 40 IPv6 addresses", places::of_one_host),
        ("all places of 64 IPv4 and 100 IPv6 addresses", places::of_many),
        ("14 addresses take the tries at the passphrase", secrets::of_neighbours),
        ("10,000 passphrases of one address", secrets::of_one),
        ("10,000 passphrases of 200 addresses", secrets::of_many),
        ("5,000 names of one address, and 5,000 comings and goings", people::crowd),
        ("one session searches all the time, ten do, and ten of ten addresses", askers::searches),
    ];
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let all = rustix::process::Rlimit { current: files.maximum, ..files };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, all).unwrap();
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let mut all_hold = true;
    for &(name, attack) in attacks {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            continue;
        }
        let Some(lan) = lan::Lan::new() else { return ExitCode::FAILURE };
        println!("\n{name}");
        for Row { what, bound, measured, holds } in attack(&lan) {
            let mark = if holds { ' ' } else { '!' };
            println!("{mark} {what:<58} {measured:>18}   {bound}");
            all_hold &= holds;
        }
    }
    if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
