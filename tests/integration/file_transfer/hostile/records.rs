//! Streams that are not what was offered.

use super::{Scene, begin, data, file, hash, json_record, record, start, totals};
use crate::support::file_peer::FilePeer;
use crate::support::soon::until;
use serde_json::json;

#[test]
fn what_is_not_what_was_offered_leaves_nothing() {
    let mut scene = Scene::new(&["--max", "1000"]);
    let f = || begin(&["f"], 3);
    let place = |files: u64, have: u64| json_record(b'P', &json!({"files": files, "have": have}));
    let cases: Vec<(&str, Vec<Vec<u8>>, &str)> = vec![
        ("bytes after the end", vec![start(), f(), data(b"abcd")], "too_many_bytes"),
        ("bytes after the hash", vec![start(), file(&["f"], b"abc"), data(b"d")], "bad_record"),
        ("fewer bytes than said", vec![start(), f(), data(b"ab"), hash(b"ab")], "too_few_bytes"),
        ("a bigger file than offered", vec![start(), begin(&["f"], 4)], "too_many_bytes"),
        ("a file of all bytes", vec![start(), begin(&["f"], u64::MAX)], "too_many_bytes"),
        ("a smaller file than offered", vec![start(), file(&["f"], b"ab"), totals(1, 2)], "too_few_bytes"),
        ("another number in the end", vec![start(), file(&["f"], b"abc"), totals(1, 4)], "too_few_bytes"),
        ("the wrong hash", vec![start(), f(), data(b"abc"), hash(b"abd")], "bad_hash"),
        ("a short hash", vec![start(), f(), data(b"abc"), record(b'H', &[0; 31])], "bad_record"),
        ("two files", vec![start(), file(&["f"], b"abc"), file(&["f"], b"")], "too_many_bytes"),
        ("a file in a file", vec![start(), f(), data(b"a"), f()], "bad_record"),
        ("the end in a file", vec![start(), f(), data(b"abc"), totals(1, 3)], "too_few_bytes"),
        ("a file before the start", vec![f()], "bad_record"),
        ("bytes before a file", vec![start(), data(b"abc")], "bad_record"),
        ("a hash before a file", vec![start(), hash(b"")], "bad_record"),
        ("the end before all", vec![start(), totals(0, 0)], "too_few_bytes"),
        ("two starts", vec![start(), start()], "bad_record"),
        ("a start that nobody asked for", vec![place(0, 2)], "bad_record"),
        ("a start beyond the end", vec![place(u64::MAX, u64::MAX)], "bad_record"),
        ("a receiver's answer", vec![start(), json_record(b'O', &json!({"bytes": 3}))], "bad_record"),
        ("a receiver's question", vec![record(b'A', b"{}")], "bad_record"),
        ("a record of 4 GiB", vec![start(), f(), b"D\xff\xff\xff\xff".to_vec()], "bad_record"),
        ("a header of 64 MiB", vec![start(), b"F\x04\0\0\0".to_vec()], "bad_record"),
        ("a sign of life with content", vec![start(), record(b'K', b"x")], "bad_record"),
        ("a kind that nobody knows", vec![start(), record(b'?', b"")], "bad_record"),
        ("no JSON", vec![start(), record(b'F', b"\xff\xfe")], "bad_record"),
        ("nested JSON", vec![start(), record(b'F', "[".repeat(60_000).as_bytes())], "bad_record"),
        ("HTTP", vec![b"GET / HTTP/1.1\r\n\r\n".to_vec()], "bad_record"),
        (
            "a reason that drives a terminal",
            vec![json_record(b'X', &json!({"code": "\u{1b}[2J", "msg": "\u{1b}]0;x\u{7}\n\u{202e}"}))],
            "other",
        ),
    ];
    for (what, records, code) in cases {
        let bytes = records.concat();
        let offer = json!({"name": "f", "size": 3});
        assert_eq!(scene.attack(offer, &bytes), format!("failed: {code}"), "{what}");
        assert_eq!(scene.has(), [""; 0], "{what}");
    }
    assert_eq!(
        scene
            .attack(json!({"name": "f", "size": 3}), &[start(), file(&["f"], b"abc"), totals(1, 3)].concat()),
        "f",
        "the receiver is well"
    );
}

/// Sends data until the connection is closed, whatever the other side says.
fn send_forever(pipe: &mut FilePeer) {
    let step = data(&[7; 65_536]);
    while pipe.try_write(&step).is_ok() {}
}

