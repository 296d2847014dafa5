//! The one table of commands: dispatch, help, completion, usage errors and the man page read it.
//!
//! Users type commands in three places: at the client's prompt, on the server's console, and, with clients
//! that know no typed packets, in a chat to `server`. Each place decides what a command does; the table says
//! what it is called and how to read its arguments.

mod arguments;
mod attend;
mod base;
mod day;
mod files;
mod filters;
mod kinds;
mod meanings;
mod point;
mod table;

pub use attend::Attend;
pub use day::Day;
pub use files::FilesCommand;
pub(crate) use filters::IN_QUOTES;
pub use kinds::ArgumentKind;
pub use point::Point;
pub use table::COMMANDS;

use super::Request;
use super::request::Act;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Prompt,
    /// A chat to `server`.
    Wire,
    Console,
}

#[derive(Debug)]
pub struct Command {
    /// Without the slash.
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// The arguments: capitals stand for values, brackets for optional ones.
    pub usage: &'static str,
    pub help: &'static str,
    pub operator: bool,
    pub places: &'static [Place],
    read: fn(&str) -> Option<Action>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Request(Request),
    /// A command about the current target: at the prompt, the current conversation; in a chat to `server`,
    /// the lobby.
    Talk(Talk),
    /// A command that only the prompt knows.
    Prompt(PromptAction),
    /// Shows the state of the connection or the server.
    Status,
    /// Shows how browsers join.
    Web,
    /// Lists the commands, or explains one.
    Help(Option<String>),
    Quit,
}

/// See [`Action::Talk`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Talk {
    Me(String),
    Part,
    /// Shows or sets the topic; an empty text clears it.
    Topic(Option<String>),
    History(Option<u64>),
}

/// See [`Action::Prompt`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptAction {
    /// Makes a conversation the current target; `None`: the lobby.
    Query(Option<String>),
    /// Makes a conversation the current target, and sends a text there.
    QueryAndSay(String, String),
    /// Answers the sender of the last direct message.
    Reply(String),
    /// Joins several rooms.
    JoinAll(Vec<String>),
    /// Lists the users of a room; `None`: of the current one.
    Names(Option<String>),
    /// Edits the next message in the user's editor.
    Compose,
    /// Shows the digits of a user's key, or of the server's, for comparison; with an answer, says whether
    /// they match.
    Verify {
        name: Option<String>,
        answer: Option<bool>,
    },
    /// Lists users who are online: of a room, and with this text in their names.
    Users {
        room: Option<String>,
        text: Option<String>,
        is_long: bool,
    },
    /// Shows messages of a day: of a room, or of the current one.
    HistoryOfDay {
        place: Option<String>,
        day: Day,
        limit: Option<u64>,
    },
    /// Lists rooms, with this text in their names.
    Rooms(Option<String>),
    /// Shows the next page of the last list or of older messages.
    More,
    /// Shows the preferences, or changes one.
    Set {
        name: Option<String>,
        value: Option<String>,
    },
    Attend(Attend),
    Files(FilesCommand),
    /// See [`Point`].
    Point(Point),
    Clear,
}

impl<T: Into<Request>> From<T> for Action {
    fn from(request: T) -> Self {
        Self::Request(request.into())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Text for the current target.
    Text(String),
    Command(Action),
}

/// A line that starts with `/` but is not a valid command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandError {
    /// An unknown command, and the most similar one.
    Unknown(String, Option<&'static str>),
    /// Missing or surplus arguments.
    Usage(&'static str, &'static str),
    /// The likely fault in the arguments, and the remedy.
    Slip(String),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name, _) if name.eq_ignore_ascii_case("say") => {
                write!(f, "there is no command /{name}; to say something, type the text alone")
            }
            Self::Unknown(name, Some(near)) => {
                write!(f, "there is no command /{name}; did you mean /{near}? (/help lists them)")
            }
            Self::Unknown(name, None) => write!(f, "there is no command /{name}; /help lists them"),
            Self::Usage(name, usage) => f.write_str(format!("usage: /{name} {usage}").trim_end()),
            Self::Slip(why) => f.write_str(why),
        }
    }
}

