//! A later transfer uses the rest of one that was cut, once it is checked.

use super::*;
use crate::limits::{MAX_UNFINISHED_PER_SENDER, MAX_UNFINISHED_WITHOUT_KEY, UNFINISHED_KEPT};
use crate::protocol::DeclineReason;
use crate::protocol::record::{FileRecord, Have};
use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// Pipes between which a relay ends everything after so many bytes from the sender and from the receiver.
fn cut_pipes(from_sender: u64, from_receiver: u64) -> (Pipe, Pipe) {
    let ((one, near), (other, far)) = (duplex(30_000), duplex(30_000));
    tokio::spawn(async move {
        let ((near_in, near_out), (far_in, far_out)) = (tokio::io::split(near), tokio::io::split(far));
        tokio::select! {
            () = relay(near_in, far_out, from_sender) => {}
            () = relay(far_in, near_out, from_receiver) => {}
        }
    });
    (Pipe::over(one), Pipe::over(other))
}

async fn relay(
    from: tokio::io::ReadHalf<DuplexStream>,
    mut to: tokio::io::WriteHalf<DuplexStream>,
    bytes: u64,
) {
    let mut from = from.take(bytes);
    let _ = tokio::io::copy(&mut from, &mut to).await;
    let _ = to.flush().await;
}

/// Passes a parcel on over cut connections, and then over a whole one. Returns its path, and how many bytes the last
/// one moved.
async fn resumed(scene: &Scene, parcel: &Arc<Parcel>, cuts: &[u64]) -> (PathBuf, u64) {
    for cut in cuts {
        let (sent, received) = scene.over(cut_pipes(*cut, u64::MAX), parcel).await;
        assert!(sent.unwrap_err().may_resume() && received.unwrap_err().may_resume(), "{cut}");
    }
    let landing = scene.accepted().find(&origin(), &parcel.info(&own())).expect("a place from before");
    let (ends, progress) = (pipes(), Arc::new(FileProgress::default()));
    let (sent, received) = tokio::join!(
        send(ends.0, parcel.clone(), Arc::default(), Cancel::new()),
        receive(ends.1, &landing, progress.clone(), Cancel::new())
    );
    scene.accepted().settle(&landing, &received);
    let received = received.unwrap();
    assert_eq!(sent.unwrap().bytes, received.bytes);
    (received.path, progress.now().done)
}

#[tokio::test]
async fn a_cut_file_goes_on_from_where_it_was() {
    let scene = Scene::new();
    scene.file("big", noise(1_000_000));
    let (path, _) = resumed(&scene, &scene.parcel("big"), &[10, 150, 400_000, 5, 300_000]).await;
    assert!(fs::read(path).unwrap() == noise(1_000_000));
    assert_eq!((scene.names(), scene.journals()), (vec!["big".to_owned()], 0));
}

#[tokio::test]
async fn every_cut_of_a_folder_leads_to_the_same_folder() {
    let scene = Scene::new();
    for (name, length) in [("docs/a", 10), ("docs/b/c", 70_000), ("docs/b/d", 0), ("docs/z", 300)] {
        scene.file(name, noise(length));
    }
    fs::create_dir_all(scene.here.path().join("docs/empty")).unwrap();
    let parcel = scene.parcel("docs");
    let mut count = 0;
    for cut in (1..70_000).step_by(977) {
        let (path, _) = resumed(&scene, &parcel, &[cut]).await;
        assert_eq!(tree(&path), tree(&scene.here.path().join("docs")), "{cut}");
        fs::remove_dir_all(&path).unwrap();
        // Otherwise the receiver would have it already.
        fs::remove_file(scene.state.path().join("accepted_files")).unwrap();
        assert_eq!((scene.names(), scene.journals()), (Vec::new(), 0), "{cut}");
        count += 1;
    }
    assert!(count > 70);
}

