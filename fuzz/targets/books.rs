//! Files and links that people may edit: pinned servers, the server's former books, invitations.

use super::input::Input;
use crate::chat::{Archive, Chat, Now, Peer, Profile, Records, Rules, StoredRecords};
use crate::cli::fuzzing::link_target;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_KNOWN_SERVERS, MAX_OWNED_NAMES, NAMES_ROUND};
use crate::security::{KeyVerdict, KnownServers, Presented, TrustBasis};
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::time::Duration;

/// The lines of a file of pins: what is read is written so that it is read again, and a key that is
/// not in it is never known.
pub(super) fn known_servers(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let asked_for = input.byte().is_multiple_of(2);
    let text = String::from_utf8_lossy(input.rest()).into_owned();
    let mut known = KnownServers::of_text(&text);
    let written = known.text();
    assert_eq!(KnownServers::of_text(&written).text(), written, "a second pass changes it");
    let listed: HashSet<Fingerprint> = known.iter().map(|server| server.fp).collect();
    let fp = Fingerprint::new([9; 32]);
    let addr = ([127, 0, 0, 1], 7667).into();
    let name = known.iter().next().map(|server| server.name.clone()).unwrap_or_default();
    for name in [name.as_str(), "office"] {
        let is_named = known.iter().any(|server| server.name == name && !name.is_empty());
        let presented = Presented { asked_for, ..Presented::found(fp, name, addr) };
        match known.verdict(&presented, |_| asked_for) {
            KeyVerdict::Known(server) => assert!(server.fp == fp && listed.contains(&fp)),
            KeyVerdict::Changed(server) | KeyVerdict::Namesake(server) => {
                assert!(server.fp != fp && listed.contains(&server.fp));
            }
            KeyVerdict::NotListed => panic!("there is no list"),
            // A name is compared with as much of it as is ever kept.
            KeyVerdict::New { .. } => assert!(!is_named || name.len() > 63, "a known name is new"),
        }
    }
    let host = Some("office:7667");
    let joined = Presented { asked_for, host, ..Presented::found(fp, "office", addr) };
    known.remember(&joined, TrustBasis::Tofu);
    assert!(known.iter().next().is_some_and(|server| server.fp == fp));
    assert!(known.iter().count() <= MAX_KNOWN_SERVERS.max(listed.len() + text.lines().count()));
    let read = KnownServers::of_text(&known.text());
    assert_eq!(read.text(), known.text());
}

/// The lines of the books of earlier versions, in whatever file they stand; and what the rules push of them
/// is what they say.
pub(super) fn records(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = Records {
        operators: rows(&text),
        members: rows(&text),
        bans: (0..).zip(rows(&text)).collect(),
        mutes: (0..).zip(rows(&text)).collect(),
        names: rows(&text),
        reads: Vec::new(),
    };
    let clock = "2026-11-21T12:00:00+00:00[UTC]".parse().expect("a time");
    let mut now = Now::new(clock, Duration::ZERO);
    let chat =
        |records| Chat::new(Profile::default(), Rules::default(), Archive { records, ..Archive::default() });
    let mut first = chat(read);
    first.check(&HashSet::new(), &now);
    let kept = first.records(&now);
    assert!(kept.names.len() <= MAX_OWNED_NAMES);
    assert_eq!(chat(kept.clone()).records(&now), kept, "a second pass changes it");
    let peer = Peer { ip: [10, 0, 0, 1].into(), key: None, encrypted: false, local: false, web: false };
    let _ = first.ban_text(&peer, &now);
    let mut stored = StoredRecords::of(kept);
    for _ in 0..8 {
        let mut out = Vec::new();
        now.uptime += NAMES_ROUND;
        first.tick(&now, &mut out);
        stored.keep(&out);
    }
    first.check_kept(&stored, &now);
}

fn rows<T: DeserializeOwned>(text: &str) -> Vec<T> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A value of `--host`: a link, or a host and port.
pub(super) fn invite(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(written) = link_target(&text) {
        assert_eq!(link_target(&written).as_ref(), Some(&written), "{text:?} is not what it is written as");
        let is_link = text.get(..10).is_some_and(|head| head.eq_ignore_ascii_case("lanchat://"));
        assert_eq!(written.starts_with("lanchat://"), is_link, "{text:?}: a link lost its key, or found one");
    }
}
