//! Suggests names similar to a mistyped one.

use crate::limits::{MAX_NAME_CHARS, NAMES_SUGGESTED};
use smallvec::SmallVec;

/// How many names to compare on each side in the alphabet: comparing all would hold up everyone.
pub(super) const EACH_WAY: usize = 20;

/// The most typing errors in a suggestion.
const MAX_SLIPS: usize = 2;

type Letters = SmallVec<[char; 32]>;

/// Returns ` did you mean alice or alicia?`, or nothing. `wanted` and the first of each pair are keys; the
/// second is the name as its owner writes it.
pub(super) fn question<'a>(wanted: &str, names: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let wanted: Letters = wanted.chars().take(MAX_NAME_CHARS + 1).collect();
    if wanted.len() > MAX_NAME_CHARS {
        return String::new();
    }
    let mut near: Vec<(usize, &str)> = names
        .filter_map(|(key, name)| Some((slips(&wanted, &key.chars().collect::<Letters>())?, name)))
        .filter(|(slips, _)| *slips < wanted.len())
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

/// How many letters to add, drop, change or swap (optimal string alignment), if at most [`MAX_SLIPS`]. It
/// skips cells further from the diagonal, and stops once a whole row exceeds that.
fn slips(one: &[char], other: &[char]) -> Option<usize> {
    const FAR: usize = MAX_SLIPS + 1;
    const WIDTH: usize = 2 * MAX_SLIPS + 1;
    if one.len().abs_diff(other.len()) > MAX_SLIPS {
        return None;
    }
    // In row `i`, column `j` is at `j + MAX_SLIPS - i`.
    let mut before = [FAR; WIDTH + 2];
    let mut last: [usize; WIDTH + 2] =
        std::array::from_fn(|at| at.checked_sub(MAX_SLIPS).map_or(FAR, |j| j.min(FAR)));
    last[WIDTH..].fill(FAR);
    for (i, letter) in one.iter().enumerate() {
        let mut row = [FAR; WIDTH + 2];
        for at in 0..WIDTH {
            // The column in this row, which is row `i + 1`.
            let Some(j) = (i + 1 + at).checked_sub(MAX_SLIPS).filter(|j| *j <= other.len()) else { continue };
            let Some(previous) = j.checked_sub(1) else {
                row[at] = (i + 1).min(FAR);
                continue;
            };
            let is_same = *letter == other[previous];
            let left = if at > 0 { row[at - 1] } else { FAR };
            let mut least = (last[at] + usize::from(!is_same)).min(last[at + 1] + 1).min(left + 1);
            let is_swapped =
                i > 0 && previous > 0 && *letter == other[previous - 1] && one[i - 1] == other[previous];
            if is_swapped {
                least = least.min(before[at] + 1);
            }
            row[at] = least.min(FAR);
        }
        if row.iter().all(|slips| *slips == FAR) {
            return None;
        }
        (before, last) = (last, row);
    }
    let end = (other.len() + MAX_SLIPS).checked_sub(one.len())?;
    last.get(end).copied().filter(|slips| *slips <= MAX_SLIPS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_nearest_come_first_each_once_and_no_more_than_three() {
        let ask = |wanted, names: &[&'static str]| {
            let keys: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
            question(wanted, keys.iter().map(String::as_str).zip(names.iter().copied()))
        };
        assert_eq!(ask("alcie", &["bob", "alice"]), " did you mean alice?");
        assert_eq!(ask("alice", &["alicia", "Alic", "alic", "Alic"]), " did you mean Alic, alic or alicia?");
        assert_eq!(ask("aaaa", &["aaab", "aaac", "aaad", "aaae"]), " did you mean aaab, aaac or aaad?");
        assert_eq!(ask("ab", &["cd", "xyz"]), "");
        assert_eq!(ask(&"x".repeat(MAX_NAME_CHARS + 1), &["x"]), "");
    }

    proptest! {
        #[test]
        fn slips_are_counted_as_far_as_they_matter(one in "[abc]{0,7}", other in "[abc]{0,7}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            let all = strsim::osa_distance(&one, &other);
            prop_assert_eq!(slips(&letters(&one), &letters(&other)), Some(all).filter(|all| *all <= MAX_SLIPS));
        }
    }
}
