//! Verdicts, and the file that they come from.

use super::*;
use proptest::prelude::*;
use std::fs;
use std::net::IpAddr;

const OFFICE: Fingerprint = Fingerprint::new([1; 32]);
const LAB: Fingerprint = Fingerprint::new([2; 32]);
const STRANGER: Fingerprint = Fingerprint::new([3; 32]);

fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// One that has been on the office's and the lab's server, at ports 1 and 2.
fn known(dir: Option<&Path>, system: Option<&Path>) -> KnownServers {
    let mut known = KnownServers::load(dir, system).unwrap();
    remember(&mut known, LAB, "Lab", addr(2), TrustBasis::Tofu);
    remember(&mut known, OFFICE, "Office", addr(1), TrustBasis::Tofu);
    known
}

fn presented(fp: Fingerprint, name: &str, port: u16, asked_for: bool) -> Presented<'_> {
    Presented { asked_for, ..Presented::found(fp, name, addr(port)) }
}

/// This machine is on no network on which a server was met.
fn elsewhere(_: IpAddr) -> bool {
    false
}

/// It is on the one on which the office's and the lab's were.
fn here(addr: IpAddr) -> bool {
    addr.is_loopback()
}

fn remember(known: &mut KnownServers, fp: Fingerprint, name: &str, addr: SocketAddr, how: TrustBasis) {
    known.remember(&Presented::found(fp, name, addr), how);
}

#[test]
fn a_known_key_is_known_under_any_name_and_address() {
    let known = known(None, None);
    let verdict = known.verdict(&presented(OFFICE, "Lab", 2, true), elsewhere);
    assert!(matches!(verdict, KeyVerdict::Known(server) if server.name == "Office"));
}

#[test]
fn another_key_under_a_known_name_is_changed_on_the_network_where_that_was() {
    let known = known(None, None);
    for name in ["Office", "OFFICE"] {
        let verdict = known.verdict(&presented(STRANGER, name, 9, false), here);
        assert!(matches!(verdict, KeyVerdict::Changed(server) if server.fp == OFFICE), "{verdict:?}");
    }
}

#[test]
fn on_another_network_it_is_another_server_of_that_name() {
    let known = known(None, None);
    for (port, asked_for) in [(9, false), (9, true)] {
        let verdict = known.verdict(&presented(STRANGER, "OFFICE", port, asked_for), elsewhere);
        assert!(matches!(verdict, KeyVerdict::Namesake(server) if server.fp == OFFICE), "{verdict:?}");
    }
    // At the very address it is the one that is expected there, wherever that is.
    let verdict = known.verdict(&presented(STRANGER, "Office", 1, false), elsewhere);
    assert!(matches!(verdict, KeyVerdict::Changed(server) if server.fp == OFFICE), "{verdict:?}");
}

#[test]
fn a_server_asked_for_by_name_or_digits_is_the_expected_one() {
    let known = known(None, None);
    let sought = |sought, name, is_here: fn(IpAddr) -> bool| {
        known.verdict(&Presented { sought, ..Presented::found(STRANGER, name, addr(9)) }, is_here)
    };
    let office = RequestedServer::Known(OFFICE);
    assert!(
        matches!(sought(office, "Office", elsewhere), KeyVerdict::Changed(server) if server.fp == OFFICE)
    );
    assert!(
        matches!(sought(office, "another", elsewhere), KeyVerdict::Changed(server) if server.fp == OFFICE)
    );
    let only = RequestedServer::Only(OFFICE);
    assert!(
        matches!(sought(only, "office-01010101", elsewhere), KeyVerdict::Changed(server) if server.fp == OFFICE)
    );
    // Not even a server that is known passes for another one.
    for (sought, is_known) in [(office, true), (only, false)] {
        let lab = Presented { sought, ..Presented::found(LAB, "Office", addr(9)) };
        assert_eq!(matches!(known.verdict(&lab, elsewhere), KeyVerdict::Known(_)), is_known, "{sought:?}");
    }
    assert_eq!(sought(RequestedServer::This, "Office", here), KeyVerdict::New { before: None });
    assert_eq!(sought(RequestedServer::This, "Office", elsewhere), KeyVerdict::New { before: None });
}

#[test]
fn of_several_that_have_the_name_the_one_that_was_here_is_expected() {
    let mut known = known(None, None);
    let far = "192.168.1.20:7667".parse().unwrap();
    remember(&mut known, STRANGER, "Office", far, TrustBasis::Tofu);
    let third = Fingerprint::new([4; 32]);
    let verdict = known.verdict(&presented(third, "Office", 9, false), here);
    assert!(matches!(verdict, KeyVerdict::Changed(server) if server.fp == OFFICE), "{verdict:?}");
    let verdict = known.verdict(&presented(third, "Office", 9, false), elsewhere);
    assert!(matches!(verdict, KeyVerdict::Namesake(server) if server.fp == STRANGER), "{verdict:?}");
    for fp in [OFFICE, STRANGER] {
        assert!(matches!(known.verdict(&presented(fp, "Office", 9, false), here), KeyVerdict::Known(_)));
    }
}

