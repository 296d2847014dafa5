//! Messages that were dated by a wrong clock have the right date once it is right, and go when it says so.

use super::retention::{aged, prune_all};
use super::*;
use crate::clock::Clock;
use crate::store::{Export, ExportFilter};
use std::sync::Arc;
use std::time::Duration;

const DAY: i64 = 86_400_000;
const YEAR: i64 = 365 * DAY;

/// A server's store with a clock that the test sets.
struct Timed {
    place: Place,
    store: Store,
    clock: Arc<Clock>,
    /// The true time, how far the clock is off, and when the server started, in milliseconds.
    now: i64,
    off: i64,
    started: i64,
    seq: u64,
}

impl Timed {
    fn new(off: i64) -> Self {
        Self::open(Place::new(), NOON, off, 0)
    }

    fn open(place: Place, now: i64, off: i64, seq: u64) -> Self {
        let clock = Arc::new(Clock::held(instant(now + off), Duration::ZERO));
        let (store, archive) =
            Store::open_by(&place.path(), Retention::default(), Arc::clone(&clock)).unwrap();
        Self { place, store, clock, now, off, started: now, seq: seq.max(archive.seq) }
    }

    /// Stops, is off for so long, and starts with a clock that is off by so much.
    async fn restart(self, away: i64, off: i64) -> Self {
        self.store.close().await;
        Self::open(self.place, self.now + away, off, self.seq)
    }

    fn hold(&self) {
        let uptime = Duration::from_millis((self.now - self.started).unsigned_abs());
        self.clock.hold(instant(self.now + self.off), uptime);
    }

    /// The clock is set to be off by so much.
    fn set(&mut self, off: i64) {
        self.off = off;
        self.hold();
    }

    /// Says something a second later; returns when that is.
    async fn say(&mut self, text: &str) -> i64 {
        self.now += 1000;
        self.hold();
        self.seq += 1;
        commit(&self.store, [Message { at: instant(self.now + self.off), ..said(self.seq, 1, text) }]).await;
        self.now
    }

