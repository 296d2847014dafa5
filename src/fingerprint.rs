//! The fingerprint of a public key identifies a server or a client, whatever its name and address.
//!
//! Knows no keys and no cryptography, only 32 bytes and the ways in which people and programs write them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "SHA256:";

const GROUPS: usize = 6;

const GROUP_BYTES: usize = 5;

const TAG_CHARS: usize = 8;

/// The SHA-256 of a public key's SubjectPublicKeyInfo (RFC 5280 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid fingerprint; use SHA256: and 43 characters, as `lanchat fingerprint` prints it")]
pub struct InvalidFingerprint;

impl Fingerprint {
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 6 groups of 5 digits for people to read out and compare: 99 bits of the hash. Each group is 5 bytes
    /// modulo 100,000.
    pub fn spoken(&self) -> String {
        let group = |bytes: &[u8]| {
            let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            format!("{:05}", number % 100_000)
        };
        self.0.chunks_exact(GROUP_BYTES).take(GROUPS).map(group).collect::<Vec<_>>().join(" ")
    }

    /// The first 8 characters of the base64 form: enough to tell people in a room apart, too short to prove
    /// anything.
    pub fn tag(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0).chars().take(TAG_CHARS).collect()
    }

    /// 64 hexadecimal digits: a server's id.
    pub fn id(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same digits as browsers show them for a certificate: `AB:CD:...`.
    pub fn colons(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// Reads an [id](Self::id); `None` for anything else.
    pub fn from_id(id: &str) -> Option<Self> {
        let digits: Vec<u32> = id.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
        let bytes: Vec<u8> =
            digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap_or(0)).collect();
        (digits.len() == 64).then(|| bytes.try_into().ok().map(Self))?
    }

    /// 43 characters of base64url, without the prefix, as in TXT records and links.
    pub fn base64(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.base64())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    /// Reads the base64 form with or without its prefix, as different tools write it: base64 or base64url,
    /// padded or not.
    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let text = text.trim();
        let bare = match text.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &text[PREFIX.len()..],
            _ => text,
        };
        let bare: String = bare.trim_end_matches('=').replace('+', "-").replace('/', "_");
        let hash = URL_SAFE_NO_PAD.decode(bare).map_err(|_| InvalidFingerprint)?;
        hash.try_into().map(Self).map_err(|_| InvalidFingerprint)
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844";

    #[test]
    fn the_spoken_form_is_six_groups_of_five_digits() {
        let fingerprint: Fingerprint = TEXT.parse().unwrap();
        assert_eq!(fingerprint.spoken(), "44395 65761 63212 62593 98052 22766");
        assert_eq!(fingerprint.tag(), "I3aEaKt5");
        assert_eq!(Fingerprint::new([0; 32]).spoken(), "00000 00000 00000 00000 00000 00000");
    }

    #[test]
    fn what_tools_print_is_read_too() {
        let fingerprint: Fingerprint = TEXT.parse().unwrap();
        for text in [&TEXT[7..], &format!("{TEXT}="), &TEXT.replace("SHA", "sha"), &format!(" {TEXT}\n")] {
            assert_eq!(text.parse(), Ok(fingerprint), "{text}");
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        for text in ["", "SHA256:", "SHA256:short", &format!("{TEXT}A"), &TEXT[..TEXT.len() - 1], "é"] {
            assert_eq!(text.parse::<Fingerprint>(), Err(InvalidFingerprint), "{text}");
        }
        for id in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66), &"é".repeat(32)] {
            assert_eq!(Fingerprint::from_id(id), None, "{id}");
        }
    }

    proptest! {
        #[test]
        fn every_fingerprint_comes_back_from_its_forms(hash: [u8; 32]) {
            let fingerprint = Fingerprint::new(hash);
            prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
            prop_assert_eq!(Fingerprint::from_id(&fingerprint.id()), Some(fingerprint));
            let json = serde_json::to_string(&fingerprint).unwrap();
            prop_assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), fingerprint);
        }
    }
}
