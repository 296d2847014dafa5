//! Carries out what the conversation orders about files, each in a task of its own, and reports how it ended.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use unicode_normalization::UnicodeNormalization as _;

use crate::client::connection::Credentials;
use crate::client::conversation::{
    CollectedFiles, MeetingPoint, TransferOrder, TransferReport, TransferWork,
};
use crate::client::preferences::Preferences;
use crate::client::shared_state::SharedState;
use crate::client::state_dir::state_dir;
use crate::client::transfer::{
    Accepted, Cancel, Door, Landing, OfferOrigin, Parcel, Pipe, Received, TransferError, download_folder,
    no_folder, receive, send,
};
use crate::client::typed_paths::PathStyle;
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::FileInfo;
use crate::text::safe_line;

/// Reports that may wait.
const QUEUE: usize = 64;

/// How long the end waits for transfers to note their places, so that they can go on.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The work on files.
pub(super) struct FileWork {
    credentials: Credentials,
    accepted: SharedState<Accepted>,
    sender: mpsc::Sender<(u64, TransferReport)>,
    reports: mpsc::Receiver<(u64, TransferReport)>,
    running: HashMap<u64, RunningWork>,
}

struct RunningWork {
    cancel: Cancel,
    task: JoinHandle<()>,
}

impl FileWork {
    pub(super) fn new(credentials: Credentials) -> Self {
        let mut accepted = Accepted::load(state_dir().as_deref());
        accepted.clean(Timestamp::now());
        let (sender, reports) = mpsc::channel(QUEUE);
        let accepted = SharedState::new(accepted);
        Self { credentials, accepted, sender, reports, running: HashMap::new() }
    }

    /// The next report. Safe to cancel.
    pub(super) async fn next(&mut self) -> (u64, TransferReport) {
        match self.reports.recv().await {
            Some((task, report)) => {
                self.running.remove(&task);
                (task, report)
            }
            // There is always a sender here.
            None => std::future::pending().await,
        }
    }

    /// Starts the work, or ends it.
    pub(super) fn start(&mut self, order: TransferOrder) {
        let TransferOrder { task: number, work } = order;
        let cancel = Cancel::new();
        let task = match work {
            TransferWork::Forget(landing) => return self.forget(landing),
            TransferWork::Cancel => return self.cancel(number),
            TransferWork::Abandon => return self.abandon(number),
            TransferWork::Collect(paths) => {
                let own = self.credentials.own;
                self.spawn(number, blocking(move || TransferReport::Collected(collect(&paths, &own))))
            }
            TransferWork::Recall { origin, file } => {
                let accepted = self.accepted.clone();
                self.spawn(
                    number,
                    blocking(move || {
                        TransferReport::Recalled(accepted.lock().recall(&origin, &file).map(Arc::new))
                    }),
                )
            }
            TransferWork::Prepare { origin, file, folder, downloads } => {
                let accepted = self.accepted.clone();
                self.spawn(
                    number,
                    blocking(move || {
                        let folder = folder_for(folder.as_deref(), &downloads);
                        let landing = folder.and_then(|folder| land(&accepted, &origin, &file, &folder));
                        TransferReport::Prepared(landing)
                    }),
                )
            }
            TransferWork::Send { meeting, parcel, progress } => {
                let (door, cancel) = (self.door(&meeting), cancel.clone());
                self.spawn(number, async move {
                    let sent = match open(&door, &meeting, &cancel).await {
                        Ok(pipe) => send(pipe, parcel, progress, cancel).await,
                        Err(error) => Err(error),
                    };
                    TransferReport::Sent(sent)
                })
            }
            TransferWork::Receive { meeting, landing, progress } => {
                let (door, accepted, cancel) = (self.door(&meeting), self.accepted.clone(), cancel.clone());
                self.spawn(number, async move {
                    let received = match open(&door, &meeting, &cancel).await {
                        Ok(pipe) => receive(pipe, &landing, progress, cancel).await,
                        Err(error) => Err(error),
                    };
                    settle(accepted, landing, received).await
                })
            }
        };
        self.running.insert(number, RunningWork { cancel, task });
    }

