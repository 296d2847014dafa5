//! Rows for every type of request, each with several arguments.

use super::kinds;
use super::measure::{Row, Times};
use super::stage::{LONG, MANY, NEARLY, Speaker, Stage, fingerprint, hello, log};
use Speaker::{Keyed, Operator, Person, Plain, Stranger};
use lanchat::limits::{MAX_LOGS, MAX_OFFERS_PER_USER};
use lanchat::protocol::request::{Act, ClientPacket};
use lanchat::protocol::{Request, Target, command};

/// A hello with as many points as count, in old starts of this server.
fn well_travelled() -> String {
    let end = |n: usize| format!(r#"{{"log":"{}","last":{n}}}"#, log(n as u64));
    let logs: Vec<String> = (1..=MAX_LOGS).map(end).collect();
    let logs = logs.join(",");
    format!(r#"{{"type":"hello","from":{{"name":"traveller"}},"since":9,"log":"none","logs":[{logs}]}}"#)
}

pub fn rows() -> Vec<Row> {
    [coming(), talk(), rooms(), questions(), moderation(), files(), rest()].into_iter().flatten().collect()
}

/// One frame.
fn row(label: &str, who: Speaker, frame: impl Into<String>) -> Row {
    around(label, &[], who, frame, &[])
}

/// One frame, with what makes it possible before, and what takes it back.
fn around(
    label: &str,
    before: &[(Speaker, String)],
    who: Speaker,
    frame: impl Into<String>,
    after: &[(Speaker, String)],
) -> Row {
    let (frame, before, after) = (frame.into(), before.to_vec(), after.to_vec());
    Row::new(kind(&frame), label, move |stage: &mut Stage| {
        act(stage, &before);
        let times: Times = stage.say(who, &frame);
        stage.settle();
        stage.note_answer();
        act(stage, &after);
        times
    })
}

fn act(stage: &mut Stage, steps: &[(Speaker, String)]) {
    for (who, frame) in steps {
        stage.say(*who, frame);
        stage.settle();
    }
}

/// The request in the frame, in words or not.
fn kind(frame: &str) -> &'static str {
    let packet = ClientPacket::parse(frame.as_bytes()).expect("a packet");
    match Request::from_packet(&packet).expect("a request") {
        Request::Act(Act::Chat { to: Target::Server, msg, .. }) => {
            match command::read_line(&msg, command::Place::Wire).expect("a command") {
                command::Line::Command(command::Action::Request(request)) => kinds::of(&request),
                command::Line::Command(command::Action::Help(_)) => "Help",
                other => panic!("{other:?}"),
            }
        }
        request => kinds::of(&request),
    }
}

fn nick(name: &str) -> String {
    format!(r#"{{"type":"nick","name":"{name}"}}"#)
}

fn chat(to: &str, msg: &str) -> String {
    format!(r#"{{"to":"{to}","msg":"{msg}","id":"1"}}"#)
}

fn words(line: &str) -> String {
    format!(r#"{{"to":"server","msg":"{line}"}}"#)
}

fn asked(kind: &str, member: &str, value: &str) -> String {
    format!(r#"{{"type":"{kind}","{member}":"{value}"}}"#)
}

/// As long as a word may be, of what is costly to fold.
fn long_word() -> String {
    "\u{1e9e}\u{3b0}".repeat(50)
}

fn coming() -> Vec<Row> {
    let many_marks = "e\u{301}\u{323}".repeat(10);
    vec![
        row("a taken name with taken alternatives", Stranger(None), hello(LONG, None)),
        row("a key, to a taken name", Stranger(Some(77_777)), hello(LONG, None)),
        row("a name of 32 letters", Stranger(None), hello(&"漢".repeat(32), Some("x"))),
        row("a name of marks", Stranger(Some(77_778)), hello(&many_marks, Some("x"))),
        row("no name", Stranger(None), hello(&long_word(), Some("x"))),
        row("a key whose name is new", Stranger(Some(88_888)), hello("newcomer", None)),
        row("somebody in many rooms", Stranger(None), hello("plain", Some("token0"))),
        row("a key with points in many histories", Stranger(Some(99_999)), well_travelled()),
        row("again", Plain, hello(LONG, None)),
        row(
            "a first packet that says something",
            Stranger(None),
            format!(r##"{{"from":{{"name":"{}"}},"to":"#big","msg":"x","id":"1"}}"##, "語".repeat(30)),
        ),
        around("a taken name with taken alternatives", &[], Plain, nick(LONG), &[]),
        around("a new name and back", &[], Keyed, nick(&"漢".repeat(32)), &[(Keyed, nick("keyed"))]),
        around("a name of marks", &[], Plain, nick(&many_marks), &[(Plain, nick("plain"))]),
        row("one's own name", Plain, nick("plain")),
        row("no name", Plain, nick(&long_word())),
        row("in words", Plain, words(&format!("/nick {LONG}"))),
    ]
}

fn talk() -> Vec<Row> {
    let long = "x".repeat(10_000);
    vec![
        row("to the lobby, as long as can be", Plain, chat("all", &long)),
        row("to the lobby by a long name", Person(50), chat("all", "x")),
        row("to a room of 600", Plain, chat("#big", "x")),
        row("to a room of 600, as long as can be", Plain, chat("#big", &long)),
        row("to an address of many", Plain, chat("10.9.9.9", "x")),
        row("to an address of nobody", Plain, chat("10.200.0.1", "x")),
        row("to somebody", Plain, chat("user400", "x")),
        row("to somebody with many sessions", Plain, chat(MANY, "x")),
        row("to somebody by a long name", Plain, chat(LONG, "x")),
        row("to nobody", Plain, chat(&format!("{NEARLY}zz"), "x")),
        row("to nobody among long names", Plain, chat(&format!("{LONG}-x"), "x")),
        row("to a long word", Plain, chat(&long_word(), "x")),
        row("to no room", Plain, chat("#room0x", "x")),
        row("to a long room", Plain, chat(&format!("#{}", "漢".repeat(31)), "x")),
        row("to a key that is away", Plain, chat("away-from-here-4000", "x")),
        row("a new text", Keyed, r#"{"type":"edit","seq":1,"msg":"x","id":"1"}"#),
        row("a message", Keyed, r#"{"type":"delete","seq":1,"id":"1"}"#),
        around(
            "why",
            &[],
            Keyed,
            r#"{"type":"away","msg":"lunch"}"#,
            &[(Keyed, r#"{"type":"back"}"#.into())],
        ),
        row("again", Keyed, r#"{"type":"back"}"#),
        row("up to a message of somebody", Keyed, r#"{"type":"read","name":"user400","seq":1}"#),
        row(
            "up to a message of a long word",
            Keyed,
            format!(r#"{{"type":"read","name":"{}","seq":1}}"#, long_word()),
        ),
        row(
            "up to a message in a long room",
            Keyed,
            format!(r##"{{"type":"read","room":"#{}","seq":1}}"##, "漢".repeat(31)),
        ),
        row("an alert", Operator, r#"{"type":"alert","msg":"x","id":"1"}"#),
        row("an alert by nobody", Plain, r#"{"type":"alert","msg":"x"}"#),
    ]
}

fn rooms() -> Vec<Row> {
    let join = |room: &str| asked("join", "room", room);
    let part = |room: &str| asked("part", "room", room);
    let topic = "t".repeat(300);
    vec![
        around("a new room", &[], Plain, join("#new"), &[(Plain, part("#new"))]),
        around("a room of 600", &[(Plain, part("#big"))], Plain, join("#big"), &[]),
        row("a room that one is in", Plain, join("#big")),
        row("one room too many", Operator, join(&format!("#{}", "漢".repeat(31)))),
        around("a room of 600", &[], Plain, part("#big"), &[(Plain, join("#big"))]),
        around("the last of a room", &[(Plain, join("#new"))], Plain, part("#new"), &[]),
        row("no room", Plain, part("#room0x")),
        row("a long room", Plain, part(&format!("#{}", "漢".repeat(31)))),
        row("of a room of 600", Plain, format!(r##"{{"type":"topic","room":"#big","topic":"{topic}"}}"##)),
        row("of the lobby", Operator, format!(r##"{{"type":"topic","room":"#lobby","topic":"{topic}"}}"##)),
        row("of no room", Plain, asked("topic", "room", "#room0x")),
        row("the first page", Plain, r#"{"type":"rooms"}"#),
        row("a page in the middle", Plain, asked("rooms", "after", "#room2000")),
        row("after a long word", Plain, asked("rooms", "after", &long_word())),
        row("in words", Plain, words("/rooms")),
    ]
}

fn questions() -> Vec<Row> {
    vec![
        row("the first page", Plain, r#"{"type":"users"}"#),
        row("after a long name", Plain, asked("users", "after", LONG)),
        row("after a long word", Plain, asked("users", "after", &long_word())),
        row("of a room of 600", Plain, asked("users", "room", "#big")),
        row("of no room", Plain, asked("users", "room", "#room0x")),
        row("in words", Plain, words("/users")),
        row("somebody", Plain, asked("whois", "name", LONG)),
        row("somebody with many sessions", Plain, asked("whois", "name", MANY)),
        row("nobody", Plain, asked("whois", "name", &format!("{NEARLY}zz"))),
        row("a long word", Plain, asked("whois", "name", &long_word())),
        row("the time", Plain, r#"{"type":"time"}"#),
        row("the lobby", Plain, r#"{"type":"history"}"#),
        row("of no room", Plain, asked("history", "room", "#room0x")),
        row("with somebody", Plain, asked("history", "name", "user400")),
        row("with nobody", Plain, asked("history", "name", &format!("{NEARLY}zz"))),
        row("everywhere", Plain, format!(r#"{{"type":"search","msg":"{}"}}"#, "a* b* ".repeat(40))),
        row("of no room", Plain, r##"{"type":"search","msg":"x","room":"#room0x"}"##),
        row("by a long word", Plain, format!(r#"{{"type":"search","msg":"x","name":"{}"}}"#, long_word())),
        row("all", Plain, r#"{"type":"received","seq":999999}"#),
        row("a ping", Plain, r#"{"type":"ping"}"#),
        row("a ping before a hello", Stranger(None), r#"{"type":"ping"}"#),
        row("a test of multicast", Plain, r#"{"type":"multicast","token":"0123456789abcdef"}"#),
        row(
            "a test of multicast before a hello",
            Stranger(None),
            r#"{"type":"multicast","token":"0123456789abcdef"}"#,
        ),
        row("all commands", Plain, r#"{"type":"help"}"#),
        row("all commands of an operator", Operator, words("/help")),
        row("of no command", Plain, asked("help", "name", &long_word())),
    ]
}

fn moderation() -> Vec<Row> {
    let key = format!("key:{}", fingerprint(4_000_000));
    let undo = |kind: &str, who: &str| (Operator, asked(kind, "name", who));
    let nobody = format!("{NEARLY}zz");
    let mut rows = vec![
        row("who is banned", Operator, r#"{"type":"bans"}"#),
        row("by nobody", Plain, r#"{"type":"bans"}"#),
        row("the numbers", Operator, r#"{"type":"status"}"#),
        row("a ticket", Operator, r#"{"type":"ticket"}"#),
        row("by a code", Keyed, asked("op", "name", "1234-5678")),
        around("somebody", &[], Operator, asked("op", "name", "Ivan200"), &[undo("deop", "Ivan200")]),
        row("nobody", Operator, asked("op", "name", &nobody)),
        row("by a token", Keyed, asked("op", "token", &"x".repeat(64))),
        row("nobody", Operator, asked("deop", "name", &nobody)),
        row("a long word", Operator, asked("deop", "name", &long_word())),
        row("an operator who is away", Operator, asked("deop", "name", "operator999")),
        row("nobody", Operator, asked("kick", "name", &nobody)),
        row("operators", Operator, r#"{"type":"operators"}"#),
        row(
            "members in the middle",
            Operator,
            asked("members", "after", &fingerprint(3_020_000).to_string()),
        ),
        row("owners of names that are nearly the same", Operator, asked("owners", "after", NEARLY)),
        row("owners after a long word", Operator, asked("owners", "after", &long_word())),
        row("by nobody", Plain, r#"{"type":"members"}"#),
        around(
            "a key that is away",
            &[],
            Operator,
            asked("admit", "name", "away-from-here-4002"),
            &[undo("dismiss", "away-from-here-4002")],
        ),
        around(
            "a key that is away",
            &[(Operator, asked("admit", "name", "away-from-here-4002"))],
            Operator,
            asked("dismiss", "name", "away-from-here-4002"),
            &[],
        ),
        row("nobody", Operator, asked("admit", "name", &nobody)),
        row("a long word", Operator, asked("dismiss", "name", &long_word())),
        row("nobody", Operator, asked("release", "name", &nobody)),
        row("a long word", Operator, asked("release", "name", &long_word())),
        row("one of many", Operator, asked("release", "name", "away-from-here-4003")),
        row("somebody who is away", Plain, asked("whois", "name", "away-from-here-4004")),
        around(
            "somebody who is away",
            &[],
            Operator,
            asked("op", "name", "away-from-here-4005"),
            &[undo("deop", "away-from-here-4005")],
        ),
    ];
    for (kind, back) in [("mute", "unmute"), ("ban", "unban")] {
        for (label, who) in [
            ("a network", "ip:10.77.0.0/16"),
            ("a long name", "ip:172.16.0.0/14"),
            ("somebody who is away", "away-from-here-4001"),
            ("a key again", &key),
        ] {
            rows.push(around(label, &[], Operator, asked(kind, "name", who), &[undo(back, who)]));
            rows.push(around(label, &[undo(kind, who)], Operator, asked(back, "name", who), &[]));
        }
        rows.push(row("nobody", Operator, asked(kind, "name", &nobody)));
        rows.push(row("nobody", Operator, asked(back, "name", &nobody)));
        rows.push(row("by nobody", Plain, asked(kind, "name", LONG)));
        rows.push(row("a long word", Operator, asked(back, "name", &long_word())));
    }
    rows
}

/// As many offers to a room of 600 as one user may have open.
fn offer_often(stage: &mut Stage, who: Speaker) {
    for _ in 0..MAX_OFFERS_PER_USER {
        stage.offer(who, "#big");
        stage.settle();
    }
}

fn files() -> Vec<Row> {
    let about = |kind: &str, offer: u64| format!(r#"{{"type":"{kind}","offer":{offer},"id":"1"}}"#);
    let offer = |label: &str, to: &'static str| {
        Row::new("Offer", label, move |stage: &mut Stage| {
            let times = stage.offer(Plain, to);
            stage.settle();
            stage.note_answer();
            stage.say(Plain, &about("cancel", stage.offer));
            stage.settle();
            times
        })
    };
    let answer = |kind: &'static str, request: &'static str, label: &str, to: &'static str, who: Speaker| {
        Row::new(kind, label, move |stage: &mut Stage| {
            stage.offer(Plain, to);
            stage.settle();
            let times = stage.say(who, &about(request, stage.offer));
            stage.settle();
            stage.note_answer();
            if request != "cancel" {
                stage.say(Plain, &about("cancel", stage.offer));
                stage.settle();
            }
            times
        })
    };
    let token = "0".repeat(32);
    vec![
        row("too late", Plain, format!(r#"{{"type":"hello","mode":"file","token":"{token}"}}"#)),
        offer("to the lobby", "all"),
        offer("to a room of 600", "#big"),
        offer("to somebody with many sessions", MANY),
        row(
            "to nobody among long names",
            Plain,
            format!(r#"{{"type":"offer","to":"{LONG}-x","file":{{"name":"x","id":"c"}},"id":"1"}}"#),
        ),
        Row::new("Hello", "while many offers are open", |stage: &mut Stage| {
            offer_often(stage, Plain);
            let times = stage.say(Stranger(None), &hello("latecomer", None));
            stage.settle();
            (0..MAX_OFFERS_PER_USER as u64).for_each(|back| {
                stage.say(Plain, &format!(r#"{{"type":"cancel","offer":{}}}"#, stage.offer - back));
                stage.settle();
            });
            times
        }),
        Row::new("Quit", "with as many offers as one may have", |stage: &mut Stage| {
            let id = stage.come(Stage::peer(6_000_001, None), &hello("giver", None));
            stage.settle();
            offer_often(stage, Person(id.0));
            stage.say(Person(id.0), r#"{"type":"quit"}"#)
        }),
        answer("Accept", "accept", "of the lobby", "all", Person(400)),
        answer("Decline", "decline", "of the lobby", "all", Person(400)),
        answer("Decline", "decline", "of somebody", "user400", Person(400)),
        answer("Cancel", "cancel", "an offer to a room", "#big", Plain),
        answer("Cancel", "cancel", "an offer to the lobby", "all", Plain),
    ]
}

fn rest() -> Vec<Row> {
    vec![
        row("unasked", Plain, format!(r#"{{"type":"pake","pake":"{0}","mac":"{0}"}}"#, "x".repeat(256))),
        row("unasked, before a hello", Stranger(None), r#"{"type":"pake"}"#),
        Row::new("Quit", "in many rooms", |stage: &mut Stage| {
            let id = stage.come(Stage::peer(0, None), &hello("plain", Some("token0")));
            stage.settle();
            stage.say(Person(id.0), r#"{"type":"quit"}"#)
        }),
        Row::new("Kick", "somebody", |stage: &mut Stage| {
            stage.come(Stage::peer(6_000_000, None), &hello("victim", None));
            stage.settle();
            stage.say(Operator, r#"{"type":"kick","name":"victim"}"#)
        }),
        Row::new("Kick", "somebody with 200 sessions", |stage: &mut Stage| {
            for _ in 0..200 {
                stage.come(Stage::peer(6_000_000, None), &hello("victim", Some("victim")));
                stage.settle();
            }
            stage.say(Operator, r#"{"type":"kick","name":"victim"}"#)
        }),
        Row::new("Ban", "200 people at once", |stage: &mut Stage| {
            for number in 0..200 {
                stage.come(Stage::peer(0xC8_0000 + number, None), &hello(&format!("guest{number}"), None));
                stage.settle();
            }
            let times = stage.say(Operator, r#"{"type":"ban","name":"ip:10.200.0.0/16"}"#);
            stage.settle();
            stage.say(Operator, r#"{"type":"unban","name":"ip:10.200.0.0/16"}"#);
            times
        }),
        Row::new("Mute", "somebody with 64 addresses", |stage: &mut Stage| {
            let mut ids = Vec::new();
            for number in 0..64 {
                ids.push(stage.come(Stage::peer(0xC9_0000 + number, None), &hello("nomad", Some("nomad"))));
                stage.settle();
            }
            let times = stage.say(Operator, r#"{"type":"mute","name":"nomad"}"#);
            stage.settle();
            stage.say(Operator, r#"{"type":"unmute","name":"nomad"}"#);
            ids.into_iter().for_each(|id| stage.hold.disconnect(id, &stage.now));
            times
        }),
    ]
}
