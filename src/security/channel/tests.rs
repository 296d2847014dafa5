//! Both ends against each other in memory: the channel, and the library's own client.

mod client;
mod hostile;

use super::*;
use crate::security::keys::Keypair;
use client::{Client, Manner};
use rustls::crypto::CryptoProvider;
use std::sync::{Arc, LazyLock};

/// The settings that all of a test's servers have in common, since making keys takes long.
fn tls() -> ServerTls {
    static TLS: LazyLock<ServerTls> =
        LazyLock::new(|| ServerTls::new(&Keypair::ephemeral().unwrap()).unwrap());
    TLS.clone()
}

fn server() -> ServerChannel {
    ServerChannel::new(&tls()).unwrap()
}

/// Gives the server `bytes` in pieces, and returns what it understood and sent.
fn give(server: &mut ServerChannel, bytes: &[u8], piece: usize) -> Result<(Vec<u8>, Vec<u8>), ChannelError> {
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        server.receive(piece, &mut plain, &mut out)?;
    }
    Ok((plain, out))
}

/// Lets both talk until nobody has anything to send.
fn shake(server: &mut ServerChannel, client: &mut Client, piece: usize) -> Result<(), ChannelError> {
    loop {
        let bytes = client.written();
        if bytes.is_empty() {
            return Ok(());
        }
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        let mut failed = None;
        for piece in bytes.chunks(piece) {
            if let Err(error) = server.receive(piece, &mut plain, &mut out) {
                failed = Some(error);
                break;
            }
        }
        assert!(plain.is_empty());
        let read = client.read(&out);
        match failed {
            Some(error) => {
                assert!(matches!(read, Err(Error::AlertReceived(_))), "{error}: {read:?}");
                return Err(error);
            }
            None => assert!(read.is_ok(), "{read:?}"),
        }
    }
}

fn connected(manner: Manner) -> (ServerChannel, Client) {
    let (mut server, mut client) = (server(), Client::new(manner));
    shake(&mut server, &mut client, usize::MAX).unwrap();
    assert!(server.is_open() && !client.0.is_handshaking());
    (server, client)
}

fn sent(server: &mut ServerChannel, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    server.send(text, &mut out).unwrap();
    out
}

fn spki_fingerprint(key: &rcgen::KeyPair) -> Fingerprint {
    use rcgen::PublicKeyData as _;
    let hash = ring::digest::digest(&ring::digest::SHA256, &key.subject_public_key_info());
    Fingerprint::new(hash.as_ref().try_into().unwrap())
}

#[test]
fn text_goes_both_ways_however_the_bytes_are_split() {
    for piece in [1, 2, 3, 5, 7, 64, 1000, usize::MAX] {
        let (mut server, mut client) = (server(), Client::new(Manner::anonymous()));
        assert!(!server.is_open());
        assert!(matches!(server.send(b"early", &mut Vec::new()), Err(ChannelError::NotOpen)));
        shake(&mut server, &mut client, piece).unwrap();
        assert!(server.is_open());
        assert_eq!(server.peer_key(), None);
        let mut bytes = client.say(b"one\n");
        bytes.extend(client.say(b"two\n"));
        assert_eq!(give(&mut server, &bytes, piece).unwrap().0, b"one\ntwo\n");
        assert_eq!(client.read(&sent(&mut server, b"three\n")).unwrap(), b"three\n");
    }
}

#[test]
fn the_handshake_may_be_split_in_two_anywhere() {
    let length = Client::new(Manner::anonymous()).written().len();
    for at in 1..length {
        let (mut server, mut client) = (server(), Client::new(Manner::anonymous()));
        let hello = client.written();
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        for piece in [&hello[..at], &hello[at..]] {
            assert_eq!(server.receive(piece, &mut plain, &mut out).unwrap(), Status::Handshaking);
        }
        client.read(&out).unwrap();
        shake(&mut server, &mut client, at).unwrap();
        assert!(server.is_open(), "{at}");
    }
}

