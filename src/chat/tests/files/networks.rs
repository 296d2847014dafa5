//! The shares of networks in offers and transfers, and what is kept for established users.

use super::*;
use crate::limits::{
    DEFAULT_MAX_TRANSFERS, MAX_OFFERS, MAX_OFFERS_OF_NEWCOMERS, MAX_TRANSFERS_PER_USER, NAME_TRIED,
    OFFERS_TOLD, TRANSFERS_PER_KEPT,
};
use std::net::IpAddr;

const ALICE: u64 = 1;
const BOB: u64 = 2;
/// 250 newcomers, each with an address of their own, in three networks.
const ATTACKERS: [(u8, std::ops::Range<u64>); 3] = [(1, 1000..1084), (2, 1100..1184), (3, 1200..1282)];
/// Newcomers in one network.
const OFFICE: std::ops::Range<u64> = 2000..2040;

impl House {
    /// Has guests come, each with an address of their own in this network.
    fn crowd(&mut self, network: u8, ids: std::ops::Range<u64>) {
        for (id, host) in ids.zip(1..) {
            let peer = Peer { ip: [10, network, 0, host].into(), ..House::peer(id, None) };
            self.join_peer(id, &format!("guest{id}"), peer);
        }
    }

    fn attack(&mut self) {
        ATTACKERS.into_iter().for_each(|(network, ids)| self.crowd(network, ids));
    }

    /// Has alice and bob, with keys, come from these addresses and stay until they are established.
    fn establish_two(&mut self, addresses: [IpAddr; 2]) {
        for (id, name, ip) in [(ALICE, "alice", addresses[0]), (BOB, "bob", addresses[1])] {
            let number = u8::try_from(id).expect("a small number");
            self.join_peer(id, name, Peer { ip, ..House::peer(id, Some(key(number))) });
        }
        self.later(NAME_TRIED);
    }

    /// Has them offer to this user until nobody is let. Returns the number of open offers.
    fn fill_offers(&mut self, ids: std::ops::Range<u64>, to: &str) -> usize {
        let mut open = 0;
        loop {
            let more = ids.clone().filter(|id| self.offer(*id, to) > 0).count();
            open += more;
            self.inboxes.clear();
            if more == 0 {
                return open;
            }
        }
    }

    /// Whether the receiver is let accept an offer of the sender's.
    fn moves(&mut self, from: u64, to: u64) -> bool {
        let name = self.chat.name_in(SessionId(to)).clone();
        let offer = self.offer(from, &name);
        assert!(offer > 0, "{from} to {to}");
        self.ask(to, json!({"type": "accept", "offer": offer}));
        if !self.take(to, "accepted").is_empty() {
            return true;
        }
        self.ask(from, json!({"type": "cancel", "offer": offer}));
        false
    }

    /// Has pairs of them take transfers until none is let. Returns the number of transfers.
    fn fill_transfers(&mut self, ids: std::ops::Range<u64>) -> usize {
        let mut running = 0;
        loop {
            let more = ids.clone().step_by(2).filter(|id| self.moves(*id, id + 1)).count();
            running += more;
            self.inboxes.clear();
            if more == 0 {
                return running;
            }
        }
    }
}

fn house() -> House {
    let mut house = House::with(Rules { rate: None, ..Rules::default() }, Records::default());
    house.chat.offers_mut().expect("offers").rules.max_transfers = DEFAULT_MAX_TRANSFERS;
    house
}

/// Whether a single network has about two thirds of the newcomers' offers.
fn two_thirds(taken: usize) -> bool {
    let all = MAX_OFFERS_OF_NEWCOMERS * 2 / 3;
    (all * 95 / 100..=all).contains(&taken)
}

fn addresses(attacked: &str) -> [IpAddr; 2] {
    [attacked.parse().expect("an address"), "10.50.0.1".parse().expect("an address")]
}

#[test]
fn offers_of_newcomers_in_three_networks_leave_room_for_a_fourth_network_and_for_established_users() {
    let mut house = house();
    // Alice shares an address with attackers.
    house.establish_two(addresses("10.1.0.1"));
    house.attack();
    let taken: usize = ATTACKERS.into_iter().map(|(_, ids)| house.fill_offers(ids, "bob")).sum();
    assert!((MAX_OFFERS_OF_NEWCOMERS * 9 / 10..MAX_OFFERS_OF_NEWCOMERS - 40).contains(&taken), "{taken}");
    house.ask(1000, json!({"type": "offer", "to": "bob", "file": {"name": "x", "id": "c"}}));
    let (code, msg) = house.error(1000);
    assert_eq!(code, "too_many_offers");
    assert!(msg.contains("networks with "), "{msg}");
    // An office is one network.
    house.crowd(4, OFFICE);
    assert!(OFFICE.clone().all(|id| house.offer(id, "bob") > 0), "{:?}", house.error(2000));
    let alices: Vec<u64> = (0..8).map(|_| house.offer(ALICE, "bob")).collect();
    assert!(!alices.contains(&0), "{:?}", house.error(ALICE));
    // The server tells bob of hers first, and the attackers' offers do not hide those of the office.
    house.join_key(22, "bob", 2);
    let seen = house.offers_seen(22);
    assert_eq!((seen.len(), &seen[..8]), (OFFERS_TOLD, &alices[..]));
    let offices = alices[0] - 40..alices[0];
    assert!(seen.iter().filter(|offer| offices.contains(offer)).count() >= 5, "{seen:?}");
    house.check();
}