#[test]
fn an_endless_stream_ends_at_what_was_accepted() {
    let mut scene = Scene::new(&["--max", "100kB"]);
    let without_size = |path: &[&str]| json_record(b'F', &json!({"path": path}));
    for (what, offer, first) in [
        ("a size that was offered", json!({"name": "f", "size": 3}), begin(&["f"], 3)),
        ("no size in the stream", json!({"name": "f", "size": 3}), without_size(&["f"])),
        ("no size at all", json!({"name": "f"}), without_size(&["f"])),
        ("a folder without a size", json!({"name": "f", "count": 2}), without_size(&["d", "f"])),
        ("no file", json!({"name": "f"}), Vec::new()),
    ] {
        let number = scene.offer(offer).unwrap();
        let mut pipe = scene.connect(number);
        pipe.write(&[start(), first].concat());
        send_forever(&mut pipe);
        let outcome = if what == "no file" { "failed: bad_record" } else { "failed: too_many_bytes" };
        assert_eq!(scene.outcome(number, pipe), outcome, "{what}");
        assert_eq!(scene.has(), [""; 0], "{what}");
    }
}

#[test]
fn more_than_the_receiver_takes_is_declined() {
    let mut scene = Scene::new(&["--max", "100kB"]);
    for size in [100_001, u64::MAX] {
        scene.offer(json!({"name": "f", "size": size})).unwrap();
        assert_eq!(scene.eve.wait_for("ended")["code"], "declined");
        assert_eq!(scene.has(), [""; 0]);
    }
}

/// What came stays for the sender to go on with, and what goes on with it must be the same content.
#[test]
fn a_sender_who_returns_with_other_bytes_gains_nothing() {
    let mut scene = Scene::new(&[]);
    let bytes = vec![7; 300_000];
    let offer = scene.offer(json!({"name": "f", "size": 300_000})).unwrap();
    let half = bytes.len() / 2;
    let half_of = |bytes: &[u8]| bytes[..half].chunks(50_000).flat_map(data).collect::<Vec<_>>();
    let mut pipe = scene.connect(offer);
    pipe.write(&[start(), begin(&["f"], 300_000), half_of(&bytes)].concat());
    until(|| scene.unfinished().filter(|part| part.metadata().is_ok_and(|found| found.len() == half as u64)));
    drop(pipe);
    assert_eq!(scene.running.one_of(&["failed"])["code"], "cut");
    // The receiver asks to go on; the sender says that it does, and sends other bytes.
    let mut pipe = scene.connect(offer);
    let other = vec![8; half];
    let place = json_record(b'P', &json!({"files": 0, "have": half}));
    let rest: Vec<u8> = other.chunks(50_000).flat_map(data).collect();
    let all = [vec![8; half], other].concat();
    pipe.write(&[place, begin(&["f"], 300_000), rest, hash(&all)].concat());
    assert_eq!(scene.outcome(offer, pipe), "failed: bad_hash");
    assert_eq!(scene.has(), [""; 0]);
}

#[test]
fn a_sender_who_sends_nothing_or_leaves_does_not_stop_others() {
    let mut scene = Scene::new(&[]);
    let silent = scene.offer(json!({"name": "silent", "size": 3})).unwrap();
    let silent_pipe = scene.connect(silent);
    for (n, first) in [Vec::new(), start(), [start(), begin(&["f"], 3)].concat()].into_iter().enumerate() {
        let offer = scene.offer(json!({"name": "leaves", "size": 3})).unwrap();
        let mut pipe = scene.connect(offer);
        let _ = pipe.try_write(&first);
        pipe.end();
        assert_eq!(scene.outcome(offer, pipe), "failed: cut");
        let name = format!("f{n}");
        let bytes = [start(), file(&[&name], b"abc"), totals(1, 3)].concat();
        assert_eq!(scene.attack(json!({"name": name, "size": 3}), &bytes), name);
    }
    scene.eve.send(json!({"type": "cancel", "offer": silent}));
    scene.running.event("failed");
    drop(silent_pipe);
    until(|| (scene.has() == ["f0", "f1", "f2"]).then_some(()));
}

#[test]
fn what_a_sender_cancels_on_its_way_leaves_nothing() {
    let mut scene = Scene::new(&[]);
    for first in [Vec::new(), start(), [start(), begin(&["f"], 3), data(b"a")].concat()] {
        let offer = scene.offer(json!({"name": "f", "size": 3})).unwrap();
        let mut pipe = scene.connect(offer);
        pipe.write(&first);
        scene.eve.send(json!({"type": "cancel", "offer": offer}));
        scene.running.event("failed");
        until(|| scene.has().is_empty().then_some(()));
    }
}

#[test]
fn what_a_sender_cancels_before_it_connects_leaves_nothing() {
    let mut scene = Scene::new(&[]);
    let offer = scene.offer(json!({"name": "f", "size": 3})).unwrap();
    scene.eve.wait_for("accepted");
    scene.eve.send(json!({"type": "cancel", "offer": offer}));
    assert_eq!(scene.running.event("failed")["code"], "cancelled");
    until(|| scene.has().is_empty().then_some(()));
}
