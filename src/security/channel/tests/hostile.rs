//! Peers that break the rules.

use super::client::{Client, Manner, signing};
use super::*;
use crate::security::keys::parameters;
use proptest::prelude::*;
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use rustls::sign::{Signer, SigningKey};
use std::sync::Arc;

/// A key that signs as it can, whatever the server takes.
#[derive(Debug)]
struct Stubborn(Arc<dyn SigningKey>);

impl SigningKey for Stubborn {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.0.choose_scheme(&[SignatureScheme::ECDSA_NISTP384_SHA384])
    }

    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        self.0.algorithm()
    }
}

fn assert_refused(manner: Manner) {
    let mut server = server();
    let refused = shake(&mut server, &mut Client::new(manner), usize::MAX);
    assert!(matches!(refused, Err(ChannelError::Tls(_))), "{refused:?}");
    assert!(!server.is_open() && server.peer_key().is_none());
}

#[test]
fn keys_of_other_kinds_are_refused() {
    let (manner, key) = Manner::with(&rcgen::PKCS_ECDSA_P384_SHA384);
    // With no signature in common, an honest client presents nothing.
    let (server, _) = connected(manner);
    assert_eq!(server.peer_key(), None);
    let (mut manner, _) = Manner::with(&rcgen::PKCS_ECDSA_P384_SHA384);
    manner.chain = vec![parameters().unwrap().self_signed(&key).unwrap().into()];
    manner.key = Some(Arc::new(Stubborn(signing(&key))));
    assert_refused(manner);
}

#[test]
fn a_certificate_for_somebody_elses_key_is_refused() {
    let (mut manner, _) = Manner::with(&rcgen::PKCS_ECDSA_P256_SHA256);
    manner.key = Manner::with(&rcgen::PKCS_ECDSA_P256_SHA256).0.key;
    assert_refused(manner);
}

#[test]
fn a_chain_or_a_long_or_broken_certificate_is_refused() {
    let chain = {
        let (mut manner, _) = Manner::with(&rcgen::PKCS_ECDSA_P256_SHA256);
        let second = manner.chain[0].clone();
        manner.chain.push(second);
        manner
    };
    let long = {
        let (mut manner, key) = Manner::with(&rcgen::PKCS_ECDSA_P256_SHA256);
        let mut parameters = parameters().unwrap();
        parameters.distinguished_name.push(rcgen::DnType::OrganizationName, "x".repeat(2000));
        manner.chain = vec![parameters.self_signed(&key).unwrap().into()];
        manner
    };
    let broken = {
        let (mut manner, _) = Manner::with(&rcgen::PKCS_ECDSA_P256_SHA256);
        manner.chain = vec![CertificateDer::from(vec![0x30, 0x03, 1, 2, 3])];
        manner
    };
    [chain, long, broken].into_iter().for_each(assert_refused);
}

