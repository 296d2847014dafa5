//! The one table of commands: dispatch, help, completion, usage errors and the man page read it.
//!
//! A command is typed at three places: the client's prompt, the server's console, and in a chat
//! to `server` by clients that know no typed packets. What a command then does is the business of
//! those places; here is only what it is called and how its words are read.

use super::{Request, Target};
use std::fmt;

/// Where a command is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The client's prompt.
    Prompt,
    /// A chat to `server`.
    Wire,
    /// The server's console.
    Console,
}

/// One row of the table.
#[derive(Debug)]
pub struct Command {
    /// The name, without the slash.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// The arguments: capitals stand for what the user writes, brackets for what may be absent.
    pub usage: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// Whether only operators may use it.
    pub operator: bool,
    /// Where it is typed.
    pub places: &'static [Place],
    read: fn(&str) -> Option<Action>,
}

/// What a typed command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Something for the server.
    Request(Request),
    /// What the sender does, to the current target.
    Me(String),
    /// A conversation becomes the target of plain lines; `None`: back to the lobby.
    Query(Option<String>),
    /// Text to whom the last direct message came from.
    Reply(String),
    /// How the connection or the server fares.
    Status,
    /// An empty screen.
    Clear,
    /// The commands, or one of them.
    Help(Option<String>),
    /// The end.
    Quit,
}

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Text for the current target.
    Text(String),
    /// A command.
    Command(Action),
}

/// A line that starts with `/` and is no command as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandError {
    /// There is none of that name here; the nearest one, if one is near.
    Unknown(String, Option<&'static str>),
    /// Its arguments are missing or too many.
    Usage(&'static str, &'static str),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name, Some(near)) => {
                write!(f, "there is no command /{name}; did you mean /{near}? (/help lists them)")
            }
            Self::Unknown(name, None) => write!(f, "there is no command /{name}; /help lists them"),
            Self::Usage(name, usage) => write!(f, "usage: /{name} {usage}"),
        }
    }
}

use Place::{Console, Prompt, Wire};

/// Every command, in the order of `/help`.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "users",
        aliases: &["who", "names"],
        usage: "[AFTER]",
        help: "list who is here; AFTER goes on with a long list after that name",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| {
            let after = (!rest.is_empty()).then(|| rest.to_owned());
            Some(Action::Request(Request::Users { after }))
        },
    },
    Command {
        name: "msg",
        aliases: &["m"],
        usage: "NAME TEXT",
        help: "send TEXT to one user (or to all, or to everybody at an IP address)",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| {
            let (to, msg) = two(rest)?;
            Some(Action::Request(Request::Chat {
                to: Target::parse(bare(to)),
                msg: msg.into(),
                action: false,
            }))
        },
    },
    Command {
        name: "query",
        aliases: &["q"],
        usage: "[NAME]",
        help: "talk with NAME: plain lines go there; without NAME back to the lobby",
        operator: false,
        places: &[Prompt],
        read: |rest| at_most_one(rest).map(Action::Query),
    },
    Command {
        name: "reply",
        aliases: &["r"],
        usage: "TEXT",
        help: "send TEXT to whoever wrote to you last",
        operator: false,
        places: &[Prompt],
        read: |rest| text(rest).map(Action::Reply),
    },
    Command {
        name: "me",
        aliases: &[],
        usage: "TEXT",
        help: "say what you do: * alice TEXT",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| text(rest).map(Action::Me),
    },
    Command {
        name: "nick",
        aliases: &[],
        usage: "NAME",
        help: "change your name",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| one(rest).map(|name| Action::Request(Request::Nick { name })),
    },
    Command {
        name: "whois",
        aliases: &[],
        usage: "NAME",
        help: "show a user's address, sessions and since when they are here",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| one(rest).map(|name| Action::Request(Request::Whois { name: bare(&name).to_owned() })),
    },
    Command {
        name: "time",
        aliases: &[],
        usage: "",
        help: "show the server's time",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| nothing(rest, Action::Request(Request::Time)),
    },
    Command {
        name: "status",
        aliases: &[],
        usage: "",
        help: "show how the connection (on the console: the server) fares",
        operator: false,
        places: &[Prompt, Console],
        read: |rest| nothing(rest, Action::Status),
    },
    Command {
        name: "alert",
        aliases: &[],
        usage: "TEXT",
        help: "show TEXT to everybody, loudly",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| text(rest).map(|msg| Action::Request(Request::Alert { msg })),
    },
    Command {
        name: "kick",
        aliases: &[],
        usage: "NAME [REASON]",
        help: "end all connections of a user",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| {
            let (name, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let (name, reason) = (bare(name).to_owned(), reason.trim().to_owned());
            (!name.is_empty()).then_some(Action::Request(Request::Kick { name, reason }))
        },
    },
    Command {
        name: "clear",
        aliases: &[],
        usage: "",
        help: "empty the screen",
        operator: false,
        places: &[Prompt],
        read: |rest| nothing(rest, Action::Clear),
    },
    Command {
        name: "help",
        aliases: &["h", "?"],
        usage: "[COMMAND]",
        help: "list the commands, or tell about one",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| {
            at_most_one(rest).map(|name| Action::Help(name.map(|n| n.trim_start_matches('/').to_owned())))
        },
    },
    Command {
        name: "quit",
        aliases: &["exit", "bye"],
        usage: "",
        help: "leave (on the console: stop the server)",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| nothing(rest, Action::Quit),
    },
];

