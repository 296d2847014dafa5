//! A session of three people as its user sees it: recorded for the README, and looked at in several sizes and
//! colours.

mod drawing;
mod scene;

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::support::terminal::last_row;
use crate::support::tree::root;
use scene::{Scene, TEXTS};

/// Writes the recorded session again when this variable is set.
const RENEW: &str = "LANCHAT_RENEW";

const DRAWING: &str = "docs/session.svg";

/// Around the recorded text in README.md.
const BEGIN: &str =
    "<!-- a recorded session: LANCHAT_RENEW=1 cargo test --test integration prompt_session -->\n```\n";
const END: &str = "\n```\n<!-- the end of the recorded session -->";

/// Plays that may differ from the record: a slow machine shows notes about late receipts.
const PLAYS: usize = 3;

/// The drawing and the README, as they should be.
fn recorded() -> [(PathBuf, String); 2] {
    let rows = Scene::play(24, 80, &[]).rows();
    let text: Vec<_> = rows.iter().map(|row| drawing::text(row)).collect();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the mark before the session");
    let (_, after) = rest.split_once(END).expect("the mark after the session");
    assert!(before.lines().count() < 20, "the session is not at the beginning");
    let readme = format!("{before}{BEGIN}{}{END}{after}", text.join("\n"));
    [(root().join(DRAWING), drawing::svg(&rows)), (root().join("README.md"), readme)]
}

#[test]
fn the_readme_begins_with_what_the_screen_shows() {
    if env::var_os(RENEW).is_some() {
        recorded().into_iter().for_each(|(path, text)| fs::write(path, text).unwrap());
    }
    let is_committed =
        |(path, text): &(PathBuf, String)| fs::read_to_string(path).is_ok_and(|held| held == *text);
    let is_same = (0..PLAYS).any(|_| recorded().iter().all(is_committed));
    assert!(
        is_same,
        "README.md and {DRAWING} differ from the screen; renew them with: {RENEW}=1 cargo test --test integration \
         prompt_session"
    );
}

/// Without the blanks at which lines may break.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn the_main_view_is_complete_at_each_size() {
    for (rows, columns) in [(24, 80), (20, 50), (50, 200)] {
        let scene = Scene::play(rows, columns, &[]);
        let screen = scene.screen();
        assert_eq!(last_row(&screen), format!("[#builds] {}", scene::DRAFT), "{screen}");
        let all = dense(&screen);
        // The first texts leave a small screen at its top.
        let visible = if rows < 24 { &TEXTS[TEXTS.len() - 2..] } else { TEXTS };
        for text in visible {
            assert!(all.contains(&dense(text)), "{columns} columns lack {text:?}:\n{screen}");
            let cut = text.split(' ').find(|word| !screen.lines().any(|row| row.contains(word)));
            assert_eq!(cut, None, "a word is cut at {columns} columns:\n{screen}");
        }
    }
}

#[test]
fn without_colour_the_view_has_none() {
    let scene = Scene::play(24, 80, &[("NO_COLOR", "1")]);
    let rows = scene.rows();
    let coloured = rows.iter().flatten().find(|cell| cell.color != vt100::Color::Default);
    assert!(coloured.is_none(), "{coloured:?}:\n{}", scene.screen());
    assert!(!String::from_utf8_lossy(&scene.terminal.raw()).contains("\x1b[38;"));
}

/// No terminal says reliably which background it has, so one set of colours must do.
#[test]
fn colours_are_the_same_on_dark_and_light_and_readable_on_both() {
    let on = |background: &str| Scene::play(24, 80, &[("COLORFGBG", background)]).rows();
    let (dark, light) = (on("15;0"), on("0;15"));
    assert_eq!(
        dark.iter().map(|row| drawing::text(row)).collect::<Vec<_>>(),
        light.iter().map(|row| drawing::text(row)).collect::<Vec<_>>()
    );
    let colors = |rows: &[Vec<drawing::Glyph>]| -> Vec<_> {
        rows.iter().flatten().map(|cell| (cell.color, cell.bold, cell.dim, cell.inverse)).collect()
    };
    assert_eq!(colors(&dark), colors(&light));
    let is_own = |cell: &drawing::Glyph| matches!(cell.color, vt100::Color::Idx(16..));
    assert!(dark.iter().flatten().any(is_own), "no name has one of the 256 colours");
    for cell in dark.iter().flatten() {
        // The first 16 colours are the user's own choice.
        if let vt100::Color::Idx(index @ 16..) = cell.color {
            let color = drawing::rgb(index);
            for background in [[0; 3], [255; 3]] {
                let contrast = drawing::contrast(color, background);
                assert!(contrast >= 4.1, "colour {index} has {contrast:.1}:1 on {background:?}");
            }
        }
    }
}
