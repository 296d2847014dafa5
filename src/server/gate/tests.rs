//! The gate, driven without sockets.

use super::*;
use crate::limits::{
    HANDSHAKES_IN_PROGRESS, MAX_ADDRESSES, MAX_RESTRICTED, TRIES_PER_ADDRESS, TRIES_PER_MINUTE,
    TRIES_PER_NETWORK, TRY_BURST_PER_NETWORK, TRY_REMEMBERED,
};
use proptest::prelude::*;

const NOW: Duration = Duration::from_secs(100);
const FAR: [&str; 4] = ["192.168.1.20", "2001:db8::1", "::ffff:192.168.1.21", "fe80::7"];

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn gate_of(max_per_address: Option<usize>, max_clients: usize) -> Arc<Gate> {
    Gate::new(GateLimits { max_per_address, max_clients }, ServerJournal::silent())
}

fn enter(gate: &Arc<Gate>, address: &str) -> Pass {
    gate.enter(ip(address), false, NOW).0
}

fn key(number: u8) -> Fingerprint {
    Fingerprint::new([number; 32])
}

impl Pass {
    /// Whether it has a place without showing anything.
    fn is_free(&self) -> bool {
        self.restriction(NOW).is_none()
    }
}

/// So many connections from these addresses in turn, until there are no places.
fn crowd(gate: &Arc<Gate>, addresses: &[String], count: usize) -> Vec<Pass> {
    let passes = (0..count).map(|n| enter(gate, &addresses[n % addresses.len()]));
    passes.filter(Pass::is_free).collect()
}

fn addresses(net: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("{net}{}", if net.contains(':') { format!("{n:x}") } else { n.to_string() }))
        .collect()
}

#[test]
fn one_address_gets_a_third_of_the_places_and_leaves_some_to_each_other() {
    for address in FAR {
        let gate = gate_of(Some(64), 1000);
        let mut passes = crowd(&gate, &[address.into()], 1000);
        assert_eq!(passes.len(), 300);
        assert_eq!(enter(&gate, address).restriction(NOW), Some(Restriction::Share));
        assert_eq!(
            crowd(&gate, &["192.168.7.99".into()], 300).len(),
            200,
            "another gets a third of the rest"
        );
        passes.truncate(63);
        assert!(enter(&gate, address).is_free(), "places become free again");
    }
}

#[test]
fn however_few_places_are_left_an_address_gets_its_due() {
    let gate = gate_of(Some(64), 1000);
    let _many: Vec<Vec<Pass>> =
        (0..8).map(|n| crowd(&gate, &addresses(&format!("10.0.{n}."), 1), 100)).collect();
    assert_eq!(crowd(&gate, &["192.168.1.1".into()], 100).len(), 64);
}

#[test]
fn one_host_with_many_addresses_leaves_places_to_others() {
    for order in [[0, 1], [1, 0]] {
        let gate = gate_of(Some(64), 2000);
        let own = [addresses("10.9.0.", 1), addresses("fd00:a::2:", 40)];
        let taken: Vec<Vec<Pass>> = order.iter().map(|n| crowd(&gate, &own[*n], 2000)).collect();
        let left = 1800_usize - taken.iter().map(Vec::len).sum::<usize>();
        assert!(left >= 80, "{left} left");
        let neighbours: Vec<String> = (50..80).map(|n| format!("10.9.0.{n}")).collect();
        assert_eq!(crowd(&gate, &neighbours, 30).len(), 30, "also for neighbours");
        assert_eq!(crowd(&gate, &addresses("10.8.0.", 50), 50).len(), 50);
    }
}

#[test]
fn a_lan_of_500_comes_in_whatever_its_addresses_have_in_common() {
    for net in ["fd77:1::", "2001:db8::"] {
        let gate = gate_of(Some(64), 600);
        assert_eq!(crowd(&gate, &addresses(net, 500), 500).len(), 500, "{net}");
    }
    let gate = gate_of(Some(64), 600);
    let _one = crowd(&gate, &addresses("10.0.0.", 250), 250);
    assert_eq!(crowd(&gate, &addresses("10.0.1.", 250), 250).len(), 250);
    let gate = gate_of(Some(64), 20_000);
    assert_eq!(crowd(&gate, &["10.0.0.1".into()], 200).len(), 200, "200 behind one address");
}