/// Reads one line as typed at `place`.
///
/// # Errors
/// When it starts with `/` and is no command there, or lacks an argument. Such a line is never
/// text: `//` is how text starts with a slash.
pub fn read_line(line: &str, place: Place) -> Result<Line, CommandError> {
    let Some(words) = line.strip_prefix('/') else {
        return Ok(Line::Text(line.to_owned()));
    };
    if words.starts_with('/') {
        return Ok(Line::Text(words.to_owned()));
    }
    let (name, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let command =
        find(name, place).ok_or_else(|| CommandError::Unknown(name.to_owned(), nearest(name, place)))?;
    let rest = if command.usage.ends_with("TEXT") { rest.trim_start() } else { rest.trim() };
    (command.read)(rest).map(Line::Command).ok_or(CommandError::Usage(command.name, command.usage))
}

/// The commands typed at `place`; the operators' only if `operator`.
pub fn available(place: Place, operator: bool) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |c| c.places.contains(&place) && (operator || !c.operator))
}

/// The command of that name or alias, in any case.
pub fn find(name: &str, place: Place) -> Option<&'static Command> {
    available(place, true).find(|command| command.names().any(|n| n.eq_ignore_ascii_case(name)))
}

/// What `/help [COMMAND]` shows at `place`.
///
/// # Errors
/// When there is no such command there.
pub fn help(command: Option<&str>, place: Place, operator: bool) -> Result<String, CommandError> {
    if let Some(name) = command {
        let command =
            find(name, place).ok_or_else(|| CommandError::Unknown(name.to_owned(), nearest(name, place)))?;
        return Ok(command.describe());
    }
    let rows: Vec<_> = available(place, operator).map(|c| (c.synopsis(), c.help)).collect();
    let width = rows.iter().map(|(synopsis, _)| synopsis.len()).max().unwrap_or(0);
    let lines: Vec<_> = rows.iter().map(|(synopsis, help)| format!("{synopsis:width$}  {help}")).collect();
    Ok(lines.join("\n"))
}

impl Command {
    /// The name and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// `/msg NAME TEXT`.
    pub fn synopsis(&self) -> String {
        format!("/{} {}", self.name, self.usage).trim_end().to_owned()
    }

    fn describe(&self) -> String {
        let mut text = format!("{}: {}", self.synopsis(), self.help);
        for alias in self.aliases {
            text += &format!("; also /{alias}");
        }
        if self.operator {
            text += "; operators only";
        }
        text
    }
}

