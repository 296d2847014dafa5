//! The choice between several servers.

use crate::client::error::Error;
use crate::client::link::Reached;
use crate::discovery::{is_called, server_label};
use crate::text::safe_line;

/// The user has not said which of several servers to join.
pub(crate) fn several(servers: &[Reached]) -> Error {
    Error::NoServer(format!(
        "several servers answered; choose one with --server {}: {}",
        how_to_choose(servers),
        servers.iter().map(describe).collect::<Vec<_>>().join(", ")
    ))
}

/// Describes a server so that people can tell it from others; safe for the terminal.
pub(crate) fn describe(reached: &Reached) -> String {
    let id = reached.server.id.get(..8).unwrap_or(&reached.server.id);
    safe_line(&format!("{} ({id}) at {}", reached.server.name, reached.link.peer()))
}

/// The form of the value for `--server`; with the id if two servers have the same name.
fn how_to_choose(servers: &[Reached]) -> String {
    let name = |reached: &Reached| reached.server.name.to_lowercase();
    let is_twice = |one: &&Reached| servers.iter().filter(|other| name(other) == name(one)).count() > 1;
    match servers.iter().find(is_twice) {
        Some(namesake) => {
            format!("NAME-ID, such as {}", server_label(&namesake.server.name, &namesake.server.id))
        }
        None => "NAME".into(),
    }
}

pub(crate) fn choices(servers: &[Reached]) -> Vec<String> {
    servers.iter().enumerate().map(|(at, server)| format!("{:3}  {}", at + 1, describe(server))).collect()
}

/// The names and ids in a numbered choice.
pub(crate) struct Choice(Vec<(String, String)>);

impl Choice {
    pub(crate) fn among(servers: &[Reached]) -> Self {
        Self(servers.iter().map(|one| (one.server.name.clone(), one.server.id.clone())).collect())
    }

    /// The index of the server that an answer selects, by number or by what `--server` takes.
    pub(crate) fn chosen(&self, answer: &str) -> Option<usize> {
        if let Ok(number) = answer.trim().parse::<usize>() {
            return number.checked_sub(1).filter(|at| *at < self.0.len());
        }
        let mut called = self.called(answer);
        called.next().filter(|_| called.next().is_none())
    }

    /// Whether the text is meant as an answer, even a wrong one, and not as a line for the chat.
    pub(crate) fn is_answer(&self, typed: &str) -> bool {
        typed.trim().parse::<u64>().is_ok() || self.called(typed).next().is_some()
    }

    fn called(&self, answer: &str) -> impl Iterator<Item = usize> {
        let is_called = move |(name, id): &(String, String)| is_called(answer.trim(), name, id);
        self.0.iter().enumerate().filter(move |(_, one)| is_called(one)).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_chosen_by_its_number_or_its_name_and_a_wrong_number_is_no_line_for_the_chat() {
        let pair = |name: &str, id: &str| (name.to_owned(), id.to_owned());
        let choice = Choice(vec![
            pair("kitchen", "26276bf8bb43d319"),
            pair("vm", "a0b1c2d3e4f50617"),
            pair("VM", "3f9a1c7700112233"),
        ]);
        for (typed, place) in [(" 2\n", 1), ("Kitchen", 0), ("vm-3f9a1c77", 2), ("a0b1c2d3", 1)] {
            assert_eq!((choice.chosen(typed), choice.is_answer(typed)), (Some(place), true), "{typed}");
        }
        for wrong in ["0", "4", "vm"] {
            assert_eq!((choice.chosen(wrong), choice.is_answer(wrong)), (None, true), "{wrong}");
        }
        for line in ["", "-1", "hello", "kitchen sink", "2 of us"] {
            assert_eq!((choice.chosen(line), choice.is_answer(line)), (None, false), "{line}");
        }
    }
}
