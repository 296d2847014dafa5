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

/// A hint for the start about each name that opens nothing yet: no key proves whose it is.
pub(super) fn unproven<'a>(allowed: &[Consent], verified: impl Iterator<Item = &'a str>) -> Vec<String> {
    let verified: Vec<Name> = verified.filter_map(|name| Name::new(name).ok()).collect();
    let is_unproven = |consent: &Consent| match consent {
        Consent::Verified(name) if verified.iter().all(|other| other.key() != name.key()) => Some(format!(
            "anyone can call themselves {name}, and you have verified nobody of that name, so --yes-from {name} \
             takes nothing: compare the keys with /verify {name} in lanchat, or give key:FINGERPRINT, which \
             `lanchat fingerprint --me` prints on that user's machine"
        )),
        _ => None,
    };
    allowed.iter().filter_map(is_unproven).collect()
}

/// Why an offer that nobody can be asked about is refused.
pub(super) fn refusal(allowed: &[Consent], name: &str) -> String {
    let is_it = |wanted: &Name| Name::new(name).is_ok_and(|name| name.key() == wanted.key());
    let named = allowed.iter().find_map(|consent| match consent {
        Consent::Verified(wanted) if is_it(wanted) => Some(wanted),
        _ => None,
    });
    match named {
        Some(name) => {
            format!("refused: --yes-from {name} takes files only with a key of {name}'s that you verified")
        }
        None => "refused: neither --yes-from nor --yes-to-all allows it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_has_proven_is_told_at_the_start_and_at_the_refusal() {
        let allowed: Vec<Consent> = ["alice", "Bob"].map(|name| name.parse().unwrap()).into();
        let told = unproven(&allowed, ["bob"].into_iter());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("anyone can call themselves alice"), "{told:?}");
        assert!(told[0].contains("/verify alice") && told[0].contains("key:FINGERPRINT"), "{told:?}");
        assert!(refusal(&allowed, "Alice").contains("only with a key of alice's that you verified"));
        assert!(refusal(&allowed, "carol").contains("neither --yes-from nor"));
    }

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
