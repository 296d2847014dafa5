//! The table itself: each command's names, usage, help, and how its words are read.

use super::words::{at_most_one, bare, keys, named, nothing, one, room_and_rest, search, text, timed, two};
use super::{Action, Command, Place};
use crate::protocol::packet::KeyList;
use crate::protocol::{Request, Target};
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
            Some(Action::Request(Request::Users { room, after }))
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
        usage: "[NAME|#ROOM]",
        help: "talk with NAME or in #ROOM: plain lines go there; without either back to the lobby",
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
        name: "join",
        aliases: &["j"],
        usage: "#ROOM",
        help: "become a member of #ROOM, which is made if there is none",
        operator: false,
        places: &[Prompt, Wire],
        read: |rest| one(rest).map(|room| Action::Request(Request::Join { room })),
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
                Some(room) => Action::Request(Request::Part { room }),
                None => Action::Part,
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
        read: |rest| at_most_one(rest).map(|after| Action::Request(Request::Rooms { after })),
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
                Some(room) => Action::Request(Request::Topic { room, topic }),
                None => Action::Topic(topic),
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
        read: |rest| match at_most_one(rest)? {
            Some(number) => number.parse().ok().filter(|n| *n > 0).map(|n| Action::History(Some(n))),
            None => Some(Action::History(None)),
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
        read: |rest| search(rest).map(Action::Request),
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
        help: "show a user's address, sessions, key, and since when they are here; of one who is away when they were",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| one(rest).map(|name| Action::Request(Request::Whois { name: bare(&name).to_owned() })),
    },
    Command {
        name: "verify",
        aliases: &[],
        usage: "[NAME]",
        help: "show the digits of the server's key (or of NAME's) to compare them, and mark it verified",
        operator: false,
        places: &[Prompt],
        read: |rest| at_most_one(rest).map(|name| Action::Verify(name.map(|name| bare(&name).to_owned()))),
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
        name: "mute",
        aliases: &[],
        usage: "NAME [DURATION]",
        help: "refuse a user's messages for DURATION (10m, 2h, 1d, forever; 1h unless given)",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| timed(rest).map(|(name, duration)| Action::Request(Request::Mute { name, duration })),
    },
    Command {
        name: "unmute",
        aliases: &[],
        usage: "NAME",
        help: "let a muted user speak again",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Request::Unmute { name }),
    },
    Command {
        name: "ban",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT|ip:CIDR [DURATION]",
        help: "keep a user out, by key and address, for DURATION (10m, 2h, 1d, forever; 1d unless given)",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| timed(rest).map(|(name, duration)| Action::Request(Request::Ban { name, duration })),
    },
    Command {
        name: "unban",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT|ip:CIDR",
        help: "let in again who was banned",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Request::Unban { name }),
    },
    Command {
        name: "bans",
        aliases: &[],
        usage: "",
        help: "list who is banned or muted, by whom and until when",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| nothing(rest, Action::Request(Request::Bans)),
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
        read: |rest| named(rest, |name| Request::Admit { name }),
    },
    Command {
        name: "dismiss",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT",
        help: "ask a user of a closed server for the passphrase again",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Request::Dismiss { name }),
    },
    Command {
        name: "release",
        aliases: &[],
        usage: "NAME",
        help: "take a name from the key that owns it: whoever uses it next has it",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Request::Release { name }),
    },
    Command {
        name: "op",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT|CODE",
        help: "make a user an operator, here or away; with the code that the server's console shows, yourself",
        operator: false,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Request::Op { name }),
    },
    Command {
        name: "deop",
        aliases: &[],
        usage: "NAME|key:FINGERPRINT",
        help: "take the operators' commands from a user",
        operator: true,
        places: &[Prompt, Wire, Console],
        read: |rest| named(rest, |name| Request::Deop { name }),
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