#[test]
fn the_last_tenth_is_for_known_keys_alone() {
    for address in ["127.0.0.1", "10.0.0.1"] {
        let gate = gate_of(None, 100);
        let crowd = crowd(&gate, &[address.into()], 200);
        assert_eq!(crowd.len(), 90, "{address}");
        let mut owners: Vec<Pass> = (0..11).map(|_| enter(&gate, "10.7.7.7")).collect();
        assert!(owners.iter().all(|pass| pass.restriction(NOW) == Some(Restriction::Full)));
        assert!(!owners[0].admit(), "not without a key");
        for (n, owner) in owners.iter_mut().enumerate() {
            let claim = if n < 10 { KeyAdmission::Admitted } else { KeyAdmission::Full };
            assert_eq!(owner.claim(&key(n as u8)), Some(claim));
            assert_eq!(owner.admit(), claim == KeyAdmission::Admitted);
        }
        drop(crowd);
        assert_eq!(owners[10].claim(&key(10)), Some(KeyAdmission::Admitted), "as soon as there is a place");
    }
}

#[test]
fn one_known_key_does_not_take_the_kept_places() {
    let gate = gate_of(None, 100);
    let _crowd = crowd(&gate, &["10.0.0.1".into()], 90);
    let mut passes: Vec<Pass> = (0..6).map(|_| enter(&gate, "10.7.7.7")).collect();
    let claims: Vec<_> = passes.iter_mut().filter_map(|pass| pass.claim(&key(1))).collect();
    assert_eq!(claims[..4], [KeyAdmission::Admitted; 4]);
    assert_eq!(claims[4..], [KeyAdmission::TooMany; 2]);
    passes.remove(0);
    assert_eq!(passes[4].claim(&key(1)), Some(KeyAdmission::Admitted), "places become free again");
    assert_eq!(enter(&gate, "10.7.7.7").claim(&key(2)), Some(KeyAdmission::Admitted), "others have theirs");
}

#[test]
fn a_restricted_connection_makes_room_for_others() {
    let gate = gate_of(None, 10);
    let _crowd = crowd(&gate, &["10.0.0.1".into()], 9);
    let (mut honest, mut cut) = gate.enter(ip("192.168.1.5"), false, NOW);
    let mut flood: Vec<(Pass, CutSignal)> = (0..8 * MAX_RESTRICTED)
        .map(|n| gate.enter(ip(&format!("fd00::{:x}", n % 1000)), false, NOW))
        .collect();
    assert_eq!(gate.lock().pending.restricted(), MAX_RESTRICTED);
    assert_eq!(flood[0].1.try_recv(), Ok(()), "the oldest is cut");
    assert_eq!(flood[0].0.claim(&key(1)), None, "and is too late");
    assert!(cut.try_recv().is_err() && honest.claim(&key(2)) == Some(KeyAdmission::Admitted));
    drop(flood);
    assert_eq!(gate.lock().pending.restricted(), 0);
}

#[test]
fn the_address_with_most_restricted_connections_in_a_network_is_cut() {
    let gate = gate_of(None, 10);
    let _crowd = crowd(&gate, &["10.0.0.1".into()], 9);
    let flood = |turns: usize| -> Vec<(Pass, CutSignal)> {
        (0..turns * 250).map(|n| gate.enter(ip(&format!("10.1.1.{}", n % 250)), false, NOW)).collect()
    };
    let _before = flood(2);
    let (mut honest, _cut) = gate.enter(ip("10.1.1.251"), false, NOW);
    let _after = flood(4);
    assert_eq!(honest.claim(&key(1)), Some(KeyAdmission::Admitted));
}

#[test]
fn without_memory_nobody_gets_a_place() {
    let gate = gate_of(None, 10);
    let (pass, _) = gate.enter(ip("10.0.0.1"), true, NOW);
    assert_eq!(pass.restriction(NOW), Some(Restriction::Memory));
    assert_eq!(gate.lock().taken, 0);
}

