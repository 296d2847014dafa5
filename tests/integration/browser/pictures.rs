//! The pictures of the page in docs/: `LANCHAT_RENEW=1 cargo test --test integration browser::pictures` takes them.

use super::{House, Resident, Visitor};
use crate::support::chromium::Window;
use crate::support::tree::root;
use std::fs;

#[test]
fn the_page_is_drawn_for_a_desk_and_a_phone_in_both_themes() {
    let Some(house) = House::open() else { return };
    let (desk, phone) = (Visitor::new(&house), Visitor::new(&house));
    let (resident, other) = (Resident::new(&house), Resident::new(&house));
    let (alice, dana) = (desk.browser(Window::Desk), phone.browser(Window::Phone));
    alice.enter(&house.url(), "alice");
    dana.enter(&house.url(), "dana");
    let (mut bob, mut carol) = (resident.terminal("bob"), other.terminal("carol"));
    for browser in [&alice, &dana] {
        browser.say("/join #builds");
        browser.wait("document.querySelector('#title').textContent === '#builds'");
    }
    alice.say("/topic what the machines say");
    bob.enter("/join #builds");
    carol.enter("/join #builds");
    carol.wait_for("you joined #builds");
    bob.wait_for("you joined #builds");
    bob.enter("the last one stopped at the tests; the log is at https://desk.example/builds/4812/log");
    alice.wait_for("4812");
    alice.say("I have a look");
    dana.wait_for("I have a look");
    dana.say("could it be the new disk?");
    carol.wait_for("the new disk");
    carol.enter(
        "build 4813 is green again, so alice can take the release from https://desk.example/builds/4813 now",
    );
    alice.wait_for("4813");
    alice.run("[...document.querySelectorAll('#log .msg')].at(-1).focus()");
    alice.click("#tools [aria-label=Reply]");
    alice.say("thanks, carol");
    bob.wait_for("thanks, carol");
    bob.enter("/msg alice lunch at twelve?");
    alice.wait("document.querySelector('#badge').textContent === '1'");
    carol.enter("/msg dana are you coming?");
    dana.wait("document.querySelector('#badge').textContent === '1'");
    for (browser, name) in [(&alice, "desk"), (&dana, "phone")] {
        for (is_dark, theme) in [(false, "light"), (true, "dark")] {
            browser.set_dark(is_dark);
            browser.run("document.activeElement.blur(); document.querySelector('#tools').hidden = true");
            let picture = browser.picture();
            assert!(picture.len() > 10_000, "an empty picture");
            if std::env::var_os("LANCHAT_RENEW").is_some() {
                fs::write(root().join(format!("docs/web-{name}-{theme}.png")), picture).unwrap();
            }
        }
    }
}
