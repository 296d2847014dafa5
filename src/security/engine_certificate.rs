//! Certificates for the engine: the servers of a chat and their engines know each other by them, and let nobody
//! else in.
//!
//! An authority signs one certificate per server, and its key is gone afterwards: nobody can add a server with
//! an old backup of it. Unlike lanchat's own certificates, others than lanchat check these: names, dates and
//! uses count.

use super::certificate::provider;
use crate::limits::{CLOCK_FLOOR, ENGINE_CERTIFICATE_YEARS};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, RootCertStore};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use zeroize::{Zeroize as _, Zeroizing};

/// Why there are no certificates, or why one is of no use.
#[derive(Debug, thiserror::Error)]
pub enum EngineCertificateError {
    /// The end of the certificates depends on the clock.
    #[error(
        "this machine's clock shows {}, so the certificates would have ended already; set the clock",
        .0.strftime("%Y-%m-%d")
    )]
    WrongClock(Timestamp),
    /// The cryptography failed.
    #[error("cannot make a certificate for the engine: {0}")]
    Failed(String),
    /// It cannot be read, or it was changed.
    #[error("{0} holds no certificate or key in PEM, or one that was changed")]
    Damaged(&'static str),
    /// They do not belong together.
    #[error("the key is not the one of the certificate")]
    Mismatch,
    /// It has ended.
    #[error("the certificate has ended")]
    Ended,
    /// Another authority has made it, or it is for another server.
    #[error("the certificate is of no use here: {0}")]
    Refused(String),
}

/// An uncompressed point of the curve.
const P256_POINT_BYTES: usize = 65;

/// The algorithm of the authority's signatures (RFC 5758 3.2).
const ECDSA_WITH_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

/// Signs the certificates of a chat's servers. The key is wiped when dropped.
pub struct EngineAuthority {
    issuer: Issuer<'static, WipedKey>,
    certificate: String,
    until: Date,
}

/// A server's certificate with its key, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct EngineIdentity {
    pub certificate: String,
    pub key: Zeroizing<String>,
}

/// Shows no key.
impl fmt::Debug for EngineIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineIdentity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl fmt::Debug for EngineAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineAuthority").field("until", &self.until).finish_non_exhaustive()
    }
}

impl EngineAuthority {
    /// A new authority.
    ///
    /// # Errors
    /// If the clock is wrong, or the system provides no random numbers.
    pub fn new(now: Timestamp) -> Result<Self, EngineCertificateError> {
        if now.as_second() < CLOCK_FLOOR {
            return Err(EngineCertificateError::WrongClock(now));
        }
        let today = now.to_zoned_datetime(TimeZone::UTC).date();
        let until = today.saturating_add(ENGINE_CERTIFICATE_YEARS.years());
        let key = WipedKey::generate()?;
        let mut parameters = parameters("lanchat engine", until);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = parameters.self_signed(&key.0).map_err(failed)?.pem();
        Ok(Self { issuer: Issuer::new(parameters, key), certificate, until })
    }

    /// Its certificate in PEM, by which the engines and lanchat check those of the others.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The last day of its certificates.
    pub fn until(&self) -> Date {
        self.until
    }

    /// Makes the certificate of a server, which others reach at `host`, a name or an address. It is good for
    /// both ends of a connection: an engine connects to others, too.
    ///
    /// # Errors
    /// If the host cannot be in a certificate, or the system provides no random numbers.
    pub fn issue(&self, node: &str, host: &str) -> Result<EngineIdentity, EngineCertificateError> {
        let mut parameters = parameters(node, self.until);
        parameters.subject_alt_names = vec![match host.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(host.try_into().map_err(failed)?),
        }];
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        parameters.use_authority_key_identifier_extension = true;
        let key = WipedKey::generate()?;
        let certificate = parameters.signed_by(&key.0, &self.issuer).map_err(failed)?.pem();
        Ok(EngineIdentity { certificate, key: Zeroizing::new(key.0.serialize_pem()) })
    }
}

