//! The page as an attacker, a screen reader and a long evening meet it.

use super::{House, Resident, Visitor};
use crate::support::chromium::{Browser, Window};
use crate::support::soon::until;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

/// Parts of markup and script that have run in other pages: each becomes a text, some a name or a topic.
const HOSTILE: [&str; 25] = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror=window.hit=1>",
    "<svg onload=window.hit=1>",
    "\"><svg/onload=window.hit=1>",
    "'-window.hit=1-'",
    "javascript:window.hit=1",
    "http://javascript:window.hit=1/",
    "https://a.example/\"onmouseover=\"window.hit=1",
    "https://a.example/'onclick='window.hit=1",
    "<a href=javascript:window.hit=1>x</a>",
    "<iframe srcdoc='<script>parent.hit=1</script>'>",
    "<style>@import 'x'</style>",
    "<base href=//a.example>",
    "<form action=javascript:window.hit=1><input autofocus onfocus=window.hit=1>",
    "{{constructor.constructor('window.hit=1')()}}",
    "${window.hit=1}",
    "`;window.hit=1//",
    "</textarea><script>window.hit=1</script>",
    "</style><script>window.hit=1</script>",
    "<math><mi//xlink:href=\"data:x,<script>window.hit=1</script>\">",
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "data:text/html,<script>opener.hit=1</script>",
    "__proto__",
    "constructor",
    "\u{202E}<script>window.hit=1</script>\u{202C}",
];

/// Ways to wrap them.
const WRAPS: [(&str, &str); 8] = [
    ("", ""),
    ("hi alice ", ""),
    ("\n", "\n"),
    ("<b>", ""),
    ("]]>", ""),
    ("<!--", "-->"),
    ("\u{0}", ""),
    ("\\\"", "\\"),
];

#[test]
fn two_hundred_hostile_texts_run_no_script() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.enter(&house.url(), "alice");
    let mut program = resident.host.command(crate::support::home::LANCHAT);
    program.args(["--no-discovery", "--json", "--host", &resident.server, "--name", "<b>bob</b>\"'&amp;"]);
    program.envs(resident.home.env()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut program = resident.host.spawn(&mut program);
    let mut input = program.0.stdin.take().unwrap();
    let mut say = |packet: Value| writeln!(input, "{packet}").unwrap();
    let texts: Vec<String> = WRAPS
        .iter()
        .flat_map(|(before, after)| HOSTILE.map(|text| format!("{before}{text}{after}")))
        .collect();
    assert_eq!(texts.len(), 200);
    say(json!({"type": "join", "room": "#<img-src=x>"}));
    for (place, text) in texts.iter().enumerate() {
        let to = ["all", "alice"][usize::from(place % 40 == 7)];
        say(json!({"to": to, "msg": text}));
    }
    say(json!({"type": "topic", "room": "#<img-src=x>", "topic": HOSTILE[1]}));
    say(json!({"to": "all", "msg": "the last one"}));
    until(|| alice.messages().iter().any(|line| line == "the last one").then_some(()));
    alice.say("/join #<img-src=x>");
    alice.wait("document.querySelector('#topic').textContent.includes('onerror')");
    alice.click("#directs button");
    alice.wait("document.querySelectorAll('#log .msg').length > 3");
    alice.click("#find");
    alice.type_into("#sheet-body input", "window.hit\u{E007}");
    alice.wait("document.querySelectorAll('.hit').length > 5");
    assert_eq!(alice.value("window.hit === undefined"), json!(true));
    assert_eq!(alice.value("document.querySelectorAll('script').length"), json!(1));
    let links = "[...document.querySelectorAll('a[href]')].every((a) => /^https?:/.test(a.protocol) && a.rel === 'noopener noreferrer')";
    assert_eq!(alice.value(links), json!(true));
    assert_eq!(alice.complaints(), Vec::<String>::new(), "the policy had nothing to forbid");
}

