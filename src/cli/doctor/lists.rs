//! Lists and counts in words. Pure.

/// Interfaces or servers named in one line: more would not help.
const MAX_NAMED: usize = 8;

/// Names the first few items and counts the rest.
pub(super) fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let mut items = items.into_iter();
    let named: Vec<String> = items.by_ref().take(MAX_NAMED).map(|item| item.to_string()).collect();
    match items.count() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Formats `1 other machine answers`, `2 other machines answer`.
pub(super) fn other_machines_answer(count: usize) -> String {
    if count == 1 { "1 other machine answers".into() } else { format!("{count} other machines answer") }
}
