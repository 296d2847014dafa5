//! The memory of a process that works with a history, whatever its size.

use super::reading;
use super::rig::process::Process;
use super::talk::Talk;
use anyhow::Result;
use lanchat::store::{Retention, Store};
use std::path::Path;
use std::process::Command;

/// The argument that makes this program such a process.
pub const FLAG: &str = "--memory-of";

/// Works with the history at `path` for a while; resident memory of this process, in KiB.
pub async fn work(path: &Path, missed: usize) -> Result<u64> {
    let (store, archive) = Store::open(path, Retention::default())?;
    let mut talk = Talk::after(archive.seq);
    for _ in 0..20 {
        store.commit(talk.batch(100)).await?;
    }
    reading::resume(&store, talk.seq(), missed).await?;
    reading::search(&store).await?;
    let bytes = Process(std::process::id()).memory()?;
    store.close().await;
    Ok(bytes / 1024)
}

/// The same in a process of its own.
pub fn of(path: &Path, missed: usize) -> Result<u64> {
    let output =
        Command::new(std::env::current_exe()?).arg(FLAG).arg(path).arg(missed.to_string()).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
