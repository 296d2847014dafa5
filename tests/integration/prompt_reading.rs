//! Reading at the prompt: where lines break, colours, days, lists and pages, and text of all scripts.

use crate::support::fake_server::{FakeServer, say};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::terminal::{Home, Key as Press, Launch, Terminal};
use crate::support::tls::Key;
use serde_json::json;

fn launch(server: impl ToString, name: &str) -> Launch {
    Launch::lanchat(&["--no-discovery", "--host", &server.to_string(), "--name", name])
}

/// Joins as alice, and waits for the prompt.
fn join(launch: Launch, home: &Home) -> Terminal {
    let terminal = launch.start(home);
    terminal.wait_for_last("[#lobby]");
    terminal
}

const LONG: &str = "please have a look when you get a chance, the address is https://example.org/a?with=query \
                    and the rest of this sentence is here to fill two lines or three";

/// The rows of a message without its time, from the one with `start` on.
fn rows_from(screen: &str, start: &str) -> Vec<String> {
    let rows = screen.lines().skip_while(|row| !row.contains(start));
    rows.take_while(|row| !row.starts_with('[')).map(str::to_owned).collect()
}

#[test]
fn long_messages_break_at_words_to_the_width_of_the_moment() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let mut terminal = join(launch(server.link(), "alice").size(24, 80), &home);
    for (rows, columns) in [(24_u16, 80_u16), (20, 50), (50, 200)] {
        terminal.resize(rows, columns);
        bob.say("all", &format!("{columns} {LONG}."));
        let screen = terminal.wait_until("the message", |screen| {
            rows_from(screen, &format!("<bob> {columns} please")).concat().ends_with("three.")
        });
        let shown = rows_from(&screen, &format!("<bob> {columns} please"));
        assert!(shown.iter().all(|row| row.chars().count() <= usize::from(columns)), "{screen}");
        assert!(shown[1..].iter().all(|row| row.starts_with("            ")), "{screen}");
        assert!(shown.iter().any(|row| row.contains("https://example.org/a?with=query")), "{screen}");
        let words: Vec<&str> = shown.iter().flat_map(|row| row.split_whitespace()).skip(3).collect();
        assert_eq!(words.join(" "), format!("{LONG}."), "{screen}");
    }
}

#[test]
fn people_who_talk_have_different_colours_of_the_256_and_none_with_no_color() {
    let (server, home) = (TestServer::start(), Home::new());
    let terminal = join(launch(server.link(), "alice"), &home);
    let quiet_home = Home::new();
    let quiet = join(launch(server.link(), "carla").env("NO_COLOR", "1"), &quiet_home);
    for name in ["heidi", "kate", "frank", "dave", "mallory", "grace"] {
        let mut peer = Peer::join_with(server.address, name, &Key::new());
        peer.say("all", &format!("I am {name}"));
        terminal.wait_for(&format!("<{name}> I am {name}"));
        quiet.wait_for(&format!("<{name}> I am {name}"));
    }
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let colour = |name: &str| {
        let before = raw.split(&format!("m{name}\x1b[0m>")).next().unwrap_or_default();
        before.rsplit("\x1b[38;5;").next().unwrap_or_default().to_owned()
    };
    let mut colours: Vec<String> =
        ["heidi", "kate", "frank", "dave", "mallory", "grace"].map(colour).to_vec();
    assert!(colours.iter().all(|colour| colour.parse::<u8>().is_ok()), "{colours:?}");
    colours.sort();
    colours.dedup();
    assert_eq!(colours.len(), 6, "{colours:?}");
    let raw = String::from_utf8_lossy(&quiet.raw()).into_owned();
    assert!(!raw.contains("\x1b[38") && !raw.contains("\x1b[1m") && !raw.contains("\x1b[2m"), "{raw:?}");
}

#[test]
fn a_line_tells_the_day_of_old_messages() {
    let (fake, home) = (FakeServer::start(json!({"total": 1})), Home::new());
    let launch = Launch::lanchat(&[
        "--no-discovery",
        "--plaintext",
        "--host",
        &fake.address.to_string(),
        "--name",
        "alice",
    ]);
    let terminal = launch.env("TZ", "UTC").start(&home);
    let talk = fake.accept();
    for (ts, msg) in [("2026-01-02T09:00:00Z", "on Friday"), ("2026-01-05T10:00:00Z", "on Monday")] {
        let from = json!({"name": "bob", "ip": "127.0.0.1"});
        say(&talk, &json!({"type": "chat", "from": from, "to": "all", "msg": msg, "ts": ts}));
    }
    let screen = terminal.wait_for("<bob?> on Monday");
    assert!(screen.contains("── Friday 2 January"), "{screen}");
    let rows: Vec<&str> = screen.lines().skip_while(|row| !row.contains("on Friday")).collect();
    assert!(rows.iter().any(|row| row.starts_with("── Monday 5 January")), "{screen}");
    assert!(rows.iter().any(|row| row.starts_with("10:00 <bob?> on Monday")), "{screen}");
}

