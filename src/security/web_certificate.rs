//! The server's certificate for browsers.
//!
//! Browsers know no pin: a person who goes on after the warning makes an exception for this certificate, not for its key.
//! So unlike the one that lanchat's own clients see, it is kept, and renewed only shortly before its end, or for
//! another key. It does not change with the machine's addresses: an exception belongs to the address in the browser's
//! line as well, so people are asked at a new one in any case, and those who go by name would be asked for nothing.

use super::keys::Keypair;
use super::page_certificate::CertificateChain;
use crate::files;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_WEB_CERTIFICATE_BYTES, WEB_CERTIFICATE_DAYS, WEB_CERTIFICATE_RENEWED};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
    SignatureAlgorithm,
};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A certificate with its key.
#[derive(Clone)]
pub struct WebCertificate {
    certified: Arc<CertifiedKey>,
    /// Whether an administrator has given it.
    is_given: bool,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum WebCertificateError {
    /// The file cannot be read or written.
    #[error("cannot use the certificate for browsers in {0}: {1}; {remedy}", remedy = remedy(.1))]
    Unusable(PathBuf, io::Error),
    /// The file holds something else.
    #[error("{0} holds no certificate or key in PEM; name the files that your authority has made")]
    Damaged(PathBuf),
    /// The key cannot be read without a passphrase.
    #[error(
        "the key in {0} is encrypted, and the server asks nobody for a passphrase; write it without one: openssl pkey \
         -in {0} -out FILE"
    )]
    EncryptedKey(PathBuf),
    /// The certificate of the key is not the first one.
    #[error(
        "the first certificate in {0} is not the server's own but one of those above it; put the server's first"
    )]
    WrongOrder(PathBuf),
    /// They do not belong together.
    #[error(
        "the key in {0} is not the one of the certificate in {1}; name the two files that belong together"
    )]
    Mismatch(PathBuf, PathBuf),
    /// The cryptography failed.
    #[error("cannot make a certificate for browsers: {0}")]
    Failed(String),
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "name a file that exists",
        _ => "make the file readable for the server's user",
    }
}

/// A certificate as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptCertificate {
    /// The key that it is for.
    key: String,
    /// Its last day.
    until: Date,
    certificate: String,
}

impl WebCertificate {
    /// The kept certificate, or a new one for these names and addresses if the file does not exist or the certificate ends soon.
    ///
    /// # Errors
    /// If the file cannot be read or written. A damaged one is replaced: it holds nothing of value.
    pub fn keep(
        path: Option<&Path>,
        key: &Keypair,
        names: &WebNames,
        now: Timestamp,
    ) -> Result<Self, WebCertificateError> {
        let today = now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let kept = path.map_or(Ok(None), |path| load(path, key.fingerprint(), today))?;
        let der = match kept {
            Some(der) => der,
            None => {
                // Its first day is yesterday.
                let until = today.saturating_add((i64::from(WEB_CERTIFICATE_DAYS) - 1).days());
                let der = make(key, names, today, until)?;
                let kept = KeptCertificate {
                    key: key.fingerprint().to_string(),
                    until,
                    certificate: STANDARD.encode(&der),
                };
                if let Some(path) = path {
                    let content = serde_json::to_vec(&kept).unwrap_or_default();
                    files::replace(path, &content)
                        .map_err(|error| WebCertificateError::Unusable(path.into(), error))?;
                }
                der
            }
        };
        let certified = Arc::new(CertifiedKey::new(vec![der], Arc::clone(&key.certified.key)));
        Ok(Self { certified, is_given: false })
    }

