//! Tab completion at the prompt: what an argument can be, from the table of commands, and who is likeliest.

use std::time::Instant;

use super::{emoji, file_completion};
use crate::client::conversation::{Roster, help_topics};
use crate::client::preferences::{SETTINGS, find_preference};
use crate::client::shared_state::SharedState;
use crate::prompt::{Complete, Completion, Rewrite};
use crate::protocol::command::{self, ArgumentKind, Command, Place};

/// Names to offer; to narrow down more, the user types another letter.
const MAX_OFFERS: usize = 200;

/// Durations to offer.
const DURATIONS: &[&str] = &["10m", "1h", "1d", "forever"];

/// Characters that may stand before a name, within a word.
const BEFORE_NAMES: &[char] = &['(', '[', '{', '"', '\'', '<', ',', ';', '/', '@', '+', '&', '*', '_'];

/// Completes commands from the table, and names from the conversation's roster.
pub(crate) struct Completer(pub(crate) SharedState<Roster>);

impl Complete for Completer {
    fn complete(&self, line: &str, pos: usize) -> Completion {
        let before = &line[..pos];
        let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let word = &before[start..];
        let roster = self.0.lock();
        if start == 0
            && let Some(name) = word.strip_prefix('/')
        {
            return Completion { start, words: commands(name, "/", roster.is_operator), in_turn: false };
        }
        let Some((command, position)) = command_at(before) else { return text(&roster, before, start) };
        if command.name == "set" {
            return Completion { start, words: settings(before, word, position), in_turn: false };
        }
        if command.name == "unignore" && position == 0 {
            let words = roster.ignored(word.trim_start_matches('@')).map(|name| format!("{name} ")).collect();
            return Completion { start, words, in_turn: true };
        }
        if let Some(completion) = file_completion::complete(command.name, before, &roster.offers) {
            return completion;
        }
        let kinds = command.kinds(position);
        let mut words = Vec::new();
        for kind in &kinds {
            match kind {
                ArgumentKind::User => words.extend(people(&roster, word, " ", reaches_offline(command))),
                ArgumentKind::Room => words.extend(rooms(&roster, command.name, word)),
                ArgumentKind::Command => {
                    let slash = if word.starts_with('/') { "/" } else { "" };
                    words.extend(commands(word.trim_start_matches('/'), slash, roster.is_operator));
                    if command.name == "help" {
                        let topics: Vec<_> = help_topics().collect();
                        words.extend(starting_with(&topics, word));
                    }
                }
                ArgumentKind::Duration => words.extend(starting_with(DURATIONS, word)),
                ArgumentKind::Word(other) => words.extend(starting_with(&[*other], word)),
                ArgumentKind::UserAfter(prefix) => {
                    words.extend(after(prefix, word, |name| people(&roster, name, " ", true)))
                }
                ArgumentKind::RoomAfter(prefix) => {
                    words.extend(after(prefix, word, |name| rooms(&roster, command.name, name)))
                }
                ArgumentKind::Text => {}
            }
        }
        if words.is_empty() && kinds.contains(&ArgumentKind::Text) {
            return text(&roster, before, start);
        }
        words.truncate(MAX_OFFERS);
        // Rooms and people are tried one after the other; a list of commands is to be read.
        let in_turn = !kinds.contains(&ArgumentKind::Command);
        Completion { start, words, in_turn }
    }

    /// Names the user whom `/r` answers, so that the user sees it and nobody else can come in between.
    fn rewrite(&self, start: &str) -> Option<Rewrite> {
        let reply = command::find(start.strip_prefix('/')?, Place::Prompt)?;
        // Behind the long form, the number of a line may come.
        let at_space = match reply.name {
            "r" => true,
            "reply" => false,
            _ => return None,
        };
        let roster = self.0.lock();
        let (name, is_doubtful) = roster.writer(Instant::now())?;
        Some(Rewrite { line: format!("/msg {name} "), at_space, is_doubtful })
    }
}

/// The command whose argument the user types, and the argument's position.
fn command_at(before: &str) -> Option<(&'static Command, usize)> {
    let (name, rest) = before.strip_prefix('/')?.split_once(char::is_whitespace)?;
    let command = command::find(name, Place::Prompt)?;
    let words = rest.split_whitespace().count();
    let is_within = !rest.is_empty() && !rest.ends_with(char::is_whitespace);
    Some((command, words - usize::from(is_within)))
}

