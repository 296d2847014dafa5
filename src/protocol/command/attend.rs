//! Commands about unread messages, notifications and ignored users. Only the prompt knows them.

use super::arguments::{at_most_one, bare, timed};
use super::{Action, PromptAction};

/// See [`PromptAction::Attend`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attend {
    /// Goes to the most urgent unread messages.
    Next,
    /// Shows only the current room or conversation, or all; `None` says which of them is so.
    Focus(Option<bool>),
    /// Lists messages that mention the user.
    Mentions,
    /// Silences notifications for a duration; `off` ends that.
    Dnd(Option<String>),
    /// Hides a user's messages for a duration, or lists the users whose messages are hidden.
    Ignore(Option<(String, Option<String>)>),
    /// Shows a user's messages again.
    Unignore(String),
    /// Shows missed messages again.
    Missed,
}

impl From<Attend> for Action {
    fn from(command: Attend) -> Self {
        Self::Prompt(PromptAction::Attend(command))
    }
}

pub(super) fn focus(rest: &str) -> Option<Action> {
    let wanted = match at_most_one(rest)?.as_deref() {
        None => None,
        Some("on") => Some(true),
        Some("off") => Some(false),
        Some(_) => return None,
    };
    Some(Attend::Focus(wanted).into())
}

pub(super) fn dnd(rest: &str) -> Option<Action> {
    let all: String = rest.split_whitespace().collect();
    let all = all.to_lowercase();
    Some(Attend::Dnd((!all.is_empty() && all != "on").then_some(all)).into())
}

pub(super) fn ignore(rest: &str) -> Option<Action> {
    match rest {
        "" => Some(Attend::Ignore(None).into()),
        rest => timed(rest).map(|user| Attend::Ignore(Some(user)).into()),
    }
}

pub(super) fn unignore(rest: &str) -> Option<Action> {
    let name = at_most_one(rest)??;
    Some(Attend::Unignore(bare(&name).to_owned()).into())
}
