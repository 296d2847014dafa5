//! Lists that are longer than a page, and how large an answer is thought to be.

use super::*;
use crate::limits::{LIST_PORTION, USERS_PAGE_BYTES, USERS_PER_PAGE};
use serde_json::json;

impl House {
    /// Asks for all pages of the users of a room; every page is checked, and the names are returned by page.
    fn users(&mut self, id: u64, room: &str) -> Vec<Vec<String>> {
        let (mut pages, mut after) = (Vec::new(), None::<String>);
        loop {
            self.inboxes.clear();
            self.ask(id, json!({"type": "users", "room": room, "after": after}));
            let page = self.take(id, "users").pop().expect("a page");
            let users = page.users.expect("users");
            let bytes = serde_json::to_vec(&users).expect("JSON").len();
            assert!(users.len() <= USERS_PER_PAGE && bytes <= USERS_PAGE_BYTES, "{} users", users.len());
            pages.push(users.into_iter().map(|user| user.name).collect::<Vec<_>>());
            match page.next {
                Some(next) => {
                    assert_eq!(pages.last().and_then(|page| page.last()), Some(&next));
                    after = Some(next);
                }
                None => return pages,
            }
        }
    }

    /// The answers to a request, as the server gets them.
    fn answers(&mut self, id: u64, request: serde_json::Value) -> Vec<Answer> {
        let packet = ClientPacket::parse(request.to_string().as_bytes()).expect("JSON");
        let parsed = Parsed::new(Box::new(packet), !self.is_in(id));
        let mut out = Vec::new();
        self.chat.receive(SessionId(id), parsed, &self.now, &mut out);
        while self.chat.has_more() {
            self.chat.proceed(&self.now, &mut out);
        }
        out.into_iter()
            .filter_map(|delivery| match delivery {
                Delivery::Answer(answer) => Some(*answer),
                _ => None,
            })
            .collect()
    }
}

fn sizes(pages: &[Vec<String>]) -> Vec<usize> {
    pages.iter().map(Vec::len).collect()
}

#[test]
fn every_user_is_on_one_page_and_the_last_page_has_no_next() {
    let mut house = House::new();
    let mut expected = Vec::new();
    for (count, pages) in [
        (1, vec![1]),
        (LIST_PORTION, vec![LIST_PORTION]),
        (USERS_PER_PAGE, vec![USERS_PER_PAGE]),
        (USERS_PER_PAGE + 1, vec![USERS_PER_PAGE, 1]),
        (2 * USERS_PER_PAGE + 1, vec![USERS_PER_PAGE, USERS_PER_PAGE, 1]),
    ] {
        for n in expected.len()..count {
            house.join(n as u64, &format!("u{n:04}"));
            expected.push(format!("u{n:04}"));
        }
        let found = house.users(0, "#lobby");
        assert_eq!(sizes(&found), pages);
        assert_eq!(found.concat(), expected);
    }
}

#[test]
fn a_page_of_long_names_ends_where_its_bytes_end_and_nobody_is_lost() {
    let mut house = House::new();
    let name = |n: u64| format!("{n:03}{}", "é".repeat(28));
    for n in 0..400 {
        house.join(n, &name(n));
    }
    let found = house.users(0, "#lobby");
    assert!(found.len() > 1 && found[0].len() > 100, "{:?}", sizes(&found));
    assert_eq!(found.concat(), (0..400).map(name).collect::<Vec<_>>());
}

#[test]
fn users_who_only_watch_are_on_no_page_and_hide_nobody_behind_them() {
    let mut house = House::new();
    house.join(1, "alice");
    house.join(2, "zoe");
    for n in 0..5 * LIST_PORTION as u64 {
        house.connect(100 + n);
        let name = format!("m{n:03}");
        house.ask(100 + n, json!({"type": "hello", "from": {"name": name}, "token": name, "mode": "tail"}));
        assert!(house.is_in(100 + n));
    }
    assert_eq!(house.users(1, "#lobby"), [["alice", "zoe"]]);
}

#[test]
fn users_of_a_room_come_in_pages_too() {
    let mut house = House::new();
    let count = USERS_PER_PAGE as u64 + 2;
    for n in 0..count {
        house.join(n, &format!("u{n:04}"));
        house.enter(n, "#room");
    }
    house.join(count, "elsewhere");
    let found = house.users(0, "#room");
    assert_eq!(sizes(&found), [USERS_PER_PAGE, 2]);
    assert_eq!(found.concat(), (0..count).map(|n| format!("u{n:04}")).collect::<Vec<_>>());
}

/// The server makes room for an answer before it writes it.
#[test]
fn an_answer_has_no_more_bytes_than_are_reckoned_with_and_not_many_fewer() {
    let mut house = House::with_operator();
    house.chat.profile.motd = "a line that is broken\n".repeat(100);
    let mut answers = Vec::new();
    for n in 1000..1200 {
        let name = format!("{n:03}{}", "é".repeat(28));
        house.connect(n);
        answers.extend(house.answers(n, json!({"type": "hello", "from": {"name": name}, "token": name})));
        house.enter(n, &format!("#room{}", n % 5));
    }
    house.ask(1000, json!({"type": "topic", "room": "#room0", "msg": "\\".repeat(100)}));
    for number in 1..40 {
        let name = format!("{number:03}{}", "語".repeat(28));
        house.join_key(number.into(), &name, number);
        house.console(&format!("/op {name}")).expect("done");
        house.console(&format!("/admit {name}")).expect("done");
    }
    for request in [
        json!({"type": "operators"}),
        json!({"type": "members"}),
        json!({"type": "owners"}),
        json!({"type": "users"}),
        json!({"type": "rooms"}),
        json!({"type": "bans"}),
        json!({"type": "ping"}),
        json!({"type": "time"}),
        json!({"type": "join", "room": "#room0"}),
    ] {
        answers.extend(house.answers(99, request));
    }
    assert!(answers.len() >= 200, "{}", answers.len());
    for answer in answers {
        let reckoned = answer.bytes();
        let frame = answer.into_packet().to_frame();
        let (bytes, frame) = (frame.len(), String::from_utf8_lossy(&frame).into_owned());
        assert!(bytes <= reckoned, "{reckoned} of {bytes}: {frame}");
        assert!(reckoned <= 3 * bytes + 1024, "{reckoned} of {bytes}: {frame}");
    }
}

/// A small map is not worth the copying, and a large one that has emptied is.
#[test]
fn a_map_gives_its_memory_back_when_most_of_it_has_gone() {
    let map = |rows: u32| {
        let mut map: HashMap<u32, u32> = HashMap::with_capacity(1000);
        map.extend((0..rows).map(|n| (n, n)));
        map
    };
    let (mut half, mut nearly_empty) = (map(500), map(10));
    let full = half.capacity();
    super::super::table::give_back(&mut half);
    super::super::table::give_back(&mut nearly_empty);
    assert_eq!(half.capacity(), full);
    assert!(nearly_empty.capacity() < 100 && nearly_empty.len() == 10, "{}", nearly_empty.capacity());
}
