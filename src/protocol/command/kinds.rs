//! The kinds of a command's arguments, read from its usage: Tab completes them accordingly.

use super::Command;

/// A kind of argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    User,
    Room,
    Command,
    Duration,
    /// Any text, to the end of the line.
    Text,
    /// This word.
    Word(&'static str),
    /// A word that starts with this and goes on with a user's name.
    UserAfter(&'static str),
    /// A word that starts with this and goes on with a room.
    RoomAfter(&'static str),
}

impl Command {
    /// The kinds that the argument at this position can be of, counted from 0. An optional argument may be
    /// missing, so the position can also be that of the next one.
    #[must_use]
    pub fn kinds(&self, position: usize) -> Vec<ArgumentKind> {
        let mut words: Vec<&'static str> = self.usage.split_whitespace().collect();
        let is_repeated = words.last().is_some_and(|word| {
            word.contains("...") || kinds_of(word).any(|kind| kind == ArgumentKind::Text)
        });
        let all_optional = !words.is_empty() && words.iter().all(|word| word.starts_with('['));
        if position >= words.len() && !(is_repeated || all_optional) {
            return Vec::new();
        }
        let first = if all_optional { 0 } else { position.min(words.len().saturating_sub(1)) };
        words.drain(..first);
        let required = words.iter().position(|word| !word.starts_with('['));
        words.truncate(required.map_or(words.len(), |at| at + 1));
        words.into_iter().flat_map(kinds_of).collect()
    }
}

fn kinds_of(word: &'static str) -> impl Iterator<Item = ArgumentKind> {
    word.trim_matches(['[', ']', '.']).split('|').filter_map(|one| {
        Some(match one {
            "NAME" => ArgumentKind::User,
            "#ROOM" => ArgumentKind::Room,
            "COMMAND" => ArgumentKind::Command,
            "DURATION" => ArgumentKind::Duration,
            "TEXT" | "REASON" | "MESSAGE" => ArgumentKind::Text,
            _ => match one.split_once(':') {
                Some((_, "NAME")) => ArgumentKind::UserAfter(one.trim_end_matches("NAME")),
                Some((_, "#ROOM")) => ArgumentKind::RoomAfter(one.trim_end_matches("#ROOM")),
                None if one.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !one.is_empty() => {
                    ArgumentKind::Word(one)
                }
                _ => return None,
            },
        })
    })
}

#[cfg(test)]
mod tests {
    use super::ArgumentKind::{Room, RoomAfter, Text, User, UserAfter, Word};
    use super::*;
    use crate::protocol::command::{Place, find};

    fn kinds(name: &str, position: usize) -> Vec<ArgumentKind> {
        find(name, Place::Prompt).expect(name).kinds(position)
    }

    #[test]
    fn the_usage_tells_what_an_argument_is() {
        assert_eq!(kinds("msg", 0), [User, Room]);
        assert_eq!(kinds("msg", 1), [Text]);
        assert_eq!(kinds("msg", 7), [Text]);
        assert_eq!(kinds("join", 3), [Room]);
        assert_eq!(kinds("verify", 0), [User, Word("yes"), Word("no")]);
        assert_eq!(kinds("whois", 1), []);
        assert_eq!(kinds("nick", 0), []);
        assert_eq!(kinds("mute", 1), [ArgumentKind::Duration]);
        assert!(kinds("search", 5).starts_with(&[Text, UserAfter("from:"), RoomAfter("in:")]));
        assert_eq!(kinds("help", 0), [ArgumentKind::Command]);
        assert_eq!(kinds("clear", 0), []);
        assert_eq!(kinds("history", 0), [Room, User, Word("today"), Word("yesterday")]);
    }
}
