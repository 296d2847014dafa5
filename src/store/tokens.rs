//! The tokens of the search index: pieces of a message's text, its sender, and its room or mail.
//!
//! A piece is three characters of a word, or fewer at its end; one starts at each character. So the index
//! finds any part of a word and any sign, also in scripts without spaces, and needs to know no language. The
//! piece at a word's last character continues with the first two characters of the next word; otherwise, the
//! pieces of a phrase of two-letter words would be in every third message. A message with the pieces may
//! still lack the words, so the search checks its text, folded in the same way ([`crate::text::fold`]). An
//! index of whole words is about as big and finds none of this.
//!
//! Users cannot type index syntax: each piece is quoted.

use super::rows;
use crate::chat::{Search, View};
use crate::limits::SEARCH_PIECES;
use crate::name::NameKey;
use crate::text::{Phrase, fold};
use rusqlite::{Connection, Result};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const PIECE: usize = 3;

/// Characters that a piece takes from the next word.
const NEXT: usize = 2;

/// Separates two words in a piece; folded text never contains it.
const GAP: char = '\u{FDD1}';

/// Marks the tokens of senders, rooms and mail; folded text never contains it.
const OWN: char = '\u{FDD0}';

pub(super) fn room_token(id: i64) -> String {
    format!("{OWN}r{id}")
}

pub(super) fn account_token(id: i64) -> String {
    format!("{OWN}a{id}")
}

/// One token per sender; equal names have equal tokens.
fn sender_token(name: &str) -> String {
    let mut token = format!("{OWN}n");
    for byte in NameKey::of(name).as_str().bytes() {
        match byte {
            // `q` introduces the code of a byte, so it needs a code itself.
            b'a'..=b'p' | b'r'..=b'z' | b'0'..=b'9' => token.push(char::from(byte)),
            _ => drop(write!(token, "q{byte:02x}")),
        }
    }
    token
}

/// All tokens of a message, separated by spaces.
pub(super) fn tokens(text: &str, sender: &str, venues: &[String]) -> String {
    let folded = fold(text);
    let mut tokens = sender_token(sender);
    tokens.reserve(folded.len() * (PIECE + 2));
    // The index stores duplicates once.
    for venue in venues {
        tokens.push(' ');
        tokens.push_str(venue);
    }
    let mut words = words(&folded).peekable();
    while let Some(word) = words.next() {
        let last = last_place(word);
        for (start, _) in word.char_indices().filter(|(start, _)| *start < last) {
            tokens.push(' ');
            tokens.push_str(first(&word[start..], PIECE));
        }
        tokens.push(' ');
        tokens.push_str(&word[last..]);
        if let Some(next) = words.peek() {
            tokens.push(GAP);
            tokens.push_str(first(next, NEXT));
        }
    }
    tokens
}

fn words(folded: &str) -> impl Iterator<Item = &str> + Clone {
    folded.split(' ').filter(|word| !word.is_empty())
}

/// The pieces of a word, one per character.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices().map(|(start, _)| first(&word[start..], PIECE))
}

/// The piece that spans the end of a word and the start of the next.
fn seam(word: &str, next: &str) -> String {
    format!("{}{GAP}{}", &word[last_place(word)..], first(next, NEXT))
}

fn first(word: &str, most: usize) -> &str {
    let start = word.as_bytes().get(..most).unwrap_or(word.as_bytes());
    if start.is_ascii() {
        return &word[..start.len()];
    }
    word.char_indices().nth(most).map_or(word, |(end, _)| &word[..end])
}

/// The position of a word's last character.
fn last_place(word: &str) -> usize {
    word.char_indices().next_back().map_or(0, |(start, _)| start)
}

/// The index expression for the sender and for the rooms and mail that the reader may see; `None` if the
/// reader may see none.
pub(super) fn filters(connection: &Connection, search: &Search) -> Result<Option<String>> {
    let venues = venues(connection, &search.view)?;
    if venues.is_empty() {
        return Ok(None);
    }
    let venues: Vec<String> = venues.iter().map(|venue| quoted(venue)).collect();
    let mut filters = format!("({})", venues.join(" OR "));
    if let Some(from) = &search.from {
        filters += &format!(" AND {}", quoted(&sender_token(from)));
    }
    Ok(Some(filters))
}

fn venues(connection: &Connection, view: &View) -> Result<Vec<String>> {
    let mut venues = Vec::new();
    for (room, _) in &view.rooms {
        venues.extend(rows::room_id(connection, room)?.map(room_token));
    }
    if let Some(reader) = &view.account {
        venues.extend(rows::account_id(connection, reader)?.map(account_token));
    }
    Ok(venues)
}

/// The whole pieces that each message with these phrases has.
pub(super) fn whole(phrases: &[Phrase]) -> Vec<String> {
    let mut whole = BTreeSet::new();
    for phrase in phrases {
        let is_whole = |piece: &&str| piece.chars().count() == PIECE;
        whole.extend(words(phrase.text()).flat_map(pieces).filter(is_whole).map(Cow::from));
        whole.extend(seams(phrase).filter(|(_, is_whole)| *is_whole).map(|(seam, _)| seam.into()));
    }
    whole.iter().take(SEARCH_PIECES).map(|piece| quoted(piece)).collect()
}

