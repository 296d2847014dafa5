//! What makes somebody an operator: a code to be typed, and a token to be read from a file. And what lets
//! somebody into a closed server: its passphrase.

use crate::fingerprint::Fingerprint;
use crate::security::Passphrase;

/// What a closed server goes by.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) passphrase: Passphrase,
    /// The server's own key, to which a proof is bound.
    pub(super) key: Fingerprint,
}

/// Both are new at each start.
pub(super) struct Secrets {
    /// `4827-1163`: 26 bits, single use, a few tries and minutes.
    pub(super) code: String,
    /// 32 hexadecimal digits.
    pub(super) token: String,
}

impl Secrets {
    pub(super) fn make() -> Result<Self, getrandom::Error> {
        let mut token = [0; 16];
        getrandom::fill(&mut token)?;
        let token = token.iter().map(|byte| format!("{byte:02x}")).collect();
        // The bias of the modulus is under 2^-37.
        let digits = getrandom::u64()? % 100_000_000;
        Ok(Self { code: format!("{:04}-{:04}", digits / 10_000, digits % 10_000), token })
    }
}
