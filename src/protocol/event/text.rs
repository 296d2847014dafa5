//! The text of each event, for people.

use super::{Crowd, Event, HistoryEnd, Welcome};
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::{BanInfo, FileInfo, KeyInfo, KeyList, RoomInfo, UserInfo};
use std::borrow::Cow;

impl Event {
    /// The member `msg`, for people.
    pub fn text(&self) -> Cow<'_, str> {
        let text = match self {
            Self::Welcome(welcome) => welcome_text(welcome),
            Self::Chat { msg, .. }
            | Self::Alert { msg, .. }
            | Self::Error { msg, .. }
            | Self::Bye { msg, .. }
            | Self::Unknown { msg, .. }
            | Self::Pake { msg, .. }
            | Self::Operator { msg, .. }
            | Self::Storing { msg, .. }
            | Self::Ended { msg, .. }
            | Self::Notice(msg) => return msg.into(),
            Self::Sent { stored: false, .. } => return UNSTORED.into(),
            Self::Sent { waits: Some(name), .. } => format!("{name} is offline; the message waits for them"),
            Self::Sent { away: Some(absent), .. } => format!("sent; {absent}"),
            Self::Sent { .. } => return "sent".into(),
            Self::Edited { msg, .. } => format!("{CORRECTED}{msg}"),
            Self::Deleted { name: None, .. } => return "deleted a message".into(),
            Self::Deleted { name: Some(name), .. } => format!("deleted a message by {name}"),
            Self::Read { name, room, .. } => {
                let place = name.as_deref().or(room.as_deref()).unwrap_or("the lobby");
                format!("you have read {place} in another session")
            }
            Self::Away { why: Some(why) } => format!("you are away{}; /back ends it", reason(why)),
            Self::Away { why: None } => return "you are back".into(),
            Self::Room(room) => room_text(room),
            Self::Topic { room, topic: Some(topic), by } => format!("{by} set the topic of {room}: {topic}"),
            Self::Topic { room, topic: None, by } => format!("{by} cleared the topic of {room}"),
            Self::Rooms { rooms, total, next } => rooms_text(rooms, *total, next.as_deref()),
            Self::History(end) => history_text(end),
            Self::Delivered { name, count, lost, .. } => delivered_text(name, *count, *lost),
            Self::Joined(crowd) => crowd_text(crowd, "joined"),
            Self::Left(crowd) => crowd_text(crowd, "left"),
            Self::Renamed { old, name } => format!("{old} is now {name}"),
            Self::Users { room, users, total, next } => {
                users_text(room.as_deref(), users, *total, next.as_deref())
            }
            Self::Time { time, .. } => format!("server time {time}"),
            Self::Whois(user) => whois_text(user),
            Self::Pong { .. } => return "pong".into(),
            Self::Multicast { sent, heard } => multicast_text(*sent, *heard),
            Self::Offer { offer, file, .. } => offer_text(*offer, file),
            Self::Offered { offer, waits } => offered_text(*offer, waits.as_deref()),
            Self::Accepted { name, send: true, .. } => format!("{name} accepts; connect to send"),
            Self::Accepted { name, .. } => format!("connect to receive from {name}"),
            Self::Go => return "both sides are connected".into(),
            Self::PakeOk { .. } => return "the server knows the passphrase".into(),
            Self::Bans { bans, total } => bans_text(bans, *total),
            Self::Ticket { ticket: Some(ticket) } => {
                format!("ticket for one browser, within 10 minutes: {ticket}")
            }
            Self::Ticket { ticket: None } => return "this server is open: browsers need no ticket".into(),
            Self::Status { status } => status.lines().join("\n"),
            Self::Keys { list, keys, total, next } => keys_text(*list, keys, *total, next.as_deref()),
        };
        text.into()
    }
}

fn delivered_text(name: &str, count: u32, lost: u32) -> String {
    let messages = |count: u32| count_messages(usize::try_from(count).unwrap_or(usize::MAX));
    match lost {
        0 => format!("{name} has received {} that waited", messages(count)),
        lost => format!("the server removed {} for {name}, which waited too long", messages(lost)),
    }
}

const UNSTORED: &str = "sent, but not stored: people who are offline will miss it; the server cannot write \
                        its history";

/// Begins the `msg` of an [`Event::Edited`], before the new text.
pub(super) const CORRECTED: &str = "corrected: ";

/// `: lunch`, or nothing.
fn reason(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}

