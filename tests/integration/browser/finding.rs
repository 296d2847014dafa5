//! Commands of the page, searches, and what one user does not want to see.

use super::{House, Resident, Visitor};
use crate::support::chromium::{Browser, ENTER, Window};
use crate::support::home::LANCHAT;
use serde_json::json;
use std::io::Write;
use std::process::Stdio;

impl Resident {
    /// Says all of that.
    pub(super) fn says(&self, name: &str, lines: impl Iterator<Item = String>) {
        let mut program = self.host.command(LANCHAT);
        program.args(["--no-discovery", "--host", &self.server, "--name", name]).envs(self.home.env());
        program.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut program = self.host.spawn(&mut program);
        let mut input = program.0.stdin.take().unwrap();
        lines.for_each(|line| writeln!(input, "{line}").unwrap());
        drop(input);
        assert!(program.0.wait().unwrap().success());
    }
}

fn shows(browser: &Browser<'_>, text: &str) -> bool {
    browser.messages().iter().any(|line| line == text)
}

#[test]
fn a_found_message_is_shown_where_it_was_said_with_its_neighbours() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    resident.says("bob", (0..600).map(|n| format!("line {n}.")));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.wait_for("line 599.");
    alice.say("/search \"line 123\"");
    alice.wait("document.querySelector('.hit mark')?.textContent === 'line 123'");
    alice.wait("/bob.*#lobby.*20\\d\\d/.test(document.querySelector('.hit button').textContent)");
    alice.click(".hit");
    alice.wait("document.activeElement.classList.contains('found') && document.activeElement.textContent.includes('line 123.')");
    alice.wait("!document.querySelector('#sheet').open");
    let moved = "[document.documentElement, document.body, document.querySelector('#main')].some((part) => part.scrollTop > 0)";
    assert_eq!(alice.value(moved), json!(false), "only the messages move");
    for near in ["line 100.", "line 124.", "line 140."] {
        assert!(shows(&alice, near), "{near}: {:?}", alice.messages());
    }
    // What lies between it and the newest comes when asked for.
    alice.run_async(
        "const step = () => { const gap = document.querySelector('.gap button'); \
         if (gap) { gap.click(); setTimeout(step, 50); } else { document.querySelector('#log').scrollTop = 1e9; \
         if (document.querySelector('#log').innerText.includes('line 599.')) done(true); else setTimeout(step, 50); } }; step()",
    );
    let lines = alice.messages();
    let first: usize = lines[0].trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
    let wanted: Vec<String> = (first..600).map(|n| format!("line {n}.")).collect();
    assert_eq!(lines, wanted, "no gap and nothing twice");
}

#[test]
fn mentions_are_listed_and_lead_to_their_messages() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let others = (0..100).map(|n| format!("line {n}."));
    resident.says("bob", std::iter::once("hi alice, and good morning".to_owned()).chain(others));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.wait_for("line 99.");
    alice.say("alice is here");
    alice.run("getSelection().selectAllChildren(document.querySelector('#title'))");
    alice.click("#find");
    alice.type_into("#sheet-body input", &format!("good morning{ENTER}"));
    alice.click(".hit .line");
    alice.wait("!document.querySelector('#sheet').open && document.activeElement.textContent.includes('good morning')");
    alice.say("/mentions");
    alice.wait("document.querySelectorAll('.hit').length === 1 && document.querySelector('.hit').textContent.includes('good morning')");
    alice.click(".hit button");
    alice.wait("document.activeElement.textContent.includes('good morning') && document.activeElement.classList.contains('msg')");
}