#[test]
fn another_key_at_a_known_address_is_changed_only_if_that_was_asked_for() {
    let known = known(None, None);
    let asked = known.verdict(&presented(STRANGER, "new", 1, true), elsewhere);
    assert!(matches!(asked, KeyVerdict::Changed(server) if server.fp == OFFICE), "{asked:?}");
    let found = known.verdict(&presented(STRANGER, "new", 1, false), elsewhere);
    assert!(matches!(found, KeyVerdict::New { before: Some(server) } if server.fp == OFFICE), "{found:?}");
}

#[test]
fn another_key_where_a_name_leads_is_changed_whatever_its_address() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = known(Some(dir.path()), None);
    let joined = Presented { host: Some("chat.lan:7667"), ..presented(OFFICE, "Office", 1, true) };
    known.remember(&joined, TrustBasis::Tofu);
    let known = KnownServers::load(Some(dir.path()), None).unwrap();
    let moved = Presented { host: Some("CHAT.lan:7667"), ..presented(STRANGER, "new", 9, true) };
    let verdict = known.verdict(&moved, elsewhere);
    assert!(matches!(verdict, KeyVerdict::Changed(server) if server.fp == OFFICE), "{verdict:?}");
    assert_eq!(known.expected_at(&[addr(9)], Some("chat.lan:7667")).map(|keys| keys.len()), Some(2));
    assert_eq!(known.expected_at(&[addr(9)], Some("other.lan:7667")), None);
    // It leads to the server that was accepted there last.
    let mut known = known;
    known.remember(
        &Presented { host: Some("chat.lan:7667"), ..presented(LAB, "Lab", 2, true) },
        TrustBasis::Tofu,
    );
    let verdict = known.verdict(&moved, elsewhere);
    assert!(matches!(verdict, KeyVerdict::Changed(server) if server.fp == LAB), "{verdict:?}");
}

#[test]
fn a_known_server_in_anothers_place_is_told_from_it() {
    let mut known = known(None, None);
    let host = Some("chat.lan:7667");
    known.remember(&Presented { host, ..presented(OFFICE, "Office", 1, true) }, TrustBasis::Tofu);
    let before = |presented: Presented<'_>| known.there_before(&presented).map(|server| server.fp);
    assert_eq!(before(presented(LAB, "Lab", 1, true)), Some(OFFICE));
    assert_eq!(before(Presented { host, ..presented(LAB, "Lab", 9, true) }), Some(OFFICE));
    // Any server may be at an address that nobody asked for; to meet the same one again is not news.
    assert_eq!(before(presented(LAB, "Lab", 1, false)), None);
    assert_eq!(before(Presented { host, ..presented(OFFICE, "Office", 1, true) }), None);
}

#[test]
fn neither_name_nor_address_is_a_first_contact() {
    let known = known(None, None);
    assert_eq!(
        known.verdict(&presented(STRANGER, "new", 9, true), elsewhere),
        KeyVerdict::New { before: None }
    );
    assert_eq!(known.verdict(&presented(STRANGER, "", 9, true), elsewhere), KeyVerdict::New { before: None });
}

#[test]
fn where_the_system_lists_servers_no_others_count() {
    let (dir, system) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(known(Some(dir.path()), None));
    fs::write(system.path().join(FILE), format!("{{\"fp\":\"{LAB}\",\"name\":\"Lab\"}}\n")).unwrap();
    let known = KnownServers::load(Some(dir.path()), Some(system.path())).unwrap();
    assert_eq!(known.only(), Some(vec![LAB]));
    assert_eq!(known.iter().map(|known| known.fp).collect::<Vec<_>>(), [LAB]);
    assert_eq!(known.last_used().unwrap().fp, LAB);
    assert_eq!(known.verdict(&presented(OFFICE, "Office", 1, true), elsewhere), KeyVerdict::NotListed);
    assert!(matches!(known.verdict(&presented(STRANGER, "Lab", 1, true), elsewhere), KeyVerdict::Changed(_)));
    assert!(matches!(known.verdict(&presented(LAB, "Lab", 1, true), elsewhere), KeyVerdict::Known(_)));
}

