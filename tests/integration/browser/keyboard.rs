//! The page with a keyboard alone: everything is in reach, and nothing that is drawn again takes the focus.

use super::{House, Resident, Visitor};
use crate::support::chromium::{Browser, Window};
use serde_json::json;
use std::fs;

impl Browser<'_> {
    /// Presses a key where the focus is.
    fn press(&self, key: &str) {
        let event = format!(
            "new KeyboardEvent('keydown', {{ key: {}, bubbles: true, cancelable: true }})",
            json!(key)
        );
        self.run(&format!("document.activeElement.dispatchEvent({event})"));
    }

    /// Focuses the first element that this selects and whose text has that in it.
    fn focus(&self, css: &str, text: &str) {
        let found = format!(
            "[...document.querySelectorAll({})].find((node) => node.textContent.includes({}))",
            json!(css),
            json!(text)
        );
        self.wait(&format!("{found} !== undefined"));
        self.run(&format!("{found}.focus()"));
        self.wait(&format!("document.activeElement === {found}"));
    }
}

#[test]
fn a_keyboard_alone_gets_everywhere() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let mut bob = resident.terminal("bob");
    bob.enter("one");
    alice.wait("document.querySelector('#log .msg .line')?.textContent === 'one'");
    alice.run("document.querySelector('#log').focus()");
    alice.press("ArrowUp");
    alice
        .wait("document.activeElement.classList.contains('msg') && !document.querySelector('#tools').hidden");
    alice.say("mine");
    alice.wait("document.querySelectorAll('.msg:not(.waiting)').length === 2");
    alice.run("document.querySelector('#text').focus()");
    alice.press("ArrowUp");
    alice.wait("document.querySelector('#text').value === 'mine'");
    alice.press("Escape");
    alice
        .wait("document.querySelector('#text').value === '' && document.querySelector('#about-line').hidden");
    alice.type_into("#text", "/wh");
    alice.wait("document.querySelector('#text').getAttribute('aria-activedescendant') === 'choice-0'");
    alice.press("Tab");
    alice.wait("document.querySelector('#text').value === '/whois '");
}

#[test]
fn a_row_keeps_the_focus_while_its_neighbours_go_and_gives_it_to_one_when_it_goes() {
    let Some(house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let residents = [Resident::new(&house), Resident::new(&house), Resident::new(&house)];
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let [mut bob, mut carol, dave] =
        [("bob", 0), ("carol", 1), ("dave", 2)].map(|(name, n)| residents[n].terminal(name));
    alice.focus("#persons button", "dave");
    alice.focus("#persons button", "carol");
    bob.enter("/quit");
    alice.wait("document.querySelectorAll('#persons li').length === 3");
    alice.wait("document.activeElement.textContent.includes('carol')");
    carol.enter("/quit");
    alice.wait("document.querySelectorAll('#persons li').length === 2");
    alice.wait("document.activeElement.textContent.includes('dave') && document.activeElement.closest('#persons') !== null");
    drop(dave);
}

#[test]
fn a_message_that_changes_keeps_the_focus_and_its_tools_leave_it_there() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let mut bob = resident.terminal("bob");
    bob.enter("lunch at 1");
    alice.focus("#log .msg", "lunch at 1");
    bob.wait_for("<bob> lunch at 1");
    bob.enter("/edit lunch at 2");
    alice.wait("document.activeElement.textContent.includes('lunch at 2')");
    alice.run("document.querySelector('#tools button').focus()");
    alice.wait("document.activeElement.getAttribute('aria-label') === 'Reply'");
    bob.enter("/num");
    bob.wait_for("<bob> lunch at 2 (edited)");
    bob.enter("/delete 1");
    alice.wait_for("this message was deleted");
    alice.wait("document.querySelector('#tools').hidden && document.activeElement.classList.contains('msg')");
    // The same with tools that are used.
    alice.say("mine");
    alice.wait("document.querySelectorAll('.msg:not(.waiting)').length === 2");
    alice.focus("#log .msg", "mine");
    alice.click("#tools [aria-label=Delete]");
    alice.click("#sheet-body button:not(.main)");
    alice.wait("document.activeElement.classList.contains('msg')");
}

#[test]
fn whatever_vanishes_leaves_the_focus_in_the_page() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let path = resident.home.path().join("plan.pdf");
    fs::write(&path, "a plan").unwrap();
    let path = path.to_string_lossy();
    let mut offer =
        resident.command("send", &["--name", "bob", "--file", &path, "--to", "alice"]).spawn().unwrap();
    alice.wait("document.querySelector('#badge').textContent === '1'");
    alice.click("#directs button");
    alice.focus(".file button", "Accept");
    offer.kill().unwrap();
    offer.wait().unwrap();
    alice.wait("document.querySelector('.file .main') === null");
    alice.wait("document.activeElement.classList.contains('msg')");
    // A button that hides itself.
    alice.run("const latest = document.querySelector('#latest'); latest.hidden = false; latest.focus(); latest.click()");
    alice.wait("document.querySelector('#latest').hidden && document.activeElement.id === 'text'");
    // One that is replaced, such as in the line about the connection.
    alice.say("/quit");
    alice.wait_for("you have left");
    alice.focus("#status button", "Join again");
    alice.run("document.activeElement.click()");
    alice.wait_for_entry();
    alice.wait("document.activeElement.id === 'text'");
    assert_eq!(alice.value("document.body.innerText.includes('reconnecting')"), json!(false));
    // Any part of the page that any code replaces.
    for (css, part) in [("#persons button", "#persons"), ("#rooms button", "#rooms"), ("#log .msg", "#log")] {
        alice.focus(css, "");
        alice.run(&format!(
            "const part = document.querySelector({}); part.replaceChildren(...[...part.children].map((row) => row.cloneNode(true)))",
            json!(part)
        ));
        alice.wait(&format!("document.activeElement.closest({}) !== null", json!(part)));
        alice.run(&format!("document.querySelector({}).replaceChildren()", json!(part)));
        alice.wait("document.activeElement !== document.body");
        alice.open(&house.url());
        alice.wait_for_entry();
        alice.wait("document.querySelector('#persons button') !== null");
        alice.say("/query bob");
        alice.wait("document.querySelector('#title').textContent === 'bob'");
        alice.say("/me waits");
        alice.wait("document.querySelector('#log .msg') !== null");
    }
}