#[test]
fn text_of_all_scripts_is_shown_as_meant_and_tabs_keep_their_shape() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    let terminal = join(launch(server.link(), "alice"), &home);
    bob.say("all", "Aus\u{AD}flug long\u{200B}word \u{FEFF}pasted");
    terminal.wait_for("<bob> Ausflug longword pasted");
    bob.say("all", "שלום\u{200F}! \u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F} 👩‍👩‍👧");
    bob.say("all", "if x:\n\tif y:\n\t\treturn\nend");
    let screen = terminal.wait_for("| end");
    assert!(screen.contains("       |     if y:\n       |         return\n       | end"), "{screen}");
    bob.say("all", "x\u{202E}evil\u{1b}[2J\u{E0041}y");
    let screen = terminal.wait_for("evil");
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(raw.contains("x\u{FFFD}evil\u{FFFD}[2J\u{FFFD}y"), "{raw:?}");
    assert!(raw.contains("\u{200F}!") && raw.contains("\u{E0065}\u{E006E}\u{E0067}\u{E007F}"), "{raw:?}");
    assert_eq!(raw.matches('\u{FFFD}').count(), 3, "{screen}");
}

#[test]
fn long_lists_come_in_pages_and_enter_shows_the_next() {
    let (server, home) = (TestServer::start(), Home::new());
    let _peers: Vec<Peer> =
        (10..34).map(|n| Peer::join(server.address, &format!("participant{n}"))).collect();
    let mut terminal = join(launch(server.link(), "alice").size(10, 50), &home);
    terminal.enter("/users");
    let screen = terminal.wait_for("more: press Enter or type /more");
    assert!(screen.contains("25 users here:\n         alice"), "{screen}");
    assert!(!screen.contains("participant33"), "{screen}");
    terminal.key(Press::Enter);
    terminal.wait_for("-- 1 more: press Enter or type /more");
    terminal.enter("/more");
    terminal.wait_for("participant33?");
    terminal.enter("/users IPANT3");
    terminal.wait_for("4 users here with \"IPANT3\":");
    terminal.enter("/users -l ali");
    terminal.wait_for("127.0.0.1  key ");
    terminal.enter("/users nobody");
    terminal.wait_for("-- 0 users here with \"nobody\"");
    terminal.enter("/rooms zzz");
    terminal.wait_for("-- no room has \"zzz\" in its name");
}

#[test]
fn older_messages_come_page_by_page_and_hits_are_marked() {
    let (dir, home) = (tempfile::tempdir().unwrap(), Home::new());
    let server = TestServer::in_dir(dir.path());
    let mut bob = Peer::join_with(server.address, "bob", &Key::new());
    (1..=9).for_each(|n| bob.say("all", &format!("message {n}, tea")));
    bob.settle();
    let mut terminal = join(launch(server.link(), "alice").size(40, 80), &home);
    terminal.wait_for("message 9, tea");
    terminal.enter("/clear");
    terminal.enter("/history 4");
    let screen = terminal.wait_for("4 messages; Enter or /more shows older ones");
    assert!(screen.contains("<bob> message 6, tea") && !screen.contains("message 5"), "{screen}");
    terminal.key(Press::Enter);
    terminal.wait_until("the older messages", |screen| {
        screen.contains("-- older messages of #lobby:")
            && screen.contains("<bob> message 2, tea")
            && screen.contains("<bob> message 5, tea")
            && screen.matches("4 messages;").count() == 2
    });
    terminal.key(Press::Enter);
    terminal.wait_for("1 message; there are no older ones");
    terminal.enter("/search TEA from:bob");
    terminal.wait_for("9 messages; there are no older ones");
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(raw.contains("\x1b[1m\x1b[4mtea\x1b[0m"), "{raw:?}");
    terminal.enter("/search from:bob");
    terminal.wait_for("-- messages from bob:");
    terminal.enter("/history 1000");
    terminal.wait_until("all of them", |screen| {
        let answer = screen.split("/history 1000").nth(1);
        answer.is_some_and(|answer| answer.contains("9 messages; there are no older ones"))
    });
}

#[test]
fn help_fits_on_a_screen_and_explains_a_topic_a_command_and_the_keys() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(launch(server.link(), "alice").size(24, 80), &home);
    terminal.enter("/help");
    let screen = terminal.wait_for("needs a second one");
    assert!(
        screen.contains("talking") && screen.contains("/msg /query") && screen.contains("/help keys"),
        "{screen}"
    );
    assert!(!screen.contains("/kick"), "operators' commands for others:\n{screen}");
    assert!(screen.contains("connected to"), "what was before is still there:\n{screen}");
    terminal.enter("/help rooms");
    terminal.wait_for("/join #ROOM");
    terminal.enter("/help keys");
    terminal.wait_for("Ctrl-R");
    terminal.enter("/help msg");
    terminal.wait_for("-- /msg NAME|#ROOM TEXT: send TEXT");
    terminal.enter("/help nonsense");
    terminal.wait_for("! there is no command /nonsense");
}

#[test]
fn times_are_local_wherever_they_come_from() {
    let (server, home) = (TestServer::start(), Home::new());
    let mut terminal = join(launch(server.link(), "alice").env("TZ", "Asia/Tokyo"), &home);
    terminal.enter("/time");
    let screen = terminal.wait_for("-- server time ");
    let row = screen.lines().find(|row| row.contains("-- server time ")).unwrap_or_default();
    let (stamp, time) = (&row[..5], row.split("-- server time ").nth(1).unwrap_or_default());
    assert_eq!(time.get(11..14), stamp.get(..3), "the same hour: {row}");
}
