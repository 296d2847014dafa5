//! Keypairs, which identify a server or a user: in a file, or for one run.
//!
//! Knows no connections. Certificates are only envelopes for keys: each start makes a fresh one, so nothing
//! expires or needs renewal.

use super::certificate;
use crate::encoding;
use crate::files;
use crate::fingerprint::Fingerprint;
use crate::limits::MAX_SECRET_FILE_BYTES;
use rcgen::{CertificateParams, DnType, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::{Zeroize as _, Zeroizing};

/// The only name in certificates. It says nothing, and nobody checks it.
pub(super) const CERTIFICATE_NAME: &str = "lanchat.local";

/// A private key with its certificate. Cheap to clone.
#[derive(Clone)]
pub struct Keypair {
    pub(super) certified: Arc<CertifiedKey>,
    fingerprint: Fingerprint,
    /// The private key as it is in the file.
    secret: Arc<Zeroizing<Vec<u8>>>,
}

/// Why there is no keypair.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file does not exist.
    #[error("there is no key in {0} yet; the first start creates it")]
    Missing(PathBuf),
    /// The file cannot be read or written, or others may read it.
    #[error("cannot use the key in {0}: {1}{remedy}", remedy = remedy(.1))]
    Unusable(PathBuf, io::Error),
    /// The file holds something else.
    #[error(
        "{0} does not hold a private key (PKCS#8, ECDSA P-256); restore a copy, or delete the file to start with a new key"
    )]
    Damaged(PathBuf),
    /// The cryptography failed.
    #[error("cannot create a key: {0}")]
    Failed(String),
}

/// The remedy, where the error does not name it.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some disk space",
        _ => "",
    }
}

impl Keypair {
    /// Loads the keypair; generates it if the file does not exist. Processes that do so at once all get the
    /// same key.
    ///
    /// # Errors
    /// See [`KeyError`]; never [`KeyError::Missing`].
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        match Self::load(path) {
            Err(KeyError::Missing(_)) => {}
            loaded => return loaded,
        }
        let mut key = generate()?;
        let pem = Zeroizing::new(key.serialize_pem());
        let made = files::create(path, pem.as_bytes());
        match made {
            Ok(()) => Self::new(&mut key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(KeyError::Unusable(path.into(), error)),
        }
    }

    /// Loads the keypair from a file.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::from_content(path, files::read_secret(path, MAX_SECRET_FILE_BYTES))
    }

    /// Loads the keypair from a file or pipe that a user has named. Another user, such as the service
    /// manager, may own the file.
    pub fn load_named(path: &Path) -> Result<Self, KeyError> {
        Self::from_content(path, files::read_named_secret(path, MAX_SECRET_FILE_BYTES))
    }

    fn from_content(path: &Path, content: io::Result<Zeroizing<Vec<u8>>>) -> Result<Self, KeyError> {
        let pem = text_of(path, content)?;
        Self::from_pem(&pem).ok_or_else(|| KeyError::Damaged(path.into()))
    }

    /// The keypair of a key in PEM; `None`: it is something else, or a key of another kind.
    pub fn from_pem(pem: &str) -> Option<Self> {
        let mut key = rcgen::KeyPair::from_pem(pem).ok()?;
        Self::new(&mut key).ok()
    }

    /// A new key in PEM, for a file on another machine.
    ///
    /// # Errors
    /// If the system provides no random numbers.
    pub fn new_pem() -> Result<Zeroizing<String>, KeyError> {
        let mut key = generate()?;
        let pem = Zeroizing::new(key.serialize_pem());
        key.zeroize();
        Ok(pem)
    }

    /// The key in a file as it is, in PEM, for a file on another machine.
    ///
    /// # Errors
    /// Those of [`Keypair::load`].
    pub fn load_pem(path: &Path) -> Result<Zeroizing<String>, KeyError> {
        let pem = text_of(path, files::read_secret(path, MAX_SECRET_FILE_BYTES))?;
        match Self::from_pem(&pem) {
            Some(_) => Ok(pem),
            None => Err(KeyError::Damaged(path.into())),
        }
    }

    /// Generates a keypair for this run; fails if the system provides no random numbers.
    pub fn ephemeral() -> Result<Self, KeyError> {
        Self::new(&mut generate()?)
    }

    /// From which all who have the key derive the same other keys.
    pub(super) fn seal_secret(&self) -> &[u8] {
        &self.secret
    }

    /// Identifies the owner.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Takes what it needs from `key`, and wipes the rest.
    pub(super) fn new(key: &mut rcgen::KeyPair) -> Result<Self, KeyError> {
        let made = Self::certify(key);
        key.zeroize();
        made
    }

    fn certify(key: &rcgen::KeyPair) -> Result<Self, KeyError> {
        let failed = |error: rcgen::Error| KeyError::Failed(error.to_string());
        let fingerprint = certificate::fingerprint(&key.subject_public_key_info())
            .ok_or_else(|| KeyError::Failed("keys of this kind are not accepted".into()))?;
        let certificate = parameters().and_then(|parameters| parameters.self_signed(key)).map_err(failed)?;
        let secret = Arc::new(Zeroizing::new(key.serialized_der().to_vec()));
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialized_der()));
        let signing = any_supported_type(&private).map_err(|error| KeyError::Failed(error.to_string()))?;
        let certified = CertifiedKey::new(vec![certificate.into()], signing);
        Ok(Self { certified: Arc::new(certified), fingerprint, secret })
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keypair").field(&self.fingerprint).finish()
    }
}

