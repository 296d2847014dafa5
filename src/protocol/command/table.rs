//! The table itself: each command's names, usage, help, and how its words are read.

use super::words::{at_most_one, bare, keys, named, nothing, one, room_and_rest, search, text, timed, two};
use super::{Action, Command, Place, PromptAction, Talk};
use crate::protocol::Target;
use crate::protocol::packet::KeyList;
use crate::protocol::request::{Act, Ask, Operate};
use Place::{Console, Prompt, Wire};

/// Every command, in the order of `/help`.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "users",
        aliases: &["who", "names"],
        usage: "[#ROOM] [AFTER]",
        help: "list who is here, or in #ROOM; AFTER goes on with a long list after that name",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| {
            let (room, after) = room_and_rest(rest);
            let after = (!after.is_empty()).then(|| after.to_owned());
            Some(Action::from(Ask::Users { room, after }))
        },
    },
    Command {
        name: "msg",
        aliases: &["m"],
        usage: "NAME|#ROOM TEXT",
        help: "send TEXT to one user, here or away, or to a room (or to all, or to everybody at an IP address)",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| {
            let (to, msg) = two(rest)?;
            Some(Action::from(Act::Chat { to: Target::parse(bare(to)), msg: msg.into(), action: false }))
        },
    },
    Command {
        name: "query",
        aliases: &["q"],
        usage: "[NAME|#ROOM]",
        help: "talk with NAME or in #ROOM: plain lines go there; without either back to the lobby",
        operator: false,
        places: &[Prompt],
        read: |rest| at_most_one(rest).map(|to| Action::Prompt(PromptAction::Query(to))),
    },
    Command {
        name: "reply",
        aliases: &["r"],
        usage: "TEXT",
        help: "send TEXT to whoever wrote to you last",
        operator: false,
        places: &[Prompt],
        read: |rest| text(rest).map(|text| Action::Prompt(PromptAction::Reply(text))),
    },
    Command {
        name: "me",
        aliases: &[],
        usage: "TEXT",
        help: "say what you do: * alice TEXT",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| text(rest).map(|text| Action::Talk(Talk::Me(text))),
    },
    Command {
        name: "join",
        aliases: &["j"],
        usage: "#ROOM",
        help: "become a member of #ROOM, which is made if there is none",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| one(rest).map(|room| Action::from(Act::Join { room })),
    },
    Command {
        name: "part",
        aliases: &["leave"],
        usage: "[#ROOM]",
        help: "be a member of #ROOM no more; without it of the one you talk in",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| {
            at_most_one(rest).map(|room| match room {
                Some(room) => Action::from(Act::Part { room }),
                None => Action::Talk(Talk::Part),
            })
        },
    },
    Command {
        name: "rooms",
        aliases: &["list"],
        usage: "[AFTER]",
        help: "list the rooms; AFTER goes on with a long list after that room",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| at_most_one(rest).map(|after| Action::from(Ask::Rooms { after })),
    },
    Command {
        name: "topic",
        aliases: &[],
        usage: "[#ROOM] [TEXT]",
        help: "show what a room is about, or say so; - takes it away",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| {
            let (room, text) = room_and_rest(rest);
            let topic = match text {
                "" => None,
                "-" => Some(String::new()),
                text => Some(text.to_owned()),
            };
            Some(match room {
                Some(room) => Action::from(Act::Topic { room, topic }),
                None => Action::Talk(Talk::Topic(topic)),
            })
        },
    },
    Command {
        name: "history",
        aliases: &[],
        usage: "[N]",
        help: "show the last N messages (20) of where you talk",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| {
            let number = |word: String| word.parse().ok().filter(|number| *number > 0);
            let limit = match at_most_one(rest)? {
                Some(word) => Some(number(word)?),
                None => None,
            };
            Some(Action::Talk(Talk::History(limit)))
        },
    },
    Command {
        name: "search",
        aliases: &[],
        usage: "[TEXT] [from:NAME] [in:#ROOM] [after:TIME] [before:TIME]",
        help: "show the last messages with these words or parts of words, of your rooms and direct messages; \
               \"as it stands\"; TIME is 2h or 7d ago, or 2026-11-21",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| search(rest).map(Action::from),
    },
    Command {
        name: "nick",
        aliases: &[],
        usage: "NAME",
        help: "change your name",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| one(rest).map(|name| Action::from(Act::Nick { name })),
    },
    Command {
        name: "whois",
        aliases: &[],
        usage: "NAME",
        help: "show a user's address, sessions, key, and since when they are here; of one who is away when they were",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| one(rest).map(|name| Action::from(Ask::Whois { name: bare(&name).to_owned() })),
    },
    Command {
        name: "verify",
        aliases: &[],
        usage: "[NAME]",
        help: "show the digits of the server's key (or of NAME's) to compare them, and mark it verified",
        operator: false,
        places: &[Prompt],
        read: |rest| {
            at_most_one(rest)
                .map(|name| Action::Prompt(PromptAction::Verify(name.map(|name| bare(&name).to_owned()))))
        },
    },
    Command {
        name: "time",
        aliases: &[],
        usage: "",
        help: "show the server's time",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| nothing(rest, Action::from(Ask::Time)),
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
        read: |rest| text(rest).map(|msg| Action::from(Operate::Alert { msg })),
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
            (!name.is_empty()).then_some(Action::from(Operate::Kick { name, reason }))
        },
    },
    Command {
        name: "mute",
        aliases: &[],
        usage: "NAME [DURATION]",
        help: "refuse a user's messages for DURATION (10m, 2h, 1d, forever; 1h unless given)",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| timed(rest).map(|(name, duration)| Action::from(Operate::Mute { name, duration })),
    },
    Command {
        name: "unmute",
        aliases: &[],
        usage: "NAME",
        help: "let a muted user speak again",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Operate::Unmute { name }),
    },
    Command {
        name: "ban",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT|ip:CIDR [DURATION]",
        help: "keep a user out, by key and address, for DURATION (10m, 2h, 1d, forever; 1d unless given)",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| timed(rest).map(|(name, duration)| Action::from(Operate::Ban { name, duration })),
    },
    Command {
        name: "unban",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT|ip:CIDR",
        help: "let in again who was banned",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Operate::Unban { name }),
    },
    Command {
        name: "bans",
        aliases: &[],
        usage: "",
        help: "list who is banned or muted, by whom and until when",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| nothing(rest, Action::from(Operate::Bans)),
    },
    Command {
        name: "operators",
        aliases: &[],
        usage: "[AFTER]",
        help: "list the operators' keys; AFTER goes on with a long list after that key",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| keys(rest, KeyList::Operators),
    },
    Command {
        name: "members",
        aliases: &[],
        usage: "[AFTER]",
        help: "list the keys that may enter a closed server; AFTER goes on with a long list after that key",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| keys(rest, KeyList::Members),
    },
    Command {
        name: "owners",
        aliases: &[],
        usage: "[AFTER]",
        help: "list which key owns which name; AFTER goes on with a long list after that name",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| keys(rest, KeyList::Owners),
    },
    Command {
        name: "admit",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT",
        help: "let a user enter a closed server without the passphrase",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Operate::Admit { name }),
    },
    Command {
        name: "dismiss",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT",
        help: "ask a user of a closed server for the passphrase again",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Operate::Dismiss { name }),
    },
    Command {
        name: "release",
        aliases: &[],
        usage: "NAME",
        help: "take a name from the key that owns it: whoever uses it next has it",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Operate::Release { name }),
    },
    Command {
        name: "op",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT|CODE",
        help: "make a user an operator, here or away; with the code that the server's console shows, yourself",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Operate::Op { name }),
    },
    Command {
        name: "deop",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT",
        help: "take the operators' commands from a user",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Operate::Deop { name }),
    },
    Command {
        name: "clear",
        aliases: &[],
        usage: "",
        help: "empty the screen",
        operator: false,
        places: &[Prompt],
        read: |rest| nothing(rest, Action::Prompt(PromptAction::Clear)),
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
