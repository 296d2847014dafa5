//! What a browser keeps: its key, and with it the name; the certificate that it was told to accept.

use super::{Door, House, Resident, Visitor};
use crate::support::chromium::Window;
use crate::support::tools::run;

#[test]
fn a_name_is_kept_over_restarts_of_the_browser_and_of_the_server() {
    let Some(mut house) = House::open() else { return };
    let (desk, other) = (Visitor::new(&house), Visitor::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.say("this is me");
    alice.wait_for("this is me");
    alice.quit();
    house.kill();
    house.start();
    let thief = other.browser(Window::Desk);
    thief.open(&house.url());
    thief.wait("document.querySelector('#join').hidden === false");
    thief.type_into("#name", "alice\u{E007}");
    thief.wait_for("belongs to another key");
    let alice = desk.browser(Window::Desk);
    assert!(!alice.warns_at(&house.url()), "the same certificate needs no second click");
    alice.wait_for_entry();
    alice.wait("document.querySelector('#self').textContent === 'alice'");
    alice.wait_for("this is me");
}

#[test]
fn mail_waits_for_a_user_of_the_page() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.quit();
    let sent =
        resident.command("send", &["--name", "bob", "--to", "alice", "the keys are with carol"]).output();
    assert!(sent.unwrap().status.success());
    let alice = desk.browser(Window::Desk);
    alice.open(&house.url());
    alice.wait("document.querySelector('#badge').textContent === '1'");
    alice.click("#directs button");
    alice.wait_for("the keys are with carol");
}

#[test]
fn over_http_the_page_says_that_all_can_read_along_and_owns_no_name() {
    let Some(house) = House::with(Door::Plaintext) else { return };
    let (phone, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = phone.browser(Window::Phone);
    alice.enter(&house.url(), "alice");
    alice.wait_for("Not encrypted: all on this network can read along.");
    alice.click("#menu");
    alice.click("#self");
    alice.wait_for("Notifications need https, and this page came over http.");
    alice.run("document.querySelector('#sheet').close(); document.querySelector('#shade').click()");
    assert_eq!(alice.value("isSecureContext"), false);
    let bob = resident.terminal("bob");
    alice.say("hello");
    bob.wait_for("<alice?> hello");
    // The token says that the same page returns.
    alice.open(&house.url());
    alice.wait_for_entry();
    alice.say("again");
    bob.wait_for("<alice?> again");
}

/// A link that lets someone in.
fn link(house: &House) -> String {
    let at = house.host.v4().to_string();
    let passphrase = house.data.path().join("passphrase.txt");
    let links = run(house
        .command("invite")
        .args(["--web", "--host", &at])
        .env("LANCHAT_PASSPHRASE_FILE", passphrase));
    let link = links.lines().next().unwrap();
    assert!(link.starts_with(&house.url()) && link.contains("#t="), "{links}");
    link.to_owned()
}

#[test]
fn a_link_that_is_opened_where_the_page_is_already_lets_the_browser_in() {
    let Some(house) = House::with(Door::Closed) else { return };
    let phone = Visitor::new(&house);
    let alice = phone.browser(Window::Phone);
    alice.open(&house.url());
    alice.wait_for("this server is closed");
    alice.run(&format!("window.isOld = true; location.href = {}", serde_json::json!(link(&house))));
    alice.wait("window.isOld === undefined && document.querySelector('#join').hidden === false");
    alice.type_into("#name", "alice\u{E007}");
    alice.wait_for_entry();
    assert_eq!(alice.value("location.href"), house.url(), "the ticket does not stay in the address");
}

#[test]
fn a_link_with_a_ticket_lets_one_browser_into_a_closed_server() {
    let Some(house) = House::with(Door::Closed) else { return };
    let (guest, other) = (Visitor::new(&house), Visitor::new(&house));
    let (alice, mallory) = (guest.browser(Window::Phone), other.browser(Window::Desk));
    mallory.open(&house.url());
    mallory.wait_for("this server is closed");
    let link = link(&house);
    alice.enter(&link, "alice");
    assert_eq!(alice.value("location.href"), house.url(), "the ticket does not stay in the address");
    mallory.open("about:blank");
    mallory.open(&link);
    mallory.wait_for("this link was used or has expired");
    // A member's key needs no link.
    alice.open("about:blank");
    alice.open(&house.url());
    alice.wait_for_entry();
}