/// The text of a file with a key.
fn text_of(path: &Path, content: io::Result<Zeroizing<Vec<u8>>>) -> Result<Zeroizing<String>, KeyError> {
    let content = content.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyError::Missing(path.into()),
        io::ErrorKind::InvalidData => KeyError::Damaged(path.into()),
        _ => KeyError::Unusable(path.into(), error),
    })?;
    let (text, _) = encoding::decode(&content).map_err(|_| KeyError::Damaged(path.into()))?;
    Ok(Zeroizing::new(text))
}

fn generate() -> Result<rcgen::KeyPair, KeyError> {
    rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| KeyError::Failed(error.to_string()))
}

/// The content of a certificate, except the key.
pub(super) fn parameters() -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new([CERTIFICATE_NAME.to_owned()])?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, CERTIFICATE_NAME);
    // Means "never" in certificates (RFC 5280 4.1.2.5).
    parameters.not_after = rcgen::date_time_ymd(9999, 12, 31);
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_key_stays_the_same_and_each_run_without_a_file_has_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made").join("server.pem");
        assert!(matches!(Keypair::load(&path), Err(KeyError::Missing(_))));
        assert!(!path.parent().unwrap().exists(), "load has made something");
        let first = Keypair::load_or_create(&path).unwrap();
        assert_eq!(Keypair::load_or_create(&path).unwrap().fingerprint(), first.fingerprint());
        assert_eq!(Keypair::load(&path).unwrap().fingerprint(), first.fingerprint());
        assert_ne!(Keypair::ephemeral().unwrap().fingerprint(), Keypair::ephemeral().unwrap().fingerprint());
    }

    #[test]
    fn of_many_first_starts_at_once_all_have_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("client.pem");
        let start = std::sync::Barrier::new(8);
        let fingerprints: Vec<_> = std::thread::scope(|scope| {
            let run = || {
                start.wait();
                Keypair::load_or_create(&path).unwrap().fingerprint()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(fingerprints.iter().all(|one| *one == fingerprints[0]), "{fingerprints:?}");
        assert_eq!(Keypair::load(&path).unwrap().fingerprint(), fingerprints[0]);
    }

    #[test]
    fn a_key_that_went_through_an_editor_is_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.pem");
        let key = Keypair::load_or_create(&path).unwrap().fingerprint();
        // Windows' own line ends become those that `saved` expects.
        let pem = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        for saved in encoding::saved(&pem) {
            files::replace(&path, &saved).unwrap();
            assert_eq!(Keypair::load(&path).unwrap().fingerprint(), key, "{saved:?}");
        }
    }

    #[test]
    fn a_damaged_file_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.pem");
        let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
        let p256 = generate().unwrap().serialize_pem();
        let long = format!("{p256}{}", " ".repeat(MAX_SECRET_FILE_BYTES));
        for content in ["", "garbage", &p384, &p256[..p256.len() / 2], &long, "\u{fffd}"] {
            files::replace(&path, content.as_bytes()).unwrap();
            let error = Keypair::load_or_create(&path).unwrap_err();
            assert!(matches!(error, KeyError::Damaged(_)), "{content:?}: {error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        files::replace(&path, &[0xff, 0xfe]).unwrap();
        assert!(matches!(Keypair::load(&path), Err(KeyError::Damaged(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.pem");
        Keypair::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Keypair::load_or_create(&path).unwrap_err().to_string();
        let path = path.display();
        assert_eq!(
            error,
            format!(
                "cannot use the key in {path}: mode 644; it must not be readable by others (chmod 600 {path})"
            )
        );
    }
}