#[test]
fn a_burst_of_two_thousand_messages_stays_within_four_hundred_nodes_and_in_order() {
    let Some(house) = House::open() else { return };
    let (desk, resident) = (Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Phone);
    alice.enter(&house.url(), "alice");
    alice.run(
        "window.most = 0; new MutationObserver(() => { window.most = Math.max(window.most, \
         document.querySelector('#log').children.length); }).observe(document.querySelector('#log'), { childList: true })",
    );
    let mut program = resident.host.command(crate::support::home::LANCHAT);
    program.args(["--no-discovery", "--host", &resident.server, "--name", "bob"]);
    program.envs(resident.home.env()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut program = resident.host.spawn(&mut program);
    let mut input = program.0.stdin.take().unwrap();
    for n in 0..2000 {
        writeln!(input, "line {n}").unwrap();
    }
    drop(input);
    alice.wait_for("line 1999");
    assert_in_order(&alice.messages(), 1999);
    // The window moves back, a part at a time, down to what only the server has.
    alice.run_async(
        "const log = document.querySelector('#log'); const step = () => { log.scrollTop = 0; \
         if ([...log.querySelectorAll('.line')].some((line) => line.textContent === 'line 0')) done(true); \
         else setTimeout(step, 30); }; step()",
    );
    let lines = alice.messages();
    assert_in_order(&lines, lines.len() - 1);
    assert!(alice.value("window.most").as_u64().unwrap() <= 400);
}

/// Asserts that these are the lines up to that one, without a gap.
#[track_caller]
fn assert_in_order(lines: &[String], last: usize) {
    assert!(lines.len() > 50, "{lines:?}");
    let wanted: Vec<String> = (last + 1 - lines.len()..=last).map(|n| format!("line {n}")).collect();
    assert_eq!(lines, wanted);
}

/// Where `.ci/run` puts axe-core, which is not ours to commit.
fn axe() -> Option<String> {
    let path = std::env::var_os("LANCHAT_AXE").map(PathBuf::from);
    let source = path.and_then(|path| std::fs::read_to_string(path).ok());
    if source.is_none() {
        eprintln!("skipped: LANCHAT_AXE names no axe.min.js (npm pack axe-core)");
    }
    source
}

/// Asserts that axe finds nothing, in both themes.
#[track_caller]
fn assert_clean(browser: &Browser<'_>, axe: &str, what: &str) {
    for is_dark in [false, true] {
        browser.set_dark(is_dark);
        browser.run(axe);
        let found = browser.run_async(
            "axe.run(document).then((result) => done(result.violations.map((rule) => [rule.id, rule.nodes.map((node) => \
             node.target.join(' '))])), (error) => done(String(error)))",
        );
        assert_eq!(found, json!([]), "{what}, dark: {is_dark}");
    }
}

#[test]
fn axe_finds_nothing_in_either_theme() {
    let Some(axe) = axe() else { return };
    let Some(house) = House::open() else { return };
    let (desk, phone, resident) = (Visitor::new(&house), Visitor::new(&house), Resident::new(&house));
    let alice = desk.browser(Window::Desk);
    alice.open(&house.url());
    alice.wait("document.querySelector('#join').hidden === false");
    assert_clean(&alice, &axe, "the form");
    alice.enter(&house.url(), "alice");
    let mut bob = resident.terminal("bob");
    bob.enter("hi alice: https://desk.example/x");
    bob.enter("/msg alice psst");
    alice.wait("document.querySelector('#badge').textContent === '1'");
    alice.say("fine");
    alice.wait_for("fine");
    alice.run("document.querySelector('#log .msg').focus()");
    assert_clean(&alice, &axe, "the chat");
    alice.click("#help");
    assert_clean(&alice, &axe, "the help");
    alice.run("document.querySelector('#sheet').close()");
    alice.click("#find");
    alice.type_into("#sheet-body input", "desk\u{E007}");
    alice.wait("document.querySelector('.hit') !== null");
    assert_clean(&alice, &axe, "a search");
    alice.run("document.querySelector('#sheet').close(); document.querySelector('#self').click()");
    assert_clean(&alice, &axe, "the user's own matters");
    let carol = phone.browser(Window::Phone);
    carol.enter(&house.url(), "carol");
    assert_clean(&carol, &axe, "a phone");
    carol.click("#menu");
    carol.wait("document.querySelector('#side').classList.contains('open')");
    assert_clean(&carol, &axe, "the drawer");
}

#[test]
fn a_phone_has_targets_of_44_pixels_and_inputs_that_do_not_zoom() {
    let Some(house) = House::open() else { return };
    let phone = Visitor::new(&house);
    let alice = phone.browser(Window::Phone);
    alice.enter(&house.url(), "alice");
    alice.click("#menu");
    alice.wait("document.querySelector('#side').classList.contains('open')");
    let small = "[...document.querySelectorAll('button, input, textarea')].filter((node) => node.checkVisibility() && \
                 (node.offsetHeight < 44 || node.offsetWidth < 44)).map((node) => node.id || node.textContent)";
    assert_eq!(alice.value(small), json!([]));
    let zooms = "[...document.querySelectorAll('input, textarea')].filter((node) => \
                 parseFloat(getComputedStyle(node).fontSize) < 16).length";
    assert_eq!(alice.value(zooms), json!(0));
    let wide = "document.documentElement.scrollWidth <= innerWidth";
    assert_eq!(alice.value(wide), json!(true));
}
