//! Messages a second, by how many share a transaction; and what removing old ones does to new ones.

use super::talk::Talk;
use super::times::Times;
use anyhow::Result;
use lanchat::store::{Retention, Store};
use std::path::Path;
use std::time::{Duration, Instant};

/// Messages in a transaction.
pub const BATCHES: [usize; 4] = [1, 10, 100, 1000];

/// Messages a second, with batches of that many, in a directory.
pub async fn rate(dir: &Path, batch: usize, time: Duration) -> Result<f64> {
    let dir = tempfile::tempdir_in(dir)?;
    let (store, _) = Store::open(&dir.path().join("history.db"), Retention::default())?;
    let mut talk = Talk::after(0);
    // Making messages is not the store's work.
    let mut spent = Duration::ZERO;
    while spent < time {
        let batch = talk.batch(batch);
        let start = Instant::now();
        store.commit(batch).await?;
        spent += start.elapsed();
    }
    store.close().await;
    Ok(talk.seq() as f64 / spent.as_secs_f64())
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
