//! The focus goes where the user moves it, with keys, a mouse or a finger, and nothing takes it back.

use super::{House, Resident, Visitor};
use crate::support::chromium::{Browser, Window};
use serde_json::{Value, json};

impl Browser<'_> {
    /// Where the middle of the last element that this selects is.
    fn middle(&self, css: &str) -> (f64, f64) {
        let rect = self.value(&format!(
            "(() => {{ const r = [...document.querySelectorAll({})].at(-1).getBoundingClientRect(); \
             return [r.left + Math.min(r.width / 2, 40), r.top + r.height / 2]; }})()",
            json!(css)
        ));
        (rect[0].as_f64().unwrap(), rect[1].as_f64().unwrap())
    }

    fn mouse(&self, kind: &str, (x, y): (f64, f64), buttons: u8) {
        let event =
            json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1});
        self.devtools("Input.dispatchMouseEvent", &event);
    }

    /// Touches the last element that this selects, with a finger.
    fn tap(&self, css: &str) {
        let (x, y) = self.middle(css);
        let touch = |kind: &str, points: Value| {
            self.devtools("Input.dispatchTouchEvent", &json!({"type": kind, "touchPoints": points}));
        };
        touch("touchStart", json!([{"x": x, "y": y}]));
        touch("touchEnd", json!([]));
    }

    /// Presses Tab, as a keyboard does.
    fn tab(&self, modifiers: u8) {
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9, "modifiers": modifiers});
            self.devtools("Input.dispatchKeyEvent", &event);
        }
    }

    fn focus_text(&self) {
        self.run("document.querySelector('#text').focus()");
        self.wait("document.activeElement.id === 'text'");
    }
}

#[test]
fn the_message_box_gives_up_the_focus() {
    let Some(house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.say("lunch at one");
    alice.wait("document.querySelectorAll('.msg:not(.waiting)').length === 1");
    alice.focus_text();
    alice.tab(0);
    alice.wait("document.activeElement.getAttribute('aria-label') === 'Send'");
    alice.focus_text();
    alice.tab(8);
    alice.wait("document.activeElement.id === 'attach'");
    alice.focus_text();
    let (x, y) = alice.middle("#log .msg .line");
    alice.mouse("mousePressed", (x - 38.0, y), 1);
    alice.mouse("mouseMoved", (x, y), 1);
    alice.mouse("mouseMoved", (x + 20.0, y), 1);
    alice.mouse("mouseReleased", (x + 20.0, y), 0);
    alice.wait("String(getSelection()) !== '' && document.activeElement.id !== 'text'");
    alice.focus_text();
    let middle = alice.middle("#title");
    alice.mouse("mousePressed", middle, 1);
    alice.mouse("mouseReleased", middle, 0);
    alice.wait("document.activeElement === document.body");
    // Nor does a later change of the page take it.
    alice.run(
        "document.querySelector('#latest').hidden = false; document.querySelector('#latest').hidden = true",
    );
    assert_eq!(alice.value("document.activeElement === document.body"), json!(true));
}

#[test]
fn a_finger_reaches_the_buttons_of_a_message() {
    let Some(house) = House::open() else { return };
    let (visitor, resident) = (Visitor::new(&house), Resident::new(&house));
    let phone = visitor.browser(Window::Phone);
    phone.enter(&house.url(), "alice");
    let mut bob = resident.terminal("bob");
    bob.enter("lunch at one");
    phone.wait_for("lunch at one");
    phone.focus_text();
    phone.tap("#log .msg .line");
    phone.wait("!document.querySelector('#tools').hidden");
    phone.tap("#tools [aria-label=Reply]");
    phone.wait("!document.querySelector('#about-line').hidden && document.querySelector('#about-text').textContent.includes('lunch at one')");
}
