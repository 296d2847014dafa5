//! Rooms and users that this user has talked to, from the client's files, for completing them in a shell.
//! Only reads.

use super::repl::HISTORY_FILE;
use crate::client::state_dir::state_dir;
use crate::client::trust::{VerifiedUsers, known_servers};
use crate::limits::MAX_TAB_NAMES;
use crate::name::{Name, RoomName, with_hash};
use crate::prompt::entered_lines;
use crate::protocol::command::{self, ArgumentKind, Place};
use crate::security::KnownServers;

/// Rooms and users, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RememberedNames {
    /// Rooms, with their `#`.
    pub rooms: Vec<String>,
    /// Users.
    pub users: Vec<String>,
}

/// The rooms and users in the commands that the user typed in the chat, and the users that they verified.
pub fn remembered_names() -> RememberedNames {
    let Some(dir) = state_dir() else { return RememberedNames::default() };
    let lines = entered_lines(&dir.join(HISTORY_FILE));
    let mut names = RememberedNames::default();
    lines.iter().rev().for_each(|line| names.take(line));
    for name in VerifiedUsers::load(Some(&dir)).names() {
        add(&mut names.users, name);
    }
    names
}

/// The servers that this user may join; none if they cannot be read.
pub fn servers_joined() -> KnownServers {
    known_servers(state_dir().as_deref()).unwrap_or_default()
}

impl RememberedNames {
    /// Takes in the room or user that a command names first.
    fn take(&mut self, line: &str) {
        let Some((name, rest)) = line.strip_prefix('/').and_then(|line| line.split_once(' ')) else { return };
        let Some(command) = command::find(name, Place::Prompt) else { return };
        let kinds = command.kinds(0);
        // A count, a date, or a word such as yes or today.
        let is_other = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_digit())
                || kinds.iter().any(|kind| matches!(kind, ArgumentKind::Word(own) if *own == word))
        };
        let first = rest.split_whitespace().next().filter(|word| !is_other(word));
        for word in first.into_iter().flat_map(|word| word.split(',')) {
            let is_room = word.starts_with('#') || !kinds.contains(&ArgumentKind::User);
            if is_room && kinds.contains(&ArgumentKind::Room) {
                if let Ok(room) = RoomName::new(&with_hash(word)) {
                    add(&mut self.rooms, room.as_str());
                }
            } else if !is_room && let Ok(name) = Name::new(word.trim_start_matches('@')) {
                add(&mut self.users, name.as_str());
            }
        }
    }
}

fn add(names: &mut Vec<String>, name: &str) {
    if names.len() < MAX_TAB_NAMES && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_commands_alone() {
        let mut names = RememberedNames::default();
        for line in [
            "/join #games,#dev",
            "/join ops",
            "/msg bob hi #there",
            "/w carol hi",
            "/msg #builds done",
            "/whois @dave",
            "/msg bob again",
            "hello #world",
            "/etc/hosts x",
            "/verify yes",
            "/history yesterday",
            "/history 2026-11-24",
            "/msg $(touch\u{1b}x) hi",
            "/query",
        ] {
            names.take(line);
        }
        assert_eq!(names.rooms, ["#games", "#dev", "#ops", "#builds"]);
        assert_eq!(names.users, ["bob", "carol", "dave"]);
    }

    #[test]
    fn names_are_bounded() {
        let mut names = RememberedNames::default();
        (0..2 * MAX_TAB_NAMES).for_each(|n| names.take(&format!("/msg u{n} hi")));
        assert_eq!(names.users.len(), MAX_TAB_NAMES);
    }
}
