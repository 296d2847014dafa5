//! A landing removes and names only what it has made, and keeps its place among the accepted offers.

use super::*;
use crate::client::transfer::journal::Journal;
use crate::client::transfer::site::Site;
use crate::limits::{MAX_ACCEPTED_FILES, MAX_FREE_NAMES, UNFINISHED_KEPT};
use crate::protocol::record::{ContentHash, FileHeader, Totals};
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn info(name: &str, id: &str) -> FileInfo {
    FileInfo { name: name.into(), size: Some(3), count: None, id: id.into() }
}

/// Fails a transfer to this landing with a record that does not belong there.
async fn fail(scene: &Scene, landing: &Landing) -> TransferError {
    let (mut ours, theirs) = duplex(1_000_000);
    ours.write_all(b"\xff\0\0\0\0").await.unwrap();
    tokio::spawn(async move { ours.read_to_end(&mut Vec::new()).await });
    let received = receive(Pipe::over(theirs), landing, Arc::default(), Cancel::new()).await;
    scene.accepted().settle(landing, &received);
    received.unwrap_err()
}

/// Puts a user's own folder at that path.
fn own_folder(path: &Path) {
    fs::create_dir(path).unwrap();
    fs::write(path.join("photo.jpg"), "mine").unwrap();
}

#[tokio::test]
async fn a_finished_offer_that_fails_later_removes_nothing() {
    let scene = Scene::new();
    scene.file("movie", "abc");
    let parcel = scene.parcel("movie");
    let place = scene.accept(&parcel.info(&own())).unfinished().to_owned();
    scene.pass(&parcel).await;
    own_folder(&place);
    own_folder(&scene.there.path().join("movie.part"));
    let before = tree(scene.there.path());
    fail(&scene, &scene.accept(&parcel.info(&own()))).await;
    assert_eq!(tree(scene.there.path()), before);
}

#[tokio::test]
async fn a_finished_offer_that_is_cleaned_or_forgotten_removes_nothing() {
    for is_cleaned in [true, false] {
        let scene = Scene::new();
        scene.file("movie", "abc");
        let parcel = scene.parcel("movie");
        scene.pass(&parcel).await;
        let landing = scene.accept(&parcel.info(&own()));
        own_folder(landing.unfinished());
        let before = tree(scene.there.path());
        match is_cleaned {
            true => {
                let week = SignedDuration::try_from(UNFINISHED_KEPT * 2).unwrap();
                scene.accepted().clean(Timestamp::now() + week);
            }
            false => scene.accepted().forget(&landing),
        }
        assert_eq!(tree(scene.there.path()), before, "{is_cleaned}");
    }
}

#[tokio::test]
async fn a_folder_in_place_of_an_unfinished_file_is_somebodys_own() {
    let scene = Scene::new();
    scene.file("movie", "abc");
    let parcel = scene.parcel("movie");
    let landing = scene.accept(&parcel.info(&own()));
    fs::remove_file(landing.unfinished()).unwrap();
    own_folder(landing.unfinished());
    let before = tree(scene.there.path());
    let (_, received) = scene.over(pipes(), &parcel).await;
    let error = received.unwrap_err().to_string();
    assert!(error.contains("another folder is in the place of"), "{error}");
    assert_eq!(tree(scene.there.path()), before);
    let arrived = scene.pass(&parcel).await;
    assert_eq!(arrived.file_name().unwrap(), "movie", "accepted again, it gets another place");
}

#[tokio::test]
async fn a_file_in_place_of_an_unfinished_folder_is_somebodys_own() {
    let scene = Scene::new();
    scene.file("docs/a", "abc");
    let parcel = scene.parcel("docs");
    let landing = scene.accept(&parcel.info(&own()));
    fs::remove_dir(landing.unfinished()).unwrap();
    fs::write(landing.unfinished(), "mine").unwrap();
    fail(&scene, &landing).await;
    assert_eq!(fs::read(landing.unfinished()).unwrap(), b"mine");
}