#[test]
fn text_in_the_same_piece_as_the_end_of_the_handshake_is_not_lost() {
    let (mut server, mut client) = (server(), Client::new(Manner::with(&rcgen::PKCS_ED25519).0));
    let (_, out) = give(&mut server, &client.written(), usize::MAX).unwrap();
    client.read(&out).unwrap();
    let mut bytes = client.written();
    bytes.extend(client.say(b"hello"));
    client.0.send_close_notify();
    bytes.extend(client.written());
    assert_eq!(give(&mut server, &bytes, usize::MAX).unwrap().0, b"hello");
    assert_eq!(server.parts.status, Status::Closed);
    assert!(server.peer_key().is_some());
}

#[test]
fn the_key_that_a_client_proves_is_told() {
    for kind in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ED25519] {
        let (manner, key) = Manner::with(kind);
        let (server, _) = connected(manner);
        assert_eq!(server.peer_key(), Some(spki_fingerprint(&key)));
    }
}

#[test]
fn an_offered_protocol_must_be_this_one_and_none_need_be_offered() {
    let mut manner = Manner::anonymous();
    manner.alpn = vec![b"http/1.1".to_vec()];
    assert!(shake(&mut server(), &mut Client::new(manner), usize::MAX).is_err());
    let mut manner = Manner::anonymous();
    manner.alpn = Vec::new();
    connected(manner);
}

#[test]
fn megabytes_go_both_ways_in_full_records() {
    let (mut server, mut client) = connected(Manner::anonymous());
    let text: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let bytes = client.say(&text);
    assert_eq!(give(&mut server, &bytes, 70_001).unwrap().0, text);
    let out = sent(&mut server, &text);
    assert_eq!(out.len(), text.len() + text.len().div_ceil(RECORD_BYTES) * RECORD_OVERHEAD);
    assert_eq!(client.read(&out).unwrap(), text);
    assert_eq!(sent(&mut server, &[1; RECORD_BYTES]).len(), RECORD_BYTES + RECORD_OVERHEAD);
    assert!(sent(&mut server, b"").is_empty());
}

#[test]
fn channels_may_move_between_threads() {
    fn assert_moves<T: Send + Sync>() {}
    assert_moves::<ServerChannel>();
    assert_moves::<ServerTls>();
}

#[test]
fn output_is_appended() {
    let (mut server, mut client) = connected(Manner::anonymous());
    let mut out = b"before".to_vec();
    server.send(b"text", &mut out).unwrap();
    server.close(&mut out);
    assert_eq!(&out[..6], b"before");
    assert_eq!(client.read(&out[6..]).unwrap(), b"text");
}

#[test]
fn each_side_may_close_first() {
    let (mut server, mut client) = connected(Manner::anonymous());
    let mut out = Vec::new();
    server.close(&mut out);
    client.read(&out).unwrap();
    assert!(!client.0.wants_read(), "the client has not seen the end");
    assert!(matches!(server.send(b"x", &mut out), Err(ChannelError::NotOpen)));
    assert!(matches!(server.receive(b"x", &mut Vec::new(), &mut out), Err(ChannelError::NotOpen)));
    server.close(&mut out);

    let (mut server, mut client) = connected(Manner::anonymous());
    client.0.send_close_notify();
    let mut bytes = client.written();
    bytes.extend(b"garbage after the end");
    let mut out = Vec::new();
    assert_eq!(server.receive(&bytes, &mut Vec::new(), &mut out).unwrap(), Status::Closed);
    assert!(!server.is_open());
    assert_eq!(server.receive(b"more", &mut Vec::new(), &mut out).unwrap(), Status::Closed);
    assert_eq!(server.parts.kept.capacity(), 0);
    // A half-closed peer still hears the rest.
    assert_eq!(client.read(&sent(&mut server, b"bye")).unwrap(), b"bye");
}

#[test]
fn an_answer_to_a_key_update_goes_out_before_the_next_text() {
    let (mut server, mut client) = connected(Manner::anonymous());
    for round in 0..40_u8 {
        client.0.refresh_traffic_keys().unwrap();
        let mut bytes = client.written();
        bytes.extend(client.say(&[round]));
        assert_eq!(give(&mut server, &bytes, 1).unwrap().0, [round]);
        let out = sent(&mut server, &[round]);
        assert!(out.len() > 1 + RECORD_OVERHEAD, "no answer among {} bytes", out.len());
        assert_eq!(client.read(&out).unwrap(), [round]);
    }
}

