//! What a browser keeps: its key, and with it the name; the certificate that it was told to accept.

use super::{Door, House, Resident, Visitor};
use crate::support::chromium::Window;
use crate::support::tools::run;

/// Whether the page asks for a name.
const FORM: &str = "document.querySelector('#name').getClientRects().length > 0";

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
fn a_new_name_is_kept_and_its_messages_stay_the_users() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let mut bob = resident.terminal("bob");
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.say("/msg bob as alice");
    bob.wait_for("as alice");
    alice.say("to all, as alice");
    bob.wait_for("to all, as alice");
    bob.enter("alice: look at this");
    alice.wait_for("look at this");
    alice.say("/nick ally");
    alice.wait_for("you are now ally");
    alice.say("/mentions");
    alice.wait("document.querySelector('#sheet .hit')?.textContent.includes('look at this')");
    alice.open(&house.url());
    alice.wait_for_entry();
    alice.wait("document.querySelector('#self').textContent === 'ally'");
    alice.wait_for("to all, as alice");
    alice.type_into("#text", "\u{E013}");
    alice.wait("document.querySelector('#text').value === 'to all, as alice'");
    alice.click("#unabout");
    alice.click("#directs button");
    alice.wait_for("as alice");
    let names = "[...document.querySelectorAll('#directs .label')].map(row => row.textContent).join()";
    assert_eq!(alice.value(names), "bob");
    alice.say("/mentions");
    alice.wait("document.querySelector('#sheet .hit')?.textContent.includes('look at this')");
}

#[test]
fn without_a_storage_the_page_lets_the_user_in_for_this_visit_and_says_so() {
    for door in [Door::Open, Door::Plaintext] {
        let Some(house) = House::with(door) else { return };
        let desk = Visitor::new(&house);
        let alice = desk.browser(Window::Desk);
        // As if all cookies were blocked.
        let denied = "for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) \
                      Object.defineProperty(window, name, { get() { throw new DOMException('', 'SecurityError'); } });";
        alice.devtools("Page.addScriptToEvaluateOnNewDocument", &serde_json::json!({ "source": denied }));
        alice.enter(&house.url(), "alice");
        if door == Door::Open {
            alice.wait_for("To keep it, allow cookies for this address and reload.");
        }
        alice.say("hello");
        alice.wait("document.querySelectorAll('.msg:not(.waiting)').length === 1");
    }
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
    mallory.wait_for("this server is closed; ask a person who runs it for a link that lets you in");
    assert_eq!(mallory.value(FORM), false, "a form that cannot work");
    let link = link(&house);
    alice.open(&link);
    alice.wait_for("the server is closed to others and lets you in");
    // The link's ticket is used up, and the key is a member's.
    alice.open("about:blank");
    alice.open(&house.url());
    alice.wait_for("the server is closed to others and lets you in");
    alice.type_into("#name", "alice\u{E007}");
    alice.wait_for_entry();
    assert_eq!(alice.value("location.href"), house.url(), "the ticket does not stay in the address");
    mallory.open("about:blank");
    mallory.open(&link);
    mallory.wait_for("this link was used or has expired");
    assert_eq!(mallory.value(FORM), false);
    // A member's key needs no link.
    alice.open("about:blank");
    alice.open(&house.url());
    alice.wait_for_entry();
}
