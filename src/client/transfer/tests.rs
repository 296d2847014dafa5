//! One transfer between two ends in memory.

mod crashes;
mod hostile;
mod ownership;
mod resuming;

use super::accepted::{Accepted, OfferOrigin};
use super::cancel::Cancel;
use super::error::TransferError;
use super::landing::{Landing, Received};
use super::parcel::Parcel;
use super::pipe::Pipe;
use super::progress::FileProgress;
use super::receiving::receive;
use super::sending::{Sent, send};
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::FileInfo;
use crate::protocol::record::StopCode;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::duplex;

/// A sender's and a receiver's directory, and the receiver's memory.
struct Scene {
    here: TempDir,
    there: TempDir,
    state: TempDir,
}

fn own() -> Fingerprint {
    Fingerprint::new([1; 32])
}

fn origin() -> OfferOrigin {
    OfferOrigin::new("server", "alice", Some(&Fingerprint::new([1; 32])))
}

impl Scene {
    fn new() -> Self {
        let dir = || tempfile::tempdir().unwrap();
        Self { here: dir(), there: dir(), state: dir() }
    }

    /// Makes a file to send.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.here.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn parcel(&self, name: &str) -> Arc<Parcel> {
        Arc::new(Parcel::collect(&[self.here.path().join(name)]).unwrap())
    }

    fn accepted(&self) -> Accepted {
        Accepted::load(Some(self.state.path()))
    }

    fn accept(&self, info: &FileInfo) -> Landing {
        self.accepted().accept(&origin(), info, self.there.path(), None).unwrap()
    }

    /// Passes a parcel on over that pair of pipes, as both clients would.
    async fn over(&self, ends: (Pipe, Pipe), parcel: &Arc<Parcel>) -> (Outcome<Sent>, Outcome<Received>) {
        let landing = self.accept(&parcel.info(&own()));
        let (one, other) = (Arc::new(FileProgress::default()), Arc::new(FileProgress::default()));
        let sending = send(ends.0, parcel.clone(), one, Cancel::new());
        let receiving = receive(ends.1, &landing, other, Cancel::new());
        let (sent, received) = tokio::join!(sending, receiving);
        self.accepted().settle(&landing, &received);
        (sent, received)
    }

    /// Passes a parcel on without a cut.
    async fn pass(&self, parcel: &Arc<Parcel>) -> PathBuf {
        let (sent, received) = self.over(pipes(), parcel).await;
        let received = received.unwrap();
        assert_eq!(sent.unwrap().bytes, received.bytes);
        assert_eq!(received.path.parent().unwrap(), self.there.path().canonicalize().unwrap());
        received.path
    }

    /// The names in the receiver's folder.
    fn names(&self) -> Vec<String> {
        tree(self.there.path()).into_keys().collect()
    }

    /// The only unfinished file or folder in the receiver's folder.
    fn part(&self) -> PathBuf {
        let names: Vec<_> = self.names().into_iter().filter(|name| name.ends_with(".part")).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        self.there.path().join(&names[0])
    }

    /// The journals that are left.
    fn journals(&self) -> usize {
        fs::read_dir(self.state.path().join("transfers")).map_or(0, Iterator::count)
    }
}

type Outcome<T> = Result<T, TransferError>;

fn pipes() -> (Pipe, Pipe) {
    let (one, other) = duplex(100_000);
    (Pipe::over(one), Pipe::over(other))
}

/// The content of a folder: files, and folders as `None`.
fn tree(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let entries = walkdir::WalkDir::new(root).min_depth(1).into_iter().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        (name, entry.file_type().is_file().then(|| fs::read(entry.path()).unwrap()))
    });
    entries.collect()
}

