//! Folders whose entries lead elsewhere, meet each other, or are too many.

#[cfg(target_os = "linux")]
use super::User;
use super::{Scene, data, file, folder, json_record, paths, start, totals};
#[cfg(unix)]
use crate::support::soon::until;
#[cfg(target_os = "linux")]
use lanchat::limits::MAX_OFFERED_ENTRIES;
use serde_json::json;
#[cfg(unix)]
use std::os::unix::fs::symlink;

/// Entries, each a path; one that ends with `/` is an empty folder, and a file has its number as its content.
fn entries(paths: &[&[&str]]) -> (Vec<u8>, u64) {
    let (mut bytes, mut files) = (start(), 0);
    for path in paths {
        match path.split_last() {
            Some((&"/", above)) => bytes.extend(folder(above)),
            _ => {
                bytes.extend(file(path, &[b'0' + files]));
                files += 1;
            }
        }
    }
    bytes.extend(totals(paths.len() as u64, files.into()));
    (bytes, files.into())
}

/// A sender's idea, the entries of a folder, and everything that the receiver has in it.
type Case<'a> = (&'a str, &'a [&'a [&'a str]], &'a [&'a str]);

/// Names that are one on some systems stay two files.
const ALIKE: [&str; 2] = if cfg!(any(windows, target_os = "macos")) { ["A", "a (2)"] } else { ["A", "a"] };

#[test]
fn every_entry_has_its_own_place_in_the_folder() {
    let mut scene = Scene::new(&[]);
    let deep = vec!["x"; 64];
    let nested: Vec<String> =
        (1..=63).map(|depth| "x/".repeat(depth)).chain(["x/".repeat(63) + "x"]).collect();
    let nested: Vec<&str> = nested.iter().map(String::as_str).collect();
    let cases: &[Case<'_>] = &[
        (
            "climbs",
            &[&["..", "..", "x"], &["a", "..", "y"]],
            &["a/", "a/file/", "a/file/y", "file/", "file/file/", "file/file/x"],
        ),
        (
            "absolute",
            &[&["/etc", "passwd"], &["C:\\Windows", "x"]],
            &["Windows/", "Windows/x", "etc/", "etc/passwd"],
        ),
        ("a path in a name", &[&["../../x"], &["a/b/c"]], &["c", "x"]),
        ("a file as a folder", &[&["a"], &["a", "b"]], &["a", "a (2)/", "a (2)/b"]),
        ("a folder as a file", &[&["a", "b"], &["a"]], &["a (2)", "a/", "a/b"]),
        ("the same twice", &[&["a"], &["a"], &["a"]], &["a", "a (2)", "a (3)"]),
        ("the same folder twice", &[&["a", "/"], &["a", "/"], &["a", "b"]], &["a/", "a/b"]),
        ("one composed in two ways", &[&["\u{e9}"], &["e\u{301}"]], &["\u{e9}", "\u{e9} (2)"]),
        ("one in two cases", &[&["A"], &["a"]], &ALIKE),
        ("the same once they are safe", &[&["a:"], &["a?"], &["a_"]], &["a_", "a_ (2)", "a_ (3)"]),
        ("a number that is taken", &[&["a (2)"], &["a"], &["a"]], &["a", "a (2)", "a (3)"]),
        ("hidden", &[&[".ssh", "authorized_keys"]], &["ssh/", "ssh/authorized_keys"]),
        ("64 deep", &[&deep], &nested),
        ("nothing", &[], &[]),
    ];
    for (what, sent, has) in cases {
        let (bytes, files) = entries(sent);
        let offer = json!({"name": "d", "size": files, "count": files});
        assert_eq!(scene.attack(offer, &bytes), "d", "{what}");
        let root = scene.bob.files().join("d");
        assert_eq!(paths(&root), *has, "{what}");
        let contents = paths(&root).into_iter().filter(|path| !path.ends_with('/'));
        let mut contents: Vec<_> = contents.map(|path| std::fs::read(root.join(path)).unwrap()).collect();
        contents.sort();
        assert_eq!(contents, (0..files).map(|n| [b'0' + n as u8]).collect::<Vec<_>>(), "{what}");
        scene.clear();
    }
}

#[test]
fn what_is_no_such_folder_leaves_nothing() {
    let mut scene = Scene::new(&[]);
    let long = "x".repeat(255);
    let deep: Vec<&str> = vec![&long; 64];
    let three = json!({"name": "d", "size": 3, "count": 1});
    for (what, offer, sent, outcome) in [
        ("65 deep", &three, file(&["x"; 65], b"abc"), "failed: bad_record"),
        ("no path", &three, file(&[], b"abc"), "failed: bad_record"),
        ("an empty name", &three, file(&["a", ""], b"abc"), "failed: bad_record"),
        ("a path that is too long for the system", &three, file(&deep, b"abc"), "failed: io"),
        (
            "more files than offered",
            &three,
            [file(&["a"], b"a"), file(&["b"], b"b")].concat(),
            "failed: too_many_bytes",
        ),
        ("fewer files than offered", &three, totals(0, 0), "failed: too_few_bytes"),
        (
            "more files said than sent",
            &three,
            [file(&["a"], b"abc"), totals(2, 3)].concat(),
            "failed: too_few_bytes",
        ),
        ("bytes of a folder", &three, [folder(&["a"]), data(b"abc")].concat(), "failed: bad_record"),
        (
            "a file that is a folder",
            &three,
            [json_record(b'F', &json!({"path": ["a"], "size": 3, "folder": true})), totals(1, 3)].concat(),
            "failed: too_few_bytes",
        ),
        (
            "a number in a path",
            &three,
            json_record(b'F', &json!({"path": ["a", 1], "size": 3})),
            "failed: bad_record",
        ),
        (
            "a negative size",
            &three,
            json_record(b'F', &json!({"path": ["a"], "size": -1})),
            "failed: bad_record",
        ),
    ] {
        assert_eq!(scene.attack(offer.clone(), &[start(), sent].concat()), outcome, "{what}");
        assert_eq!(scene.has(), [""; 0], "{what}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_the_folder_leads_nowhere() {
    let mut scene = Scene::new(&[]);
    let elsewhere = scene.bob.home.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("own"), "own").unwrap();
    let link = |to: &str, name: &str| symlink(elsewhere.join(to), scene.bob.files().join(name)).unwrap();
    link("own", "file");
    link("none", "dangling");
    link(".", "folder");
    for name in ["file", "dangling", "folder"] {
        let bytes = [start(), file(&[name], b"abc"), totals(1, 3)].concat();
        assert_eq!(scene.attack(json!({"name": name, "size": 3}), &bytes), format!("{name} (2)"));
        assert_eq!(scene.attack(json!({"name": name, "size": 3, "count": 1}), &bytes), format!("{name} (3)"));
    }
    assert_eq!(std::fs::read(elsewhere.join("own")).unwrap(), b"own");
    assert_eq!(paths(&elsewhere), ["own"]);
}

/// Another program of the receiver's replaces what comes by a link.
#[cfg(unix)]
#[test]
fn a_link_in_what_is_unfinished_ends_it() {
    let mut scene = Scene::new(&[]);
    let elsewhere = scene.bob.home.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    for place in ["", "sub", "sub/deep"] {
        let offer = scene.offer(json!({"name": "d", "size": 2, "count": 2})).unwrap();
        let mut pipe = scene.connect(offer);
        pipe.write(&[start(), file(&["sub", "deep", "a"], b"a")].concat());
        let root = until(|| scene.unfinished().filter(|root| root.join("sub/deep/a").exists()));
        let replaced = if place.is_empty() { root } else { root.join(place) };
        std::fs::rename(&replaced, scene.bob.home.path().join("moved")).unwrap();
        symlink(&elsewhere, &replaced).unwrap();
        let _ = pipe.try_write(&[file(&["sub", "deep", "b"], b"b"), totals(2, 2)].concat());
        assert_eq!(scene.outcome(offer, pipe), "failed: io", "{place}");
        assert_eq!(paths(&elsewhere), [""; 0], "{place}");
        assert_eq!(scene.has(), [""; 0], "{place}");
        std::fs::remove_dir_all(scene.bob.home.path().join("moved")).unwrap();
    }
}

/// In memory: a disk takes minutes for so many folders.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_with_too_many_entries_leaves_nothing() {
    let bob = User::new("bob");
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("skipped: there is no file system in memory");
        return;
    };
    std::fs::remove_dir(bob.files()).unwrap();
    symlink(memory.path(), bob.files()).unwrap();
    let mut scene = Scene::of(bob, &[]);
    let mut bytes = start();
    for n in 0..=MAX_OFFERED_ENTRIES {
        bytes.extend(folder(&[&n.to_string()]));
    }
    assert_eq!(scene.attack(json!({"name": "d", "size": 1, "count": 1}), &bytes), "failed: too_many_bytes");
    assert_eq!(scene.has(), [""; 0]);
}
