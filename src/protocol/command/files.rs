//! Commands about files that people send each other. Only the prompt knows them: elsewhere there is no disk to
//! read or to write.

use super::arguments::{bare, two};
use super::base::PROMPT;
use super::{Action, Command, PromptAction};
use crate::protocol::Target;

/// The commands of this file.
pub(super) const NAMES: [&str; 5] = ["send", "accept", "reject", "transfers", "cancel"];

/// See [`PromptAction::Files`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesCommand {
    /// Offers files to a user or a room. The paths are as typed, in one text.
    Send { to: Target, paths: String },
    /// Accepts an offer, into a folder, as typed. Without a number: the only open offer.
    Accept { offer: Option<u64>, folder: Option<String> },
    /// Declines an offer.
    Reject(Option<u64>),
    /// Lists offers and transfers.
    List,
    /// Ends an offer of the user's own, perhaps only for one receiver, or a transfer.
    Cancel { offer: Option<u64>, name: Option<String> },
}

impl From<FilesCommand> for Action {
    fn from(command: FilesCommand) -> Self {
        Self::Prompt(PromptAction::Files(command))
    }
}

pub(super) const SEND: Command = Command {
    name: "send",
    usage: "NAME|#ROOM PATH...",
    help: "offer files or folders (with their hidden files) to a user or a room; a file that you drag into the \
           terminal is its path",
    read: |rest| {
        let (to, paths) = two(rest)?;
        Some(FilesCommand::Send { to: Target::parse(bare(to)), paths: paths.to_owned() }.into())
    },
    ..PROMPT
};

pub(super) const ACCEPT: Command = Command {
    name: "accept",
    usage: "[N] [FOLDER]",
    help: "take the files of offer N, into FOLDER, which must be there, or the one that /set downloads shows",
    read: |rest| {
        let (offer, folder) = number_and_rest(rest);
        let folder = (!folder.is_empty()).then(|| folder.to_owned());
        Some(FilesCommand::Accept { offer, folder }.into())
    },
    ..PROMPT
};

pub(super) const REJECT: Command = Command {
    name: "reject",
    aliases: &["decline"],
    usage: "[N]",
    help: "decline the files of offer N",
    read: |rest| match number_and_rest(rest) {
        (offer, "") => Some(FilesCommand::Reject(offer).into()),
        _ => None,
    },
    ..PROMPT
};

pub(super) const TRANSFERS: Command = Command {
    name: "transfers",
    help: "list the files that are done, offered or on their way, the newest last",
    read: |rest| rest.is_empty().then(|| FilesCommand::List.into()),
    ..PROMPT
};

pub(super) const CANCEL: Command = Command {
    name: "cancel",
    usage: "[N] [NAME]",
    help: "take back your offer N, for all or for NAME, or end the transfer of offer N",
    read: |rest| {
        let (offer, name) = number_and_rest(rest);
        let name = bare(name);
        let is_one = !name.contains(char::is_whitespace) && (name.is_empty() || offer.is_some());
        let name = (!name.is_empty()).then(|| name.to_owned());
        is_one.then(|| FilesCommand::Cancel { offer, name }.into())
    },
    ..PROMPT
};

/// A leading number, perhaps written as `#7`, and what comes after it.
fn number_and_rest(rest: &str) -> (Option<u64>, &str) {
    let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match first.trim_start_matches('#').parse() {
        Ok(number) => (Some(number), after.trim_start()),
        Err(_) => (None, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::FilesCommand::{Accept, Cancel, List, Reject, Send};
    use super::*;
    use crate::protocol::command::{Line, Place, read_line};

    fn read(line: &str) -> Option<FilesCommand> {
        match read_line(line, Place::Prompt) {
            Ok(Line::Command(Action::Prompt(PromptAction::Files(command)))) => Some(command),
            _ => None,
        }
    }

    #[test]
    fn a_number_stands_before_a_folder_or_a_name_and_may_be_missing() {
        let folder = |text: &str| Some(text.to_owned());
        assert_eq!(read("/accept"), Some(Accept { offer: None, folder: None }));
        assert_eq!(read("/accept 7"), Some(Accept { offer: Some(7), folder: None }));
        assert_eq!(read("/accept ~/x y"), Some(Accept { offer: None, folder: folder("~/x y") }));
        assert_eq!(read("/accept 7  '/x y'"), Some(Accept { offer: Some(7), folder: folder("'/x y'") }));
        assert_eq!(read("/reject 7"), Some(Reject(Some(7))));
        assert_eq!(read("/decline"), Some(Reject(None)));
        assert_eq!(read("/reject bob"), None);
        assert_eq!(read("/transfers"), Some(List));
        assert_eq!(read("/cancel #7 @bob"), Some(Cancel { offer: Some(7), name: Some("bob".into()) }));
        assert_eq!(read("/cancel bob"), None, "of which offer?");
        assert_eq!(read("/cancel 7 bob carol"), None);
    }

    #[test]
    fn a_pasted_list_of_files_is_a_list_and_no_message() {
        let paths = "file:///a\nfile:///b%20c".to_owned();
        let send = Send { to: Target::User("bob".into()), paths: paths.clone() };
        assert_eq!(read(&format!("/send bob {paths}\n")), Some(send));
        assert_eq!(read("/accept 7\n/x"), None);
    }

    #[test]
    fn paths_stay_as_typed() {
        let send = |to, paths: &str| Some(Send { to, paths: paths.into() });
        assert_eq!(read("/send @bob  'a b' c\\ d"), send(Target::User("bob".into()), "'a b' c\\ d"));
        assert_eq!(read("/send #dev /etc"), send(Target::Room("#dev".into()), "/etc"));
        assert_eq!(read("/send bob"), None);
    }

    #[test]
    fn elsewhere_than_at_the_prompt_they_need_the_client() {
        for line in ["/send bob /x", "/accept 7", "/reject", "/transfers", "/cancel 7"] {
            for place in [Place::Wire, Place::Console] {
                let error = read_line(line, place).expect_err(line).to_string();
                assert!(error.contains("needs the lanchat client"), "{error}");
            }
        }
    }
}
