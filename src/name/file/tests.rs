//! Hostile names, and any.

use super::*;
use proptest::prelude::*;

#[test]
fn hostile_names_become_names_in_the_folder() {
    let long = format!("{}.pdf", "x".repeat(300));
    let marks = format!("Z{}.txt", "\u{301}".repeat(40));
    for (theirs, ours) in [
        ("plan.pdf", "plan.pdf"),
        ("Plan für Münster (2).tar.gz", "Plan für Münster (2).tar.gz"),
        ("写真🎉.jpg", "写真🎉.jpg"),
        ("e\u{301}te\u{301}.txt", "été.txt"),
        ("../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/passwd", "passwd"),
        ("docs/", "docs"),
        ("C:\\x", "x"),
        ("C:x", "C_x"),
        ("file.txt:hidden.exe", "file.txt_hidden.exe"),
        ("CON.txt", "_CON.txt"),
        ("nul", "_nul"),
        ("Aux .c", "_Aux .c"),
        ("COM1", "_COM1"),
        ("com\u{b9}.log", "_com\u{b9}.log"),
        ("COM10", "COM10"),
        ("LPT9.a.b", "_LPT9.a.b"),
        ("CONIN$", "_CONIN$"),
        ("a\0b", "a_b"),
        ("a\nb\x1b[31m", "a_b_[31m"),
        ("photo\u{202e}gpj.exe", "photogpj.exe"),
        ("a\u{200b}b\u{feff}.txt", "ab.txt"),
        ("a\u{2028}b", "a b"),
        ("name. . .", "name"),
        ("  padded  ", "padded"),
        (".bashrc", "bashrc"),
        ("...", "file"),
        (".", "file"),
        ("..", "file"),
        ("", "file"),
        (" ", "file"),
        ("???", "file"),
        ("\u{301}\u{301}", "file"),
        ("\u{202e}", "file"),
        ("-rf", "_-rf"),
        ("~root", "_~root"),
        ("why?*<>|\".txt", "why______.txt"),
        (&marks, "Ź\u{301}\u{301}\u{301}\u{301}.txt"),
        ("x.\u{202e}", "x"),
    ] {
        assert_eq!(FileName::from_sender(theirs).as_str(), ours, "{theirs:?}");
    }
    let cut = FileName::from_sender(&long);
    assert!(cut.as_str().len() == 255 && cut.as_str().ends_with("x.pdf"), "{cut}");
}

#[test]
fn a_taken_name_is_numbered_before_its_extension() {
    let numbered = |name: &str, number| FileName::from_sender(name).numbered(number).to_string();
    assert_eq!(numbered("plan.pdf", 1), "plan.pdf");
    assert_eq!(numbered("plan.pdf", 2), "plan (2).pdf");
    assert_eq!(numbered("README", 3), "README (3)");
    let long = numbered(&format!("{}.pdf", "ü".repeat(200)), 12);
    assert!(long.len() <= 255 && long.ends_with("ü (12).pdf"), "{long}");
}

#[test]
fn an_unfinished_file_shows_it() {
    assert_eq!(FileName::from_sender("plan.pdf").unfinished(0x3f9_a1c7).as_str(), "plan.pdf.03f9a1c7.part");
    let long = FileName::from_sender(&"x".repeat(300)).unfinished(u32::MAX);
    assert!(long.as_str().len() == 255 && long.as_str().ends_with("x.ffffffff.part"), "{long}");
}

/// Checks a name by the rules of file systems, not by how it was made.
fn check(name: &FileName) {
    let text = name.as_str();
    assert!((1..=255).contains(&text.len()), "{text:?}");
    assert!(!text.starts_with('.') && !text.starts_with('-'), "{text:?}");
    assert!(!text.ends_with(['.', ' ']), "{text:?}");
    assert!(!text.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']), "{text:?}");
    assert!(!text.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{text:?}");
    let mut parts = std::path::Path::new(text).components();
    assert!(matches!(parts.next(), Some(std::path::Component::Normal(part)) if part == text), "{text:?}");
    assert!(parts.next().is_none(), "{text:?}");
}

proptest! {
    #[test]
    fn any_text_becomes_one_part_of_a_path(text in any::<String>(), number in 0_u32..2000) {
        let name = FileName::from_sender(&text);
        for name in [&name, &name.numbered(number), &name.unfinished(number), &name.numbered(number).unfinished(number)] {
            check(name);
        }
        prop_assert_eq!(&FileName::from_sender(name.as_str()), &name);
    }

    #[test]
    fn hard_text_too(text in "[.\\- ~/\\\\:\u{301}\u{202e}cConNuUlL1aé]{0,400}") {
        let name = FileName::from_sender(&text);
        check(&name);
        prop_assert_eq!(&FileName::from_sender(name.as_str()), &name);
    }
}
