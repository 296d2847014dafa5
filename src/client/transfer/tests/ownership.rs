//! A landing removes and names only what it has made, and keeps its place among the accepted offers.

use super::*;
use crate::client::transfer::journal::Journal;
use crate::limits::{MAX_ACCEPTED_FILES, UNFINISHED_KEPT};
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

/// Holds the lock of a landing's journal, as a running transfer does.
fn run(landing: &Landing) -> Journal {
    Journal::open(landing.journal.as_deref()).unwrap()
}

#[test]
fn nobodys_unfinished_file_goes_for_a_new_offer() {
    let scene = Scene::new();
    let mut accepted = scene.accepted();
    let mut accept =
        |id: usize| accepted.accept(&origin(), &info("plan", &id.to_string()), scene.there.path(), None);
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
    assert!(scene.accepted().find(&origin(), &info("plan", "0")).is_some());
    assert!(scene.accepted().find(&origin(), &info("plan", "1")).is_none());
}

#[test]
fn finished_files_make_room_before_any_unfinished_one() {
    let scene = Scene::new();
    let landings: Vec<_> =
        (0..MAX_ACCEPTED_FILES).map(|id| scene.accept(&info("plan", &id.to_string()))).collect();
    for at in [7, 9] {
        let received = Received::in_test(scene.file("received", "abc"), 3);
        scene.accepted().settle(&landings[at], &Ok(received));
    }
    scene.accept(&info("plan", "new"));
    let accepted = scene.accepted();
    let is_known = |id: &str| accepted.find(&origin(), &info("plan", id)).is_some();
    assert!(!is_known("7") && is_known("0") && is_known("9") && is_known("new"));
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
