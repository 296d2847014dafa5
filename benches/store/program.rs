//! The order of things, and what is printed.

use super::commits::{self, Cost, Turn};
use super::times::Times;
use super::{memory, mixed, reading, server, talk::Talk};
use anyhow::{Context, Result, bail};
use lanchat::store::{Export, ExportFilter, Retention, Store, backup};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How much is done.
struct Plan {
    commit_time: Duration,
    /// Where the histories are: on the disk that they would be on.
    base: PathBuf,
    turns: usize,
    batches: Vec<usize>,
    messages: u64,
    missed: usize,
    big_bytes: u64,
}

pub fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("store: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let mut plan = Plan {
        commit_time: Duration::from_secs(10),
        base: env!("CARGO_TARGET_TMPDIR").into(),
        turns: 5,
        batches: commits::BATCHES.to_vec(),
        messages: 1_000_000,
        missed: 10_000,
        big_bytes: 1 << 30,
    };
    let (mut is_mixed, mut only) = (false, None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => {}
            "--quick" => {
                plan = Plan {
                    commit_time: Duration::from_millis(300),
                    turns: 1,
                    base: plan.base,
                    batches: plan.batches,
                    messages: 20_000,
                    missed: 2000,
                    big_bytes: 16 << 20,
                };
            }
            "--mixed" => is_mixed = true,
            "--commits" => only = Some(Part::Commits),
            "--reads" => only = Some(Part::Reads),
            "--turns" => plan.turns = args.next().context("no number")?.parse()?,
            "--of" => {
                let path = PathBuf::from(args.next().context("no path")?);
                if !path.exists() {
                    fill(&path, plan.messages, 10, u64::MAX).await?;
                }
                return reads(&path, &plan).await;
            }
            "--in" => plan.base = args.next().context("no directory")?.into(),
            "--batch" => plan.batches = vec![args.next().context("no number")?.parse()?],
            "--seconds" => {
                plan.commit_time = Duration::from_secs_f64(args.next().context("no number")?.parse()?);
            }
            memory::FLAG => {
                let path: PathBuf = args.next().context("no path")?.into();
                let missed = args.next().context("no number")?.parse()?;
                println!("{}", memory::work(&path, missed).await?);
                return Ok(());
            }
            other => bail!(
                "unknown option {other}; there are --quick, --mixed, --commits, --reads, --turns N, --batch N, --seconds N, --in DIRECTORY and --of HISTORY"
            ),
        }
    }
    if is_mixed {
        return mixed::measure(&plan.base, plan.messages).await;
    }
    measure(&plan, only).await
}

/// A part of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Commits,
    Reads,
}

async fn measure(plan: &Plan, only: Option<Part>) -> Result<()> {
    let base = plan.base.as_path();
    if only != Some(Part::Reads) {
        // It waits for the store in a runtime of its own.
        std::thread::scope(|scope| scope.spawn(|| commit_rates(base, plan)).join())
            .map_err(|_| anyhow::anyhow!("the measurement panicked"))??;
    }
    if only == Some(Part::Commits) {
        return Ok(());
    }
    let dir = tempfile::tempdir_in(base)?;
    let small = dir.path().join("small.db");
    fill(&small, 10_000.max(plan.missed as u64 * 2), 10, u64::MAX).await?;
    let path = dir.path().join("history.db");
    fill(&path, plan.messages, 10, u64::MAX).await?;
    reads(&path, plan).await?;
    if only == Some(Part::Reads) {
        return Ok(());
    }
    println!("memory after commits, resumes and searches, MiB");
    for (name, path) in [("small history", &small), ("big history", &path)] {
        println!("    {name:24} {:8.1}", memory::of(path, plan.missed)? as f64 / 1024.0);
    }
    fill(&path, u64::MAX, 700, plan.big_bytes).await?;
    println!("opening a history of {:.2} GB", size(&path) as f64 / 1e9);
    println!("    {}", reading::open(&path).await?);
    println!("a server with it");
    let (store, archive) = Store::open(&path, Retention::default())?;
    store.close().await;
    server::measure(dir.path(), archive.seq, plan.missed)?;
    whole(&path, dir.path())?;
    pruning(&path, plan).await
}

