//! Old messages are in reach and the newest stay in sight, whatever the window shows of them.

use super::{House, Resident, Visitor};
use crate::support::chromium::{Browser, Window};
use serde_json::json;

impl Browser<'_> {
    fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        self.wait(&format!("innerHeight === {height}"));
    }
}

#[test]
fn older_messages_come_until_they_fill_the_window() {
    let Some(house) = House::open() else { return };
    let (desk, resident, other) = (Visitor::new(&house), Resident::new(&house), Resident::new(&house));
    other.says("carol", (0..150).map(|n| format!("carol {n}.")));
    resident.says("bob", (0..130).map(|n| format!("bob {n}.")));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.wait_for("bob 129.");
    alice.say("/ignore bob");
    alice.wait_for("you no longer see messages from bob");
    alice.open(&house.url());
    alice.wait_for_entry();
    alice.wait_for("carol 149.");
    alice.wait(
        "(({scrollHeight, clientHeight}) => scrollHeight > clientHeight)(document.querySelector('#log'))",
    );
    alice.resize(1280, 7000);
    alice.wait_for("carol 0.");
    alice.wait_for("This is the beginning.");
}

#[test]
fn the_newest_message_stays_in_sight_when_the_window_changes() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    resident.says(
        "bob",
        (0..100).map(|n| format!("line {n} of a text that is long enough for two lines of a phone.")),
    );
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.wait_for("line 99 ");
    let at_end = "(({scrollHeight, scrollTop, clientHeight}) => scrollHeight - scrollTop - clientHeight < 2)(document.querySelector('#log')) \
                  && document.querySelector('#latest').hidden";
    alice.wait(at_end);
    for (width, height) in [(1280, 416), (390, 844), (844, 390), (1280, 800)] {
        alice.resize(width, height);
        // Two frames later, whatever else makes the page draw.
        let frames = format!("requestAnimationFrame(() => requestAnimationFrame(() => done({at_end})))");
        assert_eq!(alice.run_async(&frames), json!(true), "{width}x{height}");
    }
    // Who reads older messages stays there, with the way back in sight.
    alice.run("document.querySelector('#log').scrollTop -= 500");
    alice.wait("!document.querySelector('#latest').hidden");
    alice.resize(1280, 416);
    alice.wait("!document.querySelector('#latest').hidden");
}

#[test]
fn a_quote_of_a_message_that_is_not_here_needs_a_connection() {
    let Some(mut house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.say("first");
    alice.wait("document.querySelectorAll('.msg:not(.waiting)').length === 1");
    resident.says("bob", (0..60).map(|n| format!("line {n}.")));
    alice.wait_for("line 59.");
    alice.run("document.querySelector('#log').scrollTop = 0; document.querySelector('#log .msg').focus()");
    alice.click("#tools [aria-label=Reply]");
    alice.say("and last");
    alice.wait_for("and last");
    alice.open(&house.url());
    alice.wait_for_entry();
    alice.wait("document.querySelector('.quote')?.textContent.includes('an earlier message') === true");
    house.kill();
    alice.wait("document.querySelector('#status').textContent !== ''");
    alice.click(".quote");
    alice.wait_for("not connected: that message is not in the page");
}
