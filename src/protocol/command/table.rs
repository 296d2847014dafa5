//! The table: each command's names, usage, help, and how to read its arguments.

use super::arguments::{
    at_most_one, bare, history, history_or_day, keys, named, nothing, one, part, query, room_and_rest, rooms,
    search, text, timed, two, users, verify,
};
use super::base::{ANYWHERE, CLIENTS, OPERATORS, PROMPT, SERVER, TERMINALS, WIRE};
use super::{Action, Attend, Command, PromptAction, Talk, attend, files, point};
use crate::protocol::Target;
use crate::protocol::packet::KeyList;
use crate::protocol::request::{Act, Ask, Operate};

/// All commands, in the order of `/help`.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "users",
        aliases: &["who", "names"],
        usage: "[#ROOM] [AFTER]",
        help: "list who is online, or in #ROOM; AFTER continues a long list after that name",
        read: |rest| {
            let (room, after) = room_and_rest(rest);
            let after = (!after.is_empty()).then(|| after.to_owned());
            Some(Action::from(Ask::Users { room, after }))
        },
        ..SERVER
    },
    Command {
        name: "users",
        aliases: &["who"],
        usage: "[-l] [#ROOM] [PART]",
        help: "list users who are online, or in #ROOM, or with PART in the name; -l also shows addresses and keys",
        read: |rest| {
            let (room, text, is_long) = users(rest)?;
            Some(Action::Prompt(PromptAction::Users { room, text, is_long }))
        },
        ..PROMPT
    },
    Command {
        name: "names",
        usage: "[#ROOM]",
        help: "list who is in #ROOM, or in the current room",
        read: |rest| at_most_one(rest).map(|room| Action::Prompt(PromptAction::Names(room))),
        ..PROMPT
    },
    Command {
        name: "msg",
        aliases: &["m", "w", "whisper", "dm", "pm", "tell"],
        usage: "NAME|#ROOM TEXT",
        help: "send TEXT to a user, even one who is offline, to a room, to all, or to an IP address",
        read: |rest| {
            let (to, msg) = two(rest)?;
            let (to, msg) = (Target::parse(bare(to)), msg.into());
            Some(Action::from(Act::Chat { to, msg, action: false, reply: None }))
        },
        ..CLIENTS
    },
    Command {
        name: "query",
        aliases: &["q"],
        usage: "[NAME|#ROOM] [TEXT]",
        help: "switch to NAME or #ROOM, and send TEXT there; with neither, back to #lobby",
        read: |rest| Some(Action::Prompt(query(rest))),
        ..PROMPT
    },
    point::REPLY,
    point::REPLY_TO_PERSON,
    point::NUM,
    point::EDIT,
    point::DELETE,
    point::COPY,
    point::OPEN,
    Command {
        name: "me",
        usage: "TEXT",
        help: "describe an action: * alice TEXT",
        read: |rest| text(rest).map(|text| Action::Talk(Talk::Me(text))),
        ..CLIENTS
    },
    files::SEND,
    files::ACCEPT,
    files::REJECT,
    files::TRANSFERS,
    files::CANCEL,
    Command {
        name: "join",
        aliases: &["j"],
        usage: "#ROOM...",
        help: "join one or more rooms, creating them if needed",
        read: rooms,
        ..CLIENTS
    },
    Command {
        name: "part",
        aliases: &["leave"],
        usage: "[#ROOM]",
        help: "leave #ROOM, or the current room",
        read: part,
        ..CLIENTS
    },
    Command {
        name: "rooms",
        aliases: &["list"],
        usage: "[AFTER]",
        help: "list the rooms; AFTER continues a long list after that room",
        read: |rest| at_most_one(rest).map(|after| Action::from(Ask::Rooms { after })),
        ..SERVER
    },
    Command {
        name: "rooms",
        aliases: &["list"],
        usage: "[PART]",
        help: "list the rooms, or those with PART in the name",
        read: |rest| at_most_one(rest).map(|text| Action::Prompt(PromptAction::Rooms(text))),
        ..PROMPT
    },
    Command {
        name: "topic",
        usage: "[#ROOM] [TEXT]",
        help: "show or set the topic; - clears it",
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
        ..CLIENTS
    },
    Command {
        name: "history",
        usage: "[#ROOM|NAME] [N]",
        help: "show the last N messages in #ROOM or with NAME (default 20)",
        read: history,
        ..WIRE
    },
    Command {
        name: "history",
        usage: "[#ROOM|NAME] [N] [DATE|today|yesterday]",
        help: "show the last N messages here, in #ROOM or with NAME (default 20), or those of a day, such as \
               2026-11-24",
        read: history_or_day,
        ..PROMPT
    },
    Command {
        name: "more",
        aliases: &["older"],
        help: "show the next page of a list, or older messages; Enter on an empty line after a page does too",
        read: |rest| nothing(rest, Action::Prompt(PromptAction::More)),
        ..PROMPT
    },
    Command {
        name: "search",
        usage: "[TEXT] [from:NAME] [in:#ROOM] [after:TIME] [before:TIME]",
        help: "search your rooms and direct messages for words or parts of words, or for \"exact text\"; \
               TIME is 2h or 7d ago, or 2026-11-21",
        read: |rest| search(rest).map(Action::from),
        ..CLIENTS
    },
    Command {
        name: "nick",
        usage: "NEWNAME",
        help: "change your name",
        read: |rest| one(rest).map(|name| Action::from(Act::Nick { name })),
        ..CLIENTS
    },
    Command {
        name: "whois",
        usage: "NAME",
        help: "show a user's address, connections, key and arrival, or when they were last here",
        read: |rest| one(rest).map(|name| Action::from(Ask::Whois { name: bare(&name).to_owned() })),
        ..ANYWHERE
    },
    Command {
        name: "verify",
        usage: "[NAME] [yes|no]",
        help: "compare the digits of the server's key, or of NAME's, and confirm them; no takes that back",
        read: |rest| verify(rest).map(Action::Prompt),
        ..PROMPT
    },
    Command {
        name: "time",
        help: "show the server's time",
        read: |rest| nothing(rest, Action::from(Ask::Time)),
        ..ANYWHERE
    },
    Command {
        name: "status",
        help: "show the state of the connection; on the console and to operators, also the server's numbers",
        read: |rest| nothing(rest, Action::Status),
        ..TERMINALS
    },
    Command {
        name: "web",
        help: "show the address of the page for browsers, and a QR code of it",
        read: |rest| nothing(rest, Action::Web),
        ..TERMINALS
    },
    Command {
        name: "alert",
        usage: "TEXT",
        help: "show TEXT to everyone, prominently",
        read: |rest| text(rest).map(|msg| Action::from(Operate::Alert { msg })),
        ..OPERATORS
    },
    Command {
        name: "kick",
        usage: "NAME [REASON]",
        help: "end all of a user's connections",
        read: |rest| {
            let (name, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let (name, reason) = (bare(name).to_owned(), reason.trim().to_owned());
            (!name.is_empty()).then_some(Action::from(Operate::Kick { name, reason }))
        },
        ..OPERATORS
    },
    Command {
        name: "mute",
        usage: "NAME [DURATION]",
        help: "refuse a user's messages for DURATION (10m, 2h, 1d, forever; default 1h)",
        read: |rest| timed(rest).map(|(name, duration)| Action::from(Operate::Mute { name, duration })),
        ..OPERATORS
    },
    Command {
        name: "unmute",
        usage: "NAME",
        help: "let a muted user speak again",
        read: |rest| named(rest, |name| Operate::Unmute { name }),
        ..OPERATORS
    },
    Command {
        name: "ban",
        usage: "NAME|key:FINGERPRINT|ip:CIDR [DURATION]",
        help: "keep a user out, by key and address, for DURATION (10m, 2h, 1d, forever; default 1d)",
        read: |rest| timed(rest).map(|(name, duration)| Action::from(Operate::Ban { name, duration })),
        ..OPERATORS
    },
    Command {
        name: "unban",
        usage: "NAME|key:FINGERPRINT|ip:CIDR",
        help: "lift a ban",
        read: |rest| named(rest, |name| Operate::Unban { name }),
        ..OPERATORS
    },
    Command {
        name: "bans",
        help: "list bans and mutes",
        read: |rest| nothing(rest, Action::from(Operate::Bans)),
        ..OPERATORS
    },
    Command {
        name: "operators",
        usage: "[AFTER]",
        help: "list the operators' keys; AFTER continues a long list after that key",
        read: |rest| keys(rest, KeyList::Operators),
        ..OPERATORS
    },
    Command {
        name: "members",
        usage: "[AFTER]",
        help: "list the keys that may enter a closed server; AFTER continues a long list after that key",
        read: |rest| keys(rest, KeyList::Members),
        ..OPERATORS
    },
    Command {
        name: "owners",
        usage: "[AFTER]",
        help: "list names and the keys that own them; AFTER continues a long list after that name",
        read: |rest| keys(rest, KeyList::Owners),
        ..OPERATORS
    },
    Command {
        name: "admit",
        usage: "NAME|key:FINGERPRINT",
        help: "let a user enter a closed server without the passphrase",
        read: |rest| named(rest, |name| Operate::Admit { name }),
        ..OPERATORS
    },
    Command {
        name: "dismiss",
        usage: "NAME|key:FINGERPRINT",
        help: "require the passphrase from a closed server's user again",
        read: |rest| named(rest, |name| Operate::Dismiss { name }),
        ..OPERATORS
    },
    Command {
        name: "release",
        usage: "NAME",
        help: "take a name from the key that owns it, so that its next user owns it",
        read: |rest| named(rest, |name| Operate::Release { name }),
        ..OPERATORS
    },
    Command {
        name: "op",
        usage: "NAME|key:FINGERPRINT|CODE",
        help: "make a user an operator, even one who is offline; with the code from the server's console, \
               yourself",
        read: |rest| named(rest, |name| Operate::Op { name }),
        ..ANYWHERE
    },
    Command {
        name: "deop",
        usage: "NAME|key:FINGERPRINT",
        help: "remove a user as an operator",
        read: |rest| named(rest, |name| Operate::Deop { name }),
        ..OPERATORS
    },
    Command {
        name: "set",
        usage: "[PREFERENCE [VALUE]]",
        help: "show your preferences, or change one for good",
        read: |rest| {
            let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Some(Action::Prompt(PromptAction::Set { name: part(name), value: part(value.trim()) }))
        },
        ..PROMPT
    },
    Command {
        name: "next",
        aliases: &["n"],
        help: "go to the most urgent unread messages, as Alt-A does",
        read: |rest| nothing(rest, Attend::Next.into()),
        ..PROMPT
    },
    Command {
        name: "focus",
        usage: "[on|off]",
        help: "show only the current room or conversation, mentions and direct messages; count the others",
        read: attend::focus,
        ..PROMPT
    },
    Command {
        name: "mentions",
        help: "show the last messages with your name or a highlighted word",
        read: |rest| nothing(rest, Attend::Mentions.into()),
        ..PROMPT
    },
    Command {
        name: "missed",
        help: "show missed messages again",
        read: |rest| nothing(rest, Attend::Missed.into()),
        ..PROMPT
    },
    Command {
        name: "away",
        usage: "[TEXT]",
        help: "tell others that you are away, and why, until /back",
        read: |rest| Some(Action::from(Act::Away { msg: rest.trim().to_owned() })),
        ..CLIENTS
    },
    Command {
        name: "back",
        help: "tell others that you are back",
        read: |rest| nothing(rest, Act::Back.into()),
        ..CLIENTS
    },
    Command {
        name: "dnd",
        usage: "[on|DURATION|off]",
        help: "silence bells and notifications, for DURATION or until /dnd off",
        read: attend::dnd,
        ..PROMPT
    },
    Command {
        name: "ignore",
        usage: "[NAME [DURATION]]",
        help: "hide a user's messages, for DURATION or until /unignore; without NAME, list the users you ignore",
        read: attend::ignore,
        ..PROMPT
    },
    Command {
        name: "unignore",
        usage: "NAME",
        help: "show a user's messages again",
        read: attend::unignore,
        ..PROMPT
    },
    Command {
        name: "compose",
        aliases: &["editor"],
        help: "write the next message in $VISUAL or $EDITOR, as Ctrl-X Ctrl-E does",
        read: |rest| nothing(rest, Action::Prompt(PromptAction::Compose)),
        ..PROMPT
    },
    Command {
        name: "clear",
        help: "clear the screen",
        read: |rest| nothing(rest, Action::Prompt(PromptAction::Clear)),
        ..PROMPT
    },
    Command {
        name: "help",
        aliases: &["h", "?"],
        usage: "[COMMAND|TOPIC]",
        help: "list the commands, or explain one, or a topic; /help keys lists the keys",
        read: |rest| {
            at_most_one(rest).map(|name| Action::Help(name.map(|n| n.trim_start_matches('/').to_owned())))
        },
        ..ANYWHERE
    },
    Command {
        name: "quit",
        aliases: &["exit", "bye"],
        help: "leave (on the console: stop the server)",
        read: |_| Some(Action::Quit),
        ..ANYWHERE
    },
];