#[test]
fn tls_1_2_is_refused_with_an_alert() {
    // A ClientHello of TLS 1.2, by hand: one suite, and which signatures it takes.
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0xc0, 0x2b, 1, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let mut hello = vec![22, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
    hello.extend(body);
    let mut out = Vec::new();
    let refused = server().receive(&hello, &mut Vec::new(), &mut out);
    assert!(matches!(refused, Err(ChannelError::Tls(_))), "{refused:?}");
    // A fatal alert in the clear: protocol_version (RFC 8446 6).
    assert_eq!(out, [21, 3, 3, 0, 2, 2, 70]);
}

#[test]
fn endless_key_updates_without_text_end_the_connection() {
    let (mut server, mut client) = connected(Manner::anonymous());
    let refused = (0..100).find_map(|_| {
        client.0.refresh_traffic_keys().unwrap();
        give(&mut server, &client.written(), usize::MAX).err()
    });
    assert!(refused.is_some());
}

#[test]
fn an_unfinished_hello_is_kept_up_to_its_bound_however_it_is_split() {
    // A hello that says it is 60 kB long, in records of 1,000 bytes.
    let mut flood = Vec::new();
    for number in 0..60 {
        flood.extend([22, 3, 1, 3, 0xe8]);
        let mut piece = vec![0; 1000];
        if number == 0 {
            piece[..6].copy_from_slice(&[1, 0, 0xea, 0x60, 3, 3]);
        }
        flood.extend(piece);
    }
    for piece in [1, 100, 16 * 1024, 50_000] {
        let mut server = server();
        let mut taken = 0;
        let refused = flood.chunks(piece).find_map(|piece| {
            let refused = server.receive(piece, &mut Vec::new(), &mut Vec::new()).err();
            taken += if refused.is_none() { piece.len() } else { 0 };
            assert!(server.parts.kept.len() <= MAX_HANDSHAKE_BYTES);
            refused
        });
        assert!(matches!(refused, Some(ChannelError::TooLong(MAX_HANDSHAKE_BYTES))), "{refused:?}");
        assert!(taken <= MAX_HANDSHAKE_BYTES, "{taken}");
        assert_eq!(server.parts.kept.capacity(), 0, "a failed channel keeps nothing");
    }
}

#[test]
fn a_broken_record_ends_the_connection_with_an_alert_and_for_good() {
    let (mut server, mut client) = connected(Manner::anonymous());
    let mut bytes = client.say(b"hello");
    *bytes.last_mut().unwrap() ^= 1;
    let mut out = Vec::new();
    assert!(server.receive(&bytes, &mut Vec::new(), &mut out).is_err());
    assert!(matches!(client.read(&out), Err(Error::AlertReceived(_))));
    assert!(!server.is_open());
    assert!(matches!(server.send(b"x", &mut out), Err(ChannelError::NotOpen)));
    assert!(matches!(server.receive(b"more", &mut Vec::new(), &mut out), Err(ChannelError::NotOpen)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_or_are_kept_within_the_bound(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..600),
        looks_like_tls: bool,
        piece in 1usize..200,
    ) {
        if looks_like_tls && bytes.len() > 5 {
            let length = (bytes.len() - 5) as u16;
            bytes[..5].copy_from_slice(&[22, 3, 1, (length >> 8) as u8, length as u8]);
        }
        let mut server = server();
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            let _ = server.receive(piece, &mut Vec::new(), &mut out);
            prop_assert!(server.parts.kept.len() <= bytes.len());
        }
        prop_assert!(!server.is_open());
        prop_assert!(out.len() < 4096);
    }

    #[test]
    fn a_damaged_conversation_never_panics_or_gives_other_text(
        at in any::<prop::sample::Index>(),
        with in 1u8..,
        piece in 1usize..3000,
    ) {
        let (mut server, mut client) = (server(), Client::new(Manner::with(&rcgen::PKCS_ED25519).0));
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        let hello = client.written();
        server.receive(&hello, &mut plain, &mut out).unwrap();
        client.read(&out).unwrap();
        let mut bytes = client.written();
        bytes.extend(client.say(b"one"));
        bytes.extend(client.say(b"two"));
        *at.get_mut(&mut bytes) ^= with;
        for piece in bytes.chunks(piece) {
            let _ = server.receive(piece, &mut plain, &mut out);
        }
        prop_assert!(plain.is_empty() || plain == b"one" || plain == b"onetwo", "{plain:?}");
    }
}

/// A server that speaks no TLS and does not hang up.
#[tokio::test(start_paused = true)]
async fn a_foreign_line_is_told_as_soon_as_it_ends_or_is_too_long() {
    use crate::limits::{FOREIGN_LINE_TIMEOUT, MAX_FOREIGN_LINE_BYTES};
    use crate::security::sniffing_stream::SniffingStream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for (said, expected) in [
        ("SSH-2.0-x\r\n".to_owned(), "SSH-2.0-x".to_owned()),
        ("x".repeat(2 * MAX_FOREIGN_LINE_BYTES), "x".repeat(MAX_FOREIGN_LINE_BYTES)),
    ] {
        let (mut server, client) = tokio::io::duplex(4 * MAX_FOREIGN_LINE_BYTES);
        server.write_all(&said.as_bytes()[..1]).await.unwrap();
        let mut opening = SniffingStream::new(client);
        opening.read_u8().await.unwrap_err();
        server.write_all(&said.as_bytes()[1..]).await.unwrap();
        let start = tokio::time::Instant::now();
        assert_eq!(opening.foreign_line().await.as_deref(), Some(expected.as_str()));
        assert!(start.elapsed() < FOREIGN_LINE_TIMEOUT);
        drop(server);
    }
}
