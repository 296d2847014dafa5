//! The gate, driven without sockets.

use super::*;

const NOW: Duration = Duration::from_secs(100);
const FAR: [&str; 3] = ["192.168.1.20", "2001:db8::1", "::ffff:192.168.1.21"];

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn one_address_cannot_take_the_last_places() {
    for address in FAR {
        let gate = Gate::new(Some(64), 1000);
        let mut passes: Vec<Pass> =
            (0..200).map(|n| gate.enter(ip(address), n, NOW).expect("half empty")).collect();
        assert_eq!(gate.enter(ip(address), 501, NOW).err(), Some(Closed::Share));
        assert!(gate.enter(ip("192.168.1.99"), 501, NOW).is_ok(), "others may");
        passes.truncate(63);
        assert!(gate.enter(ip(address), 501, NOW).is_ok(), "places are given back");
    }
}

#[test]
fn the_machine_itself_is_exempt() {
    let gate = Gate::new(Some(1), 10);
    for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        let passes: Vec<Pass> = (0..9).map(|_| gate.enter(ip(address), 9, NOW).expect("exempt")).collect();
        (0..9).for_each(|_| passes[0].punish(Offence::Timeout, NOW));
        assert!(gate.enter(ip(address), 9, NOW).is_ok());
    }
}

#[test]
fn a_far_ipv6_host_counts_by_its_network_and_a_near_one_by_itself() {
    for (one, other, is_same) in [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("fe80::1", "fe80::2", false),
        ("fd77:1::1", "fd77:1::2", false),
    ] {
        let gate = Gate::new(None, 10);
        let (pass, other) = (gate.enter(ip(one), 0, NOW).unwrap(), gate.enter(ip(other), 0, NOW).unwrap());
        while pass.take_try(NOW).is_ok() {}
        assert_eq!(other.take_try(NOW).is_err(), is_same, "{one}");
    }
}

#[test]
fn no_neighbour_is_boxed_for_what_another_did() {
    for (bad, neighbour) in
        [("192.168.1.20", "192.168.1.21"), ("fe80::1", "fe80::2"), ("2001:db8::1", "2001:db8::2")]
    {
        let gate = Gate::new(None, 10);
        let pass = gate.enter(ip(bad), 0, NOW).expect("a pass");
        (0..3).for_each(|_| pass.punish(Offence::Garbage, NOW));
        assert_eq!(gate.enter(ip(bad), 0, NOW).err(), Some(Closed::Boxed), "{bad}");
        assert!(gate.enter(ip(neighbour), 0, NOW).is_ok(), "{neighbour}");
    }
}

#[test]
fn offenders_are_bounded_and_the_worst_stay() {
    let gate = Gate::new(None, 10);
    let pass = |n: u32| gate.enter((0x0b00_0000 + n).to_be_bytes().into(), 0, NOW).expect("a pass");
    let most = u32::try_from(MAX_ADDRESSES).expect("small");
    let bad = pass(most * 3);
    (0..90).for_each(|_| bad.punish(Offence::Timeout, NOW));
    for n in 0..2 * most {
        pass(n).punish(Offence::Garbage, NOW);
    }
    assert_eq!(gate.lock().offenders.len(), MAX_ADDRESSES);
    let later = NOW + Duration::from_secs(60);
    pass(most * 2).punish(Offence::Garbage, later);
    assert_eq!(gate.lock().offenders.len(), 2);
}

#[test]
fn a_burst_of_handshakes_is_free_and_a_flood_waits() {
    let gate = Gate::new(None, 10_000);
    let pass = gate.enter(ip(FAR[0]), 0, NOW).expect("a pass");
    let patience = Duration::from_secs(2);
    let waits: Vec<_> = (0..300).map(|_| pass.handshake_turn(patience, NOW)).collect();
    assert!(waits[..200].iter().all(|wait| *wait == Some(Duration::ZERO)));
    assert_eq!(waits[299], Some(patience));
    assert_eq!(pass.handshake_turn(patience, NOW), None, "nor does it wait for ever");
    let other = gate.enter(ip(FAR[1]), 0, NOW).expect("a pass");
    assert_eq!(other.handshake_turn(patience, NOW), Some(Duration::ZERO), "others do not wait for them");
}

#[test]
fn handshakes_under_way_are_bounded_an_address_and_given_back() {
    let gate = Gate::new(None, 10_000);
    let pass = gate.enter(ip(FAR[0]), 0, NOW).expect("a pass");
    let mut under_way: Vec<_> = std::iter::from_fn(|| pass.begin_handshake()).take(100).collect();
    assert_eq!(under_way.len(), HANDSHAKES_IN_PROGRESS_PER_ADDRESS);
    under_way.pop();
    assert!(pass.begin_handshake().is_some());
}

#[test]
fn tries_are_five_a_minute_of_an_address_and_sixty_of_all() {
    let gate = Gate::new(None, 10_000);
    let mut taken = 0;
    for host in 0..100_u8 {
        let pass = gate.enter(ip(&format!("10.0.0.{host}")), 0, NOW).expect("a pass");
        let own = (0..10).filter(|_| pass.take_try(NOW).is_ok()).count();
        assert!(own <= TRIES_PER_ADDRESS as usize);
        taken += own;
    }
    assert_eq!(taken, TRIES_PER_MINUTE as usize);
    let pass = gate.enter(ip("10.0.1.1"), 0, NOW).expect("a pass");
    assert_eq!(pass.take_try(NOW), Err(Duration::from_secs(1)));
    assert_eq!(pass.take_try(NOW + Duration::from_secs(1)), Ok(()));
}

#[test]
fn the_books_are_bounded_and_keep_what_counts() {
    let gate = Gate::new(None, 10_000);
    let bad = gate.enter(ip("10.9.9.9"), 0, NOW).expect("a pass");
    (0..90).for_each(|_| bad.punish(Offence::Timeout, NOW));
    drop(bad);
    for n in 0..2 * MAX_ADDRESSES {
        let [_, a, b, c] = u32::try_from(n).expect("small").to_be_bytes();
        drop(gate.enter(IpAddr::from([11, a, b, c]), 0, NOW));
    }
    let many: Vec<Pass> = (0..2 * MAX_ADDRESSES)
        .map(|n| {
            let [_, a, b, c] = u32::try_from(n).expect("small").to_be_bytes();
            gate.enter(IpAddr::from([12, a, b, c]), 0, 2 * NOW).expect("a pass")
        })
        .collect();
    assert!(gate.lock().addresses.len() <= MAX_ADDRESSES + 1);
    drop(many);
    assert_eq!(gate.enter(ip("10.9.9.9"), 0, NOW).err(), Some(Closed::Boxed));
}