fn nearest(name: &str, place: Place) -> Option<&'static str> {
    let name = name.to_lowercase();
    available(place, true)
        .flat_map(Command::names)
        .map(|candidate| (strsim::damerau_levenshtein(&name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4 && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn nothing(rest: &str, action: Action) -> Option<Action> {
    rest.is_empty().then_some(action)
}

fn text(rest: &str) -> Option<String> {
    (!rest.trim().is_empty()).then(|| rest.to_owned())
}

fn one(rest: &str) -> Option<String> {
    at_most_one(rest).flatten()
}

/// A name without the `@` that people put before it; no name starts with one.
fn bare(name: &str) -> &str {
    name.strip_prefix('@').unwrap_or(name)
}

/// `None`: more than one word.
fn at_most_one(rest: &str) -> Option<Option<String>> {
    let mut words = rest.split_whitespace();
    let first = words.next().map(str::to_owned);
    words.next().is_none().then_some(first)
}

fn two(rest: &str) -> Option<(&str, &str)> {
    let (first, second) = rest.split_once(char::is_whitespace)?;
    let second = second.trim_start();
    (!first.is_empty() && !second.trim().is_empty()).then_some((first, second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(line: &str, place: Place) -> String {
        read_line(line, place).expect_err(line).to_string()
    }

    #[test]
    fn plain_text_and_a_doubled_slash_are_text() {
        assert_eq!(read_line("hello /users", Prompt), Ok(Line::Text("hello /users".into())));
        assert_eq!(read_line("//etc/hosts", Prompt), Ok(Line::Text("/etc/hosts".into())));
    }

    #[test]
    fn a_command_is_read_by_name_or_alias_in_any_case() {
        let expected = Ok(Line::Command(Action::Request(Request::Chat {
            to: Target::User("bob".into()),
            msg: "see  /you there ".into(),
            action: false,
        })));
        for line in ["/msg bob see  /you there ", "/M bob   see  /you there ", "/m @bob see  /you there "] {
            assert_eq!(read_line(line, Prompt), expected, "{line}");
        }
    }

    #[test]
    fn an_unknown_command_is_an_error_with_the_nearest_name() {
        assert_eq!(
            error("/user", Prompt),
            "there is no command /user; did you mean /users? (/help lists them)"
        );
        assert_eq!(
            error("/mgs bob hi", Wire),
            "there is no command /mgs; did you mean /msg? (/help lists them)"
        );
        assert_eq!(error("/frobnicate", Prompt), "there is no command /frobnicate; /help lists them");
        assert_eq!(error("/", Prompt), "there is no command /; /help lists them");
        assert!(error("/query bob", Console).starts_with("there is no command /query"));
    }

    #[test]
    fn a_missing_argument_shows_the_usage() {
        for (line, usage) in [
            ("/msg bob", "usage: /msg NAME TEXT"),
            ("/msg bob   ", "usage: /msg NAME TEXT"),
            ("/nick", "usage: /nick NAME"),
            ("/nick two words", "usage: /nick NAME"),
            ("/reply  ", "usage: /reply TEXT"),
            ("/kick", "usage: /kick NAME [REASON]"),
        ] {
            assert_eq!(error(line, Prompt), usage);
        }
    }

    #[test]
    fn names_and_aliases_are_unique_and_described() {
        let mut names: Vec<_> = COMMANDS.iter().flat_map(Command::names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(COMMANDS.iter().all(|c| !c.help.is_empty() && !c.places.is_empty()));
    }

    #[test]
    fn help_hides_the_operators_commands_from_others() {
        assert!(!help(None, Wire, false).expect("help").contains("/kick"));
        assert!(help(None, Wire, true).expect("help").contains("/kick NAME [REASON]"));
        assert!(help(Some("who"), Wire, false).expect("help").starts_with("/users [AFTER]: "));
        assert!(help(Some("nope"), Wire, false).is_err());
    }

    proptest! {
        #[test]
        fn no_line_makes_the_reader_panic(line in "/?.{0,60}") {
            for place in [Prompt, Wire, Console] {
                let _ = read_line(&line, place);
            }
        }
    }
}
