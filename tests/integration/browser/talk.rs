//! People with browsers and a terminal talk, and the server dies while they do.

use super::{House, Resident, Visitor};
use crate::support::chromium::Window;
use crate::support::peer::DEADLINE;
use crate::support::soon::until;
use serde_json::Value;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The lines of a program as they come.
fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    lines
}

#[test]
fn two_browsers_and_a_terminal_talk() {
    let Some(house) = House::open() else { return };
    let (desk, phone, resident) = (Visitor::new(&house), Visitor::new(&house), Resident::new(&house));
    let (alice, carol) = (desk.browser(Window::Desk), phone.browser(Window::Phone));
    alice.enter(&house.url(), "alice");
    carol.enter(&house.url(), "carol");
    let mut bob = resident.terminal("bob");
    alice.say("hello from the desk");
    bob.wait_for("<alice> hello from the desk");
    carol.wait_for("hello from the desk");
    bob.enter("hi alice, hi carol");
    carol.wait("document.querySelector('.msg.me .mention')?.textContent === 'carol'");
    alice.wait_for("hi alice, hi carol");
    carol.say("/me waves");
    bob.wait_for("* carol waves");
    alice.wait_for("* carol waves");
    alice.say("/join #games");
    alice.wait("document.querySelector('#title').textContent === '#games'");
    alice.say("/topic chess");
    alice.wait_for("chess");
    bob.enter("/join #games");
    bob.wait_for("chess");
    alice.say("your move");
    bob.wait_for("your move");
    bob.enter("/msg carol psst");
    carol.wait(
        "document.querySelector('#badge').textContent === '1' && document.title.startsWith('(1) desk')",
    );
    assert_eq!(alice.messages(), ["your move"]);
    for browser in [&alice, &carol] {
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
}

#[test]
fn replies_edits_and_deletions_reach_the_page_and_come_from_it() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let mut bob = resident.terminal("bob");
    bob.enter("lunch at 1");
    alice.wait_for("lunch at 1");
    // His client knows what he can change once it has the receipt.
    bob.wait_for("<bob> lunch at 1");
    bob.enter("/edit lunch at 2");
    alice.wait_for("lunch at 2 (edited)");
    alice.run("document.querySelector('#log .msg').focus()");
    alice.click("#tools [aria-label=Reply]");
    alice.say("fine");
    bob.wait_for("fine");
    alice.wait("document.querySelector('.quote')?.textContent.includes('bob: lunch at 2') === true");
    alice.say("/edit very fine");
    bob.wait_for("very fine");
    // Until then, the page draws the message again, without the focus.
    alice.wait_for("very fine (edited)");
    alice.run("[...document.querySelectorAll('#log .msg')].at(-1).focus()");
    alice.click("#tools [aria-label=Delete]");
    alice.click("#sheet-body button");
    bob.wait_for("deleted");
    alice.wait_for("this message was deleted");
}

#[test]
fn a_server_that_is_killed_while_a_page_sends_loses_nothing_and_doubles_nothing() {
    let Some(mut house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let mut tail = resident.command("tail", &["--json"]).spawn().unwrap();
    let log = lines_of(tail.stdout.take().unwrap());
    // It is not announced: that it prints something tells that it is there.
    until(|| {
        alice.say("there?");
        log.recv_timeout(Duration::from_millis(100)).ok()
    });
    let total = 60;
    alice.run(&format!(
        "let n = 0; const go = setInterval(() => {{ n += 1; const input = document.querySelector('#text'); \
         input.value = `m${{n}}.`; document.querySelector('#compose').requestSubmit(); \
         if (n === {total}) {{ clearInterval(go); window.isDone = true; }} }}, 20)"
    ));
    alice.wait_for("m15.");
    house.kill();
    alice.wait("window.isDone === true && document.querySelectorAll('.waiting').length > 0");
    house.start();
    alice.wait("document.querySelectorAll('.waiting').length === 0 && document.querySelector('#status').textContent === ''");
    // What was typed while there is no server outlives the page.
    house.kill();
    alice.wait("document.querySelector('#status').textContent !== ''");
    alice.say("typed before the page is closed");
    alice.wait("document.querySelectorAll('.waiting').length === 1");
    alice.open("about:blank");
    house.start();
    alice.open(&house.url());
    alice.wait_for_entry();
    alice.wait_for("typed before the page is closed");
    alice.wait("document.querySelectorAll('.waiting').length === 0");
    let history = resident.command("send", &["--name", "bob", "--to", "all", "over"]).output().unwrap();
    assert!(history.status.success());
    let shown = alice.run_async(
        "const all = new Map(); const step = () => { for (const line of document.querySelectorAll('#log .msg .line')) \
         all.set(line.closest('.msg').dataset.n, line.textContent); const log = document.querySelector('#log'); \
         if (document.querySelector('#log').innerText.includes('m1.') && all.size > 60) done([...all.values()]); \
         else { log.scrollTop = 0; setTimeout(step, 50); } }; step()",
    );
    let shown: Vec<String> = serde_json::from_value(shown).unwrap();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|text| text != "over") {
        let line = log.recv_timeout(DEADLINE).expect("what the terminal sees");
        let packet: Value = serde_json::from_str(&line).unwrap();
        seen.extend(packet["msg"].as_str().filter(|text| *text != "there?").map(str::to_owned));
    }
    seen.pop();
    let _ = tail.kill();
    let _ = tail.wait();
    let mut wanted: Vec<String> = (1..=total).map(|n| format!("m{n}.")).collect();
    wanted.push("typed before the page is closed".into());
    assert_eq!(seen, wanted, "what another client saw");
    let shown: Vec<String> = shown.into_iter().filter(|text| text != "there?").collect();
    let once: HashSet<&String> = shown.iter().collect();
    assert_eq!(once.len(), shown.len(), "shown twice: {shown:?}");
    assert!(wanted.iter().all(|text| once.contains(text)), "not shown: {shown:?}");
}
