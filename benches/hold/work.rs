//! Rows for what no packet asks for: connections that begin and end, timers, saving.

use super::measure::{Figure, Row, Times, timed};
use super::stage::{LONG, Speaker, Stage, archive, hello, records};
use lanchat::chat::{Asked, SessionId};
use lanchat::limits::{
    MAX_JOIN_BUCKETS, MAX_MEMBERSHIPS, MAX_ROOMS_PER_USER, NAMES_GATHERED, NAMES_ROUND, RECORDS_PORTION,
};
use lanchat::protocol::request::Ask;
use std::time::Duration;

fn held<T>(call: impl FnOnce() -> T) -> Times {
    Times { held: timed(call).0, read: Duration::ZERO }
}

/// The longest of many steps, which the hub does one after another.
fn longest(mut step: impl FnMut() -> bool) -> Times {
    let mut longest = Times::default();
    loop {
        let (held, goes_on) = timed(&mut step);
        longest.held = longest.held.max(held);
        if !goes_on {
            return longest;
        }
    }
}

pub fn rows() -> Vec<Row> {
    let mut rows = connections();
    rows.extend(timers());
    rows.extend(saving());
    rows
}

fn connections() -> Vec<Row> {
    vec![
        Row::new("connect", "a stranger", |stage: &mut Stage| {
            let mut id = SessionId(0);
            let times = held(|| id = stage.connect(Stage::peer(9_000_000, Some(99_999))));
            stage.hold.disconnect(id, &stage.now);
            times
        }),
        Row::new("connect", "after a thousand who came in", |stage: &mut Stage| {
            let waits = stage.connect(Stage::peer(9_000_000, None));
            for number in 0..1000 {
                let id = stage.come(Stage::peer(9_100_000 + number, None), &hello(LONG, None));
                stage.hold.disconnect(id, &stage.now);
            }
            stage.hold.disconnect(waits, &stage.now);
            held(|| stage.connect(Stage::peer(9_000_000, None)))
        }),
        Row::new("disconnect", "somebody in many rooms, by a long name", |stage: &mut Stage| {
            let id = stage.come(Stage::peer(7_000_000, Some(70_000)), &hello(&"字".repeat(32), None));
            for room in 0..MAX_ROOMS_PER_USER {
                stage.settle();
                stage.say(Speaker::Person(id.0), &format!(r##"{{"type":"join","room":"#room{room:04}"}}"##));
            }
            stage.settle();
            held(|| stage.hold.disconnect(id, &stage.now))
        }),
        Row::new("disconnect", "one of many sessions", |stage: &mut Stage| {
            let id = stage.come(Stage::peer(5_000_000, None), &hello(super::stage::MANY, Some("many")));
            stage.settle();
            held(|| stage.hold.disconnect(id, &stage.now))
        }),
        Row::new("frame", "garbage", |stage: &mut Stage| stage.say(Speaker::Plain, &"[".repeat(512))),
        Row::new("frame", "unknown", |stage: &mut Stage| {
            stage.say(Speaker::Plain, &format!(r#"{{"type":"{}"}}"#, "\\u0001".repeat(256)))
        }),
        Row::new("console", "users", |stage: &mut Stage| {
            let asked = stage.hold.ask(&Ask::Users { room: None, after: None }, &stage.now);
            let Ok(Asked::List(mut listing)) = asked else { panic!("{asked:?}") };
            longest(|| stage.hold.gather(&mut listing))
        }),
    ]
}

fn timers() -> Vec<Row> {
    vec![
        Row::new("tick", "200 who came, with long names", |stage: &mut Stage| {
            let ids: Vec<_> = (0..200)
                .map(|n| {
                    stage.come(
                        Stage::peer(9_200_000 + n, None),
                        &hello(&format!("{}{n}", "漢".repeat(28)), None),
                    )
                })
                .collect();
            stage.now.uptime += Duration::from_secs(2);
            let times = held(|| stage.hold.tick(&stage.now));
            ids.into_iter().for_each(|id| stage.hold.disconnect(id, &stage.now));
            times
        }),
        Row::new("tick", "comings in many rooms", |stage: &mut Stage| {
            let say = |stage: &mut Stage, kind: &str, person: u64| {
                let frame = format!(r##"{{"type":"{kind}","room":"#other{}"}}"##, person / 3);
                stage.say(Speaker::Person(person), &frame);
                stage.settle_turn();
            };
            (300..396).for_each(|person| say(stage, "join", person));
            stage.now.uptime += Duration::from_secs(2);
            let times = held(|| stage.hold.tick(&stage.now));
            (0..100).for_each(|_| stage.hold.tick(&stage.now));
            stage.settle();
            (300..396).for_each(|person| say(stage, "part", person));
            (0..100).for_each(|_| stage.hold.tick(&stage.now));
            times
        }),
        Row::new("late", "a handshake", |stage: &mut Stage| {
            stage.connect(Stage::peer(9_000_000, None));
            stage.now.uptime += Duration::from_secs(31);
            longest(|| stage.hold.late(&stage.now).is_some())
        }),
        Row::new("take turn", "a full one", |stage: &mut Stage| {
            for _ in 0..20 {
                stage.say(Speaker::Plain, r##"{"to":"#big","msg":"x","id":"1"}"##);
            }
            held(|| stage.hold.take_batch())
        }),
        Row::new("view", "in many rooms", |stage: &mut Stage| held(|| stage.hold.view(SessionId(0)))),
    ]
}

fn saving() -> Vec<Row> {
    vec![
        Row::new("tick", "names of a crowd that came and went", |stage: &mut Stage| {
            for number in 0..RECORDS_PORTION {
                let number = 1_010_000 + u64::try_from(number).expect("small");
                let hello = hello(&format!("away-from-here-{}", number - 1_000_000), None);
                let id = stage.come(Stage::peer(number, Some(number)), &hello);
                stage.hold.disconnect(id, &stage.now);
            }
            stage.settle_turn();
            stage.now.uptime += NAMES_GATHERED;
            held(|| stage.hold.tick(&stage.now))
        }),
        Row::new("tick", "a look at the names", |stage: &mut Stage| {
            stage.settle_turn();
            stage.now.uptime += NAMES_ROUND;
            held(|| stage.hold.tick(&stage.now))
        }),
    ]
}

/// The cost of a full table.
pub fn full_houses(filter: Option<&str>) -> Vec<Figure> {
    let is_wanted = |row: &Row| filter.is_none_or(|word| row.title().contains(word));
    let mut figures = Vec::new();
    for (label, owned) in [("members who are known", true), ("members who are forgotten", false)] {
        let row = Row::new("Join", format!("all memberships taken by {label}"), |stage: &mut Stage| {
            // Another user each time, as a member stays one.
            let number = stage.number();
            let late = hello(&format!("late{number}"), Some(&format!("late{number}")));
            let id = stage.come(Stage::peer(number, None), &late);
            stage.settle();
            let times = stage.say(Speaker::Person(id.0), r##"{"type":"join","room":"#room0001"}"##);
            stage.settle();
            stage.note_answer();
            stage.hold.disconnect(id, &stage.now);
            times
        });
        if is_wanted(&row) {
            let mut books = records();
            if !owned {
                books.names.clear();
            }
            let mut stage = Stage::with(books, archive(MAX_MEMBERSHIPS / MAX_ROOMS_PER_USER));
            figures.push(row.measure(&mut stage));
        }
    }
    let row = Row::new("Hello", "all places for paces taken", |stage: &mut Stage| {
        let next = stage.connect(Stage::peer(9_000_000, None));
        let number = next.0;
        let times = stage.first(next, &hello(&format!("flood{number}"), None));
        stage.hold.disconnect(next, &stage.now);
        times
    });
    if is_wanted(&row) {
        let mut stage = Stage::with(records(), archive(0));
        stage.stands_still = true;
        for number in 0..u64::try_from(MAX_JOIN_BUCKETS).expect("a number") {
            let id = stage.come(Stage::peer(number, None), &hello(&format!("early{number}"), None));
            stage.hold.disconnect(id, &stage.now);
            if number % 100 == 0 {
                stage.settle();
            }
        }
        figures.push(row.measure(&mut stage));
    }
    figures
}