#[test]
fn an_arrival_can_be_cut_until_it_is_in() {
    let gate = gate_of(None, 10);
    let ((mut first, _first_cut), (mut second, mut cut)) =
        (gate.enter(ip("10.0.0.1"), false, NOW), gate.enter(ip("10.0.0.2"), false, NOW));
    assert!(first.admit());
    let [(number, host)] = gate.pending()[..] else { panic!("one") };
    assert_eq!(host, ip("10.0.0.2"));
    gate.cut(number);
    assert!(cut.try_recv() == Ok(()) && !second.admit());
    drop(second);
    assert_eq!(gate.lock().taken, 1);
}

#[test]
fn the_machine_itself_is_exempt() {
    let gate = gate_of(Some(1), 100);
    for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        let passes = crowd(&gate, &[address.into()], 20);
        assert_eq!(passes.len(), 20);
        (0..9).for_each(|_| passes[0].punish(Offence::Timeout, NOW));
        assert!(enter(&gate, address).is_free());
    }
}

#[test]
fn no_neighbour_is_penalized_for_what_another_did() {
    for (bad, neighbour) in
        [("192.168.1.20", "192.168.1.21"), ("fe80::1", "fe80::2"), ("2001:db8::1", "2001:db8::2")]
    {
        let gate = gate_of(None, 10);
        let pass = enter(&gate, bad);
        (0..3).for_each(|_| pass.punish(Offence::Garbage, NOW));
        assert_eq!(enter(&gate, bad).restriction(NOW), Some(Restriction::Penalized), "{bad}");
        assert_eq!(pass.restriction(NOW), Some(Restriction::Penalized), "also who was about to come in");
        assert!(enter(&gate, neighbour).is_free(), "{neighbour}");
    }
}

#[test]
fn a_known_key_comes_in_from_where_somebody_else_has_misbehaved() {
    let gate = gate_of(None, 10);
    let offender = enter(&gate, "10.0.0.1");
    let mut leftover = enter(&gate, "10.0.0.1");
    (0..3).for_each(|_| offender.punish(Offence::FailedAuth, NOW));
    let (mut known, mut stranger) = (enter(&gate, "10.0.0.1"), enter(&gate, "10.0.0.1"));
    assert_eq!(known.claim(&key(1)), Some(KeyAdmission::Admitted));
    assert_eq!(leftover.claim(&key(2)), Some(KeyAdmission::Admitted), "it has its place already");
    assert!(leftover.admit() && known.admit() && !stranger.admit());
}

#[test]
fn attempts_during_a_penalty_do_not_lengthen_it() {
    let gate = gate_of(None, 10);
    let offender = enter(&gate, "10.0.0.1");
    (0..3).for_each(|_| offender.punish(Offence::FailedAuth, NOW));
    let again = enter(&gate, "10.0.0.1");
    (0..100).for_each(|_| again.punish(Offence::Garbage, NOW));
    assert!(offender.is_penalized(NOW) && !offender.is_penalized(NOW + Duration::from_secs(16)));
}

#[test]
fn offenders_are_bounded_and_the_worst_stay() {
    let gate = gate_of(None, 10_000_000);
    let pass = |n: u32| gate.enter((0x0b00_0000 + n).to_be_bytes().into(), false, NOW).0;
    let most = u32::try_from(MAX_ADDRESSES).expect("small");
    let bad = pass(most * 3);
    (0..90).for_each(|_| bad.punish(Offence::Timeout, NOW));
    for n in 0..2 * most {
        pass(n).punish(Offence::Garbage, NOW);
    }
    assert_eq!(gate.lock().addresses.sizes().1, MAX_ADDRESSES);
    let later = NOW + Duration::from_secs(60);
    pass(most * 2).punish(Offence::Garbage, later);
    assert_eq!(gate.lock().addresses.sizes().1, 2);
}

#[test]
fn a_burst_of_handshakes_is_free_and_a_flood_waits() {
    let gate = gate_of(None, 10_000);
    let pass = enter(&gate, FAR[0]);
    let patience = Duration::from_secs(2);
    let waits: Vec<_> = (0..300).map(|_| pass.handshake_delay(patience, NOW)).collect();
    assert!(waits[..200].iter().all(|wait| *wait == Some(Duration::ZERO)));
    assert_eq!(waits[299], Some(patience));
    assert_eq!(pass.handshake_delay(patience, NOW), None, "nor does it wait for ever");
    let other = enter(&gate, FAR[1]);
    assert_eq!(other.handshake_delay(patience, NOW), Some(Duration::ZERO), "others do not wait for them");
}

