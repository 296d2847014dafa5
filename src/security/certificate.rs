//! Checks the peer's certificate: the key in it, and the proof that the peer owns that key.
//!
//! Knows no trust: others decide whether it is the right key. Names, dates and issuers in certificates mean
//! nothing, because only the key is the identity.

use crate::fingerprint::Fingerprint;
use crate::limits::MAX_CERTIFICATE_BYTES;
use ring::digest::{SHA256, digest};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring as ring_provider, verify_tls13_signature};
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use std::sync::{Arc, LazyLock};

/// The protocol's name in ALPN (RFC 7301).
pub(super) const ALPN: &[u8] = b"lanchat/1";

/// The name of what browsers speak.
pub(super) const WEB_ALPN: &[u8] = b"http/1.1";

/// The accepted signatures, and so the kinds of keys: ECDSA with P-256, and Ed25519. The preferred one first.
pub(super) const SCHEMES: [SignatureScheme; 2] =
    [SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519];

/// The beginning of a P-256 key's SubjectPublicKeyInfo (RFC 5480 2): the algorithm, and that an uncompressed
/// point of 64 bytes follows.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// The same for an Ed25519 key (RFC 8410 4), before its 32 bytes.
const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The cryptography for TLS, shared by all connections.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(ring_provider::default_provider()));
    PROVIDER.clone()
}

/// The fingerprint of a SubjectPublicKeyInfo in DER; `None`: this kind of key is not accepted. Each accepted
/// key has one encoding, and so one fingerprint.
pub(super) fn fingerprint(spki: &[u8]) -> Option<Fingerprint> {
    let is_accepted = spki.strip_prefix(P256).is_some_and(|point| point.len() == 64)
        || spki.strip_prefix(ED25519).is_some_and(|key| key.len() == 32);
    let hash = digest(&SHA256, spki);
    is_accepted.then(|| hash.as_ref().try_into().ok().map(Fingerprint::new))?
}

/// The same for a key of the kind that browsers sign with.
pub(super) fn p256_fingerprint(spki: &[u8]) -> Option<Fingerprint> {
    fingerprint(spki).filter(|_| spki.starts_with(P256))
}

/// The key in the peer's certificate. The peer has not proved yet that it owns the key.
pub(super) fn presented(
    certificate: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Result<Fingerprint, Error> {
    if !intermediates.is_empty() || certificate.len() > MAX_CERTIFICATE_BYTES {
        return Err(CertificateError::BadEncoding.into());
    }
    let spki = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
    fingerprint(&spki).ok_or_else(|| CertificateError::BadEncoding.into())
}

/// The part of a rustls verifier that clients and servers share: the peer's signature over the handshake proves
/// that it owns the key. TLS 1.2 is never spoken.
macro_rules! verify_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &rustls::pki_types::CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Err(rustls::PeerIncompatible::Tls12NotOffered.into())
        }

        fn verify_tls13_signature(
            &self,
            handshake: &[u8],
            certificate: &rustls::pki_types::CertificateDer<'_>,
            proof: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            crate::security::certificate::verify_proof(handshake, certificate, proof)
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            crate::security::certificate::SCHEMES.to_vec()
        }
    };
}
pub(super) use verify_signatures;

/// Refuses schemes that were not offered.
pub(super) fn verify_proof(
    handshake: &[u8],
    certificate: &CertificateDer<'_>,
    proof: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    if !SCHEMES.contains(&proof.scheme) {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    }
    verify_tls13_signature(handshake, certificate, proof, &provider().signature_verification_algorithms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::PublicKeyData as _;

    #[test]
    fn keys_of_accepted_kinds_have_a_fingerprint_and_others_none() {
        let of = |kind| fingerprint(&rcgen::KeyPair::generate_for(kind).unwrap().subject_public_key_info());
        assert!(of(&rcgen::PKCS_ECDSA_P256_SHA256).is_some());
        assert!(of(&rcgen::PKCS_ED25519).is_some());
        assert_eq!(of(&rcgen::PKCS_ECDSA_P384_SHA384), None);
        assert_eq!(fingerprint(&[]), None);
        assert_eq!(fingerprint(P256), None);
    }
}
