//! Reads the arguments of commands.

use super::filters::{self, Filter, Part};
use super::{Action, Day, PromptAction, Talk};
use crate::name::with_hash;
use crate::protocol::packet::KeyList;
use crate::protocol::request::{Act, Operate, SearchRequest, Span};

/// The longest list of rooms to correct, in bytes: about a line.
const MAX_EXAMPLE_BYTES: usize = 60;

/// Splits off a leading room.
pub(super) fn room_and_rest(rest: &str) -> (Option<String>, &str) {
    match rest.split_once(char::is_whitespace) {
        Some((room, rest)) if room.starts_with('#') => (Some(room.to_owned()), rest.trim_start()),
        None if rest.starts_with('#') => (Some(rest.to_owned()), ""),
        Some(_) | None => (None, rest),
    }
}

/// Reads the rooms to join, as IRC's users list them; a missing `#` is added. A word behind a space needs its own:
/// it could be the rest of a name, or the key that IRC's rooms have.
pub(super) fn rooms(rest: &str) -> Option<Action> {
    let mut rooms = Vec::new();
    for item in rest.split(',') {
        for (place, word) in item.split_whitespace().enumerate() {
            (place == 0 || word.starts_with('#')).then_some(())?;
            rooms.push(with_hash(word));
        }
    }
    match rooms.len() {
        0 => None,
        1 => rooms.pop().map(|room| Action::from(Act::Join { room })),
        _ => Some(Action::Prompt(PromptAction::JoinAll(rooms))),
    }
}

/// Corrects a list of rooms to join.
pub(super) fn rooms_slip(rest: &str) -> Option<String> {
    let words: Vec<&str> = rest.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    let (one, several) =
        (words.join("-"), words.iter().map(|word| with_hash(word)).collect::<Vec<_>>().join(" "));
    (words.len() > 1 && rest.len() <= MAX_EXAMPLE_BYTES).then(|| {
        format!(
            "a room's name has no spaces; for one room: /join {}; for several: /join {several}",
            with_hash(&one.replace('#', "").replace("--", "-"))
        )
    })
}

/// Reads the room to leave. The reason that IRC's users give goes nowhere.
pub(super) fn part(rest: &str) -> Option<Action> {
    let mut words = rest.split_whitespace();
    Some(match (words.next(), words.next()) {
        (Some(name), reason) if name.starts_with('#') || reason.is_none() => {
            Action::from(Act::Part { room: with_hash(name) })
        }
        _ => Action::Talk(Talk::Part),
    })
}

/// Reads the target of a conversation, perhaps with a first message.
pub(super) fn query(rest: &str) -> PromptAction {
    match two(rest) {
        Some((to, text)) => PromptAction::QueryAndSay(to.to_owned(), text.to_owned()),
        None => PromptAction::Query(text(rest).map(|to| to.trim().to_owned())),
    }
}

/// Reads whose key to verify, and the answer.
pub(super) fn verify(rest: &str) -> Option<PromptAction> {
    let answer = |word: &str| match word.to_lowercase().as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let named = |name: &str| Some(bare(name).to_owned()).filter(|name| !name.is_empty());
    let words: Vec<&str> = rest.split_whitespace().collect();
    Some(match words.as_slice() {
        [] => PromptAction::Verify { name: None, answer: None },
        [word] if answer(word).is_some() => PromptAction::Verify { name: None, answer: answer(word) },
        [name] => PromptAction::Verify { name: Some(named(name)?), answer: None },
        [name, word] => PromptAction::Verify { name: Some(named(name)?), answer: Some(answer(word)?) },
        _ => return None,
    })
}

/// Reads which users to list: `-l`, a room and a part of a name, in any order.
pub(super) fn users(rest: &str) -> Option<(Option<String>, Option<String>, bool)> {
    let (mut room, mut text, mut is_long) = (None, None, false);
    for word in rest.split_whitespace() {
        match word {
            "-l" => is_long = true,
            word if word.starts_with('#') && room.is_none() => room = Some(word.to_owned()),
            word if text.is_none() => text = Some(bare(word).to_owned()),
            _ => return None,
        }
    }
    Some((room, text, is_long))
}

/// Reads how many messages to show: of a room, with a user, or here.
pub(super) fn history(rest: &str) -> Option<Action> {
    match past(rest)? {
        (place, None, limit) => Some(latest(place, limit)),
        _ => None,
    }
}

