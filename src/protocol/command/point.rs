//! Commands that point at lines. Only the prompt knows the lines' numbers.

use super::arguments::{at_most_one, text, two};
use super::base::PROMPT;
use super::{Action, Command, PromptAction};

/// See [`PromptAction::Point`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Point {
    /// Numbers the last lines; `None`: as many as usual.
    Lines(Option<usize>),
    /// Answers a line.
    Reply(usize, String),
    /// Copies a line's text to the clipboard.
    Copy(usize),
    /// Opens a line's link; if it has several, the one with the second number.
    Open(usize, Option<usize>),
    /// Replaces the text of one's own message; `None`: of the last one.
    Edit(Option<usize>, String),
    /// Deletes a message.
    Delete(usize),
}

impl From<Point> for Action {
    fn from(command: Point) -> Self {
        Self::Prompt(PromptAction::Point(command))
    }
}

pub(super) const REPLY: Command = Command {
    name: "reply",
    usage: "[N] TEXT",
    help: "answer the last person who messaged you, or line N where it was written (see /num)",
    read: reply,
    ..PROMPT
};

/// A command of its own: a text that begins with a number must never go to a room.
pub(super) const REPLY_TO_PERSON: Command = Command {
    name: "r",
    usage: "TEXT",
    help: "answer the last person who messaged you; the prompt shows who that is",
    read: reply_to_person,
    ..PROMPT
};

pub(super) const NUM: Command = Command {
    name: "num",
    usage: "[N]",
    help: "number the last N lines (default 10; the latest is 1), for /reply, /copy, /open, /edit and /delete",
    read: lines,
    ..PROMPT
};

pub(super) const EDIT: Command = Command {
    name: "edit",
    usage: "[N] TEXT",
    help: "replace the text of your last message, or of your message N (see /num)",
    read: edit,
    ..PROMPT
};

pub(super) const DELETE: Command = Command {
    name: "delete",
    aliases: &["del"],
    usage: "N",
    help: "delete your message N (see /num); operators can delete messages in rooms",
    read: |rest| line(rest, Point::Delete),
    ..PROMPT
};

pub(super) const COPY: Command = Command {
    name: "copy",
    usage: "N",
    help: "copy the text of line N to the clipboard (see /num)",
    read: |rest| line(rest, Point::Copy),
    ..PROMPT
};

pub(super) const OPEN: Command = Command {
    name: "open",
    usage: "N[.LINK]",
    help: "open the link in line N (see /num); if there are several, /open N lists them, and /open N.2 opens the second",
    read: open,
    ..PROMPT
};

fn lines(rest: &str) -> Option<Action> {
    match at_most_one(rest)? {
        Some(word) => Some(Point::Lines(Some(number(&word)?)).into()),
        None => Some(Point::Lines(None).into()),
    }
}

/// Reads a reply to a line, or, without a number, to a person.
fn reply(rest: &str) -> Option<Action> {
    match numbered(rest) {
        Some((number, reply)) => Some(Point::Reply(number, reply).into()),
        None if begins_with_number(rest) => None,
        None => reply_to_person(rest),
    }
}

fn reply_to_person(rest: &str) -> Option<Action> {
    text(rest).map(|text| Action::Prompt(PromptAction::Reply(text)))
}

fn edit(rest: &str) -> Option<Action> {
    match numbered(rest) {
        Some((number, text)) => Some(Point::Edit(Some(number), text).into()),
        None if begins_with_number(rest) => None,
        None => text(rest).map(|text| Point::Edit(None, text).into()),
    }
}

/// Reads the number of a line, and perhaps that of a link in it: `3`, `3.2` or `3 2`.
fn open(rest: &str) -> Option<Action> {
    let (line, link) = match rest.split_once(['.', ' ']) {
        Some((line, link)) => (line, Some(number(link.trim_start())?)),
        None => (rest, None),
    };
    Some(Point::Open(number(line)?, link).into())
}

/// Reads the number of one line.
fn line(rest: &str, command: fn(usize) -> Point) -> Option<Action> {
    number(rest).map(|number| command(number).into())
}

fn numbered(rest: &str) -> Option<(usize, String)> {
    let (number, text) = two(rest)?;
    Some((self::number(number)?, text.to_owned()))
}

/// Whether the user means a line, even if none has that number: `0`, `-1`, `1.2`. Such a text must neither go to
/// a person nor replace a message.
fn begins_with_number(rest: &str) -> bool {
    let word = rest.split_whitespace().next().unwrap_or_default().trim_start_matches(['+', '-']);
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
}

fn number(word: &str) -> Option<usize> {
    word.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::command::{Line, Place, read_line};

    #[test]
    fn a_number_points_at_a_line_and_without_one_the_text_is_all() {
        let read = |line: &str| read_line(line, Place::Prompt).map_err(|error| error.to_string());
        let point = |point: Point| Ok(Line::Command(point.into()));
        assert_eq!(read("/num"), point(Point::Lines(None)));
        assert_eq!(read("/num 5"), point(Point::Lines(Some(5))));
        assert_eq!(read("/reply 2 yes  please"), point(Point::Reply(2, "yes  please".into())));
        let direct = |text: &str| Ok(Line::Command(Action::Prompt(PromptAction::Reply(text.into()))));
        assert_eq!(read("/reply yes 2"), direct("yes 2"));
        assert_eq!(read("/r 2 yes  please"), direct("2 yes  please"));
        assert_eq!(read("/edit 2 hello"), point(Point::Edit(Some(2), "hello".into())));
        assert_eq!(read("/edit hello 2"), point(Point::Edit(None, "hello 2".into())));
        assert_eq!(read("/delete 3"), point(Point::Delete(3)));
        assert_eq!(read("/copy 3"), point(Point::Copy(3)));
        assert_eq!(read("/open 3"), point(Point::Open(3, None)));
        for second in ["/open 3.2", "/open 3 2"] {
            assert_eq!(read(second), point(Point::Open(3, Some(2))));
        }
        for number in ["0", "-1", "+0", "1.2", "18446744073709551617"] {
            for wrong in [format!("/reply {number} words"), format!("/edit {number} words")] {
                assert!(read(&wrong).is_err_and(|error| error.starts_with("usage: ")), "{wrong}");
            }
        }
        assert_eq!(read("/reply 10:30 is fine"), direct("10:30 is fine"));
        assert_eq!(read("/edit 2nd try"), point(Point::Edit(None, "2nd try".into())));
        for wrong in [
            "/reply 1",
            "/edit 1",
            "/delete",
            "/delete x",
            "/copy 0",
            "/open 1.",
            "/open 1.0",
            "/open 1 2 3",
            "/num x",
        ] {
            assert!(read(wrong).is_err_and(|error| error.starts_with("usage: ")), "{wrong}");
        }
    }
}
