//! Names that lead elsewhere, mean something else to a system, or look like something else.

use super::{Scene, file, paths, start, totals};
use serde_json::json;

/// What the sender calls the file, and what the receiver has it as.
const NAMES: [(&str, &str); 50] = [
    ("plan.pdf", "plan.pdf"),
    ("山 für 🎉.tar.gz", "山 für 🎉.tar.gz"),
    // Ways out of the folder.
    ("../../.bashrc", "bashrc"),
    ("..", "file"),
    (".", "file"),
    ("/etc/passwd", "passwd"),
    ("//etc//passwd", "passwd"),
    ("..\\..\\boot.ini", "boot.ini"),
    ("C:\\Windows\\system.ini", "system.ini"),
    ("C:system.ini", "C_system.ini"),
    ("\\\\server\\share\\x", "x"),
    ("\\\\?\\C:\\x", "x"),
    ("docs/", "docs"),
    ("/", "file"),
    // What Windows takes for a device, a stream, or another name.
    ("CON", "_CON"),
    ("nul.txt", "_nul.txt"),
    ("Aux .c", "_Aux .c"),
    ("COM1", "_COM1"),
    ("LPT¹", "_LPT¹"),
    ("com³.tar.gz", "_com³.tar.gz"),
    ("CONIN$", "_CONIN$"),
    ("COM10", "COM10"),
    ("a:b", "a_b"),
    ("plan.pdf::$DATA", "plan.pdf__$DATA"),
    ("plan.pdf...", "plan.pdf"),
    ("plan.pdf  . ", "plan.pdf"),
    ("plan.exe .", "plan.exe"),
    ("a*b?c<d>e|f\"g", "a_b_c_d_e_f_g"),
    // What a shell or a file manager takes for something else.
    (".ssh", "ssh"),
    ("..x", "x"),
    ("...", "file"),
    ("  padded", "padded"),
    ("-rf", "_-rf"),
    ("~root", "_~root"),
    // What looks like something else.
    ("photo\u{202e}gpj.exe", "photogpj.exe"),
    ("photo\u{2066}.exe\u{2069}", "photo.exe"),
    ("plan\u{200b}.pdf\u{feff}", "plan.pdf"),
    ("a\u{e0041}b", "ab"),
    ("\u{301}x", "x"),
    ("e\u{301}.txt", "é.txt"),
    ("\u{202e}", "file"),
    (" ", "file"),
    ("???", "file"),
    // What drives a terminal, or ends a text.
    ("a\0b", "a_b"),
    ("a\nb", "a_b"),
    ("\u{1b}]0;owned\u{7}", "_]0;owned_"),
    ("\u{9b}31m", "_31m"),
    ("a\u{2028}b", "a b"),
    ("a\u{a0}b", "a b"),
    ("x.part", "x.part"),
];

#[test]
fn a_hostile_name_becomes_one_in_the_folder() {
    let mut scene = Scene::new(&[]);
    for (theirs, ours) in NAMES {
        let bytes = [start(), file(&[theirs], b"abc"), totals(1, 3)].concat();
        assert_eq!(scene.attack(json!({"name": theirs, "size": 3}), &bytes), ours, "{theirs:?}");
        assert_eq!(scene.has(), [ours], "{theirs:?}");
        scene.clear();
    }
    assert_eq!(outside(&scene), ["files/"], "nothing is written elsewhere");
}

#[test]
fn in_a_folder_it_does_too() {
    let mut scene = Scene::new(&[]);
    for (theirs, ours) in NAMES {
        let bytes = [start(), file(&[theirs, theirs], b"abc"), totals(1, 3)].concat();
        let offer = json!({"name": theirs, "size": 3, "count": 1});
        assert_eq!(scene.attack(offer, &bytes), ours, "{theirs:?}");
        let inner = [format!("{ours}/"), format!("{ours}/{ours}/"), format!("{ours}/{ours}/{ours}")];
        assert_eq!(scene.has(), inner, "{theirs:?}");
        scene.clear();
    }
    assert_eq!(outside(&scene), ["files/"], "nothing is written elsewhere");
}

/// What is in bob's home beside lanchat's own files.
fn outside(scene: &Scene) -> Vec<String> {
    let own = ["state/", "config/", "data/", "cache/", "run/"];
    let mut found = paths(scene.bob.home.path());
    found.retain(|path| !own.iter().any(|own| path.starts_with(own)));
    found
}

#[test]
fn a_long_name_is_cut_before_its_ending() {
    let mut scene = Scene::new(&[]);
    let cut = |stem: &str, times: usize| format!("{}.pdf", stem.repeat(times));
    for (theirs, offered, in_folder) in [
        (cut("x", 251), cut("x", 251), cut("x", 251)),
        (cut("x", 296), "refused: too_long".into(), cut("x", 251)),
        (cut("é", 125), cut("é", 125), cut("é", 125)),
        // As many units of UTF-16 as Windows allows, and three times as many bytes.
        (cut("山", 251), "refused: too_long".into(), cut("山", 83)),
        ("x".repeat(255), "x".repeat(255), "x".repeat(255)),
        (
            format!("x.{}", "y".repeat(253)),
            format!("x.{}", "y".repeat(253)),
            format!("x.{}", "y".repeat(253)),
        ),
        (
            format!("Z{}.pdf", "\u{301}".repeat(40)),
            cut("Ź\u{301}\u{301}\u{301}\u{301}", 1),
            cut("Ź\u{301}\u{301}\u{301}\u{301}", 1),
        ),
        ("x".repeat(1025), "refused: too_long".into(), "failed: bad_record".into()),
        (String::new(), "refused: bad_packet".into(), "failed: bad_record".into()),
    ] {
        let bytes = [start(), file(&[&theirs], b"abc"), totals(1, 3)].concat();
        assert_eq!(scene.attack(json!({"name": theirs, "size": 3}), &bytes), offered, "{theirs:?}");
        scene.clear();
        let outcome = scene.attack(json!({"name": "d", "size": 3, "count": 1}), &bytes);
        let has = scene.has().pop().unwrap_or(outcome);
        assert_eq!(has.trim_start_matches("d/"), in_folder, "{theirs:?} in a folder");
        scene.clear();
    }
}
