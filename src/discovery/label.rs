//! The label that a server is announced by. Pure.

use crate::limits::{MAX_ANNOUNCED_NAME_BYTES, MAX_SLUG_BYTES};
use crate::protocol::is_node_name;

/// Digits of the id in the label: enough to tell the servers of a LAN apart.
const SHORT_ID_DIGITS: usize = 8;

/// Minimum digits of an id's beginning; a name could match fewer by chance.
const MIN_ID_PREFIX: usize = 4;

/// Minimum digits for comparing ids: 64 bits of a key's hash.
pub(super) const MIN_ID_DIGITS: usize = 16;

/// The server's host name on the local network, such as `office-3f9a1c77.local`.
pub fn local_name(name: &str, id: &str, node: Option<&str>) -> String {
    format!("{}.local", node_label(name, id, node))
}

/// The label of a server that has this name within its chat: `office-3f9a1c77-b`. All servers of a chat share the rest.
pub fn node_label(name: &str, id: &str, node: Option<&str>) -> String {
    let label = server_label(name, id);
    node.map_or(label.clone(), |node| format!("{label}-{node}"))
}

/// The DNS label of a server's instance and host: the name in lower-case ASCII letters, digits and hyphens,
/// then the first 8 digits of the id, such as `office-3f9a1c77`. It is unique without probing and never the
/// machine's own host name. It avoids capitals and dots, which DNS-SD implementations treat differently.
pub fn server_label(name: &str, id: &str) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        if slug.len() == MAX_SLUG_BYTES {
            break;
        }
        let character = character.to_ascii_lowercase();
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "lanchat" } else { slug };
    format!("{slug}-{}", short_id(id))
}

/// Whether this name, label or beginning of an id matches a server. Ignores case.
pub fn is_called(wanted: &str, name: &str, id: &str) -> bool {
    let wanted = wanted.to_lowercase();
    is_named(name, &wanted)
        || (wanted.len() >= MIN_ID_PREFIX && id.starts_with(&wanted))
        || is_label(&wanted, name, id)
}

/// Whether it matches this server alone, because it contains enough of the id.
pub fn is_unambiguous(wanted: &str, name: &str, id: &str) -> bool {
    let wanted = wanted.to_lowercase();
    (wanted.len() >= SHORT_ID_DIGITS && id.starts_with(&wanted)) || is_label(&wanted, name, id)
}

/// Whether it is the server's label, or that of a server of the same chat.
fn is_label(wanted: &str, name: &str, id: &str) -> bool {
    match wanted.strip_prefix(&server_label(name, id)) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('-').is_some_and(is_node_name),
        None => false,
    }
}

/// Whether two names are equal. Ignores case.
pub(super) fn is_named(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether two ids may belong to the same server; an announcement may have only the beginning.
pub(super) fn is_same_id(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short == long || (short.len() >= MIN_ID_DIGITS && long.starts_with(short))
}

/// The beginning of an id for TXT `id`.
pub(super) fn announced_id(id: &str) -> &str {
    id.get(..MIN_ID_DIGITS).unwrap_or(id)
}

/// The first 8 digits of an id, shown beside names.
pub(super) fn short_id(id: &str) -> &str {
    id.get(..SHORT_ID_DIGITS).unwrap_or(id)
}

/// Limits the length of an announced name, and removes control characters.
pub(super) fn plain_name(name: &str) -> String {
    let mut plain = String::new();
    for character in name.chars().filter(|character| !character.is_control()) {
        if plain.len() + character.len_utf8() > MAX_ANNOUNCED_NAME_BYTES {
            break;
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_lower_case_ascii_with_the_short_id() {
        let id = "3f9a1c7700112233";
        for (name, label) in [
            ("office", "office-3f9a1c77"),
            ("The Office, 2nd floor", "the-office-2nd-floor-3f9a1c77"),
            ("v1.2", "v1-2-3f9a1c77"),
            ("  Büro  ", "b-ro-3f9a1c77"),
            ("会議室", "lanchat-3f9a1c77"),
            ("", "lanchat-3f9a1c77"),
        ] {
            assert_eq!(server_label(name, id), label);
        }
        assert_eq!(server_label("x", "ab"), "x-ab");
        assert_eq!(local_name("office", id, Some("b")), "office-3f9a1c77-b.local");
        assert_eq!(local_name("office", id, None), "office-3f9a1c77.local");
    }

    #[test]
    fn the_label_of_any_server_of_a_chat_means_the_chat() {
        let id = "3f9a1c7700112233";
        for (wanted, is_meant) in [
            ("office-3f9a1c77", true),
            ("Office-3f9a1c77-b", true),
            ("office-3f9a1c77b", false),
            ("office-3f9a1c77-", false),
            ("office-3f9a1c77-b-8899aabb", false),
            ("office-3f9a1c78-b", false),
        ] {
            assert_eq!(is_unambiguous(wanted, "Office", id), is_meant, "{wanted}");
            assert_eq!(is_called(wanted, "Office", id), is_meant, "{wanted}");
        }
    }

    #[test]
    fn an_id_is_known_by_its_first_16_digits() {
        let whole = "3f9a1c7700112233".repeat(4);
        assert_eq!(announced_id(&whole), "3f9a1c7700112233");
        assert!(is_same_id(&whole, announced_id(&whole)) && is_same_id(announced_id(&whole), &whole));
        assert!(!is_same_id(&whole, &whole[..15]) && !is_same_id(&whole, ""));
        assert!(!is_same_id(&whole, "3f9a1c7700112234"));
    }

    proptest::proptest! {
        #[test]
        fn every_name_makes_a_valid_label(name in ".*", id in "[0-9a-f]{16}") {
            let label = server_label(&name, &id);
            assert!(label.len() <= 63 && label.ends_with(&id[..8]));
            assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            assert!(!label.starts_with('-'));
        }

        #[test]
        fn every_name_becomes_plain(name in ".*") {
            let plain = plain_name(&name);
            assert!(plain.len() <= 63 && !plain.contains(char::is_control));
        }
    }
}