#[test]
fn a_file_that_an_editor_saved_lists_the_same_servers() {
    let (own, system) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(known(Some(own.path()), None));
    let list = fs::read_to_string(own.path().join(FILE)).unwrap();
    for saved in crate::encoding::saved(&list) {
        fs::write(own.path().join(FILE), &saved).unwrap();
        fs::write(system.path().join(FILE), &saved).unwrap();
        let names = |known: &KnownServers| known.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        let both = [
            KnownServers::load(Some(own.path()), None).unwrap(),
            KnownServers::load(None, Some(system.path())).unwrap(),
        ];
        assert_eq!(both.each_ref().map(names), [["Office", "Lab"]; 2], "{saved:?}");
    }
}

#[test]
fn a_file_of_the_systems_that_lists_nobody_lets_nobody_pass() {
    let system = tempfile::tempdir().unwrap();
    fs::write(system.path().join(FILE), "SHA256:x Office\n").unwrap();
    let error = KnownServers::load(None, Some(system.path())).unwrap_err().to_string();
    assert!(error.contains("no line of it is a server"), "{error}");
    fs::write(system.path().join(FILE), "\n").unwrap();
    let known = KnownServers::load(None, Some(system.path())).unwrap();
    assert_eq!(known.verdict(&presented(OFFICE, "Office", 1, true), elsewhere), KeyVerdict::NotListed);
    fs::remove_file(system.path().join(FILE)).unwrap();
    fs::create_dir(system.path().join(FILE)).unwrap();
    assert!(KnownServers::load(None, Some(system.path())).is_err());
}

#[test]
fn the_last_used_server_and_its_latest_address_come_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = known(Some(dir.path()), None);
    remember(&mut known, LAB, "Lab", addr(3), TrustBasis::Tofu);
    let again = KnownServers::load(Some(dir.path()), None).unwrap();
    assert_eq!(again.iter().map(|known| known.fp).collect::<Vec<_>>(), [LAB, OFFICE]);
    assert_eq!(again.last_used().unwrap().addrs, [addr(3), addr(2)]);
    assert_eq!(again.expected_at(&[addr(9), addr(1)], None), Some(vec![LAB, OFFICE]));
    assert_eq!(again.expected_at(&[addr(9)], None), None);
}

#[test]
fn an_address_belongs_to_who_answered_there_last() {
    let mut known = known(None, None);
    remember(&mut known, STRANGER, "new", addr(1), TrustBasis::Tofu);
    assert_eq!(
        known.verdict(&presented(OFFICE, "Office", 7, true), elsewhere),
        KeyVerdict::Known(&known.servers[1])
    );
    assert!(known.servers[1].addrs.is_empty());
}

#[test]
fn a_verified_key_stays_verified() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = known(Some(dir.path()), None);
    let standing =
        |known: &KnownServers| known.last_used().map(|known| (known.is_verified(), known.is_member()));
    assert_eq!(standing(&known), Some((false, false)));
    assert!(known.verify(&OFFICE) && !known.verify(&STRANGER));
    remember(&mut known, OFFICE, "Office", addr(1), TrustBasis::Tofu);
    assert_eq!(standing(&KnownServers::load(Some(dir.path()), None).unwrap()), Some((true, false)));
    remember(&mut known, OFFICE, "Office", addr(1), TrustBasis::Passphrase);
    assert!(known.verify(&OFFICE));
    assert_eq!(standing(&known), Some((true, true)));
}

#[test]
fn a_key_that_replaces_another_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = known(Some(dir.path()), None);
    known.trust("Office", STRANGER, Some(OFFICE)).unwrap();
    let known = KnownServers::load(Some(dir.path()), None).unwrap();
    let verdict = known.verdict(&presented(OFFICE, "Office", 1, true), elsewhere);
    assert!(matches!(verdict, KeyVerdict::Changed(_)), "{verdict:?}");
    let verdict = known.verdict(&presented(STRANGER, "Office", 1, true), elsewhere);
    assert!(
        matches!(verdict, KeyVerdict::Known(server) if server.is_verified() && server.addrs == [addr(1)])
    );
}

#[test]
fn a_key_that_is_trusted_beside_another_takes_nothing_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = known(Some(dir.path()), None);
    known.trust("Office", STRANGER, None).unwrap();
    let known = KnownServers::load(Some(dir.path()), None).unwrap();
    assert_eq!(known.last_used().unwrap().fp, OFFICE);
    let verdict = known.verdict(&presented(OFFICE, "Office", 1, true), elsewhere);
    assert!(matches!(verdict, KeyVerdict::Known(server) if server.addrs == [addr(1)]), "{verdict:?}");
    let verdict = known.verdict(&presented(STRANGER, "Office", 9, true), elsewhere);
    assert!(matches!(verdict, KeyVerdict::Known(server) if server.is_verified() && server.addrs.is_empty()));
}