    /// A certificate that an authority has made, with those between, and its key.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, WebCertificateError> {
        let content = files::read_named(certificate, MAX_WEB_CERTIFICATE_BYTES)
            .map_err(|error| WebCertificateError::Unusable(certificate.into(), error))?;
        let chain = CertificateDer::pem_slice_iter(&content)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| WebCertificateError::Damaged(certificate.into()))?;
        if chain.is_empty() {
            return Err(WebCertificateError::Damaged(certificate.into()));
        }
        let damaged = || WebCertificateError::Damaged(key.into());
        let private = files::read_named_secret(key, MAX_WEB_CERTIFICATE_BYTES)
            .map_err(|error| WebCertificateError::Unusable(key.into(), error))?;
        let unreadable = || match is_encrypted(&private) {
            true => WebCertificateError::EncryptedKey(key.into()),
            false => damaged(),
        };
        let private = PrivateKeyDer::from_pem_slice(&private).map_err(|_| unreadable())?;
        let signing: Arc<dyn SigningKey> = any_supported_type(&private).map_err(|_| damaged())?;
        let fits = |chain: Vec<CertificateDer<'static>>| {
            let certified = CertifiedKey::new(chain, Arc::clone(&signing));
            certified.keys_match().is_ok().then_some(certified)
        };
        if let Some(certified) = fits(chain.clone()) {
            return Ok(Self { certified: Arc::new(certified), is_given: true });
        }
        Err(match chain.into_iter().skip(1).any(|other| fits(vec![other]).is_some()) {
            true => WebCertificateError::WrongOrder(certificate.into()),
            false => WebCertificateError::Mismatch(key.into(), certificate.into()),
        })
    }

    /// The SHA-256 of the certificate that a server has kept in this file; `None`: it has kept none.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn kept_sha256(path: &Path) -> io::Result<Option<Fingerprint>> {
        let content = match files::read_secret(path, MAX_WEB_CERTIFICATE_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            content => content?,
        };
        let kept = serde_json::from_slice::<KeptCertificate>(&content)?;
        let der = STANDARD.decode(kept.certificate).map_err(io::Error::other)?;
        Ok(Some(CertificateChain::new(vec![CertificateDer::from(der)]).sha256()))
    }

    /// Whether an administrator has given it to the server, which otherwise makes its own.
    pub fn is_given(&self) -> bool {
        self.is_given
    }

    /// The certificates that browsers get.
    pub fn chain(&self) -> CertificateChain {
        CertificateChain::new(self.certified.cert.clone())
    }

    /// Its SHA-256, as browsers show it.
    pub fn sha256(&self) -> Fingerprint {
        self.chain().sha256()
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

impl fmt::Debug for WebCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebCertificate").field(&self.sha256()).finish()
    }
}

/// Names and addresses that people may type to reach the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebNames {
    pub names: Vec<String>,
    pub addresses: Vec<IpAddr>,
}

/// `None`: the file does not exist, or the certificate has to be renewed.
fn load(
    path: &Path,
    key: Fingerprint,
    today: Date,
) -> Result<Option<CertificateDer<'static>>, WebCertificateError> {
    let content = match files::read_secret(path, MAX_WEB_CERTIFICATE_BYTES) {
        Ok(content) => content,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            return Ok(None);
        }
        Err(error) => return Err(WebCertificateError::Unusable(path.into(), error)),
    };
    let Ok(kept) = serde_json::from_slice::<KeptCertificate>(&content) else { return Ok(None) };
    let soon = today.saturating_add(i64::from(WEB_CERTIFICATE_RENEWED).days());
    let is_good = kept.key == key.to_string() && kept.until >= soon;
    let der = STANDARD.decode(kept.certificate).ok().filter(|_| is_good);
    Ok(der.map(CertificateDer::from))
}

/// Whether a key in PEM needs a passphrase: PKCS #8, or older formats (RFC 1421).
fn is_encrypted(pem: &[u8]) -> bool {
    let pem = String::from_utf8_lossy(pem);
    pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED")
}

fn make(
    key: &Keypair,
    names: &WebNames,
    from: Date,
    until: Date,
) -> Result<CertificateDer<'static>, WebCertificateError> {
    let failed = |error: rcgen::Error| WebCertificateError::Failed(error.to_string());
    let mut parameters = CertificateParams::new(names.names.clone()).map_err(failed)?;
    parameters.subject_alt_names.extend(names.addresses.iter().copied().map(SanType::IpAddress));
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    let name = names.names.first().map_or("lanchat", String::as_str);
    parameters.distinguished_name.push(DnType::CommonName, name);
    // Some clocks are a day behind.
    let [(from_year, from_month, from_day), (year, month, day)] =
        [from.saturating_sub(1.day()), until].map(year_month_day);
    parameters.not_before = rcgen::date_time_ymd(from_year, from_month, from_day);
    parameters.not_after = rcgen::date_time_ymd(year, month, day);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = &*key.certified.key;
    let spki = key.public_key().filter(|spki| super::certificate::p256_fingerprint(spki).is_some());
    let point = spki.as_deref().and_then(<[u8]>::last_chunk).copied();
    let point =
        point.ok_or_else(|| WebCertificateError::Failed("the server's key is not a P-256 key".into()))?;
    Ok(parameters.self_signed(&ServerKey { key, point }).map_err(failed)?.into())
}

/// As certificates have it.
fn year_month_day(date: Date) -> (i32, u8, u8) {
    let part = |part: i8| u8::try_from(part).unwrap_or(1);
    (date.year().into(), part(date.month()), part(date.day()))
}

