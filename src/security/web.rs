//! Cryptography for browsers: the answer to an upgrade, the proof of a key by a signature, and the hashes of
//! tickets.

use super::certificate;
use crate::fingerprint::Fingerprint;
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

/// Joined to a client's key in an upgrade (RFC 6455 1.3).
const WEBSOCKET_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The point at the end of a P-256 key's SubjectPublicKeyInfo, uncompressed (RFC 5480 2.2).
const POINT_BYTES: usize = 65;

/// Takes padding or its absence: browsers write it, and programs often do not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The value of `Sec-WebSocket-Accept` for a client's `Sec-WebSocket-Key` (RFC 6455 4.2.2).
pub fn websocket_accept(key: &str) -> String {
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{WEBSOCKET_GUID}").as_bytes()))
}

/// Whether a `Sec-WebSocket-Key` is 16 bytes in base64.
pub fn is_websocket_key(key: &str) -> bool {
    STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

/// The key that a browser has proved to own: a P-256 key as SubjectPublicKeyInfo, and a signature over `message`, both in
/// base64. `None`: it has not.
pub fn proven_key(key: &str, signature: &str, message: &str) -> Option<Fingerprint> {
    let spki = LENIENT.decode(key).ok()?;
    let signature = LENIENT.decode(signature).ok()?;
    let fingerprint = certificate::p256_fingerprint(&spki)?;
    let point = spki.get(spki.len().checked_sub(POINT_BYTES)?..)?;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(message.as_bytes(), &signature).is_ok().then_some(fingerprint)
}

/// The hash of a ticket, which the server keeps in its place.
pub fn ticket_hash(ticket: &str) -> [u8; 32] {
    digest_of(ticket.as_bytes())
}

/// The SHA-256 digest.
pub fn digest_of(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::PublicKeyData as _;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

    fn signed(message: &str) -> (rcgen::KeyPair, String) {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.serialize_der(), &random);
        let signature = pair.unwrap().sign(&random, message.as_bytes()).unwrap();
        (key, STANDARD.encode(signature))
    }

    #[test]
    fn the_accepted_key_is_the_one_of_the_standard() {
        // RFC 6455 1.3.
        assert_eq!(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(is_websocket_key("dGhlIHNhbXBsZSBub25jZQ=="));
        for key in ["", "dGhlIHNhbXBsZSBub25jZQ", "AAAA", "dGhlIHNhbXBsZSBub25jZQ== x"] {
            assert!(!is_websocket_key(key), "{key}");
        }
    }

    #[test]
    fn a_signature_proves_the_key_over_exactly_that_message() {
        let (key, signature) = signed("yes");
        let spki = key.subject_public_key_info();
        let text = STANDARD.encode(&spki);
        assert_eq!(proven_key(&text, &signature, "yes"), certificate::fingerprint(&spki));
        assert!(proven_key(text.trim_end_matches('='), signature.trim_end_matches('='), "yes").is_some());
        assert_eq!(proven_key(&text, &signature, "no"), None);
        let other = STANDARD.encode(signed("yes").0.subject_public_key_info());
        assert_eq!(proven_key(&other, &signature, "yes"), None);
        for (key, signature) in [("", ""), (text.as_str(), ""), ("%", &signature), (&text[4..], &signature)] {
            assert_eq!(proven_key(key, signature, "yes"), None);
        }
        let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        assert_eq!(proven_key(&STANDARD.encode(p384.subject_public_key_info()), &signature, "yes"), None);
        let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        assert_eq!(proven_key(&STANDARD.encode(ed25519.subject_public_key_info()), &signature, "yes"), None);
    }
}