fn multicast_text(sent: usize, heard: bool) -> String {
    let heard = if heard { "heard yours" } else { "heard none of yours" };
    format!("sent {sent} multicast packets and {heard}")
}

fn offered_text(offer: u64, waits: Option<&str>) -> String {
    match waits {
        Some(name) => format!("{name} is offline; the offer reaches them if they come while you are here"),
        None => format!("offered, as {offer}"),
    }
}

/// `offers plan.pdf (12 bytes)`, and how to take it.
fn offer_text(offer: u64, file: &FileInfo) -> String {
    let size = match (file.count, file.size) {
        (Some(count), Some(size)) => format!("{count} files, {size} bytes"),
        (Some(count), None) => format!("{count} files"),
        (None, Some(size)) => format!("{size} bytes"),
        (None, None) => "of unknown size".into(),
    };
    format!("offers the file {} ({size}); to take it, use the lanchat client: /accept {offer}", file.name)
}

/// `1 user`, `3 users`.
pub fn count_users(count: usize) -> String {
    if count == 1 { "1 user".into() } else { format!("{count} users") }
}

/// `1 user is`, `3 users are`.
pub fn users_are(count: usize) -> String {
    format!("{} {}", count_users(count), if count == 1 { "is" } else { "are" })
}

/// `1 message`, `3 messages`, `no messages`.
pub fn count_messages(count: usize) -> String {
    match count {
        0 => "no messages".into(),
        1 => "1 message".into(),
        count => format!("{count} messages"),
    }
}

fn welcome_text(welcome: &Welcome) -> String {
    let Welcome { server, name, total, motd, .. } = welcome;
    let text = format!("welcome to {}, {name}; {} here", server.name, users_are(*total));
    if motd.is_empty() { text } else { format!("{text}\n{motd}") }
}

/// `alice, bob and 3 more joined`, or `40 users joined`.
fn crowd_text(crowd: &Crowd, verb: &str) -> String {
    let verb = &crowd.room.as_ref().map_or(verb.into(), |room| format!("{verb} {room}"));
    let more = crowd.count.saturating_sub(crowd.names.len());
    match (crowd.names.as_slice(), more) {
        ([], more) => format!("{} {verb}", count_users(more)),
        ([one], 0) => format!("{one} {verb}"),
        ([most @ .., last], 0) => format!("{} and {last} {verb}", most.join(", ")),
        (names, more) => format!("{} and {more} more {verb}", names.join(", ")),
    }
}

fn users_text(room: Option<&str>, users: &[UserInfo], total: usize, next: Option<&str>) -> String {
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    let (within, room) =
        room.map_or_else(Default::default, |room| (format!(" in {room}"), format!("{room} ")));
    if names.is_empty() && total > 0 {
        return format!("{}{within}, none of them after that name", count_users(total));
    }
    let text = format!("{}{within}: {}", count_users(total), names.join(", "));
    match next {
        Some(next) => format!("{text} ... (/users {room}{next} shows more)"),
        None => text,
    }
}

/// `(2 users here, 7 offline)`.
fn members_text(room: &RoomInfo) -> String {
    let here = count_users(room.here);
    match room.members.saturating_sub(room.here) {
        0 => format!("({here} here)"),
        offline => format!("({here} here, {offline} offline)"),
    }
}

fn room_text(room: &RoomInfo) -> String {
    let not = if room.joined { "" } else { "not " };
    let topic = room.topic.as_ref().map_or(String::new(), |topic| format!(": {topic}"));
    format!("you are {not}in {}{topic} {}", room.name, members_text(room))
}

fn rooms_text(rooms: &[RoomInfo], total: usize, next: Option<&str>) -> String {
    let line = |room: &RoomInfo| {
        let topic = room.topic.as_ref().map_or(String::new(), |topic| format!(": {topic}"));
        format!("{} {}{topic}", room.name, members_text(room))
    };
    let count = match total {
        0 => return "there are no rooms; /join #name creates one".into(),
        1 => "1 room".into(),
        total => format!("{total} rooms"),
    };
    if rooms.is_empty() {
        return format!("{count}, none of them after that name");
    }
    let text = format!("{count}: {}", rooms.iter().map(line).collect::<Vec<_>>().join(", "));
    match next {
        Some(next) => format!("{text} ... (/rooms {next} shows more)"),
        None => text,
    }
}

/// Why missed messages are not shown.
pub const GAP: &str = " that the server cannot show you: too old, too many, or never stored";