    fn forget(&self, landing: Arc<Landing>) {
        let accepted = self.accepted.clone();
        drop(tokio::task::spawn_blocking(move || accepted.lock().forget(&landing)));
    }

    fn cancel(&self, number: u64) {
        if let Some(running) = self.running.get(&number) {
            running.cancel.cancel();
        }
    }

    fn abandon(&mut self, number: u64) {
        if let Some(running) = self.running.remove(&number) {
            running.task.abort();
        }
    }

    fn spawn(
        &self,
        number: u64,
        work: impl Future<Output = TransferReport> + Send + 'static,
    ) -> JoinHandle<()> {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            // Nobody hears it at the end.
            let _ = sender.send((number, work.await)).await;
        })
    }

    /// The same way as the chat's.
    fn door(&self, meeting: &MeetingPoint) -> Door {
        Door::new(meeting.server, self.credentials.channel.to(meeting.key))
    }

    /// Ends everything. Both sides can resume it, so nothing is cancelled.
    pub(super) async fn stop(&mut self) {
        if self.running.is_empty() {
            return;
        }
        self.running.values().for_each(|running| running.task.abort());
        let last = async {
            for running in self.running.values_mut() {
                let _ = (&mut running.task).await;
            }
            // The threads note how far they are.
            sleep(LAST_WAIT / 4).await;
        };
        let _ = timeout(LAST_WAIT, last).await;
    }
}

/// Work that waits for the disk.
async fn blocking(work: impl FnOnce() -> TransferReport + Send + 'static) -> TransferReport {
    match tokio::task::spawn_blocking(work).await {
        Ok(report) => report,
        // It has failed, or the process ends.
        Err(_) => TransferReport::Failed,
    }
}

async fn open(door: &Door, meeting: &MeetingPoint, cancel: &Cancel) -> Result<Pipe, TransferError> {
    tokio::select! {
        opened = Pipe::open(door, &meeting.token) => opened,
        error = cancel.error() => Err(error),
    }
}

/// Notes how it ended.
async fn settle(
    accepted: SharedState<Accepted>,
    landing: Arc<Landing>,
    received: Result<Received, TransferError>,
) -> TransferReport {
    blocking(move || {
        accepted.lock().settle(&landing, &received);
        TransferReport::Received(received)
    })
    .await
}

/// Looks at the files that a line names.
fn collect(line: &str, own: &Fingerprint) -> Result<CollectedFiles, String> {
    let (style, home) = (PathStyle::HERE, etcetera::home_dir().ok());
    let words = style.words(line);
    let mut paths: Vec<PathBuf> =
        words.iter().map(|word| as_on_disk(style.path(&word.text, home.clone()))).collect();
    let whole = as_on_disk(style.path(line.trim(), home));
    if let Some(missing) = paths.iter().find(|path| path.symlink_metadata().is_err()) {
        // Some terminals write a dragged file as it is.
        if whole.symlink_metadata().is_err() {
            return Err(no_file(missing));
        }
        paths = vec![whole];
    }
    let parcel = Parcel::collect(&paths).map_err(|error| error.to_string())?;
    let (file, notes) = (parcel.info(own), parcel.notes());
    Ok(CollectedFiles { parcel: Arc::new(parcel), file, notes })
}

/// The path with its accents as the disk has them: a keyboard writes `é` as one character, and a file from a Mac may
/// have two.
fn as_on_disk(path: PathBuf) -> PathBuf {
    let is_there = |path: &PathBuf| path.symlink_metadata().is_ok();
    let other = match path.to_str() {
        Some(text) if !text.is_ascii() && !is_there(&path) => {
            [text.nfc().collect::<String>(), text.nfd().collect()]
                .into_iter()
                .map(PathBuf::from)
                .find(is_there)
        }
        _ => None,
    };
    other.unwrap_or(path)
}

