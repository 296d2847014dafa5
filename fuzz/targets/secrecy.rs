//! Bytes from strangers to what keeps them out: TLS, and the passphrase's proof.

use super::input::Input;
use super::tls::{Client, clients_key, server};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_HANDSHAKE_BYTES, MAX_RECORD_BYTES};
use crate::protocol::binary;
use crate::security::{Binding, Challenge, PakeResponse, Passphrase, ServerChannel};

/// Bytes that are sent back to a stranger at the most: a server's part of a handshake is under 1 kB,
/// and hardly more comes of one that fails.
const MAX_ANSWER_BYTES: usize = 8 * 1024;

/// Bytes into a server's end: instead of a handshake, with damage in one, or after it.
pub(super) fn tls_bytes(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let choice = input.byte();
    let piece = usize::from(input.byte()) * 8 + 1;
    match choice % 4 {
        0 | 1 => strangers_bytes(input.rest(), piece),
        2 => damaged_handshake(input, piece),
        _ => broken_conversation(input, piece),
    }
}

/// Gives the server `bytes` in pieces; the text that it found, and what it sends. `false`: it has had
/// enough.
fn give(server: &mut ServerChannel, bytes: &[u8], piece: usize) -> (Vec<u8>, Vec<u8>, bool) {
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        let taken = server.receive(piece, &mut plain, &mut out);
        // A vector that grows has up to twice what it needs.
        let most = 2 * MAX_HANDSHAKE_BYTES.max(MAX_RECORD_BYTES);
        assert!(server.held() <= most, "{} bytes are held", server.held());
        assert!(out.len() <= MAX_ANSWER_BYTES, "{} bytes are sent back", out.len());
        if taken.is_err() {
            assert!(!server.is_open() && server.held() == 0);
            assert!(server.receive(b"x", &mut plain, &mut out).is_err(), "it lives on after an error");
            return (plain, out, false);
        }
    }
    (plain, out, true)
}

/// A fuzzer never produces a complete handshake, since it cannot sign.
fn strangers_bytes(bytes: &[u8], piece: usize) {
    let mut server = server();
    let (plain, _, _) = give(&mut server, bytes, piece);
    assert!(plain.is_empty() && !server.is_open() && server.peer_key().is_none());
}

fn damaged_handshake(mut input: Input<'_>, piece: usize) {
    let (mut server, mut client) = (server(), Client::new());
    let in_hello = input.byte().is_multiple_of(2);
    let mut hello = client.written();
    if in_hello {
        damage(&mut hello, &mut input);
    }
    let (plain, out, goes_on) = give(&mut server, &hello, piece);
    assert!(plain.is_empty());
    if !goes_on || client.read(&out).is_none() {
        return;
    }
    let mut rest = client.written();
    rest.extend(client.say(b"one"));
    if !in_hello {
        damage(&mut rest, &mut input);
    }
    let (plain, _, _) = give(&mut server, &rest, piece);
    assert!(plain.is_empty() || plain == b"one", "text that nobody sent");
    if server.is_open() {
        assert_eq!(server.peer_key(), Some(clients_key()), "a key that nobody proved");
    }
}

/// Changes some bytes: a place, and what it is changed by.
fn damage(bytes: &mut [u8], input: &mut Input<'_>) {
    for _ in 0..=input.byte() % 4 {
        let at = usize::from(input.byte()) << 8 | usize::from(input.byte());
        if let Some(byte) = bytes.get_mut(at % (bytes.len().max(1))) {
            *byte ^= input.byte();
        }
    }
}

fn broken_conversation(mut input: Input<'_>, piece: usize) {
    let (mut server, mut client) = (server(), Client::new());
    while let bytes = client.written()
        && !bytes.is_empty()
    {
        let (_, out, goes_on) = give(&mut server, &bytes, usize::MAX);
        assert!(goes_on && client.read(&out).is_some(), "an honest handshake fails");
    }
    assert!(server.is_open());
    let mut sent = Vec::new();
    server.send(b"welcome", &mut sent).expect("an open channel");
    assert_eq!(client.read(&sent).as_deref(), Some(&b"welcome"[..]));
    let first = client.say(b"first");
    assert_eq!(give(&mut server, &first, piece).0, b"first");
    let foreign = input.rest();
    let (plain, _, goes_on) = give(&mut server, foreign, piece);
    assert!(plain.is_empty(), "text that nobody sent");
    let second = client.say(b"second");
    let (plain, _, _) = give(&mut server, &second, piece);
    assert!(plain == b"second" || !foreign.is_empty() || !goes_on, "text is lost");
    assert!(plain.is_empty() || plain == b"second", "text that nobody sent");
}

/// Anything in the place of an element and a confirmation: nobody guesses them.
pub(super) fn pake(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let length = usize::from(input.byte()) % 70;
    let element = input.bytes(length);
    let mac = input.rest();
    let text = String::from_utf8_lossy(bytes);
    check_binary(&text, bytes);
    check_passphrase(&text);
    let word = Passphrase::new("long enough").expect("a passphrase");
    let keys = [1, 2].map(|byte| Fingerprint::new([byte; 32]));
    let binding = Binding::new(&keys[0], Some(&keys[1]));
    let challenge = Challenge::new(&word, binding);
    assert_eq!(challenge.element().len(), 33);
    let own = challenge.element().to_vec();
    assert!(challenge.verify(element, mac).is_err(), "a proof by somebody who knows nothing");
    // An element that comes back, whole or damaged.
    let mut reflected = own.clone();
    damage(&mut reflected, &mut Input::new(element));
    let challenge = Challenge::new(&word, binding);
    assert!(challenge.verify(&reflected, mac).is_err(), "a proof by an element that came back");
    if let Ok(answer) = PakeResponse::new(&word, binding, element) {
        assert_eq!((answer.element().len(), answer.mac().len()), (33, 32));
        let own = answer.mac().to_vec();
        assert!(own != mac);
        assert!(answer.check(mac).is_err(), "a server that knows nothing is believed");
    }
}

fn check_binary(text: &str, bytes: &[u8]) {
    assert_eq!(binary::from_text(&binary::to_text(bytes)).as_deref(), Some(bytes));
    if let Some(read) = binary::from_text(text) {
        assert_eq!(binary::to_text(&read), text, "two texts of the same bytes");
    }
}

fn check_passphrase(text: &str) {
    if let Ok(passphrase) = Passphrase::new(text) {
        assert!(passphrase.as_str().chars().count() >= 8);
        let again = Passphrase::new(passphrase.as_str()).expect("what it was made of is one");
        assert!(again == passphrase, "a second pass changes it");
        let other = Passphrase::new("another one").expect("a passphrase");
        assert_eq!(format!("{passphrase:?}"), format!("{other:?}"), "something of it is shown");
    }
}
