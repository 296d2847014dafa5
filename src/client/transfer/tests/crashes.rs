//! A receiver that is killed between its last steps has received the file, once.

use super::*;
use jiff::Timestamp;

/// The receiver is killed before it notes the end: after the rename.
async fn crashed(scene: &Scene, parcel: &Arc<Parcel>) -> (Landing, PathBuf) {
    let landing = scene.accept(&parcel.info(&own()));
    let ends = pipes();
    let sending = send(ends.0, parcel.clone(), Arc::default(), Cancel::new());
    let receiving = receive(ends.1, &landing, Arc::default(), Cancel::new());
    let (sent, received) = tokio::join!(sending, receiving);
    sent.unwrap();
    (landing, received.unwrap().path)
}

/// A file, a folder, and an empty folder.
fn parcels(scene: &Scene) -> [Arc<Parcel>; 3] {
    scene.file("big", noise(300_000));
    scene.file("docs/a/b", noise(70_000));
    scene.file("docs/c", "");
    fs::create_dir_all(scene.here.path().join("docs/nothing")).unwrap();
    fs::create_dir_all(scene.here.path().join("nothing")).unwrap();
    ["big", "docs", "nothing"].map(|name| scene.parcel(name))
}

#[tokio::test]
async fn after_the_rename_it_is_found_and_does_not_come_again() {
    let scene = Scene::new();
    for parcel in parcels(&scene) {
        let (_, path) = crashed(&scene, &parcel).await;
        assert_eq!(scene.pass(&parcel).await, path, "{parcel:?}");
    }
    assert_eq!(tree(scene.there.path()), tree(scene.here.path()));
    assert_eq!(scene.journals(), 0);
}

#[tokio::test]
async fn it_is_found_even_if_the_sender_does_not_hear_that_again() {
    let scene = Scene::new();
    let [parcel, ..] = parcels(&scene);
    let (landing, path) = crashed(&scene, &parcel).await;
    let (ours, theirs) = duplex(1000);
    drop(ours);
    let received = receive(Pipe::over(theirs), &landing, Arc::default(), Cancel::new()).await;
    assert_eq!(received.unwrap().path, path);
}

#[tokio::test]
async fn before_the_rename_only_the_rename_is_left() {
    let scene = Scene::new();
    for parcel in parcels(&scene) {
        let (landing, path) = crashed(&scene, &parcel).await;
        fs::rename(&path, landing.unfinished()).unwrap();
        assert_eq!(scene.pass(&parcel).await, path, "{parcel:?}");
    }
    assert_eq!(tree(scene.there.path()), tree(scene.here.path()));
}

#[tokio::test]
async fn between_two_names_of_a_file_the_final_one_counts() {
    let scene = Scene::new();
    let [parcel, ..] = parcels(&scene);
    let (landing, path) = crashed(&scene, &parcel).await;
    fs::hard_link(&path, landing.unfinished()).unwrap();
    assert_eq!(scene.pass(&parcel).await, path);
    assert_eq!(scene.names(), ["big"]);
}

#[tokio::test]
async fn what_its_user_has_changed_or_moved_since_is_left_alone_and_it_comes_again() {
    for is_moved in [false, true] {
        let scene = Scene::new();
        for parcel in &parcels(&scene)[..2] {
            let (_, path) = crashed(&scene, parcel).await;
            let changed = if path.is_dir() { path.join("a/b") } else { path.clone() };
            match is_moved {
                true => fs::rename(&path, path.with_file_name(format!("{} moved", parcel.name()))).unwrap(),
                false => fs::write(changed, "mine").unwrap(),
            }
            let again = scene.pass(parcel).await;
            let name = if is_moved { parcel.name().to_owned() } else { format!("{} (2)", parcel.name()) };
            assert_eq!(again.file_name().unwrap().to_str(), Some(name.as_str()));
        }
        let names = if is_moved { ["big moved", "docs moved"] } else { ["big (2)", "docs (2)"] };
        assert!(
            names.iter().all(|name| scene.names().iter().any(|other| other == name)),
            "{:?}",
            scene.names()
        );
    }
}

#[tokio::test]
async fn another_file_in_the_final_place_is_not_taken_for_the_received_one() {
    let scene = Scene::new();
    let [parcel, ..] = parcels(&scene);
    let (landing, path) = crashed(&scene, &parcel).await;
    fs::rename(&path, landing.unfinished()).unwrap();
    fs::write(&path, noise(300_000)).unwrap();
    assert_eq!(scene.pass(&parcel).await.file_name().unwrap(), "big (2)");
    assert_eq!(scene.names(), ["big", "big (2)"]);
}

#[tokio::test]
async fn journals_of_offers_that_are_over_go_at_the_next_start() {
    let scene = Scene::new();
    let [big, docs, _] = parcels(&scene);
    let (landing, path) = crashed(&scene, &big).await;
    let journal = landing.journal.clone().unwrap();
    let content = fs::read(&journal).unwrap();
    scene.accepted().settle(&landing, &Ok(Received::in_test(path, 300_000)));
    fs::write(&journal, content).unwrap();
    let unfinished = scene.accept(&docs.info(&own()));
    fs::write(unfinished.journal.as_ref().unwrap(), "").unwrap();
    assert_eq!(scene.journals(), 2);
    scene.accepted().clean(Timestamp::now());
    assert_eq!((scene.journals(), journal.exists()), (1, false));
}

#[test]
fn a_place_that_cannot_be_made_is_not_kept_in_the_list() {
    let scene = Scene::new();
    let parcel = {
        scene.file("big", "big");
        scene.parcel("big")
    };
    let list = scene.state.path().join("accepted_files");
    scene.accept(&parcel.info(&own()));
    assert_eq!(fs::read_to_string(&list).unwrap().lines().count(), 1);
    fs::remove_file(&list).unwrap();
    let landing = Landing::new(scene.there.path(), &parcel.info(&own()), None).unwrap();
    assert!(!landing.unfinished().exists(), "the list comes first");
    landing.make().unwrap();
    assert!(landing.unfinished().exists() && landing.make().is_err());
}