fn no_file(path: &Path) -> String {
    match path.symlink_metadata() {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            format!("cannot read {}: {error}", safe_line(&path.display().to_string()))
        }
        _ => format!(
            "there is no file or folder {}; correct its path (to send a text: /msg NAME TEXT)",
            safe_line(&path.display().to_string())
        ),
    }
}

/// The folder for what the user accepts: one that the user names must exist.
fn folder_for(folder: Option<&str>, downloads: &str) -> Result<PathBuf, String> {
    let (style, home) = (PathStyle::HERE, etcetera::home_dir().ok());
    let Some(typed) = folder else {
        let is_usual = *downloads == Preferences::default().downloads;
        return Ok(download_folder().filter(|_| is_usual).unwrap_or_else(|| style.path(downloads, home)));
    };
    let words = style.words(typed);
    let candidates = [style.path(typed.trim(), home.clone())].into_iter();
    let candidates = candidates.chain(match words.as_slice() {
        [one] => Some(style.path(&one.text, home)),
        _ => None,
    });
    candidates.map(as_on_disk).find(|path| path.is_dir()).ok_or_else(|| no_folder(Path::new(typed.trim())))
}

/// Makes a place for the offered files.
fn land(
    accepted: &SharedState<Accepted>,
    origin: &OfferOrigin,
    file: &FileInfo,
    folder: &Path,
) -> Result<Arc<Landing>, String> {
    let landing = accepted.lock().accept(origin, file, folder, None);
    landing.map(Arc::new).map_err(|error| error.to_string())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const OWN: Fingerprint = Fingerprint::new([7; 32]);

    #[test]
    fn the_files_of_a_line_are_found_however_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display().to_string();
        for name in ["my plan.pdf", "b"] {
            std::fs::write(dir.path().join(name), "12345").unwrap();
        }
        for line in [
            format!("'{at}/my plan.pdf'"),
            format!("{at}/my\\ plan.pdf "),
            format!("file://{at}/my%20plan.pdf"),
            format!("{at}/my plan.pdf"),
        ] {
            let file = collect(&line, &OWN).unwrap().file;
            assert_eq!((file.name.as_str(), file.size, file.count), ("my plan.pdf", Some(5), None), "{line}");
        }
        for (name, typed) in [
            ("two\nlines", format!("file://{at}/two%0Alines")),
            ("it's \"so\"", format!("'{at}/it'\\''s \"so\"'")),
            ("it's \"so\"", format!("{at}/it\\'s\\ \\\"so\\\"")),
            ("cafe\u{301}", format!("{at}/caf\u{e9}")),
            ("na\u{ef}ve", format!("{at}/nai\u{308}ve")),
            ("山 🎉", format!("'{at}/山 🎉'")),
            ("-rf", format!("{at}/-rf")),
        ] {
            std::fs::write(dir.path().join(name), "123").unwrap();
            let file = collect(&typed, &OWN).unwrap().file;
            assert_eq!((file.name.as_str(), file.size), (name, Some(3)), "{typed}");
        }
        // Several files that are dragged together, and a list of addresses that is pasted.
        let several = collect(&format!("file://{at}/b\r\nfile://{at}/my%20plan.pdf\r\n"), &OWN).unwrap().file;
        assert_eq!(several.count, Some(2));
        let both = collect(&format!("{at}/b '{at}/my plan.pdf'"), &OWN).unwrap().file;
        assert_eq!((both.size, both.count), (Some(10), Some(2)));
    }

    #[test]
    fn a_path_that_leads_nowhere_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("b"), "").unwrap();
        let at = dir.path().display().to_string();
        let error = collect(&format!("{at}/b {at}/nowhere"), &OWN).unwrap_err();
        assert!(error.starts_with(&format!("there is no file or folder {at}/nowhere; ")), "{error}");
        let error = folder_for(Some("/no where"), "~/Downloads").unwrap_err();
        assert_eq!(error, "there is no folder /no where; create it, or give another one");
        let folder = folder_for(Some(&format!("'{at}'")), "~/Downloads").unwrap();
        assert_eq!(folder, dir.path());
        assert_eq!(folder_for(None, &at).unwrap(), dir.path());
    }
}
