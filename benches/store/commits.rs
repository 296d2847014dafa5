//! Messages a second, by how many share a transaction, next to a plain table; and what removing old ones does
//! to new ones.

use super::floor::Floor;
use super::talk::Talk;
use super::times::{Times, cpu};
use anyhow::{Result, ensure};
use lanchat::store::{Retention, Store};
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};

/// Messages in a transaction.
pub const BATCHES: [usize; 4] = [1, 10, 100, 1000];

/// How long the index may stand still before it counts as up to date.
const STANDSTILL: Duration = Duration::from_millis(400);

/// What storing messages costs.
#[derive(Debug, Default, Clone, Copy)]
pub struct Cost {
    messages: u64,
    time: Duration,
    /// Of all threads of this process.
    cpu: Duration,
}

impl Cost {
    pub fn per_second(self) -> f64 {
        self.messages as f64 / self.time.as_secs_f64()
    }

    /// CPU of a message, in microseconds.
    pub fn cpu_us(self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.messages as f64
    }

    /// Runs something that stores so many messages.
    pub fn add<T>(&mut self, messages: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (before, start) = (cpu(), Instant::now());
        let done = work()?;
        self.time += start.elapsed();
        self.cpu += cpu().saturating_sub(before);
        self.messages += messages as u64;
        Ok(done)
    }
}

/// A turn of each: of the plain table; of the store as long as it takes messages; and until its index has them
/// too.
#[derive(Debug, Default, Clone, Copy)]
pub struct Turn {
    pub floor: Cost,
    pub taken: Cost,
    pub indexed: Cost,
}

impl Turn {
    /// With batches of that many, in a directory; making messages is not the store's work and does not count.
    pub fn run(dir: &Path, batch: usize, time: Duration) -> Result<Self> {
        let mut turn = Self::default();
        let place = tempfile::tempdir_in(dir)?;
        let mut floor = Floor::open(&place.path().join("floor.db"))?;
        let mut talk = Talk::after(0);
        while turn.floor.time < time {
            let messages = talk.batch(batch);
            turn.floor.add(batch, || floor.write(&messages))?;
        }
        drop(floor);
        let path = place.path().join("history.db");
        let (store, _) = Store::open(&path, Retention::default())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut talk = Talk::after(0);
        while turn.taken.time < time {
            let messages = talk.batch(batch);
            turn.taken.add(batch, || Ok(runtime.block_on(store.commit(messages))?))?;
        }
        turn.indexed = turn.taken;
        turn.indexed.add(0, || settled(&path))?;
        turn.indexed.time = turn.indexed.time.saturating_sub(STANDSTILL);
        ensure!(left(&path, talk.seq())? < 10_000, "the index does not follow");
        runtime.block_on(store.close());
        Ok(turn)
    }
}

/// Waits until the index has all that it gets for now.
pub fn settled(path: &Path) -> Result<()> {
    let connection = Connection::open(path)?;
    let (mut before, mut since) = (0, Instant::now());
    while since.elapsed() < STANDSTILL {
        let now = indexed(&connection)?;
        if now != before {
            (before, since) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn indexed(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("SELECT value FROM meta WHERE key = 'indexed'", [], |row| row.get(0))?)
}

fn left(path: &Path, seq: u64) -> Result<u64> {
    Ok(seq.saturating_sub(indexed(&Connection::open(path)?)? as u64))
}

/// How long single messages take while old ones are removed, next to when none are.
pub async fn while_pruning(path: &Path, keep: Retention, after: u64, time: Duration) -> Result<(Times, u64)> {
    let (store, _) = Store::open(path, keep)?;
    let mut talk = Talk::after(after);
    let mut times = Times::default();
    let start = Instant::now();
    while start.elapsed() < time {
        let batch = talk.batch(1);
        let commit = Instant::now();
        store.commit(batch).await?;
        times.add(commit.elapsed());
        // So that there is time in between, as there is in a chat.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    store.close().await;
    Ok((times, talk.seq()))
}
