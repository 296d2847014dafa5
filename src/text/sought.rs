//! The words of a search, and whether a text contains them.

use super::fold;
use memchr::memmem;

/// Phrases that a text must all contain.
#[derive(Debug, Default)]
pub struct Sought(Vec<Phrase>);

/// Consecutive characters.
#[derive(Debug)]
pub struct Phrase {
    /// Folded, with single spaces.
    text: String,
    find: memmem::Finder<'static>,
    /// Whether it must begin and end where words do.
    is_exact: bool,
}

impl Sought {
    /// Parses a search: any part of a text may match a word; text in quotes must match exactly, with its
    /// spaces, and begin and end where words do. Ignores words without letters or digits, and a `*` at a
    /// word's end, which earlier versions used for prefixes.
    pub fn read(typed: &str) -> Self {
        let mut phrases = Vec::new();
        for (place, part) in typed.split('"').enumerate() {
            let folded = fold(part);
            if place % 2 == 1 {
                phrases.push(Phrase::new(folded.trim(), true));
            } else {
                let words = folded.split(' ').map(|word| match word.trim_end_matches('*') {
                    "" => word,
                    start => start,
                });
                phrases.extend(words.map(|word| Phrase::new(word, false)));
            }
        }
        phrases.retain(|phrase| !phrase.text.is_empty());
        Self(phrases)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn phrases(&self) -> &[Phrase] {
        &self.0
    }

    /// Whether a folded text contains all phrases.
    pub fn is_in(&self, folded: &str) -> bool {
        self.0.iter().all(|phrase| phrase.is_in(folded))
    }
}

impl Phrase {
    fn new(text: &str, is_exact: bool) -> Self {
        Self { text: text.to_owned(), find: memmem::Finder::new(text).into_owned(), is_exact }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a folded text contains the phrase.
    pub fn is_in(&self, folded: &str) -> bool {
        if !self.is_exact {
            return self.find.find(folded.as_bytes()).is_some();
        }
        self.find.find_iter(folded.as_bytes()).any(|start| {
            let (before, rest) = folded.split_at_checked(start).unwrap_or_default();
            let after = rest.get(self.text.len()..).unwrap_or_default();
            !goes_on(before.chars().next_back(), self.text.chars().next())
                && !goes_on(self.text.chars().next_back(), after.chars().next())
        })
    }
}

/// Whether both characters belong to one word.
fn goes_on(one: Option<char>, other: Option<char>) -> bool {
    one.is_some_and(is_of_word) && other.is_some_and(is_of_word)
}

/// Whether words with this character end at spaces or punctuation. Many Asian scripts put nothing between
/// words.
pub(super) fn is_of_word(c: char) -> bool {
    let has_no_spaces = matches!(c,
        '\u{0E00}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{1950}'..='\u{1AAF}' | '\u{2E80}'..='\u{ABFF}'
        | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{16FE0}'..='\u{18DFF}'
        | '\u{1AFF0}'..='\u{1B2FF}' | '\u{20000}'..='\u{3FFFF}');
    c.is_alphanumeric() && !has_no_spaces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(typed: &str) -> Vec<(String, bool)> {
        Sought::read(typed).0.into_iter().map(|phrase| (phrase.text, phrase.is_exact)).collect()
    }

    #[test]
    fn words_and_phrases_are_told_apart() {
        let part = |text: &str| (text.to_owned(), false);
        let exact = |text: &str| (text.to_owned(), true);
        assert_eq!(read("build  BROKEN"), [part("build"), part("broken")]);
        assert_eq!(read("\"the  Build\" fail*"), [exact("the build"), part("fail")]);
        assert_eq!(read("* 2** \"2*\""), [part("*"), part("2"), exact("2*")]);
        assert_eq!(read("\"unfinished phrase"), [exact("unfinished phrase")]);
        assert_eq!(read(" \" \u{200d}\" \u{7}\u{feff} \"\""), []);
    }

    #[test]
    fn a_phrase_in_quotes_begins_and_ends_where_words_do() {
        for (said, sought, is_in) in [
            ("counterparty", "part", true),
            ("counterparty", "\"part\"", false),
            ("a part, of", "\"part\"", true),
            ("the build is broken", "\"Build is\"", true),
            ("rebuild is broken", "\"build is\"", false),
            ("is it build", "\"build is\"", false),
            ("我的爸爸肚子很餓", "\"爸爸\"", true),
            ("ภาษาไทย", "\"ไทย\"", true),
            ("C++ and C", "\"c++\"", true),
            ("partpart part", "\"part\"", true),
            ("x from:alice y", "\"from:alice\"", true),
        ] {
            assert_eq!(Sought::read(sought).is_in(&fold(said)), is_in, "{said} {sought}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(typed in "\\PC{0,20}|[\"* aä爸]{0,12}", text in "\\PC{0,20}|[\"* aä爸]{0,12}") {
            let _ = Sought::read(&typed).is_in(&fold(&text));
        }
    }
}