#[tokio::test]
async fn what_was_left_and_then_changed_is_not_trusted() {
    let scene = Scene::new();
    scene.file("big", noise(1_000_000));
    let parcel = scene.parcel("big");
    let (_, received) = scene.over(cut_pipes(500_000, u64::MAX), &parcel).await;
    assert!(received.unwrap_err().may_resume());
    let part = scene.part();
    let mut content = fs::read(&part).unwrap();
    assert!(content.len() > 100_000);
    content[70_000] ^= 1;
    fs::write(&part, content).unwrap();
    let (path, _) = resumed(&scene, &parcel, &[]).await;
    assert!(fs::read(path).unwrap() == noise(1_000_000));
    assert_eq!(scene.names(), ["big"]);
}

#[tokio::test]
async fn what_somebody_removed_in_between_comes_anew() {
    let scene = Scene::new();
    scene.file("big", noise(400_000));
    let parcel = scene.parcel("big");
    let (_, received) = scene.over(cut_pipes(200_000, u64::MAX), &parcel).await;
    assert!(received.unwrap_err().may_resume());
    fs::remove_file(scene.part()).unwrap();
    let (path, _) = resumed(&scene, &parcel, &[]).await;
    assert!(fs::read(path).unwrap() == noise(400_000));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_place_of_what_was_left_is_not_followed() {
    let scene = Scene::new();
    scene.file("big", noise(400_000));
    let victim = scene.state.path().join("victim");
    fs::write(&victim, noise(10)).unwrap();
    let parcel = scene.parcel("big");
    let (_, received) = scene.over(cut_pipes(200_000, u64::MAX), &parcel).await;
    assert!(received.unwrap_err().may_resume());
    let part = scene.part();
    fs::remove_file(&part).unwrap();
    std::os::unix::fs::symlink(&victim, &part).unwrap();
    let (path, _) = resumed(&scene, &parcel, &[]).await;
    assert!(fs::read(path).unwrap() == noise(400_000));
    assert_eq!(fs::read(victim).unwrap(), noise(10));
}

#[tokio::test]
async fn a_sender_who_missed_the_end_hears_it_and_nothing_comes_twice() {
    let scene = Scene::new();
    scene.file("docs/a", noise(50_000));
    scene.file("docs/b", noise(10));
    let parcel = scene.parcel("docs");
    // The first record passes, and of the last one only a part.
    let passes = FileRecord::Have(Have::nothing()).to_bytes().len() as u64 + 10;
    let (sent, received) = scene.over(cut_pipes(u64::MAX, passes), &parcel).await;
    assert!(sent.unwrap_err().may_resume());
    assert_eq!(received.unwrap().bytes, 50_010);
    let (path, moved) = resumed(&scene, &parcel, &[]).await;
    assert_eq!((path.file_name().unwrap().to_str(), moved), (Some("docs"), 0));
    assert_eq!(scene.names(), ["docs", "docs/a", "docs/b"]);
}

#[tokio::test]
async fn a_cut_stream_cannot_go_on_and_says_so() {
    let scene = Scene::new();
    let parcel = Arc::new(Parcel::stream("stream", std::io::Cursor::new(noise(500_000))));
    let (sent, _) = scene.over(cut_pipes(200_000, u64::MAX), &parcel).await;
    assert!(sent.unwrap_err().may_resume());
    let (sent, received) = scene.over(pipes(), &parcel).await;
    assert_eq!(stop_code(&sent.unwrap_err()), StopCode::Changed);
    assert_eq!(stop_code(&received.unwrap_err()), StopCode::Changed);
    assert_eq!(scene.names(), [""; 0]);
}

#[tokio::test]
async fn two_transfers_never_write_one_file() {
    let scene = Scene::new();
    scene.file("big", noise(10_000));
    let parcel = scene.parcel("big");
    let landing = scene.accept(&parcel.info(&own()));
    let journal = crate::files::open_lock(landing.journal.as_ref().unwrap());
    let journal = journal.or_else(|_| {
        fs::create_dir_all(scene.state.path().join("transfers"))?;
        crate::files::open_lock(landing.journal.as_ref().unwrap())
    });
    let journal = journal.unwrap();
    journal.try_lock().unwrap();
    let (_, received) = scene.over(pipes(), &parcel).await;
    let error = received.unwrap_err();
    assert!(error.may_resume() && error.to_string().contains("an earlier transfer still writes"), "{error}");
    drop(journal);
    resumed(&scene, &parcel, &[]).await;
}

#[test]
fn only_the_same_sender_with_the_same_offer_resumes() {
    let scene = Scene::new();
    let info = FileInfo { name: "plan".into(), size: Some(3), count: None, id: "x".into() };
    scene.accept(&info);
    let accepted = scene.accepted();
    assert!(accepted.find(&origin(), &info).is_some());
    assert!(accepted.find(&origin(), &FileInfo { id: "y".into(), ..info.clone() }).is_none());
    assert!(accepted.find(&origin(), &FileInfo { size: Some(4), ..info.clone() }).is_none());
    let (own, other) = (Fingerprint::new([1; 32]), Fingerprint::new([2; 32]));
    for origin in [
        OfferOrigin::new("server", "alice", Some(&other)),
        OfferOrigin::new("server", "alice", None),
        OfferOrigin::new("elsewhere", "alice", Some(&own)),
    ] {
        assert!(accepted.find(&origin, &info).is_none(), "{origin:?}");
    }
}

#[test]
fn unfinished_files_go_after_a_week_and_nothing_else_does() {
    let scene = Scene::new();
    let info = |id: &str| FileInfo { name: "plan".into(), size: Some(3), count: None, id: id.into() };
    scene.accept(&info("1"));
    fs::write(scene.there.path().join("mine.part"), "x").unwrap();
    let week = SignedDuration::try_from(UNFINISHED_KEPT).unwrap();
    let mut accepted = scene.accepted();
    accepted.clean(Timestamp::now() + week - SignedDuration::from_secs(60));
    assert_eq!(scene.names().len(), 2);
    accepted.clean(Timestamp::now() + week + SignedDuration::from_secs(60));
    assert_eq!(scene.names(), ["mine.part"]);
    assert!(scene.accepted().find(&origin(), &info("1")).is_none());
}

#[test]
fn what_was_resumed_or_written_lately_stays() {
    let scene = Scene::new();
    let info = |id: &str| FileInfo { name: "plan".into(), size: Some(3), count: None, id: id.into() };
    let week = SignedDuration::try_from(UNFINISHED_KEPT).unwrap();
    let path = scene.state.path().join("accepted_files");
    // Accepted eight days ago: by then, only the first is left alone.
    let landings = ["forgotten", "resumed", "cut", "written"].map(|id| scene.accept(&info(id)));
    let long_ago = Timestamp::now() - week - SignedDuration::from_hours(24);
    let text = fs::read_to_string(&path).unwrap();
    let aged: Vec<String> = text
        .lines()
        .map(|line| {
            let mut offer: serde_json::Value = serde_json::from_str(line).unwrap();
            offer["at"] = long_ago.to_string().into();
            offer.to_string()
        })
        .collect();
    fs::write(&path, aged.join("\n")).unwrap();
    for landing in &landings[..3] {
        let part = fs::File::options().write(true).open(landing.unfinished()).unwrap();
        part.set_modified(SystemTime::now() - UNFINISHED_KEPT - Duration::from_secs(24 * 3600)).unwrap();
    }
    scene.accept(&info("resumed"));
    scene.accepted().settle(&landings[2], &Err(TransferError::Cut("why".into())));
    scene.accepted().clean(Timestamp::now());
    let is_known = |id: &str| scene.accepted().find(&origin(), &info(id)).is_some();
    assert_eq!(["forgotten", "resumed", "cut", "written"].map(is_known), [false, true, true, true]);
}

#[test]
fn one_sender_cannot_take_all_places() {
    let scene = Scene::new();
    let info = |id: usize| FileInfo { name: "plan".into(), size: Some(3), count: None, id: id.to_string() };
    let mut accepted = scene.accepted();
    let mut accept = |origin: &OfferOrigin, id| accepted.accept(origin, &info(id), scene.there.path(), None);
    let first = accept(&origin(), 0).unwrap();
    (1..MAX_UNFINISHED_PER_SENDER).for_each(|id| drop(accept(&origin(), id).unwrap()));
    let error = accept(&origin(), 1000).unwrap_err();
    assert_eq!((stop_code(&error), error.decline_reason()), (StopCode::Busy, DeclineReason::Busy));
    assert_eq!(accept(&origin(), 0), Ok(first.clone()), "an accepted offer goes on");
    let other = OfferOrigin::new("server", "bob", Some(&Fingerprint::new([9; 32])));
    accept(&other, 0).unwrap();
    // Names without a key share a bound.
    let nobody = |n: usize| OfferOrigin::new("server", &format!("guest{n}"), None);
    (0..MAX_UNFINISHED_WITHOUT_KEY).for_each(|n| drop(accept(&nobody(n), 0).unwrap()));
    assert_eq!(stop_code(&accept(&nobody(999), 0).unwrap_err()), StopCode::Busy);
    accept(&other, 1).unwrap();
    // A place that its user has emptied is free.
    fs::remove_file(first.unfinished()).unwrap();
    accept(&origin(), 1000).unwrap();
}

#[test]
fn the_list_survives_damage() {
    let scene = Scene::new();
    let info = |id: usize| FileInfo { name: "plan".into(), size: Some(3), count: None, id: id.to_string() };
    scene.accept(&info(1));
    scene.accept(&info(2));
    let path = scene.state.path().join("accepted_files");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("garbage\n{{}}\n{}", &text[..text.len() - 20])).unwrap();
    assert!(scene.accepted().find(&origin(), &info(1)).is_some());
}

