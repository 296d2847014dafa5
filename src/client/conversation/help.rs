//! `/help`: the commands by topic, so that all fit on a screen; a topic, a command, or the keys.

use super::{Conversation, Effect, shown};
use crate::protocol::command::{self, Command, Place};

/// The topics, with their commands in the order in which people need them.
const TOPICS: [(&str, &[&str]); 7] = [
    ("talking", &["msg", "query", "r", "reply", "me", "compose", "edit", "delete"]),
    ("rooms", &["join", "part", "rooms", "topic", "next", "focus"]),
    ("reading", &["history", "search", "more", "mentions", "missed", "num", "copy", "open", "clear"]),
    ("files", &["send", "accept", "reject", "transfers", "cancel"]),
    ("people", &["users", "names", "whois", "verify", "ignore", "unignore"]),
    ("you", &["nick", "away", "back", "dnd", "set", "status", "web", "time", "op", "help", "quit"]),
    (
        "operators",
        &[
            "alert",
            "kick",
            "mute",
            "unmute",
            "ban",
            "unban",
            "bans",
            "deop",
            "operators",
            "members",
            "owners",
            "admit",
            "dismiss",
            "release",
        ],
    ),
];

/// The topic of commands that are in no other.
const REST: &str = "more";

const KEYS: [(&str, &str); 12] = [
    ("Tab", "completes commands, names and rooms; Tab again shows the next one"),
    ("Up, Down", "go through the lines that you typed"),
    ("Ctrl-R", "searches these lines; Esc keeps the one that it found"),
    ("Alt-Enter, Ctrl-J", "start a new line of the same message"),
    ("Ctrl-X Ctrl-E", "opens the line in $VISUAL or $EDITOR, as /compose does"),
    ("Ctrl-A, Ctrl-E", "go to the start and the end of the line"),
    ("Ctrl-W, Ctrl-U", "delete a word, or the line up to the cursor; Ctrl-Y puts it back"),
    ("Ctrl-L", "clears the screen"),
    ("Alt-A", "goes to the most urgent unread messages, as /next does"),
    ("Enter", "on an empty line after a page shows the next one"),
    ("Ctrl-C", "clears the line, which Up brings back; twice on an empty line leaves"),
    ("Ctrl-D", "on an empty line leaves"),
];

/// The topics of `/help`, for Tab.
pub(crate) fn topics() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|(topic, _)| *topic).chain(["keys"])
}

impl Conversation {
    pub(super) fn help(&self, topic: Option<&str>) -> Vec<Effect> {
        let Some(topic) = topic else { return self.topics() };
        let commands: Vec<_> = self.commands_of(topic).collect();
        let rows: Vec<(String, String)> = match topic {
            "keys" => KEYS.map(|(key, what)| (key.to_owned(), what.to_owned())).to_vec(),
            _ => commands.iter().map(|command| (command.synopsis(), command.help.to_owned())).collect(),
        };
        if rows.is_empty() {
            return match command::help(Some(topic), Place::Prompt, self.session.operator) {
                Ok(text) => self.note(&text),
                Err(error) => self.failure(&error.to_string()),
            };
        }
        let mut effects = self.note(&format!("{topic}:"));
        effects.extend(shown(self.view.table(&rows)));
        effects
    }

    /// All commands by topic.
    fn topics(&self) -> Vec<Effect> {
        let mut effects = self.note("commands by topic; /help TOPIC or /help COMMAND explains them:");
        let mut rows = Vec::new();
        for topic in TOPICS.iter().map(|(topic, _)| *topic).chain([REST]) {
            let names: Vec<String> =
                self.commands_of(topic).map(|command| format!("/{}", command.name)).collect();
            if !names.is_empty() {
                rows.push((topic.to_owned(), names.join(" ")));
            }
        }
        rows.push(("keys".to_owned(), "Tab, Up, Ctrl-R and others: /help keys".to_owned()));
        effects.extend(shown(self.view.table(&rows)));
        effects.extend(self.note(
            "text without a slash goes where the prompt says; a text that starts with a slash needs a second one",
        ));
        effects
    }

    fn commands_of(&self, topic: &str) -> impl Iterator<Item = &'static Command> {
        let listed = TOPICS.iter().find(|(name, _)| *name == topic).map_or(&[][..], |(_, names)| names);
        let is_rest = topic == REST;
        let at_hand = command::available(Place::Prompt, self.session.operator);
        let mut commands: Vec<_> = at_hand
            .filter(|command| listed.contains(&command.name) || is_rest && !has_topic(command.name))
            .collect();
        commands.sort_by_key(|command| listed.iter().position(|name| *name == command.name));
        commands.into_iter()
    }
}

fn has_topic(command: &str) -> bool {
    TOPICS.iter().any(|(_, names)| names.contains(&command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_of_the_prompt_has_one_topic() {
        for command in command::available(Place::Prompt, true) {
            let topics = TOPICS.iter().filter(|(_, names)| names.contains(&command.name));
            assert_eq!(topics.count(), 1, "put /{} into TOPICS", command.name);
        }
    }
}
