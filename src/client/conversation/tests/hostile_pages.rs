//! Servers that page badly.

use super::*;

fn users(names: &[&str], next: &str) -> Event {
    let users = names.iter().map(|name| UserInfo { name: (*name).into(), ..UserInfo::default() }).collect();
    Event::Users { room: None, users, total: 9, next: Some(next.into()) }
}

fn rooms(names: &[&str], next: &str) -> Event {
    let rooms = names.iter().map(|name| info(name, false)).collect();
    Event::Rooms { rooms, total: 9, next: Some(next.into()) }
}

#[test]
fn a_list_whose_next_page_stays_the_same_ends_with_one_line() {
    let mut talk = Talk::new();
    for (line, page) in [("/users", users(&["bob"], "bob")), ("/rooms", rooms(&["#dev"], "#dev"))] {
        talk.line(line);
        let id = talk.sent().id;
        assert_eq!(talk.event(page.clone(), id.as_deref()), "", "{line}: it may go on");
        let id = talk.sent().id;
        let told = talk.event(page, id.as_deref());
        assert!(told.ends_with("the server repeats itself instead of sending the rest"), "{told}");
        talk.nothing_sent();
    }
}

#[test]
fn an_empty_page_ends_a_list_and_the_roster() {
    let mut talk = Talk::new();
    let id = talk.roster_id.take();
    assert_eq!(talk.event(users(&[], "bob"), id.as_deref()), "");
    talk.nothing_sent();
    talk.line("/users");
    let id = talk.sent().id;
    assert!(talk.event(users(&[], "bob"), id.as_deref()).contains("the server repeats itself"));
    talk.nothing_sent();
}

#[test]
fn older_messages_that_are_not_older_are_not_asked_for_again() {
    for line in ["/history 5", "/search tea"] {
        let mut talk = Talk::new();
        talk.line(line);
        let id = talk.sent().id;
        let more = || Event::History(HistoryEnd { seq: 8, count: 1, more: true, ..HistoryEnd::default() });
        talk.missed(8, "bob", "all", "tea", id.as_deref());
        assert!(talk.event(more(), id.as_deref()).ends_with("shows older ones"));
        talk.line("/more");
        let ask = talk.sent();
        assert_eq!(ask.before, Some(8));
        talk.missed(8, "bob", "all", "tea", ask.id.as_deref());
        let told = talk.event(more(), ask.id.as_deref());
        assert!(told.contains("the server says that there are older messages, but sends none"), "{told}");
        assert!(talk.line("/more").contains("there is no further page"), "{line}");
    }
}