#[test]
fn keys_are_renewed_before_they_are_used_up() {
    use rustls::{CipherSuiteCommon, SupportedCipherSuite, Tls13CipherSuite};
    let provider = rustls::crypto::ring::default_provider();
    let suites = provider.cipher_suites.iter().map(|suite| match suite {
        SupportedCipherSuite::Tls13(suite) => {
            let common = CipherSuiteCommon { confidentiality_limit: 4, ..copy(&suite.common) };
            let suite = Tls13CipherSuite {
                common,
                hkdf_provider: suite.hkdf_provider,
                aead_alg: suite.aead_alg,
                quic: suite.quic,
            };
            SupportedCipherSuite::Tls13(Box::leak(Box::new(suite)))
        }
    });
    let provider = CryptoProvider { cipher_suites: suites.collect(), ..provider.clone() };
    let tls = ServerTls::with_provider(&Keypair::ephemeral().unwrap(), Arc::new(provider)).unwrap();
    let (mut server, mut client) = (ServerChannel::new(&tls).unwrap(), Client::new(Manner::anonymous()));
    shake(&mut server, &mut client, usize::MAX).unwrap();
    let mut longest = 0;
    for round in 0..50_u8 {
        let out = sent(&mut server, &[round]);
        longest = longest.max(out.len());
        assert_eq!(client.read(&out).unwrap(), [round]);
        let answer = client.say(&[round]);
        assert_eq!(give(&mut server, &answer, usize::MAX).unwrap().0, [round]);
    }
    assert!(longest > 1 + RECORD_OVERHEAD, "the keys were never renewed");
}

fn copy(common: &rustls::CipherSuiteCommon) -> rustls::CipherSuiteCommon {
    rustls::CipherSuiteCommon {
        suite: common.suite,
        hash_provider: common.hash_provider,
        confidentiality_limit: common.confidentiality_limit,
    }
}

#[test]
fn an_idle_channel_keeps_no_bytes_and_a_busy_one_at_most_a_record() {
    let (mut server, mut client) = connected(Manner::anonymous());
    assert_eq!(server.parts.kept.capacity(), 0);
    let bytes = client.say(&[1; 40_000]);
    let mut plain = Vec::new();
    for piece in bytes.chunks(3000) {
        server.receive(piece, &mut plain, &mut Vec::new()).unwrap();
        assert!(server.parts.kept.len() < MAX_RECORD_BYTES);
        assert!(server.parts.kept.capacity() < 2 * MAX_RECORD_BYTES, "{}", server.parts.kept.capacity());
    }
    assert_eq!(plain.len(), 40_000);
    assert_eq!(server.parts.kept.capacity(), 0);
}

#[test]
fn one_server_proves_the_chat_s_key_to_another_with_that_key_and_to_no_other() {
    let key = Keypair::ephemeral().unwrap();
    let link = ClientTls::new(&key).unwrap();
    let talk = |other: &ServerTls| {
        let mut bytes = Vec::new();
        let mut near = ServerChannel::to_server(&link, key.fingerprint(), &mut bytes)?;
        let mut far = ServerChannel::new(other)?;
        while !bytes.is_empty() {
            let (mut answer, mut plain) = (Vec::new(), Vec::new());
            far.receive(&std::mem::take(&mut bytes), &mut plain, &mut answer)?;
            for piece in answer.chunks(700) {
                near.receive(piece, &mut plain, &mut bytes)?;
            }
        }
        Ok::<_, ChannelError>([near, far])
    };
    let [mut near, mut far] = talk(&ServerTls::new(&key).unwrap()).unwrap();
    assert!(near.is_open() && far.is_open());
    assert_eq!([near.peer_key(), far.peer_key()], [Some(key.fingerprint()); 2]);
    let text = vec![7; 100_000];
    let there = sent(&mut near, &text);
    assert_eq!(give(&mut far, &there, 9999).unwrap().0, text);
    let back = sent(&mut far, &text);
    assert_eq!(give(&mut near, &back, usize::MAX).unwrap().0, text);
    let mut end = Vec::new();
    near.close(&mut end);
    give(&mut far, &end, usize::MAX).unwrap();
    assert_eq!(far.parts.status, Status::Closed);
    assert!(talk(&tls()).is_err());
}
