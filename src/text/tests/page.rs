//! Holds the page's copy of these rules: a test writes the tables into `web/text.js`, and examples for its tests
//! into `web/tests/texts.json`, and fails if they differ.

use std::fs;
use std::path::PathBuf;

use crate::text::clean::{self, is_unsafe, is_unseen};
use crate::text::safe_line;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use unicode_width::UnicodeWidthChar as _;

/// Writes the files again when this variable is set.
const RENEW: &str = "LANCHAT_RENEW";

const BEGIN: &str = "// <tables>\n";
const END: &str = "// </tables>\n";

/// The longest line of a table.
const COLUMNS: usize = 112;

/// Examples of mixed characters.
const EXAMPLES: usize = 300;

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// The places where the characters of a kind begin and end, each as the distance from the one before.
fn table(is_in: impl Fn(char) -> bool) -> String {
    let (mut steps, mut before, mut was_in) = (Vec::new(), 0, false);
    for code in 0..=u32::from(char::MAX) + 1 {
        // Halves of characters take the side of the one before them.
        let is_now = char::from_u32(code).map_or(was_in && code < 0x11_0000, &is_in);
        if is_now != was_in {
            steps.push(base36(code - before));
            (before, was_in) = (code, is_now);
        }
    }
    steps.join(" ")
}

/// The tables as they stand in `web/text.js`.
fn tables() -> String {
    let tables = [
        ("unsafe", table(is_unsafe)),
        ("unseen", table(is_unseen)),
        ("narrow", table(|c| c.width() == Some(0))),
    ];
    let mut text = "/** @type {Record<string, string>} */\nconst TABLES = {\n".to_owned();
    for (name, steps) in tables {
        text += &format!("  {name}:");
        let mut line = String::new();
        for step in steps.split_inclusive(' ') {
            if line.len() + step.len() > COLUMNS {
                text += &format!("\n    \"{line}\" +");
                line.clear();
            }
            line += step;
        }
        text += &format!("\n    \"{line}\",\n");
    }
    text + "};\n"
}

/// Texts, and how this program shows them. Tabs differ: the browser has its own stops.
fn examples() -> String {
    let fixed = [
        "plain",
        "Jose\u{301}",
        "\u{202E}gnp.exe",
        "a\u{202E}b\u{202C}c",
        "\u{2067}abc",
        "x\u{2066}y\u{2069}z",
        "a\u{2069}\u{202C}b",
        "\u{FEFF}pasted",
        "Aus\u{AD}flug",
        "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
        "\u{1F3F4}\u{E0041}\u{E007F}",
        "d\u{E0041}\u{E0042}\u{E007F}e",
        "\u{3164}\u{115F}\u{1160}\u{FFA0}",
        "x\u{E000}\u{FFF9}",
        "\u{1b}[2Jgone",
        "bob: hi\rali: ok\u{8}\u{7f}",
        "one\u{2028}two",
        "می\u{200C}خواهم",
        "क्\u{200D}ष क्\u{200C}ष",
        "شلوم\u{200F}!",
        "👩\u{200D}👩\u{200D}👧 ❤\u{FE0F}",
        "👩🏽\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨🏻",
        "\u{200C}\u{200D}🏽",
        "a\u{200F}\u{200F}\u{200E}b",
    ];
    let mut texts: Vec<String> = fixed.iter().map(|text| (*text).to_owned()).collect();
    texts.push("a\u{301}".to_owned() + &"\u{301}".repeat(50));
    texts.push("👩\u{200D}".repeat(50));
    texts.push("\u{202B}".repeat(1000));
    texts.push(format!("a{}b", "\u{200B}\u{2060}".repeat(40)));
    let mut runner = TestRunner::deterministic();
    let pieces = clean::pieces();
    while texts.len() < EXAMPLES {
        let text = pieces.new_tree(&mut runner).expect("a text").current();
        texts.extend((!text.contains('\t')).then_some(text));
    }
    let rows: Vec<String> = texts
        .iter()
        .map(|text| serde_json::to_string(&[text.clone(), safe_line(text)]).expect("a row"))
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

fn hold(file: &str, wanted: &str) {
    let path = path(file);
    if std::env::var_os(RENEW).is_some() {
        fs::write(&path, wanted).expect(file);
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == wanted,
        "{file} differs from src/text; renew it with: {RENEW}=1 cargo test --lib text::tests::page"
    );
}

#[test]
fn the_page_treats_the_same_characters_alike() {
    let held = fs::read_to_string(path("web/text.js")).expect("web/text.js");
    let (before, rest) = held.split_once(BEGIN).expect("the mark before the tables");
    let (_, after) = rest.split_once(END).expect("the mark after the tables");
    hold("web/text.js", &format!("{before}{BEGIN}{}{END}{after}", tables()));
}

#[test]
fn the_page_is_tested_with_what_this_program_shows() {
    hold("web/tests/texts.json", &examples());
}