/// The server's key, which signs its own certificate.
struct ServerKey<'a> {
    key: &'a dyn SigningKey,
    /// Uncompressed.
    point: [u8; 65],
}

impl rcgen::PublicKeyData for ServerKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for ServerKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signer = self.key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]);
        let signer = signer.ok_or(rcgen::Error::RemoteKeyError)?;
        signer.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

#[cfg(test)]
impl WebCertificate {
    /// One that vouches for itself, for these names and from one year to another; also its file.
    pub(crate) fn sample(dir: &Path, names: &[&str], (from, until): (i32, i32)) -> (Self, PathBuf) {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        (parameters.not_before, parameters.not_after) =
            (rcgen::date_time_ymd(from, 1, 1), rcgen::date_time_ymd(until, 1, 1));
        let (file, key_file) = (dir.join("cert.pem"), dir.join("key.pem"));
        files::replace(&file, parameters.self_signed(&key).unwrap().pem().as_bytes()).unwrap();
        files::replace(&key_file, key.serialize_pem().as_bytes()).unwrap();
        (Self::load(&file, &key_file).unwrap(), file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> WebNames {
        WebNames { names: vec!["office-3f9a1c77.local".into()], addresses: vec![[192, 168, 1, 20].into()] }
    }

    fn day(days: i64) -> Timestamp {
        let start: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        start + jiff::SignedDuration::from_hours(24 * days)
    }

    #[test]
    fn a_certificate_stays_over_restarts_until_shortly_before_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("web"), Keypair::ephemeral().unwrap());
        let of = |key: &Keypair, days| WebCertificate::keep(Some(&path), key, &names(), day(days)).unwrap();
        let first = of(&key, 0);
        assert_eq!(of(&key, 1).sha256(), first.sha256());
        assert_eq!(of(&key, 396 - 30).sha256(), first.sha256());
        let second = of(&key, 396 - 29);
        assert_ne!(second.sha256(), first.sha256());
        let third = of(&Keypair::ephemeral().unwrap(), 396 - 29);
        assert_ne!(third.sha256(), second.sha256(), "another key");
        std::fs::write(&path, "{").unwrap();
        assert_ne!(of(&key, 0).sha256(), third.sha256(), "a damaged one holds nothing of value");
    }

    #[test]
    fn it_names_what_people_type_and_is_for_the_server_s_key() {
        let key = Keypair::ephemeral().unwrap();
        let certificate = WebCertificate::keep(None, &key, &names(), day(0)).unwrap();
        let der = certificate.certified().cert[0].clone();
        let has = |part: &[u8]| der.windows(part.len()).any(|window| window == part);
        assert!(has(b"office-3f9a1c77.local"));
        assert!(has(&[0x87, 4, 192, 168, 1, 20]), "an address");
        let parsed = rustls::server::ParsedCertificate::try_from(&der).unwrap();
        let spki = parsed.subject_public_key_info();
        assert_eq!(super::super::certificate::fingerprint(&spki), Some(key.fingerprint()));
    }

    #[test]
    fn a_certificate_of_an_authority_needs_its_own_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = dir.path().join(name);
            files::replace(&path, content.as_bytes()).unwrap();
            path
        };
        let make = || {
            let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
            let certificate =
                CertificateParams::new(["chat.example".into()]).unwrap().self_signed(&key).unwrap();
            (certificate.pem(), key.serialize_pem())
        };
        let ((certificate, key), (_, other)) = (make(), make());
        let (certificate, key) = (file("cert.pem", &certificate), file("key.pem", &key));
        assert!(WebCertificate::load(&certificate, &key).is_ok());
        let other = file("other.pem", &other);
        assert!(matches!(WebCertificate::load(&certificate, &other), Err(WebCertificateError::Mismatch(..))));
        assert!(matches!(WebCertificate::load(&key, &key), Err(WebCertificateError::Damaged(_))));
        assert!(matches!(
            WebCertificate::load(&certificate, &certificate),
            Err(WebCertificateError::Damaged(_))
        ));
        let both =
            file("both.pem", &format!("{}{}", make().0, std::fs::read_to_string(&certificate).unwrap()));
        assert!(matches!(WebCertificate::load(&both, &key), Err(WebCertificateError::WrongOrder(_))));
        for locked in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIB\n\
             -----END RSA PRIVATE KEY-----\n",
        ] {
            let locked = WebCertificate::load(&certificate, &file("locked.pem", locked));
            assert!(matches!(locked, Err(WebCertificateError::EncryptedKey(_))), "{locked:?}");
        }
        let gone = dir.path().join("gone");
        assert!(matches!(WebCertificate::load(&gone, &key), Err(WebCertificateError::Unusable(..))));
    }
}
