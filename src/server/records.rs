//! The chat's books on disk: one file a kind, one JSON object a line, so that a person can read them
//! and a tool can edit them while the server is stopped.
//!
//! What the books say is the chat's business; here is only how they are kept.

use super::data_dir::{DataDir, DataDirError};
use super::hub::Hub;
use crate::chat::{Changes, Records};
use crate::files;
use crate::limits::{NAMES_SAVED_EVERY, SAVED_AGAIN_AFTER, STANDING_SAVED_EVERY};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads the books. Lines that are none are left out with a warning.
pub(super) fn load(dir: &DataDir) -> Result<Records, DataDirError> {
    Ok(Records {
        operators: read(dir.file("operators"))?,
        members: read(dir.file("members"))?,
        bans: read(dir.file("bans"))?,
        mutes: read(dir.file("mutes"))?,
        names: read(dir.file("names"))?,
    })
}

/// Saves what changes until the hub is closed, and once more then.
pub(super) async fn keep(hub: Arc<Hub>, dir: Arc<DataDir>) {
    if dir.file("").is_none() {
        return;
    }
    while hub.changed(Changes::any).await {
        gather(&hub).await;
        if !save(&hub, &dir).await {
            tokio::select! {
                () = tokio::time::sleep(SAVED_AGAIN_AFTER) => {}
                () = hub.closed() => {}
            }
        }
        if hub.is_closed() {
            break;
        }
    }
    save(&hub, &dir).await;
}

/// Lets changes gather, so that a storm of logins is written once, for less long as soon as one is
/// among them that must not be lost.
async fn gather(hub: &Hub) {
    let urgent = async {
        if hub.changed(Changes::is_urgent).await {
            tokio::time::sleep(STANDING_SAVED_EVERY).await;
        }
    };
    tokio::select! {
        () = tokio::time::sleep(NAMES_SAVED_EVERY) => {}
        () = urgent => {}
        () = hub.closed() => {}
    }
}

/// Saves what has changed; `false`: not all of it, and the rest counts as changed still.
async fn save(hub: &Arc<Hub>, dir: &Arc<DataDir>) -> bool {
    let (hub, dir) = (Arc::clone(hub), Arc::clone(dir));
    let saving = tokio::task::spawn_blocking(move || {
        let (changes, records) = hub.take_records();
        let lost = write_all(&dir, changes, &records);
        hub.give_back(lost);
        !lost.any()
    });
    saving.await.unwrap_or_else(|error| {
        tracing::error!(%error, "the books could not be saved");
        false
    })
}

/// Writes the books that have changed, and says which could not be written: one that can't be is no
/// reason to lose the others.
fn write_all(dir: &DataDir, changes: Changes, records: &Records) -> Changes {
    let standing = [
        write(dir.file("operators"), &records.operators, changes.standing),
        write(dir.file("bans"), &records.bans, changes.standing),
        write(dir.file("mutes"), &records.mutes, changes.standing),
    ];
    Changes {
        standing: standing.contains(&false),
        members: !write(dir.file("members"), &records.members, changes.members),
        names: !write(dir.file("names"), &records.names, changes.names),
    }
}

fn read<T: DeserializeOwned>(path: Option<PathBuf>) -> Result<Vec<T>, DataDirError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(DataDirError::Unusable(path, error)),
    };
    let mut rows = Vec::new();
    let mut is_damaged = false;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(row) => rows.push(row),
            Err(error) => {
                is_damaged = true;
                tracing::warn!("{}, line {}: {error}; it is left out", path.display(), at + 1);
            }
        }
    }
    if is_damaged {
        keep_aside(&path, text.as_bytes())?;
    }
    Ok(rows)
}

/// The next save writes only what could be read: a slip in editing must not cost the line.
fn keep_aside(path: &Path, content: &[u8]) -> Result<(), DataDirError> {
    let copy = path.with_extension("damaged");
    files::replace(&copy, content).map_err(|error| DataDirError::Unusable(copy.clone(), error))?;
    tracing::warn!("the file as it was is kept as {}", copy.display());
    Ok(())
}