#[test]
fn one_network_leaves_handshakes_to_others() {
    let gate = gate_of(None, 100_000);
    let patience = Duration::from_secs(8);
    let flood: Vec<Pass> = addresses("fd00:a::", 100).iter().map(|address| enter(&gate, address)).collect();
    // For a minute, as fast as it is let.
    for second in 0..60 {
        let now = NOW + Duration::from_secs(second);
        for pass in &flood {
            while pass.handshake_delay(patience, now).is_some() {}
        }
    }
    let now = NOW + Duration::from_secs(60);
    let theirs = flood[0].handshake_delay(patience, now);
    assert!(theirs.is_none_or(|wait| wait > Duration::from_secs(1)), "{theirs:?}");
    for other in ["10.0.0.1", "fd00:a::ffff"] {
        assert_eq!(enter(&gate, other).handshake_delay(patience, now), Some(Duration::ZERO), "{other}");
    }
}

#[test]
fn handshakes_under_way_are_bounded_and_given_back() {
    let gate = gate_of(None, 10_000);
    let pass = enter(&gate, FAR[0]);
    let mut under_way: Vec<_> = std::iter::from_fn(|| pass.begin_handshake(NOW)).take(100).collect();
    assert_eq!(under_way.len(), 32);
    assert!(under_way[0].is_crowded());
    under_way.pop();
    assert!(!under_way[0].is_crowded() && pass.begin_handshake(NOW).is_some());
    let many: Vec<Pass> = addresses("fd00::", 200).iter().map(|address| enter(&gate, address)).collect();
    let theirs = many.iter().flat_map(|pass| std::iter::from_fn(|| pass.begin_handshake(NOW)).take(9));
    assert_eq!(theirs.collect::<Vec<_>>().len(), HANDSHAKES_IN_PROGRESS / 4, "of one network");
    assert!(enter(&gate, "fd01::1").begin_handshake(NOW).is_some());
    assert!(many[0].begin_handshake(NOW).is_some(), "given back");
}

fn tries(pass: &Pass, now: Duration) -> usize {
    (0..100).take_while(|_| pass.take_try(now).is_ok()).count()
}

#[test]
fn tries_are_five_a_minute_of_an_address_and_sixty_of_all() {
    let gate = gate_of(None, 10_000);
    let mut taken = 0;
    for network in 0..100_u8 {
        let own = tries(&enter(&gate, &format!("10.0.{network}.1")), NOW);
        assert!(own <= TRIES_PER_ADDRESS as usize);
        taken += own;
    }
    assert_eq!(taken, TRIES_PER_MINUTE as usize);
    let pass = enter(&gate, "10.1.1.1");
    assert_eq!(pass.take_try(NOW), Err(Duration::from_secs(1)));
    assert_eq!(pass.take_try(NOW + Duration::from_secs(1)), Ok(()));
}

#[test]
fn one_network_leaves_tries_to_others_and_to_its_own_newcomers() {
    let gate = gate_of(None, 10_000);
    let guessed: usize =
        addresses("fd00:a::", 14).iter().map(|address| tries(&enter(&gate, address), NOW)).sum();
    assert!(guessed < TRY_BURST_PER_NETWORK as usize, "{guessed}");
    assert_eq!(enter(&gate, "fd00:a::99").take_try(NOW), Ok(()), "a neighbour's first");
    assert_eq!(enter(&gate, "10.9.0.99").take_try(NOW), Ok(()), "one of another network");
    // With as many addresses as there are, for an hour.
    let mut all = 0;
    for second in 0..3600 {
        let now = NOW + Duration::from_secs(second);
        for n in 0..8 {
            all += tries(&gate.enter(ip(&format!("fd00:a::{second:x}:{n}")), false, now).0, now);
        }
    }
    assert!(all <= (TRIES_PER_NETWORK * 60 + TRY_BURST_PER_NETWORK) as usize, "{all}");
    let later = NOW + Duration::from_secs(3600);
    assert_eq!(gate.enter(ip("10.9.1.1"), false, later).0.take_try(later), Ok(()));
}

