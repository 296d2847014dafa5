//! Senders and receivers that lie.

use super::*;
use crate::limits::{TRANSFER_SIGN, TRANSFER_STALL};
use crate::protocol::record::{ContentHash, FileHeader, FileRecord, Have, StartPlace, Stored, Totals};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

fn hash(bytes: &[u8]) -> FileRecord<'static> {
    FileRecord::Hash(blake3::hash(bytes).into())
}

fn begin(path: &[&str], size: Option<u64>) -> FileRecord<'static> {
    let path = path.iter().map(|part| (*part).to_owned()).collect();
    FileRecord::File(FileHeader { path, size, folder: false })
}

fn folder(path: &[&str]) -> FileRecord<'static> {
    let path = path.iter().map(|part| (*part).to_owned()).collect();
    FileRecord::File(FileHeader { path, size: None, folder: true })
}

fn totals(files: u64, bytes: u64) -> FileRecord<'static> {
    FileRecord::Totals(Totals { files, bytes })
}

const START: FileRecord<'static> = FileRecord::StartPlace(StartPlace { files: 0, have: 0 });

/// The result of a receiver of `info` who gets these records; the connection stays open after them.
async fn received(scene: &Scene, info: &FileInfo, records: &[FileRecord<'_>]) -> Outcome<Received> {
    let landing = scene.accept(info);
    let (mut ours, theirs) = duplex(1_000_000);
    for record in records {
        ours.write_all(&record.to_bytes()).await.unwrap();
    }
    let (received, _) = tokio::join!(
        async {
            let received = receive(Pipe::over(theirs), &landing, Arc::default(), Cancel::new()).await;
            scene.accepted().settle(&landing, &received);
            received
        },
        async move {
            let mut said = Vec::new();
            let _ = ours.read_to_end(&mut said).await;
        }
    );
    received
}

#[tokio::test]
async fn a_lying_sender_gets_nothing_onto_the_disk() {
    let one = FileInfo { name: "f".into(), size: Some(3), count: None, id: "1".into() };
    let many = FileInfo { name: "d".into(), size: Some(6), count: Some(2), id: "2".into() };
    let (abc, data) = (hash(b"abc"), FileRecord::Data(b"abc"));
    let f = || begin(&["f"], Some(3));
    let cases: Vec<(&str, &FileInfo, Vec<FileRecord<'_>>, StopCode)> = vec![
        ("bytes after the end", &one, vec![START, f(), FileRecord::Data(b"abcd")], StopCode::TooManyBytes),
        ("a bigger file", &one, vec![START, begin(&["f"], Some(4))], StopCode::TooManyBytes),
        (
            "no size, and more",
            &one,
            vec![START, begin(&["f"], None), FileRecord::Data(b"abcd")],
            StopCode::TooManyBytes,
        ),
        ("fewer bytes", &one, vec![START, f(), FileRecord::Data(b"ab"), hash(b"ab")], StopCode::TooFewBytes),
        (
            "a smaller file",
            &one,
            vec![START, begin(&["f"], Some(0)), hash(b""), totals(1, 0)],
            StopCode::TooFewBytes,
        ),
        ("no file", &one, vec![START, totals(0, 0)], StopCode::TooFewBytes),
        ("the wrong hash", &one, vec![START, f(), data.clone(), hash(b"xyz")], StopCode::BadHash),
        ("two files", &one, vec![START, f(), data.clone(), abc.clone(), f()], StopCode::TooManyBytes),
        ("a folder", &one, vec![START, folder(&["f"])], StopCode::TooManyBytes),
        ("a path", &one, vec![START, begin(&["a", "b"], Some(3))], StopCode::TooManyBytes),
        ("data of nothing", &one, vec![START, data.clone()], StopCode::BadRecord),
        ("a hash of nothing", &one, vec![START, abc.clone()], StopCode::BadRecord),
        ("a file in a file", &one, vec![START, f(), f()], StopCode::BadRecord),
        ("an end in a file", &one, vec![START, f(), data.clone(), totals(1, 3)], StopCode::TooFewBytes),
        (
            "another start",
            &one,
            vec![FileRecord::StartPlace(StartPlace { files: 0, have: 2 })],
            StopCode::BadRecord,
        ),
        ("no start", &one, vec![f()], StopCode::BadRecord),
        (
            "a receiver's record",
            &one,
            vec![START, FileRecord::Stored(Stored { bytes: 3 })],
            StopCode::BadRecord,
        ),
        (
            "three files",
            &many,
            vec![
                START,
                begin(&["a"], Some(0)),
                hash(b""),
                begin(&["b"], Some(0)),
                hash(b""),
                begin(&["c"], Some(0)),
            ],
            StopCode::TooManyBytes,
        ),
        (
            "other totals",
            &many,
            vec![
                START,
                begin(&["a"], Some(3)),
                data.clone(),
                abc.clone(),
                begin(&["b"], Some(3)),
                data.clone(),
                abc.clone(),
                totals(2, 7),
            ],
            StopCode::TooFewBytes,
        ),
    ];
    for (what, info, records, code) in cases {
        let scene = Scene::new();
        let error = received(&scene, info, &records).await.expect_err(what);
        assert_eq!(stop_code(&error), code, "{what}: {error}");
        assert_eq!((scene.names(), scene.journals()), (Vec::new(), 0), "{what}");
    }
}

#[tokio::test]
async fn paths_lead_nowhere_but_into_the_folder() {
    let scene = Scene::new();
    let info = FileInfo { name: "../d".into(), size: Some(9), count: Some(3), id: "2".into() };
    let (abc, data) = (hash(b"abc"), FileRecord::Data(b"abc"));
    let records = [
        START,
        begin(&["..", "..", "etc", "passwd"], Some(3)),
        data.clone(),
        abc.clone(),
        begin(&["/etc/cron.d", "x"], Some(3)),
        data.clone(),
        abc.clone(),
        // A file where a folder is, and names that are one on this disk.
        begin(&[".."], Some(3)),
        data,
        abc,
        folder(&["passwd", "CON", "a:b"]),
        totals(4, 9),
    ];
    let received = received(&scene, &info, &records).await.unwrap();
    assert_eq!(received.path.file_name().unwrap(), "d");
    let names: Vec<_> = tree(&received.path).into_keys().collect();
    assert_eq!(
        names,
        [
            "cron.d",
            "cron.d/x",
            "file",
            "file (2)",
            "file/file",
            "file/file/etc",
            "file/file/etc/passwd",
            "passwd",
            "passwd/_CON",
            "passwd/_CON/a_b"
        ]
    );
    assert_eq!(scene.names().len(), 11, "nothing outside of it");
}

#[tokio::test]
async fn what_is_no_record_ends_it() {
    for garbage in [&b"\xff\0\0\0\0"[..], b"D\xff\xff\xff\xff", b"F\0\0\0\x02{}", b"GET / HTTP/1.1\r\n"] {
        let scene = Scene::new();
        let info = FileInfo { name: "f".into(), size: Some(3), count: None, id: "1".into() };
        let landing = scene.accept(&info);
        let (mut ours, theirs) = duplex(1_000_000);
        ours.write_all(garbage).await.unwrap();
        tokio::spawn(async move { ours.read_to_end(&mut Vec::new()).await });
        let error = receive(Pipe::over(theirs), &landing, Arc::default(), Cancel::new()).await.unwrap_err();
        assert_eq!(stop_code(&error), StopCode::BadRecord, "{error}");
        assert_eq!(scene.names(), [""; 0]);
    }
}

#[tokio::test]
async fn a_lying_receiver_gets_the_file_from_its_start() {
    let scene = Scene::new();
    scene.file("f", b"abc");
    let no = ContentHash::default();
    let claim = |files, have| FileRecord::Have(Have { v: 1, files, tree: no, have, hash: no });
    for claim in [claim(0, 2), claim(0, 4), claim(1, 0), claim(1, 1), claim(9, 9), claim(u64::MAX, u64::MAX)]
    {
        let (mut ours, theirs) = duplex(1_000_000);
        ours.write_all(&claim.to_bytes()).await.unwrap();
        ours.write_all(&FileRecord::Stored(Stored { bytes: 3 }).to_bytes()).await.unwrap();
        let sent = send(Pipe::over(theirs), scene.parcel("f"), Arc::default(), Cancel::new());
        let (sent, ()) = tokio::join!(sent, async move {
            let mut start = vec![0; START.to_bytes().len()];
            ours.read_exact(&mut start).await.unwrap();
            assert_eq!(start, START.to_bytes());
            let _ = ours.read_to_end(&mut Vec::new()).await;
        });
        drop(sent);
    }
}

/// Gives signs of life for ever, after those bytes; takes whatever comes.
async fn only_lives(mut peer: impl AsyncRead + AsyncWrite + Unpin, first: Vec<u8>) {
    let mut taken = [0; 4096];
    if peer.write_all(&first).await.is_err() {
        return;
    }
    // The signs of the other side do not put off its own.
    let mut signs = tokio::time::interval(TRANSFER_SIGN);
    loop {
        tokio::select! {
            read = peer.read(&mut taken) => match read {
                Ok(1..) => {}
                _ => return,
            },
            _ = signs.tick() => {
                if peer.write_all(&FileRecord::Alive.to_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_alone_do_not_hold_a_receiver_for_ever() {
    let scene = Scene::new();
    let info = FileInfo { name: "f".into(), size: Some(3), count: None, id: "1".into() };
    let landing = scene.accept(&info);
    let (ours, theirs) = duplex(1_000_000);
    let receiving = receive(Pipe::over(theirs), &landing, Arc::default(), Cancel::new());
    let start = tokio::time::Instant::now();
    let (received, ()) = tokio::join!(receiving, only_lives(ours, START.to_bytes()));
    let error = received.unwrap_err();
    assert!(error.may_resume());
    assert!(start.elapsed() >= TRANSFER_STALL, "{error} after {:?}", start.elapsed());
}