impl EngineIdentity {
    /// Checks that key and certificate belong together, and that others who know `authority` accept them now
    /// from the server at `host`.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self, authority: &str, host: &str, now: Timestamp) -> Result<(), EngineCertificateError> {
        let read = |pem: &str, what| {
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| EngineCertificateError::Damaged(what))
        };
        let (own, authority) = (read(&self.certificate, "certificate")?, read(authority, "ca")?);
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).ok();
        let signing = key.and_then(|key| any_supported_type(&key).ok());
        let signing = signing.ok_or(EngineCertificateError::Damaged("key"))?;
        if CertifiedKey::new(vec![own.clone()], signing).keys_match().is_err() {
            return Err(EngineCertificateError::Mismatch);
        }
        let refused = |error: &dyn fmt::Display| EngineCertificateError::Refused(error.to_string());
        if !is_intact(&authority) {
            return Err(EngineCertificateError::Damaged("ca"));
        }
        let mut roots = RootCertStore::empty();
        roots.add(authority).map_err(|error| refused(&error))?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().unsigned_abs()));
        let checked = verifier.map_err(|error| refused(&error))?.verify_client_cert(&own, &[], time);
        checked.map_err(|error| match error {
            Error::InvalidCertificate(CertificateError::ExpiredContext { .. }) => {
                EngineCertificateError::Ended
            }
            Error::InvalidCertificate(CertificateError::BadSignature) => {
                refused(&"it was changed, or the authority in ca has not signed it")
            }
            error => refused(&error),
        })?;
        let name = ServerName::try_from(host).map_err(|error| refused(&error))?;
        let parsed = ParsedCertificate::try_from(&own).map_err(|error| refused(&error))?;
        rustls::client::verify_server_name(&parsed, &name).map_err(|error| refused(&error))
    }
}

/// Whether an authority's certificate has the signature of its own key. Checks of other certificates do
/// not look at it, and an engine may find the damage much later.
fn is_intact(authority: &CertificateDer<'_>) -> bool {
    let signed = || {
        let (_, content, []) = element(authority)? else { return None };
        let (body, _, rest) = element(content)?;
        let (algorithm, _, rest) = element(rest)?;
        let (_, signature, []) = element(rest)? else { return None };
        let key = ParsedCertificate::try_from(authority).ok()?.subject_public_key_info();
        let point = key.len().checked_sub(P256_POINT_BYTES).and_then(|start| key.get(start..))?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        // A string of bits begins with the number of bits that do not count.
        let is_signed = key.verify(body, signature.strip_prefix(&[0])?).is_ok();
        Some(is_signed && algorithm == ECDSA_WITH_SHA256)
    };
    signed().unwrap_or_default()
}

/// The first element of DER, its content, and what follows.
fn element(der: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (head, length) = match *der {
        [_, length @ ..=0x7f, ..] => (2, u16::from(length)),
        [_, 0x81, length, ..] => (3, u16::from(length)),
        [_, 0x82, high, low, ..] => (4, u16::from_be_bytes([high, low])),
        _ => return None,
    };
    let end = head + usize::from(length);
    Some((der.get(..end)?, der.get(head..end)?, der.get(end..)?))
}

/// The content of each of them: a name, a beginning and an end.
fn parameters(name: &str, until: Date) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    // A machine without a battery starts with a clock years behind, and the engine should start even then. So
    // the first day stays the library's, 1975-01-01, as in lanchat's other certificates.
    let part = |part: i8| u8::try_from(part).unwrap_or(1);
    parameters.not_after = rcgen::date_time_ymd(until.year().into(), part(until.month()), part(until.day()));
    parameters
}

fn failed(error: rcgen::Error) -> EngineCertificateError {
    EngineCertificateError::Failed(error.to_string())
}

/// A key that is wiped when dropped.
struct WipedKey(KeyPair);

impl WipedKey {
    fn generate() -> Result<Self, EngineCertificateError> {
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map(Self).map_err(failed)
    }
}