#[test]
fn three_networks_that_guess_leave_tries_to_a_fourth() {
    let gate = gate_of(None, 10_000);
    for second in 0..600 {
        let now = NOW + Duration::from_secs(second);
        for net in ["10.1.1.", "fd00::", "fe80::"] {
            tries(&gate.enter(ip(&format!("{net}{}", second % 200)), false, now).0, now);
        }
    }
    let now = NOW + Duration::from_secs(600);
    assert_eq!(gate.enter(ip("192.168.1.1"), false, now).0.take_try(now), Ok(()));
}

#[test]
fn a_right_try_costs_nobody_anything() {
    let gate = gate_of(None, 10_000);
    for n in 0..1000 {
        let pass = enter(&gate, &format!("10.0.0.{}", n % 250));
        assert_eq!(pass.take_try(NOW), Ok(()), "{n}");
        pass.give_back_try();
    }
    let wrong = enter(&gate, "10.0.0.1");
    assert_eq!(tries(&wrong, NOW), TRIES_PER_ADDRESS as usize, "no more than without the right ones");
}

#[test]
fn an_attempt_is_forgotten_after_an_hour() {
    let gate = gate_of(None, 10_000);
    let pass = enter(&gate, "fd00::1");
    assert_eq!(pass.take_try(NOW), Ok(()));
    let later = NOW + TRY_REMEMBERED;
    for address in addresses("fd00::f:", 30) {
        let (other, _) = gate.enter(ip(&address), false, later);
        (0..5).for_each(|_| _ = other.take_try(later));
        if gate.enter(ip("fd00::f:1d"), false, later).0.take_try(later).is_err() {
            break;
        }
    }
    assert_eq!(pass.take_try(later), Ok(()));
}

#[test]
fn the_table_is_bounded_and_keeps_active_rows() {
    let gate = gate_of(None, 10_000_000);
    let bad = enter(&gate, "10.9.9.9");
    (0..90).for_each(|_| bad.punish(Offence::Timeout, NOW));
    drop(bad);
    let many = |first: u8, now: Duration| {
        (0..2 * MAX_ADDRESSES).map(move |n| {
            let [_, a, b, c] = u32::try_from(n).expect("small").to_be_bytes();
            (IpAddr::from([first, a, b, c]), now)
        })
    };
    many(11, NOW).for_each(|(ip, now)| drop(gate.enter(ip, false, now)));
    let here: Vec<_> = many(12, 2 * NOW).map(|(ip, now)| gate.enter(ip, false, now)).collect();
    assert!(gate.lock().addresses.sizes().0 <= MAX_ADDRESSES + 2);
    drop(here);
    assert_eq!(enter(&gate, "10.9.9.9").restriction(NOW), Some(Restriction::Penalized));
}

proptest! {
    #[test]
    fn whatever_comes_and_goes_nothing_is_left_and_no_bound_is_passed(
        steps in proptest::collection::vec((0..4_u8, 0..6_u8, 0..8_usize), 0..200)
    ) {
        let gate = gate_of(Some(5), 30);
        let mut here: Vec<(Pass, CutSignal)> = Vec::new();
        for (what, host, which) in steps {
            match what {
                0 => here.push(gate.enter(ip(&format!("10.0.{}.{host}", host % 2)), false, NOW)),
                1 if which < here.len() => drop(here.swap_remove(which)),
                2 => for (pass, _) in here.iter_mut().skip(which).take(1) { pass.admit(); },
                3 => for (pass, _) in here.iter_mut().skip(which).take(1) { pass.claim(&key(host)); },
                _ => {}
            }
            let has_place = |pass: &&(Pass, CutSignal)| matches!(pass.0.stage, Stage::Pending | Stage::Admitted);
            let placed = here.iter().filter(has_place).count();
            prop_assert!(placed <= 30);
            prop_assert_eq!(gate.lock().taken, placed);
        }
        here.clear();
        let state = gate.lock();
        prop_assert_eq!((state.taken, state.keys.len(), state.pending.restricted()), (0, 0, 0));
        prop_assert_eq!(state.pending.placed().count(), 0);
    }
}