#[test]
fn rows_without_a_key_are_dropped_and_unknown_members_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FILE);
    let old = r#"{"id":"3f9a1c7700112233","name":"Office","addrs":["127.0.0.1:1"],"last":"2026"}"#;
    let row =
        format!(r#"{{"fp":"{LAB}","name":"Lab","addrs":["[fe80::1%2]:7667"],"how":"x","key":{{"x":[1]}}}}"#);
    fs::write(&file, format!("{old}\n{{\"fp\":\n{row}\n\u{0}\n[]\n")).unwrap();
    let mut known = KnownServers::load(Some(dir.path()), None).unwrap();
    assert_eq!(known.iter().map(|known| known.fp).collect::<Vec<_>>(), [LAB]);
    assert!(!known.last_used().unwrap().is_verified());
    remember(&mut known, LAB, "Lab", addr(1), TrustBasis::Tofu);
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.contains(r#""key":{"x":[1]}"#) && written.contains("[fe80::1%2]:7667"), "{written}");
    assert_eq!(written.lines().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn the_verified_are_forgotten_last_and_names_and_addresses_are_bounded() {
    let mut known = known(None, None);
    known.verify(&LAB);
    let long = "ü".repeat(100);
    for n in 0..=u16::try_from(MAX_KNOWN_SERVERS).unwrap() {
        let mut hash = [9; 32];
        hash[..2].copy_from_slice(&n.to_be_bytes());
        remember(&mut known, Fingerprint::new(hash), &long, addr(1000 + n), TrustBasis::Tofu);
    }
    assert_eq!(known.iter().count(), MAX_KNOWN_SERVERS);
    assert!(known.iter().any(|known| known.fp == LAB) && !known.iter().any(|known| known.fp == OFFICE));
    (1..20).for_each(|port| remember(&mut known, LAB, "Lab", addr(port), TrustBasis::Tofu));
    assert_eq!(known.last_used().unwrap().addrs.len(), MAX_ADDRS);
    // The name that was cut is the one it is compared with.
    assert!(matches!(
        known.verdict(&presented(STRANGER, &long, 9, false), elsewhere),
        KeyVerdict::Namesake(_)
    ));
}

proptest! {
    #[test]
    fn no_damage_to_a_file_makes_it_panic(damage in proptest::collection::vec((0usize..400, any::<u8>()), 1..20)) {
        let dir = tempfile::tempdir().unwrap();
        drop(known(Some(dir.path()), None));
        let mut bytes = fs::read(dir.path().join(FILE)).unwrap();
        for (at, value) in damage {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        fs::write(dir.path().join(FILE), bytes).unwrap();
        let mut known = KnownServers::load(Some(dir.path()), None).unwrap();
        remember(&mut known, STRANGER, "new", addr(5), TrustBasis::Tofu);
        let again = KnownServers::load(Some(dir.path()), None).unwrap();
        prop_assert_eq!(again.last_used().map(|known| known.fp), Some(STRANGER));
    }
}

#[test]
fn when_a_server_was_last_used_is_a_time_to_the_millisecond() {
    let mut known = known(None, None);
    let before = Timestamp::now();
    remember(&mut known, OFFICE, "Office", addr(1), TrustBasis::Tofu);
    let last = &known.servers[0].last;
    let then: Timestamp = last.parse().unwrap();
    assert!(then.as_millisecond() >= before.as_millisecond() && then <= Timestamp::now(), "{last}");
    assert_eq!(last.len(), "2026-11-21T12:00:00.000Z".len(), "{last}");
}

#[cfg(unix)]
#[test]
fn the_systems_file_lies_where_administrators_keep_such_files() {
    assert_eq!(system_dir().as_deref(), Some(Path::new("/etc/lanchat")));
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_the_users_file_blocks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join(FILE);
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(KnownServers::load(Some(dir.path()), None).unwrap().own_servers().is_empty());
}

#[test]
fn addresses_that_a_server_names_are_kept_and_are_no_place_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = known(Some(dir.path()), None);
    known.name(&OFFICE, &[addr(7), addr(8)]);
    known.name(&STRANGER, &[addr(9)]);
    let known = KnownServers::load(Some(dir.path()), None).unwrap();
    let named: Vec<&[SocketAddr]> = known.iter().map(|known| known.named.as_slice()).collect();
    assert_eq!(named, [&[addr(7), addr(8)][..], &[]]);
    // Otherwise, a server could raise an alarm about any other one.
    assert_eq!(known.expected_at(&[addr(7)], None), None);
    let found = presented(STRANGER, "Shop", 7, true);
    assert_eq!(known.verdict(&found, here), KeyVerdict::New { before: None });
    assert!(known.met_at(&[addr(1)], None).is_some_and(|known| known.fp == OFFICE));
}