/// Writes a book if it has changed; `false`: in vain.
fn write<T: Serialize>(path: Option<PathBuf>, rows: &[T], has_changed: bool) -> bool {
    let Some(path) = path.filter(|_| has_changed) else { return true };
    let mut text = Vec::new();
    for row in rows {
        if serde_json::to_writer(&mut text, row).is_ok() {
            text.push(b'\n');
        }
    }
    // Nothing to say and nothing said so far: no file.
    if text.is_empty() && !path.exists() {
        return true;
    }
    let written = files::replace(&path, &text);
    written.inspect_err(|error| tracing::error!("cannot save {}: {error}", path.display())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::desk::Desk;
    use super::super::memory::Budget;
    use super::*;
    use crate::chat::Archive;
    use crate::chat::{Chat, MemberRecord, NameRecord, Profile, Rules};
    use crate::fingerprint::Fingerprint;
    use crate::limits::{MAX_MEMBERS, MAX_OWNED_NAMES, RECORDS_PORTION};
    use crate::protocol::Request;
    use std::time::{Duration, Instant};
    use tokio::task::JoinHandle;

    struct Keeper {
        hub: Arc<Hub>,
        folder: tempfile::TempDir,
        task: JoinHandle<()>,
    }

    fn hub(records: Records) -> Arc<Hub> {
        let chat = Chat::new(Profile::default(), Rules::default(), records, Archive::default());
        let (desk, _) = Desk::open(1024, Budget::new(None)).expect("a desk");
        Hub::new(chat, None, Duration::from_secs(30), 1024, desk)
    }

    impl Keeper {
        fn start() -> Self {
            let folder = tempfile::tempdir().expect("a directory");
            let dir = Arc::new(DataDir::open(folder.path()).expect("a data directory"));
            let hub = hub(Records::default());
            let task = tokio::spawn(keep(Arc::clone(&hub), dir));
            Self { hub, folder, task }
        }

        fn ban(&self, ip: &str) {
            let ban = Request::Ban { name: ip.into(), duration: None };
            self.hub.console(&ban).expect("done");
        }

        /// Waits until the file has that in it; less long than names gather.
        async fn sees(&self, file: &str, text: &str) {
            let begun = Instant::now();
            let path = self.folder.path().join(file);
            while !fs::read_to_string(&path).is_ok_and(|content| content.contains(text)) {
                assert!(begun.elapsed() < NAMES_SAVED_EVERY / 2, "{text} is not in {file}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }

        async fn stop(self) -> tempfile::TempDir {
            self.hub.close();
            self.task.await.expect("an orderly end");
            self.folder
        }
    }

    #[tokio::test]
    async fn a_ban_does_not_wait_for_names_to_gather() {
        let keeper = Keeper::start();
        keeper.hub.give_back(Changes { names: true, ..Changes::default() });
        // The keeper has begun to gather.
        tokio::task::yield_now().await;
        keeper.ban("10.0.0.1");
        keeper.sees("bans", "10.0.0.1").await;
        keeper.stop().await;
    }

    #[tokio::test]
    async fn what_could_not_be_saved_is_saved_later_and_stops_nothing_else() {
        let keeper = Keeper::start();
        // In the place of the file, so that it can't be written.
        let in_the_way = keeper.folder.path().join("bans");
        fs::create_dir(&in_the_way).expect("a directory");
        keeper.ban("10.0.0.1");
        let mute = Request::Mute { name: "10.0.0.2".into(), duration: None };
        keeper.hub.console(&mute).expect("done");
        keeper.sees("mutes", "10.0.0.2").await;
        fs::remove_dir(&in_the_way).expect("it is empty");
        let folder = keeper.stop().await;
        let bans =
            fs::read_to_string(folder.path().join("bans")).expect("it is saved at the latest at the end");
        assert!(bans.contains("10.0.0.1"));
    }

    #[tokio::test]
    async fn a_disk_that_stays_full_does_not_keep_the_server_from_ending() {
        let keeper = Keeper::start();
        fs::create_dir(keeper.folder.path().join("bans")).expect("a directory");
        keeper.ban("10.0.0.1");
        keeper.stop().await;
    }

    /// As many rows as there may be.
    fn full() -> Records {
        let key = |n: usize| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&n.to_be_bytes());
            Fingerprint::new(hash)
        };
        let since = jiff::Timestamp::UNIX_EPOCH;
        let name = |n: usize| NameRecord {
            name: format!("user{n}"),
            key: key(n),
            last: jiff::Timestamp::now(),
            used: 9000,
        };
        let member = |n: usize| MemberRecord {
            key: key(n),
            name: format!("user{n}"),
            ip: None,
            since,
            rest: serde_json::Map::new(),
        };
        Records {
            names: (0..MAX_OWNED_NAMES).map(name).collect(),
            members: (0..MAX_MEMBERS).map(member).collect(),
            ..Records::default()
        }
    }

    #[test]
    fn the_largest_books_are_taken_in_portions_and_whole() {
        let all = full();
        let hub = hub(all.clone());
        let everything = Changes { standing: true, members: true, names: true };
        hub.give_back(everything);
        let (changes, taken) = hub.take_records();
        assert_eq!(changes, everything);
        assert_eq!((taken.members.len(), taken.names.len()), (MAX_MEMBERS, MAX_OWNED_NAMES));
        assert!(taken.members == all.members);
        assert!(!hub.take_records().0.any());
        let chat = Chat::new(Profile::default(), Rules::default(), all, Archive::default());
        let (mut members, mut names) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        assert!(chat.more_members(&mut members));
        let members_took = begun.elapsed();
        assert_eq!(chat.more_names(0, &crate::chat::Now::default(), &mut names), Some(RECORDS_PORTION));
        let names_took = begun.elapsed() - members_took;
        println!("a portion of members takes {members_took:?}, of names {names_took:?}");
        assert_eq!((members.len(), names.len()), (RECORDS_PORTION, RECORDS_PORTION));
    }

    #[test]
    fn a_line_that_is_none_is_left_out_and_the_file_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bans");
        fs::write(&path, "\"one\"\n{oops\n\"two\"\n").unwrap();
        let rows: Vec<String> = read(Some(path.clone())).unwrap();
        assert_eq!(rows, ["one", "two"]);
        assert!(write(Some(path.clone()), &rows, true));
        assert_eq!(fs::read_to_string(&path).unwrap(), "\"one\"\n\"two\"\n");
        assert!(fs::read_to_string(path.with_extension("damaged")).unwrap().contains("{oops"));
    }
}
