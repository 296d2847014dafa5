//! What the page says when it closes, is hidden, or gets no connection: nothing is lost unsaid, and each note is true.

use super::{Door, House, Resident, Visitor};
use crate::support::chromium::Window;
use serde_json::json;

/// Whether the page asks before it closes.
const ASKS: &str = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))";

#[test]
fn the_page_asks_before_it_closes_if_something_is_only_in_memory() {
    let Some(mut house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.say("sent");
    alice.wait("document.querySelectorAll('.msg:not(.waiting)').length === 1");
    assert_eq!(alice.value(ASKS), json!(false));
    house.kill();
    alice.wait_for("reconnecting");
    alice.say("on the disk");
    alice.wait("document.querySelectorAll('.waiting').length === 1");
    assert_eq!(alice.value(ASKS), json!(false));
    // As in a private window.
    alice.run("IDBObjectStore.prototype.put = () => { throw new Error('no disk'); }");
    alice.say("in memory");
    alice.wait("document.querySelectorAll('.waiting').length === 2");
    assert_eq!(alice.value(ASKS), json!(true));
    house.start();
    alice.wait("document.querySelectorAll('.waiting').length === 0");
    assert_eq!(alice.value(ASKS), json!(false));
}

#[test]
fn what_is_typed_without_a_connection_is_there_after_a_reload() {
    let Some(mut house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    house.kill();
    alice.wait_for("reconnecting");
    alice.type_into("#text", "not finished");
    alice.run("dispatchEvent(new Event('pagehide'))");
    house.start();
    alice.open(&house.url());
    alice.wait_for_entry();
    alice.wait("document.querySelector('#text').value === 'not finished'");
}

#[test]
fn a_draft_in_a_room_outlives_reloads_that_the_server_does_not_see() {
    let Some(mut house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.say("/join #games");
    alice.wait("document.querySelector('#title').textContent === '#games'");
    alice.type_into("#text", "not finished");
    house.kill();
    // The page comes from the server, so only its state is as after a reload without one.
    alice.run("dispatchEvent(new Event('pagehide'))");
    house.start();
    for _ in 0..3 {
        alice.open(&house.url());
    }
    alice.wait_for_entry();
    alice.wait("document.querySelector('#title').textContent === '#games'");
    alice.wait("document.querySelector('#text').value === 'not finished'");
}

#[test]
fn an_edit_waits_while_the_user_looks_at_another_place() {
    let Some(house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.say("first version");
    alice.wait("document.querySelectorAll('.msg:not(.waiting)').length === 1");
    alice.say("/join #games");
    alice.wait("document.querySelector('#title').textContent === '#games'");
    alice.click("#rooms li:first-child button");
    alice.wait("document.querySelector('#title').textContent === '#lobby'");
    alice.type_into("#text", "\u{E013}");
    alice.wait("document.querySelector('#text').value === 'first version'");
    alice.type_into("#text", " and more");
    alice.click("#rooms li:nth-child(2) button");
    alice
        .wait("document.querySelector('#text').value === '' && document.querySelector('#about-line').hidden");
    alice.click("#rooms li:first-child button");
    alice.wait("document.querySelector('#text').value === 'first version and more'");
    alice.type_into("#text", "\u{E007}");
    alice.wait("document.querySelector('#log .msg .line')?.textContent.startsWith('first version and more')");
}

#[test]
fn the_list_of_people_shows_who_is_away_and_only_the_people_of_its_place() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let mut bob = resident.terminal("bob");
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.wait("document.querySelectorAll('#persons li').length === 2");
    alice.say("/away lunch");
    alice.wait(
        "[...document.querySelectorAll('#persons li')].some(row => /alice.*you.*away/.test(row.textContent))",
    );
    bob.enter("/away tea");
    bob.wait_for("you are away");
    alice.run("dispatchEvent(new Event('focus'))");
    alice
        .wait("[...document.querySelectorAll('#persons li')].some(row => /bob.*away/.test(row.textContent))");
    alice.say("/join #kitchen");
    alice.wait("document.querySelectorAll('#persons li').length === 1");
    alice.say("/part");
    alice.wait("document.querySelectorAll('#persons li').length === 2");
}

#[test]
fn a_page_without_room_for_a_draft_says_so_once_and_asks_before_it_closes() {
    let Some(house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.run("try { for (let n = 1e6; ; ) localStorage.setItem(`x${localStorage.length}`, 'y'.repeat(n)); } catch { }
        for (let n = 1e6; n >= 1; n /= 2) try { localStorage.setItem(`x${localStorage.length}`, 'y'.repeat(n)); } catch { }");
    alice.type_into("#text", &"a long draft ".repeat(20));
    alice.wait_for("storage for the page is full or switched off");
    assert_eq!(alice.value(ASKS), json!(true));
    alice.run("dispatchEvent(new Event('pagehide'))");
    assert_eq!(alice.value("document.querySelectorAll('#log .failure').length"), json!(1));
    alice.run("localStorage.clear(); dispatchEvent(new Event('pagehide'))");
    assert_eq!(alice.value(ASKS), json!(false));
}

#[test]
fn a_hidden_page_counts_what_comes_in_its_title() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let mut bob = resident.terminal("bob");
    bob.enter("seen");
    alice.wait("document.querySelector('#log .msg .line')?.textContent === 'seen'");
    assert_eq!(alice.value("document.title"), json!("desk · lanchat"));
    // A hidden page draws nothing.
    alice.run(
        "Object.defineProperty(document, 'hidden', { value: true, configurable: true }); \
         window.drawing = window.requestAnimationFrame; window.requestAnimationFrame = () => 0; \
         document.dispatchEvent(new Event('visibilitychange'))",
    );
    bob.enter("two");
    bob.enter("three");
    alice.wait("document.title === '(2) desk · lanchat'");
    alice.run(
        "delete document.hidden; window.requestAnimationFrame = window.drawing; \
         document.dispatchEvent(new Event('visibilitychange'))",
    );
    alice.wait("document.title === 'desk · lanchat'");
}

#[test]
fn a_full_server_tells_the_page_so() {
    let Some(house) = House::with(Door::Full) else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let bob = resident.terminal("bob");
    let alice = desk.browser(Window::Desk);
    alice.open(&house.url());
    alice.wait("/this server is full/.test(document.querySelector('#why').textContent)");
    alice.type_into("#name", "alice\u{E007}");
    alice.wait("/this server is full/.test(document.querySelector('#why').textContent) && !document.querySelector('#join').hidden");
    drop(bob);
}

#[test]
fn a_hidden_page_notifies_of_mentions_unless_the_user_wants_none() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let mut bob = resident.terminal("bob");
    alice.run(
        "window.told = []; window.Notification = class { static permission = 'granted'; constructor(title) { told.push(title); } }; \
         Object.defineProperty(document, 'hidden', { value: true, configurable: true })",
    );
    alice.say("/dnd 1h");
    alice.wait_for("no notifications until");
    bob.enter("alice, are you there?");
    alice.wait("document.title.startsWith('(1)')");
    assert_eq!(alice.value("told"), json!([]));
    alice.say("/dnd off");
    alice.wait_for("notifications are on again");
    bob.enter("not for her");
    bob.enter("alice?");
    alice.wait("document.title.startsWith('(3)')");
    assert_eq!(alice.value("told"), json!(["bob in #lobby"]));
}