impl Drop for WipedKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl rcgen::PublicKeyData for WipedKey {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl rcgen::SigningKey for WipedKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_certificate_is_good_for_its_host_from_long_ago_and_for_ten_years() {
        let authority = EngineAuthority::new(now()).unwrap();
        assert_eq!(authority.until().to_string(), "2036-11-28");
        for host in ["192.168.1.21", "fd00::21", "chat-a.example"] {
            let identity = authority.issue("a", host).unwrap();
            for time in ["1980-01-01T00:00:00Z", "2026-11-28T12:00:00Z", "2036-11-27T00:00:00Z"] {
                identity.check(authority.certificate(), host, time.parse().unwrap()).unwrap();
            }
            let late = identity.check(authority.certificate(), host, "2036-11-29T00:00:00Z".parse().unwrap());
            assert!(matches!(late, Err(EngineCertificateError::Ended)), "{late:?}");
            let elsewhere = identity.check(authority.certificate(), "192.168.1.22", now());
            assert!(matches!(elsewhere, Err(EngineCertificateError::Refused(_))), "{elsewhere:?}");
        }
        assert!(authority.issue("a", "b\u{fc}ro").is_err());
    }

    #[test]
    fn a_certificate_of_another_authority_and_another_key_are_refused() {
        let (one, other) = (EngineAuthority::new(now()).unwrap(), EngineAuthority::new(now()).unwrap());
        let (a, b) = (one.issue("a", "10.0.0.1").unwrap(), one.issue("b", "10.0.0.2").unwrap());
        let refused = a.check(other.certificate(), "10.0.0.1", now());
        assert!(matches!(refused, Err(EngineCertificateError::Refused(_))), "{refused:?}");
        let mixed = EngineIdentity { key: b.key.clone(), ..a.clone() };
        let refused = mixed.check(one.certificate(), "10.0.0.1", now());
        assert!(matches!(refused, Err(EngineCertificateError::Mismatch)), "{refused:?}");
        let cut = EngineIdentity { certificate: a.certificate[..90].to_owned(), ..a };
        let refused = cut.check(one.certificate(), "10.0.0.1", now());
        assert!(matches!(refused, Err(EngineCertificateError::Damaged("certificate"))), "{refused:?}");
    }

    #[test]
    fn whichever_byte_of_them_is_changed_they_are_refused() {
        use base64::Engine as _;
        let authority = EngineAuthority::new(now()).unwrap();
        let identity = authority.issue("a", "10.0.0.1").unwrap();
        let texts = [authority.certificate(), &identity.certificate, &identity.key];
        for (part, name) in ["ca", "certificate", "key"].into_iter().enumerate() {
            let (head, body) = texts[part].split_once("-----\n").unwrap();
            let (body, foot) = body.split_once("-----").unwrap();
            let base64 = base64::engine::general_purpose::STANDARD;
            let der = base64.decode(body.replace('\n', "")).unwrap();
            for (at, bit) in (0..der.len()).flat_map(|at| [(at, 1), (at, 0x40)]) {
                let mut changed = der.clone();
                changed[at] ^= bit;
                let changed = format!("{head}-----\n{}\n-----{foot}", base64.encode(changed));
                let mut texts = texts;
                texts[part] = &changed;
                let identity =
                    EngineIdentity { certificate: texts[1].into(), key: Zeroizing::new(texts[2].into()) };
                let checked = identity.check(texts[0], "10.0.0.1", now());
                assert!(checked.is_err(), "{name}: byte {at} of {}: {bit}", der.len());
            }
        }
    }

    #[test]
    fn nobody_makes_certificates_by_a_clock_that_was_never_set() {
        let error = EngineAuthority::new("1970-01-01T00:05:00Z".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("shows 1970-01-01") && error.ends_with("; set the clock"), "{error}");
    }

    #[test]
    fn no_key_is_in_what_a_log_would_show() {
        let authority = EngineAuthority::new(now()).unwrap();
        let identity = authority.issue("a", "10.0.0.1").unwrap();
        let shown = format!("{authority:?} {identity:?}");
        assert!(shown.contains("BEGIN CERTIFICATE") && !shown.contains("PRIVATE"), "{shown}");
    }
}
