//! Points, over reconnections, restarts and runs.

use super::*;

const SERVER: &str = "3f9a1c77";

type Hello = (Option<Since>, Option<String>, Option<Vec<LogEnd>>);

fn seq(number: u64, log: Option<&str>, logs: &[(&str, u64)]) -> Hello {
    (Some(Since::Seq(number)), log.map(str::to_owned), log.map(|_| ends(logs)))
}

fn ends(logs: &[(&str, u64)]) -> Vec<LogEnd> {
    logs.iter().map(|(log, last)| LogEnd { log: (*log).into(), last: *last }).collect()
}

/// A welcome of a server that knows no parts of a history.
fn old(log: &str, latest: u64) -> Welcome {
    Welcome { log: Some(log.into()), seq: latest, ..Welcome::default() }
}

/// A welcome of one that does.
fn new(log: &str, latest: u64, since: u64, logs: &[(&str, u64)]) -> Welcome {
    Welcome { since: Some(since), logs: ends(logs), ..old(log, latest) }
}

fn at(log: &str, number: u64) -> HistoryPosition {
    let position = HistoryPosition::new(StartFrom::Newest, None);
    position.enter(SERVER, true);
    position.welcomed(&old(log, number), true);
    position.caught_up(number);
    position
}

#[test]
fn a_first_hello_asks_for_the_start_until_all_has_come_and_then_for_what_is_new() {
    let position = HistoryPosition::new(StartFrom::Newest, None);
    position.enter(SERVER, true);
    assert_eq!(position.hello(), seq(0, None, &[]));
    position.welcomed(&old("h1", 70), true);
    position.reach(60);
    // The link broke before it was told whether something is missing.
    assert_eq!(position.hello(), seq(0, None, &[]));
    position.welcomed(&old("h1", 70), true);
    assert_eq!(position.seq(), 60, "messages already shown are not shown again");
    position.caught_up(70);
    position.reach(50);
    assert_eq!(position.hello(), seq(70, Some("h1"), &[]));
}

#[test]
fn a_gap_is_still_to_be_told_when_the_link_breaks_before_its_end() {
    let position = at("a", 20);
    let back = Welcome { rewound: true, ..new("b", 30, 10, &[("a", 10)]) };
    assert_eq!(position.welcomed(&back, true), Resumption { resumed: true, rewound: true });
    assert_eq!(position.seq(), 10, "later messages are new");
    position.reach(25);
    assert_eq!(position.hello(), seq(20, Some("a"), &[]));
    position.welcomed(&back, true);
    assert_eq!(position.seq(), 25);
    position.caught_up(30);
    assert_eq!(position.hello(), seq(30, Some("b"), &[("a", 20)]));
}

#[test]
fn what_the_server_could_not_read_is_asked_for_again_however_much_has_come_live() {
    let position = at("a", 20);
    position.welcomed(&new("c", 60, 20, &[("b", 50), ("a", 40)]), true);
    position.reach(25);
    position.caught_up(25);
    position.reach(61);
    let rest = seq(25, Some("a"), &[]);
    assert_eq!(position.hello(), rest, "a has all of it, b has what never came");
    position.welcomed(&new("c", 61, 25, &[("b", 50), ("a", 40)]), true);
    assert_eq!(position.seq(), 25, "live messages come again, after the missing ones");
    position.caught_up(61);
    position.reach(62);
    assert_eq!(position.hello(), seq(62, Some("c"), &[("b", 50), ("a", 40)]));
}

#[test]
fn what_was_shown_on_one_server_hides_nothing_of_another() {
    let position = at("a", 20);
    position.welcomed(&new("x", 40, 20, &[("a", 20)]), true);
    position.reach(35);
    position.welcomed(&new("y", 40, 20, &[("a", 20)]), true);
    assert_eq!(position.seq(), 20);
}

#[test]
fn a_point_names_the_oldest_part_that_has_all_of_it() {
    let position = at("a", 20);
    position.welcomed(&new("c", 20, 20, &[("b", 20), ("a", 20)]), true);
    position.caught_up(20);
    assert_eq!(position.hello(), seq(20, Some("a"), &[]));
    position.reach(21);
    assert_eq!(position.hello(), seq(21, Some("c"), &[("b", 20), ("a", 20)]));
}

#[test]
fn what_was_had_of_another_branch_stays_known() {
    let position = at("a", 50);
    // Another server that went its own way at 30, and has said nothing since.
    position.welcomed(&Welcome { rewound: true, ..new("y", 30, 30, &[("a", 30)]) }, true);
    position.caught_up(30);
    assert_eq!(position.hello(), seq(30, Some("y"), &[("a", 50)]));
}

#[test]
fn another_history_counts_from_its_own_start() {
    let position = at("h1", 70);
    assert_eq!(position.welcomed(&old("h2", 3), true), Resumption::default());
    assert_eq!(position.seq(), 0);
    // Without a history, numbers start again with each run of the server.
    let none = |latest| Welcome { seq: latest, ..Welcome::default() };
    position.welcomed(&none(9), true);
    position.reach(9);
    position.welcomed(&none(2), true);
    assert_eq!(position.seq(), 0);
    assert_eq!(position.hello(), seq(70, Some("h1"), &[]), "and the point is kept for when there is one");
}

#[test]
fn an_older_server_that_is_behind_went_back() {
    let position = at("h1", 70);
    assert_eq!(position.welcomed(&old("h1", 69), true), Resumption { resumed: false, rewound: true });
    assert_eq!(position.seq(), 0);
    position.caught_up(69);
    assert_eq!(position.hello(), seq(69, Some("h1"), &[]));
}

#[test]
fn no_server_puts_the_mark_beyond_what_it_has() {
    let position = at("h1", 70);
    position.welcomed(&new("h2", 80, u64::MAX, &[]), true);
    assert_eq!(position.seq(), 80);
}

#[test]
fn who_wants_what_comes_from_now_on_comes_back_for_all_of_that() {
    let position = HistoryPosition::new(StartFrom::Now, None);
    assert_eq!(position.hello(), (None, None, None));
    position.welcomed(&old("h1", 70), false);
    assert_eq!(position.hello(), seq(70, Some("h1"), &[]));
    let time = HistoryPosition::new(StartFrom::Time("2026-11-22T00:00:00Z".into()), None);
    assert_eq!(time.hello().0, Some(Since::Time("2026-11-22T00:00:00Z".into())));
}

#[test]
fn the_next_run_goes_on_where_this_one_was_on_each_server() {
    let dir = tempfile::tempdir().unwrap();
    let open = || HistoryPosition::new(StartFrom::Newest, Some(dir.path().join("resume")));
    let position = open();
    position.enter(SERVER, true);
    position.welcomed(&new("h2", 70, 0, &[("h1", 60)]), true);
    position.caught_up(70);
    position.save();
    let next = open();
    next.enter(SERVER, true);
    assert_eq!(next.hello(), seq(70, Some("h2"), &[("h1", 60)]));
    next.enter(SERVER, false);
    assert_eq!(next.hello(), seq(0, None, &[]));
    next.enter("another", true);
    assert_eq!(next.hello(), seq(0, None, &[]));
    // Nothing is written that was not reached, nor while something is missing.
    next.welcomed(&old("h9", 5), true);
    next.reach(4);
    next.save();
    assert_eq!(std::fs::read_to_string(dir.path().join("resume")).unwrap().lines().count(), 1);
}