/// The pieces between a phrase's words, and whether they are complete: the last word may continue in the
/// message.
fn seams(phrase: &Phrase) -> impl Iterator<Item = (String, bool)> {
    let mut words = words(phrase.text()).peekable();
    std::iter::from_fn(move || {
        let (word, next) = (words.next()?, *words.peek()?);
        let is_last = words.clone().nth(1).is_none();
        Some((seam(word, next), !is_last || next.chars().nth(NEXT - 1).is_some()))
    })
}

/// The longest prefix of a piece, for a phrase without a whole piece. The index reads all entries with a
/// prefix before its first result, so this suits rare ones.
pub(super) fn short(phrase: &Phrase) -> Option<String> {
    let start = match seams(phrase).next() {
        Some((_, true)) => return None,
        Some((seam, false)) => seam,
        None if phrase.text().chars().count() < PIECE => phrase.text().to_owned(),
        None => return None,
    };
    Some(quoted(&start) + "*")
}

fn quoted(token: &str) -> String {
    format!("\"{}\"", token.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Sought;
    use proptest::prelude::*;

    #[test]
    fn a_piece_begins_at_each_character_and_the_last_of_a_word_goes_on_with_the_next_word() {
        let tokens = |text| tokens(text, "al", &["x".to_owned()]);
        assert_eq!(tokens("Tea? tea"), "\u{FDD0}nal x tea ea? a? ?\u{FDD1}te tea ea a");
        assert_eq!(tokens("go  on a"), "\u{FDD0}nal x go o\u{FDD1}on on n\u{FDD1}a a");
        assert_eq!(tokens("我的爸爸"), "\u{FDD0}nal x 我的爸 的爸爸 爸爸 爸");
        assert_eq!(tokens(" \u{200d} "), "\u{FDD0}nal x");
    }

    #[test]
    fn what_is_asked_of_the_index_are_whole_pieces_or_beginnings() {
        let asked = |typed: &str| {
            let sought = Sought::read(typed);
            let short: Vec<String> = sought.phrases().iter().filter_map(short).collect();
            (whole(sought.phrases()).join(" "), short.join(" "))
        };
        let both = |whole: &str, short: &str| (whole.to_owned(), short.to_owned());
        assert_eq!(asked("Teas"), both("\"eas\" \"tea\"", ""));
        assert_eq!(asked("爸 go \"a 3\" x\"-\""), both("", "\"爸\"* \"go\"* \"a\u{FDD1}3\"* \"x\"* \"-\"*"));
        assert_eq!(asked("\"it is\" \"i do x\""), both("\"i\u{FDD1}do\" \"t\u{FDD1}is\"", ""));
        assert_eq!(asked("OR NOT"), both("\"not\"", "\"or\"*"));
        assert_eq!(asked(&format!("{}a", "爸".repeat(80))).0, "\"爸爸a\" \"爸爸爸\"");
    }

    #[test]
    fn senders_are_one_token_each() {
        assert_eq!(sender_token("Alice"), "\u{FDD0}nalice");
        assert_eq!(sender_token("ann-q 2"), "\u{FDD0}nannq2dq71q202");
        assert_ne!(sender_token("josé"), sender_token("jose"));
    }

    proptest! {
        #[test]
        fn names_that_differ_have_other_tokens(one in "[a-z0-9äß_-]{1,8}", other in "[a-z0-9äß_-]{1,8}") {
            let same = NameKey::of(&one) == NameKey::of(&other);
            prop_assert_eq!(sender_token(&one) == sender_token(&other), same);
        }

        #[test]
        fn a_text_with_a_phrase_has_all_that_the_index_is_asked_for(text in "[ab爸?, -]{0,12}", phrase in "[ab爸?, ]{1,6}") {
            let sought = Sought::read(&format!("\"{phrase}\""));
            if sought.is_in(&fold(&text)) {
                let tokens = tokens(&text, "x", &[]);
                let has = |asked: &str| match asked.strip_suffix("\"*") {
                    Some(start) => tokens.split(' ').any(|token| token.starts_with(&start[1..])),
                    None => tokens.split(' ').any(|token| token == asked.trim_matches('"')),
                };
                let asked = whole(sought.phrases()).into_iter().chain(sought.phrases().iter().filter_map(short));
                for asked in asked {
                    prop_assert!(has(&asked), "{:?} {:?}", asked, tokens);
                }
            }
        }

        #[test]
        fn a_text_has_all_pieces_of_its_parts(text in "\\PC{0,20}", from in 0..20_usize, count in 1..9_usize) {
            let folded: Vec<char> = fold(&text).chars().collect();
            let part: String = folded.into_iter().skip(from).take(count).collect();
            let tokens = tokens(&text, "x", &[]);
            for piece in words(&part).flat_map(pieces) {
                prop_assert!(tokens.split(' ').any(|token| token.starts_with(piece)), "{:?} {:?}", part, tokens);
            }
        }
    }
}
