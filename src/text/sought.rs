//! The words of a search, and whether a text contains them.

use super::fold;
use memchr::memmem;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation as _;

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

    /// The places of the phrases in a text that is not folded, in order and without overlaps.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut folded = String::new();
        // Where a character starts in the folded text, and in the text.
        let mut starts = Vec::new();
        for (at, cluster) in text.grapheme_indices(true) {
            starts.push((folded.len(), at));
            match fold(cluster) {
                space if space == " " && folded.ends_with(' ') => {}
                part => folded += &part,
            }
        }
        starts.push((folded.len(), text.len()));
        let at = |place: usize| starts.get(place).map_or(text.len(), |(_, at)| *at);
        let mut found: Vec<Range<usize>> = Vec::new();
        for phrase in &self.0 {
            for start in phrase.starts(&folded) {
                let end = start + phrase.text.len();
                let first = starts.partition_point(|(folded, _)| *folded <= start).saturating_sub(1);
                found.push(at(first)..at(starts.partition_point(|(folded, _)| *folded < end)));
            }
        }
        found.sort_unstable_by_key(|place| place.start);
        let mut apart: Vec<Range<usize>> = Vec::new();
        for place in found {
            match apart.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => apart.push(place),
            }
        }
        apart
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
        self.starts(folded).next().is_some()
    }

    /// The bytes of a folded text at which the phrase starts.
    fn starts<'a>(&'a self, folded: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.find.find_iter(folded.as_bytes()).filter(move |start| {
            let (before, rest) = folded.split_at_checked(*start).unwrap_or_default();
            let after = rest.get(self.text.len()..).unwrap_or_default();
            !self.is_exact
                || !goes_on(before.chars().next_back(), self.text.chars().next())
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

    #[test]
    fn the_places_of_words_are_found_in_the_text_as_it_was_written() {
        for (said, sought, marked) in [
            ("The Build is broken", "build BROKEN", vec!["Build", "broken"]),
            ("un  café, CAFÉ", "\"un cafe\" cafe", vec!["un  café", "CAFÉ"]),
            ("counterparty part", "\"part\"", vec!["part"]),
            ("Straße", "strass", vec!["Straß"]),
            ("aaa", "aa a", vec!["aaa"]),
            ("nothing", "else", vec![]),
        ] {
            let places = Sought::read(sought).places(said);
            let found: Vec<&str> = places.into_iter().map(|place| &said[place]).collect();
            assert_eq!(found, marked, "{said} {sought}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(typed in "\\PC{0,20}|[\"* aä爸]{0,12}", text in "\\PC{0,20}|[\"* aä爸]{0,12}") {
            let sought = Sought::read(&typed);
            let _ = sought.is_in(&fold(&text));
            let mut end = 0;
            for place in sought.places(&text) {
                prop_assert!(text.get(place.clone()).is_some() && place.start >= end);
                end = place.end;
            }
        }
    }
}
