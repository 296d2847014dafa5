//! What is searched for, as the index of words has it.
//!
//! Nothing that a user types is syntax of the index: each word goes into it quoted.

use super::rows;
use crate::chat::{Message, Search, View};
use crate::limits::SEARCH_WORDS;
use crate::name::NameKey;
use rusqlite::{Connection, Result, params};
use std::fmt::Write as _;

/// A room in the column of venues.
fn room_token(id: i64) -> String {
    format!("r{id}")
}

/// Somebody's mail in the column of venues.
fn account_token(id: i64) -> String {
    format!("a{id}")
}

/// A sender as one token, whatever the name holds: two have the same if they are the same name.
fn sender_token(name: &str) -> String {
    let mut token = String::from("n");
    for byte in NameKey::of(name).as_str().bytes() {
        match byte {
            // What stands before the number of a byte can't stand for itself.
            b'a'..=b'p' | b'r'..=b'z' | b'0'..=b'9' => token.push(char::from(byte)),
            _ => drop(write!(token, "q{byte:02x}")),
        }
    }
    token
}

/// Indexes the words of a message of a room, or of these people's mail.
pub(super) fn add(history: &Connection, message: &Message, room: Option<i64>, readers: &[i64]) -> Result<()> {
    let venue = match room {
        Some(room) => room_token(room),
        None => readers.iter().map(|id| account_token(*id)).collect::<Vec<_>>().join(" "),
    };
    let values = params![rows::signed(message.seq), message.text, sender_token(&message.from.name), venue];
    let sql = "INSERT INTO words (rowid, text, sender, venue) VALUES (?1, ?2, ?3, ?4)";
    history.prepare_cached(sql)?.execute(values).map(drop)
}

/// The search as the index reads it; `None`: it can find nothing.
pub(super) fn expression(connection: &Connection, search: &Search) -> Result<Option<String>> {
    let venues = venues(connection, &search.view)?;
    let mut words = phrases(&search.words);
    if venues.is_empty() || (words.is_empty() && search.from.is_none()) {
        return Ok(None);
    }
    words.truncate(SEARCH_WORDS);
    let mut parts = Vec::new();
    if !words.is_empty() {
        parts.push(format!("(text : ({}))", words.join(" AND ")));
    }
    if let Some(from) = &search.from {
        parts.push(format!("(sender : {})", sender_token(from)));
    }
    parts.push(format!("(venue : ({}))", venues.join(" OR ")));
    Ok(Some(parts.join(" AND ")))
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

/// The words and quoted phrases of what somebody typed, each quoted.
fn phrases(typed: &str) -> Vec<String> {
    let mut phrases = Vec::new();
    for (place, part) in typed.split('"').enumerate() {
        if place % 2 == 1 {
            phrases.extend(quoted(part, part.trim_end().ends_with('*')));
        } else {
            phrases.extend(part.split_whitespace().filter_map(|word| quoted(word, word.ends_with('*'))));
        }
    }
    phrases
}

/// The phrase in quotes; `None`: there is nothing in it that the index holds.
fn quoted(phrase: &str, is_prefix: bool) -> Option<String> {
    let clean: String = phrase.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let star = if is_prefix { " *" } else { "" };
    clean.chars().any(char::is_alphanumeric).then(|| format!("\"{clean}\"{star}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_quoted_and_phrases_kept_together() {
        assert_eq!(phrases("build  BROKEN"), ["\"build\"", "\"BROKEN\""]);
        assert_eq!(phrases("\"the build\" fail*"), ["\"the build\"", "\"fail*\" *"]);
        assert_eq!(
            phrases("a OR NOT NEAR(b, c) text:x"),
            ["\"a\"", "\"OR\"", "\"NOT\"", "\"NEAR(b,\"", "\"c)\"", "\"text:x\""]
        );
        assert_eq!(phrases("\"unfinished phrase"), ["\"unfinished phrase\""]);
        assert!(phrases("\" -- * \" ( ) : ^ 👍").is_empty());
    }

    #[test]
    fn senders_are_one_token_each() {
        assert_eq!(sender_token("Alice"), "nalice");
        assert_eq!(sender_token("ann-q 2"), "nannq2dq71q202");
        assert_ne!(sender_token("josé"), sender_token("jose"));
    }

    proptest! {
        #[test]
        fn names_that_differ_have_other_tokens(one in "[a-z0-9äß_-]{1,8}", other in "[a-z0-9äß_-]{1,8}") {
            let same = NameKey::of(&one) == NameKey::of(&other);
            prop_assert_eq!(sender_token(&one) == sender_token(&other), same);
        }
    }
}