#[test]
fn an_ignored_user_stays_hidden_in_this_browser_until_they_are_shown_again() {
    let Some(house) = House::open() else { return };
    let (desk, resident, other) = (Visitor::new(&house), Resident::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let (mut bob, mut carol) = (resident.terminal("bob"), other.terminal("carol"));
    bob.enter("before");
    alice.wait("document.querySelector('#log .msg .line')?.textContent === 'before'");
    alice.say("/ignore bob");
    alice.wait_for("you no longer see messages from bob (by key, so under any name)");
    bob.enter("noise");
    carol.wait_for("noise");
    carol.enter("silence");
    alice.wait(
        "[...document.querySelectorAll('#log .msg .line')].some((line) => line.textContent === 'silence')",
    );
    assert!(!shows(&alice, "noise") && !shows(&alice, "before"), "{:?}", alice.messages());
    alice.open(&house.url());
    alice.wait_for_entry();
    alice.wait(
        "[...document.querySelectorAll('#log .msg .line')].some((line) => line.textContent === 'silence')",
    );
    assert!(!shows(&alice, "noise"), "{:?}", alice.messages());
    alice.click("#self");
    alice.click("#sheet-body li button");
    alice.wait_for("you see messages from bob again");
    alice.wait(
        "[...document.querySelectorAll('#log .msg .line')].some((line) => line.textContent === 'noise')",
    );
}

#[test]
fn the_page_tells_while_typing_by_how_much_a_message_is_too_long_and_keeps_it() {
    let Some(house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let alice = desk.browser(Window::Phone);
    alice.enter(&house.url(), "alice");
    let fill = |text: &str| {
        alice.run(&format!(
            "const text = document.querySelector('#text'); text.value = {text}; text.dispatchEvent(new Event('input'))"
        ));
    };
    fill("'ä'.repeat(5001)");
    alice.wait("/^2 bytes too long/.test(document.querySelector('#over').textContent)");
    alice.type_into("#text", "\u{E007}");
    assert_eq!(alice.value("document.querySelector('#text').value.length"), json!(5001));
    fill("'ä'.repeat(5000)");
    alice.wait("document.querySelector('#over').textContent === ''");
    alice.type_into("#text", "\u{E007}");
    alice.wait("document.querySelectorAll('.msg:not(.waiting)').length === 1");
}

#[test]
fn a_conversation_with_nobody_leaves_the_list_with_its_refusal() {
    let Some(house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    alice.say("/msg nobody hi");
    alice.wait_for("not sent:");
    alice.wait("document.querySelectorAll('#directs li').length === 0");
    alice.wait("document.querySelector('#text').value === '/msg nobody hi'");
}

#[test]
fn pasted_and_dropped_files_are_offered_each() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let bob = resident.terminal("bob");
    alice.run(
        "const data = new DataTransfer(); data.items.add(new File(['0123456789'], 'image.png', { type: 'image/png' })); \
         document.querySelector('#text').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))",
    );
    alice.wait("/^Offer picture 20.*png \\(10 bytes\\) to everyone in #lobby\\?$/.test(document.querySelector('#sheet-title').textContent)");
    alice.click("#sheet-body .main");
    bob.wait_for("picture 20");
    alice.run(
        "const data = new DataTransfer(); for (const name of ['one.txt', 'two.txt']) data.items.add(new File([name], name)); \
         document.querySelector('#chat').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))",
    );
    alice.wait(
        "document.querySelector('#sheet-title').textContent === 'Offer 2 files to everyone in #lobby?'",
    );
    alice.click("#sheet-body .main");
    bob.wait_for("two.txt");
    bob.wait_for("one.txt");
    alice.wait("document.querySelectorAll('.file').length === 3");
    assert_eq!(alice.complaints(), Vec::<String>::new());
}

#[test]
fn a_command_that_is_refused_gives_way_to_the_next() {
    let Some(house) = House::open() else { return };
    let desk = Visitor::new(&house);
    let alice = desk.browser(Window::Desk);
    alice.open(&house.url());
    alice.wait("document.querySelector('#join').hidden === false");
    alice.type_into("#name", &format!("  {ENTER}"));
    alice.wait_for("type a name first");
    alice.run("document.querySelector('#name').value = ''");
    alice.type_into("#name", &format!("alice{ENTER}"));
    alice.wait_for_entry();
    alice.say("/foo");
    alice.wait_for("there is no command /foo");
    alice.wait("document.querySelector('#text').value === '/foo'");
    alice.type_into("#text", "/time");
    assert_eq!(alice.value("document.querySelector('#text').value"), json!("/time"));
}

#[test]
fn a_button_ignores_the_other_user_of_a_conversation() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    assert_eq!(alice.value("document.querySelector('#ignore').hidden"), json!(true), "nobody in the lobby");
    let mut bob = resident.terminal("bob");
    bob.enter("/msg alice hi");
    alice.wait("document.querySelector('#badge').textContent === '1'");
    alice.click("#directs button");
    alice.wait_for("hi");
    alice.click("#ignore");
    alice.wait_for("you no longer see messages from bob");
    alice.wait("document.querySelector('#ignore').textContent === 'Stop ignoring'");
    alice.click("#ignore");
    alice.wait_for("you see messages from bob again");
}
