//! What a message is found by, as the index has it: pieces of its text, its sender, and where it was said.
//!
//! A piece is three characters of a word, whatever they are, or what is left of it: one begins at each. So
//! any part of a word, in scripts without spaces too, and any sign is found by pieces that it has itself,
//! and the index need not know where words begin, nor any language. That a message has the pieces says only
//! that it may have the words: what is found is held against its text, folded in the same way
//! ([`crate::text::fold`]). An index of whole words was no larger and found none of this.
//!
//! Nothing that a user types is syntax of the index: each piece goes into it quoted.

use super::rows;
use crate::chat::{Search, View};
use crate::limits::SEARCH_PIECES;
use crate::name::NameKey;
use crate::text::{Phrase, fold};
use rusqlite::{Connection, Result};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Characters of a piece.
const PIECE: usize = 3;

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

/// All tokens of a message, each once, with spaces between them.
pub(super) fn tokens(text: &str, sender: &str, venues: &[String]) -> String {
    let folded = fold(text);
    let pieces: BTreeSet<&str> = folded.split(' ').flat_map(pieces).collect();
    let mut tokens = sender_token(sender);
    for token in venues.iter().map(String::as_str).chain(pieces) {
        tokens.push(' ');
        tokens.push_str(token);
    }
    tokens
}

/// The piece that begins at each character of a word.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices().map(|(start, _)| {
        let rest = &word[start..];
        rest.char_indices().nth(PIECE).map_or(rest, |(end, _)| &rest[..end])
    })
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
    let words = phrases.iter().flat_map(|phrase| phrase.text().split(' '));
    let is_whole = |piece: &&str| piece.chars().count() == PIECE;
    let whole: BTreeSet<&str> = words.flat_map(pieces).filter(is_whole).collect();
    whole.into_iter().take(SEARCH_PIECES).map(quoted).collect()
}

/// Of a phrase without a whole piece the longest word, as what pieces begin with: the index reads all that
/// begin so before it says anything, so this is for what is rare.
pub(super) fn short(phrase: &Phrase) -> Option<String> {
    let length = |word: &&str| word.chars().count();
    let longest = phrase.text().split(' ').max_by_key(length)?;
    (length(&longest) < PIECE).then(|| quoted(longest) + "*")
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
    fn a_piece_begins_at_each_character_and_none_goes_over_the_end_of_a_word() {
        let tokens = |text| tokens(text, "al", &["x".to_owned()]);
        assert_eq!(tokens("Tea? tea"), "\u{FDD0}nal x ? a a? ea ea? tea");
        assert_eq!(tokens("我的爸爸"), "\u{FDD0}nal x 我的爸 爸 爸爸 的爸爸");
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
        assert_eq!(asked("爸 go \"a 3\" x\"-\""), both("", "\"爸\"* \"go\"* \"3\"* \"x\"* \"-\"*"));
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
        fn a_text_has_all_pieces_of_its_parts(text in "\\PC{0,20}", from in 0..20_usize, count in 1..9_usize) {
            let folded: Vec<char> = fold(&text).chars().collect();
            let part: String = folded.into_iter().skip(from).take(count).collect();
            let tokens = tokens(&text, "x", &[]);
            for word in part.split(' ').filter(|word| !word.is_empty()) {
                for piece in pieces(word) {
                    prop_assert!(tokens.split(' ').any(|token| token.starts_with(piece)), "{:?} {:?}", part, tokens);
                }
            }
        }
    }
}
