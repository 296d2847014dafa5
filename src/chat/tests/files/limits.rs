//! The shares of users and addresses in offers and transfers.

use super::*;
use crate::limits::{
    MAX_OFFERS, MAX_OFFERS_OF_NEWCOMERS, MAX_OFFERS_OF_OWN_MACHINE, MAX_OFFERS_PER_ADDRESS,
    MAX_OFFERS_PER_USER, MAX_TRANSFERS_PER_USER, OFFERS_TOLD,
};

#[test]
fn ten_thousand_offers_meet_a_refusal() {
    let rules = Rules { rate: None, ..Rules::default() };
    let mut house = House::with(rules, Records::default());
    house.join_key(2, "bob", 2);
    house.join_key(1, "alice", 1);
    house.join_key(11, "alice-too", 1);
    let open = (0..100).filter(|n| house.offer(if n % 2 == 0 { 1 } else { 11 }, "bob") > 0).count();
    assert_eq!(open, MAX_OFFERS_PER_USER, "all names of a key count together");
    assert_eq!(house.error(1).0, "too_many_offers");
    // Many keys at one address.
    for n in 100..120_u8 {
        let peer = Peer { ip: [10, 9, 9, 9].into(), ..House::peer(n.into(), Some(key(n))) };
        house.join_peer(n.into(), &format!("user{n}"), peer);
    }
    let open = (0..1000).filter(|n| house.offer(100 + n % 19, "bob") > 0).count();
    assert!((MAX_OFFERS_PER_ADDRESS * 3 / 4..MAX_OFFERS_PER_ADDRESS).contains(&open), "{open}");
    assert!(house.offer(119, "bob") > 0, "a newcomer finds a place at this address");
    // Many addresses.
    for n in 1000..1200 {
        house.connect(n);
        house.ask(n, json!({"type": "hello", "from": {"name": format!("guest{n}")}}));
    }
    let open = (0..10_000).filter(|n| house.offer(1000 + n % 200, "bob") > 0).count();
    assert!((MAX_OFFERS / 2..MAX_OFFERS_OF_NEWCOMERS - MAX_OFFERS_PER_ADDRESS).contains(&open), "{open}");
    house.inboxes.clear();
    house.join_key(22, "bob", 2);
    assert_eq!(house.offers_seen(22).len(), OFFERS_TOLD, "a user who comes is not flooded");
    house.check();
    (1000..1200).for_each(|n| house.leave(n));
    let open = (0..MAX_OFFERS_PER_USER).filter(|_| house.offer(2, "alice") > 0).count();
    assert_eq!(open, MAX_OFFERS_PER_USER, "offers that have ended do not count");
}

#[test]
fn users_take_part_in_few_transfers_at_a_time() {
    let rules = Rules { rate: None, ..Rules::default() };
    let mut house = House::with(rules, Records::default());
    house.join_key(1, "alice", 1);
    house.join_key(2, "bob", 2);
    house.join_key(3, "carol", 3);
    let offers: Vec<u64> = (0..=MAX_TRANSFERS_PER_USER).map(|_| house.offer(1, "bob")).collect();
    for offer in &offers[1..] {
        house.accept((1, 2), *offer);
    }
    assert_eq!(house.refused(2, json!({"type": "accept", "offer": offers[0]})), "too_many_transfers");
    // It is the sender's limit as well.
    let to_carol = house.offer(1, "carol");
    assert_eq!(house.refused(3, json!({"type": "accept", "offer": to_carol})), "too_many_transfers");
    house.act(|chat, _, out| chat.transfer_ended(TransferId(1), TransferEnd::Done, out));
    house.accept((1, 3), to_carol);
    assert!(house.endings(1).is_empty(), "both sides know of a transfer that is done");
}

#[test]
fn a_newcomer_can_offer_however_many_names_take_what_they_can() {
    let rules = Rules { rate: None, ..Rules::default() };
    // All on the server's own machine, each with a key.
    let mut house = House::with(rules, Records::default());
    let many = 200_u8;
    for n in 0..=many {
        let peer = Peer { local: true, ip: [127, 0, 0, 1].into(), ..House::peer(n.into(), Some(key(n))) };
        house.join_peer(n.into(), &format!("user{n}"), peer);
    }
    let greedy: usize = (0..10_000_u64).filter(|n| house.offer(n % u64::from(many), "user0") > 0).count();
    assert!((1500..MAX_OFFERS_OF_OWN_MACHINE).contains(&greedy), "{greedy}");
    house.ask(0, json!({"type": "offer", "to": "user1", "file": {"name": "x", "id": "c"}}));
    let (code, msg) = house.error(0);
    assert_eq!(code, "too_many_offers");
    assert!(msg.contains("so many offers are open"), "{msg}");
    assert!(house.offer(many.into(), "user1") > 0, "a user without an offer finds a place");
    house.join_key(300, "elsewhere", 244);
    assert!(house.offer(300, "user1") > 0);
    house.check();
}

#[test]
fn a_newcomer_finds_a_transfer_while_others_take_what_they_can() {
    let rules = Rules { rate: None, ..Rules::default() };
    let mut house = House::with(rules, Records::default());
    for n in 0..22_u8 {
        let peer = Peer { local: true, ip: [127, 0, 0, 1].into(), ..House::peer(n.into(), Some(key(n))) };
        house.join_peer(n.into(), &format!("user{n}"), peer);
    }
    // 24 transfers may run, and each pair would take 8.
    let mut running = 0;
    for _ in 0..MAX_TRANSFERS_PER_USER {
        for pair in 0..10 {
            let offer = house.offer(2 * pair, &format!("user{}", 2 * pair + 1));
            house.ask(2 * pair + 1, json!({"type": "accept", "offer": offer}));
            running += house.take(2 * pair + 1, "accepted").len();
        }
    }
    assert!((12..24).contains(&running), "{running}");
    let offer = house.offer(20, "user21");
    house.accept((20, 21), offer);
}

#[test]
fn nobodys_offers_hide_those_of_others() {
    let rules = Rules { rate: None, ..Rules::default() };
    let mut house = House::with(rules, Records::default());
    for (id, name) in [(1, "alice"), (2, "bob"), (3, "carol")] {
        house.join_key(id, name, u8::try_from(id).expect("small"));
    }
    house.leave(2);
    for _ in 0..MAX_OFFERS_PER_USER {
        house.offer(1, "bob");
    }
    let (one, other) = (house.offer(3, "bob"), house.offer(3, "bob"));
    house.join_key(22, "bob", 2);
    let seen = house.offers_seen(22);
    assert_eq!((seen.len(), seen[1], seen[3]), (OFFERS_TOLD, one, other), "{seen:?}");
}
