//! Has the servers of the tests share their chat with no other one: each is the only node of a log of its own.
//!
//! `LANCHAT_TEST_NODE=1`: in memory, which only servers in the process of the tests can use. `LANCHAT_TEST_NODE=nats`:
//! in a real engine, which serves all tests of the process.

use super::one_engine::OneEngine;
use lanchat::engine::memory::MemoryLog;
use lanchat::engine::nats::EngineConfig;
use lanchat::server::{EngineSource, NodeOptions, ServerOptions};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};
use tempfile::TempDir;

/// Where the logs are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Logs {
    InMemory,
    InEngine,
}

static LOGS: LazyLock<Option<Logs>> = LazyLock::new(|| {
    let logs = std::env::var("LANCHAT_TEST_NODE").ok()?;
    Some(if logs == "nats" { Logs::InEngine } else { Logs::InMemory })
});

/// The log in memory of each data directory, with its id.
static IN_MEMORY: LazyLock<Mutex<HashMap<PathBuf, (String, MemoryLog)>>> = LazyLock::new(Mutex::default);

static ENGINE: LazyLock<OneEngine> = LazyLock::new(OneEngine::start);

/// Whether the servers of the tests have logs.
pub fn has_logs() -> bool {
    LOGS.is_some()
}

/// Whether those that are processes of their own have logs, too.
pub fn processes_have_logs() -> bool {
    *LOGS == Some(Logs::InEngine)
}

/// Whether a test makes no sense with a log; says why.
pub fn skips(why: &str) -> bool {
    let skips = LOGS.is_some();
    if skips {
        eprintln!("skipped: {why}");
    }
    skips
}

/// The same for a test whose server is a process of its own, which cannot use a log in memory.
pub fn process_skips(why: &str) -> bool {
    processes_have_logs() && skips(why)
}

/// Gives a server a log. Returns its data directory if the test has none for it.
pub fn share(options: &mut ServerOptions) -> Option<TempDir> {
    let logs = LOGS.filter(|_| options.history.is_some() && options.node.is_none())?;
    if logs == Logs::InEngine && !ENGINE.is_near() {
        eprintln!("without a log: a server in a network of its own");
        return None;
    }
    let own_dir = options.data_dir.is_none().then(|| tempfile::tempdir().expect("a directory"));
    let dir = options.data_dir.get_or_insert_with(|| own_dir.as_ref().expect("just made").path().to_owned());
    // The tests call them a, b and so on.
    let number = options.nodes.as_ref().map_or(0, |nodes| nodes.node().as_bytes()[0] - b'a');
    let (log, engine) = match logs {
        Logs::InMemory => {
            let mut all = IN_MEMORY.lock().expect("no panic");
            let id = all.len() + 1;
            let (id, log) =
                all.entry(dir.clone()).or_insert_with(|| (format!("{id:016x}"), MemoryLog::new(1)));
            (id.clone(), EngineSource::Memory(number, log.clone()))
        }
        Logs::InEngine => {
            let config = EngineConfig { node: number, ..ENGINE.config(dir) };
            (config.chat.clone(), EngineSource::Nats(Box::new(config)))
        }
    };
    options.node = Some(NodeOptions { names: Vec::new(), number, log, engine, addresses: Vec::new() });
    own_dir
}

/// Gives a server that is a process of its own a log, if it keeps a history in `dir`.
pub fn share_process(command: &mut Command, dir: &Path, args: &[&str]) {
    if !processes_have_logs() || args.contains(&"--no-history") {
        return;
    }
    let named = |option: &str| args.iter().skip_while(|arg| **arg != option).nth(1).copied();
    let dir = named("--data-dir").map_or(dir, Path::new);
    command.env("LANCHAT_SERVE_ENGINE_FILE", ENGINE.file(dir, named("--name")));
}