    /// The messages and their dates, once all dates are corrected.
    async fn dates(&self) -> Vec<(String, i64)> {
        let start = std::time::Instant::now();
        loop {
            let connection = rusqlite::Connection::open(self.place.path()).unwrap();
            let sql = "SELECT count(*) FROM doubtful WHERE later IS NOT NULL OR found IS NOT NULL";
            let left: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
            if left == 0 {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{left} episodes are left");
            tokio::task::yield_now().await;
        }
        let export = Export::open(&self.place.path(), ExportFilter::default()).unwrap();
        export.map(Result::unwrap).map(|message| (message.text, message.at.as_millisecond())).collect()
    }
}

fn instant(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap()
}

fn all(said: &[(&str, i64)]) -> Vec<(String, i64)> {
    said.iter().map(|(text, at)| ((*text).to_owned(), *at)).collect()
}

#[tokio::test]
async fn what_was_said_while_the_clock_stood_at_1970_has_the_right_date_once_it_is_set() {
    let mut timed = Timed::new(60_000 - NOON);
    let one = timed.say("before the network came").await;
    let mail = whispered(timed.seq + 1, 2, 3, true);
    timed.seq += 1;
    commit(&timed.store, [Message { at: instant(timed.now + timed.off), ..mail }]).await;
    timed.set(0);
    let two = timed.say("after it").await;
    let mail = (format!("psst {}", timed.seq - 1), one);
    let [first, second] = [("before the network came".to_owned(), one), ("after it".to_owned(), two)];
    assert_eq!(timed.dates().await, [first, mail, second]);
    assert_eq!(prune_all(&timed.place, aged(60), instant(timed.now)), 0);
}

#[tokio::test]
async fn a_clock_that_is_wrong_for_a_minute_leaves_no_wrong_date() {
    for off in [-YEAR, -DAY, DAY, 91 * DAY, YEAR] {
        let mut timed = Timed::new(0);
        let one = timed.say("one").await;
        timed.set(off);
        let two = timed.say("two").await;
        let three = timed.say("three").await;
        timed.set(2 * off);
        let four = timed.say("four").await;
        timed.set(0);
        let five = timed.say("five").await;
        let all = all(&[("one", one), ("two", two), ("three", three), ("four", four), ("five", five)]);
        assert_eq!(timed.dates().await, all, "{off}");
    }
}

#[tokio::test]
async fn what_was_taken_before_the_clock_was_set_and_stored_after_has_the_right_date() {
    let mut timed = Timed::new(0);
    timed.set(YEAR);
    timed.say("wrong").await;
    let taken = Message { at: instant(timed.now + YEAR), ..said(timed.seq + 1, 1, "on its way") };
    let wrong = timed.now;
    timed.seq += 1;
    timed.set(0);
    commit(&timed.store, [taken]).await;
    assert_eq!(timed.dates().await, all(&[("wrong", wrong), ("on its way", wrong)]));
}

#[tokio::test]
async fn after_a_start_in_between_what_cannot_be_true_is_of_when_the_clock_was_found_right() {
    for off in [60_000 - NOON, YEAR] {
        let mut timed = Timed::new(0);
        let one = timed.say("one").await;
        let mut timed = timed.restart(5000, off).await;
        timed.say("two").await;
        let mut timed = timed.restart(5000, 0).await;
        let found = timed.now;
        let three = timed.say("three").await;
        assert_eq!(timed.dates().await, all(&[("one", one), ("two", found), ("three", three)]), "{off}");
    }
}

#[tokio::test]
async fn a_server_that_was_off_for_months_keeps_the_dates_of_what_is_said_then() {
    let mut timed = Timed::new(0);
    let one = timed.say("one").await;
    let mut timed = timed.restart(60 * DAY, 0).await;
    let two = timed.say("two").await;
    let mut timed = timed.restart(5000, 0).await;
    let three = timed.say("three").await;
    assert_eq!(timed.dates().await, all(&[("one", one), ("two", two), ("three", three)]));
}

#[tokio::test]
async fn many_messages_are_dated_a_portion_at_a_time_and_over_a_start() {
    let mut timed = Timed::new(0);
    timed.set(YEAR);
    timed.say("first").await;
    let (at, from) = (timed.now, timed.seq + 1);
    let many = (from..from + 1500).map(|seq| Message { at: instant(at + YEAR), ..said(seq, 1, "x") });
    commit(&timed.store, many).await;
    timed.seq += 1500;
    timed.set(0);
    timed.say("last").await;
    let timed = timed.restart(0, 0).await;
    let dates = timed.dates().await;
    assert_eq!(dates.len(), 1502);
    assert!(dates[..1501].iter().all(|(_, date)| *date == at));
}

#[tokio::test]
async fn a_message_dated_ahead_keeps_no_other_from_going() {
    let place = Place::new();
    let (store, _) = place.open();
    let ahead = Message { at: instant(NOON + YEAR), ..said(1, 1, "from next year") };
    commit(&store, [ahead]).await;
    commit(&store, (2..=10).map(|seq| said(seq, 1, "old"))).await;
    commit(&store, [said(100, 1, "new")]).await;
    store.close().await;
    prune_all(&place, aged(50), at(120));
    let (store, _) = place.open();
    let page = store.page(span(view(1), 0, 100), 99, usize::MAX).await.unwrap();
    assert_eq!(numbers(&page.messages), [1, 100]);
    for (since, gap) in [(9, true), (10, false)] {
        assert_eq!(store.begin(view(1), crate::store::ResumeFrom::Seq(since), 100).await.unwrap().gap, gap);
    }
    store.close().await;
}

#[tokio::test]
async fn what_has_no_right_date_yet_is_not_too_old() {
    let mut timed = Timed::new(60_000 - NOON);
    timed.say("at 1970").await;
    assert_eq!(prune_all(&timed.place, aged(60), instant(NOON)), 0);
    assert_eq!(timed.dates().await.len(), 1);
}

#[tokio::test]
async fn who_has_all_up_to_a_time_misses_nothing_that_came_when_the_clock_was_set_back() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=20).map(|seq| said(seq, 1, "first hour"))).await;
    // The same hour again.
    commit(&store, (21..=40).map(|seq| Message { at: at(seq - 20), ..said(seq, 1, "again") })).await;
    let ahead = Message {
        at: Timestamp::now().checked_add(Duration::from_secs(864_000)).unwrap(),
        ..said(41, 1, "x")
    };
    commit(&store, [ahead, said(42, 1, "now")]).await;
    let begin = |second| store.begin(view(1), crate::store::ResumeFrom::Time(at(second)), 100);
    assert_eq!(begin(15).await.unwrap().after, 14);
    assert_eq!(begin(41).await.unwrap().after, 41);
    assert_eq!(begin(50).await.unwrap().after, 42);
    store.close().await;
}