/// Reads a line typed at `place`.
///
/// At the prompt, a line that cannot be a command is text: a path, a line of a log, or several lines behind a
/// command that takes one.
///
/// # Errors
/// If it starts with `/` but is not a valid command there. It is then never sent as text: such text needs
/// `//`.
pub fn read_line(line: &str, place: Place) -> Result<Line, CommandError> {
    let Some(words) = line.strip_prefix('/') else {
        return Ok(Line::Text(line.to_owned()));
    };
    if words.starts_with('/') {
        return Ok(Line::Text(words.to_owned()));
    }
    let (name, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    if place == Place::Prompt && (!is_command_word(name) || is_too_long(name, words)) {
        return Ok(Line::Text(line.to_owned()));
    }
    let command = find(name, place).ok_or_else(|| match find(name, Place::Prompt) {
        Some(Command { name, .. }) if files::NAMES.contains(name) => {
            CommandError::Slip(format!("/{name} needs the lanchat client, which reads and writes the files"))
        }
        _ => CommandError::Unknown(name.to_owned(), nearest(name, place)),
    })?;
    let rest = if command.usage.ends_with("TEXT") { rest.trim_start() } else { rest.trim() };
    let action = (command.read)(rest).ok_or_else(|| match arguments::rooms_slip(rest) {
        Some(why) if command.name == "join" => CommandError::Slip(why),
        _ => CommandError::Usage(command.name, command.usage),
    })?;
    match (&action, filters::slip(rest)) {
        (Action::Request(Request::Act(Act::Search(_))), Some(why)) => Err(CommandError::Slip(why)),
        _ => Ok(Line::Command(action)),
    }
}

/// Whether a command could have this name, or the user could have meant one (`msg:bob`), unlike `etc/passwd`
/// and `dev:`. Text that was meant for one user must not go to all.
fn is_command_word(name: &str) -> bool {
    let end = name.find(|c: char| !(c.is_alphanumeric() || ['-', '_', '?'].contains(&c)));
    end.is_none_or(|end| !name.contains('/') && find(&name[..end], Place::Prompt).is_some())
}

/// Whether these are several lines, and the command, or the word like one, does not take them.
fn is_too_long(name: &str, words: &str) -> bool {
    // In brackets, it is a word to look for, except in a message.
    let takes_lines = |command: &Command| {
        // Files that are copied elsewhere come as a list, one address a line.
        command.usage.ends_with("TEXT") || command.usage.ends_with("PATH...") || command.name == "query"
    };
    words.trim_end().contains('\n') && !find(name, Place::Prompt).is_some_and(takes_lines)
}

/// The commands at `place`; those of operators only if `operator`.
pub fn available(place: Place, operator: bool) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |c| c.places.contains(&place) && (operator || !c.operator))
}

pub fn find(name: &str, place: Place) -> Option<&'static Command> {
    available(place, true).find(|command| command.names().any(|n| n.eq_ignore_ascii_case(name)))
}

/// The answer to `/help [COMMAND]` at `place`.
///
/// # Errors
/// If the command does not exist there.
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
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    pub fn synopsis(&self) -> String {
        format!("/{} {}", self.name, self.usage).trim_end().to_owned()
    }

    fn describe(&self) -> String {
        let mut text = format!("{}: {}", self.synopsis(), self.help);
        if !self.aliases.is_empty() {
            text += &format!("; also /{}", self.aliases.join(" /"));
        }
        if self.operator {
            text += "; operators only";
        }
        text
    }
}

/// The longest word to suggest a command for, in bytes: comparing takes time in proportion, and no typing
/// error is longer.
const MAX_SLIP_BYTES: usize = 32;

/// The shortest word in which more than one slip is likely, in bytes.
const LONG_WORD_BYTES: usize = 5;

