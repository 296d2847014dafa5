//! How many names become owned from one address.

use super::*;
use crate::limits::{ADDRESSES_PER_NETWORK, NEW_NAMES_PER_HOUR};

/// An administrator has set the limit for all addresses.
fn few_new_names() -> House {
    let new_names = NewNames::PerHour(NEW_NAMES_PER_HOUR);
    House::with(Rules { new_names, ..Rules::default() }, Records::default())
}

#[test]
fn from_one_address_only_so_many_new_names_are_kept_and_all_get_in() {
    let mut house = House::new();
    let school = |n: u8| Peer { ip: [192, 0, 2, 9].into(), ..House::peer(1, Some(key(n))) };
    let most = u8::try_from(NEW_NAMES_PER_HOUR).expect("a small number");
    for n in 0..=most {
        house.join_peer(n.into(), &format!("pupil{n}"), school(n));
        assert!(house.is_in(n.into()));
        assert_eq!(house.owns(&format!("pupil{n}")), n < most, "{n}");
    }
    for n in 0..=most {
        house.leave(n.into());
    }
    house.later(Duration::from_secs(3600 / u64::from(NEW_NAMES_PER_HOUR)));
    house.join_peer(50, "pupil50", school(50));
    assert!(house.owns("pupil50"), "an hour's share comes back bit by bit");
}

#[test]
fn a_school_behind_one_address_keeps_all_its_names_on_the_first_morning() {
    let rules = Rules { rate: None, ..Rules::default() };
    let mut house = House::with(rules, Records::default());
    for n in 0..500_u16 {
        let mut hash = [7; 32];
        hash[..2].copy_from_slice(&n.to_be_bytes());
        let key = Some(Fingerprint::new(hash));
        let name = format!("pupil{n}");
        house.join_peer(n.into(), &name, Peer { ip: [192, 168, 0, 1].into(), ..House::peer(1, key) });
        assert!(house.owns(&name) && house.texts(n.into(), "notice").is_empty(), "{name}");
    }
}

#[test]
fn a_host_with_a_whole_network_of_addresses_counts_as_one() {
    let mut house = few_new_names();
    let most = u8::try_from(NEW_NAMES_PER_HOUR).expect("a small number");
    for n in 0..=most {
        let ip = format!("2001:db8::{n}").parse().expect("an address");
        house.join_peer(n.into(), &format!("pupil{n}"), Peer { ip, ..House::peer(1, Some(key(n))) });
        assert_eq!(house.owns(&format!("pupil{n}")), n < most, "{n}");
    }
}

#[test]
fn a_host_with_many_addresses_of_the_local_network_owns_no_more_names_than_some_hosts() {
    let mut house = few_new_names();
    let most = u64::from(NEW_NAMES_PER_HOUR * ADDRESSES_PER_NETWORK);
    let mut owned = 0;
    for n in 0..2 * most {
        let (ip, number) =
            (format!("fd77::{n:x}").parse().expect("an address"), u8::try_from(n).expect("few"));
        house.join_peer(n, &format!("pupil{n}"), Peer { ip, ..House::peer(1, Some(key(number))) });
        owned += u64::from(house.owns(&format!("pupil{n}")));
    }
    assert_eq!(owned, most);
}

#[test]
fn who_uses_a_name_that_is_not_kept_for_them_is_told() {
    let mut house = few_new_names();
    for n in 0..=u8::try_from(NEW_NAMES_PER_HOUR).expect("a small number") {
        let peer = Peer { ip: [10, 0, 0, 1].into(), ..House::peer(n.into(), Some(key(n))) };
        house.join_peer(n.into(), &format!("pupil{n}"), peer);
        let told = house.texts(n.into(), "notice");
        assert_eq!(told.is_empty(), house.owns(&format!("pupil{n}")), "{told:?}");
        assert!(
            told.iter().all(|msg| msg.starts_with("the server does not keep the name pupil")),
            "{told:?}"
        );
    }
}
