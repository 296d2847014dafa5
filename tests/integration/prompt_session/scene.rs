//! Three people in a chat, and the screen of one of them. Times and dates on it are replaced, so that it is the
//! same at each run.

use super::drawing::{Glyph, glyphs};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::soon::until;
use crate::support::terminal::{Home, Key as Press, Launch, Terminal};
use crate::support::tls::Key;
use serde_json::json;

/// What people say, in this order.
pub(super) const TEXTS: &[&str] = &[
    "hello from the sofa",
    "hi bob, lunch at twelve?",
    "sure; I bring the cake",
    "the last one stopped at the tests; the log is at https://desk.example/builds/4812/log",
    "in five minutes",
    "fine",
    "alice: build 4813 is green again, so you can take the release from https://desk.example/builds/4813 now",
];

/// A line that is not sent yet.
pub(super) const DRAFT: &str = "thanks, carol";

/// The time on the screen.
const TIME: &str = "12:04";

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub(super) struct Scene {
    pub(super) terminal: Terminal,
    _home: Home,
    _server: TestServer,
    _people: [Peer; 2],
}

impl Scene {
    /// Plays it in a terminal of that size, with these variables.
    pub(super) fn play(rows: u16, columns: u16, variables: &[(&str, &str)]) -> Self {
        let home = Home::new();
        let data = home.path().join("desk");
        let server = TestServer::with(|options| {
            options.name = "desk".into();
            options.data_dir = Some(data);
        });
        let people = ["bob", "carol"];
        let [mut bob, mut carol] = people.map(|name| Peer::join_with(server.address, name, &Key::new()));
        // The news of joins comes a moment later; it must not come while alice is there.
        bob.sees_join("carol");
        carol.send(json!({"type": "join", "room": "#builds"}));
        carol.wait_until(|packet| packet["type"] == "joined" && packet["room"] == "#builds");
        let link = server.link();
        let launch = Launch::lanchat(&["--no-discovery", "--name", "alice", &link]).size(rows, columns);
        let launch = variables.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
        let mut terminal = launch.start(&home);
        terminal.wait_for_last("[#lobby]");
        // Once it has caught up, and not before, it knows who is here.
        terminal.type_text("/whois car");
        until(|| {
            terminal.key(Press::Tab);
            terminal.wait_until("a screen", |_| true).contains("/whois carol").then_some(())
        });
        // Ctrl-U.
        terminal.type_text("\u{15}");
        let sees = |terminal: &Terminal, text: &str| {
            let dense = |text: &str| text.split_whitespace().collect::<String>();
            terminal.wait_until(text, |screen| dense(screen).contains(&dense(text)));
        };
        bob.say("all", TEXTS[0]);
        sees(&terminal, TEXTS[0]);
        terminal.enter(TEXTS[1]);
        sees(&terminal, &format!("<alice> {}", TEXTS[1]));
        bob.say("all", TEXTS[2]);
        sees(&terminal, TEXTS[2]);
        carol.say("#builds", TEXTS[3]);
        carol.settle();
        terminal.enter("/join #builds");
        sees(&terminal, TEXTS[3]);
        terminal.wait_for_last("[#builds]");
        bob.say("alice", TEXTS[4]);
        sees(&terminal, TEXTS[4]);
        terminal.enter(&format!("/msg bob {}", TEXTS[5]));
        sees(&terminal, &format!("] {}", TEXTS[5]));
        carol.say("#builds", TEXTS[6]);
        sees(&terminal, TEXTS[6]);
        terminal.type_text(DRAFT);
        terminal.wait_until("the draft", |screen| screen.ends_with(DRAFT));
        Self { terminal, _home: home, _server: server, _people: [bob, carol] }
    }

    pub(super) fn screen(&self) -> String {
        self.terminal.wait_until("the screen", |_| true)
    }

    /// The rows of the screen, without times and dates of their own.
    pub(super) fn rows(&self) -> Vec<Vec<Glyph>> {
        let mut rows = glyphs(&self.terminal.emulator());
        rows.iter_mut().for_each(fix);
        rows
    }
}

/// Replaces the time or the date in a row.
fn fix(row: &mut Vec<Glyph>) {
    let text: Vec<char> = row.iter().flat_map(|glyph| glyph.text.chars().next()).collect();
    let is_digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
    if text.get(2) == Some(&':') && [0, 1, 3, 4].into_iter().all(is_digit) {
        for (glyph, c) in row.iter_mut().zip(TIME.chars()) {
            glyph.text = c.to_string();
        }
    }
    let line: String = text.iter().collect();
    if line.contains('─') && WEEKDAYS.iter().any(|day| line.contains(day)) {
        let first = row[0].clone();
        *row =
            "── Friday 27 November ──".chars().map(|c| Glyph { text: c.into(), ..first.clone() }).collect();
    }
}