/// The command that the user probably means: by its name in other programs, then by its spelling.
fn nearest(name: &str, place: Place) -> Option<&'static str> {
    if name.len() > MAX_SLIP_BYTES {
        return None;
    }
    let name = name.to_lowercase();
    if let Some(meant) = meanings::command(&name)
        .filter(|meant| meant.split(' ').next().is_some_and(|name| find(name, place).is_some()))
    {
        return Some(meant);
    }
    let slips = |candidate: &str| if name.len() < LONG_WORD_BYTES { 1 } else { 1 + candidate.len() / 4 };
    available(place, true)
        .flat_map(Command::names)
        .map(|candidate| (strsim::damerau_levenshtein(&name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= slips(candidate) && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::Place::{Console, Prompt, Wire};
    use super::*;
    use crate::protocol::Target;
    use crate::protocol::request::{Ask, Operate, SearchRequest};
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
        let expected = Ok(Line::Command(Action::Request(Request::Act(Act::Chat {
            to: Target::User("bob".into()),
            msg: "see  /you there ".into(),
            action: false,
            reply: None,
        }))));
        for line in ["/msg bob see  /you there ", "/M bob   see  /you there ", "/m @bob see  /you there "] {
            assert_eq!(read_line(line, Prompt), expected, "{line}");
        }
    }

    #[test]
    fn an_operators_command_is_read_with_and_without_its_duration() {
        let ban = |name: &str, duration: Option<&str>| {
            let (name, duration) = (name.to_owned(), duration.map(str::to_owned));
            Ok(Line::Command(Action::Request(Request::Operate(Operate::Ban { name, duration }))))
        };
        assert_eq!(read_line("/ban @bob", Prompt), ban("bob", None));
        assert_eq!(read_line("/ban ip:10.0.0.0/8 2h", Console), ban("ip:10.0.0.0/8", Some("2h")));
        let verify = |name: Option<&str>, answer| {
            let name = name.map(str::to_owned);
            Ok(Line::Command(Action::Prompt(PromptAction::Verify { name, answer })))
        };
        assert_eq!(read_line("/verify", Prompt), verify(None, None));
        assert_eq!(read_line("/verify @bob", Prompt), verify(Some("bob"), None));
        assert_eq!(read_line("/verify No", Prompt), verify(None, Some(false)));
        assert_eq!(read_line("/verify @no", Prompt), verify(Some("no"), None));
        assert_eq!(read_line("/verify bob yes", Prompt), verify(Some("bob"), Some(true)));
        assert!(read_line("/verify bob perhaps", Prompt).is_err());
        assert!(read_line("/verify", Wire).is_err());
    }

    #[test]
    fn a_path_a_line_of_a_log_and_pasted_code_are_text_at_the_prompt() {
        for line in [
            "/etc/passwd is a path",
            "/usr/bin/cc: internal error",
            "/dev: not mounted",
            "/path.with.dots",
            "/*",
            "/quit\nor not",
            "/frobnicate\nthe server",
            "/users\n/rooms",
        ] {
            assert_eq!(read_line(line, Prompt), Ok(Line::Text(line.into())), "{line:?}");
        }
        for line in ["/frobnicate", "/home", "/", "/?", "/msg:bob psst", "/msg,bob psst"] {
            assert!(!matches!(read_line(line, Prompt), Ok(Line::Text(_))), "{line:?}");
        }
        assert!(read_line("/etc/passwd", Wire).is_err());
        assert!(read_line("/etc/passwd", Console).is_err());
        let message = read_line("/msg bob one\ntwo", Prompt);
        assert!(matches!(message, Ok(Line::Command(Action::Request(_)))), "a private text must stay so");
        assert!(matches!(read_line("/me one\ntwo", Prompt), Ok(Line::Command(Action::Talk(Talk::Me(_))))));
    }

    #[test]
    fn what_users_of_other_programs_type_is_understood() {
        let prompt = |action| Ok(Line::Command(Action::Prompt(action)));
        let join = |room: &str| Ok(Line::Command(Action::from(Act::Join { room: room.into() })));
        let part = || Ok(Line::Command(Action::from(Act::Part { room: "#dev".into() })));
        let all = || prompt(PromptAction::JoinAll(vec!["#a".into(), "#b".into()]));
        let say = |line| {
            let to = Target::User("bob".into());
            let chat = Act::Chat { to, msg: "psst".into(), action: false, reply: None };
            assert_eq!(read_line(line, Prompt), Ok(Line::Command(Action::from(chat))), "{line}");
        };
        assert_eq!(
            read_line("/query bob hello  you", Prompt),
            prompt(PromptAction::QueryAndSay("bob".into(), "hello  you".into()))
        );
        assert_eq!(read_line("/query bob", Prompt), prompt(PromptAction::Query(Some("bob".into()))));
        assert_eq!(read_line("/quit see you", Prompt), Ok(Line::Command(Action::Quit)));
        assert_eq!(read_line("/part #dev going home", Prompt), part());
        assert_eq!(read_line("/part dev", Prompt), part());
        assert_eq!(read_line("/part going home", Prompt), Ok(Line::Command(Action::Talk(Talk::Part))));
        assert_eq!(read_line("/join games", Prompt), join("#games"));
        assert_eq!(read_line("/join #games", Wire), join("#games"));
        for line in ["/join #a #b", "/join #a,#b", "/join a, b", "/j #a,b,"] {
            assert_eq!(read_line(line, Prompt), all(), "{line}");
        }
        ["/w bob psst", "/whisper bob psst", "/dm bob psst", "/pm bob psst", "/tell @bob psst"]
            .into_iter()
            .for_each(say);
        assert_eq!(read_line("/names", Prompt), prompt(PromptAction::Names(None)));
    }

    #[test]
    fn a_command_of_another_program_is_answered_with_what_it_means_here() {
        for (typed, meant) in [
            ("close", "part"),
            ("wc", "part"),
            ("lastlog", "search"),
            ("scrollback", "history"),
            ("disconnect", "quit"),
            ("notice", "msg"),
            ("nickname", "nick"),
            ("channels", "rooms"),
            ("win", "query"),
            ("window", "query"),
            ("hilight", "set highlight"),
        ] {
            assert!(
                error(&format!("/{typed}"), Prompt).contains(&format!("did you mean /{meant}?")),
                "{typed}"
            );
        }
        for typed in ["motd", "qry"] {
            assert!(!error(&format!("/{typed}"), Prompt).contains("did you mean"), "{typed}");
        }
        assert!(error("/nik", Prompt).contains("did you mean /nick?"));
    }

    #[test]
    fn a_rooms_command_is_read_with_and_without_its_room() {
        let text = str::to_owned;
        let request = |request| Ok(Line::Command(Action::Request(request)));
        let users = |room: Option<&str>, after: Option<&str>| {
            request(Request::Ask(Ask::Users { room: room.map(text), after: after.map(text) }))
        };
        assert_eq!(read_line("/users", Wire), users(None, None));
        assert_eq!(read_line("/users bob", Console), users(None, Some("bob")));
        assert_eq!(read_line("/users #games", Wire), users(Some("#games"), None));
        let listed = |room: Option<&str>, part: Option<&str>, is_long| {
            let (room, text) = (room.map(text), part.map(text));
            Ok(Line::Command(Action::Prompt(PromptAction::Users { room, text, is_long })))
        };
        assert_eq!(read_line("/users", Prompt), listed(None, None, false));
        assert_eq!(read_line("/users -l #games @ali", Prompt), listed(Some("#games"), Some("ali"), true));
        assert_eq!(read_line("/users ali -l", Prompt), listed(None, Some("ali"), true));
        assert!(read_line("/users ali bob", Prompt).is_err());
        assert_eq!(read_line("/names  #games  bob", Wire), users(Some("#games"), Some("bob")));
        let topic = |topic: Option<&str>| {
            request(Request::Act(Act::Topic { room: "#games".into(), topic: topic.map(text) }))
        };
        assert_eq!(read_line("/topic #games", Prompt), topic(None));
        assert_eq!(read_line("/topic #games chess  and go", Prompt), topic(Some("chess  and go")));
        assert_eq!(read_line("/topic #games -", Prompt), topic(Some("")));
        let here = |topic: Option<&str>| Ok(Line::Command(Action::Talk(Talk::Topic(topic.map(text)))));
        assert_eq!(read_line("/topic", Prompt), here(None));
        assert_eq!(read_line("/topic tea", Prompt), here(Some("tea")));
        assert_eq!(read_line("/part", Prompt), Ok(Line::Command(Action::Talk(Talk::Part))));
        assert_eq!(
            read_line("/leave #games", Prompt),
            request(Request::Act(Act::Part { room: "#games".into() }))
        );
        assert_eq!(
            read_line("/history 50", Prompt),
            Ok(Line::Command(Action::Talk(Talk::History(Some(50)))))
        );
    }

    #[test]
    fn a_history_is_of_a_place_and_of_a_day_in_any_order() {
        let with = |name: &str, limit| {
            let span = crate::protocol::request::Span { before: None, limit };
            Ok(Line::Command(Action::from(Act::History { room: None, name: Some(name.into()), span })))
        };
        for place in [Prompt, Wire] {
            assert_eq!(read_line("/history bob 20", place), with("bob", Some(20)));
        }
        assert_eq!(read_line("/history @42", Prompt), with("42", None));
        let of_day = |place: Option<&str>, day, limit| {
            let place = place.map(str::to_owned);
            Ok(Line::Command(Action::Prompt(PromptAction::HistoryOfDay { place, day, limit })))
        };
        let day = Day::On(jiff::civil::date(2026, 11, 24));
        assert_eq!(read_line("/history 2026-11-24", Prompt), of_day(None, day, None));
        assert_eq!(
            read_line("/history yesterday #dev 50", Prompt),
            of_day(Some("#dev"), Day::Yesterday, Some(50))
        );
        assert!(read_line("/history 2026-11-24", Wire).is_err(), "the server does not know the user's zone");
        assert!(read_line("/history today yesterday", Prompt).is_err());
        assert!(read_line("/history 1 2", Prompt).is_err());
        assert!(read_line("/history 2026-13-45", Prompt).is_err());
    }

    #[test]
    fn a_room_name_with_a_space_makes_no_two_rooms() {
        assert_eq!(
            error("/join bad name", Prompt),
            "a room's name has no spaces; for one room: /join #bad-name; for several: /join #bad #name"
        );
        assert_eq!(
            error("/join #dev secret", Prompt),
            "a room's name has no spaces; for one room: /join #dev-secret; for several: /join #dev #secret"
        );
        assert!(error("/join #a, b c", Wire).contains("for one room: /join #a-b-c"));
        assert!(error(&format!("/join {}", "x ".repeat(100)), Prompt).starts_with("usage: /join"));
    }

    #[test]
    fn a_search_takes_its_filters_from_anywhere_in_the_line() {
        let search = |words: &str, filters: [Option<&str>; 4]| {
            let [name, room, since, until] = filters.map(|filter| filter.map(str::to_owned));
            let span = crate::protocol::request::Span::default();
            let words = words.into();
            Ok(Line::Command(Action::Request(Request::Act(Act::Search(SearchRequest {
                words,
                name,
                room,
                since,
                until,
                span,
            })))))
        };
        let none = [None; 4];
        assert_eq!(read_line("/search red tea", Prompt), search("red tea", none));
        let both = search("red tea at 12:30", [Some("bob"), Some("#games"), None, None]);
        assert_eq!(read_line("/search red from:@bob tea in:#games at 12:30", Prompt), both);
        let times = search("", [None, None, Some("7d"), Some("2026-11-21T12:00")]);
        assert_eq!(read_line("/search after:7d before:2026-11-21T12:00", Prompt), times);
        assert_eq!(read_line("/search from:bob", Wire), search("", [Some("bob"), None, None, None]));
        assert_eq!(
            read_line("/search \"from:bob  x\" in:#x", Wire),
            search("\"from:bob  x\"", [None, Some("#x"), None, None])
        );
        assert_eq!(
            error("/search", Prompt),
            "usage: /search [TEXT] [from:NAME] [in:#ROOM] [after:TIME] [before:TIME]"
        );
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
    fn the_longest_word_is_answered_at_once() {
        let word = format!("/{}", "x".repeat(crate::limits::MAX_TEXT_BYTES));
        let start = std::time::Instant::now();
        // Comparing a word of this length with all commands would take 34 ms.
        for _ in 0..50 {
            assert!(read_line(&word, Wire).is_err());
        }
        assert!(start.elapsed() < std::time::Duration::from_secs(1), "{:?}", start.elapsed());
    }

    #[test]
    fn a_missing_argument_shows_the_usage() {
        for (line, usage) in [
            ("/msg bob", "usage: /msg NAME|#ROOM TEXT"),
            ("/msg bob   ", "usage: /msg NAME|#ROOM TEXT"),
            ("/nick", "usage: /nick NEWNAME"),
            ("/nick two words", "usage: /nick NEWNAME"),
            ("/reply  ", "usage: /reply [N] TEXT"),
            ("/r  ", "usage: /r TEXT"),
            ("/kick", "usage: /kick NAME [REASON]"),
            ("/mute bob 10 m", "usage: /mute NAME [DURATION]"),
            ("/unban", "usage: /unban NAME|key:FINGERPRINT|ip:CIDR"),
            ("/bans bob", "usage: /bans"),
            ("/join", "usage: /join #ROOM..."),
            ("/history 0", "usage: /history [#ROOM|NAME] [N] [DATE|today|yesterday]"),
            ("/history bob carol", "usage: /history [#ROOM|NAME] [N] [DATE|today|yesterday]"),
        ] {
            assert_eq!(error(line, Prompt), usage);
        }
    }

    #[test]
    fn names_and_aliases_are_unique_and_described() {
        for place in [Prompt, Wire, Console] {
            let mut names: Vec<_> = available(place, true).flat_map(Command::names).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{place:?}");
        }
        assert!(COMMANDS.iter().all(|c| !c.help.is_empty() && !c.places.is_empty()));
    }

    #[test]
    fn help_lists_other_names_once_and_say_is_no_command() {
        let text = help(Some("msg"), Prompt, false).expect("help");
        assert!(text.ends_with("; also /m /w /whisper /dm /pm /tell"), "{text}");
        assert_eq!(
            error("/say hi", Prompt),
            "there is no command /say; to say something, type the text alone"
        );
    }

    #[test]
    fn help_hides_the_operators_commands_from_others() {
        assert!(!help(None, Wire, false).expect("help").contains("/kick"));
        assert!(help(None, Wire, true).expect("help").contains("/kick NAME [REASON]"));
        assert!(help(Some("who"), Wire, false).expect("help").starts_with("/users [#ROOM] [AFTER]: "));
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