/// Prints messages a second and CPU a message: the median of some turns.
fn commit_rates(base: &Path, plan: &Plan) -> Result<()> {
    println!(
        "messages stored a second (CPU in us each), by messages in a transaction; medians of {} turns",
        plan.turns
    );
    println!(
        "    {:>6} {:>17} {:>17} {:>6} {:>17} {:>6}",
        "", "plain table", "store", "x", "and indexed", "x"
    );
    for batch in plan.batches.iter().copied() {
        let turns = (0..plan.turns).map(|_| Turn::run(base, batch, plan.commit_time));
        let turns = turns.collect::<Result<Vec<_>>>()?;
        let median = |of: &dyn Fn(&Turn) -> f64| {
            let mut all: Vec<f64> = turns.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        let cost = |of: &dyn Fn(&Turn) -> Cost| {
            format!("{:.0} ({:.1})", median(&|turn| of(turn).per_second()), median(&|turn| of(turn).cpu_us()))
        };
        let ratio =
            |of: &dyn Fn(&Turn) -> Cost| median(&|turn| of(turn).per_second() / turn.floor.per_second());
        println!(
            "    {batch:6} {:>17} {:>17} {:6.2} {:>17} {:6.2}",
            cost(&|turn| turn.floor),
            cost(&|turn| turn.taken),
            ratio(&|turn| turn.taken),
            cost(&|turn| turn.indexed),
            ratio(&|turn| turn.indexed),
        );
    }
    Ok(())
}

/// Adds messages until there are so many, or so many bytes.
async fn fill(path: &Path, messages: u64, words: usize, bytes: u64) -> Result<()> {
    let start = Instant::now();
    let (store, archive) = Store::open(path, Retention::default())?;
    let mut talk = Talk::after(archive.seq);
    while talk.seq() < messages && size(path) < bytes {
        store.commit(talk.batch_of(1000.min(messages - talk.seq()) as usize, words)).await?;
    }
    commits::settled(path)?;
    store.close().await;
    let (seq, mb) = (talk.seq(), size(path) as f64 / 1e6);
    println!("filled up to number {seq}, {mb:.0} MB, in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

async fn reads(path: &Path, plan: &Plan) -> Result<()> {
    let (store, archive) = Store::open(path, Retention::default())?;
    println!("{} missed messages", plan.missed);
    println!("    {}", reading::resume(&store, archive.seq, plan.missed).await?);
    println!("searches over {} messages", plan.messages);
    let mut all = Times::default();
    for (name, times, found) in reading::search(&store).await? {
        println!("    {name:34} {times}, {found} found in all");
        all.append(&times);
    }
    println!("    {:34} {all}", "all of these");
    for (name, times) in reading::history(&store).await? {
        println!("    {name:34} {times}");
    }
    let times = reading::search_new(&store, archive.seq).await?;
    println!("    {:34} {times}", "words of the last second");
    store.close().await;
    Ok(())
}

/// Everything read once.
fn whole(path: &Path, dir: &Path) -> Result<()> {
    let start = Instant::now();
    let count = Export::open(path, ExportFilter::default())?.count();
    println!("export of {count} messages: {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    backup(path, &dir.join("copy.db"), &[], |_, _| {})?;
    println!("backup: {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

async fn pruning(path: &Path, plan: &Plan) -> Result<()> {
    println!("one message every 5 ms");
    let time = plan.commit_time;
    let (store, archive) = Store::open(path, Retention::default())?;
    store.close().await;
    let (times, after) = commits::while_pruning(path, Retention::default(), archive.seq, time).await?;
    println!("    nothing to remove      {times}, 99th of 100 {:?}", times.at(0.99));
    let keep = Retention { age: None, bytes: Some(1) };
    let (times, _) = commits::while_pruning(path, keep, after, time).await?;
    println!("    old ones are removed   {times}, 99th of 100 {:?}", times.at(0.99));
    let left = Export::open(path, ExportFilter::default())?.count();
    println!("    messages that are left: {left}");
    Ok(())
}