#[tokio::test]
async fn offers_of_one_name_keep_apart_how_each_ended() {
    let scene = Scene::new();
    let mut places = Vec::new();
    let parcels = ["one", "two!"].map(|text| {
        scene.file(&format!("{text}/report.txt"), text);
        scene.parcel(&format!("{text}/report.txt"))
    });
    for parcel in &parcels {
        places.push(scene.pass(parcel).await);
    }
    for (parcel, place) in parcels.iter().zip(&places) {
        let landing = scene.accepted().find(&origin(), &parcel.info(&own())).unwrap();
        assert_eq!(&landing.received().unwrap().path, place);
        assert_eq!(&scene.pass(parcel).await, place, "its sender hears that it is here");
    }
    assert_eq!(scene.names(), ["report (2).txt", "report.txt"]);
}

/// The sender of the offer with that number: no sender has many.
fn origin_of(id: usize) -> OfferOrigin {
    OfferOrigin::new("server", "alice", Some(&Fingerprint::new([u8::try_from(id % 100).unwrap(); 32])))
}

/// Holds the lock of a landing's journal, as a running transfer does.
fn run(landing: &Landing) -> Journal {
    Journal::open(landing.journal.as_deref()).unwrap()
}

#[test]
fn nobodys_unfinished_file_goes_for_a_new_offer() {
    let scene = Scene::new();
    let mut accepted = scene.accepted();
    let mut accept =
        |id: usize| accepted.accept(&origin_of(id), &info("plan", &id.to_string()), scene.there.path(), None);
    let landings: Vec<_> = (0..MAX_ACCEPTED_FILES).map(|id| accept(id).unwrap()).collect();
    let error = accept(MAX_ACCEPTED_FILES).unwrap_err().to_string();
    assert!(error.contains("are unfinished") && !error.contains('\n'), "{error}");
    assert_eq!(scene.names().len(), MAX_ACCEPTED_FILES);
    // One that its user has removed makes room, unless a transfer is about to write it again.
    for landing in &landings[..2] {
        fs::remove_file(landing.unfinished()).unwrap();
    }
    let running = run(&landings[0]);
    accept(MAX_ACCEPTED_FILES).unwrap();
    accept(MAX_ACCEPTED_FILES + 1).unwrap_err();
    drop(running);
    assert!(scene.accepted().find(&origin_of(0), &info("plan", "0")).is_some());
    assert!(scene.accepted().find(&origin_of(1), &info("plan", "1")).is_none());
}

#[test]
fn finished_files_make_room_before_any_unfinished_one() {
    let scene = Scene::new();
    let accept = |id: usize| {
        scene
            .accepted()
            .accept(&origin_of(id), &info("plan", &id.to_string()), scene.there.path(), None)
            .unwrap()
    };
    let landings: Vec<_> = (0..MAX_ACCEPTED_FILES).map(accept).collect();
    for at in [7, 9] {
        let received = Received::in_test(scene.file("received", "abc"), 3);
        scene.accepted().settle(&landings[at], &Ok(received));
    }
    accept(MAX_ACCEPTED_FILES);
    let accepted = scene.accepted();
    let is_known = |id: usize| accepted.find(&origin_of(id), &info("plan", &id.to_string())).is_some();
    assert!(!is_known(7) && is_known(0) && is_known(9) && is_known(MAX_ACCEPTED_FILES));
    assert!(landings[0].unfinished().exists());
}

#[test]
fn a_running_transfer_loses_nothing_to_time_or_to_another_offer_of_its_id() {
    let scene = Scene::new();
    let landing = scene.accept(&info("plan", "1"));
    let running = run(&landing);
    scene.accept(&FileInfo { size: Some(4), ..info("plan", "1") });
    let later = Timestamp::now() + SignedDuration::try_from(UNFINISHED_KEPT * 2).unwrap();
    scene.accepted().clean(later);
    assert!(landing.unfinished().exists());
    assert_eq!(scene.names().len(), 1, "the one that nobody resumed went");
    drop(running);
    scene.accepted().clean(later);
    assert_eq!(scene.names(), [""; 0]);
}

