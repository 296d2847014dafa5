//! What a message is found by, as the index has it: pieces of its text, its sender, and where it was said.
//!
//! A piece is three characters of a word, whatever they are, or what is left of it: one begins at each. So
//! any part of a word, in scripts without spaces too, and any sign is found by pieces that it has itself,
//! and the index need not know where words begin, nor any language. The piece of a word's last character goes on
//! with the first two of the next word: without it a phrase of words of two letters had nothing in the index but
//! what is in each third message. That a message has the pieces says only that it may have the words: what is
//! found is held against its text, folded in the same way ([`crate::text::fold`]). An index of whole words was no larger and found none of this.
//!
//! Nothing that a user types is syntax of the index: each piece goes into it quoted.

use super::rows;
use crate::chat::{Search, View};
use crate::limits::SEARCH_PIECES;
use crate::name::NameKey;
use crate::text::{Phrase, fold};
use rusqlite::{Connection, Result};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Characters of a piece.
const PIECE: usize = 3;

/// Characters of a piece that are the next word's.
const NEXT: usize = 2;

/// What stands in a piece between two words: there is none of it in what is folded.
const GAP: char = '\u{FDD1}';

/// What stands before a venue and a sender, so that no text is taken for them: there is none of it in what
/// is folded.
const OWN: char = '\u{FDD0}';

/// A room, where a message was said.
pub(super) fn room_token(id: i64) -> String {
    format!("{OWN}r{id}")
}

/// Somebody's mail, which a message is in.
pub(super) fn account_token(id: i64) -> String {
    format!("{OWN}a{id}")
}

/// A sender as one token, whatever the name holds: two have the same if they are the same name.
fn sender_token(name: &str) -> String {
    let mut token = format!("{OWN}n");
    for byte in NameKey::of(name).as_str().bytes() {
        match byte {
            // What stands before the number of a byte can't stand for itself.
            b'a'..=b'p' | b'r'..=b'z' | b'0'..=b'9' => token.push(char::from(byte)),
            _ => drop(write!(token, "q{byte:02x}")),
        }
    }
    token
}

/// All tokens of a message, with spaces between them.
pub(super) fn tokens(text: &str, sender: &str, venues: &[String]) -> String {
    let folded = fold(text);
    let mut tokens = sender_token(sender);
    // The index has one of many that are the same.
    for venue in venues {
        tokens.extend([" ", venue]);
    }
    let mut words = words(&folded).peekable();
    while let Some(word) = words.next() {
        let last = last_place(word);
        for (start, _) in word.char_indices().filter(|(start, _)| *start < last) {
            tokens.extend([" ", first(&word[start..], PIECE)]);
        }
        tokens.extend([" ", &word[last..]]);
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

/// The piece that begins at each character of a word.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices().map(|(start, _)| first(&word[start..], PIECE))
}

/// The piece of a word's end and the beginning of the next one.
fn seam(word: &str, next: &str) -> String {
    format!("{}{GAP}{}", &word[last_place(word)..], first(next, NEXT))
}

fn first(word: &str, most: usize) -> &str {
    word.char_indices().nth(most).map_or(word, |(end, _)| &word[..end])
}

/// Where the last character of a word begins.
fn last_place(word: &str) -> usize {
    word.char_indices().next_back().map_or(0, |(start, _)| start)
}

/// Whose messages, and where, as the index reads it; `None`: nothing can be found there.
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

/// What messages with these phrases have for certain, as far as it is in whole pieces.
pub(super) fn whole(phrases: &[Phrase]) -> Vec<String> {
    let mut whole = BTreeSet::new();
    for phrase in phrases {
        let is_whole = |piece: &&str| piece.chars().count() == PIECE;
        whole.extend(words(phrase.text()).flat_map(pieces).filter(is_whole).map(Cow::from));
        whole.extend(seams(phrase).filter(|(_, is_whole)| *is_whole).map(|(seam, _)| seam.into()));
    }
    whole.iter().take(SEARCH_PIECES).map(|piece| quoted(piece)).collect()
}

/// The pieces between the words of a phrase, and whether a message with the phrase has just these: the last
/// word may go on with a sign.
fn seams(phrase: &Phrase) -> impl Iterator<Item = (String, bool)> {
    let mut words = words(phrase.text()).peekable();
    std::iter::from_fn(move || {
        let (word, next) = (words.next()?, *words.peek()?);
        let is_last = words.clone().nth(1).is_none();
        Some((seam(word, next), !is_last || next.chars().nth(NEXT - 1).is_some()))
    })
}

/// Of a phrase without a whole piece the longest that there is, as what pieces begin with: the index reads all
/// that begin so before it says anything, so this is for what is rare.
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
