//! Finds whole words in a text as it is shown, however they are written.

use std::ops::Range;

use super::fold;
use super::sought::is_of_word;

/// The parts of `text` that are the word: as a whole, in any case, with or without diacritics. The word does not
/// go on before or behind them, with a letter, a digit, `_`, or a hyphen and one of these.
pub fn whole_words(text: &str, word: &str) -> Vec<Range<usize>> {
    // Most texts do not have it, and folding is slow.
    if is_plain(text) && is_plain(word) && !contains_plain(text, word) {
        return Vec::new();
    }
    let word = fold(word);
    let word = word.trim();
    if word.is_empty() {
        return Vec::new();
    }
    if !fold(text).contains(word) {
        return Vec::new();
    }
    let folded = Folded::new(text);
    let is_whole = |at: &usize| {
        let (before, rest) = folded.text.split_at(*at);
        let after = &rest[word.len()..];
        let goes_on_before = goes_on(word.chars()) && goes_on(before.chars().rev());
        let goes_on_after = goes_on(word.chars().rev()) && goes_on(after.chars());
        !goes_on_before && !goes_on_after
    };
    let found = folded.text.match_indices(word).map(|(at, _)| at).filter(is_whole);
    found.map(|at| folded.source(at).start..folded.source(at + word.len() - 1).end).collect()
}

/// Whether folding changes nothing but the case, apart from spaces.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether a plain text has the plain word, in any case. Says yes to words with spaces, which fold in their own
/// way.
fn contains_plain(text: &str, word: &str) -> bool {
    let [first, ..] = word.as_bytes() else { return true };
    let begins = |part: &&[u8]| part.first().is_some_and(|byte| byte.eq_ignore_ascii_case(first));
    word.contains(' ')
        || text
            .as_bytes()
            .windows(word.len())
            .filter(begins)
            .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a word goes on with these characters, from its edge away.
fn goes_on(mut chars: impl Iterator<Item = char>) -> bool {
    let is_part = |c: char| c == '_' || is_of_word(c);
    match chars.next() {
        Some('-') => chars.next().is_some_and(is_part),
        Some(c) => is_part(c),
        None => false,
    }
}

/// A folded text that knows where its parts come from.
struct Folded {
    text: String,
    /// For each byte, the place of its character in the source.
    sources: Vec<Range<usize>>,
}

impl Folded {
    fn new(source: &str) -> Self {
        let mut folded = Self { text: String::with_capacity(source.len()), sources: Vec::new() };
        for (at, c) in source.char_indices() {
            let end = at + c.len_utf8();
            let part = fold(source.get(at..end).unwrap_or_default());
            // A mark belongs to the character before.
            if let (true, Some(last)) = (part.is_empty(), folded.sources.last_mut()) {
                last.end = end;
            }
            folded.sources.extend(part.bytes().map(|_| at..end));
            folded.text += &part;
        }
        folded
    }

    fn source(&self, byte: usize) -> Range<usize> {
        self.sources.get(byte).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_word_is_found_as_a_whole_only() {
        for (text, word, found) in [
            ("alice: can you?", "alice", vec!["alice"]),
            ("hi Alice, ALICE!", "alice", vec!["Alice", "ALICE"]),
            ("@alice (alice) alice's", "alice", vec!["alice", "alice", "alice"]),
            ("malice alices alice2 alice_b x-alice alice-b", "alice", vec![]),
            ("alice - alice-", "alice", vec!["alice", "alice"]),
            ("José and jose", "jose", vec!["José", "jose"]),
            ("Jose\u{301}!", "josé", vec!["Jose\u{301}"]),
            ("小明你好", "小明", vec!["小明"]),
            ("a!b a!b2", "a!b", vec!["a!b"]),
            ("ﬁx ﬁxes", "fix", vec!["ﬁx"]),
            ("release day, releases", "release day", vec!["release day"]),
            ("anything", " ", vec![]),
        ] {
            let parts: Vec<_> = whole_words(text, word).into_iter().map(|part| &text[part]).collect();
            assert_eq!(parts, found, "{text} {word}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}", word in "\\PC{0,4}") {
            for part in whole_words(&text, &word) {
                prop_assert!(text.get(part).is_some());
            }
        }
    }
}