#[tokio::test]
async fn what_is_here_comes_again_into_another_folder_and_is_only_found_in_its_own() {
    let scene = Scene::new();
    scene.file("plan.pdf", noise(1000));
    let parcel = scene.parcel("plan.pdf");
    let first = scene.pass(&parcel).await;
    let info = parcel.info(&own());
    assert_eq!(scene.accept(&info).received().map(|received| received.path.clone()), Some(first.clone()));
    let other = tempfile::tempdir().unwrap();
    let landing = scene.accepted().accept(&origin(), &info, other.path(), None).unwrap();
    assert_eq!(landing.received(), None);
    assert_eq!(landing.folder(), other.path().canonicalize().unwrap());
    assert_eq!(fs::read(first).unwrap(), noise(1000), "the first stays");
}

#[tokio::test]
async fn two_offers_of_one_name_accepted_before_either_begins_land_beside_each_other() {
    let scene = Scene::new();
    scene.file("one/plan.pdf", noise(1000));
    scene.file("two/plan.pdf", noise(2000));
    let parcels = [scene.parcel("one/plan.pdf"), scene.parcel("two/plan.pdf")];
    let landings = parcels.each_ref().map(|parcel| scene.accept(&parcel.info(&own())));
    assert_ne!(landings[0].unfinished(), landings[1].unfinished());
    for parcel in &parcels {
        scene.pass(parcel).await;
    }
    let sizes: Vec<_> =
        tree(scene.there.path()).into_iter().map(|(name, content)| (name, content.unwrap().len())).collect();
    assert_eq!(sizes, [("plan (2).pdf".to_owned(), 2000), ("plan.pdf".to_owned(), 1000)]);
}

#[test]
fn an_offer_to_a_room_does_not_go_on_because_the_same_was_accepted_directly() {
    let scene = Scene::new();
    scene.file("plan", "plan");
    let info = scene.parcel("plan").info(&own());
    let (direct, room) = (origin().to("bob"), origin().to("#Team"));
    let landing = scene.accepted().accept(&direct, &info, scene.there.path(), None).unwrap();
    assert_eq!(scene.accepted().recall(&direct.clone().to("bobby"), &info).as_ref(), Some(&landing));
    assert_eq!(scene.accepted().recall(&room, &info), None);
    // Once the user accepts that one, too, both have one place.
    let also = scene.accepted().accept(&room, &info, scene.there.path(), None).unwrap();
    assert_eq!(also, landing);
    assert_eq!(scene.accepted().recall(&origin().to("#team"), &info), Some(landing));
}
