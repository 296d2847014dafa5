//! Names that are nearly the one that somebody wrote.

use crate::limits::{MAX_NAME_CHARS, NAMES_SUGGESTED};
use crate::name::NameKey;

/// How many names on each side of the wanted one in the alphabet are compared with it: comparing with
/// all of a crowd's would take everybody's time.
pub(super) const EACH_WAY: usize = 50;

/// Slips that a name may be away.
const MAX_SLIPS: usize = 2;

/// ` did you mean alice or alicia?`, or nothing. `wanted` is a key's text.
pub(super) fn question<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    let length = wanted.chars().count();
    if length > MAX_NAME_CHARS {
        return String::new();
    }
    let mut near: Vec<(usize, &str)> = names
        .map(|name| (strsim::damerau_levenshtein(wanted, NameKey::of(name).as_str()), name))
        .filter(|(slips, _)| *slips <= MAX_SLIPS && *slips < length)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(NAMES_SUGGESTED);
    let names: Vec<&str> = near.into_iter().map(|(_, name)| name).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(" did you mean {one}?"),
        [most @ .., last] => format!(" did you mean {} or {last}?", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_each_once_and_no_more_than_three() {
        let ask = |wanted, names: &[&'static str]| question(wanted, names.iter().copied());
        assert_eq!(ask("alcie", &["bob", "alice"]), " did you mean alice?");
        assert_eq!(ask("alice", &["alicia", "Alic", "alic", "Alic"]), " did you mean Alic, alic or alicia?");
        assert_eq!(ask("aaaa", &["aaab", "aaac", "aaad", "aaae"]), " did you mean aaab, aaac or aaad?");
        assert_eq!(ask("ab", &["cd", "xyz"]), "");
        assert_eq!(ask(&"x".repeat(MAX_NAME_CHARS + 1), &["x"]), "");
    }
}