/// Writes a file of that path to an offer's place, whole.
fn write(site: &mut Site<'_>, path: &[&str], content: &[u8]) -> Outcome<()> {
    let path = path.iter().map(|part| (*part).to_owned()).collect();
    site.begin(FileHeader { path, size: Some(content.len() as u64), folder: false })?;
    site.write(content)?;
    site.end(ContentHash::from(blake3::hash(content)))
}

#[test]
fn files_of_one_name_go_on_from_the_last_number_up_to_a_limit() {
    let scene = Scene::new();
    let most = u64::from(MAX_FREE_NAMES);
    let many = FileInfo { size: Some(0), count: Some(most + 9), ..info("d", "1") };
    let landing = scene.accept(&many);
    let mut site = Site::open(&landing, run(&landing)).unwrap();
    for _ in 0..3 {
        write(&mut site, &["a.txt"], b"").unwrap();
    }
    fs::remove_file(landing.unfinished().join("a (2).txt")).unwrap();
    write(&mut site, &["a.txt"], b"").unwrap();
    write(&mut site, &["b.txt"], b"").unwrap();
    let names: Vec<_> = tree(landing.unfinished()).into_keys().collect();
    assert_eq!(names, ["a (3).txt", "a (4).txt", "a.txt", "b.txt"]);
    for _ in 4..most {
        write(&mut site, &["a.txt"], b"").unwrap();
    }
    let error = write(&mut site, &["a.txt"], b"").unwrap_err().to_string();
    assert_eq!(error, "the sender sent over 1000 files with the name a.txt in one folder");
    write(&mut site, &["sub", "a.txt"], b"").unwrap();
}

#[test]
fn a_name_beside_a_thousand_others_is_an_error_that_says_what_to_do() {
    let scene = Scene::new();
    let name = |number| crate::name::FileName::from_sender("f").numbered(number).to_string();
    for number in 1..=MAX_FREE_NAMES {
        fs::write(scene.there.path().join(name(number)), "").unwrap();
    }
    let landing = scene.accept(&info("f", "1"));
    let mut site = Site::open(&landing, run(&landing)).unwrap();
    write(&mut site, &["f"], b"abc").unwrap();
    let error = site.finish(Totals { files: 1, bytes: 3 }).unwrap_err().to_string();
    assert!(error.contains("1000 files named f are there; move some"), "{error}");
}

#[cfg(unix)]
#[test]
fn what_replaced_an_unfinished_file_never_gets_the_final_name() {
    for is_link in [true, false] {
        let scene = Scene::new();
        let landing = scene.accept(&info("f", "1"));
        let mut site = Site::open(&landing, run(&landing)).unwrap();
        write(&mut site, &["f"], b"abc").unwrap();
        let aside = scene.state.path().join("aside");
        fs::rename(landing.unfinished(), &aside).unwrap();
        match is_link {
            true => std::os::unix::fs::symlink(&aside, landing.unfinished()).unwrap(),
            false => fs::write(landing.unfinished(), "abc").unwrap(),
        }
        let error = site.finish(Totals { files: 1, bytes: 3 }).unwrap_err();
        assert_eq!(stop_code(&error), StopCode::Changed, "{error}");
        assert!(!scene.there.path().join("f").exists() && landing.unfinished().exists(), "{is_link}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_or_another_file_in_an_unfinished_folder_ends_it() {
    for is_root in [true, false] {
        let scene = Scene::new();
        let landing = scene.accept(&FileInfo { count: Some(1), ..info("d", "1") });
        let mut site = Site::open(&landing, run(&landing)).unwrap();
        write(&mut site, &["f"], b"abc").unwrap();
        let place = if is_root { landing.unfinished().to_owned() } else { landing.unfinished().join("f") };
        let aside = scene.state.path().join("aside");
        fs::rename(&place, &aside).unwrap();
        std::os::unix::fs::symlink(&aside, &place).unwrap();
        let error = site.finish(Totals { files: 1, bytes: 3 }).unwrap_err();
        assert_eq!(stop_code(&error), StopCode::Changed, "{error}");
        assert!(!scene.there.path().join("d").exists(), "{is_root}");
    }
}
