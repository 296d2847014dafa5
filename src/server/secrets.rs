//! The secrets that make a client an operator, and the passphrase of a closed server.

use crate::fingerprint::Fingerprint;
use crate::security::{Keypair, Passphrase, SecretMarks};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// A closed server's passphrase, to check clients.
#[derive(Debug)]
pub(super) struct ClosedServer {
    passphrase: Mutex<Passphrase>,
    /// The server's own key, to which each proof is bound.
    pub(super) key: Fingerprint,
    marks: SecretMarks,
}

impl ClosedServer {
    pub(super) fn new(passphrase: Passphrase, keys: &Keypair) -> Self {
        let (key, marks) = (keys.fingerprint(), SecretMarks::new(keys));
        Self { passphrase: Mutex::new(passphrase), key, marks }
    }

    /// By which the other servers of the chat see whether theirs is another one.
    pub(super) fn mark(&self) -> String {
        self.marks.of(self.passphrase().as_str().as_bytes())
    }

    pub(super) fn passphrase(&self) -> Passphrase {
        self.passphrase.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the passphrase for later newcomers; members stay members. `false`: it is the same.
    pub(super) fn replace(&self, passphrase: Passphrase) -> bool {
        let mut current = self.passphrase.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *current != passphrase;
        *current = passphrase;
        is_new
    }
}

/// A number that nobody can guess; `None`: the system has none at the moment.
pub(super) fn random() -> Option<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok().map(|()| u128::from_ne_bytes(bytes))
}

/// Secrets that make a client an operator; new at each start.
pub(super) struct IssuedSecrets {
    /// To be typed, such as `4827-1163`: 26 bits, single use, for a few attempts and minutes.
    pub(super) code: String,
    /// To be read from a file: 32 hexadecimal digits.
    pub(super) token: String,
    /// No secret: tells this start of the server from others. 16 hexadecimal digits.
    pub(super) run: String,
}

/// Shows none of them.
impl fmt::Debug for IssuedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedSecrets").finish_non_exhaustive()
    }
}

impl IssuedSecrets {
    pub(super) fn make() -> Result<Self, getrandom::Error> {
        let mut token = [0; 16];
        getrandom::fill(&mut token)?;
        let run = format!("{:016x}", getrandom::u64()?);
        let token = token.iter().map(|byte| format!("{byte:02x}")).collect();
        // The bias of the modulus is below 2^-37.
        let digits = getrandom::u64()? % 100_000_000;
        Ok(Self { code: format!("{:04}-{:04}", digits / 10_000, digits % 10_000), token, run })
    }
}