/// The same, or those of a day.
pub(super) fn history_or_day(rest: &str) -> Option<Action> {
    let (place, day, limit) = past(rest)?;
    Some(match day {
        Some(day) => Action::Prompt(PromptAction::HistoryOfDay { place, day, limit }),
        None => latest(place, limit),
    })
}

fn latest(place: Option<String>, limit: Option<u64>) -> Action {
    let span = Span { before: None, limit };
    match place {
        Some(room) if room.starts_with('#') => Act::History { room: Some(room), name: None, span }.into(),
        Some(name) => Act::History { room: None, name: Some(name), span }.into(),
        None => Action::Talk(Talk::History(limit)),
    }
}

/// A room or a user, a day and a number, in any order.
fn past(rest: &str) -> Option<(Option<String>, Option<Day>, Option<u64>)> {
    let (mut place, mut day, mut limit) = (None, None, None);
    for word in rest.split_whitespace() {
        if let Ok(number) = word.parse::<u64>() {
            (number > 0 && limit.replace(number).is_none()).then_some(())?;
        } else if let Some(read) = Day::read(word) {
            day.replace(read).is_none().then_some(())?;
        } else if word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('-') {
            // It is meant as a date.
            return None;
        } else {
            let name = Some(bare(word).to_owned()).filter(|name| !name.is_empty())?;
            place.replace(name).is_none().then_some(())?;
        }
    }
    Some((place, day, limit))
}

/// Reads a search with its filters.
pub(super) fn search(rest: &str) -> Option<Act> {
    let (mut name, mut room, mut since, mut until) = (None, None, None, None);
    let mut words = Vec::new();
    for part in filters::parts(rest) {
        match part {
            Part::Quoted(text) => words.push(format!("\"{text}\"")),
            Part::Word(word) => words.push(word.to_owned()),
            Part::Filter(Filter::From, who) => name = Some(bare(who).to_owned()),
            Part::Filter(Filter::In, place) => room = Some(place.to_owned()),
            Part::Filter(Filter::After, time) => since = Some(time.to_owned()),
            Part::Filter(Filter::Before, time) => until = Some(time.to_owned()),
        }
    }
    let words = words.join(" ");
    let is_sifted = [&name, &room, &since, &until].into_iter().any(Option::is_some);
    let span = Span::default();
    (is_sifted || !words.is_empty()).then_some(Act::Search(SearchRequest {
        words,
        name,
        room,
        since,
        until,
        span,
    }))
}

pub(super) fn nothing(rest: &str, action: Action) -> Option<Action> {
    rest.is_empty().then_some(action)
}

pub(super) fn text(rest: &str) -> Option<String> {
    (!rest.trim().is_empty()).then(|| rest.to_owned())
}

pub(super) fn one(rest: &str) -> Option<String> {
    at_most_one(rest).flatten()
}

/// Drops the `@` that people put before a name; no name starts with one.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix('@').unwrap_or(name)
}

/// Reads a name, perhaps with a duration.
pub(super) fn timed(rest: &str) -> Option<(String, Option<String>)> {
    let mut words = rest.split_whitespace();
    let name = bare(words.next()?).to_owned();
    let duration = words.next().map(str::to_owned);
    (!name.is_empty() && words.next().is_none()).then_some((name, duration))
}

pub(super) fn keys(rest: &str, list: KeyList) -> Option<Action> {
    let after = at_most_one(rest)?.map(|after| bare(&after).to_owned());
    Some(Action::from(Operate::Keys { list, after }))
}

pub(super) fn named(rest: &str, command: fn(String) -> Operate) -> Option<Action> {
    let name = bare(&one(rest)?).to_owned();
    (!name.is_empty()).then(|| command(name).into())
}

/// `None`: more than one word.
pub(super) fn at_most_one(rest: &str) -> Option<Option<String>> {
    let mut words = rest.split_whitespace();
    let first = words.next().map(str::to_owned);
    words.next().is_none().then_some(first)
}

pub(super) fn two(rest: &str) -> Option<(&str, &str)> {
    let (first, second) = rest.split_once(char::is_whitespace)?;
    let second = second.trim_start();
    (!first.is_empty() && !second.trim().is_empty()).then_some((first, second))
}