#[test]
fn an_office_of_newcomers_in_one_network_offers_as_before() {
    let mut house = house();
    house.establish_two(addresses("10.4.0.200"));
    house.crowd(4, 1000..1200);
    for _ in 0..5 {
        assert!((1000..1200).all(|id| house.offer(id, "bob") > 0));
        house.inboxes.clear();
    }
    let taken = house.fill_offers(1000..1200, "bob") + 1000;
    assert!(two_thirds(taken), "{taken}");
    assert!(house.offer(ALICE, "bob") > 0, "established users of that network are not bounded by it");
}

#[test]
fn addresses_of_one_network_take_half_of_all_transfers() {
    let mut house = house();
    house.crowd(1, 1000..1064);
    let running = house.fill_transfers(1000..1064);
    assert_eq!(running, DEFAULT_MAX_TRANSFERS / 2);
    house.crowd(4, OFFICE);
    assert!(house.moves(2000, 2001) && house.moves(2002, 2003), "{:?}", house.error(2001));
}

#[test]
fn transfers_of_newcomers_in_three_networks_leave_some_for_a_fourth_and_for_established_users() {
    let mut house = house();
    house.establish_two(addresses("10.1.0.1"));
    house.attack();
    let running: usize = ATTACKERS.into_iter().map(|(_, ids)| house.fill_transfers(ids)).sum();
    let kept = DEFAULT_MAX_TRANSFERS / TRANSFERS_PER_KEPT;
    assert!((40..DEFAULT_MAX_TRANSFERS - kept).contains(&running), "{running}");
    house.crowd(4, OFFICE);
    assert!(house.moves(2000, 2001), "{:?}", house.error(2001));
    // Established users send to each other, to newcomers, and receive from them.
    assert!(house.moves(ALICE, BOB), "{:?}", house.error(BOB));
    assert!(house.moves(ALICE, 2005), "{:?}", house.error(2005));
    assert!(house.moves(2006, BOB), "{:?}", house.error(BOB));
    assert!((0..MAX_TRANSFERS_PER_USER).filter(|_| house.moves(ALICE, BOB)).count() >= 1);
    house.check();
}

#[test]
fn the_last_transfers_and_offers_are_for_established_users() {
    let mut house = house();
    house.establish_two(addresses("10.60.0.1"));
    for network in 100..220 {
        let first = 3000 + 2 * u64::from(network - 100);
        house.crowd(network, first..first + 2);
    }
    let running = house.fill_transfers(3000..3240);
    assert_eq!(running, DEFAULT_MAX_TRANSFERS - DEFAULT_MAX_TRANSFERS / TRANSFERS_PER_KEPT);
    let offer = house.offer(3000, "guest3001");
    house.ask(3001, json!({"type": "accept", "offer": offer}));
    let (code, msg) = house.error(3001);
    assert_eq!(code, "too_many_transfers");
    assert!(msg.contains("the rest is for transfers with a user who has had a name for 10 minutes"), "{msg}");
    assert!(house.moves(3000, BOB) && house.moves(ALICE, 3003));
    let open = house.fill_offers(3000..3240, "bob");
    assert!(open < MAX_OFFERS_OF_NEWCOMERS && house.offer(3000, "bob") == 0);
    let more = (0..MAX_OFFERS).take_while(|_| house.offer(ALICE, "bob") > 0).count();
    assert!(more >= 10, "{more}");
    house.check();
}

#[test]
fn a_transfer_between_two_users_at_one_address_counts_there_once() {
    let mut house = house();
    house.crowd(1, 1000..1002);
    let peer = |id| Peer { ip: [10, 1, 0, 1].into(), ..House::peer(id, None) };
    house.join_peer(1010, "neighbour", peer(1010));
    let taken = (0..10).filter(|_| house.moves(1000, 1010)).count();
    assert_eq!(taken, MAX_TRANSFERS_PER_USER);
    house.check();
}

#[test]
fn the_users_of_an_ipv6_network_count_together_and_those_on_the_servers_machine_by_themselves() {
    let mut house = house();
    for id in 0..200_u64 {
        let ip = format!("fd00::1:{id:x}").parse().expect("an address");
        house.join_peer(1000 + id, &format!("guest{id}"), Peer { ip, ..House::peer(id, None) });
        let local = Peer { ip: [127, 0, 0, 1].into(), local: true, ..House::peer(id, None) };
        house.join_peer(2000 + id, &format!("own{id}"), local);
    }
    let taken = house.fill_offers(1000..1200, "own0");
    assert!(two_thirds(taken), "{taken}");
    assert!(house.fill_transfers(2000..2010) > 0, "{:?}", house.error(2001));
}