/// Completes `/set`: names of preferences, then the values of one.
fn settings(before: &str, word: &str, position: usize) -> Vec<String> {
    let chosen = || find_preference(before.split_whitespace().nth(1).unwrap_or_default()).ok();
    match position {
        0 => starting_with(&SETTINGS.iter().map(|setting| setting.name).collect::<Vec<_>>(), word).collect(),
        1 => chosen().into_iter().flat_map(|setting| starting_with(setting.choices, word)).collect(),
        _ => Vec::new(),
    }
}

/// Completes a name within text.
fn text(roster: &Roster, before: &str, start: usize) -> Completion {
    let word = &before[start..];
    let end = if start == 0 { ": " } else { " " };
    let none = Completion { start, words: Vec::new(), in_turn: true };
    // A whole crowd does not help a user who has typed nothing.
    if word.is_empty() {
        return none;
    }
    if word.starts_with('#') {
        let words = roster.rooms(word, None).take(MAX_OFFERS).map(|room| format!("{room} ")).collect();
        return Completion { start, words, in_turn: true };
    }
    let mut words = people(roster, word, end, false);
    words.extend(emoji::starting_with(word));
    if !words.is_empty() {
        return Completion { start, words, in_turn: true };
    }
    let Some(at) = word.rfind(BEFORE_NAMES) else { return none };
    let inner = start + at + word[at..].chars().next().map_or(1, char::len_utf8);
    let (name, opener) = (&before[inner..], &word[at..]);
    if name.is_empty() && !opener.starts_with('@') {
        return none;
    }
    // Within brackets or quotes, the sentence goes on in its own way.
    let end = if opener.starts_with(['(', '[', '{', '"', '\'', '<']) { "" } else { " " };
    Completion { start: inner, words: people(roster, name, end, false), in_turn: true }
}

fn people(roster: &Roster, start: &str, end: &str, with_offline: bool) -> Vec<String> {
    let (at, start) = if let Some(start) = start.strip_prefix('@') { ("@", start) } else { ("", start) };
    let end = if at == "@" { " " } else { end };
    let names = roster.people(start, with_offline).into_iter().take(MAX_OFFERS);
    names.map(|name| format!("{at}{name}{end}")).collect()
}

/// Whether the command also works with a user who is offline.
fn reaches_offline(command: &Command) -> bool {
    !matches!(command.name, "kick")
}

/// Rooms to join are those that the user is not in; rooms to leave, those that the user is in.
fn rooms(roster: &Roster, command: &str, word: &str) -> Vec<String> {
    let joined = match command {
        "join" => Some(false),
        "part" => Some(true),
        _ => None,
    };
    // A word that may be a name is completed as a room only where there are only rooms.
    if joined.is_none() && !word.is_empty() && !word.starts_with('#') && command != "names" {
        return Vec::new();
    }
    // The last one of a list.
    let at = word.rfind(',').map_or(0, |at| at + 1);
    let (list, word) = word.split_at(at);
    roster.rooms(word, joined).map(|room| format!("{list}{room} ")).collect()
}

fn after(prefix: &str, word: &str, names: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    match word.strip_prefix(prefix) {
        Some(start) => names(start).into_iter().map(|name| format!("{prefix}{name}")).collect(),
        None if !word.is_empty() && prefix.starts_with(word) => vec![prefix.to_owned()],
        None => Vec::new(),
    }
}

fn starting_with<'a>(words: &'a [&str], start: &'a str) -> impl Iterator<Item = String> + 'a {
    words.iter().filter(move |word| word.starts_with(start)).map(|word| format!("{word} "))
}

