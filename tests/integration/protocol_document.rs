//! PROTOCOL.md is held to the server: its examples are played against a live one, and its tables
//! name every code and bound.

use crate::support::browser::{Browser, WebKey};
use crate::support::document::{is_presence, settled};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use lanchat::limits;
use lanchat::protocol::Code;
use serde_json::Value;
use std::collections::HashMap;

const DOCUMENT: &str = include_str!("../../PROTOCOL.md");

/// Each with its first line, which says whether its server keeps a history, ` kept`, or it is about browsers, ` web`.
fn examples() -> Vec<&'static str> {
    DOCUMENT.split("```lanchat").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Plays an example of browsers, each with a key of its own: `<key>` and `<signature>` are what proves it.
fn play_web(lines: &str) {
    let server = crate::web::server_with(|options| options.history = None);
    let mut browsers: HashMap<&str, (Browser, Value)> = HashMap::new();
    let mut unread: HashMap<&str, Value> = HashMap::new();
    let key = WebKey::new();
    // Both differ from run to run.
    let without = |mut packet: Value| {
        if packet["type"] == "challenge" {
            (packet["nonce"], packet["id"]) = (Value::Null, Value::Null);
        }
        settled(&packet, true)
    };
    for line in lines.lines() {
        let (actor, rest) = line.split_once(['>', '<']).expect("an actor");
        let (browser, challenge) = browsers.entry(actor).or_insert_with(|| {
            let (browser, challenge) = Browser::open(server.address, true, "/chat");
            unread.insert(actor, challenge.clone());
            (browser, challenge)
        });
        let text = rest.trim_start();
        if line.as_bytes()[actor.len()] == b'>' {
            let proof = key.proof(challenge, &browser.origin.clone());
            let part = |name: &str| proof[name].as_str().expect("a text").to_owned();
            browser.send_text(&text.replace("<key>", &part("key")).replace("<signature>", &part("sig")));
        } else if text == "(closed)" {
            let (browser, _) = browsers.remove(actor).expect("a browser");
            assert_eq!(browser.end().1, 1008, "{line}");
        } else {
            let shown: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {line}"));
            let next = |browser: &mut Browser| browser.wait_until(|packet| !is_presence(packet));
            let real = unread.remove(actor).unwrap_or_else(|| next(browser));
            assert_eq!(without(real.clone()), without(shown), "\nshown {text}\nreal  {real}");
        }
    }
}

/// Plays one example with a server of its own. An actor with a number, as `alice+1`, has the key of that
/// number; `<token of alice+1>` is the token that this actor got last.
fn play(example: &str) {
    let (title, lines) = example.split_once('\n').unwrap();
    if title == " web" {
        return play_web(lines);
    }
    let data_dir = tempfile::tempdir().unwrap();
    let server = TestServer::with(|options| {
        options.data_dir = (title == " kept").then(|| data_dir.path().to_owned());
        options.history = options.history.filter(|_| title == " kept");
    });
    let mut peers: HashMap<&str, Peer> = HashMap::new();
    let mut keys: HashMap<&str, Key> = HashMap::new();
    let mut tokens: HashMap<&str, String> = HashMap::new();
    for line in lines.lines() {
        let (actor, rest) = line.split_once(['>', '<']).expect("an actor");
        let peer = peers.entry(actor).or_insert_with(|| match actor.split_once('+') {
            Some((_, number)) => {
                Peer::connect_tls(server.address, Some(keys.entry(number).or_insert_with(Key::new)))
            }
            None => Peer::connect(server.address),
        });
        let text = rest.trim_start();
        if line.as_bytes()[actor.len()] == b'>' {
            let with_token = |text: String, (actor, token): (&&str, &String)| {
                text.replace(&format!("<token of {actor}>"), token)
            };
            peer.send_raw(format!("{}\n", tokens.iter().fold(text.to_owned(), with_token)).as_bytes());
        } else if text == "(closed)" {
            assert!(peer.read_to_end().iter().all(is_presence), "{line}");
        } else if text == "welcome" {
            peer.wait_for("welcome");
        } else {
            let shown: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {line}"));
            let real = peer.wait_until(|packet| is_presence(&shown) || !is_presence(packet));
            tokens.extend(real["token"].as_str().map(|token| (actor, token.to_owned())));
            assert_eq!(settled(&real, true), settled(&shown, true), "\nshown {text}\nreal  {real}");
        }
    }
}