/// Bytes that differ everywhere.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&length.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn stop_code(error: &TransferError) -> StopCode {
    match error {
        TransferError::ByPeer { code, .. } | TransferError::Here { code, .. } => *code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn files_of_every_size_arrive_as_they_are() {
    let scene = Scene::new();
    for length in [0, 1, 65_535, 65_536, 65_537, 1_000_000] {
        let path = scene.file(&format!("{length}.bin"), noise(length));
        let arrived = scene.pass(&scene.parcel(path.file_name().unwrap().to_str().unwrap())).await;
        assert!(fs::read(&arrived).unwrap() == noise(length), "{length}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&arrived).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    assert_eq!((scene.names().len(), scene.journals()), (6, 0), "nothing else is left");
}

#[tokio::test]
async fn a_folder_arrives_with_its_structure() {
    let scene = Scene::new();
    for (name, length) in [("docs/a.txt", 3), ("docs/sub/deep/b.bin", 100_000), ("docs/ünïcode 🎉.txt", 0)]
    {
        scene.file(name, noise(length));
    }
    fs::create_dir_all(scene.here.path().join("docs/empty/inner")).unwrap();
    let arrived = scene.pass(&scene.parcel("docs")).await;
    assert_eq!(arrived.file_name().unwrap(), "docs");
    assert_eq!(tree(&arrived), tree(&scene.here.path().join("docs")));
    assert_eq!(scene.journals(), 0);
}

#[tokio::test]
async fn an_empty_folder_arrives_too() {
    let scene = Scene::new();
    fs::create_dir(scene.here.path().join("nothing")).unwrap();
    let parcel = scene.parcel("nothing");
    assert_eq!(parcel.info(&own()).count, Some(0));
    let arrived = scene.pass(&parcel).await;
    assert!(arrived.is_dir() && tree(&arrived).is_empty());
}

#[tokio::test]
async fn several_paths_become_one_folder() {
    let scene = Scene::new();
    let paths = [scene.file("a.txt", "a"), scene.file("docs/b.txt", "b"), scene.file("other/a.txt", "c")];
    let parcel = Parcel::collect(&[paths[0].clone(), scene.here.path().join("docs"), paths[2].clone()]);
    let parcel = Arc::new(parcel.unwrap());
    assert_eq!(parcel.name(), "a.txt and 2 more");
    let arrived = scene.pass(&parcel).await;
    let names: Vec<_> =
        tree(&arrived).into_iter().map(|(name, content)| (name, content.unwrap_or_default())).collect();
    let wanted = [("a (2).txt", "c"), ("a.txt", "a"), ("docs", ""), ("docs/b.txt", "b")];
    assert_eq!(names, wanted.map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec())));
}

#[tokio::test]
async fn a_stream_of_unknown_length_arrives() {
    let scene = Scene::new();
    let parcel = Arc::new(Parcel::stream("backup.tar", std::io::Cursor::new(noise(300_000))));
    assert_eq!(parcel.info(&own()).size, None);
    let arrived = scene.pass(&parcel).await;
    assert!(fs::read(arrived).unwrap() == noise(300_000));
}

#[tokio::test]
async fn a_stream_stops_at_the_most_that_its_receiver_takes() {
    let scene = Scene::new();
    let parcel = Arc::new(Parcel::stream("endless", std::io::repeat(7)));
    let info = parcel.info(&own());
    let landing = scene.accepted().accept(&origin(), &info, scene.there.path(), Some(1_000_000)).unwrap();
    let ends = pipes();
    let (sent, received) = tokio::join!(
        send(ends.0, parcel, Arc::default(), Cancel::new()),
        receive(ends.1, &landing, Arc::default(), Cancel::new())
    );
    assert_eq!(stop_code(&sent.unwrap_err()), StopCode::TooManyBytes);
    assert_eq!(stop_code(&received.unwrap_err()), StopCode::TooManyBytes);
    assert_eq!(scene.names(), [""; 0]);
}

#[tokio::test]
async fn nothing_is_ever_overwritten() {
    let scene = Scene::new();
    scene.file("plan.pdf", "new");
    fs::write(scene.there.path().join("plan.pdf"), "old").unwrap();
    fs::write(scene.there.path().join("plan.pdf.part"), "someone's").unwrap();
    fs::create_dir(scene.there.path().join("plan (2).pdf")).unwrap();
    let arrived = scene.pass(&scene.parcel("plan.pdf")).await;
    assert_eq!(arrived.file_name().unwrap(), "plan (3).pdf");
    assert_eq!(scene.names(), ["plan (2).pdf", "plan (3).pdf", "plan.pdf", "plan.pdf.part"]);
    assert_eq!(fs::read(scene.there.path().join("plan.pdf")).unwrap(), b"old");
    scene.file("docs/a", "new");
    fs::create_dir(scene.there.path().join("docs")).unwrap();
    let arrived = scene.pass(&scene.parcel("docs")).await;
    assert_eq!(arrived.file_name().unwrap(), "docs (2)", "an empty folder is somebody's, too");
}

#[cfg(unix)]
#[tokio::test]
async fn links_and_pipes_in_a_folder_are_not_sent_and_named() {
    let scene = Scene::new();
    scene.file("docs/a.txt", "a");
    std::os::unix::fs::symlink("/etc/passwd", scene.here.path().join("docs/link")).unwrap();
    std::os::unix::fs::symlink("..", scene.here.path().join("docs/up")).unwrap();
    let pipe = scene.here.path().join("docs/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let parcel = scene.parcel("docs");
    let skipped: Vec<_> = parcel.skipped().iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(skipped, ["link", "pipe", "up"]);
    let arrived = scene.pass(&parcel).await;
    assert_eq!(tree(&arrived).into_keys().collect::<Vec<_>>(), ["a.txt"]);
    let error = Parcel::collect(&[pipe]).unwrap_err().to_string();
    assert!(error.ends_with("is neither a file nor a folder; give one of these"), "{error}");
}

#[test]
fn hidden_files_within_a_folder_are_told_and_those_that_are_named_are_not() {
    let scene = Scene::new();
    for name in [
        "docs/a.txt",
        "docs/.git/config",
        "docs/.git/HEAD",
        "docs/sub/.env",
        "docs/.x",
        "docs/.y",
        ".profile",
    ] {
        scene.file(name, "a");
    }
    assert_eq!(
        scene.parcel("docs").notes(),
        ["hidden files are sent, too, and arrive without the dot: .env, .git, .x and 1 more"]
    );
    assert!(scene.parcel(".profile").notes().is_empty());
    assert!(scene.parcel("docs/.git").notes().is_empty());
    let both = Parcel::collect(&[".profile", "docs/sub"].map(|name| scene.here.path().join(name))).unwrap();
    assert_eq!(both.notes(), ["hidden files are sent, too, and arrive without the dot: .env"]);
}

#[tokio::test]
async fn a_file_that_changed_since_the_offer_ends_it_for_both() {
    let scene = Scene::new();
    let path = scene.file("log", noise(1000));
    let parcel = scene.parcel("log");
    fs::write(path, noise(1001)).unwrap();
    let (sent, received) = scene.over(pipes(), &parcel).await;
    assert_eq!(stop_code(&sent.unwrap_err()), StopCode::Changed);
    let error = received.unwrap_err();
    assert_eq!(stop_code(&error), StopCode::Changed);
    assert!(error.to_string().contains("log changed since it was offered"), "{error}");
    assert_eq!((scene.names(), scene.journals()), (Vec::new(), 0));
}

#[tokio::test]
async fn either_side_can_end_it_and_the_other_hears_why() {
    for by_sender in [true, false] {
        let scene = Scene::new();
        let parcel = Arc::new(Parcel::stream("endless", std::io::repeat(7)));
        let landing = scene.accept(&parcel.info(&own()));
        let (cancel, progress, ends) = (Cancel::new(), Arc::new(FileProgress::default()), pipes());
        let cancels = |is_its| if is_its { cancel.clone() } else { Cancel::new() };
        let ending = async {
            while progress.now().done < 1_000_000 {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        };
        let (sent, received, ()) = tokio::join!(
            send(ends.0, parcel, progress.clone(), cancels(by_sender)),
            receive(ends.1, &landing, Arc::default(), cancels(!by_sender)),
            ending
        );
        let (sent, received) = (sent.unwrap_err(), received.unwrap_err());
        let (ours, theirs) = if by_sender { (sent, received) } else { (received, sent) };
        assert!(matches!(ours, TransferError::Here { code: StopCode::Cancelled, .. }), "{ours:?}");
        assert!(matches!(theirs, TransferError::ByPeer { code: StopCode::Cancelled, .. }), "{theirs:?}");
        assert_eq!(scene.names(), [""; 0]);
    }
}

#[tokio::test]
async fn the_same_content_has_the_same_id_and_other_content_another() {
    let scene = Scene::new();
    let path = scene.file("a", "one");
    let id = |parcel: Arc<Parcel>, key| parcel.info(&Fingerprint::new([key; 32])).id;
    let first = id(scene.parcel("a"), 1);
    assert_eq!(id(scene.parcel("a"), 1), first);
    assert_ne!(id(scene.parcel("a"), 2), first, "another user's");
    fs::write(path, "other").unwrap();
    assert_ne!(id(scene.parcel("a"), 1), first);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let scene = Scene::new();
    let info = FileInfo { name: "big".into(), size: Some(u64::MAX / 2), count: None, id: "1".into() };
    let mut accepted = scene.accepted();
    let error = accepted.accept(&origin(), &info, scene.there.path(), None).unwrap_err();
    assert_eq!(stop_code(&error), StopCode::NoSpace);
    let error = accepted.accept(&origin(), &info, scene.there.path(), Some(1000)).unwrap_err();
    assert_eq!(stop_code(&error), StopCode::TooManyBytes);
    assert_eq!(scene.names(), [""; 0]);
}

#[test]
fn a_hidden_file_does_not_take_the_name_of_another() {
    let scene = Scene::new();
    for name in ["docs/.notes", "docs/notes", "docs/a"] {
        scene.file(name, "a");
    }
    let parcel = scene.parcel("docs");
    let names: Vec<_> = parcel.items().iter().map(|item| item.path.last().unwrap().clone()).collect();
    assert_eq!(names, ["a", "notes", ".notes"]);
}