fn commands(start: &str, slash: &str, is_operator: bool) -> Vec<String> {
    command::available(Place::Prompt, is_operator)
        .filter(|command| command.name.starts_with(&start.to_lowercase()))
        .map(|command| format!("{slash}{} ", command.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster() -> Roster {
        let mut roster = Roster::default();
        "bea".clone_into(&mut roster.me);
        for name in ["Bob", "bert", "alice", "bea"] {
            roster.add(name);
        }
        roster.add_room("#games");
        roster.add_room("#apps");
        roster.add_room("#dev");
        roster.set_joined("#dev", true);
        roster.note_speaker("Bob", None);
        roster.note_partner("carol");
        roster.set_ignored(["eve"].into_iter());
        roster
    }

    fn complete(line: &str) -> (usize, Vec<String>) {
        let Completion { start, words, .. } =
            Completer(SharedState::new(roster())).complete(line, line.len());
        (start, words)
    }

    /// The line with its first completion.
    fn first(line: &str) -> String {
        let (start, words) = complete(line);
        words.first().map_or_else(|| "-".into(), |word| format!("{}{word}", &line[..start]))
    }

    #[test]
    fn an_argument_is_completed_by_what_it_can_be() {
        for (typed, expected) in [
            ("/us", "/users "),
            ("/msg b", "/msg Bob "),
            ("/msg ", "/msg Bob "),
            ("/msg ca", "/msg carol "),
            ("/msg #", "/msg #dev "),
            ("/query @al", "/query @alice "),
            ("/join ", "/join #apps "),
            ("/join ga", "/join #games "),
            ("/join #a,#g", "/join #a,#games "),
            ("/join #x g", "/join #x #games "),
            ("/part ", "/part #dev "),
            ("/part #g", "-"),
            ("/nick b", "-"),
            ("/help ni", "/help nick "),
            ("/help /ni", "/help /nick "),
            ("/help na", "/help names "),
            ("/help ke", "/help keys "),
            ("/help peo", "/help people "),
            ("/unignore ", "/unignore eve "),
            ("/unignore b", "-"),
            ("/query #", "/query #dev "),
            ("/search tea in:#ga", "/search tea in:#games "),
            ("/search tea from:b", "/search tea from:Bob "),
            ("/search fr", "/search from:"),
            ("/verify n", "/verify no "),
            ("/whois bob x", "-"),
            ("/send b", "/send Bob "),
            ("/send #d", "/send #dev "),
            ("/cancel 3 b", "/cancel 3 Bob "),
            ("/accept ", "-"),
            ("/me thanks b", "/me thanks Bob "),
            ("/msg alice ask b", "/msg alice ask Bob "),
        ] {
            assert_eq!(first(typed), expected, "{typed}");
        }
        assert_eq!(complete("/msg b").1, ["Bob ", "bert "], "the last speaker first, never oneself");
        assert_eq!(first("/set no"), "/set notify ");
        assert_eq!(complete("/set bell ").1, ["off ", "dm ", "mention ", "all "]);
        assert_eq!(complete("/set bell o").1, ["off "]);
        assert_eq!(complete("/mute al x").1, Vec::<String>::new());
        assert_eq!(complete("/mute al 1").1, ["10m ", "1h ", "1d "]);
    }

    #[test]
    fn names_are_completed_in_text_too() {
        for (typed, expected) in [
            ("al", "alice: "),
            ("hello BO", "hello Bob "),
            ("ask @be", "ask @bert "),
            ("(bo", "(Bob"),
            ("see \"al", "see \"alice"),
            ("bob,al", "bob,alice "),
            ("in #ga", "in #games "),
            ("well done :tada:", "well done 🎉 "),
            ("ca", "-"),
            ("", "-"),
            ("hello ", "-"),
        ] {
            assert_eq!(first(typed), expected, "{typed}");
        }
    }

    #[test]
    fn operators_commands_are_offered_to_operators_only() {
        assert_eq!(complete("/ki").1, Vec::<String>::new());
        let mut operator = roster();
        operator.is_operator = true;
        assert_eq!(Completer(SharedState::new(operator)).complete("/ki", 3).words, ["/kick "]);
    }

    #[test]
    fn a_reply_names_its_target() {
        let completer = Completer(SharedState::new(roster()));
        assert_eq!(completer.rewrite("/r"), None, "nobody has written");
        completer.0.lock().set_writer("bert", Instant::now());
        let rewrite =
            |line: &str, at_space, is_doubtful| Some(Rewrite { line: line.into(), at_space, is_doubtful });
        assert_eq!(completer.rewrite("/R"), rewrite("/msg bert ", true, false));
        assert_eq!(completer.rewrite("/reply"), rewrite("/msg bert ", false, false), "a number may come");
        completer.0.lock().set_writer("alice", Instant::now());
        assert_eq!(completer.rewrite("/r"), rewrite("/msg alice ", true, true));
        assert_eq!(
            [completer.rewrite("/re"), completer.rewrite("r"), completer.rewrite("/msg")],
            [None, None, None]
        );
    }

    #[test]
    fn a_cursor_between_words_and_wide_characters_is_no_trouble() {
        let Completion { start, words, .. } =
            Completer(SharedState::default()).complete("山 b 田", "山 b".len());
        assert_eq!((start, words), ("山 ".len(), vec![]));
        Completer(SharedState::new(roster())).complete("（山@", "（山@".len());
    }
}
