//! Floods of long messages, and who waits because of them.

use super::paces::at;
use super::*;
use crate::limits::{BURSTS_TOGETHER, DEFAULT_RATE_BURST, DEFAULT_RATE_PER_SECOND, PACES_PER_ADDRESS};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Floods with long texts for ten seconds; returns the cost of what got through, in messages.
fn flood_long(house: &mut House, ids: std::ops::Range<u64>) -> u64 {
    let (text, until) = ("x".repeat(9_990), house.now.uptime + Duration::from_secs(10));
    let cost = 20;
    let mut asked: BinaryHeap<_> = ids.map(|id| Reverse((house.now.uptime, id))).collect();
    let mut sent = 0;
    while let Some(Reverse((when, id))) = asked.pop().filter(|Reverse((when, _))| *when <= until) {
        house.now.uptime = house.now.uptime.max(when) + Duration::from_micros(1);
        match house.chat.pause(SessionId(id), cost, &house.now) {
            Some(pause) => asked.push(Reverse((house.now.uptime + pause, id))),
            None => {
                house.say(id, "all", &text);
                sent += cost;
                asked.push(Reverse((house.now.uptime, id)));
            }
        }
    }
    sent
}

#[test]
fn long_messages_pay_for_all_of_themselves_before_they_wait_in_line() {
    let mut house = House::new();
    (0..300).for_each(|n| house.enter_as(n, &format!("mal{n}"), at(1), None));
    let sent = flood_long(&mut house, 0..300);
    let rate = u64::from(DEFAULT_RATE_PER_SECOND * PACES_PER_ADDRESS);
    let burst = u64::from(DEFAULT_RATE_BURST * BURSTS_TOGETHER);
    assert!(sent <= burst + 10 * rate + 20, "{sent}");
}

#[test]
fn a_flood_of_long_messages_does_not_hold_up_a_newcomer_at_its_address() {
    let mut house = House::new();
    (0..300).for_each(|n| house.enter_as(n, &format!("mal{n}"), at(1), None));
    flood_long(&mut house, 0..300);
    house.enter_as(900, "new", at(1), None);
    let begun = house.now.uptime;
    while let Some(pause) = house.chat.pause(SessionId(900), 1, &house.now) {
        house.later(pause);
    }
    assert!(house.now.uptime - begun <= Duration::from_secs(2), "{:?}", house.now.uptime - begun);
}