#[test]
fn every_example_is_what_a_server_answers() {
    let examples = examples();
    assert!(examples.len() >= 12, "the examples were found: {}", examples.len());
    examples.into_iter().for_each(play);
}

#[test]
fn a_wrong_example_is_noticed() {
    let wrong = r#"
a> {"type":"ping"}
a< {"from":{"name":"server","ip":""},"to":"","msg":"ping","type":"pong","server":{"id":"x","name":"test","version":"0.1.0"},"total":0}"#;
    assert!(std::panic::catch_unwind(|| play(wrong)).is_err());
}

#[test]
fn every_code_is_in_the_table_of_errors() {
    for code in Code::ALL {
        assert!(DOCUMENT.contains(&format!("`{code}`")), "{code} is not documented");
    }
}

#[test]
fn the_bounds_are_those_of_the_program() {
    let document = DOCUMENT.split_whitespace().collect::<Vec<_>>().join(" ");
    let grouped = |n: usize| format!("{},{:03}", n / 1000, n % 1000);
    for (sentence, value) in [
        ("at most {} bytes, followed", grouped(limits::MAX_FRAME_BYTES)),
        ("the text, at most {} bytes", grouped(limits::MAX_TEXT_BYTES)),
        ("at most {} bytes, echoed", limits::MAX_ID_BYTES.to_string()),
        ("1 to {} characters of letters", limits::MAX_NAME_CHARS.to_string()),
        ("| none within {} seconds", limits::WEB_TIMEOUT.as_secs().to_string()),
        ("packet after {} seconds", limits::REGISTRATION_TIMEOUT.as_secs().to_string()),
        ("at most {} in a page", limits::USERS_PER_PAGE.to_string()),
        ("Above {} users, and", limits::PRESENCE_NAMES_MAX_MEMBERS.to_string()),
        ("the newest {} messages of the lobby", limits::FIRST_JOIN_MESSAGES.to_string()),
        ("or more than {} messages", grouped(limits::RESUME_MAX)),
        ("at most {} messages wait", grouped(limits::MAX_WAITING as usize)),
        ("of them {} by one key", limits::MAX_WAITING_OF_AUTHOR_FOR_ONE.to_string()),
        ("and {} by users who have not", limits::MAX_WAITING_OF_NEWCOMERS_FOR_ONE.to_string()),
        ("for all users {} by one key", grouped(limits::MAX_WAITING_OF_AUTHOR as usize)),
        ("in at most {} rooms", limits::MAX_ROOMS_PER_USER.to_string()),
        ("`#` and 1 to {} characters under", limits::MAX_ROOM_NAME_CHARS.to_string()),
        ("the new one, at most {} bytes", limits::MAX_TOPIC_BYTES.to_string()),
        ("`limit` (20, at most {}), `before` a", limits::MAX_HISTORY_ASKED.to_string()),
        ("`limit` (20, at most {}), `before` |", limits::MAX_SEARCH_ASKED.to_string()),
        ("keeps positions for {} conversations", grouped(limits::MAX_READ_POSITIONS)),
        ("lets through within {} seconds", limits::LAST_WORDS.as_secs().to_string()),
        ("KiB in {} seconds, the server", limits::BACKLOG_STALL.as_secs().to_string()),
        ("all of it nor {} KiB", (limits::BACKLOG_STEP_BYTES / 1024).to_string()),
        ("not finished within {} seconds", limits::FRAME_TIMEOUT.as_secs().to_string()),
        ("works once, within {} seconds", limits::TRANSFER_MEETING.as_secs().to_string()),
        ("nothing passed for {} seconds", limits::TRANSFER_SILENCE.as_secs().to_string()),
        ("is open, at most {} offers", limits::OFFERS_TOLD.to_string()),
        ("file or folder, at most {} bytes", limits::MAX_FILE_NAME_BYTES.to_string()),
        ("user may have {} open offers", limits::MAX_OFFERS_PER_USER.to_string()),
        ("take part in {} transfers;", limits::MAX_TRANSFERS_PER_USER.to_string()),
        ("an address may have {} and", limits::MAX_OFFERS_PER_ADDRESS.to_string()),
        ("content: at most {} bytes", grouped(limits::TRANSFER_STEP_BYTES)),
    ] {
        let sentence = sentence.replace("{}", &value);
        assert!(document.contains(&sentence), "PROTOCOL.md does not say {sentence:?}");
    }
    let minutes = |time: std::time::Duration| time.as_secs() / 60;
    for (sentence, value) in [
        ("for {} days after the", minutes(limits::NAME_KEPT) / 60 / 24),
        ("less than {} minutes in all", minutes(limits::NAME_TRIED)),
        ("owns at most {} names", limits::NAMES_PER_KEY as u64),
        ("at most {} names per hour", limits::NEW_NAMES_PER_HOUR.into()),
        ("{} names at once and then", limits::NEW_NAMES_AT_ONCE_NEARBY.into()),
        ("at once and then {} names per hour", limits::NEW_NAMES_PER_HOUR_NEARBY.into()),
        ("works once, within {} minutes", minutes(limits::TICKET_TIME)),
        ("void after {} minutes", minutes(limits::OPERATOR_CODE_TIME)),
        ("minutes or {} wrong ones", limits::OPERATOR_CODE_TRIES_IN_ALL.into()),
        ("of which a network has {};", limits::OPERATOR_CODE_TRIES.into()),
        ("they say, for {}h by default", minutes(limits::DEFAULT_MUTE) / 60),
        ("none begin, for {}d by default", minutes(limits::DEFAULT_BAN) / 60 / 24),
        ("may send {} packets per second", limits::DEFAULT_RATE_PER_SECOND.into()),
        ("per second, and {} at once (`--rate-limit`)", limits::DEFAULT_RATE_BURST.into()),
        ("for every {} bytes begun", limits::PACE_UNIT_BYTES as u64),
        ("address may send {} times as much", limits::PACES_PER_ADDRESS.into()),
        ("one) {} times; either", limits::PACES_PER_NETWORK.into()),
        ("either may send {} times as much at once", limits::BURSTS_TOGETHER.into()),
        ("had a name for {} minutes", minutes(limits::NAME_TRIED)),
        ("at that moment, at most {} users", limits::MAX_ADDRESSED as u64),
        ("with the newest {} messages of their session", limits::MAX_CHANGED_BY_STRANGER as u64),
        ("Both work for {} hours", minutes(limits::CHANGE_TIME) / 60),
        ("in `read`, at most {}, as", limits::MAX_READ_POSITIONS_OF_USER as u64),
        ("stores them within {} seconds", limits::READ_GATHERED.as_secs()),
        ("in `msg` (at most {} bytes, may be empty)", limits::MAX_AWAY_BYTES as u64),
    ] {
        let sentence = sentence.replace("{}", &value.to_string());
        assert!(document.contains(&sentence), "PROTOCOL.md does not say {sentence:?}");
    }
    assert_eq!((limits::NEWS_PER_MINUTE, limits::JOIN_BURST), (6, 10), "PROTOCOL.md says six and ten");
    assert_eq!(limits::PACE_FRAME_BYTES, 4096, "PROTOCOL.md says 4,096");
    assert_eq!((limits::SHARE_PER_SECOND, limits::SHARE_BURST), (1, 10), "PROTOCOL.md says one and ten");
    assert_eq!(limits::DEFAULT_ASKED, 20, "PROTOCOL.md says 20");
    assert_eq!(limits::NAME_KEPT_TRIED.as_secs(), 2 * 86_400, "PROTOCOL.md says two days");
    assert_eq!(limits::MAX_BAD_PACKETS_IN_A_ROW, 5, "PROTOCOL.md says five");
    assert_eq!(limits::DEFAULT_BACKLOG_BYTES, 1024 * 1024, "PROTOCOL.md says 1 MiB");
    let keepalive = limits::KEEPALIVE_IDLE + limits::KEEPALIVE_INTERVAL * limits::KEEPALIVE_PROBES;
    assert_eq!(keepalive.as_secs(), 120, "PROTOCOL.md says 120 seconds");
}