/// Why a search stopped early.
pub const SLOW: &str =
    "; older ones were not searched, as that takes too long: use longer words, or give a time (before:7d)";

/// Why a search may be incomplete.
pub const BEHIND: &str = "; older ones are still being indexed: search again in a few minutes";

fn history_text(end: &HistoryEnd) -> String {
    let text = count_messages(end.count);
    match end {
        HistoryEnd { gap: true, .. } => text + "; there were others" + GAP,
        HistoryEnd { partial: true, more: true, .. } => text + SLOW,
        HistoryEnd { partial: true, .. } => text + BEHIND,
        HistoryEnd { more: true, .. } => text + "; there are older ones",
        HistoryEnd { .. } => text,
    }
}

/// `server b`, `servers a and b`.
pub fn servers_text(names: &[String]) -> String {
    match names {
        [name] => format!("server {name}"),
        [first @ .., last] => format!("servers {} and {last}", first.join(", ")),
        [] => String::new(),
    }
}

fn whois_text(user: &UserInfo) -> String {
    let mut text = match &user.last {
        Some(last) => format!("{} is offline, last seen {last}", user.name),
        None => format!("{} from {}", user.name, user.ip),
    };
    if !user.nodes.is_empty() {
        text += &format!(", at {}", servers_text(&user.nodes));
    }
    if let Some(since) = &user.since {
        text += &format!(", here since {since}");
    }
    if let Some(why) = &user.away {
        text += &format!(", away{}", reason(why));
    }
    if let Some(sessions) = user.sessions.filter(|sessions| *sessions != 1) {
        text += &format!(", {sessions} connections");
    }
    if user.operator == Some(true) {
        text += ", operator";
    }
    if user.web == Some(true) {
        text += ", in a browser";
    }
    if user.plaintext == Some(true) {
        text += ", not encrypted";
    }
    text + &match &user.key {
        None => ", no key backs the name".into(),
        // People compare the digits with each other.
        Some(key) => key
            .parse()
            .map_or_else(|_| format!(", key {key}"), |key: Fingerprint| format!(", key {}", key.spoken())),
    }
}

/// A line per row, and how many more there are.
fn bans_text(bans: &[BanInfo], total: usize) -> String {
    let line = |ban: &BanInfo| {
        let done = if ban.kind == "mute" { "muted" } else { "banned" };
        let name = ban.name.as_ref().map_or(String::new(), |name| format!(" ({name})"));
        let until = ban.until.as_ref().map_or("forever".into(), |until| format!("until {until}"));
        format!("{}{name} {done} by {} {until}", ban.who, ban.by)
    };
    match (bans.len(), total.saturating_sub(bans.len())) {
        (0, 0) => "nobody is banned or muted".into(),
        (_, older) => {
            let more = (older > 0).then(|| format!("and {older} older ones"));
            bans.iter().map(line).chain(more).collect::<Vec<_>>().join("\n")
        }
    }
}

/// The total, a line per row, and how to see more.
fn keys_text(list: KeyList, keys: &[KeyInfo], total: usize, next: Option<&str>) -> String {
    let of = if list == KeyList::Owners { "name" } else { "key" };
    let head = match (total, list) {
        (0, KeyList::Operators) => return "there are no operators".into(),
        (0, KeyList::Members) => return "there are no members".into(),
        (0, KeyList::Owners) => return "nobody owns a name".into(),
        (1, _) => format!("1 {of}:"),
        (total, _) => format!("{total} {of}s:"),
    };
    let more = next.map(|next| format!("... (/{} {next} shows more)", list.as_str()));
    std::iter::once(head)
        .chain(keys.iter().map(|key| key_text(list, key)))
        .chain(more)
        .collect::<Vec<_>>()
        .join("\n")
}

fn key_text(list: KeyList, info: &KeyInfo) -> String {
    let KeyInfo { key, name, by, ip, since, last } = info;
    if list == KeyList::Owners {
        let last = last.as_ref().map_or("in use".into(), |last| format!("last seen {last}"));
        return format!("{name} of key:{key}, {last}");
    }
    let mut text = format!("key:{key}");
    if !name.is_empty() {
        text += &format!(" ({name})");
    }
    for (word, value) in [("by", by), ("from", ip), ("since", since)] {
        text += &value.as_ref().map_or(String::new(), |value| format!(", {word} {value}"));
    }
    text
}
