//! Turns of lanchat and another program one after the other, and the report.

use super::figures::{Turn, median};
use super::options::Options;
use super::place::Place;
use super::{chat, cuts, lanchat, socat, wormhole};
use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

const BLOCK: usize = 1 << 20;

pub fn run(options: &Options) -> Result<()> {
    // On a memory file system, so that no disk decides.
    let memory = Path::new("/dev/shm");
    let dir = match memory.is_dir() {
        true => tempfile::tempdir_in(memory)?,
        false => tempfile::tempdir()?,
    };
    let place = Place::new(options.link.as_deref())?;
    if let Some(transfers) = options.chat {
        return chat::run(options, &place, dir.path(), transfers);
    }
    if let Some(transfers) = options.cuts {
        return cuts::run(options, &place, dir.path(), (transfers, options.kills));
    }
    let from = dir.path().join("file.bin");
    make(&from, options.bytes)?;
    let peer = if options.wormhole { "wormhole" } else { "socat" };
    socat::certificate(dir.path())?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..options.turns {
        let to = lanchat::fresh(dir.path(), "received")?;
        let turn = lanchat::turn(&place, dir.path(), options.plaintext, &from, &to)?;
        same(&from, &to.join("file.bin"))?;
        print_turn("lanchat", number, turn, options.bytes);
        ours.push(turn);
        let to = lanchat::fresh(dir.path(), "received")?.join("file.bin");
        let turn = match options.wormhole {
            true => wormhole::turn(&place, dir.path(), &from, &to)?,
            false => socat::turn(&place, dir.path(), options.plaintext, &from, &to)?,
        };
        same(&from, &to)?;
        print_turn(peer, number, turn, options.bytes);
        theirs.push(turn);
    }
    report(options, peer, &ours, &theirs);
    Ok(())
}

fn print_turn(what: &str, number: usize, turn: Turn, bytes: u64) {
    println!(
        "turn {} {what:8} {:6.2} s {:7.1} MB/s {:6.2} ns of CPU a byte",
        number + 1,
        turn.wall.as_secs_f64(),
        turn.rate(bytes),
        turn.cpu_a_byte(bytes),
    );
}

fn report(options: &Options, peer: &str, ours: &[Turn], theirs: &[Turn]) {
    let times = |turns: &[Turn]| median(turns.iter().map(|turn| turn.wall.as_secs_f64()));
    let cpu = |turns: &[Turn]| median(turns.iter().map(|turn| turn.cpu_a_byte(options.bytes)));
    let link = options.link.as_deref().unwrap_or("loopback");
    let tls = if options.plaintext { "plaintext" } else { "TLS 1.3" };
    println!("\n{} bytes, {link}, {tls}, medians of {}", options.bytes, ours.len());
    println!(
        "time: lanchat {:.2} s, {peer} {:.2} s, ratio {:.2}",
        times(ours),
        times(theirs),
        times(ours) / times(theirs)
    );
    println!(
        "CPU a byte, all processes: lanchat {:.2} ns, {peer} {:.2} ns, ratio {:.2}",
        cpu(ours),
        cpu(theirs),
        cpu(ours) / cpu(theirs)
    );
}

/// Writes a file that no compression and no zero page makes easier.
pub fn make(path: &Path, bytes: u64) -> Result<()> {
    let mut block = vec![0u8; BLOCK];
    getrandom::fill(&mut block).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    let mut file = BufWriter::new(File::create(path)?);
    let mut left = bytes;
    while left > 0 {
        // Each block differs, so that one in the wrong place is noticed.
        block[..8].copy_from_slice(&left.to_le_bytes());
        let part = (left as usize).min(BLOCK);
        file.write_all(&block[..part])?;
        left -= part as u64;
    }
    Ok(file.flush()?)
}

/// Fails unless both files have the same bytes.
pub fn same(from: &Path, to: &Path) -> Result<()> {
    let length = |path: &Path| {
        fs::metadata(path).map(|data| data.len()).with_context(|| format!("{}", path.display()))
    };
    ensure!(length(from)? == length(to)?, "the received file has another size");
    let (mut a, mut b) = (
        BufReader::with_capacity(BLOCK, File::open(from)?),
        BufReader::with_capacity(BLOCK, File::open(to)?),
    );
    let (mut left, mut right) = (vec![0; BLOCK], vec![0; BLOCK]);
    loop {
        let part = a.read(&mut left)?;
        if part == 0 {
            return Ok(());
        }
        b.read_exact(&mut right[..part])?;
        ensure!(left[..part] == right[..part], "the received file differs");
    }
}
