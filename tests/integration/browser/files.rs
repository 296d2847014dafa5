//! Files between the page and a terminal, both ways, compared byte by byte.

use super::{House, Resident, Visitor};
use crate::support::chromium::Window;
use crate::support::soon::until;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Bytes that no run of one value stands for, enough for many records.
fn content(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let step = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as u8
    };
    (0..bytes).map(|_| step(&mut state)).collect()
}

fn whole(path: &Path, bytes: usize) -> Option<Vec<u8>> {
    fs::read(path).ok().filter(|read| read.len() == bytes)
}

#[test]
fn a_file_goes_from_a_phone_to_a_terminal_and_back() {
    let Some(house) = House::open() else { return };
    let (visitor, resident) = (Visitor::new(&house), Resident::new(&house));
    let inbox = resident.home.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    let phone = visitor.browser(Window::Phone);
    phone.enter(&house.url(), "alice");
    let inbox_text = inbox.to_string_lossy();
    let mut receive =
        resident.command("receive", &["--name", "bob", "--to", &inbox_text, "--yes-to-all", "--once"]);
    let mut receiving = receive.spawn().unwrap();
    let mut told = BufReader::new(receiving.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(told.any(|line| line.contains("waiting for files")));
    phone.say("/query bob");
    phone.wait("document.querySelector('#title').textContent === 'bob'");
    let photo = content(5_000_001, 1);
    let path = visitor.files.path().join("photo.jpg");
    fs::write(&path, &photo).unwrap();
    phone.type_into("#pick", &path.to_string_lossy());
    phone.wait_for("bob has it");
    assert!(receiving.wait().unwrap().success());
    assert!(fs::read(inbox.join("photo.jpg")).unwrap() == photo, "the terminal has something else");

    let answer = content(3_333_333, 2);
    let path = resident.home.path().join("answer.bin");
    fs::write(&path, &answer).unwrap();
    let path = path.to_string_lossy();
    let mut sending =
        resident.command("send", &["--name", "bob", "--file", &path, "--to", "alice"]).spawn().unwrap();
    phone.wait(
        "[...document.querySelectorAll('.file button')].some((button) => button.textContent === 'Accept')",
    );
    phone.click(".file .main");
    phone.wait_for("received, whole and checked");
    assert!(sending.wait().unwrap().success());
    phone.wait_for("given to your browser to save");
    phone.wait("document.querySelector('.file a').textContent === 'Save again'");
    let saved = visitor.files.path().join("answer.bin");
    assert!(until(|| whole(&saved, answer.len())) == answer, "the browser saved something else");
    assert_eq!(phone.complaints(), Vec::<String>::new());
}

#[test]
fn a_declined_file_and_a_withdrawn_one_are_over_on_both_sides() {
    let Some(house) = House::open() else { return };
    let (visitor, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = visitor.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let path = resident.home.path().join("plan.pdf");
    fs::write(&path, "a plan").unwrap();
    let path = path.to_string_lossy();
    let offer =
        || resident.command("send", &["--name", "bob", "--file", &path, "--to", "alice"]).spawn().unwrap();
    let mut declined = offer();
    alice.wait("document.querySelector('#badge').textContent === '1'");
    alice.click("#directs button");
    alice.click(".file button:not(.main)");
    alice.wait_for("you declined it");
    assert!(!declined.wait().unwrap().success());
    let mut withdrawn = offer();
    alice.wait("document.querySelector('.file .main') !== null");
    withdrawn.kill().unwrap();
    withdrawn.wait().unwrap();
    alice.wait("document.querySelector('.file .main') === null");
}

#[test]
fn a_file_for_a_room_is_offered_to_everyone_after_a_question() {
    let Some(house) = House::open() else { return };
    let (visitor, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = visitor.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let path = visitor.files.path().join("notes.txt");
    fs::write(&path, "notes").unwrap();
    let path = path.to_string_lossy();
    alice.type_into("#pick", &path);
    alice.wait("document.querySelector('#sheet-title').textContent === 'Offer notes.txt (5 bytes) to everyone in #lobby?'");
    alice.click("#sheet-body button:not(.main)");
    alice.wait("!document.querySelector('#sheet').open");
    alice.type_into("#pick", &path);
    alice.click("#sheet-body .main");
    alice.wait_for("offers everyone notes.txt (5 bytes)");
    assert_eq!(
        alice.value("document.querySelectorAll('.file').length").as_u64(),
        Some(1),
        "cancelled: not offered"
    );
    let other = Visitor::new(&house);
    let dora = other.browser(Window::Desk);
    dora.enter(&house.url(), "dora");
    let mut bob = resident.terminal("bob");
    let theirs = resident.home.path().join("plan.txt");
    fs::write(&theirs, "a plan").unwrap();
    bob.enter("/join #tea");
    bob.wait_for("you joined #tea");
    dora.say("/join #tea");
    dora.wait("document.querySelector('#title').textContent === '#tea'");
    bob.enter(&format!("/send #tea {}", theirs.display()));
    dora.wait_for("offers #tea plan.txt");
}
