//! Whose files are taken without a question: only those of people whom a key proves.

use crate::client::trust::VerifiedUser;
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use std::str::FromStr;

/// A sender whose files are taken without a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// The owner of a key.
    Key(Fingerprint),
    /// The user of that name, with a key that this user has verified.
    Verified(Name),
}

impl FromStr for Consent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("key:") {
            Some(key) => key.parse().map(Self::Key).map_err(|error| format!("{error}")),
            // As `fingerprint --me` prints it: no name has a colon.
            None if text.contains(':') => text.parse().map(Self::Key).map_err(|error| format!("{error}")),
            None => Name::new(text).map(Self::Verified).map_err(|error| error.to_string()),
        }
    }
}

/// Whether an offer of this sender is taken without a question.
pub(super) fn is_allowed(
    allowed: &[Consent],
    key: Option<&Fingerprint>,
    verified: Option<&VerifiedUser>,
    name: &str,
) -> bool {
    allowed.iter().any(|consent| match consent {
        Consent::Key(wanted) => key == Some(wanted),
        Consent::Verified(wanted) => {
            let is_it = |name: &str| Name::new(name).is_ok_and(|name| name.key() == wanted.key());
            verified.is_some_and(|user| Some(&user.key) == key && is_it(&user.name)) && is_it(name)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_opens_the_door_and_a_name_only_with_its_verified_key() {
        let key = |byte| Fingerprint::new([byte; 32]);
        let user = |byte, name: &str| VerifiedUser {
            key: key(byte),
            name: name.into(),
            at: "2026-11-27T12:00:00Z".parse().unwrap(),
        };
        let by_key: Consent = format!("key:{}", key(1)).parse().unwrap();
        assert_eq!(key(1).to_string().parse(), Ok(by_key.clone()), "without the prefix");
        let by_name: Consent = "Bob".parse().unwrap();
        let allowed = |consent: &Consent, key: Option<Fingerprint>, verified: Option<VerifiedUser>| {
            is_allowed(std::slice::from_ref(consent), key.as_ref(), verified.as_ref(), "bob")
        };
        assert!(allowed(&by_key, Some(key(1)), None));
        assert!(!allowed(&by_key, Some(key(2)), None));
        assert!(!allowed(&by_key, None, None));
        assert!(allowed(&by_name, Some(key(1)), Some(user(1, "bob"))));
        assert!(!allowed(&by_name, Some(key(2)), None), "an impostor");
        assert!(!allowed(&by_name, Some(key(1)), Some(user(1, "carol"))), "a taken name");
        assert!(!allowed(&by_name, None, None));
        assert!(!is_allowed(&[], Some(&key(1)), Some(&user(1, "bob")), "bob"));
        assert!("key:nonsense".parse::<Consent>().is_err());
    }
}
